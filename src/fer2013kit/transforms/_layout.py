"""The shapes and types that transforms take, brought to one layout and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import as_array
from fer2013kit._pictures import MAX_CHANNELS, check_pixels
from fer2013kit.emotions import IMAGE_SHAPE, IMAGE_SIZE
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, DTypeLike, NDArray

# Intermediate arrays are many times the size of the images, so that these are worked on in
# turns; so many fit in a processor's cache (fastest of 2**13 to 2**20 when measured).
_CHUNK_PIXELS: Final = 2**17


@dataclass(frozen=True)
class Batch:
    """Images in the layout of a batch, with what is needed to give the caller's layout back.

    Attributes
    ----------
    pictures : ndarray, shape (n, height, width, channels)
        uint8, uint16 or finite floats.
    is_single : bool
        The caller has one image.
    has_channel_axis : bool
        The caller has an axis of channels.
    """

    pictures: NDArray[Any]
    is_single: bool
    has_channel_axis: bool

    def restore(self, pictures: NDArray[Any]) -> NDArray[Any]:
        """Return images of ``(n, height, width, channels)`` in the caller's layout."""
        if not self.has_channel_axis and pictures.shape[-1] == 1:
            pictures = pictures[..., 0]
        return pictures[0] if self.is_single else pictures


def as_batch(images: ArrayLike, *, channels: tuple[int, ...] = (1, 2, 3, 4)) -> Batch:
    """Return images in the layout of a batch, from one of the four that the package documents.

    Raises
    ------
    InvalidInputError
        For other shapes, types or numbers, or another number of channels than is allowed.
    """
    array = as_array(images, "images")
    height, width, _ = IMAGE_SHAPE
    if array.ndim == 2 and array.shape[1] == IMAGE_SIZE:  # noqa: PLR2004 - two axes
        raise InvalidInputError(
            f"an array of shape {array.shape} may be flat images or a single wide one; pass "
            f"flat images as images.reshape(-1, {height}, {width}), one image as image[None]"
        )
    has_channel_axis = array.ndim == 4 or (array.ndim == 3 and array.shape[2] <= MAX_CHANNELS)  # noqa: PLR2004 - numbers of axes
    spatial = array.ndim - has_channel_axis
    if spatial not in {2, 3} or 0 in array.shape[spatial - 2 :]:
        raise InvalidInputError(
            "images must have shape (height, width), (height, width, channels), "
            "(n, height, width) or (n, height, width, channels), with pixels; "
            f"received {array.shape}"
        )
    is_single = spatial == 2  # noqa: PLR2004 - height and width alone
    batch = array if has_channel_axis else array[..., None]
    batch = batch[None] if is_single else batch
    if batch.shape[-1] not in channels:
        raise InvalidInputError(
            f"images must have {' or '.join(map(str, channels))} channels; received "
            f"{batch.shape[-1]} (shape {array.shape})"
            + ("; turn colour to grey with to_grayscale first" if channels == (1,) else "")
        )
    return Batch(check_pixels(batch), is_single, has_channel_axis)


def in_chunks(
    function: Callable[[NDArray[Any]], NDArray[Any]], pictures: NDArray[Any], dtype: DTypeLike
) -> NDArray[Any]:
    """Return ``function(pictures)``, worked out for some images at a time.

    The function keeps the shape and takes each image for itself.
    """
    result = np.empty(pictures.shape, dtype)
    step = max(1, _CHUNK_PIXELS // max(1, int(np.prod(pictures.shape[1:]))))
    for start in range(0, len(pictures), step):
        result[start : start + step] = function(pictures[start : start + step])
    return result
