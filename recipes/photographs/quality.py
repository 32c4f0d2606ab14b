"""Make labelled photographs worse, and count the faces that are still named rightly.

    python recipes/photographs/quality.py ../shared/data/press-photos 4

Of every so-manieth photograph the largest face counts.  Its box stays where it was found, so that
naming alone is measured.  Printed are what certain answers are worth, by the least score; how many
are right by how far heads are turned; for each way to cover a face (``worse.py``), how many are
seen to be covered, by the least that counts, and how many wrong answers would be called certain;
and then, for each step of darkness, blur and smallness, the median and the 5th and 95th percentile
of what the kit measures, how many faces are named as labelled, and how many as before.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter
from worse import COVERINGS

import fer2013kit as fk
from fer2013kit.faces._covering import covering
from fer2013kit.faces._emotion import CERTAIN_PROBABILITY
from fer2013kit.faces._quality import brightness, face_side, sharpness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LEAST_COVERED = (0.9, 0.95, 0.97, 0.98, 0.99, 0.995)
LIGHT = (1, 0.5, 0.25, 0.15, 0.1, 0.05)
BLUR = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1)
SIDES = (64, 48, 32, 24, 20, 16, 12)


def main(folder: str, every: int = 1) -> None:
    """Print the tables."""
    with (Path(folder) / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["emotion"] in fk.CLASS_NAMES][::every]
    paths = [Path(folder) / row["file"] for row in rows]
    found = [
        max(some, key=lambda one: one.box.width, default=None) for some in fk.analyze_photos(paths)
    ]
    known = [index for index, face in enumerate(found) if face is not None]
    faces = [found[index] for index in known]
    photos = [Image.open(paths[index]).convert("RGB") for index in known]
    labels = [rows[index]["emotion"] for index in known]
    certain(faces, labels)
    profile(faces, labels)
    covered(photos, faces, labels)
    plain = [one.emotion for one in name(photos, faces, 1.0)]

    def tell(
        what: str,
        worse: Sequence[Image.Image],
        scale: Sequence[float],
        measure: Callable[[fk.FaceEmotion], float],
    ) -> None:
        named = name(worse, faces, scale)
        right = np.mean([one.emotion == label for one, label in zip(named, labels, strict=True)])
        same = np.mean([one.emotion == word for one, word in zip(named, plain, strict=True)])
        low, middle, high = np.quantile([measure(one) for one in named], [0.05, 0.5, 0.95])
        measured = f"measured {middle:7.3f} ({low:.3f} to {high:.3f})"
        print(f"{what:12} {measured}: right {right:.3f}, as before {same:.3f}", flush=True)

    ones = [1.0] * len(faces)
    for share in LIGHT:
        dark = [photo.point(lambda level, share=share: round(level * share)) for photo in photos]
        tell(f"light {share}", dark, ones, lambda one: brightness(one.crop))
    for share in BLUR:
        radii = [share * face_side(face.box) for face in faces]
        blurred = [
            photo.filter(ImageFilter.GaussianBlur(radius))
            for photo, radius in zip(photos, radii, strict=True)
        ]
        tell(f"blur {share}", blurred, ones, lambda one: sharpness(one.crop))
    for side in SIDES:
        scale = [side / face_side(face.box) for face in faces]
        small = [
            photo.resize(
                (max(1, round(photo.width * one)), max(1, round(photo.height * one))),
                Image.Resampling.LANCZOS,
            )
            for photo, one in zip(photos, scale, strict=True)
        ]
        tell(f"side {side}", small, scale, lambda one: sharpness(one.crop))


def name(
    photos: Sequence[Image.Image], faces: Sequence[fk.FaceEmotion], scale: float | Sequence[float]
) -> list[fk.FaceEmotion]:
    """Return the faces named anew where they were, on photographs of another scale."""
    scales = np.broadcast_to(scale, len(faces))
    boxes = [[np.multiply(face.box, one)] for face, one in zip(faces, scales, strict=True)]
    return [one[0] for one in fk.analyze_photos(photos, boxes=boxes)]


def profile(faces: Sequence[fk.FaceEmotion], labels: Sequence[str]) -> None:
    """Print how many are right by how far heads are turned."""
    yaw = np.array([0.0 if one.landmarks is None else abs(one.head_pose.yaw) for one in faces])
    right = np.array([one.emotion == label for one, label in zip(faces, labels, strict=True)])
    for low, high in ((0, 10), (10, 20), (20, 30), (30, 90)):
        some = (yaw >= low) & (yaw < high)
        print(f"turned by {low} to {high}: {some.sum()} faces, right {right[some].mean():.3f}")


def covered(
    photos: Sequence[Image.Image], faces: Sequence[fk.FaceEmotion], labels: Sequence[str]
) -> None:
    """Print how many covered faces are seen to be so."""
    rng = np.random.default_rng(0)
    plain = np.array([covering(one.crop) for one in faces])
    for least in LEAST_COVERED:
        print(f"from {least}: {np.mean(plain >= least):.3f} as they are count as covered")
    for kind, cover in COVERINGS.items():
        worse = [
            Image.fromarray(cover(np.asarray(photo), face.landmarks, rng))
            for photo, face in zip(photos, faces, strict=True)
        ]
        named = name(worse, faces, 1.0)
        seen = np.array([covering(one.crop) for one in named])
        right = np.array([one.emotion == label for one, label in zip(named, labels, strict=True)])
        same = np.mean(
            [one.emotion == face.emotion for one, face in zip(named, faces, strict=True)]
        )
        wrong = ~right & np.array([one.score >= CERTAIN_PROBABILITY for one in named])
        figures = (
            f"right {right.mean():.3f}, as before {same:.3f}, sure and wrong {wrong.mean():.3f}"
        )
        print(f"{kind}: {figures}")
        for least in LEAST_COVERED:
            print(
                f"    from {least}: seen {np.mean(seen >= least):.3f}, "
                f"sure, wrong and not seen {np.mean(wrong & (seen < least)):.3f}",
                flush=True,
            )


def certain(faces: Sequence[fk.FaceEmotion], labels: Sequence[str]) -> None:
    """Print what answers are worth whose score is not below a threshold."""
    score = np.array([one.score for one in faces])
    right = np.array([one.emotion == label for one, label in zip(faces, labels, strict=True)])
    print(f"all {len(faces)}: right {right.mean():.3f}")
    for least in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8):
        sure = score >= least
        print(f"score from {least}: {sure.mean():.3f} of faces, right {right[sure].mean():.3f}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
