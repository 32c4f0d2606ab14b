"""What makes a face hard to read: darkness, blur, small size, a covering, a head turned aside."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._pictures import resample
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.faces._covering import covering
from fer2013kit.faces._pose import head_pose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

QUALITY_WORDS: Final = ("small", "dark", "blurred", "covered", "profile")

# By recipes/photographs/quality.py: beyond these, at least one right answer in eight is lost.
# None of 1,019 faces of press photographs is beyond any.
_SMALLEST: Final = 20.0
_DARKEST: Final = 35.0
_LEAST_SHARPNESS: Final = 0.05

_COVERED: Final = 0.98
"""From here on a face counts as covered: 2 % of 200 press photographs do, and 98 % of those with a
mask, 88 % with a hand and 91 % with sunglasses (recipes/photographs/quality.py)."""

_LEAST_CONTRAST: Final = 4.0
"""Standard deviation of grey levels: in less, nothing is to be seen, and nothing covered."""

_PROFILE: Final = 50.0
"""Degrees of yaw.  By FER-2013's labels, fewer answers are right the further a head is turned; who
gave the FER+ votes agrees with the network as often at any yaw (recipes/photographs/profile.py).
From about here on, half of the face is out of sight."""


def face_quality(
    box: Sequence[float] | NDArray[Any],
    crop: NDArray[np.uint8],
    landmarks: NDArray[Any] | None = None,
) -> tuple[str, ...]:
    """Return what makes a face hard to read, by its box, the part cut out, and its five points."""
    if crop.shape[:2] != IMAGE_SHAPE[:2]:
        height, width = crop.shape[:2]
        crop = resample(crop, IMAGE_SHAPE[:2], (0, 0, width, height))
    found = {
        "small": face_side(box) < _SMALLEST,
        "dark": brightness(crop) < _DARKEST,
        "blurred": sharpness(crop) < _LEAST_SHARPNESS,
    }
    if not any(found.values()):  # of such a face, the network would say anything
        found["covered"] = float(crop.std()) >= _LEAST_CONTRAST and covering(crop) >= _COVERED
    found["profile"] = landmarks is not None and abs(head_pose(landmarks).yaw) >= _PROFILE
    return tuple(name for name, is_so in found.items() if is_so)


def brightness(crop: NDArray[np.uint8]) -> float:
    """Return the mean grey level of a face."""
    return float(crop.mean())


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Return how much of a face's contrast is between neighbouring pixels, from 0 on.

    The mean square of the Laplacian by the variance, so that darkness does not matter; 1 where
    nothing is to be seen.
    """
    levels = crop.astype(np.float32)
    middle = levels[1:-1, 1:-1]
    around = levels[:-2, 1:-1] + levels[2:, 1:-1] + levels[1:-1, :-2] + levels[1:-1, 2:]
    variance = float(levels.var())
    return float(np.mean((around - 4 * middle) ** 2)) / variance if variance > 0 else 1.0


def face_side(box: Sequence[float] | NDArray[Any]) -> float:
    """Return the side of the square as large as a box, in pixels of the photograph."""
    return math.sqrt(float(box[2]) * float(box[3]))
