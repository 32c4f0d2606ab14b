"""Image files to grey pixels: one at a time, or all of a tree at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import simplejpeg

from fer2013kit._picture_files import (
    JPEG_START,
    MAX_BYTES,
    PictureError,
    PictureTooLargeError,
    is_picture_name,
    read_picture,
    with_end_marker,
)
from fer2013kit._pictures import picture_to_gray, picture_to_levels, resize_gray
from fer2013kit._threads import run_in_threads
from fer2013kit.datasets._trees import read_in_chunks
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import DatasetFormatError, InvalidInputError, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from fer2013kit._checks import UInt8Array
    from fer2013kit.datasets._listing import Options
    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._trees import FileTree
    from fer2013kit.typing import Aspect

_HEIGHT, _WIDTH, _ = IMAGE_SHAPE
# An image of 48x48 takes two kilobytes; one of megabytes is none of ours.
_MAX_PICTURE_BYTES: Final = 4 * 2**20
_TAG_MARK: Final = b"\xff\xe1"  # EXIF or XMP, which may hold an orientation for Pillow to obey

# What libjpeg writes for a grey 48x48 image: a JFIF segment of 16 bytes, a quantisation table,
# then a frame of 8 bits, 48 by 48 and one channel.  Seen here, the decoder need not be asked.
_USUAL_HEAD: Final = b"\xff\xe0\x00\x10" + b"\xff\xdb\x00\x43"
_USUAL_FRAME: Final = b"\xff\xc0\x00\x0b\x08" + bytes([0, _HEIGHT, 0, _WIDTH, 1])


def decode_face(content: bytes, out: UInt8Array, *, resize: bool = False) -> bool:
    """Decode an image file into ``out`` (48, 48, 1), to the very pixels that Pillow gives.

    Images of other sizes are refused, or cropped and resized.  True is returned for a JPEG that
    lacks its end marker and nothing else, see :func:`lacking_ends`.

    Raises
    ------
    ValueError
        For a broken image, another file, or another size.
    """
    if resize:
        return decode_and_resize(content, out, aspect="crop")

    def to_gray(image: Image.Image) -> NDArray[np.uint8]:
        if (image.height, image.width) != (_HEIGHT, _WIDTH):
            raise InvalidInputError(
                f"expected an image of {_WIDTH}x{_HEIGHT} pixels, received {image.width}x"
                f"{image.height}; load_fer2013(path, resize=True) reads other sizes"
            )
        return picture_to_gray(image)

    plain_jpeg = content.startswith(JPEG_START) and _TAG_MARK not in content
    if plain_jpeg:
        try:
            if _decode_gray_jpeg(content, out):
                return False
        except ValueError as error:
            whole = with_end_marker(content)
            if whole is None or not _decode_gray_jpeg(whole, out):
                raise _broken(error) from error
            return True
    out[..., 0], lacks_end = _read(content, to_gray)
    return lacks_end


def decode_and_resize(content: bytes, out: UInt8Array, *, aspect: Aspect) -> bool:
    """Decode an image of any size and mode, and resize it into ``out``, grey or in colour.

    It returns what :func:`decode_face` does.

    Raises
    ------
    ValueError
        For a broken image, another file, or more than 80 megapixels.
    """
    height, width, channels = out.shape
    convert = picture_to_gray if channels == 1 else _to_colours
    levels, lacks_end = _read(content, convert)
    for channel, plane in enumerate(np.atleast_3d(levels).transpose(2, 0, 1)):
        out[..., channel] = resize_gray(plane, size=(height, width), aspect=aspect)
    return lacks_end


def as_faces(images: UInt8Array) -> UInt8Array:
    """Return images of another shape (n, height, width, channels) as grey ones of 48x48.

    Raises
    ------
    InvalidInputError
        For another number of channels than 1 or 3.
    """
    from PIL import Image

    if images.shape[3] not in {1, 3}:
        raise InvalidInputError(
            f"images must have 1 or 3 channels to become grey; received shape {images.shape}"
        )
    out = np.empty((len(images), *IMAGE_SHAPE), np.uint8)
    for row, image in enumerate(images if images.shape[3] > 1 else images[..., 0]):
        out[row, ..., 0] = resize_gray(picture_to_gray(Image.fromarray(image)))
    return out


def decode_all(
    tree: FileTree, names: list[str], options: Options, new: NewImages
) -> tuple[UInt8Array, NDArray[np.bool_], list[str]]:
    """Decode images in the order of their names: those that are images, (n, 48, 48, 1).

    Returned, too, are for each name whether it is one, which files whose names do not say so need
    not be, and what the user is warned about.

    Raises
    ------
    DatasetFormatError
        For an image that is broken, too large or of another size.
    """
    images = new.empty(len(names))
    kept = np.ones(len(names), np.bool_)
    most = MAX_BYTES if options.resize else _MAX_PICTURE_BYTES
    position: dict[str, int] = {}
    for row, name in enumerate(names):
        if tree.sizes[name] <= most:
            position[name] = row
        elif is_picture_name(name):
            raise DatasetFormatError(
                f"expected an image of at most {most:,} bytes, received a file of "
                f"{tree.sizes[name]:,} bytes; load_fer2013(path, resize=True) reads larger ones",
                path=tree.path / name,
            )
        else:
            kept[row] = False
    strange, notes = decode_into(
        images, position, tree, partial(decode_face, resize=options.resize)
    )
    kept[strange] = False
    return (images if kept.all() else images[kept]), kept, notes


def decode_into(
    images: UInt8Array,
    position: Mapping[str, int],
    tree: FileTree,
    decode: Callable[[bytes, UInt8Array], bool],
) -> tuple[list[int], list[str]]:
    """Decode the files of a tree into the rows of ``images`` at which their names stand.

    Returned are the rows of files that are no images and have no image's name, and what the user
    is warned about.

    Raises
    ------
    DatasetFormatError
        For an image by its name that ``decode`` refuses.
    """
    strange: list[int] = []
    without_end: list[str] = []

    def decode_chunk(chunk: list[tuple[str, bytes]]) -> None:
        for name, content in chunk:
            try:
                if decode(content, images[position[name]]):
                    without_end.append(name)
            except ValueError as error:
                if is_picture_name(name):
                    raise DatasetFormatError(str(error), path=tree.path / name) from error
                strange.append(position[name])

    run_in_threads(decode_chunk, read_in_chunks(tree, position))
    return strange, [lacking_ends(sorted(without_end))] if without_end else []


def _to_colours(picture: Image.Image) -> NDArray[np.uint8]:
    return picture_to_levels(picture, "RGB")


def lacking_ends(names: Sequence[str]) -> str:
    """Return what is said of JPEGs that lack their end markers and were read all the same."""
    files = "1 JPEG that lacks only its end marker was"
    if len(names) > 1:
        files = f"{len(names)} JPEGs that lack only their end markers were"
    return f"{files} read: {listed(map(repr, names))}"


def _decode_gray_jpeg(content: bytes, out: UInt8Array) -> bool:
    """Decode a grey 48x48 JPEG fast; False leaves any other one to Pillow."""
    if content[2:6] + content[20:24] != _USUAL_HEAD or content[89:99] != _USUAL_FRAME:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(content)
        if colorspace != "Gray" or (height, width) != (_HEIGHT, _WIDTH):
            return False
    simplejpeg.decode_jpeg(content, "GRAY", buffer=out)
    return True


def _read(
    content: bytes, convert: Callable[[Image.Image], NDArray[np.uint8]]
) -> tuple[NDArray[np.uint8], bool]:
    try:
        return read_picture(content, convert)
    except PictureTooLargeError:
        raise  # says itself what to do
    except PictureError as error:
        raise _broken(error) from error


def _broken(error: Exception) -> ValueError:
    return ValueError(f"not a readable image: {error}; delete it or replace it")
