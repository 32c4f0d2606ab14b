"""Name the faces of labelled photographs with each network.

    python recipes/photographs/press.py ../shared/data/press-photos five_layer_cnn ferplus_cnn
    python recipes/photographs/press.py ../shared/data/press-photos ferplus_cnn five_layer_cnn=0.3

Each photograph shows one main face and has one label that a person gave; of several faces found,
the largest counts, and where none is found the photograph counts as wrong.  The answer is one of
the seven words of FER-2013; a network's other words are left out.  ``A B=0.3`` is a network A, and
then the geometric mean of A and B with three tenths for B.  Any file that `load_predictor` reads
may stand in place of a name.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binomtest

import fer2013kit as fk
from fer2013kit.faces._emotion import CERTAIN_PROBABILITY

THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def main() -> None:
    """Print the figures of each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds the photographs and labels.csv")
    parser.add_argument("networks", nargs="+", help="shipped names or files")
    parser.add_argument("--tta", choices=["flip", "ten_crop"])
    options = parser.parse_args()
    faces, labels = largest_faces(options.folder)
    found = np.array([face is not None for face in faces])
    print(f"{len(labels)} photographs, a face found in {found.sum()}")
    crops = np.stack([face.crop for face in faces if face is not None])
    mixed: Any = None
    for argument in options.networks:
        name, _, share = argument.partition("=")
        own = seven(fk.load_predictor(name), crops, options.tta)
        if share:
            joined = np.log(mixed) * (1 - float(share)) + np.log(own) * float(share)
            own = np.exp(joined) / np.exp(joined).sum(axis=1, keepdims=True)
        mixed = own
        print(argument, describe(own, labels[found], len(labels)))
        print("\n".join(trust(own, labels[found])))


def largest_faces(folder: Path) -> tuple[list[fk.FaceEmotion | None], NDArray[np.int64]]:
    """Return the largest face of each photograph that has one of the seven labels, and its code."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["emotion"] in fk.CLASS_NAMES]
    photos = fk.analyze_photos([folder / row["file"] for row in rows])
    faces = [
        max(photo, key=lambda face: face.box.width * face.box.height, default=None)
        for photo in photos
    ]
    return faces, np.array([fk.CLASS_NAMES.index(row["emotion"]) for row in rows])


def seven(predictor: Any, crops: NDArray[np.uint8], tta: str | None = None) -> NDArray[np.float64]:
    """Return the probabilities of the seven words, which sum to 1."""
    names = list(predictor.class_names_)
    probabilities = predictor.predict_proba(crops, tta=tta).astype(np.float64)
    kept: NDArray[np.float64] = probabilities[:, [names.index(word) for word in fk.CLASS_NAMES]]
    kept = np.clip(kept, 1e-12, None)
    return kept / kept.sum(axis=1, keepdims=True)


def describe(probabilities: NDArray[np.float64], labels: NDArray[np.int64], n_photos: int) -> str:
    """Return accuracy and its interval, recall of each word, and what sure answers are worth."""
    answers = probabilities.argmax(axis=1)
    right = answers == labels
    interval = binomtest(int(right.sum()), n_photos).proportion_ci(method="wilson")
    sure = probabilities.max(axis=1) >= CERTAIN_PROBABILITY
    recall = _recall(answers, labels)
    words = ", ".join(
        f"{word} {share:.2f}" for word, share in zip(fk.CLASS_NAMES, recall, strict=True)
    )
    return (
        f"{right.sum() / n_photos:.3f} ({interval.low:.3f} to {interval.high:.3f}); {words}; "
        f"sure of {sure.mean():.3f}, of these right {right[sure].mean():.3f}"
    )


def trust(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> list[str]:
    """Return how often each word is right where it is the answer, and what thresholds change."""
    answers, scores = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = answers == labels
    lines = [
        f"  says {word} {(answers == code).sum()} times, right {right[answers == code].sum()}"
        for code, word in enumerate(fk.CLASS_NAMES)
    ]
    for threshold in THRESHOLDS:
        kept = scores >= threshold
        lines.append(
            f"  from {threshold:.1f}: {kept.mean():.3f} answered, {right[kept].mean():.3f} right"
        )
    return lines


def _recall(answers: NDArray[np.int64], labels: NDArray[np.int64]) -> Sequence[float]:
    return [float(np.mean(answers[labels == code] == code)) for code in range(len(fk.CLASS_NAMES))]


if __name__ == "__main__":
    main()
