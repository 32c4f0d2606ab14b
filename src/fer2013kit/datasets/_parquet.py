"""Reader of parquet as Hugging Face and pandas write it.

Hugging Face keeps images as bytes and labels as numbers, whose names stand in the schema's
metadata under ``huggingface``, a JSON text ``{"info": {"features": {"image": {"_type": "Image"},
"label": {"names": [...], "_type": "ClassLabel"}}}}``.  pandas makes columns of ``fer2013.csv``:
``emotion``, ``pixels`` (a text or a list of numbers) and ``Usage``.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._optional import needed
from fer2013kit._threads import run_in_threads
from fer2013kit._untrusted import errors_as
from fer2013kit.datasets._csv_header import (
    LABEL_COLUMNS,
    SPLIT_COLUMNS,
    comparable,
    is_plain,
    passed_over_columns,
    split_fault,
)
from fer2013kit.datasets._csv_pixels import parse_row
from fer2013kit.datasets._decode import decode_face, lacking_ends
from fer2013kit.datasets._labels import LEFT_OUT
from fer2013kit.datasets._listing import Found, sorted_by_split
from fer2013kit.datasets._names import NO_SPLIT, SplitColumn, assign_splits, missing_shards
from fer2013kit.datasets._parquet_pages import check_pages
from fer2013kit.datasets._rows import (
    NO_LABEL,
    Part,
    Rows,
    join_parts,
)
from fer2013kit.emotions import IMAGE_SHAPE, IMAGE_SIZE
from fer2013kit.exceptions import DatasetFormatError, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from fer2013kit._checks import UInt8Array
    from fer2013kit.datasets._listing import Listing, Options
    from fer2013kit.datasets._new_images import NewImages

_START = b"PAR1"
# An image, or its pixels, has more bytes; equal ones can be packed into a bit each.
_SHORTEST_ROW = 64
_SPARE_ROWS = 1000
PICTURE_COLUMNS = ("image", "img", "picture", "face", "pixels", "pixel")


def find_parquet(listing: Listing, _options: Options) -> Found | None:
    """Return the parquet files and the split that each one's name tells."""
    names = [name for name, head in listing.heads.items() if head.startswith(_START)]
    if not names:
        return None
    splits = assign_splits(names, home=listing.home, path=listing.path)
    return Found(tuple(names), tuple(splits), notes=tuple(missing_shards(names)))


def read_parquet(listing: Listing, found: Found, options: Options, _new: NewImages) -> Rows:
    """Read parquet files: train, validation, test, in the order of the names and their rows.

    Raises
    ------
    DatasetFormatError
        For other columns, unknown classes, or images that are not 48x48 and not to be resized.
    MissingDependencyError
        Without pyarrow.
    """
    with needed("reading parquet", extra="parquet"):
        from pyarrow import parquet
    files = sorted_by_split(found.names, found.splits)
    parts = []
    for name, _ in files:
        path = listing.path / name
        content = listing.tree.read(name)
        with _file_errors(path):
            stream = io.BytesIO(content)
            file = parquet.ParquetFile(stream)
            check_rows(file.metadata.num_rows, len(content))
            chunk = check_pages(stream, len(content))
            parts.append((name, _File(file, options, path, chunk).read()))
    return join_parts(parts, [code for _, code in files], path=listing.path)


def check_rows(count: int, size: int) -> None:
    """Raise ``ValueError`` for more rows than so many bytes can hold images."""
    if count > _SPARE_ROWS + size // _SHORTEST_ROW:
        raise ValueError(f"{count:,} rows in {size:,} bytes")


def _file_errors(path: Path) -> AbstractContextManager[None]:
    """Turn what a damaged file makes Arrow raise into one clear error."""
    return errors_as(
        lambda why: DatasetFormatError(
            f"the parquet file is damaged or incomplete ({why}); get it again", path=path
        )
    )


class _File:
    """One file while it is read: its columns, what its labels mean, and its rows so far."""

    def __init__(self, file: Any, options: Options, path: Path, chunk: int) -> None:
        self.file, self.options, self.path, self.chunk = file, options, path, chunk
        self.names: list[str] = list(file.schema_arrow.names)
        features = declared_features(file.schema_arrow.metadata or {})
        self.picture_column = self._column("pictures", PICTURE_COLUMNS, features, "Image")
        self.label_column = self._column("labels", LABEL_COLUMNS, features, "ClassLabel")
        told = [name for name in self.names if comparable(name) in SPLIT_COLUMNS]
        self.split_column = told[0] if told else None
        self.splits_of_words = SplitColumn(str(self.split_column))
        known = {self.picture_column, self.label_column, self.split_column}
        self.others = [n for n in self.names if n not in known and not is_plain(n)]
        about = features.get(self.label_column, {})
        self.classes: list[str] = [str(name) for name in about.get("names") or []]
        # Pixels come from fer2013.csv, whose numbers are known; others may mean anything.
        self.numbers = comparable(self.picture_column).startswith("pixel") and not self.classes
        self.known: dict[str, int] = {}
        count = file.metadata.num_rows
        self.images = np.empty((count, IMAGE_SIZE), np.uint8)
        self.codes = np.full(count, NO_LABEL, np.int64)
        self.splits = np.full(count, NO_SPLIT, np.int64)
        self.left_out: list[str] = []
        self.without_end: list[int] = []

    def _column(
        self, what: str, usual: Sequence[str], features: dict[str, dict[str, Any]], kind: str
    ) -> str:
        typed = [name for name, about in features.items() if about.get("_type") == kind]
        found = typed or [name for name in self.names if comparable(name) in usual]
        if "pixels" in found:  # as published, whatever else shows the same
            found = ["pixels"]
        if len(found) != 1 or found[0] not in self.names:
            raise DatasetFormatError(
                f"expected one column of {what} (of type {kind} in the schema's 'huggingface' "
                f"metadata, or {listed(usual)}), received {listed(found) or 'none'} among "
                f"{listed(self.names)}; pandas.read_parquet(path).drop(columns=...) and rename "
                "leave one",
                path=self.path,
            )
        return found[0]

    def read(self) -> Part:
        """Read all rows."""
        self._check_others()
        run_in_threads(self._decode_chunk, self._chunks())
        kept = self.codes != LEFT_OUT
        images = self.images if kept.all() else self.images[kept]
        part = Part.of(images, self.codes[kept], self.splits[kept], left_out=self.left_out)
        if self.others:
            part.notes.append(passed_over_columns(self.others))
        if self.without_end:
            part.notes.append(lacking_ends([f"row {row}" for row in sorted(self.without_end)]))
        return part

    def _chunks(self) -> Iterator[tuple[int, list[Any]]]:
        """Yield the pictures of some rows with the first one's number, their labels being read."""
        start = 0
        columns = [self.picture_column, self.label_column]
        columns += [self.split_column] if self.split_column else []
        for batch in self.file.iter_batches(self.chunk, columns=columns):
            rows = slice(start, start + len(batch))
            values = batch.column(self.label_column).to_pylist()
            codes = [self._code(value, row) for row, value in enumerate(values, start)]
            self.codes[rows] = codes
            labels = zip(values, codes, strict=True)
            self.left_out += [self._word(value) for value, code in labels if code == LEFT_OUT]
            if self.split_column:
                told = batch.column(self.split_column).to_pylist()
                self.splits[rows] = [self._split(word) for word in told]
            yield start, batch.column(self.picture_column).to_pylist()
            start = rows.stop

    def _decode_chunk(self, chunk: tuple[int, list[Any]]) -> None:
        start, pictures = chunk
        for row, picture in enumerate(pictures, start):
            if self.codes[row] == LEFT_OUT:
                continue
            try:
                if self._decode(picture, self.images[row]):
                    self.without_end.append(row)
            except ValueError as error:
                raise DatasetFormatError(str(error), path=self.path / f"row {row}") from error

    def _check_others(self) -> None:
        """Raise where a column that is not known may hold the split."""
        if self.split_column is not None or not self.others:
            return
        for batch in self.file.iter_batches(1, columns=self.others):
            for name, values in batch.to_pydict().items():
                if fault := split_fault(name, str(values[0])[:80]):
                    raise DatasetFormatError(fault, path=self.path)
            return

    def _word(self, value: Any) -> str:
        """Return a label's word: a name, where the schema has names for numbers."""
        if isinstance(value, int) and 0 <= value < len(self.classes):
            return self.classes[value]
        return str(value)

    def _code(self, value: Any, row: int) -> int:
        labels, word = self.options.labels, self._word(value)
        if word in self.known:
            return self.known[word]
        code = labels.code(word, numbers=self.numbers)
        if code is None and self.classes:
            code = labels.code(str(value), numbers=False)
        if code is None:
            named = f"; the schema names {listed(self.classes)}" if self.classes else ""
            raise DatasetFormatError(
                f"unknown {self.label_column} {word[:80]!r} in row {row}{named}; "
                f"{labels.expected(numbers=self.numbers)}",
                path=self.path,
            )
        self.known[word] = code
        return code

    def _split(self, word: Any) -> int:
        try:
            return self.splits_of_words.code(str(word))
        except ValueError as error:
            raise DatasetFormatError(str(error), path=self.path) from None

    def _decode(self, picture: Any, out: UInt8Array) -> bool:
        """Decode the bytes of an image, or the text of its pixels; as `decode_face`."""
        content, resize = file_or_pixels(picture), self.options.resize
        if isinstance(content, bytes):
            return decode_face(content, out.reshape(IMAGE_SHAPE), resize=resize)
        out[:] = parse_row(content.encode(), resize=resize)
        return False


def file_or_pixels(cell: Any) -> bytes | str:
    """Return the bytes of an image file, or the text of pixels, that a cell holds.

    Raises
    ------
    ValueError
        For anything else.
    """
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if isinstance(content, list):
        content = " ".join(map(str, content))
    if isinstance(content, bytes | str):
        return content
    raise ValueError(
        "expected the bytes of an image or its pixels, received "
        f"{type(content).__name__}; save the set with its images embedded"
    )


def declared_features(metadata: dict[bytes, bytes]) -> dict[str, dict[str, Any]]:
    """Return what Hugging Face's metadata say of each column."""
    try:
        found = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {name: about for name, about in found.items() if isinstance(about, dict)}
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}
