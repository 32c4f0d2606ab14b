"""Faces cut out of photographs as FER-2013 cut them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._pictures import resample, resize_gray
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.faces._boxes import square

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer2013kit.typing import Aspect

MARGIN: Final = 0.025
"""What is cut around a box of `FaceDetector` on each side: a share of the side of the square that
is as large as the box.  Measured: see recipes/photographs."""

_FILLED: Final = 0.65
"""An image is a ready-made crop if it shares so much with its face's square (of their union)."""


def cut_face(
    rgb: NDArray[np.uint8],
    box: NDArray[np.floating[Any]],
    size: tuple[int, int] = (IMAGE_SHAPE[0], IMAGE_SHAPE[1]),
    *,
    margin: float | None = None,
) -> NDArray[np.uint8]:
    """Return the square around a box as grey levels; beyond the edge, its pixels go on.

    The box is left, top, width and height in an RGB photograph.  The margin is cut on each side of
    the square that is as large as the box, as a share of its side; by default it is `MARGIN`.
    """
    from PIL import Image

    left, top, side = face_square(box, margin)
    height, width = rgb.shape[:2]
    columns = np.arange(math.floor(left), math.ceil(left + side))
    rows = np.arange(math.floor(top), math.ceil(top + side))
    inside = rgb[
        slice(*_span(rows, height)),
        slice(*_span(columns, width)),
    ]
    gray = np.asarray(Image.fromarray(np.ascontiguousarray(inside)).convert("L"))
    pads = [
        (int(np.sum(rows < 0)), int(np.sum(rows >= height))),
        (int(np.sum(columns < 0)), int(np.sum(columns >= width))),
    ]
    gray = np.pad(gray, pads, mode="edge")
    x, y = left - columns[0], top - rows[0]
    # Rounding may put the far edges beyond the last pixels.
    window = (x, y, min(x + side, len(columns)), min(y + side, len(rows)))
    return resample(gray, size, window)


def whole_face(
    rgb: NDArray[np.uint8], size: tuple[int, int], *, aspect: Aspect = "crop"
) -> NDArray[np.uint8]:
    """Return an image that is a face already as grey levels; one of `size` loses nothing."""
    from PIL import Image

    # The luma of grey is the grey level itself.
    return resize_gray(np.array(Image.fromarray(rgb).convert("L")), size=size, aspect=aspect)


def _span(places: NDArray[np.int64], length: int) -> tuple[int, int]:
    """Return where the places inside [0, length) begin and end; the nearest one if none is."""
    begin = int(np.clip(places[0], 0, length - 1))
    return begin, int(np.clip(places[-1] + 1, begin + 1, length))


def face_square(box: NDArray[np.floating[Any]], margin: float | None) -> tuple[float, float, float]:
    """Return left, top and side of the square that is cut for a box."""
    return square(box, MARGIN if margin is None else margin)


def fills_picture(
    box: NDArray[np.floating[Any]], shape: tuple[int, int], margin: float | None
) -> bool:
    """Tell whether an image of shape (height, width) is a ready-made crop of the face in it."""
    left, top, side = face_square(box, margin)
    height, width = shape
    across = min(left + side, width) - max(left, 0.0)
    down = min(top + side, height) - max(top, 0.0)
    shared = max(across, 0.0) * max(down, 0.0)
    return shared >= _FILLED * (side * side + height * width - shared)
