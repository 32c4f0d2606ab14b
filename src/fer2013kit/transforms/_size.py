"""Images of other sizes, and any image to a face of FER-2013."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import as_array, check_whole
from fer2013kit._picture_files import PictureError, check_opened, picture_errors
from fer2013kit._pictures import (
    MAX_CHANNELS,
    levels_of,
    picture_to_gray,
    resample,
    resize_gray,
)
from fer2013kit.emotions import IMAGE_SHAPE, IMAGE_SIZE, MAX_LEVEL
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.transforms._color import to_grayscale
from fer2013kit.transforms._layout import as_batch
from fer2013kit.transforms._range import check_range

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from PIL import Image

    from fer2013kit.typing import Aspect

_LONGEST_SIDE: Final = 2**16

_SIGNS: Final = re.compile(r"[][(),;]|(?<=\d)\.0*(?![\d.])")
"""Between the numbers of a list, and behind those of a column of floats."""


def resize(
    images: ArrayLike, size: tuple[int, int] = (IMAGE_SHAPE[0], IMAGE_SHAPE[1])
) -> NDArray[Any]:
    """Stretch images to another size, antialiased.

    Parameters
    ----------
    images : array_like
        One image or a batch, of 1 to 4 channels; uint8, uint16 or floats.
    size : tuple of int, default (48, 48)
        The new height and width.

    Returns
    -------
    ndarray, shape (..., height, width) or (..., height, width, channels)
        Of the same type.  Values stay within the range of their image.  Images that have the
        size already are returned as they are.

    Raises
    ------
    InvalidInputError
        For another shape or type, NaN, or a size that is not two positive whole numbers.

    See Also
    --------
    to_face : One picture of any kind and size, with its proportions kept.

    Notes
    -----
    Pillow's ``LANCZOS``, whose support grows when it makes images smaller: the filter of
    :func:`to_face` and of :func:`analyze_photo`, which say why.  Floats are worked out in single
    precision.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=70, random_state=0)
    >>> fk.resize(data.train.images, (24, 32)).shape[1:]
    (24, 32, 1)
    """
    height, width = _check_size(size)
    batch = as_batch(images)
    pictures = batch.pictures
    n_samples, old_height, old_width, channels = pictures.shape
    if (old_height, old_width) == (height, width):
        return batch.restore(pictures)
    planes = np.moveaxis(pictures, -1, 1).reshape(n_samples * channels, old_height, old_width)
    resized = np.empty((len(planes), height, width), pictures.dtype)
    for plane, out in zip(planes, resized, strict=True):
        source = plane if plane.dtype == np.uint8 else plane.astype(np.float32)
        result = resample(source, (height, width))
        # Single precision may pass the range of double by its last digit.
        result = np.rint(result) if plane.dtype == np.uint16 else result
        out[...] = result.clip(plane.min(), plane.max())
    resized = resized.reshape(n_samples, channels, height, width)
    return batch.restore(np.ascontiguousarray(np.moveaxis(resized, 1, -1)))


def _check_size(size: tuple[int, int]) -> tuple[int, int]:
    try:
        height, width = size
        return (
            check_whole("height", height, most=_LONGEST_SIDE),
            check_whole("width", width, most=_LONGEST_SIDE),
        )
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"size must be (height, width), two whole numbers from 1 to {_LONGEST_SIDE}; "
            f"received {shown(size)}"
        ) from error


def to_face(
    image: ArrayLike | Image.Image,
    *,
    aspect: Aspect = "crop",
    value_range: tuple[float, float] = (0.0, 1.0),
) -> NDArray[np.uint8]:
    """Turn one image of any size and kind into an image like those of FER-2013.

    The face should fill the image, as it does in FER-2013; no face is searched for.

    Parameters
    ----------
    image : PIL.Image.Image, array_like or str
        A Pillow image of any mode (its orientation tag is applied, its palette resolved); an
        array of shape ``(height, width)`` or ``(height, width, channels)`` with the channels of
        :func:`to_grayscale`: uint8; uint16, of which 65535 is white; floats in `value_range`; or
        the ``pixels`` of a row of ``fer2013.csv``: the grey levels of a square, as text.
    aspect : {"crop", "stretch", "pad"}, default "crop"
        What becomes of an image that is not square: ``"crop"`` cuts its longer side about the
        centre, ``"stretch"`` keeps everything and distorts it, ``"pad"`` keeps everything and
        adds black, which networks have rarely seen.
    value_range : tuple of float, default (0.0, 1.0)
        What black and white are in an array of floats, whatever its values are.

    Returns
    -------
    ndarray of uint8, shape (48, 48, 1)
        Grey levels in [0, 255].

    Raises
    ------
    InvalidInputError
        For a path, a batch, another shape or type, numbers out of range, NaN, an image whose
        file is broken, or an unknown `aspect`.

    See Also
    --------
    to_grayscale, resize : The same for batches, step by step.

    Notes
    -----
    The pixels are those that :func:`analyze_photo` gives its classifier for the same square of a
    photograph.

    Examples
    --------
    >>> from PIL import Image
    >>> import fer2013kit as fk
    >>> photo = Image.new("RGBA", (640, 480), "orange")
    >>> face = fk.to_face(photo)
    >>> face.shape, face.dtype, int(face[0, 0, 0])
    ((48, 48, 1), dtype('uint8'), 173)

    A column of such text, say of a data frame, becomes images row by row:

    >>> import numpy as np
    >>> pixels = [" ".join(["51"] * 2304), " ".join(["255"] * 2304)]
    >>> np.stack([fk.to_face(text) for text in pixels])[:, 0, 0, 0]
    array([ 51, 255], dtype=uint8)
    """
    from PIL import Image

    if isinstance(image, Image.Image):
        try:
            check_opened(image)
            with picture_errors():
                gray = picture_to_gray(image)
        except PictureError as error:
            raise InvalidInputError(str(error)) from error
        return resize_gray(gray, aspect=aspect)[..., None]
    array = _square_of(image) if isinstance(image, str) else as_array(image, "image")
    if array.dtype.kind in "USO":
        raise InvalidInputError(
            f"image must be an image or an array of numbers; received {type(image).__name__}; "
            "open a file with PIL.Image.open(path) first, and turn a column of pixel texts with "
            "np.stack([to_face(text) for text in column])"
        )
    if array.ndim == 2:  # noqa: PLR2004 - height and width
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] > MAX_CHANNELS:  # noqa: PLR2004 - with channels
        raise InvalidInputError(
            "image must be one image of shape (height, width) or (height, width, channels); "
            f"received {array.shape}; turn batches with to_grayscale and resize"
        )
    value_range = check_range(value_range, "value_range")
    levels = levels_of(array, "image", value_range=value_range)
    return resize_gray(to_grayscale(levels)[..., 0], aspect=aspect)[..., None]


def _square_of(text: str) -> NDArray[Any]:
    """Return the square image whose grey levels stand in a text, as in ``fer2013.csv``.

    They may also be a list, as pandas and JSON write it, or floats.
    """
    pixels = _SIGNS.sub(" ", text).split()
    if not pixels or not all(pixel.isascii() and pixel.isdigit() for pixel in pixels):
        raise InvalidInputError(
            f"image is a text that holds no grey levels: {shown(text)}; "
            "open a file with PIL.Image.open(path) first"
        )
    side = math.isqrt(len(pixels))
    if side * side != len(pixels) or max(map(len, pixels)) > len(str(MAX_LEVEL)):
        raise InvalidInputError(
            f"a text of grey levels must be those of a square, such as {IMAGE_SIZE} of 48x48, in "
            f"[0, 255]; received {len(pixels)}: {shown(text)}"
        )
    return np.array(pixels, np.int64).reshape(side, side)
