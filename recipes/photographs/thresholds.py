"""Count the faces and the other boxes that the detector finds, by its least score.

    python recipes/photographs/thresholds.py ../shared/data/press-photos 4

Every so-manieth photograph is shown as it is, at a quarter of its size on grey (a small face), at a
fifth of the light, with noise, blurred, and with its left half covered.  A photograph shows one
main face: found is one whose box shares at least 0.3 of the union with the surest box on the
photograph as it is, at its scale; every other box counts as another.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

import fer2013kit as fk
from fer2013kit.faces._boxes import iou

SCORES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def main(folder: str, every: int = 1) -> None:
    """Print a line for each way and score."""
    detector = fk.FaceDetector(min_score=SCORES[0], turned=False)
    paths = sorted(Path(folder).glob("*.jpg"))[::every]
    photos = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    truth = [detector.detect(photo)[0][:1] for photo in photos]
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 40, (*photos[0].shape,))
    ways = {
        "as it is": lambda photo: photo,
        "small": small,
        "dark": lambda photo: (photo * 0.2).astype(np.uint8),
        "noise": lambda photo: np.clip(photo + noise, 0, 255).astype(np.uint8),
        "blurred": lambda photo: np.asarray(
            Image.fromarray(photo).filter(ImageFilter.GaussianBlur(photo.shape[1] / 40))
        ),
        "left half covered": covered,
    }
    for name, way in ways.items():
        found, others = np.zeros(len(SCORES)), np.zeros(len(SCORES))
        for photo, box in zip(photos, truth, strict=True):
            boxes, scores = detector.detect(way(photo))
            expected = box / 4 + [100, 100, 0, 0] if name == "small" else box
            same = iou(boxes, expected)[:, 0] >= 0.3 if len(box) else np.zeros(len(boxes), np.bool_)
            for index, least in enumerate(SCORES):
                found[index] += (same & (scores >= least)).any()
                others[index] += (~same & (scores >= least)).sum()
        for least, one, other in zip(
            SCORES, found / len(photos), others / len(photos), strict=True
        ):
            print(f"{name:18} from {least}: found {one:.3f}, other boxes {other:.3f} a photograph")


def small(photo: np.ndarray) -> np.ndarray:
    """Return a photograph at a quarter of its size, on grey."""
    height, width = photo.shape[:2]
    ground = Image.new("RGB", (width // 4 + 200, height // 4 + 200), "gray")
    ground.paste(Image.fromarray(photo).resize((width // 4, height // 4)), (100, 100))
    return np.asarray(ground)


def covered(photo: np.ndarray) -> np.ndarray:
    """Return a photograph without its left half."""
    half = photo.copy()
    half[:, : photo.shape[1] // 2] = 128
    return half


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
