"""Photographs of any kind to upright RGB pixels, in bounded memory."""

from __future__ import annotations

import base64
import binascii
import inspect
import io
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._files import as_path
from fer2013kit._picture_files import (
    MAX_BYTES,
    MAX_JPEG_PIXELS,
    MAX_PIXELS,
    PictureError,
    check_opened,
    check_size,
    picture_errors,
    read_picture,
)
from fer2013kit._pictures import (
    MAX_CHANNELS,
    SIDEWAYS,
    levels_of,
    orientation_of,
    picture_to_levels,
    turn_upright,
)
from fer2013kit.exceptions import InvalidInputError, MediaFileError, shown, warn

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from fer2013kit.typing import Photo

MAX_SIDE: Final = 4096
"""Larger photographs are worked on at this size; boxes are told in their own pixels."""

# Modes that Pillow resizes without loss of meaning.
_RESIZABLE: Final = {"L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"}
_JPEGS: Final = {"JPEG", "MPO"}
_DATA_URL: Final = "data:"
_LONGEST_PATH: Final = 4096  # of Linux; longer texts are something else, such as base64


@dataclass(frozen=True)
class Pixels:
    """A photograph, upright.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
        What is worked on; at most `MAX_SIDE` in each direction.
    width, height : int
        The photograph's own size, upright.
    """

    rgb: NDArray[np.uint8]
    width: int
    height: int

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the photograph for each pixel of `rgb`, across and down."""
        return self.width / self.rgb.shape[1], self.height / self.rgb.shape[0]


def read_photo(photo: Photo, *, max_side: int = MAX_SIDE) -> Pixels:
    """Return the pixels of a path, file object, bytes, data URL, Pillow image or array.

    Raises
    ------
    MediaFileError
        For a file that is missing, broken, no image, or too large.
    InvalidInputError
        For an array or an image that holds something else.
    """
    from PIL import Image

    if isinstance(photo, Image.Image):
        return _of_picture(photo, max_side)
    if isinstance(photo, str) and photo.startswith(_DATA_URL):
        return _of_file(_content_of_url(photo), max_side)
    if isinstance(photo, str | os.PathLike):
        path = as_path(photo)
        return _of_file(_content_of(path), max_side, path=path)
    if isinstance(photo, bytes | bytearray | memoryview):
        return _of_file(bytes(photo), max_side)
    if hasattr(photo, "read"):
        return _of_file(_content_of_stream(photo), max_side)
    return _of_array(photo, max_side)


def _content_of(path: Path) -> bytes:
    if len(str(path)) > _LONGEST_PATH:
        raise InvalidInputError(
            f"photo is a text of {len(str(path)):,} characters, too long for a path: "
            f"{shown(str(path))}; decode base64 with base64.b64decode(text), or begin it with "
            "'data:image/jpeg;base64,'"
        )
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # the latter for a name that no file can have
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaFileError(reason, path=path) from error


def _content_of_url(url: str) -> bytes:
    head, comma, data = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise InvalidInputError(
            "photo is a data URL that is not in base64; expected 'data:image/jpeg;base64,' and "
            f"base64; received {shown(url)}"
        )
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except binascii.Error as error:
        raise InvalidInputError(
            f"photo is a data URL whose base64 is damaged ({error}): {shown(url)}"
        ) from error


def _content_of_stream(stream: Any) -> bytes:
    if isinstance(stream, io.TextIOBase):
        raise InvalidInputError("photo must be a file opened for bytes; received one for text")
    if inspect.iscoroutinefunction(stream.read):
        raise InvalidInputError(
            "photo must be a file whose read() gives bytes; received "
            f"{type(stream).__name__}, whose read() is asynchronous: pass what awaiting it gives, "
            "or the file inside (FastAPI: .file)"
        )
    try:
        if hasattr(stream, "seek"):
            stream.seek(0)
    except (OSError, ValueError):  # a pipe: read on
        pass
    try:
        content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise MediaFileError(f"the file cannot be read ({error})") from error
    if not isinstance(content, bytes):
        raise InvalidInputError(
            f"photo must be a file of bytes; its read() returned {type(content).__name__}"
        )
    return content


def _of_file(content: bytes, max_side: int, *, path: Path | None = None) -> Pixels:
    try:
        pixels, lacks_end = read_picture(
            content, partial(_of_opened, max_side=max_side), max_jpeg_pixels=MAX_JPEG_PIXELS
        )
    except PictureError as error:
        raise MediaFileError(f"the image cannot be read: {error}", path=path) from error
    if lacks_end:
        name = "a photo" if path is None else path
        warn(f"{name}: the JPEG lacks its end marker and nothing else; it was read")
    return pixels


def _of_picture(picture: Image.Image, max_side: int) -> Pixels:
    try:
        check_size(picture, MAX_JPEG_PIXELS if picture.format in _JPEGS else MAX_PIXELS)
        check_opened(picture)
        with picture_errors():
            return _of_opened(picture, max_side=max_side)
    except PictureError as error:
        raise MediaFileError(f"the image cannot be read: {error}") from error


def _of_opened(picture: Image.Image, *, max_side: int) -> Pixels:
    from PIL import Image

    width, height = picture.size
    if not width * height:
        raise InvalidInputError(f"a photo must have pixels; received {width}x{height}")
    if picture.format in _JPEGS:
        picture.draft(None, (min(width, max_side), min(height, max_side)))
    picture.load()
    orientation = orientation_of(picture)
    factor = max(width, height) / max_side
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    if factor > 1 and picture.mode in _RESIZABLE:
        picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    rgb = picture_to_levels(picture, "RGB")
    if max(rgb.shape[:2]) > max_side:
        rgb = np.array(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR))
    upright = turn_upright(rgb, orientation)
    if orientation in SIDEWAYS:
        width, height = height, width
    return Pixels(upright, width, height)


def _of_array(photo: Any, max_side: int) -> Pixels:
    from PIL import Image

    try:
        array = np.asarray(photo)
    except ValueError:  # rows of different lengths
        array = np.asarray(photo, dtype=object)
    if array.dtype.kind not in "uibf":
        raise InvalidInputError(
            "photo must be a path, a file object, bytes, a data URL, a Pillow image or an array "
            f"of numbers; received {type(photo).__name__}"
        )
    if array.ndim == 3 and array.shape[2] == 1:  # noqa: PLR2004 - an axis of channels
        array = array[..., 0]
    has_channels = array.ndim == 3 and array.shape[2] <= MAX_CHANNELS  # noqa: PLR2004 - the same
    if not (array.ndim == 2 or has_channels) or not array.size:  # noqa: PLR2004 - height and width
        raise InvalidInputError(
            "photo must have shape (height, width) or (height, width, channels), with 1 to 4 "
            f"channels and with pixels; received {array.shape}"
        )
    levels = np.ascontiguousarray(levels_of(array, "a photo"))
    return _of_picture(Image.fromarray(levels), max_side)
