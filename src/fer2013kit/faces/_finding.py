"""The faces of a photograph: where they are, and cut out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeGuard

import numpy as np

from fer2013kit._checks import check_number
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.faces._alignment import quarter_turns, upright_face
from fer2013kit.faces._crops import cut_face, face_square, fills_picture, whole_face
from fer2013kit.faces._detector import FaceDetector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit.faces._photos import Pixels
    from fer2013kit.typing import Aspect, Detector

_BOX_LENGTH: Final = 4
_LENGTHS: Final = (_BOX_LENGTH, _BOX_LENGTH + 10)
_SHAPES: Final = (
    "shape (n, 4): left, top, width, height; or (n, 14), with across and down of five points"
)
_LEAST_SIDE: Final = 1  # all of a photograph, in shares of it
_LEAST_MARGIN: Final = -0.5  # nothing is left of the box
_LARGEST_SQUARE: Final = 2
"""In longer sides of the photograph: what is cut is held in memory, its padding included."""


class FoundFace(NamedTuple):
    """A face of a photograph: its box (4,), the face cut out, and where its points (5, 2) are.

    With the answer for the crop, those for the views are averaged.
    """

    box: NDArray[np.float64]
    crop: NDArray[np.uint8]
    landmarks: NDArray[np.float64] | None = None
    views: tuple[NDArray[np.uint8], ...] = ()


def find_faces(
    pixels: Pixels,
    given: ArrayLike | None,
    detector: Detector,
    margin: float | None,
    size: tuple[int, int],
    *,
    align: bool,
) -> list[FoundFace]:
    """Return the faces of a photograph, in its own pixels, cut out of it."""
    rgb = pixels.rgb
    name = "the detector's boxes" if given is None else "boxes"
    across, down = pixels.scale
    scale = np.array([across, down] * 2)
    if given is not None:
        found = check_boxes(given, name=name)
        found /= np.resize([across, down], found.shape[1])
    elif rgb.shape[:2] == IMAGE_SHAPE[:2]:
        return [whole_photo(pixels, size)]
    else:
        found = check_boxes(_locate(detector, rgb), name=name)
    boxes, points = found[:, :_BOX_LENGTH], _points_of(found)
    _check_places(boxes, rgb.shape[:2], margin, scale, name=name)
    if given is None and len(found) == 1 and fills_picture(boxes[0], rgb.shape[:2], margin):
        turns = quarter_turns(points[0]) if align and points[0] is not None else 0
        face = whole_photo(pixels, size, turns=turns)
        return [face._replace(landmarks=_scaled(points[0], pixels))]
    faces = []
    for box, one in zip(boxes, points, strict=True):
        crop, *views = (
            [cut_face(rgb, box, size, margin=margin)]
            if one is None or not align
            else upright_face(rgb, box, one, size, margin=margin)
        )
        faces.append(FoundFace(box * scale, crop, _scaled(one, pixels), tuple(views)))
    return faces


def _locate(detector: Detector, rgb: NDArray[np.uint8]) -> ArrayLike:
    """Return boxes, of the kit's own detector with points, unless a subclass calls otherwise.

    Others get a copy: one that draws its boxes would change the faces that are cut out.
    """
    return detector.locate(rgb) if is_shipped_detector(detector) else detector(rgb.copy())


def is_shipped_detector(detector: Detector) -> TypeGuard[FaceDetector]:
    """Tell whether this is the kit's own, and finds what its class finds."""
    return isinstance(detector, FaceDetector) and type(detector).__call__ is FaceDetector.__call__


def whole_photo(
    pixels: Pixels, size: tuple[int, int], *, aspect: Aspect = "crop", turns: int = 0
) -> FoundFace:
    """Return all of a photograph as a face, after so many quarter turns counter-clockwise."""
    box = np.array([0, 0, pixels.width, pixels.height], np.float64)
    rgb = np.ascontiguousarray(np.rot90(pixels.rgb, turns))
    return FoundFace(box, whole_face(rgb, size, aspect=aspect))


def _points_of(found: NDArray[np.float64]) -> list[NDArray[np.float64] | None]:
    if found.shape[1] == _BOX_LENGTH:
        return [None] * len(found)
    return list(found[:, _BOX_LENGTH:].reshape(len(found), -1, 2))


def _scaled(points: NDArray[np.float64] | None, pixels: Pixels) -> NDArray[np.float64] | None:
    return None if points is None else points * pixels.scale


def check_boxes(boxes: ArrayLike, *, name: str) -> NDArray[np.float64]:
    """Return boxes as floats (n, 4), or (n, 14) with points; none at all may have any shape."""
    try:
        array = np.asarray(boxes)
    except ValueError as error:  # rows of different lengths
        raise InvalidInputError(
            f"{name} must be numbers of {_SHAPES}; received {shown(boxes)}"
        ) from error
    if not array.size:
        return np.empty((0, _BOX_LENGTH))
    if array.ndim != 2 or array.shape[1] not in _LENGTHS or array.dtype.kind not in "iuf":  # noqa: PLR2004 - rows and columns
        are_numbers = array.dtype.kind in "iufb"
        received = f"{array.dtype} of shape {array.shape}" if are_numbers else shown(boxes)
        raise InvalidInputError(f"{name} must be numbers of {_SHAPES}; received {received}")
    result = array.astype(np.float64)
    usable = np.isfinite(result).all(axis=1) & (result[:, 2:4] > 0).all(axis=1)
    if not usable.all():
        raise InvalidInputError(
            f"{name} must be finite, with a positive width and height; received "
            f"{result[~usable][0]}"
        )
    if small := result[(result[:, 2:4] <= _LEAST_SIDE).any(axis=1)].tolist():
        raise InvalidInputError(
            f"{name} must be in pixels, more than {_LEAST_SIDE} wide and high (multiply shares of "
            f"the photograph by its width and height); received {small[0]}"
        )
    return result


def check_margin(margin: Any) -> None:
    """Raise InvalidInputError for a margin that leaves nothing of a box, or is no number."""
    if margin is not None:
        check_number("margin", margin, f"({_LEAST_MARGIN}, inf)")


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
