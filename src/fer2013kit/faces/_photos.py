"""Photographs of any kind to upright RGB pixels, in bounded memory."""

from __future__ import annotations

import glob
import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._pictures import (
    MAX_CHANNELS,
    levels_from_16_bit,
    levels_from_float,
    picture_to_rgb,
)
from fer2013kit.emotions import MAX_LEVEL
from fer2013kit.exceptions import InvalidInputError, MediaFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from PIL import Image

    from fer2013kit.typing import Photo

MAX_SIDE: Final = 4096
"""Larger photographs are worked on at this size; boxes are told in their own pixels."""

# A JPEG is decoded at a fraction of its size, so that only its coefficients count; any other
# picture must be decoded whole.  A small file that unpacks to more is an attack.
_MAX_PIXELS: Final = 80_000_000
_MAX_JPEG_PIXELS: Final = 300_000_000

_PHOTO_ENDINGS: Final = (
    *(".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm"),
    *(".tif", ".tiff", ".webp"),
)
# Modes that Pillow resizes without loss of meaning.
_RESIZABLE: Final = {"L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"}
_ORIENTATION: Final = 0x0112  # the tag's number in EXIF


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
    """Return the pixels of a path, file object, bytes, Pillow picture or array.

    Raises
    ------
    MediaFileError
        For a file that is missing, broken, no picture, or too large.
    InvalidInputError
        For an array or a picture that holds something else.
    """
    from PIL import Image

    if isinstance(photo, Image.Image):
        return _pixels(photo, max_side, path=None)
    if isinstance(photo, str | os.PathLike):
        path = Path(photo)
        try:
            with path.open("rb") as file:
                return _read_file(file, max_side, path=path)
        except MediaFileError:
            raise
        except (OSError, ValueError) as error:  # the latter for a name that no file can have
            if isinstance(error, InvalidInputError):
                raise
            reason = getattr(error, "strerror", None) or str(error)
            raise MediaFileError(reason, path=path) from error
    if isinstance(photo, bytes):
        return _read_file(io.BytesIO(photo), max_side, path=None)
    if hasattr(photo, "read"):
        if isinstance(photo, io.TextIOBase):
            raise InvalidInputError("photo must be a file opened for bytes; received one for text")
        return _read_file(photo, max_side, path=None)
    return _pixels(_array_to_picture(photo), max_side, path=None)


def _read_file(file: Any, max_side: int, *, path: Path | None) -> Pixels:
    import warnings

    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Pillow's own limit is lower than that of this module, which checks its own.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(file)
        return _pixels(picture, max_side, path=path)
    except Image.DecompressionBombError as error:
        raise MediaFileError(f"the picture is too large: {error}", path=path) from error
    except UnidentifiedImageError as error:
        raise MediaFileError(
            "no picture in a known format; expected JPEG, PNG or another one that Pillow reads",
            path=path,
        ) from error
    except (TypeError, SyntaxError, struct.error) as error:
        raise MediaFileError(f"the picture cannot be opened ({error})", path=path) from error


def _pixels(picture: Image.Image, max_side: int, *, path: Path | None) -> Pixels:
    from PIL import Image

    width, height = picture.size
    is_jpeg = picture.format in {"JPEG", "MPO"}
    limit = _MAX_JPEG_PIXELS if is_jpeg else _MAX_PIXELS
    if width * height > limit:
        raise MediaFileError(
            f"the picture has {width}x{height} pixels; expected at most {limit:,}; make it smaller",
            path=path,
        )
    if not width * height:
        raise InvalidInputError(f"a photo must have pixels; received {width}x{height}")
    try:
        if is_jpeg:
            picture.draft(None, (min(width, max_side), min(height, max_side)))
        picture.load()
        orientation = picture.getexif().get(_ORIENTATION, 1)
        factor = max(width, height) / max_side
        size = (max(1, round(width / factor)), max(1, round(height / factor)))
        if factor > 1 and picture.mode in _RESIZABLE:
            picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        rgb = picture_to_rgb(picture)
        if max(rgb.shape[:2]) > max_side:
            rgb = np.array(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR))
    except InvalidInputError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # Pillow says any of them
        raise MediaFileError(
            f"the picture cannot be decoded ({error}); it may be cut off or damaged", path=path
        ) from error
    return _upright(rgb, width, height, orientation)


def _upright(rgb: NDArray[np.uint8], width: int, height: int, orientation: Any) -> Pixels:
    """Turn and mirror as the orientation tag of EXIF says, 1 to 8; any other value is none."""
    if orientation in {5, 6, 7, 8}:  # rows and columns are swapped
        rgb, width, height = rgb.transpose(1, 0, 2), height, width
    if orientation in {2, 3, 6, 7}:
        rgb = rgb[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        rgb = rgb[::-1]
    return Pixels(np.ascontiguousarray(rgb), width, height)


def _array_to_picture(photo: Any) -> Image.Image:
    from PIL import Image

    try:
        array = np.asarray(photo)
    except ValueError:  # rows of different lengths
        array = np.asarray(photo, dtype=object)
    if array.dtype.kind not in "uibf":
        raise InvalidInputError(
            "photo must be a path, a file object, a Pillow picture or an array of numbers; "
            f"received {type(photo).__name__}"
        )
    if array.ndim == 3 and array.shape[2] == 1:  # noqa: PLR2004 - an axis of channels
        array = array[..., 0]
    has_channels = array.ndim == 3 and array.shape[2] <= MAX_CHANNELS  # noqa: PLR2004 - the same
    if not (array.ndim == 2 or has_channels) or not array.size:  # noqa: PLR2004 - height and width
        raise InvalidInputError(
            "photo must have shape (height, width) or (height, width, channels), with 1 to 4 "
            f"channels and with pixels; received {array.shape}"
        )
    if array.dtype == np.uint16:
        array = levels_from_16_bit(array)
    elif array.dtype.kind == "f":
        array = levels_from_float(array)
    elif array.dtype.kind == "b":
        array = array * np.uint8(MAX_LEVEL)
    elif array.dtype != np.uint8:
        if array.min() < 0 or array.max() > MAX_LEVEL:
            raise InvalidInputError(
                f"a photo of integers must be in [0, 255]; received {array.min()} to "
                f"{array.max()}; pass 16-bit pictures as uint16"
            )
        array = array.astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(array))


def find_photos(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the picture files that paths, folders and patterns stand for.

    Parameters
    ----------
    paths : path or iterable of paths
        Files, which are taken as they are; folders, whose pictures are taken however deep they
        lie (by the ends of their names; hidden ones are left out); and patterns such as
        ``"holiday/*.jpg"`` or ``"**/*.png"``.

    Returns
    -------
    list of Path
        Each file once; those of a folder or a pattern sorted.

    Raises
    ------
    MediaFileError
        For a folder without pictures, or a pattern that nothing matches.

    See Also
    --------
    analyze_photos : What takes them.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> folder = fk.sample_photos()[0].parent
    >>> fk.find_photos(folder) == fk.sample_photos()
    True
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    files: dict[Path, None] = {}
    for one in paths:
        path = Path(one)
        if path.is_dir():
            found = sorted(inside for inside in path.rglob("*") if _is_photo(inside))
            problem = (
                "there is no picture in this folder; name files one by one where their names do "
                "not end as those of pictures do"
            )
        elif glob.has_magic(str(one)) and not path.exists():
            names = glob.iglob(str(one), recursive=True)  # noqa: PTH207 - Path.glob wants a folder
            found = sorted(file for file in map(Path, names) if file.is_file())
            problem = "no file matches this pattern"
        else:
            files[path] = None
            continue
        if not found:
            raise MediaFileError(problem, path=path)
        files.update(dict.fromkeys(found))
    return list(files)


def _is_photo(path: Path) -> bool:
    name = path.name
    return name.lower().endswith(_PHOTO_ENDINGS) and not name.startswith(".") and path.is_file()
