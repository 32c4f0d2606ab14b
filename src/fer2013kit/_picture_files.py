"""Image files: which are read, how large they may be, and how they are opened.

All that reads image files (data sets, folders, photographs, the page) does it here, so that one
list says what an image is, and one place turns what a file makes its decoder raise into an error
of this package.  Pillow is imported when a function runs.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fer2013kit._optional import how_to_install
from fer2013kit.exceptions import Fer2013KitError, listed, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from PIL import Image, ImageFile

Result = TypeVar("Result")

FORMATS: Final = (
    *("AVIF", "BMP", "GIF", "HEIF", "JPEG", "JPEG2000"),
    *("PNG", "PPM", "QOI", "TIFF", "WEBP"),
)
"""Pillow reads others with programs of their own (PostScript by Ghostscript), or takes them for
images without a signature that tells them from rubbish."""

_OF_OTHER_PROGRAMS: Final = frozenset({"EPS", "WMF"})
"""Pillow has the first decoded by Ghostscript, the second by Windows."""

MAX_PIXELS: Final = 80_000_000
"""Any photograph is welcome; a small file that unpacks to more is an attack."""
MAX_JPEG_PIXELS: Final = 300_000_000
"""Where a JPEG is decoded at a fraction of its size, so that only its coefficients count."""
MAX_BYTES: Final = 2**28

# A progressive JPEG is gone through once a scan, of which it may have any number in a few bytes
# each.  Pixels times scans, and so many more for each byte that a file really has.
_MAX_SCANNED: Final = 400_000_000
_MAX_SCANNED_PER_BYTE: Final = 300

JPEG_START: Final = b"\xff\xd8\xff"
_JPEG_SCAN: Final = b"\xff\xda"
_JPEG_END: Final = b"\xff\xd9"

_JPEG_DAMAGE: Final = re.compile(r"Corrupt JPEG data: (?P<what>(?:(?P<extra>\d+) extraneous)?.*)")
_PADDING: Final = 64
"""Bytes too many that some cameras write; where pixels were lost, there are more."""

_HEIF_ENDINGS: Final = frozenset({".heic", ".heif", ".hif"})
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1"})

_MOST_ENDINGS: Final = 5
"""Of the endings of files that were passed over, so many are told."""


class PictureError(Fer2013KitError, ValueError):
    """An image file that is not read; the message says why, without the file's name."""


class PictureTooLargeError(PictureError):
    """An image file that would need more memory or time than any photograph."""


@cache
def _openers() -> dict[str, tuple[Any, Callable[[bytes], bool | str] | None]]:
    """Return for each format what opens a file and what knows its first bytes."""
    from PIL import Image

    Image.init()
    known: dict[str, Any] = {name: Image.OPEN[name] for name in FORMATS if name in Image.OPEN}
    with suppress(ImportError):
        from pillow_heif import HeifImageFile

        known["HEIF"] = HeifImageFile, is_heif
    return known


def picture_formats() -> tuple[str, ...]:
    """Return the names of the formats that are read here, which the libraries there decide."""
    return tuple(_openers())


@cache
def picture_endings() -> frozenset[str]:
    """Return the ends of the names of images that are read, such as ``.jpg``, in lower case."""
    from PIL import Image

    formats = {*picture_formats(), "MPO"}  # several JPEGs in one file, of which the first is read
    endings = {ending for ending, name in Image.registered_extensions().items() if name in formats}
    return frozenset(endings | (_HEIF_ENDINGS if "HEIF" in formats else set()))


def is_picture_name(name: str) -> bool:
    """Tell whether a file name ends as those of images that are read do."""
    # As PurePath(name).suffix, many times faster: archives hold tens of thousands of names.
    stem, dot, ending = name.rpartition(".")
    is_hidden = not stem or stem.endswith("/")
    return not is_hidden and f"{dot}{ending.lower()}" in picture_endings()


def passed_over(names: Iterable[str]) -> str:
    """Return what is said of files whose names do not end as those of images do.

    Examples
    --------
    >>> from fer2013kit._picture_files import passed_over
    >>> print(passed_over(["a.txt", "b.txt", "c.csv"]))
    3 files that are no images by their names were skipped (2 .txt, 1 .csv): 'a.txt',
    'b.txt', 'c.csv'
    """
    names = list(names)
    endings = Counter(PurePath(name).suffix.lower() or "without ending" for name in names)
    counts = ", ".join(f"{count} {ending}" for ending, count in endings.most_common(_MOST_ENDINGS))
    files = "1 file that is no image by its name was"
    if len(names) > 1:
        files = f"{len(names)} files that are no images by their names were"
    has_heif = not _HEIF_ENDINGS.isdisjoint(endings) and "HEIF" not in picture_formats()
    advice = f"; {_heif_advice()}" if has_heif else ""
    return f"{files} skipped ({counts}): {listed(map(repr, names))}{advice}"


def _heif_advice() -> str:
    return (
        f"HEIC needs pillow_heif, which is not installed: {how_to_install('heif')}; or save the "
        "images as JPEG"
    )


def is_heif(start: bytes) -> bool:
    """Tell from its first 16 bytes whether a file is a HEIC or HEIF image."""
    return start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS


def read_picture(
    content: bytes,
    convert: Callable[[Image.Image], Result],
    *,
    max_pixels: int = MAX_PIXELS,
    max_jpeg_pixels: int | None = None,
) -> tuple[Result, bool]:
    """Open an image file and convert it; return the result, and whether the file lacks its end.

    ``convert`` takes the image that was opened, which Pillow decodes when it is asked for pixels.
    A JPEG that lacks only its end marker, as some cameras and downloads leave it, is read; one that
    has it, but not all that goes before, is not.

    Warns
    -----
    Fer2013KitWarning
        Once, where Pillow was told to make up what a file lacks.

    Raises
    ------
    PictureError
        For a file that is none of `FORMATS`, too large, cut off or damaged.
    InvalidInputError
        From `convert`.
    """

    def read(content: bytes) -> Result:
        picture = open_picture(content, max_pixels=max_pixels, max_jpeg_pixels=max_jpeg_pixels)
        with picture_errors():
            return convert(picture)

    if _makes_up_pixels():
        _warn_of_made_up_pixels()
    try:
        result = read(content)
    except PictureTooLargeError:
        raise
    except PictureError:
        whole = with_end_marker(content)
        if whole is None:
            raise
        return read(whole), True
    if problem := _made_up(content):
        raise PictureError(f"cut off or damaged ({problem})")
    return result, False


def _makes_up_pixels() -> bool:
    """Tell whether somebody, it may be another library, has turned on this switch of Pillow's."""
    from PIL import ImageFile

    return bool(ImageFile.LOAD_TRUNCATED_IMAGES)


@cache
def _warn_of_made_up_pixels() -> None:
    """Warn once, not for each image."""
    warn(
        "PIL.ImageFile.LOAD_TRUNCATED_IMAGES is on, so images that are cut off are read, and what "
        "they lack is made up; turn it off to have them named"
    )


def open_picture(
    content: bytes, *, max_pixels: int = MAX_PIXELS, max_jpeg_pixels: int | None = None
) -> ImageFile.ImageFile:
    """Open an image file without decoding it, and check what it says of its size.

    A JPEG may have fewer pixels than other files, since it can go through them more than once.

    Raises
    ------
    PictureError
        For a file that is none of `FORMATS`, or broken.
    PictureTooLargeError
        For more pixels, or a JPEG that goes through them too often.
    """
    if len(content) > MAX_BYTES:
        raise PictureTooLargeError(
            f"the file has more than {MAX_BYTES:,} bytes; make the image smaller"
        )
    if not content:
        raise PictureError("the file is empty")
    with picture_errors():
        picture = _open(content)
    is_jpeg = content.startswith(JPEG_START)
    check_size(picture, max_jpeg_pixels if is_jpeg and max_jpeg_pixels is not None else max_pixels)
    pixels = picture.width * picture.height
    scans = content.count(_JPEG_SCAN) if is_jpeg else 0
    if scans * pixels > max(_MAX_SCANNED, _MAX_SCANNED_PER_BYTE * len(content)):
        raise PictureTooLargeError(
            f"the JPEG goes {scans} times through {picture.width} x {picture.height} pixels, which "
            "takes too long; save it again"
        )
    return picture


def check_size(picture: Image.Image, most: int) -> None:
    """Raise `PictureTooLargeError` for an image of more pixels."""
    if picture.width * picture.height > most:
        raise PictureTooLargeError(
            f"the image is too large: {picture.width} x {picture.height} pixels; "
            f"expected at most {most:,}; make it smaller"
        )


def _way_out(start: bytes) -> str:
    """Say what to do with a file that begins like base64 of an image, or like a video."""
    if start.startswith((b"/9j/", b"iVBORw0KGgo", b"data:image/")):
        return "; it is base64: base64.b64decode(text) makes a file of it"
    if start[4:8] == b"ftyp" or start.startswith(b"\x1aE\xdf\xa3") or start[8:11] == b"AVI":
        return "; it may be a video, which analyze_video reads"
    return ""


def _open(content: bytes) -> ImageFile.ImageFile:
    """Do as ``Image.open`` does, without its limits, whose warnings no thread can turn off."""
    start = content[:16]
    problem: Exception | None = None
    for opener, accept in _openers().values():
        try:
            if accept is not None and accept(start) is not True:  # or a text, why it cannot
                continue
            picture: ImageFile.ImageFile = opener(io.BytesIO(content), "")
        except Exception as error:  # noqa: BLE001 - it is another format's, or damaged
            problem = error
            continue
        return picture
    if is_heif(start) and "HEIF" not in picture_formats():
        raise PictureError(_heif_advice())
    try:
        raise PictureError(
            "of no known format, or damaged at its beginning; expected one of "
            f"{', '.join(picture_formats())}{_way_out(start)}"
        ) from problem
    finally:
        del problem  # which knows this frame, and so the file: the two would keep each other


@contextmanager
def picture_errors() -> Iterator[None]:
    """Turn whatever an image makes Pillow and its decoders raise into `PictureError`."""
    try:
        yield
    except Fer2013KitError:
        raise  # says itself what is wrong
    except MemoryError as error:
        raise PictureTooLargeError("the image is too large for the memory") from error
    except Exception as error:  # whatever a decoder thought of
        raise PictureError(f"cut off or damaged ({' '.join(str(error).split())})") from error


def check_opened(picture: Image.Image) -> None:
    """Raise `PictureError` for an image that somebody opened and another program would decode."""
    if picture.format in _OF_OTHER_PROGRAMS:
        raise PictureError(
            f"{picture.format} is not read, since another program would decode it; "
            "turn it to PNG with a program that you trust with it"
        )


def with_end_marker(content: bytes) -> bytes | None:
    """Return a JPEG with the end marker that it lacks; None where it lacks more, or nothing."""
    if not content.startswith(JPEG_START) or content.endswith(_JPEG_END):
        return None
    whole = content.removesuffix(_JPEG_END[:1]) + _JPEG_END
    return None if _complaint_of(whole) else whole


def _made_up(content: bytes) -> str:
    """Return why a JPEG that was read lacks pixels; nothing where it has all.

    Pillow keeps back what the decoder says of pixels that it made up.
    """
    complaint = _complaint_of(content) if content.startswith(JPEG_START) else ""
    damage = _JPEG_DAMAGE.match(complaint)
    if damage is None or int(damage["extra"] or _PADDING + 1) <= _PADDING:
        return ""
    return damage["what"]


def _complaint_of(content: bytes) -> str:
    """Return what the decoder warns of in a JPEG, which it reads at an eighth of its size."""
    import simplejpeg

    try:
        simplejpeg.decode_jpeg(content, "GRAY", min_height=1, min_width=1, strict=True)
    except ValueError as error:
        return str(error) or type(error).__name__
    return ""
