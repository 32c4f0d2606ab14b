"""What a parquet file unpacks to, page by page, before Arrow unpacks any of it.

The footer says so, too, but nobody holds it to that; a page's header is what Arrow goes by.  Both
are structs in Thrift's compact protocol (``parquet.thrift``: ``FileMetaData``, ``PageHeader``).
They are read here as Arrow reads them, or not at all: a field of another kind is another field,
and none stands there twice.
"""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any, Final

from fer2013kit._untrusted import check_unpacked, is_count

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_ROWS: Final = 256
_BATCH_BYTES: Final = 2**27
_VALUE_BYTES: Final = 8  # of a number in memory; repeated ones are packed into next to nothing
_DEPTH: Final = 8

# Kinds of fields; a boolean's value stands in its kind, but in a list it is a byte.
_BOOLEANS: Final = {1, 2}
_BYTE: Final = 3
_SHORT, _INT, _LONG = 4, 5, 6
_BITS: Final = {_SHORT: 16, _INT: 32, _LONG: 64}
_DOUBLE: Final = 7
_BINARY: Final = 8
_LIST: Final = 9
_LISTS: Final = {_LIST, 10}
_STRUCT: Final = 12
_LONG_LIST: Final = 15
_MORE: Final = 0x80

# Fields by number and kind: of a page's header,
_UNPACKED, _PACKED = (2, _INT), (3, _INT)
_DATA, _DATA_2 = (5, _STRUCT), (8, _STRUCT)
_COUNT: Final = (1, _INT)  # of a data page's values
# and of the footer, down to a column.
_GROUPS, _COLUMNS, _ABOUT = (4, _LIST), (1, _LIST), (3, _STRUCT)
_VALUES, _SIZE = (5, _LONG), (7, _LONG)
_FIRST_DATA, _DICTIONARY = (9, _LONG), (11, _LONG)
_FOOTER_END: Final = 8  # its length and PAR1

_Fields = dict[tuple[int, int], Any]


def check_pages(stream: IO[bytes], size: int) -> int:
    """Return how many rows may be read at a time of a file that Arrow has opened.

    A value is at most as large as the largest page, and many rows can refer to it, or to most of
    it: so many of them may be in memory at once.

    Raises
    ------
    ValueError
        Where a column unpacks to more than so small a file may, or its pages are damaged.
    """
    largest = 1
    total = 0
    for start, end, _ in _columns(stream, size):
        for unpacked, values in _pages(stream, start, end):
            largest = max(largest, unpacked)
            total += max(unpacked, values * _VALUE_BYTES)
            check_unpacked(total, size)
    return max(1, min(_MOST_ROWS, _BATCH_BYTES // largest))


def _columns(stream: IO[bytes], size: int) -> list[tuple[int, int, int]]:
    """Return where the pages of each column begin and end, and how many values are said to be in.

    pyarrow would tell, but where a column's histograms do not fit, to ask it ends the process.
    """
    stream.seek(max(0, size - _FOOTER_END))
    length = int.from_bytes(stream.read(4), "little")
    stream.seek(max(0, size - _FOOTER_END - length))
    footer = _struct(io.BytesIO(stream.read(length)))
    found = []
    for about in [chunk[_ABOUT] for group in footer[_GROUPS] for chunk in group[_COLUMNS]]:
        place, dictionary = about[_FIRST_DATA], about.get(_DICTIONARY, 0)
        values, packed = about[_VALUES], about[_SIZE]
        if min(place, dictionary, values, packed) < 0:
            raise ValueError("the footer is damaged")
        place = min(place, dictionary or place)
        found.append((place, place + packed if values else place, values))
    return found


def _pages(stream: IO[bytes], place: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield of each page its bytes when unpacked, and its values."""
    while place < end:
        stream.seek(place)
        header = _struct(stream)
        about: _Fields = header.get(_DATA) or header.get(_DATA_2) or {}
        sizes: list[Any] = [header.get(_UNPACKED), header.get(_PACKED), about.get(_COUNT, 0)]
        if not all(map(is_count, sizes)):
            raise ValueError("a page's header is damaged")
        unpacked, packed, values = sizes
        yield unpacked, values
        place = stream.tell() + packed


def _struct(stream: IO[bytes], depth: int = 0) -> _Fields:
    """Return the fields of a struct by their numbers and kinds."""
    fields: _Fields = {}
    seen = {0}
    number = 0
    while head := _byte(stream):
        kind, step = head & 0xF, head >> 4
        number = number + step if step else _signed(stream, _SHORT)
        if number in seen:
            raise ValueError("a field stands there twice")
        seen.add(number)
        fields[number, kind] = True if kind in _BOOLEANS else _value(stream, kind, depth)
    return fields


def _value(stream: IO[bytes], kind: int, depth: int) -> Any:
    if depth > _DEPTH:
        raise ValueError("a page's header, or the footer, is too deep")
    if kind in _BITS:
        return _signed(stream, kind)
    if kind == _BYTE or kind in _BOOLEANS:
        return _byte(stream)
    if kind == _DOUBLE:
        return stream.read(8)
    if kind == _BINARY:  # the least and the largest value, for instance
        return stream.seek(_varint(stream), 1)
    if kind in _LISTS:
        head = _byte(stream)
        count = head >> 4 if head >> 4 < _LONG_LIST else _varint(stream)
        return [_value(stream, head & 0xF, depth + 1) for _ in range(count)]
    if kind == _STRUCT:
        return _struct(stream, depth + 1)
    raise ValueError(f"a page's header, or the footer, holds a field of kind {kind}")


def _signed(stream: IO[bytes], kind: int) -> int:
    number = _varint(stream)
    if number >> _BITS[kind]:  # others keep the lower bits
        raise ValueError("a number is too large for its field")
    return number >> 1 ^ -(number & 1)


def _varint(stream: IO[bytes]) -> int:
    number = 0
    for shift in range(0, 70, 7):
        part = _byte(stream)
        number |= (part & ~_MORE) << shift
        if part < _MORE:
            return number
    raise ValueError("a number has over 64 bits")


def _byte(stream: IO[bytes]) -> int:
    (byte,) = stream.read(1) or (None,)
    if byte is None:
        raise ValueError("a page's header, or the footer, is cut off")
    return byte
