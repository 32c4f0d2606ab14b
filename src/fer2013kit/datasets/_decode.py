"""Picture files to grey pixels."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import DatasetFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from fer2013kit._arrays import UInt8Array

_HEIGHT, _WIDTH, _ = IMAGE_SHAPE
_JPEG_START: Final = b"\xff\xd8\xff"

# A 100-megapixel photograph is welcome; a small file that unpacks to more is an attack.
_MAX_PIXELS: Final = 100_000_000


def decode_face(content: bytes, out: UInt8Array, *, path: Path) -> None:
    """Decode a picture of 48x48 into ``out``, to the very pixels that Pillow gives.

    Parameters
    ----------
    content : bytes
        A JPEG, PNG or other picture file.
    out : ndarray of uint8, shape (48, 48, 1)
        Is written.
    path : Path
        What the error calls the picture.

    Raises
    ------
    DatasetFormatError
        For a broken picture, another file, or another size.
    """
    if content.startswith(_JPEG_START) and _decode_gray_jpeg(content, out, path):
        return
    image = _open(content, path)
    _check_face_size(image.height, image.width, path)
    out[..., 0] = np.asarray(_load_gray(image, path))


def decode_and_resize(content: bytes, out: UInt8Array, *, path: Path) -> None:
    """Decode a picture of any size and mode, make it grey and resize it into ``out``.

    The orientation tag is obeyed, transparent parts become black as outside of the picture,
    and the picture is resized with antialiasing to 48x48 without keeping its proportions.

    Parameters
    ----------
    content : bytes
        A JPEG, PNG or other picture file.
    out : ndarray of uint8, shape (48, 48, 1)
        Is written.
    path : Path
        What the error calls the picture.

    Raises
    ------
    DatasetFormatError
        For a broken picture, another file, or more than 100 megapixels.
    """
    from PIL import Image, ImageOps

    image = _open(content, path)
    if image.width * image.height > _MAX_PIXELS:
        raise DatasetFormatError(
            f"the picture has {image.width}x{image.height} pixels; "
            f"expected at most {_MAX_PIXELS:,}; make it smaller",
            path=path,
        )
    gray = ImageOps.exif_transpose(_load_gray(image, path))
    if gray.size != (_WIDTH, _HEIGHT):
        gray = gray.resize((_WIDTH, _HEIGHT), Image.Resampling.BILINEAR)
    out[..., 0] = np.asarray(gray)


def _decode_gray_jpeg(content: bytes, out: UInt8Array, path: Path) -> bool:
    """Decode a grey 48x48 JPEG fast; False for a colour one, which is Pillow's to make grey."""
    import simplejpeg

    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(content)
        if colorspace != "Gray":
            return False
        _check_face_size(height, width, path)
        simplejpeg.decode_jpeg(content, "GRAY", buffer=out)
    except DatasetFormatError:
        raise
    except ValueError as error:
        raise _broken(path, error) from error
    return True


def _check_face_size(height: int, width: int, path: Path) -> None:
    if (height, width) != (_HEIGHT, _WIDTH):
        raise DatasetFormatError(
            f"expected a picture of {_WIDTH}x{_HEIGHT} pixels, received {width}x{height}; "
            "pictures of other sizes are read by load_image_folder",
            path=path,
        )


def _open(content: bytes, path: Path) -> Image.Image:
    from PIL import Image

    try:
        return Image.open(io.BytesIO(content))
    except (OSError, SyntaxError, ValueError) as error:
        raise _broken(path, error) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DatasetFormatError(f"the picture is too large: {error}", path=path) from error


def _load_gray(image: Image.Image, path: Path) -> Image.Image:
    """Return the picture in mode L; the orientation tag is carried along."""
    from PIL import Image

    try:
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise _broken(path, error) from error
    if image.mode == "L":
        return image
    exif = image.getexif()
    if image.mode.startswith("I") or image.mode == "F":
        gray = _scale_to_eight_bits(image, path)
    elif image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, (0, 0, 0, 255))
        opaque.alpha_composite(image.convert("RGBA"))
        gray = opaque.convert("L")
    else:
        gray = image.convert("RGB").convert("L")
    gray.info["exif"] = exif.tobytes()
    return gray


def _scale_to_eight_bits(image: Image.Image, path: Path) -> Image.Image:
    """Return a 16-bit picture in 8 bits: 65535 becomes 255."""
    from PIL import Image

    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
        raise DatasetFormatError(
            f"expected 8 or 16 bits for each pixel, received Pillow mode {image.mode!r} with "
            f"values {values.min()} to {values.max()}; save it as PNG with 8 or 16 bits",
            path=path,
        )
    return Image.fromarray(np.round(values / 257).astype(np.uint8))


def _broken(path: Path, error: Exception) -> DatasetFormatError:
    reason = str(error) if "BytesIO" not in str(error) else "no known picture format"
    return DatasetFormatError(
        f"not a readable picture ({reason}); delete it or replace it", path=path
    )
