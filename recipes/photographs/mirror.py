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
    """Print shares, without and with the mirror image of each face."""
    with (Path(folder) / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["emotion"] in fk.CLASS_NAMES][::every]
    photos = [ImageOps.exif_transpose(Image.open(Path(folder) / row["file"])) for row in rows]
    mirrored = [ImageOps.mirror(photo) for photo in photos]
    for tta in (None, "flip"):
        ours, theirs = (words(some, tta) for some in (photos, mirrored))
        kept = np.mean([a == b for a, b in zip(ours, theirs, strict=True)])
        right = np.mean([a == row["emotion"] for a, row in zip(ours, rows, strict=True)])
        print(f"tta={tta!r}: {kept:.3f} of {len(rows)} keep their word; {right:.3f} named rightly")


def words(photos: list[Image.Image], tta: str | None) -> list[str]:
    """Return the word for the largest face of each photograph."""
    answers = fk.analyze_photos(photos, tta=tta)
    largest = [max(one, key=lambda face: face.box.width, default=None) for one in answers]
    return ["no face" if face is None else face.emotion for face in largest]


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
