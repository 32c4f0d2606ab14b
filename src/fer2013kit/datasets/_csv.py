"""Reader of the CSV dialects.

The header lines as they are handed round::

    emotion,pixels,Usage        fer2013.csv
    emotion, Usage, pixels      icml_face_data.csv (with these leading spaces)
    emotion,pixels              train.csv of the challenge
    pixels                      test.csv of the challenge

Pixels are 2304 numbers from 0 to 255 with blanks between them, quoted or not.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from fer2013kit.datasets._rows import (
    NO_LABEL,
    SPLIT_NAMES,
    USAGE_SPLITS,
    Rows,
    order_by_split,
)
from fer2013kit.emotions import CLASS_NAMES, IMAGE_SHAPE, IMAGE_SIZE, NUM_CLASSES
from fer2013kit.exceptions import DatasetFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fer2013kit._arrays import UInt8Array

_BOM: Final = b"\xef\xbb\xbf"
_USAGES: Final = ("Training", "PublicTest", "PrivateTest")

# The shortest row: 2304 one-digit pixels with a blank or line end behind each.
_SHORTEST_ROW: Final = 2 * IMAGE_SIZE
_LONGEST_LINE: Final = 2**16
# Seven times the original: what is longer is another file, or an attack by compression.
_MAX_BYTES: Final = 2**31
# Rows parsed at once: few, so that they stay in the processor's cache.
_BLOCK: Final = 16


@dataclass(frozen=True)
class Header:
    """Which column holds what, counted from 0."""

    width: int
    pixels: int
    emotion: int | None
    usage: int | None


@dataclass(frozen=True)
class _Block:
    """Some lines of the file, their fields cut apart but not yet read."""

    first_row: int
    line_numbers: list[int]
    pixels: list[bytes]


def parse_header(line: bytes) -> Header | None:
    """Return where the columns stand, or None for a line that is no header of ours."""
    try:
        names = next(csv.reader([line.removeprefix(_BOM).decode()]), [])
    except (UnicodeDecodeError, csv.Error):
        return None
    columns = {name.strip().lower(): place for place, name in reversed([*enumerate(names)])}
    if "pixels" not in columns:
        return None
    return Header(len(names), columns["pixels"], columns.get("emotion"), columns.get("usage"))


def read_csv(stream: IO[bytes], size: int, *, path: Path) -> Rows:
    """Read a CSV of any dialect.

    Without a column ``Usage`` all rows belong to train, or to test where there is no column
    ``emotion`` either.

    Parameters
    ----------
    stream : file object
        Opened for reading bytes; is closed.
    size : int
        Length in bytes, or more; memory for so many rows is reserved (not used).
    path : Path
        What errors call the file.

    Returns
    -------
    Rows
        Train, validation, test, each in the order of the file.

    Raises
    ------
    DatasetFormatError
        With the number of the first line that is not as it should be.
    """
    if size > _MAX_BYTES:
        raise DatasetFormatError(
            f"expected at most {_MAX_BYTES:,} bytes, received {size:,}", path=path
        )
    with io.BufferedReader(stream, 2**17) as lines:  # type: ignore[type-var]  # has readinto
        return _read_lines(lines, size, path)


def _read_lines(lines: IO[bytes], size: int, path: Path) -> Rows:
    first = lines.readline(_LONGEST_LINE)
    header = parse_header(first)
    if header is None:
        raise DatasetFormatError(
            "expected a header line such as 'emotion,pixels,Usage', received "
            f"{first[:80].decode(errors='replace').strip()!r}",
            path=path,
            line_number=1,
        )
    capacity = size // _SHORTEST_ROW + _BLOCK  # a last block may hold rows that are too short
    images = np.empty((capacity, IMAGE_SIZE), np.uint8)
    labels: list[int] = []
    splits: list[int] = []
    # Once it has freed an array of this size, glibc keeps the freed memory of smaller ones at hand;
    # else it fetches new pages from the system for each block, which doubles the time.
    np.empty(2**22, np.uint8)
    for block in _blocks(lines, header, labels, splits, path):
        out = images[block.first_row : block.first_row + len(block.pixels)]
        if not _parse_fast(block.pixels, out):
            _parse_exactly(block, out, path)
    if not labels:
        raise DatasetFormatError("expected rows after the header, received none", path=path)
    return order_by_split(
        images[: len(labels)].reshape(-1, *IMAGE_SHAPE),
        np.array(labels, np.int64),
        np.array(splits, np.int64),
        in_csv_order=header.usage is not None,
    )


def _blocks(
    lines: IO[bytes], header: Header, labels: list[int], splits: list[int], path: Path
) -> Iterator[_Block]:
    """Cut lines into fields, append labels and splits, and hand out the pixels in blocks."""
    numbers: list[int] = []
    pixels: list[bytes] = []
    number = 1
    try:
        while line := lines.readline(_LONGEST_LINE):
            number += 1
            if not line.strip():
                continue
            fields = _cut(line, header.width)
            label, split = _parse_label_and_split(fields, header)
            labels.append(label)
            splits.append(split)
            numbers.append(number)
            pixels.append(fields[header.pixels].strip())
            if len(pixels) == _BLOCK:
                yield _Block(len(labels) - len(pixels), numbers, pixels)
                numbers, pixels = [], []
    except ValueError as error:
        if pixels:  # a wrong pixel of an earlier line comes first
            yield _Block(len(labels) - len(pixels), numbers, pixels)
        raise DatasetFormatError(str(error), path=path, line_number=number) from None
    if pixels:
        yield _Block(len(labels) - len(pixels), numbers, pixels)


def _cut(line: bytes, width: int) -> list[bytes]:
    """Cut a line at its commas; quotes are taken off."""
    if b'"' not in line:
        return line.split(b",")
    fields = line.replace(b'"', b"").split(b",")
    if len(fields) == width:  # no comma was inside of the quotes
        return fields
    try:
        return [field.encode() for field in next(csv.reader([line.decode("latin-1")]), [])]
    except csv.Error:
        return []


def _parse_label_and_split(fields: list[bytes], header: Header) -> tuple[int, int]:
    """Return the class code and the split's place; ValueError says what is wrong with them."""
    if len(fields) != header.width:
        raise ValueError(
            f"expected {header.width} comma-separated fields, received {len(fields)}; "
            "is the file cut off? Get it again"
        )
    label = NO_LABEL
    if header.emotion is not None:
        emotion = fields[header.emotion].strip()
        if len(emotion) != 1 or not b"0" <= emotion < b"%d" % NUM_CLASSES:
            raise ValueError(
                f"unknown emotion {_show(emotion)}; expected a code from 0 to "
                f"{NUM_CLASSES - 1} ({', '.join(CLASS_NAMES)})"
            )
        label = int(emotion)
    if header.usage is None:
        return label, 0 if header.emotion is not None else SPLIT_NAMES.index("test")
    usage = fields[header.usage].strip()
    split = USAGE_SPLITS.get(usage.decode("latin-1").lower())
    if split is None:
        raise ValueError(f"unknown Usage {_show(usage)}; expected {', '.join(_USAGES)}")
    return label, split


def _show(text: bytes) -> str:
    return repr(text[:40].decode(errors="replace"))


def _parse_fast(fields: list[bytes], out: UInt8Array) -> bool:
    """Parse all pixels of a block at once; False where something is not as it should be.

    Every byte is looked at together with the two before it, in 8-bit arithmetic; of the sums only
    those at the last digit of a number are taken.  What is wrong, ``_parse_exactly`` finds out.
    """
    text = np.frombuffer(b" ".join([b" ", *fields, b""]), np.uint8)  # two blanks before the first
    digits = text - np.uint8(ord("0"))  # what stands before "0" wraps round to above 9
    is_digit = (digits <= 9).view(np.uint8)  # noqa: PLR2004 - the highest digit
    if not ((text == ord(" ")) | is_digit).all():
        return False
    digits *= is_digit
    hundreds = digits[:-3] * is_digit[1:-2] * is_digit[2:-1]
    below_hundred = digits[1:-2] * np.uint8(10) + digits[2:-1]
    values = hundreds * np.uint8(100) + below_hundred
    four_digits = is_digit[:-3] & is_digit[1:-2] & is_digit[2:-1] & is_digit[3:]
    above_299 = hundreds.max() > 2  # noqa: PLR2004 - the hundreds of 255
    if above_299 or (values < below_hundred).any() or four_digits.any():
        return False
    ends = np.flatnonzero(is_digit[2:-1] > is_digit[3:])
    if len(ends) != out.size:
        return False
    # Each field's last number must be its 2304th: no row may borrow from the next.
    field_ends = np.cumsum([len(field) + 1 for field in fields])
    per_row = ends.reshape(out.shape)
    if (per_row[:, -1] >= field_ends).any() or (per_row[1:, 0] < field_ends[:-1]).any():
        return False
    out[:] = values[per_row]
    return True


def _parse_exactly(block: _Block, out: UInt8Array, path: Path) -> None:
    """Parse a block number by number, and say which one is wrong and where."""
    for row, line_number, field in zip(out, block.line_numbers, block.pixels, strict=True):
        pixels = field.split()
        for place, pixel in enumerate(pixels, start=1):
            if not pixel.isdigit() or int(pixel) > np.iinfo(np.uint8).max:
                raise DatasetFormatError(
                    f"pixel {place} is {_show(pixel)}; expected a whole number from 0 to 255",
                    path=path,
                    line_number=line_number,
                )
        if len(pixels) != IMAGE_SIZE:
            raise DatasetFormatError(
                f"expected {IMAGE_SIZE} pixels (48x48), received {len(pixels)}",
                path=path,
                line_number=line_number,
            )
        row[:] = [int(pixel) for pixel in pixels]
