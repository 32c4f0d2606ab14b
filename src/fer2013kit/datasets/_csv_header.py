"""The header line of a CSV: which column holds the pixels, the label and the split.

As they are distributed::

    emotion,pixels,Usage                  fer2013.csv
    emotion, Usage, pixels                icml_face_data.csv (with these leading spaces)
    emotion,pixels                        train.csv of the challenge
    pixels                                test.csv of the challenge
    label,pixels,split                    made over by others, under many names
    emotion,pixel0,pixel1,...,pixel2303   a column for each pixel
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fer2013kit.datasets._csv_pixels import of_lists, show
from fer2013kit.datasets._names import split_of_name, split_of_word, words_of
from fer2013kit.emotions import NUM_CLASSES, emotion_code
from fer2013kit.exceptions import listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BOM: Final = b"\xef\xbb\xbf"

LABEL_COLUMNS: Final = (
    *("emotion", "emotions", "label", "labels", "class", "classes", "target", "targets"),
    *("expression", "emotion_name", "emotion_label", "class_name", "label_name", "emotion_class"),
)
SPLIT_COLUMNS: Final = (
    *("usage", "split", "set", "subset", "partition", "phase", "fold", "purpose"),
    *("split_name", "data_split", "dataset_split"),
)
_PIXEL_COLUMNS: Final = ("pixels", "pixel")
_PLAIN_COLUMNS: Final = (  # what says nothing about labels
    *("", "id", "index", "idx", "no", "nr", "number", "row", "image", "image_name", "image_id"),
    *("file", "filename", "file_name", "path", "name", "note", "unnamed:_0", "width", "height"),
)
_ONE_PIXEL: Final = re.compile(r"(?:pixels?|px|p)?[ _.-]?(\d+)", re.IGNORECASE)
_FEWEST_PIXELS: Final = 16
_MAX_WIDTH: Final = 100  # each is searched for in each row
_OF_ONE_HOT: Final = (
    "; of a column for each class make one: df['emotion'] = df[classes].idxmax(axis=1)"
)
_SEPARATORS: Final = (b",", b";", b"\t", b"|")


@dataclass(frozen=True)
class Header:
    """Which column holds what, counted from 0; pixels count as one column.

    Attributes
    ----------
    names : tuple of str
        The columns, as the file has them.
    pixels : int
        Where the pixels stand.
    labels, splits : tuple of int
        The columns of labels and of splits; several must say the same.
    others : tuple of int
        The columns that are not known.
    in_columns : bool
        Whether each pixel has a column of its own.
    """

    names: tuple[str, ...]
    pixels: int
    labels: tuple[int, ...]
    splits: tuple[int, ...]
    others: tuple[int, ...]
    in_columns: bool = False

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.names)


def separator_of(line: bytes) -> bytes:
    """Return what stands between the columns: of the usual signs the one that a line has most."""
    return max(_SEPARATORS, key=line.count)


def with_commas(text: bytes, separator: bytes) -> bytes:
    """Return a table with commas between its columns; those within its fields become blanks."""
    if separator == b",":
        return text
    return text.translate(bytes.maketrans(separator + b",", b", "))


def read_line(line: bytes) -> bytes:
    """Return a line of a table with commas, without what stands before and behind its text."""
    return with_commas(line.removeprefix(_BOM), separator_of(line)).strip(b"\r\n")


def read_names(line: bytes) -> list[str]:
    """Return the names in a header line; none where it is no text."""
    try:
        return next(csv.reader([read_line(line).decode()]), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def comparable(name: str) -> str:
    """Return a column's name as it is compared; ``Usage_x`` is what pandas makes of ``Usage``."""
    name = name.strip().lower().replace(" ", "_").replace("-", "_")
    return name[:-2] if name.endswith(("_x", "_y")) else name


def places_of(names: Sequence[str], columns: Iterable[str]) -> tuple[int, ...]:
    """Return where columns stand that are called one of these, in the order of these."""
    there = list(map(comparable, names))
    return tuple(place for column in columns for place, name in enumerate(there) if name == column)


def parse_header(line: bytes) -> Header | None:
    """Return where the columns stand, or None for a line that is no header of ours.

    Of a long line its beginning will do, from whole names on.
    """
    names = read_names(line)
    in_columns = _pixel_columns(names)
    if in_columns:
        names[in_columns] = ["pixels"]
    pixels = places_of(names, _PIXEL_COLUMNS)
    if not pixels:
        return None
    labels, splits = places_of(names, LABEL_COLUMNS), places_of(names, SPLIT_COLUMNS)
    known = {pixels[0], *labels, *splits}
    others = [
        place for place, name in enumerate(names) if place not in known and not is_plain(name)
    ]
    return Header(
        tuple(name.strip() for name in names),
        pixels[0],
        labels,
        splits,
        tuple(others),
        in_columns=in_columns is not None,
    )


def header_of(head: bytes) -> Header | None:
    """Return the header of a file of which the beginning alone is known."""
    line, end, _ = head.partition(b"\n")
    if b"\x00" in line:  # an archive, in which a CSV may stand
        return None
    separator = separator_of(line)
    return parse_header(line if end or separator not in line else line[: line.rindex(separator)])


def why_no_header(head: bytes) -> str | None:
    """Say why a text that looks like a table is none with pixels; None where it does not."""
    line = head.partition(b"\n")[0]
    names = [name.strip() for name in read_names(line)]
    if b"\x00" in head or len(names) < 2 or places_of(names, _PIXEL_COLUMNS):  # noqa: PLR2004 - columns
        return None
    if names[0].isdecimal() or names[-1].isdecimal():
        return _nameless(line)
    return (
        f"a table with the columns {listed(map(repr, names))}; name the column of pixels 'pixels', "
        "or those of single pixels 'pixel0', 'pixel1', ..., and that of labels 'emotion'"
    )


def why_nameless(head: bytes) -> str | None:
    """Say that a text begins with a row of pixels, where a line of names should be; or None."""
    line = head.partition(b"\n")[0]
    numbers = of_lists(read_line(line)).split()
    is_row = len(numbers) > _FEWEST_PIXELS and all(map(bytes.isdigit, numbers[2:-2]))
    return _nameless(line) if is_row and header_of(head) is None else None


def _nameless(line: bytes) -> str:
    return (
        f"a table without a line of names, that begins with {show(line[:20])}; put "
        "'emotion,pixels,Usage' before the first row"
    )


def header_fault(header: Header) -> str | None:
    """Say what in a header cannot be understood, or None."""
    if header.width > _MAX_WIDTH:
        return f"expected at most {_MAX_WIDTH} columns beside the pixels, received {header.width}"
    pixels = sorted(places_of(header.names, _PIXEL_COLUMNS))
    if len(pixels) > 1:
        return (
            f"expected one column of pixels, received "
            f"{listed(repr(header.names[place]) for place in pixels)}; remove all but one"
        )
    return None


def with_words(header: Header, fields: list[str]) -> Header:
    """Return a header whose labels are also the columns that hold a word of an emotion.

    A word says what it is under any name; ``fields`` are those of the first row.
    """
    known = {header.pixels, *header.labels, *header.splits}
    unknown = [place for place in range(header.width) if place not in known]
    places = [place for place in unknown if emotion_code(fields[place]) is not None]
    others = tuple(place for place in header.others if place not in places)
    return replace(header, labels=(*header.labels, *places), others=others)


def row_fault(header: Header, fields: list[str]) -> str | None:
    """Say which column may hold labels, or a split, under a name that is not known, or None."""
    if header.others and not header.labels:
        return (
            f"expected a column 'emotion' (or {', '.join(LABEL_COLUMNS[2:7])}), received "
            f"{listed(repr(header.names[place]) for place in header.others)} beside the pixels; "
            "rename the one that holds the labels, or remove it"
            + (_OF_ONE_HOT if len(header.others) >= NUM_CLASSES else "")
        )
    if header.splits:
        return None
    faults = (split_fault(header.names[place], fields[place]) for place in header.others)
    return next(filter(None, faults), None)


def split_fault(name: str, value: str) -> str | None:
    """Say why an unknown column may hold the split, by its first value or its name; or None."""
    advice = "rename it to Usage, with Training, PublicTest or PrivateTest in it, or remove it"
    if split_of_word(value) is not None:
        return f"the column {shown(name)} holds {shown(value.strip())}, as a split; {advice}"
    if split_of_name(name) is not None or not {*SPLIT_COLUMNS}.isdisjoint(words_of(name)):
        return f"the column {shown(name)} may tell the split, with {shown(value.strip())}; {advice}"
    return None


def agreed(codes: Sequence[int], told: Iterable[tuple[str, str]]) -> int:
    """Return the code that columns say together, of which the names and texts are given.

    Raises
    ------
    ValueError
        Where they say different ones.
    """
    if len({*codes}) > 1:
        said = ", ".join(f"{name} {text.strip()[:40]!r}" for name, text in told)
        raise ValueError(f"columns that should say the same do not: {said}; remove one")
    return codes[0]


def passed_over_columns(names: Iterable[str]) -> str:
    """Return what is said of columns that are not known."""
    return f"skipped the columns {listed(map(repr, names))}, which are not known"


def is_plain(name: str) -> bool:
    """Tell whether a column's name says that it holds neither labels nor splits."""
    return comparable(name) in _PLAIN_COLUMNS


def _pixel_columns(names: list[str]) -> slice | None:
    """Return which columns hold a pixel each: many names whose numbers follow one another."""
    start, previous = 0, -2
    longest = slice(0, 0)
    for place, name in enumerate(names):
        match = _ONE_PIXEL.fullmatch(name.strip())
        number = int(match[1][:9]) if match else -2
        if number != previous + 1 or number < 0:
            start = place
        previous = number
        if number >= 0 and place + 1 - start > longest.stop - longest.start:
            longest = slice(start, place + 1)
    return longest if longest.stop - longest.start >= _FEWEST_PIXELS else None
