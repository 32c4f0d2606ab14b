"""Which CSV files of a folder or archive are one data set."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from fer2013kit.datasets._csv import read_csv
from fer2013kit.datasets._csv_header import LABEL_COLUMNS, header_of
from fer2013kit.datasets._listing import Found, is_text, sorted_by_split
from fer2013kit.datasets._names import (
    NO_SPLIT,
    assign_splits,
    missing_shards,
    shard_key,
    split_of_path,
    words_of,
)
from fer2013kit.datasets._rows import join_parts
from fer2013kit.exceptions import DatasetFormatError, listed

if TYPE_CHECKING:
    from fer2013kit.datasets._csv_header import Header
    from fer2013kit.datasets._listing import Listing, Options
    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._rows import Rows

_LABEL_WORDS: Final = frozenset({"y", *LABEL_COLUMNS})


def _headers(listing: Listing) -> dict[str, Header]:
    headers = {name: header_of(head) for name, head in listing.heads.items()}
    return {name: header for name, header in headers.items() if header is not None}


def find_whole_csv(listing: Listing, _options: Options) -> Found | None:
    """Return the CSV whose own columns tell labels and splits, or its numbered parts.

    Of several it is one in the shallowest folder, then the first by name.  Files whose names tell
    splits are the parts of one set instead, whatever their columns say.
    """
    headers = _headers(listing)
    whole = [name for name, header in headers.items() if header.splits and header.labels]
    silent = [name for name in whole if split_of_path(name) is None or len(headers) == 1]
    if not silent:
        return None
    names = [name for name in silent if shard_key(name) == shard_key(silent[0])]
    others = [name for name in silent if name not in names]
    notes = missing_shards(names)
    if others:
        notes.append(f"left out {listed(others)}, as {listed(names)} is a whole data set")
    return Found(tuple(names), (NO_SPLIT,) * len(names), notes=tuple(notes))


def find_split_csvs(listing: Listing, _options: Options) -> Found | None:
    """Return the CSV files whose names tell the splits; a single one may tell none.

    A file without labels whose name tells none is the challenge's test.
    """
    headers = _headers(listing)
    if not headers:
        return None
    names = list(headers)
    _check_labels(listing, headers)
    splits = assign_splits(names, home=listing.home, path=listing.path)
    return Found(tuple(names), tuple(splits), notes=tuple(missing_shards(names)))


def _check_labels(listing: Listing, headers: dict[str, Header]) -> None:
    """Raise where pixels lack labels that a table beside them, as ``y_train.csv``, may hold."""
    without = [name for name, header in headers.items() if not header.labels]
    tables = [
        name
        for name, head in listing.heads.items()
        if name not in headers
        and is_text(head)
        and name.lower().endswith((".csv", ".tsv"))
        and not _LABEL_WORDS.isdisjoint(words_of(PurePosixPath(name).stem))
    ]
    if without and tables:
        raise DatasetFormatError(
            f"{listed(without)} has no labels, and {listed(tables)} may hold them; join them, "
            "pandas.concat([images, labels], axis=1).to_csv(path, index=False), or move the latter "
            "away",
            path=listing.path,
        )


def read_csvs(listing: Listing, found: Found, options: Options, new: NewImages) -> Rows:
    """Read CSVs, each split's in the order of the names.

    The rows of a single one that tell their splits are numbered, as those of ``fer2013.csv`` are.
    """
    files = sorted_by_split(found.names, found.splits)
    parts = []
    for name, _ in files:
        with listing.open(name) as stream:
            part = read_csv(stream, listing.size(name), options, new, path=listing.path / name)
        parts.append((name, part))
    numbered = len(parts) == 1 and NO_SPLIT not in parts[0][1].splits
    return join_parts(parts, [code for _, code in files], path=listing.path, in_csv_order=numbered)
