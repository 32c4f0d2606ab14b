"""Reader of images beside a list of their labels.

The lists as they are distributed, each beside its images or above their folders::

    fer0000000.png,"(0, 0, 48, 48)",4,0,0,1,3,2,0,0,0,0     FER+: label.csv in FER2013Train/, ...
    Usage,Image name,neutral,happiness, ...                 fer2013new.csv above these folders
    filename, angry, disgust, fear, ...                     Roboflow: _classes.csv in train/, ...
    file,emotion   or   image,label,split                   made by hand

FER+ gives votes in the order of ``fer2013new.csv``, Roboflow a 1 in the column of the class.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit._picture_files import is_picture_name
from fer2013kit.datasets._csv_header import (
    LABEL_COLUMNS,
    SPLIT_COLUMNS,
    agreed,
    comparable,
    is_plain,
    passed_over_columns,
    places_of,
    read_names,
    separator_of,
    split_fault,
)
from fer2013kit.datasets._decode import decode_all
from fer2013kit.datasets._ferplus import VOTE_NAMES
from fer2013kit.datasets._ferplus_file import FILE_COLUMNS, FILE_ORDER, MOST_VOTES
from fer2013kit.datasets._labels import LEFT_OUT
from fer2013kit.datasets._listing import Found, is_text, sorted_by_split
from fer2013kit.datasets._names import (
    NO_SPLIT,
    SplitColumn,
    assign_splits,
    split_of_path,
    split_of_word,
    start_of,
)
from fer2013kit.datasets._rows import NO_LABEL, Part, join_parts
from fer2013kit.exceptions import DatasetFormatError, counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fer2013kit._checks import UInt8Array
    from fer2013kit.datasets._listing import Listing, Options
    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._rows import Rows

_FILE_COLUMNS: Final = (
    *("file", "filename", "file_name", "image", "image_name", "image_path", "img", "path"),
    *("picture", "image_id", "name", "filepath", "file_path"),
    *("imagename", "image_file", "img_name", "img_path", "pth", "photo"),
)
_LABEL_COLUMNS: Final = (*LABEL_COLUMNS, "classname")
_BOX_COLUMNS: Final = frozenset(
    {"xmin", "ymin", "xmax", "ymax", "face_x", "face_y", "face_width", "face_height", "bbox"}
)
_OF_FERPLUS: Final = re.compile(r"(?:^|/)fer\d{7}\.")
_MAX_BYTES: Final = 2**28
_FEWEST_CLASSES: Final = 2


@dataclass(frozen=True)
class _Columns:
    """Which column of a list holds what, counted from 0."""

    names: tuple[str, ...]
    file: int
    labels: tuple[int, ...] = ()
    splits: tuple[int, ...] = ()
    one_hot: tuple[int, ...] = ()
    votes: tuple[int, ...] = ()
    separator: str = ","

    @property
    def others(self) -> tuple[int, ...]:
        """The columns that are not known."""
        known = {self.file, *self.labels, *self.splits, *self.one_hot, *self.votes}
        places = (place for place in range(len(self.names)) if place not in known)
        return tuple(place for place in places if not is_plain(self.names[place]))

    @property
    def notes(self) -> list[str]:
        """What the user is warned about."""
        boxes = [name for name in self.names if comparable(name) in _BOX_COLUMNS]
        others = [self.names[place] for place in self.others if self.names[place] not in boxes]
        notes = [passed_over_columns(others)] if others else []
        if boxes:
            notes.append(
                f"the boxes in the columns {listed(map(repr, boxes))} were not used, and whole "
                "images were read; where a box is not the whole image, cut out the faces first"
            )
        return notes


@dataclass
class _Row:
    """A line of a list: its image, and what is said of it."""

    picture: str
    label: int
    split: int
    votes: list[int]
    word: str
    file: str = ""
    """Where the image lies; empty where it is not there."""


def find_lists(listing: Listing, options: Options) -> Found | None:
    """Return the lists that stand beside images, and the split that each one's name tells."""
    if not any(map(is_picture_name, listing.names)):
        return None
    names = [
        name
        for name, head in listing.heads.items()
        if is_text(head) and (columns := _columns(head.split(b"\n")[0], options)) is not None
        # fer2013new.csv stands beside any form of FER-2013.
        if not columns.votes or any(map(_OF_FERPLUS.search, listing.names))
    ]
    if not names:
        return None
    splits = assign_splits(names, home=listing.home, path=listing.path)
    return Found(tuple(names), tuple(splits), beside_images=True)


def read_lists(listing: Listing, found: Found, options: Options, new: NewImages) -> Rows:
    """Read the images that lists name: train, validation, test, each in its list's order.

    Raises
    ------
    DatasetFormatError
        For a line that is not understood, or where not one image of a list is there.
    """
    files = sorted_by_split(found.names, found.splits)
    finder = _Finder(listing.names)
    notes: list[str] = []
    tables = []
    for name, _ in files:
        rows, said = _read_list(listing, name, options)
        notes += [f"{name}: {note}" for note in said]
        missing = finder.place(name, rows)
        if len(missing) == len(rows):
            raise DatasetFormatError(
                f"not one of the images that it names is there ({listed(missing) or 'none'})",
                path=listing.path / name,
            )
        if missing:
            notes.append(
                f"{name} names {counted(len(missing), 'image')} that are not there: "
                f"{listed(missing)}"
            )
        tables.append((name, [row for row in rows if row.file]))
    known = [row for _, rows in tables for row in rows]
    uses = Counter(row.file for row in known)
    if double := [name for name, count in uses.items() if count > 1]:
        raise DatasetFormatError(f"listed twice: {listed(double)}", path=listing.path)
    wanted = [row.file for row in known if row.label != LEFT_OUT]
    images, kept, more = decode_all(listing.tree, wanted, options, new)
    if strange := [name for name, keep in zip(wanted, kept, strict=True) if not keep]:
        raise DatasetFormatError(
            f"listed, and no images: {listed(strange)}; take them off the list", path=listing.path
        )
    parts = []
    for name, rows in tables:
        part, images = _take_part(rows, images)
        parts.append((name, part))
    if unlisted := sorted({*filter(is_picture_name, listing.names)} - {*uses}):
        notes.append(
            f"left out {counted(len(unlisted), 'image')} that no list names: {listed(unlisted)}"
        )
    return join_parts(parts, [code for _, code in files], path=listing.path, notes=[*notes, *more])


def _take_part(rows: list[_Row], images: UInt8Array) -> tuple[Part, UInt8Array]:
    """Return the part of a list's rows, whose images come first, and the images that are left."""
    read = [row for row in rows if row.label != LEFT_OUT]
    part = Part.of(
        images[: len(read)],
        [row.label for row in read],
        [row.split for row in read],
        left_out=[row.word for row in rows if row.label == LEFT_OUT],
    )
    if rows[0].votes:
        part.votes = np.array([row.votes for row in read], np.int64)
    return part, images[len(read) :]


class _Finder:
    """Where the images lie that a list names: beside it, below it, or anywhere by their names.

    By its name alone, no image of another split's folder is taken.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = set(names)
        self.by_file_name: dict[str, list[str]] = {}
        for name in self.names:
            self.by_file_name.setdefault(name.rpartition("/")[2], []).append(name)

    def place(self, list_name: str, rows: list[_Row]) -> list[str]:
        """Give the rows of a list their images and splits; return the images that are not there."""
        for row in rows:
            row.file = self.find(list_name, row.picture)
            row.split = _split_of(row)
        return [row.picture for row in rows if not row.file]

    def find(self, list_name: str, picture: str) -> str:
        """Return the file; empty where it is not there or nobody knows which of several it is."""
        picture = picture.strip().replace("\\", "/").removeprefix("./")
        folder = list_name.rpartition("/")[0]
        beside = f"{folder}/{picture}" if folder else picture
        if beside in self.names:
            return beside
        if picture in self.names:
            return picture
        split = _told_by(list_name)
        named = [
            name
            for name in self.by_file_name.get(PurePosixPath(picture).name, [])
            if split is None or _told_by(name.rpartition("/")[0]) in {None, split}
        ]
        below = [name for name in named if name.startswith(f"{folder}/")] if folder else named
        return below[0] if len(below) == 1 else named[0] if len(named) == 1 else ""


def _split_of(row: _Row) -> int:
    """Return the split of a row, or else of its image's folder, or with which its name begins."""
    if row.split != NO_SPLIT:
        return row.split
    folder, _, file_name = row.file.rpartition("/")
    told = _told_by(folder)
    told = split_of_word(start_of(file_name)) if told is None else told
    return NO_SPLIT if told is None else told


_told_by = lru_cache(maxsize=1024)(split_of_path)
"""Of thousands of images there are few folders."""


def _columns(line: bytes, options: Options) -> _Columns | None:
    """Return the columns of a list from its first line, or None for another file."""
    names = tuple(name.strip() for name in read_names(line))
    separator = separator_of(line).decode()
    numbers = [place for place, name in enumerate(names) if name.isdecimal()]
    if names and is_picture_name(names[0]) and len(numbers) == len(FILE_ORDER):
        votes = tuple(numbers[FILE_ORDER.index(name)] for name in VOTE_NAMES)
        return _Columns((), 0, votes=votes, separator=separator)
    files, splits = places_of(names, _FILE_COLUMNS), places_of(names, SPLIT_COLUMNS)
    known = {*map(comparable, names)}
    if not files or "pixels" in known:
        return None
    columns = _Columns(names, files[0], splits=splits, separator=separator)
    if known.issuperset(FILE_COLUMNS.values()):  # fer2013new.csv beside the images that it names
        votes = tuple(places_of(names, [FILE_COLUMNS[name]])[0] for name in VOTE_NAMES)
        return replace(columns, votes=votes)
    if labels := places_of(names, _LABEL_COLUMNS):
        return replace(columns, labels=labels)
    classes = tuple(place for place in range(len(names)) if place not in {files[0], *splits})
    codes = [options.labels.code(names[place], numbers=False) for place in classes]
    if len(codes) - codes.count(None) < _FEWEST_CLASSES:
        return None
    return replace(columns, one_hot=classes)


def _read_list(listing: Listing, name: str, options: Options) -> tuple[list[_Row], list[str]]:
    """Return the rows of a list, and what the user is warned about."""
    path = listing.path / name
    with listing.open(name) as stream:
        content = stream.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise DatasetFormatError(f"expected a list of at most {_MAX_BYTES:,} bytes", path=path)
    text = content.decode("utf-8-sig", errors="replace")
    columns = _columns(text.partition("\n")[0].encode(), options)
    if columns is None:
        raise DatasetFormatError("expected a list of images and labels", path=path, line_number=1)
    rows: list[_Row] = []
    splits = [SplitColumn(columns.names[place]) for place in columns.splits]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=columns.separator)
    try:
        for number, fields in enumerate(lines):
            is_header = number == 0 and columns.names  # FER+ has none
            if is_header or not any(map(str.strip, fields)):
                continue
            if not rows and not columns.splits:
                _check_others(fields, columns)
            if columns.votes and not fields[columns.file].strip():  # FER+ removed it
                continue
            rows.append(_read_row(fields, columns, splits, options))
    except (ValueError, IndexError, csv.Error) as error:
        said = "a field is missing" if isinstance(error, IndexError) else str(error)
        raise DatasetFormatError(said[:400], path=path, line_number=lines.line_num) from None
    return rows, columns.notes


def _check_others(fields: list[str], columns: _Columns) -> None:
    """Raise ValueError where a column that is not known may hold the split."""
    for place in columns.others:
        if fault := split_fault(columns.names[place], fields[place]):
            raise ValueError(fault)


def _read_row(
    fields: list[str], columns: _Columns, splits: list[SplitColumn], options: Options
) -> _Row:
    """Return what a line says; ValueError says what is wrong with it."""
    votes = [_whole(fields[place]) for place in columns.votes]
    if votes and max(votes) > MOST_VOTES:
        raise ValueError(f"expected votes of 0 to {MOST_VOTES}, received {max(votes)}")
    label, word = _label_and_word(fields, columns, options)
    split = NO_SPLIT
    if splits:
        told = [(columns.names[place], fields[place]) for place in columns.splits]
        words = zip(splits, told, strict=True)
        split = agreed([column.code(word) for column, (_, word) in words], told)
    return _Row(fields[columns.file], label, split, votes, word)


def _label_and_word(fields: list[str], columns: _Columns, options: Options) -> tuple[int, str]:
    if columns.one_hot:
        said = [place for place in columns.one_hot if _whole(fields[place])]
        if len(said) != 1:
            raise ValueError(
                f"expected one class for an image, received {len(said)}; one face has one label"
            )
        word = columns.names[said[0]]
        return options.labels.known_code(word, "label", numbers=False), word
    if columns.labels:
        told = [(columns.names[place], fields[place].strip()) for place in columns.labels]
        words = [word for _, word in told]
        if not all(map(str.isdecimal, words)):  # a number beside its word says no more
            words = [word for word in words if not word.isdecimal()]
        codes = [options.labels.known_code(word, "label", numbers=False) for word in words]
        return agreed(codes, told), words[0]
    return NO_LABEL, ""


def _whole(field: str) -> int:
    if not field.strip().isdecimal():
        raise ValueError(f"expected a whole number, received {field[:80]!r}")
    return int(field.strip()[:9])
