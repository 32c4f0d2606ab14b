"""The faces of a photograph: where they are, and cut out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import is_number
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.faces._crops import cut_face, face_square, fills_picture, whole_face

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit.faces._photos import Pixels
    from fer2013kit.typing import Detector

    Crops = list[NDArray[np.uint8]]

_BOX_LENGTH: Final = 4
_LEAST_MARGIN: Final = -0.5  # nothing is left of the box
_LARGEST_SQUARE: Final = 2
"""In longer sides of the photograph: what is cut is held in memory, its padding included."""


def find_faces(
    pixels: Pixels,
    given: ArrayLike | None,
    detector: Detector,
    margin: float | None,
    size: tuple[int, int],
) -> tuple[NDArray[np.float64], Crops]:
    """Return boxes (n, 4) in pixels of the photograph, and the faces cut out of it."""
    rgb = pixels.rgb
    scale = np.array(pixels.scale * 2)
    name = "the detector's boxes" if given is None else "boxes"
    if given is not None:
        found = check_boxes(given, name=name) / scale
    elif rgb.shape[:2] == IMAGE_SHAPE[:2]:
        return whole_box(pixels), [whole_face(rgb, size)]
    else:
        found = check_boxes(detector(rgb), name=name)
        if len(found) == 1 and fills_picture(found[0], rgb.shape[:2], margin):
            return whole_box(pixels), [whole_face(rgb, size)]
    _check_places(found, rgb.shape[:2], margin, scale, name=name)
    return found * scale, [cut_face(rgb, box, size, margin=margin) for box in found]


def whole_box(pixels: Pixels) -> NDArray[np.float64]:
    """Return the box (1, 4) of all of a photograph."""
    return np.array([[0, 0, pixels.width, pixels.height]], np.float64)


def check_boxes(boxes: ArrayLike, *, name: str) -> NDArray[np.float64]:
    """Return boxes as floats (n, 4); none at all may have any shape."""
    try:
        array = np.asarray(boxes)
    except ValueError as error:  # rows of different lengths
        raise InvalidInputError(
            f"{name} must be numbers of shape (n, 4): left, top, width, height; "
            f"received {shown(boxes)}"
        ) from error
    if not array.size:
        return np.empty((0, _BOX_LENGTH))
    if array.ndim != 2 or array.shape[1] != _BOX_LENGTH or array.dtype.kind not in "iuf":  # noqa: PLR2004 - rows and columns
        raise InvalidInputError(
            f"{name} must be numbers of shape (n, 4): left, top, width, height; "
            f"received {array.dtype} of shape {array.shape}"
        )
    result = array.astype(np.float64)
    if not np.isfinite(result).all() or (result[:, 2:] <= 0).any():
        raise InvalidInputError(
            f"{name} must be finite, with a positive width and height; received "
            f"{result[~(np.isfinite(result).all(axis=1) & (result[:, 2:] > 0).all(axis=1))][0]}"
        )
    return result


def check_margin(margin: Any) -> None:
    """Raise InvalidInputError for a margin that leaves nothing of a box, or is no number."""
    if margin is None:
        return
    if not (is_number(margin) and _LEAST_MARGIN < margin < math.inf):
        raise InvalidInputError(
            f"margin must be a number above {_LEAST_MARGIN}; received {shown(margin)}"
        )


def _check_places(
    boxes: NDArray[np.float64],
    shape: tuple[int, int],
    margin: float | None,
    scale: NDArray[np.float64],
    *,
    name: str,
) -> None:
    """Refuse boxes off the photograph, which has shape (height, width), or far larger than it."""
    height, width = shape
    for box in boxes:
        left, top, side = face_square(box, margin)
        is_off = left >= width or top >= height or left + side <= 0 or top + side <= 0
        if is_off or side > _LARGEST_SQUARE * max(shape):
            across, down = np.rint(scale[:2] * (width, height)).astype(int)
            raise InvalidInputError(
                f"{name} must lie on the photograph of {across}x{down} pixels, and with the "
                f"margin be at most {_LARGEST_SQUARE} times as large; "
                f"received {(box * scale).tolist()}"
            )
