"""What a file says of itself is checked before it is believed: sizes, kinds, and what unpacks.

Whoever reads a format calls these, and turns whatever they and the format's library raise into
an error of this package in one place.  The limits are told in ``docs/trust.rst``.
"""

from __future__ import annotations

import io
import json
import math
import numbers
import zipfile
from collections.abc import Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import is_number
from fer2013kit.exceptions import Fer2013KitError, ModelFileError, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SPARE: Final = 2**26
RATIO: Final = 20
"""What is packed may unpack to 64 MiB and 20 times its size; images and CSV stay far below."""

_MAX_FACTS: Final = 2**24
_MAX_CLASSES: Final = 10_000
_MAX_SIDE: Final = 4096
_ENCRYPTED: Final = 1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_KINDS: Final = "biufSU"  # of the arrays that are read: numbers and words, never objects


@contextmanager
def errors_as(make: Callable[[str], Fer2013KitError], *, disk: bool = False) -> Iterator[None]:
    """Turn whatever a format's library raises into one error of this package.

    ``make`` takes what was wrong, in a few words.  Errors of the operating system say nothing
    against the file, and go on to who opened it, unless ``disk`` means them, too.
    """
    try:
        yield
    except (Fer2013KitError, Warning):
        raise  # says itself what is wrong; a warning is one that the user asked for as an error
    except Exception as error:
        if not disk and getattr(error, "errno", None) is not None:
            raise
        why = " ".join(str(error).split()) or type(error).__name__
        raise make(shortened(why)) from error


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip that is read whole first: zipfile takes a disk's error for another format."""
    with path.open("rb") as stream:
        start = stream.read(2)
        if start != b"PK":  # the rest may be anything, of any size
            raise zipfile.BadZipFile("File is not a zip file")
        return zipfile.ZipFile(io.BytesIO(start + stream.read()))


@contextmanager
def model_file_errors(path: Path, expected: str) -> Iterator[None]:
    """Turn a missing file, and what the disk does not give, into `ModelFileError`."""
    try:
        yield
    except Fer2013KitError:
        raise  # some of them are OSError, too
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no such file; expected {expected}") from error
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}") from error


def allowed_size(packed: int) -> int:
    """Return to how many bytes so many may unpack."""
    return SPARE + RATIO * packed


def check_unpacked(size: int, packed: int) -> None:
    """Raise ``ValueError`` where a file says that it unpacks to too much."""
    if size > allowed_size(packed):
        raise ValueError(
            f"{packed:,} bytes unpack to {size:,}, more than {RATIO} times as many and "
            f"{SPARE:,}; unpack it yourself if you trust it"
        )


class LimitedStream(io.RawIOBase):
    """An unpacked stream, of ``gzip`` or the like, read as far as :func:`allowed_size` says."""

    def __init__(self, stream: IO[bytes], packed: int) -> None:
        self._stream, self._packed = stream, packed

    def read(self, size: int | None = -1) -> bytes:
        return self._limited(self._stream.read, size)

    def readline(self, size: int | None = -1) -> bytes:
        return self._limited(self._stream.readline, size)

    def _limited(self, read: Callable[[int], bytes], size: int | None) -> bytes:
        most = allowed_size(self._packed) + 1 - self._stream.tell()
        wanted = most if size is None or size < 0 else min(size, most)
        part = read(max(0, wanted))
        check_unpacked(self._stream.tell(), self._packed)
        return part

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == io.SEEK_SET:
            check_unpacked(offset, self._packed)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._stream.close()
        super().close()


def read_member(archive: zipfile.ZipFile, name: str, *, most: int | None = None) -> bytes:
    """Return a member of a zip, after a look at its size and at how it is packed.

    Raises
    ------
    KeyError
        If there is none.
    ValueError, zipfile.BadZipFile
        If it is too large, packed by another method than zips usually are, or damaged.
    """
    info = archive.getinfo(name)
    if most is not None and info.file_size > most:
        raise ValueError(f"{name} has {info.file_size:,} bytes; expected at most {most:,}")
    check_member(info)
    return archive.read(info)


def check_member(info: zipfile.ZipInfo) -> None:
    """Raise ``ValueError`` for a member of a zip that is too large, encrypted or packed oddly."""
    check_unpacked(info.file_size, info.compress_size)
    # The readers of others unpack whole blocks, however much those hold.
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        raise ValueError(
            f"{shortened(info.filename)} is encrypted, or packed by another method than deflate; "
            "pack it without a password"
        )


def read_npy(content: bytes) -> NDArray[Any]:
    """Return the array of an ``.npy`` file, whose shape must be that of the bytes that follow.

    Raises
    ------
    ValueError
        For anything else, for instance an array of Python objects.
    """
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    first = version == (1, 0)
    header = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = header(stream)
    if dtype.kind not in _KINDS or dtype.hasobject or not dtype.itemsize:
        raise ValueError(f"expected an array of numbers or words; received dtype {dtype}")
    size = math.prod(shape) * dtype.itemsize
    rest = len(content) - stream.tell()
    if min(shape, default=0) < 0 or size != rest:
        raise ValueError(f"expected the {size:,} bytes of shape {shape}; received {rest:,}")
    flat = np.frombuffer(content, dtype, offset=stream.tell())
    array = flat.reshape(shape[::-1]).T if is_fortran else flat.reshape(shape)
    return array.copy(order="K")


def read_npz(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` file, in its order."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        check_unpacked(sum(info.file_size for info in archive.infolist()), len(content))
        return {name.removesuffix(".npy"): read_npy(read_member(archive, name)) for name in names}


def read_facts(text: bytes | str) -> dict[str, Any]:
    """Return an object of JSON, which knows no infinity and no NaN.

    Raises
    ------
    ValueError, TypeError, RecursionError
        For anything else.
    """
    if len(text) > _MAX_FACTS:
        raise ValueError(f"{len(text):,} bytes of JSON; expected at most {_MAX_FACTS:,}")
    found = json.loads(text, parse_constant=_refuse)
    if not isinstance(found, dict):
        raise TypeError(f"a JSON object; received {type(found).__name__}")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"JSON has no {constant}")


def check_facts(facts: Mapping[str, Any], kinds: Mapping[str, Callable[[Any], bool]]) -> None:
    """Raise ``ValueError`` unless every fact is there and of its kind.

    Examples
    --------
    >>> from fer2013kit._untrusted import check_facts, is_positive
    >>> check_facts({"temperature": "warm"}, {"temperature": is_positive})
    Traceback (most recent call last):
    ...
    ValueError: temperature, received 'warm'
    """
    for name, fits in kinds.items():
        if name not in facts:
            raise ValueError(name)
        if not fits(facts[name]):
            raise ValueError(f"{name}, received {shortened(repr(facts[name]))}")


def is_text(value: Any) -> bool:
    """Tell whether a fact is a text."""
    return isinstance(value, str)


def is_count(value: Any) -> bool:
    """Tell whether a fact is a whole number from 0."""
    return is_number(value, numbers.Integral) and value >= 0


def is_positive(value: Any) -> bool:
    """Tell whether a fact is a number above 0, and below infinity as a float, too."""
    return is_number(value) and 0 < value < np.finfo(np.float32).max


def is_mapping(value: Any) -> bool:
    """Tell whether a fact is a JSON object."""
    return isinstance(value, Mapping)


def is_image_shape(value: Any) -> bool:
    """Tell whether a fact is a height, a width and a number of channels that images have."""
    return (
        isinstance(value, list)
        and len(value) == 3  # noqa: PLR2004 - those
        and all(is_count(side) and 0 < side <= _MAX_SIDE for side in value)
    )


def is_range(value: Any) -> bool:
    """Tell whether a fact is a range of finite numbers."""
    return (
        isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004 - its ends
        and all(is_number(end) and abs(end) < np.finfo(np.float32).max for end in value)
        and value[0] < value[1]
    )


def are_words(value: Any) -> bool:
    """Tell whether a fact is a list of texts, as many as a network can have classes."""
    return isinstance(value, list) and len(value) <= _MAX_CLASSES and all(map(is_text, value))


def are_labels(value: Any) -> bool:
    """Tell whether a fact is a list of different labels, at least one, all numbers or all words."""
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_CLASSES:
        return False
    kinds = {type(label) for label in value}
    return kinds <= {str} or kinds <= {int, float, bool}


def read_labels(labels: list[Any], dtype: str) -> NDArray[Any]:
    """Return labels as the array that they were before they were written as JSON.

    Raises
    ------
    TypeError, ValueError, OverflowError
        For another dtype than such labels have.
    """
    kind = np.dtype(dtype)
    longest = 4 * max(len(str(label)) for label in labels)
    words = kind.kind == "O" and all(map(is_text, labels))
    if not words and (kind.kind not in "biufU" or kind.itemsize > max(16, longest)):
        raise ValueError(f"labels of dtype {shortened(dtype)}")
    array = np.asarray(labels, kind)
    if len(set(array.tolist())) != len(labels):
        raise ValueError("labels that differ")
    return array
