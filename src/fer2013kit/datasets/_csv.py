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
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from fer2013kit.datasets._csv_pixels import parse_pixels, parse_row, show
from fer2013kit.datasets._rows import (
    NO_LABEL,
    SPLIT_NAMES,
    USAGE_SPLITS,
    Rows,
    order_by_split,
    run_in_threads,
)
from fer2013kit.emotions import CLASS_NAMES, IMAGE_SIZE, NUM_CLASSES
from fer2013kit.exceptions import DatasetFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fer2013kit._checks import UInt8Array
    from fer2013kit.datasets._new_images import NewImages

_BOM: Final = b"\xef\xbb\xbf"
_USAGES: Final = ("Training", "PublicTest", "PrivateTest")

_Known = dict[tuple[bytes, bytes], tuple[int, int]]

# The shortest row: 2304 one-digit pixels with a blank or line end behind each.
_SHORTEST_ROW: Final = 2 * IMAGE_SIZE
# Seven times the original: what is longer is another file, or an attack by compression.
_MAX_BYTES: Final = 2**31
# Read and parsed at once: few enough to stay in the processor's cache, enough that the threads
# seldom wait for the interpreter.
_BLOCK_BYTES: Final = 2**19


@dataclass(frozen=True)
class Header:
    """Which column holds what, counted from 0."""

    width: int
    pixels: int
    emotion: int | None
    usage: int | None


@dataclass
class _Block:
    """Some lines of the file, and where in them each row and its pixels stand."""

    text: bytes
    first_row: int
    line_numbers: list[int] = field(default_factory=list)
    lines: list[slice] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    error: DatasetFormatError | None = None  # of the line behind the last row


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


def read_csv(stream: IO[bytes], size: int, new: NewImages, *, path: Path) -> Rows:
    """Read a CSV of any dialect.

    Without a column ``Usage`` all rows belong to train, or to test where there is no column
    ``emotion`` either.

    Parameters
    ----------
    stream : file object
        Opened for reading bytes; is closed.
    size : int
        Length in bytes, or more; room for so many rows is reserved (not used).
    new : NewImages
        Gives the array to read into.
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
    with stream:
        return _read_lines(stream, size, new, path)


def _read_lines(stream: IO[bytes], size: int, new: NewImages, path: Path) -> Rows:
    first = stream.readline(_BLOCK_BYTES)
    header = parse_header(first)
    if header is None:
        raise DatasetFormatError(
            "expected a header line such as 'emotion,pixels,Usage', received "
            f"{first[:80].decode(errors='replace').strip()!r}",
            path=path,
            line_number=1,
        )
    images = new.empty(size // _SHORTEST_ROW + 1)
    pixels = images.reshape(-1, IMAGE_SIZE)
    labels: list[int] = []
    splits: list[int] = []
    # Once it has freed an array of this size, glibc keeps the freed memory of smaller ones at hand;
    # else it fetches new pages from the system for each block, which doubles the time.
    np.empty(2**22, np.uint8)

    def parse(block: _Block) -> None:
        out = pixels[block.first_row : block.first_row + len(block.lines)]
        if len(out) < len(block.lines) or not parse_pixels(
            block.text, block.starts, block.ends, out
        ):
            _parse_exactly(block, header, out, path)
        if block.error is not None:
            raise block.error

    run_in_threads(parse, _blocks(stream, header, labels, splits, path))
    if not labels:
        raise DatasetFormatError("expected rows after the header, received none", path=path)
    return order_by_split(
        images[: len(labels)],
        np.array(labels, np.int64),
        np.array(splits, np.int64),
        in_csv_order=header.usage is not None,
    )


def _blocks(
    stream: IO[bytes], header: Header, labels: list[int], splits: list[int], path: Path
) -> Iterator[_Block]:
    """Hand out blocks of whole lines, and append the label and split of each row."""
    known: _Known = {}
    number = 1
    for text in _whole_lines(stream):
        block = _Block(text, first_row=len(labels))
        locate = _locate if b'"' not in text else _locate_slowly
        end = 0
        while end < len(text):
            start, end = end, text.find(b"\n", end) + 1 or len(text)
            number += 1
            try:
                found = locate(text, start, end, header, known)
            except ValueError as error:
                block.error = DatasetFormatError(str(error), path=path, line_number=number)
                yield block
                return
            if found is None:
                continue
            label, split, first, last = found
            labels.append(label)
            splits.append(split)
            block.line_numbers.append(number)
            block.lines.append(slice(start, end))
            block.starts.append(first)
            block.ends.append(last)
        if block.lines:
            yield block


def _whole_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Read blocks that end where a line ends; a line that is longer than a block is cut."""
    rest = b""
    while part := stream.read(_BLOCK_BYTES):
        text = rest + part
        end = text.rfind(b"\n") + 1 or len(text)
        yield text[:end]
        rest = text[end:]
    if rest:
        yield rest


def _locate(
    text: bytes, start: int, end: int, header: Header, known: _Known
) -> tuple[int, int, int, int] | None:
    """Return a row's label and split, and where its pixels begin and end; None for a blank line.

    ``known`` gathers what stands before and behind the pixels, which is the same in many rows.
    """
    first, last = start, end
    for _ in range(header.pixels):
        first = text.find(b",", first, end) + 1 or end
    for _ in range(header.width - 1 - header.pixels):
        last = text.rfind(b",", first, last)
    if last - first < _SHORTEST_ROW - 1:
        return _locate_slowly(text, start, end, header, known)
    key = text[start:first], text[last:end]
    if key not in known:
        try:
            known[key] = _parse_label_and_split(b"".join(key).split(b","), header)
        except ValueError:
            return _locate_slowly(text, start, end, header, known)
    if last == end:
        last = first + len(text[first:end].rstrip())
    return *known[key], first, last


def _locate_slowly(
    text: bytes, start: int, end: int, header: Header, _known: _Known
) -> tuple[int, int, int, int] | None:
    """Do the same for any line; ValueError says what is wrong with it."""
    line = text[start:end]
    if not line.strip():
        return None
    fields = _cut(line, header.width)
    label, split = _parse_label_and_split(fields, header)
    pixels = fields[header.pixels].strip()
    first = start + max(line.find(pixels), 0)
    return label, split, first, first + len(pixels)


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
                f"unknown emotion {show(emotion)}; expected a code from 0 to "
                f"{NUM_CLASSES - 1} ({', '.join(CLASS_NAMES)})"
            )
        label = int(emotion)
    if header.usage is None:
        return label, 0 if header.emotion is not None else SPLIT_NAMES.index("test")
    usage = fields[header.usage].strip()
    split = USAGE_SPLITS.get(usage.decode("latin-1").lower())
    if split is None:
        raise ValueError(f"unknown Usage {show(usage)}; expected {', '.join(_USAGES)}")
    return label, split


def _parse_exactly(block: _Block, header: Header, out: UInt8Array, path: Path) -> None:
    """Parse a block row by row, and say which is wrong.

    There may be more rows than ``out`` has room for, but a wrong one comes before that.
    """
    for row, (number, line) in enumerate(zip(block.line_numbers, block.lines, strict=True)):
        fields = _cut(block.text[line], header.width)
        try:
            _parse_label_and_split(fields, header)
            out[row] = parse_row(fields[header.pixels])
        except ValueError as error:
            raise DatasetFormatError(str(error), path=path, line_number=number) from None
