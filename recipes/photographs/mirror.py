"""Mirror labelled photographs, and count the faces that keep their word.

    python recipes/photographs/mirror.py ../shared/data/press-photos 5

Of every so-manieth photograph the largest face counts; one that is found on one side alone has
not kept its word.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import fer2013kit as fk


def main(folder: str, every: int = 1) -> None:
    """Print how many words are kept, and how far probabilities are apart."""
    with (Path(folder) / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["emotion"] in fk.CLASS_NAMES][::every]
    photos = [ImageOps.exif_transpose(Image.open(Path(folder) / row["file"])) for row in rows]
    mirrored = [ImageOps.mirror(photo) for photo in photos]
    ours, theirs = largest(photos), largest(mirrored)
    kept = np.mean([_word(a) == _word(b) for a, b in zip(ours, theirs, strict=True)])
    right = np.mean([_word(a) == row["emotion"] for a, row in zip(ours, rows, strict=True)])
    print(f"{kept:.4f} of {len(rows)} keep their word; {right:.4f} named rightly")
    apart = [
        float(np.abs(a.probabilities - b.probabilities).max())
        for a, b in zip(ours, theirs, strict=True)
        if a is not None and b is not None
    ]
    low, middle, high = np.quantile(apart, [0.5, 0.95, 1])
    print(f"probabilities differ by {low:.4f} (median), {middle:.4f} (19 of 20), {high:.4f} (most)")


def largest(photos: list[Image.Image]) -> list[fk.FaceEmotion | None]:
    """Return the largest face of each photograph."""
    answers = fk.analyze_photos(photos)
    return [max(one, key=lambda face: face.box.width, default=None) for one in answers]


def _word(face: fk.FaceEmotion | None) -> str:
    return "no face" if face is None else face.emotion


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
