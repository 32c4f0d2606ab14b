"""Train a deep network in short sittings, with a GPU (KERAS_BACKEND=jax) or without.

::

    python -m recipes.deep --pack fer2013.csv deep-data      # once: deep-data/pictures.0, .1, ...
    python -m recipes.deep vgg_10 --data deep-data --out state --minutes 8

A run keeps its state in ``--out`` after each epoch, in parts that a machine gives back whole
(``--part-mb``), and the same command goes on from there, on either backend.  A sitting ends after
an epoch when its minutes are over.  At the end of the run the classifier is ``NAME_seedN.fer`` in
``--out``, and its figures on PublicTest are printed and in ``NAME_seedN.json``.

On a machine without scikit-learn, pandas or Keras their wheels go into PYTHONPATH; TensorFlow is
needed for the TensorFlow backend alone.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import shutil
import time
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

import fer2013kit as fk

_REGULARISED: Final = {
    "batch_size": 128,
    "learning_rate": 0.1,
    "weight_decay": 5e-4,
    "label_smoothing": 0.1,
    "erasing": 0.25,
    "epochs": 300,
}
NETWORKS: Final[dict[str, dict[str, Any]]] = {
    "vgg_10": {"model": "vgg_10", **_REGULARISED},
    "deep_cnn": {"model": "deep_cnn", **_REGULARISED},
    "preact_resnet": {
        "model": "preact_resnet",
        **_REGULARISED,
        "model_params": {"units": (3, 4, 6, 3), "stochastic_depth": 0.2},
    },
}
"""Where to begin; none of them has been trained to its end yet."""

_MB: Final = 1_000_000
_FILTERS: Final = [{"id": lzma.FILTER_DELTA, "dist": 1}, {"id": lzma.FILTER_LZMA2, "preset": 6}]
"""Neighbouring pixels differ little."""


class Sitting(keras.callbacks.Callback):  # type: ignore[misc]  # Keras carries no types
    """Ends a sitting between two epochs, and lays the state of the last one out in parts."""

    def __init__(self, checkpoint: Path, out: Path, *, minutes: float, part: int) -> None:
        super().__init__()
        self.checkpoint, self.out, self.part = checkpoint, out, part
        self.ends = time.monotonic() + 60 * minutes
        self.began = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Stop where the time is over; the epoch before has been kept."""
        del logs
        if self.began:
            split(self.checkpoint, self.out, self.part)
            print(f"epoch {epoch} kept", flush=True)
        if self.began and time.monotonic() > self.ends:
            raise KeyboardInterrupt
        self.began = True


def split(path: Path, folder: Path, size: int) -> None:
    """Write a file as parts, each under another name first."""
    data = path.read_bytes()
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    for number, part in enumerate(parts):
        target = folder / f"{path.stem}.{number}"
        target.with_suffix(".new").write_bytes(part)
        target.with_suffix(".new").replace(target)


def join(folder: Path, stem: str) -> bytes:
    """Return what lies in parts."""
    parts = sorted(folder.glob(f"{stem}.[0-9]*"), key=lambda path: int(path.suffix[1:]))
    return b"".join(part.read_bytes() for part in parts)


def pack(source: str, folder: Path, size: int) -> None:
    """Write Training and PublicTest as parts of one compressed archive of arrays."""
    data = fk.load_fer2013(source)
    splits = {"train": data.train, "validation": data.validation}
    arrays = {f"{name}_images": split.images for name, split in splits.items()}
    arrays |= {f"{name}_labels": split.labels.astype(np.uint8) for name, split in splits.items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pictures.npz"
    path.write_bytes(lzma.compress(buffer.getvalue(), filters=_FILTERS))
    split(path, folder, size)
    print(f"{path.stat().st_size / _MB:.1f} MB in parts of {size / _MB:g} MB")
    path.unlink()


def unpack(folder: Path) -> dict[str, fk.Split]:
    """Read what :func:`pack` wrote."""
    with np.load(io.BytesIO(lzma.decompress(join(folder, "pictures")))) as file:
        return {
            name: fk.Split(file[f"{name}_images"], file[f"{name}_labels"].astype(np.int64))
            for name in ("train", "validation")
        }


def run(options: argparse.Namespace) -> None:
    """Train for a sitting."""
    splits = unpack(options.data)
    train = splits["train"]
    X, y = train.images[: options.rows], train.labels[: options.rows]
    name = f"{options.network}_seed{options.seed}"
    options.out.mkdir(parents=True, exist_ok=True)
    state = options.out / name
    state.mkdir(exist_ok=True)
    checkpoint = state / "checkpoint.npz"
    if kept := join(options.out, "checkpoint"):
        checkpoint.write_bytes(kept)
    given = {"epochs": options.epochs, "batch_size": options.batch_size}
    settings = NETWORKS[options.network] | {key: value for key, value in given.items() if value}
    classifier = fk.EmotionClassifier(
        **settings,
        compute_dtype=options.compute_dtype,
        random_state=options.seed,
        checkpoint_dir=state,
        verbose=2,
    )
    sitting = Sitting(
        checkpoint, options.out, minutes=options.minutes, part=round(options.part_mb * _MB)
    )
    try:
        classifier.fit(X, y, validation_data=splits["validation"], callbacks=[sitting])
    except KeyboardInterrupt:
        print("the time is over; the same command goes on")
        return
    finally:
        shutil.rmtree(state)  # its parts are kept
    figures = {
        views or "one pass": round(
            classifier.evaluate(*splits["validation"], tta=views).accuracy, 4
        )
        for views in (None, "ten_crop")
    }
    classifier.save(options.out / f"{name}.fer")
    results = {"backend": keras.backend.backend(), "settings": str(settings), "PublicTest": figures}
    results["history"] = classifier.history_
    (options.out / f"{name}.json").write_text(json.dumps(results) + "\n", encoding="utf-8")
    print(json.dumps(figures))


def main() -> None:
    """Pack the images, or train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", nargs="?", choices=sorted(NETWORKS))
    parser.add_argument("--pack", nargs=2, metavar=("FER2013", "FOLDER"))
    parser.add_argument("--data", type=Path, help="the folder that --pack wrote")
    parser.add_argument("--out", type=Path, help="the run's state and results")
    parser.add_argument("--minutes", type=float, default=8.0, help="of one sitting")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--rows", type=int, help="the first so many images alone")
    parser.add_argument("--compute-dtype", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--part-mb", type=float, default=15.0)
    options = parser.parse_args()
    if options.pack:
        pack(options.pack[0], Path(options.pack[1]), round(options.part_mb * _MB))
    elif options.network and options.data and options.out:
        run(options)
    else:
        parser.error("give --pack FER2013 FOLDER, or a network, --data and --out")


if __name__ == "__main__":
    main()
