"""What the views of test-time augmentation do to the probabilities of faces in photographs.

    python recipes/photographs/views.py ../shared/data/press-photos 4

Of every so-manieth photograph the largest face is named once, with its mirror image, and in ten
windows: how many are right, how sure the answers are, the expected calibration error in ten bins,
and the temperature that fits best on every second of them, with the error on the others.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar

import fer2013kit as fk

if TYPE_CHECKING:
    from numpy.typing import NDArray


def main(folder: str, every: int = 1) -> None:
    """Print a line for each choice of views."""
    with (Path(folder) / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["emotion"] in fk.CLASS_NAMES][::every]
    photos = fk.analyze_photos([Path(folder) / row["file"] for row in rows])
    faces = [max(some, key=lambda face: face.box.width, default=None) for some in photos]
    crops = np.stack([face.crop for face in faces if face is not None])
    labels = np.array(
        [
            fk.CLASS_NAMES.index(row["emotion"])
            for row, face in zip(rows, faces, strict=True)
            if face is not None
        ]
    )
    half = np.arange(len(labels)) % 2 == 0
    network = fk.load_predictor()
    for tta in (None, "flip", "ten_crop"):
        table = network.predict_proba(crops, tta=tta).astype(np.float64)
        report = fk.evaluate_predictions(labels, table)
        best = minimize_scalar(
            lambda power, table=table: loss(table[half] ** power, labels[half]), (0.5, 2)
        ).x
        sharper = table**best
        sharper /= sharper.sum(axis=1, keepdims=True)
        after = fk.evaluate_predictions(labels[~half], sharper[~half]).ece
        before = fk.evaluate_predictions(labels[~half], table[~half]).ece
        print(
            f"tta={tta!r}: right {report.accuracy:.3f}, mean score {table.max(axis=1).mean():.3f}, "
            f"error {report.ece:.3f}; temperature {1 / best:.2f}: {before:.3f} -> {after:.3f}"
        )


def loss(table: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the log loss of rows that need not sum to 1."""
    table = table / table.sum(axis=1, keepdims=True)
    return float(-np.mean(np.log(np.clip(table[np.arange(len(labels)), labels], 1e-12, None))))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
