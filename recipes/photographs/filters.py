"""Shrink faces with each of Pillow's filters and compare what the shipped networks make of them.

    python recipes/photographs/filters.py ../shared/data

The faces are those that the detector finds on the press photographs, the surest one of each, and
crops of PublicTest that were enlarged before.  The kit's filter, in ``fer2013kit._pictures``, was
chosen by the first table.  No image is written.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

import fer2013kit as fk
from fer2013kit.faces._crops import cut_face
from fer2013kit.faces._photos import read_photo
from fer2013kit.pretrained import PHOTO_NAME

FILTERS = ("LANCZOS", "BICUBIC", "HAMMING", "BILINEAR", "BOX")
SIDES = (64, 96, 192)


def with_filter(name: str) -> Any:
    """Let the kit resize with another filter, inside of a ``with``."""
    chosen = mock.Mock(LANCZOS=Image.Resampling[name])
    return mock.patch.object(Image, "Resampling", chosen)


def press_faces(folder: Path) -> tuple[dict[str, Any], Any]:
    """Return the faces cut by each filter, and their labels."""
    faces: dict[str, list[Any]] = {name: [] for name in FILTERS}
    labels = []
    detector = fk.FaceDetector()
    with (folder / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        rgb = read_photo(folder / row["file"]).rgb
        boxes = np.asarray(detector(rgb))
        if not len(boxes):
            continue
        labels.append(fk.CLASS_NAMES.index(row["emotion"]))
        for name in FILTERS:
            with with_filter(name):
                faces[name].append(cut_face(rgb, boxes[0]))
    return {name: np.stack(crops) for name, crops in faces.items()}, np.array(labels)


def main(data: str) -> None:
    """Print both tables."""
    faces, labels = press_faces(Path(data) / "press-photos")
    names = fk.list_pretrained()
    networks = {name: fk.EmotionPredictor.from_pretrained(name) for name in names}
    networks[PHOTO_NAME] = fk.load_predictor()  # with the seven words of the labels
    rows = np.arange(len(labels))
    print(f"{len(labels)} faces of press photographs: accuracy / log loss\n")
    print(f"{'':26}" + "".join(f"{name:>16}" for name in FILTERS))
    for network, predictor in networks.items():
        line = ""
        for name in FILTERS:
            probabilities = predictor.predict_proba(faces[name])
            right = np.mean(probabilities.argmax(axis=1) == labels)
            loss = -np.log(probabilities[rows, labels] + 1e-9).mean()
            line += f"{right:>9.3f} {loss:>6.3f}"
        print(f"{network:26}{line}")

    images = fk.load_fer2013(Path(data) / "fer2013-kaggle.zip").validation.images[::3, ..., 0]
    print(f"\n{len(images)} crops of PublicTest, enlarged and shrunk again: named as before\n")
    print(f"{'':26}" + "".join(f"{name:>16}" for name in FILTERS))
    predictor = networks[PHOTO_NAME]
    before = predictor.predict_proba(images).argmax(axis=1)
    for side in SIDES:
        line = ""
        enlarged = [
            np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC))
            for one in images
        ]
        for name in FILTERS:
            with with_filter(name):
                shrunk = np.stack([fk.to_face(one)[..., 0] for one in enlarged])
            same = np.mean(predictor.predict_proba(shrunk).argmax(axis=1) == before)
            line += f"{same:>16.3f}"
        print(f"{side:4} pixels{'':15}{line}")


if __name__ == "__main__":
    main(*sys.argv[1:])
