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
    run_in_threads,
)
from fer2013kit.emotions import CLASS_NAMES, IMAGE_SHAPE, IMAGE_SIZE, NUM_CLASSES
from fer2013kit.exceptions import DatasetFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fer2013kit._arrays import IntArray, UInt8Array

_BOM: Final = b"\xef\xbb\xbf"
_USAGES: Final = ("Training", "PublicTest", "PrivateTest")

# The shortest row: 2304 one-digit pixels with a blank or line end behind each.
_SHORTEST_ROW: Final = 2 * IMAGE_SIZE
_LONGEST_LINE: Final = 2**16
_MAX_BYTES: Final = 2**32
_BLOCK: Final = 64


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
        Opened for reading bytes.
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
    lines = io.BufferedReader(stream, 2**20)  # type: ignore[type-var]  # any readinto will do
    first = lines.readline(_LONGEST_LINE)
    header = parse_header(first)
    if header is None:
        raise DatasetFormatError(
            "expected a header line such as 'emotion,pixels,Usage', received "
            f"{first[:80].decode(errors='replace').strip()!r}",
            path=path,
            line_number=1,
        )
    capacity = size // _SHORTEST_ROW + 1
    images = np.empty((capacity, IMAGE_SIZE), np.uint8)
    labels: list[int] = []
    splits: list[int] = []

    def parse(block: _Block) -> None:
        out = images[block.first_row : block.first_row + len(block.pixels)]
        if not _parse_fast(block.pixels, out):
            _parse_exactly(block, out, path)

    run_in_threads(parse, _blocks(lines, header, labels, splits, path))
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
    default_split = 0 if header.emotion is not None else SPLIT_NAMES.index("test")
    numbers: list[int] = []
    pixels: list[bytes] = []
    number = 1
    while line := lines.readline(_LONGEST_LINE):
        number += 1
        if not line.strip():
            continue
        fields = _cut(line, header.width)
        if len(fields) != header.width:
            raise DatasetFormatError(
                f"expected {header.width} comma-separated fields, received {len(fields)}; "
                "is the file cut off? Get it again",
                path=path,
                line_number=number,
            )
        labels.append(
            NO_LABEL
            if header.emotion is None
            else _parse_emotion(fields[header.emotion], path, number)
        )
        splits.append(
            default_split
            if header.usage is None
            else _parse_usage(fields[header.usage], path, number)
        )
        numbers.append(number)
        pixels.append(fields[header.pixels])
        if len(pixels) == _BLOCK:
            yield _Block(len(labels) - len(pixels), numbers, pixels)
            numbers, pixels = [], []
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


def _parse_emotion(field: bytes, path: Path, number: int) -> int:
    text = field.strip()
    if len(text) == 1 and b"0" <= text < b"%d" % NUM_CLASSES:
        return text[0] - ord("0")
    raise DatasetFormatError(
        f"unknown emotion {text[:40].decode(errors='replace')!r}; expected a code from 0 to "
        f"{NUM_CLASSES - 1} ({', '.join(CLASS_NAMES)})",
        path=path,
        line_number=number,
    )


def _parse_usage(field: bytes, path: Path, number: int) -> int:
    text = field.strip().decode(errors="replace")
    code = USAGE_SPLITS.get(text.lower())
    if code is None:
        raise DatasetFormatError(
            f"unknown Usage {text[:40]!r}; expected {', '.join(_USAGES)}",
            path=path,
            line_number=number,
        )
    return code


def _parse_fast(fields: list[bytes], out: UInt8Array) -> bool:
    """Parse all pixels of a block at once; False where something looks unusual.

    Unusual is all but 2304 numbers of one to three digits, up to 255, with single blanks
    between them: what is merely untidy and what is wrong, ``_parse_exactly`` finds out.
    """
    tidy = [field.strip() for field in fields]
    if any(field.count(b" ") != IMAGE_SIZE - 1 for field in tidy):
        return False
    text = np.frombuffer(b" ".join([*tidy, b""]), np.uint8)
    digits = text - np.uint8(ord("0"))  # a byte before "0" wraps round and is above 9 too
    ends: IntArray = np.flatnonzero(digits > 9)  # noqa: PLR2004 - the highest digit
    if len(ends) != out.size:  # other bytes than digits and the blanks that were counted
        return False
    lengths = np.diff(ends, prepend=-1) - 1
    if lengths.min() < 1 or lengths.max() > 3:  # noqa: PLR2004 - three digits
        return False
    values = digits[ends - 1].astype(np.uint16)
    values += np.where(lengths > 1, digits[ends - 2], 0) * np.uint16(10)
    values += np.where(lengths > 2, digits[ends - 3], 0) * np.uint16(100)  # noqa: PLR2004
    if values.max() > np.iinfo(np.uint8).max:
        return False
    out[:] = values.reshape(out.shape)
    return True


def _parse_exactly(block: _Block, out: UInt8Array, path: Path) -> None:
    """Parse a block pixel by pixel, and say which one is wrong and where."""
    for row, number, field in zip(out, block.line_numbers, block.pixels, strict=True):
        tokens = field.split()
        for place, token in enumerate(tokens, start=1):
            if not token.isdigit() or int(token) > np.iinfo(np.uint8).max:
                raise DatasetFormatError(
                    f"pixel {place} is {token[:40].decode(errors='replace')!r}; "
                    "expected a whole number from 0 to 255",
                    path=path,
                    line_number=number,
                )
        if len(tokens) != IMAGE_SIZE:
            raise DatasetFormatError(
                f"expected {IMAGE_SIZE} pixels (48x48), received {len(tokens)}",
                path=path,
                line_number=number,
            )
        row[:] = [int(token) for token in tokens]
