"""Print where eyes, nose and mouth usually are on press photographs, and how heads are turned.

    python recipes/photographs/pose.py ../shared/data/press-photos 4

Of every so-manieth photograph the largest face counts.  Places are medians after turning and
scaling the eyes to (-0.5, 0) and (0.5, 0), and after averaging with the mirror image.  For the turn
of heads no truth is known; what can be told is how far the answers for a photograph, its mirror
image and the same turned by 10 degrees fit together.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

import fer2013kit as fk

if TYPE_CHECKING:
    from numpy.typing import NDArray


def main(folder: str, every: int = 1) -> None:
    """Print medians and spreads."""
    photos = [Image.open(path) for path in sorted(Path(folder).glob("*.jpg"))[::every]]
    upright, mirrored, turned = (
        [largest(photo) for photo in some]
        for some in (
            photos,
            [ImageOps.mirror(photo) for photo in photos],
            [photo.rotate(-10, Image.Resampling.BICUBIC) for photo in photos],
        )
    )
    known = [face for face in upright if face is not None and face.landmarks is not None]
    places = np.median([normalized(face.landmarks) for face in known], axis=0)
    print("places:", ((places + mirror(places)) / 2).round(2).tolist())
    poses = np.array([face.head_pose for face in known])
    print("roll, yaw, pitch: 5, 50, 95 %:", np.quantile(poses, [0.05, 0.5, 0.95], axis=0).round(1))
    for name, others, sign, shift in (
        ("mirrored", mirrored, [-1, -1, 1], [0, 0, 0]),
        ("turned by 10 degrees", turned, [1, 1, 1], [10, 0, 0]),
    ):
        differences = [
            np.array(b.head_pose) - sign * np.array(a.head_pose) - shift
            for a, b in zip(upright, others, strict=True)
            if a is not None and b is not None and a.head_pose and b.head_pose
        ]
        print(name, "differs by (median):", np.median(np.abs(differences), axis=0).round(1))


def largest(photo: Image.Image) -> fk.FaceEmotion | None:
    """Return the largest face of a photograph."""
    faces = fk.analyze_photo(photo, align=False, tta=None)
    return max(faces, key=lambda face: face.box.width, default=None)


def normalized(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return points with the eyes at (-0.5, 0) and (0.5, 0)."""
    line = complex(*(points[1] - points[0]))
    middle = complex(*points[:2].mean(axis=0))
    placed = (points[:, 0] + 1j * points[:, 1] - middle) / line
    return np.stack([placed.real, placed.imag], axis=1)


def mirror(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points of the mirror image, each under its own name."""
    return points[[1, 0, 2, 4, 3]] * [-1, 1]


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
