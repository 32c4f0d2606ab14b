"""The faces of a photograph: where they are, and cut out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.faces._crops import cut_face, fills_picture, whole_face

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit.faces._analysis import Detector
    from fer2013kit.faces._photos import Pixels

    Crops = list[NDArray[np.uint8]]

_BOX_LENGTH: Final = 4


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
    if given is not None:
        found = check_boxes(given, name="boxes") / scale
    elif rgb.shape[:2] == IMAGE_SHAPE[:2]:
        return whole_box(pixels), [whole_face(rgb, size)]
    else:
        found = check_boxes(detector(rgb), name="the detector's boxes")
        if len(found) == 1 and fills_picture(found[0], rgb.shape[:2], margin):
            return whole_box(pixels), [whole_face(rgb, size)]
    return found * scale, [cut_face(rgb, box, size, margin=margin) for box in found]


def whole_box(pixels: Pixels) -> NDArray[np.float64]:
    """Return the box (1, 4) of all of a photograph."""
    return np.array([[0, 0, pixels.width, pixels.height]], np.float64)


def check_boxes(boxes: ArrayLike, *, name: str) -> NDArray[np.float64]:
    """Return boxes as floats (n, 4); none at all may have any shape."""
    array = np.asarray(boxes)
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
