"""Geometry of boxes: left, top, width and height."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return intersection over union of boxes (n, 4) and (m, 4), ``(n, m)``."""
    a, b = first[:, None], second[None]
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    union = a[..., 2:].prod(axis=-1) + b[..., 2:].prod(axis=-1) - shared
    share: NDArray[np.float64] = shared / np.maximum(union, 1e-12)
    return share


def nms(boxes: NDArray[np.float64], scores: NDArray[np.float64], most: float) -> NDArray[np.int64]:
    """Return which of boxes (n, 4) stay, the surest first (non-maximum suppression).

    A box whose intersection over union with a surer one is ``most`` or more goes.
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        order = rest[iou(boxes[best][None], boxes[rest])[0] < most]
    return np.array(kept, np.int64)


def square(box: Sequence[float] | NDArray[Any], margin: float) -> tuple[float, float, float]:
    """Return left, top and side of the square as large as a box, about its centre.

    The margin, a share of the square's side, is added on each side.
    """
    left, top, width, height = (float(length) for length in box)
    side = math.sqrt(width * height) * (1 + 2 * margin)
    return left + (width - side) / 2, top + (height - side) / 2, side
