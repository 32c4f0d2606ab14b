"""Turn labelled photographs as a whole, and count the faces that are found and keep their word.

    python recipes/photographs/tilt.py ../shared/data/press-photos 45 90 180

Of 60 photographs, made smaller to 640 pixels, the largest face upright is the one that counts; on
the turned photograph it is the face whose box has its middle within half a width of where that
must be.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

import fer2013kit as fk

if TYPE_CHECKING:
    from collections.abc import Iterable

N_PHOTOS = 60
SIDE = 640


def main() -> None:
    """Print a line for each angle, with faces turned upright and as they lie."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds the photographs and labels.csv")
    parser.add_argument("angles", type=int, nargs="+", help="in degrees, counter-clockwise")
    options = parser.parse_args()
    with (options.folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["emotion"] in fk.CLASS_NAMES]
    chosen = np.random.default_rng(7).permutation(len(rows))[:N_PHOTOS]
    photos = [_read(options.folder / rows[index]["file"]) for index in chosen]
    labels = [rows[index]["emotion"] for index in chosen]
    upright = [_largest(fk.analyze_photo(photo)) for photo in photos]
    named = np.mean([face.emotion == word for face, word in zip(upright, labels, strict=True)])
    print(f"upright: named as labelled {named:.2f}")
    for angle in options.angles:
        for align in (True, False):
            faces = [
                _same(photo, face, angle, align=align)
                for photo, face in zip(photos, upright, strict=True)
            ]
            found = [face is not None for face in faces]
            words = [None if face is None else face.emotion for face in faces]
            kept = [word == face.emotion for word, face in zip(words, upright, strict=True)]
            right = [word == label for word, label in zip(words, labels, strict=True)]
            print(
                f"{angle} degrees, {'turned upright' if align else 'as they lie'}: found "
                f"{np.mean(found):.2f}, kept {np.mean(kept):.2f}, "
                f"named as labelled {np.mean(right):.2f}",
                flush=True,
            )


def _read(path: Path) -> Image.Image:
    photo = Image.open(path).convert("RGB")
    photo.thumbnail((SIDE, SIDE))
    return photo


def _largest(faces: Iterable[fk.FaceEmotion]) -> fk.FaceEmotion:
    return max(faces, key=lambda face: face.box.width * face.box.height)


def _same(
    photo: Image.Image, face: fk.FaceEmotion, angle: int, *, align: bool
) -> fk.FaceEmotion | None:
    """Return that face on the turned photograph, None where it is not found."""
    turned = photo.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    place = (_middle(face) - complex(*photo.size) / 2) * np.exp(-1j * np.radians(angle))
    for found in fk.analyze_photo(turned, align=align):
        if abs(_middle(found) - complex(*turned.size) / 2 - place) < face.box.width / 2:
            return found
    return None


def _middle(face: fk.FaceEmotion) -> complex:
    left, top, width, height = face.box
    return complex(left + width / 2, top + height / 2)


if __name__ == "__main__":
    main()
