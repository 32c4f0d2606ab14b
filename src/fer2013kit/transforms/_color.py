"""Colour to grey and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._pictures import levels_from_16_bit, picture_to_gray
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.transforms._layout import as_batch

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LUMA_WEIGHTS: Final = (0.299, 0.587, 0.114)
"""Of red, green and blue, ITU-R Recommendation BT.601."""


def to_grayscale(images: ArrayLike) -> NDArray[Any]:
    """Convert colour to grey, as luminance.

    Parameters
    ----------
    images : array_like
        One image or a batch, of 1 (grey), 2 (grey, alpha), 3 (red, green, blue) or 4 channels
        (red, green, blue, alpha).  Channels in OpenCV's order are reversed with
        ``images[..., ::-1]`` first.

        uint8 in [0, 255]; uint16 in [0, 65535]; floats of any range, with alpha in [0, 1].

    Returns
    -------
    ndarray
        The images with one channel, or without an axis of channels where there was none.
        uint8 for whole numbers: 16 bits are scaled to 8, not clipped.  Floats keep their type
        and their range.  Grey uint8 and floats are returned as they are.

    Raises
    ------
    InvalidInputError
        For another shape or type, NaN, or floats with alpha outside [0, 1].

    See Also
    --------
    grayscale_to_rgb : The reverse.

    Notes
    -----
    Luma is ``0.299 R + 0.587 G + 0.114 B`` (ITU-R BT.601); uint8 gives the very numbers of
    Pillow's mode ``"L"``.  Transparent pixels are put on white, as most viewers do.

    Examples
    --------
    >>> import numpy as np
    >>> import fer2013kit as fk
    >>> red_green_blue = np.eye(3, dtype=np.uint8)[None] * 255
    >>> fk.to_grayscale(red_green_blue)[..., 0]
    array([[ 76, 150,  29]], dtype=uint8)
    """
    batch = as_batch(images)
    pictures = batch.pictures
    channels = pictures.shape[-1]
    if pictures.dtype == np.uint16:
        pictures = levels_from_16_bit(pictures)
    if channels == 1:
        return batch.restore(pictures)
    if pictures.dtype.kind == "f":
        return batch.restore(_floats_to_gray(pictures))
    return batch.restore(_levels_to_gray(pictures))


def _levels_to_gray(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    n_samples, height, width, channels = pictures.shape
    if not n_samples:
        return np.empty((0, height, width, 1), np.uint8)
    # Pixels are converted one by one, so the batch may as well be one tall image.
    tall = Image.fromarray(pictures.reshape(n_samples * height, width, channels))
    return picture_to_gray(tall).reshape(n_samples, height, width, 1)


def _floats_to_gray(pictures: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    colors, alpha = pictures, None
    if pictures.shape[-1] % 2 == 0:
        if pictures.size and (pictures.min() < 0 or pictures.max() > 1):
            raise InvalidInputError(
                "floats with alpha must be in [0, 1]; "
                f"received {pictures.min()} to {pictures.max()}"
            )
        colors, alpha = pictures[..., :-1], pictures[..., -1:]
    gray = colors
    if colors.shape[-1] > 1:
        weights = np.array(_LUMA_WEIGHTS, pictures.dtype)
        gray = (colors * weights).sum(axis=-1, keepdims=True, dtype=pictures.dtype)
    return gray if alpha is None else gray * alpha + (1 - alpha)


def grayscale_to_rgb(images: ArrayLike) -> NDArray[Any]:
    """Repeat grey in three equal channels, for networks that expect colour.

    Parameters
    ----------
    images : array_like
        One grey image or a batch, of any range.

    Returns
    -------
    ndarray, shape (height, width, 3) or (n, height, width, 3)
        Of the same type: a new array.

    Raises
    ------
    InvalidInputError
        For more channels than one, another type, or NaN.

    See Also
    --------
    to_grayscale : The reverse.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=70, random_state=0)
    >>> colored = fk.grayscale_to_rgb(data.test.images)
    >>> colored.shape == (len(data.test.images), 48, 48, 3)
    True
    >>> bool((fk.to_grayscale(colored) == data.test.images).all())
    True
    """
    batch = as_batch(images, channels=(1,))
    return batch.restore(np.repeat(batch.pictures, 3, axis=-1))
