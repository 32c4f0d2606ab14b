"""Pixels of any mode, type and size -> grey uint8 arrays, the one way for all of the kit.

Readers, transforms and photographs share these functions, so that an image gives the same pixels
whether it is trained on or predicted from.  Pillow is imported when a function runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from fer2013kit._checks import check_choice, no_numbers
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

_ORIENTATION: Final = 0x0112  # the tag's number in EXIF
SIDEWAYS: Final = frozenset({5, 6, 7, 8})
"""Values of the orientation tag with which an image is stored lying: width and height change."""

_16_BIT_FORMATS: Final = frozenset({"PNG", "PPM", "JPEG2000"})
"""Of files in these formats, Pillow's mode "I" holds numbers that it scaled to 16 bits."""


def picture_to_gray(picture: Image.Image) -> NDArray[np.uint8]:
    """Return an image as grey levels, as a person sees it in a viewer: upright, on white.

    Colour becomes luma by ITU-R 601, Pillow's mode ``"L"``; else as :func:`picture_to_levels`.
    """
    levels = picture_to_levels(picture, "L")  # first: Pillow reads some files' tags while decoding
    return turn_upright(levels, orientation_of(picture))


def picture_to_levels(picture: Image.Image, mode: Literal["L", "RGB"]) -> NDArray[np.uint8]:
    """Return an image in grey or colour, levels in [0, 255] as it is stored: not turned upright.

    What is transparent shows white; 16 bits are scaled to 8, not clipped; of an animation, the
    current frame is taken.  Mode ``"I"`` does not say how many bits it holds: 16 where it comes
    from a file of a format that has them, else it is taken as an array of int32.  Mode ``"F"``
    holds levels in [0, 255], as Pillow converts it; where none exceeds 1, fractions are more
    likely.

    Raises
    ------
    InvalidInputError
        For a mode that Pillow cannot turn to grey, as LAB, mode ``"F"`` in [0, 1], and as
        :func:`levels_of`.
    OSError
        From Pillow, for an image whose file is broken (Pillow decodes late).
    """
    if picture.mode[0] not in "IF":
        return np.array(_on_white(picture, mode))
    numbers = np.asarray(picture)
    if picture.mode == "I" and picture.format in _16_BIT_FORMATS and numbers.min(initial=0) >= 0:
        numbers = numbers.astype(np.uint16)
    if isinstance(clear := picture.info.get("transparency"), int):  # of a PNG, one of its levels
        numbers = np.where(numbers == clear, np.uint16(MAX_16_BIT), numbers)
    if picture.mode == "F" and 0 < numbers.max(initial=0) <= 1:
        raise InvalidInputError(
            "an image of mode 'F' must have levels in [0, 255], and this one has none above 1; "
            "pass the array, numpy.asarray(image), whose floats are in [0, 1]"
        )
    gray = levels_of(numbers, "an image", value_range=(0, MAX_LEVEL))
    return gray if mode == "L" else np.repeat(gray[..., None], 3, axis=-1)


def _on_white(picture: Image.Image, mode: Literal["L", "RGB"]) -> Image.Image:
    """Return an image of whole bytes in another mode, white where it is transparent."""
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
            f"an image of mode {picture.mode!r} cannot be turned to grey or colour; "
            "save it as RGB or grey first"
        ) from error


def orientation_of(picture: Image.Image) -> Any:
    """Return the orientation tag of an image (from EXIF or XMP), 1 where it has none."""
    return picture.getexif().get(_ORIENTATION, 1)


def turn_upright(pixels: NDArray[np.uint8], orientation: Any) -> NDArray[np.uint8]:
    """Turn and mirror pixels as the orientation tag says, 1 to 8; any other value is none."""
    if orientation in SIDEWAYS:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def check_pixels(array: NDArray[Any], name: str = "images") -> NDArray[Any]:
    """Return numbers as uint8, uint16 or finite floats: the types that say what white is.

    Raises
    ------
    InvalidInputError
        For what are no numbers, as True and False, NaN, infinity, or whole numbers outside
        [0, 255], which all but uint16 have to be in.
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:  # noqa: PLR2004 - bytes, in any order
        return array.astype(np.uint16, copy=False)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise InvalidInputError(f"{name} must be finite; received NaN or infinity")
        return array
    if array.dtype.kind not in "iu":
        raise no_numbers(array, name)
    if array.size and (array.min() < 0 or array.max() > MAX_LEVEL):
        raise InvalidInputError(
            f"{name} of dtype {array.dtype} must be in [0, 255]; received {array.min()} to "
            f"{array.max()}; pass 16-bit images as uint16"
        )
    return array.astype(np.uint8)


def levels_of(
    array: NDArray[Any], name: str, *, value_range: tuple[float, float] = (0.0, 1.0)
) -> NDArray[np.uint8]:
    """Return numbers as levels in [0, 255]; their type says what white is, never their values.

    It is 65535 for uint16, 255 for other whole numbers; ``value_range`` is what black and white are
    for floats, the one or the other first.

    Raises
    ------
    InvalidInputError
        As :func:`check_pixels`, and for floats outside their range.
    """
    array = check_pixels(array, name)
    if array.dtype == np.uint16:
        return levels_from_16_bit(array)
    if array.dtype.kind != "f":
        return array
    black, white = value_range
    low, high = min(value_range), max(value_range)
    if array.size and (array.min() < low or array.max() > high):
        raise InvalidInputError(
            f"{name} of floats must be in [{low:g}, {high:g}]; received {array.min():g} to "
            f"{array.max():g}; divide it by what white is, or make grey levels in [0, 255] whole "
            "with .astype('uint8')"
        )
    if value_range != (0, 1):
        array = (array - black) / (white - black)
    return np.rint(array * MAX_LEVEL).astype(np.uint8)


def levels_from_16_bit(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return 16-bit numbers as the nearest of the 256 grey levels: 65535 becomes 255."""
    half = _LEVELS_PER_LEVEL // 2
    return ((values.astype(np.uint32) + half) // _LEVELS_PER_LEVEL).astype(np.uint8)


def resize_gray(
    gray: NDArray[np.uint8],
    *,
    size: tuple[int, int] = (IMAGE_SHAPE[0], IMAGE_SHAPE[1]),
    aspect: Aspect = "crop",
) -> NDArray[np.uint8]:
    """Return one grey image at another size, antialiased; the same array where it has that.

    Of another aspect ratio, ``"crop"`` cuts the longer side about the centre, ``"stretch"`` keeps
    everything and distorts it, ``"pad"`` keeps everything and adds black.

    Raises
    ------
    InvalidInputError
        For an image without pixels or an unknown `aspect`.
    """
    check_choice("aspect", aspect, Aspect)
    if not gray.size:
        raise InvalidInputError(f"an image must have pixels; received shape {gray.shape}")
    if gray.shape == size:
        return gray
    (height, width), (new_height, new_width) = gray.shape, size
    if aspect == "pad":
        scale = min(new_height / height, new_width / width)
        inner = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = (new_height - inner[0]) // 2, (new_width - inner[1]) // 2
        canvas = np.zeros(size, np.uint8)
        canvas[top : top + inner[0], left : left + inner[1]] = resample(gray, inner)
        return canvas
    if aspect == "stretch":
        return resample(gray, size)
    scale = max(new_height / height, new_width / width)
    across = max(0.0, (width - new_width / scale) / 2)
    down = max(0.0, (height - new_height / scale) / 2)
    return resample(gray, size, (across, down, width - across, height - down))


def resample(
    plane: NDArray[Any],
    size: tuple[int, int],
    window: tuple[float, float, float, float] | None = None,
) -> NDArray[Any]:
    """Return one plane of numbers at another size: the one filter with which faces are resized.

    Pillow's ``LANCZOS``, whose support grows when it makes images smaller.  Of Pillow's filters
    it changes the fewest answers, or nearly so: see recipes/photographs/filters.py.  No number
    leaves the range of the plane, though the filter overshoots.  The window, by default everything,
    is left, top, right and bottom of what is taken.
    """
    from PIL import Image

    picture = Image.fromarray(plane).resize(size[::-1], Image.Resampling.LANCZOS, box=window)
    resized: NDArray[Any] = np.asarray(picture).clip(plane.min(), plane.max())
    return resized
