"""Picture files to grey pixels."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import simplejpeg

from fer2013kit._pictures import picture_to_gray, resize_gray
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from fer2013kit._checks import UInt8Array
    from fer2013kit.typing import Aspect

_HEIGHT, _WIDTH, _ = IMAGE_SHAPE
_JPEG_START: Final = b"\xff\xd8\xff"
_TAG_MARK: Final = b"\xff\xe1"  # EXIF or XMP, which may hold an orientation for Pillow to obey

# What libjpeg writes for a grey 48x48 picture: a JFIF segment of 16 bytes, a quantisation table,
# then a frame of 8 bits, 48 by 48 and one channel.  Seen here, the decoder need not be asked.
_USUAL_HEAD: Final = b"\xff\xe0\x00\x10" + b"\xff\xdb\x00\x43"
_USUAL_FRAME: Final = b"\xff\xc0\x00\x0b\x08" + bytes([0, _HEIGHT, 0, _WIDTH, 1])

# Any photograph is welcome; a small file that unpacks to more is an attack.  Pillow warns at 89.
_MAX_PIXELS: Final = 80_000_000


def decode_face(content: bytes, out: UInt8Array) -> None:
    """Decode a picture of 48x48 into ``out``, to the very pixels that Pillow gives.

    Parameters
    ----------
    content : bytes
        A JPEG, PNG or other picture file.
    out : ndarray of uint8, shape (48, 48, 1)
        Is written.

    Raises
    ------
    ValueError
        For a broken picture, another file, or another size.
    """
    plain_jpeg = content.startswith(_JPEG_START) and _TAG_MARK not in content
    if plain_jpeg and _decode_gray_jpeg(content, out):
        return
    image = _open(content)
    if (image.height, image.width) != (_HEIGHT, _WIDTH):
        raise ValueError(
            f"expected a picture of {_WIDTH}x{_HEIGHT} pixels, received "
            f"{image.width}x{image.height}; pictures of other sizes are read by load_image_folder"
        )
    out[..., 0] = _to_gray(image)


def decode_and_resize(content: bytes, out: UInt8Array, *, aspect: Aspect) -> None:
    """Decode a picture of any size and mode, make it grey and resize it into ``out``.

    Parameters
    ----------
    content : bytes
        A JPEG, PNG or other picture file.
    out : ndarray of uint8, shape (48, 48, 1)
        Is written.
    aspect : {"crop", "stretch", "pad"}
        What becomes of pictures that are not square.

    Raises
    ------
    ValueError
        For a broken picture, another file, or more than 80 megapixels.
    """
    image = _open(content)
    if image.width * image.height > _MAX_PIXELS:
        raise ValueError(
            f"the picture has {image.width}x{image.height} pixels; "
            f"expected at most {_MAX_PIXELS:,}; make it smaller"
        )
    out[..., 0] = resize_gray(_to_gray(image), aspect=aspect)


def _decode_gray_jpeg(content: bytes, out: UInt8Array) -> bool:
    """Decode a grey 48x48 JPEG fast; False leaves any other one to Pillow."""
    try:
        if content[2:6] + content[20:24] != _USUAL_HEAD or content[89:99] != _USUAL_FRAME:
            height, width, colorspace, _ = simplejpeg.decode_jpeg_header(content)
            if colorspace != "Gray" or (height, width) != (_HEIGHT, _WIDTH):
                return False
        simplejpeg.decode_jpeg(content, "GRAY", buffer=out)
    except ValueError as error:
        raise _broken(error) from error
    return True


def _open(content: bytes) -> Image.Image:
    from PIL import Image

    try:
        return Image.open(io.BytesIO(content))
    except (OSError, SyntaxError, ValueError) as error:
        raise _broken(error) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"the picture is too large: {error}") from error


def _to_gray(image: Image.Image) -> NDArray[np.uint8]:
    try:
        return picture_to_gray(image)
    except InvalidInputError:
        raise  # says itself what is wrong
    except (OSError, SyntaxError, ValueError) as error:
        raise _broken(error) from error


def _broken(error: Exception) -> ValueError:
    reason = str(error) if "BytesIO" not in str(error) else "no known picture format"
    return ValueError(f"not a readable picture ({reason}); delete it or replace it")
