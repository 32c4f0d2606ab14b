"""What a parquet file unpacks to, page by page, before Arrow unpacks any of it.

The footer says so, too, but nobody holds it to that; a page's header is what Arrow goes by.  The
headers are structs in Thrift's compact protocol (``parquet.thrift``: ``PageHeader``).
"""

from __future__ import annotations

import itertools
from typing import IO, TYPE_CHECKING, Any, Final

from fer2013kit._untrusted import check_unpacked, is_count

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_ROWS: Final = 256
_BATCH_BYTES: Final = 2**27
_VALUE_BYTES: Final = 8  # of a number in memory; repeated ones are packed into next to nothing
_DEPTH: Final = 8

_UNPACKED, _PACKED, _DATA, _DATA_2 = 2, 3, 5, 8
_COUNT: Final = 1  # of a data page's values
# Kinds of fields; a boolean's value stands in its kind, but in a list it is a byte.
_BOOLEANS: Final = {1, 2}
_BYTE: Final = 3
_INTEGERS: Final = {4, 5, 6}
_DOUBLE: Final = 7
_BINARY: Final = 8
_LISTS: Final = {9, 10}
_STRUCT: Final = 12
_LONG_LIST: Final = 15
_MORE: Final = 0x80


def check_pages(stream: IO[bytes], metadata: Any, size: int) -> int:
    """Return how many rows may be read at a time.

    A value is at most as large as the largest page, and many rows can refer to it, or to most of
    it: so many of them may be in memory at once.

    Raises
    ------
    ValueError
        Where a column unpacks to more than so small a file may, or its pages are damaged.
    """
    largest = 1
    total = 0
    for group, column in itertools.product(
        range(metadata.num_row_groups), range(metadata.num_columns)
    ):
        for unpacked, values in _pages(stream, metadata.row_group(group).column(column)):
            largest = max(largest, unpacked)
            total += max(unpacked, values * _VALUE_BYTES)
            check_unpacked(total, size)
    return max(1, min(_MOST_ROWS, _BATCH_BYTES // largest))


def _pages(stream: IO[bytes], column: Any) -> Iterator[tuple[int, int]]:
    """Yield of each page its bytes when unpacked, and its values."""
    place = column.data_page_offset
    if column.has_dictionary_page:
        place = min(place, column.dictionary_page_offset or place)
    end = place + column.total_compressed_size if column.num_values else place
    while place < end:
        stream.seek(place)
        header = _struct(stream)
        about = header.get(_DATA, header.get(_DATA_2, {}))
        values = about.get(_COUNT, 0) if isinstance(about, dict) else None
        sizes: list[Any] = [header.get(_UNPACKED), header.get(_PACKED), values]
        if not all(map(is_count, sizes)):
            raise ValueError("a page's header is damaged")
        unpacked, packed, values = sizes
        yield unpacked, values
        place = stream.tell() + packed


def _struct(stream: IO[bytes], depth: int = 0) -> dict[int, Any]:
    """Return the fields of a struct by their numbers."""
    fields: dict[int, Any] = {}
    number = 0
    while head := _byte(stream):
        kind, step = head & 0xF, head >> 4
        number = number + step if step else _signed(stream)
        fields[number] = True if kind in _BOOLEANS else _value(stream, kind, depth)
    return fields


def _value(stream: IO[bytes], kind: int, depth: int) -> Any:
    if depth > _DEPTH:
        raise ValueError("a page's header is too deep")
    if kind in _INTEGERS:
        return _signed(stream)
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
    raise ValueError(f"a page's header holds a field of kind {kind}")


def _signed(stream: IO[bytes]) -> int:
    number = _varint(stream)
    return number >> 1 ^ -(number & 1)


def _varint(stream: IO[bytes]) -> int:
    number = 0
    for shift in range(0, 70, 7):
        part = _byte(stream)
        number |= (part & ~_MORE) << shift
        if part < _MORE:
            return number
    raise ValueError("a page's header holds a number of over 64 bits")


def _byte(stream: IO[bytes]) -> int:
    (byte,) = stream.read(1) or (None,)
    if byte is None:
        raise ValueError("a page's header is cut off")
    return byte
