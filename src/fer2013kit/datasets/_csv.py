"""Reader of CSV files with pixels; :mod:`._csv_header` says which columns they have.

Pixels are 2304 numbers from 0 to 255 with blanks between them, quoted or not, or in columns of
their own.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from fer2013kit._threads import run_in_threads
from fer2013kit.datasets._csv_header import (
    agreed,
    header_fault,
    parse_header,
    passed_over_columns,
    read_line,
    row_fault,
    separator_of,
    with_commas,
    with_words,
)
from fer2013kit.datasets._csv_pixels import of_lists, parse_pixels, parse_row
from fer2013kit.datasets._labels import LEFT_OUT
from fer2013kit.datasets._names import NO_SPLIT, SplitColumn
from fer2013kit.datasets._rows import NO_LABEL, Part
from fer2013kit.emotions import IMAGE_SIZE
from fer2013kit.exceptions import DatasetFormatError, counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fer2013kit._checks import UInt8Array
    from fer2013kit.datasets._listing import Options
    from fer2013kit.datasets._new_images import NewImages

# The shortest row: 2304 one-digit pixels with a blank or line end behind each.
_SHORTEST_ROW: Final = 2 * IMAGE_SIZE
# Seven times the original: what is longer is another file, or an attack by compression.
_MAX_BYTES: Final = 2**31
# Read and parsed at once: few enough to stay in the processor's cache, enough that the threads
# seldom wait for the interpreter.
_BLOCK_BYTES: Final = 2**19

_LINE_ENDS: Final = 9  # a byte order mark before a line, blanks and line ends behind it
_BLANK_LINES: Final = re.compile(rb"[\r\n]+")
_MAX_EMPTY_ROWS: Final = 100_000

_Place = tuple[int, int, int, int]  # label, split, where the pixels begin and end


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


def read_csv(
    stream: IO[bytes], size: int | None, options: Options, new: NewImages, *, path: Path
) -> Part:
    """Read a CSV of any dialect: its rows in order, without those of classes that are left out.

    ``size`` is its length in bytes, or more: room for so many rows is reserved (not used).  Errors
    call the file by its ``path``.

    Raises
    ------
    DatasetFormatError
        With the number of the first line that is not as it should be.
    """
    if size is not None and size > _MAX_BYTES:
        raise DatasetFormatError(
            f"expected at most {_MAX_BYTES:,} bytes, received {size:,}", path=path
        )
    return _Reader(stream, options, path).read(size, new)


class _Reader:
    """One file while it is read: its header, and what was gathered of its rows so far."""

    def __init__(self, stream: IO[bytes], options: Options, path: Path) -> None:
        first = stream.readline(_BLOCK_BYTES)
        header = parse_header(first)
        if header is None:
            raise DatasetFormatError(
                "expected a header line such as 'emotion,pixels,Usage', received "
                f"{first[:80].decode(errors='replace').strip()!r}",
                path=path,
                line_number=1,
            )
        if fault := header_fault(header):
            raise DatasetFormatError(fault, path=path, line_number=1)
        self.header = header
        self.first = read_line(first)
        self.separator = separator_of(first)
        self.split_columns = [SplitColumn(header.names[place]) for place in header.splits]
        self.stream, self.options, self.path = stream, options, path
        self.labels: list[int] = []
        self.splits: list[int] = []
        self.left_out: list[str] = []
        self.empty_rows = self.repeated = 0
        # What stands before and behind the pixels is the same in many rows.
        self.known: dict[tuple[bytes, bytes], tuple[int, int]] = {}

    def read(self, size: int | None, new: NewImages) -> Part:
        """Read all rows."""
        room: UInt8Array | None = None
        chunks: dict[int, UInt8Array] = {}  # by first row, where nobody knows how many there are
        if size is not None and not self.options.resize:
            room = new.empty(size // _SHORTEST_ROW + 1).reshape(-1, IMAGE_SIZE)
        # Once it has freed an array of this size, glibc keeps the freed memory of smaller ones at
        # hand; else it fetches new pages from the system for each block, which doubles the time.
        np.empty(2**22, np.uint8)

        def parse(block: _Block) -> None:
            first, count = block.first_row, len(block.lines)
            if room is None:
                chunks[first] = np.empty((count, IMAGE_SIZE), np.uint8)
            self._parse(block, chunks[first] if room is None else room[first : first + count])

        run_in_threads(parse, self._blocks())
        if not self.labels and not self.left_out:
            raise DatasetFormatError(
                "expected rows after the header, received none", path=self.path
            )
        if room is None:
            none = np.empty((0, IMAGE_SIZE), np.uint8)  # where all rows are left out
            pixels = np.concatenate([none, *(chunks[first] for first in sorted(chunks))])
        else:
            pixels = room[: len(self.labels)]
        part = Part.of(pixels, self.labels, self.splits, left_out=self.left_out)
        part.notes += self._notes()
        return part

    def _notes(self) -> list[str]:
        notes = []
        if others := [self.header.names[place] for place in self.header.others]:
            notes.append(passed_over_columns(others))
        if self.empty_rows:
            notes.append(f"skipped {counted(self.empty_rows, 'row')} without any content")
        if self.repeated:
            notes.append(f"skipped {counted(self.repeated, 'line')} of names between the rows")
        return notes

    def _blocks(self) -> Iterator[_Block]:
        """Hand out blocks of whole rows, and append the label and split of each row."""
        number = 2  # of the line behind the header
        for text in self._whole_rows():
            block = _Block(text, first_row=len(self.labels))
            locate = self._locate_slowly if b'"' in text else self._locate
            for line_number, start, end in _rows_of(text, number):
                try:
                    found = locate(text, start, end)
                except ValueError as error:
                    block.error = DatasetFormatError(
                        str(error), path=self.path, line_number=line_number
                    )
                    yield block
                    return
                if found is not None:
                    label, split, first, last = found
                    self.labels.append(label)
                    self.splits.append(split)
                    block.line_numbers.append(line_number)
                    block.lines.append(slice(start, end))
                    block.starts.append(first)
                    block.ends.append(last)
            if block.lines:
                yield block
            number += text.count(b"\n")

    def _whole_rows(self) -> Iterator[bytes]:
        """Read blocks that end where a row ends; one that is longer than a block is cut."""
        rest = b""
        total = 0
        while part := self.stream.read(_BLOCK_BYTES):
            total += len(part)
            if total > _MAX_BYTES:
                raise DatasetFormatError(f"expected at most {_MAX_BYTES:,} bytes", path=self.path)
            text = rest + with_commas(part, self.separator)
            end = text.rfind(b"\n") + 1 or len(text)
            if b'"' in text and text.count(b'"', 0, end) % 2:  # within a field of several lines
                end = text.rfind(b"\n", 0, text.rfind(b'"', 0, end)) + 1 or len(text)
            yield text[:end]
            rest = text[end:]
        if rest:
            yield rest

    def _locate(self, text: bytes, start: int, end: int) -> _Place | None:
        """Return a row's label and split, and where its pixels stand; None for an empty row."""
        header = self.header
        first, last = start, end
        for _ in range(header.pixels):
            first = text.find(b",", first, end) + 1 or end
        for _ in range(header.width - 1 - header.pixels):
            last = text.rfind(b",", first, last)
        if last - first < _SHORTEST_ROW - 1:
            return self._locate_slowly(text, start, end)
        key = text[start:first], text[last:end]
        if key not in self.known:
            try:
                self.known[key] = self._label_and_split(b"".join(key).split(b","))
            except ValueError:
                return self._locate_slowly(text, start, end)
        if self.known[key][0] == LEFT_OUT:
            return self._locate_slowly(text, start, end)
        if last == end:
            last = first + len(text[first:end].rstrip())
        return *self.known[key], first, last

    def _locate_slowly(self, text: bytes, start: int, end: int) -> _Place | None:
        """Do the same for any row; ValueError says what is wrong with it."""
        line = text[start:end]
        if not line.strip(b' ,\t\r\n"'):
            self.empty_rows += 1
            if self.empty_rows > _MAX_EMPTY_ROWS:
                raise ValueError(f"more than {_MAX_EMPTY_ROWS:,} rows have no content")
            return None
        # Several files, one written behind another.
        if len(line) < len(self.first) + _LINE_ENDS and read_line(line) == self.first:
            self.repeated += 1
            return None
        fields = self._cut(line)
        label, split = self._label_and_split(fields)
        if label == LEFT_OUT:
            self.left_out.append(_text(fields[self.header.labels[0]]).strip())
            return None
        pixels = fields[self.header.pixels].strip()
        first = start + max(line.find(pixels), 0)
        return label, split, first, first + len(pixels)

    def _cut(self, line: bytes) -> list[bytes]:
        """Cut a row at its commas; quotes are taken off, and pixels in columns are one field."""
        if b'"' not in line:
            fields = line.split(b",")
        else:
            fields = line.replace(b'"', b"").split(b",")
            if len(fields) != self.header.width:
                try:  # a comma was inside of the quotes, or each pixel has a column
                    cut = next(csv.reader([line.decode("latin-1")]), [])
                except csv.Error:
                    return []
                fields = [field.encode("latin-1") for field in cut]
        if self.header.in_columns:
            first = self.header.pixels
            end = len(fields) - (self.header.width - 1 - first)
            fields[first:end] = [b",".join(fields[first:end])]
        return fields

    def _label_and_split(self, fields: list[bytes]) -> tuple[int, int]:
        """Return the class code and the split's place; ValueError says what is wrong."""
        header = self.header
        if len(fields) != header.width:
            raise ValueError(
                f"expected {header.width} comma-separated fields, received {len(fields)}; "
                "is the file cut off? Get it again"
            )
        if not self.labels and not self.left_out:  # the first row
            texts = list(map(_text, fields))
            header = self.header = with_words(header, texts)
            if fault := row_fault(header, texts):
                raise ValueError(fault)
        label, split = NO_LABEL, NO_SPLIT
        if header.labels:
            told = [(header.names[place], _text(fields[place])) for place in header.labels]
            labels = self.options.labels
            codes = [labels.known_code(word, name, numbers=True) for name, word in told]
            label = agreed(codes, told)
        if header.splits:
            told = [(header.names[place], _text(fields[place])) for place in header.splits]
            columns = zip(self.split_columns, told, strict=True)
            split = agreed([column.code(word) for column, (_, word) in columns], told)
        return label, split

    def _parse(self, block: _Block, out: UInt8Array) -> None:
        """Parse the pixels of a block; raise what is wrong with it."""
        text = of_lists(block.text) if self.header.in_columns else block.text
        if len(out) < len(block.lines) or not (
            parse_pixels(text, block.starts, block.ends, out)
            or parse_pixels(of_lists(text), block.starts, block.ends, out)
        ):
            self._parse_exactly(block, out)
        if block.error is not None:
            raise block.error

    def _parse_exactly(self, block: _Block, out: UInt8Array) -> None:
        """Parse a block row by row, and say which is wrong.

        There may be more rows than ``out`` has room for, but a wrong one comes before that.
        """
        for row, (number, line) in enumerate(zip(block.line_numbers, block.lines, strict=True)):
            fields = self._cut(block.text[line])
            try:
                self._label_and_split(fields)
                pixels = fields[self.header.pixels]
                out[row] = parse_row(pixels, resize=self.options.resize)
            except ValueError as error:
                raise DatasetFormatError(str(error), path=self.path, line_number=number) from None


def _rows_of(text: bytes, number: int) -> Iterator[tuple[int, int, int]]:
    """Yield the line number of each row that is not blank, and where it begins and ends.

    ``number`` is that of the first line.
    """
    quoted = b'"' in text
    start = 0
    while start < len(text):
        if blank := _BLANK_LINES.match(text, start):
            end = blank.end()
        else:
            end = text.find(b"\n", start) + 1 or len(text)
            if quoted and text.count(b'"', start, end) % 2:
                end = _end_of_quoted(text, end)
            yield number, start, end
        number += text.count(b"\n", start, end)
        start = end


def _end_of_quoted(text: bytes, end: int) -> int:
    """Return where a row ends that goes on behind a line end, within quotes."""
    while (quote := text.find(b'"', end)) >= 0:
        end = text.find(b"\n", quote) + 1 or len(text)
        if text.count(b'"', quote, end) % 2:
            return end
    return end


def _text(field: bytes) -> str:
    return field.decode(errors="replace")
