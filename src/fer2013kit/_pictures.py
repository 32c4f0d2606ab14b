"""Pillow pictures of any mode and size -> grey uint8 arrays, the one way for all of the kit.

Readers and transforms share these functions, so that a picture gives the same pixels whether it
is trained on or predicted from.  Pillow is imported when a function runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from fer2013kit._checks import check_choice
from fer2013kit.emotions import IMAGE_SHAPE, MAX_LEVEL
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.typing import Aspect

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image


MAX_CHANNELS: Final = 4  # red, green, blue, alpha
MAX_16_BIT: Final = 65535
_LEVELS_PER_LEVEL: Final = MAX_16_BIT // MAX_LEVEL
"""65535 / 255 = 257 without remainder: white stays white, black stays black."""


def picture_to_gray(picture: Image.Image) -> NDArray[np.uint8]:
    """Return a picture as grey levels, as a person sees it in a viewer.

    The orientation tag (EXIF or XMP) is obeyed; colour becomes luma by ITU-R 601, Pillow's mode
    ``"L"``; what is transparent shows white; 16 bits are scaled to 8, not clipped.

    Parameters
    ----------
    picture : PIL.Image.Image
        Of any mode except LAB.  Of an animation, the current frame is taken.

        Mode ``"I"`` does not say how many bits it holds: values up to 65535 are taken for 16 bits,
        unless none exceeds 255.  Mode ``"F"`` is read by :func:`levels_from_float`.

    Returns
    -------
    ndarray of uint8, shape (height, width)
        Grey levels.

    Raises
    ------
    InvalidInputError
        For a mode that Pillow cannot turn to grey, NaN, or numbers outside the ranges above.
    OSError
        From Pillow, for a picture whose file is broken (Pillow decodes late).
    """
    from PIL import ImageOps

    picture = ImageOps.exif_transpose(picture)
    gray = _numbers_to_gray(picture)
    return np.array(_on_white(picture, "L")) if gray is None else gray


def picture_to_rgb(picture: Image.Image) -> NDArray[np.uint8]:
    """Return a picture in colour, as it is stored: the orientation tag is left to the caller.

    Otherwise as :func:`picture_to_gray`; grey pictures have three equal channels, whose luma is
    the grey level itself.

    Parameters
    ----------
    picture : PIL.Image.Image
        Of any mode except LAB.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Red, green, blue.

    Raises
    ------
    InvalidInputError
        As :func:`picture_to_gray`.
    OSError
        From Pillow, for a picture whose file is broken.
    """
    gray = _numbers_to_gray(picture)
    if gray is not None:
        return np.repeat(gray[..., None], 3, axis=-1)
    return np.array(_on_white(picture, "RGB"))


def _numbers_to_gray(picture: Image.Image) -> NDArray[np.uint8] | None:
    """Return the grey levels of a picture of 16 or 32 bits, and None for one of bytes."""
    if picture.mode.startswith("I;16"):
        return levels_from_16_bit(np.asarray(picture))
    if picture.mode == "I":
        return _levels_from_32_bit(np.asarray(picture))
    if picture.mode == "F":
        return levels_from_float(np.asarray(picture))
    return None


def _on_white(picture: Image.Image, mode: Literal["L", "RGB"]) -> Image.Image:
    """Return a picture of whole bytes in another mode, white where it is transparent."""
    from PIL import Image

    if picture.has_transparency_data:
        if picture.mode == "La":  # premultiplied grey converts to nothing else
            picture = picture.convert("LA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    try:
        return picture.convert(mode)
    except ValueError as error:
        raise InvalidInputError(
            f"a picture of mode {picture.mode!r} cannot be turned to grey or colour; "
            "save it as RGB or grey first"
        ) from error


def levels_from_16_bit(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return 16-bit numbers as the nearest of the 256 grey levels: 65535 becomes 255."""
    half = _LEVELS_PER_LEVEL // 2
    return ((values.astype(np.uint32) + half) // _LEVELS_PER_LEVEL).astype(np.uint8)


def levels_from_float(values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return floats as grey levels: as fractions of white if none exceeds 1, else as 0 to 255.

    Raises
    ------
    InvalidInputError
        For NaN, infinity, or a number outside [0, 255].
    """
    if not values.size:
        return values.astype(np.uint8)
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= MAX_LEVEL):  # NaN fails here too
        raise InvalidInputError(
            f"a picture of floats must be in [0, 1] or [0, 255]; received {low} to {high}"
        )
    levels: NDArray[np.uint8] = np.rint(values * MAX_LEVEL if high <= 1 else values).astype(
        np.uint8
    )
    return levels


def _levels_from_32_bit(values: NDArray[np.int32]) -> NDArray[np.uint8]:
    low, high = values.min(initial=0), values.max(initial=0)
    if low < 0 or high > MAX_16_BIT:
        raise InvalidInputError(
            f"a picture of integers must be in [0, 255] or [0, 65535]; received {low} to {high}"
        )
    if high <= MAX_LEVEL:
        return values.astype(np.uint8)
    return levels_from_16_bit(values.astype(np.uint16))


def resize_gray(
    gray: NDArray[np.uint8],
    *,
    size: tuple[int, int] = (IMAGE_SHAPE[0], IMAGE_SHAPE[1]),
    aspect: Aspect = "crop",
) -> NDArray[np.uint8]:
    """Return one grey picture at another size, antialiased (triangle filter, as in Pillow).

    Parameters
    ----------
    gray : ndarray of uint8, shape (height, width)
        Grey levels.
    size : tuple of int
        Height and width that are wanted.
    aspect : {"crop", "stretch", "pad"}
        What becomes of another aspect ratio: ``"crop"`` cuts the longer side about the centre,
        ``"stretch"`` keeps everything and distorts it, ``"pad"`` keeps everything and adds black.

    Returns
    -------
    ndarray of uint8, shape (height, width)
        The picture; the same array where it has the size already.

    Raises
    ------
    InvalidInputError
        For a picture without pixels or an unknown `aspect`.
    """
    from PIL import Image

    check_choice("aspect", aspect, Aspect)
    if not gray.size:
        raise InvalidInputError(f"a picture must have pixels; received shape {gray.shape}")
    if gray.shape == size:
        return gray
    (height, width), (new_height, new_width) = gray.shape, size
    picture = Image.fromarray(gray)
    if aspect == "pad":
        scale = min(new_height / height, new_width / width)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        canvas = Image.new("L", (new_width, new_height))
        corner = (new_width - inner[0]) // 2, (new_height - inner[1]) // 2
        canvas.paste(picture.resize(inner, Image.Resampling.BILINEAR), corner)
        return np.array(canvas)
    box = (0.0, 0.0, float(width), float(height))
    if aspect == "crop":
        scale = max(new_height / height, new_width / width)
        across, down = (width - new_width / scale) / 2, (height - new_height / scale) / 2
        box = (max(0.0, across), max(0.0, down), width - max(0.0, across), height - max(0.0, down))
    return np.array(picture.resize((new_width, new_height), Image.Resampling.BILINEAR, box=box))
