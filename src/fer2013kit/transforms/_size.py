"""Pictures of other sizes, and any picture to a face of FER-2013."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._pictures import (
    MAX_CHANNELS,
    levels_from_float,
    picture_to_gray,
    resize_gray,
)
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.transforms._color import to_grayscale
from fer2013kit.transforms._layout import as_batch

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from PIL import Image

    from fer2013kit.typing import Aspect


def resize(
    images: ArrayLike, size: tuple[int, int] = (IMAGE_SHAPE[0], IMAGE_SHAPE[1])
) -> NDArray[Any]:
    """Stretch pictures to another size, antialiased.

    Parameters
    ----------
    images : array_like
        One picture or a batch, of 1 to 4 channels; uint8, uint16 or floats.
    size : tuple of int
        Height and width that are wanted.

    Returns
    -------
    ndarray, shape (..., height, width) or (..., height, width, channels)
        Of the same type.  No number leaves the range of its picture: the filter neither
        overshoots nor rings.  Pictures that have the size already are returned as they are.

    Raises
    ------
    InvalidInputError
        For another shape or type, NaN, or a size that is not two positive whole numbers.

    See Also
    --------
    to_face : One picture of any kind and size, with its proportions kept.

    Notes
    -----
    Pillow's triangle filter (``BILINEAR``), whose support grows when it makes pictures smaller.
    Floats are worked out in single precision.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=70, random_state=0)
    >>> fk.resize(data.train.images, (24, 32)).shape[1:]
    (24, 32, 1)
    """
    from PIL import Image

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
        result = np.asarray(
            Image.fromarray(source).resize((width, height), Image.Resampling.BILINEAR)
        )
        # Single precision may pass the range by its last digit.
        result = result if plane.dtype == np.uint8 else result.clip(plane.min(), plane.max())
        out[...] = np.rint(result) if plane.dtype == np.uint16 else result
    resized = resized.reshape(n_samples, channels, height, width)
    return batch.restore(np.ascontiguousarray(np.moveaxis(resized, 1, -1)))


def _check_size(size: tuple[int, int]) -> tuple[int, int]:
    try:
        height, width = (int(length) for length in size)
        valid = (height, width) == tuple(size) and min(height, width) > 0
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise InvalidInputError(
            f"size must be (height, width), two positive whole numbers; received {size!r}"
        )
    return height, width


def to_face(image: ArrayLike | Image.Image, *, aspect: Aspect = "crop") -> NDArray[np.uint8]:
    """Turn one picture of any size and kind into a picture like those of FER-2013.

    The face should fill the picture, as it does in FER-2013: no face is looked for.

    Parameters
    ----------
    image : PIL.Image.Image or array_like
        A Pillow picture of any mode (its orientation tag is obeyed, its palette looked up), or
        an array of shape ``(height, width)`` or ``(height, width, channels)`` with the channels
        of :func:`to_grayscale`: uint8; uint16, of which 65535 is white; floats, in [0, 1] if no
        one exceeds 1, else in [0, 255].
    aspect : {"crop", "stretch", "pad"}, default "crop"
        What becomes of a picture that is not square: ``"crop"`` cuts its longer side about the
        centre, ``"stretch"`` keeps everything and distorts it, ``"pad"`` keeps everything and
        adds black, which networks have rarely seen.

    Returns
    -------
    ndarray of uint8, shape (48, 48, 1)
        Grey levels in [0, 255].

    Raises
    ------
    InvalidInputError
        For a path, a batch, another shape or type, numbers out of range, NaN, a picture whose
        file is broken, or an unknown `aspect`.

    See Also
    --------
    to_grayscale, resize : The same for batches, step by step.

    Examples
    --------
    >>> from PIL import Image
    >>> import fer2013kit as fk
    >>> photo = Image.new("RGBA", (640, 480), "orange")
    >>> face = fk.to_face(photo)
    >>> face.shape, face.dtype, int(face[0, 0, 0])
    ((48, 48, 1), dtype('uint8'), 173)
    """
    from PIL import Image

    if isinstance(image, Image.Image):
        try:
            gray = picture_to_gray(image)
        except (OSError, SyntaxError) as error:  # Pillow decodes late, and says either
            raise InvalidInputError(f"the picture cannot be decoded: {error}") from error
        return resize_gray(gray, aspect=aspect)[..., None]
    array = np.asarray(image)
    if array.dtype.kind in "USO":
        raise InvalidInputError(
            "image must be a picture or an array of numbers; received "
            f"{type(image).__name__}; open a file with PIL.Image.open(path) first"
        )
    if array.ndim == 2:  # noqa: PLR2004 - height and width
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] > MAX_CHANNELS:  # noqa: PLR2004 - with channels
        raise InvalidInputError(
            "image must be one picture of shape (height, width) or (height, width, channels); "
            f"received {array.shape}; turn batches with to_grayscale and resize"
        )
    levels = to_grayscale(array)[..., 0]
    if levels.dtype.kind == "f":
        levels = levels_from_float(levels)
    return resize_gray(levels, aspect=aspect)[..., None]
