"""The file of FER+ votes: reading it and joining it to the rows of fer2013.csv."""

from __future__ import annotations

import csv
import itertools
from typing import TYPE_CHECKING, Final, TextIO

import numpy as np

from fer2013kit._files import as_path
from fer2013kit.datasets._csv_header import separator_of
from fer2013kit.datasets._ferplus import VOTE_NAMES, FERPlus
from fer2013kit.datasets._names import split_of_word
from fer2013kit.emotions import FERPLUS_CLASS_NAMES, SPLIT_NAMES
from fer2013kit.exceptions import DatasetFormatError, DatasetNotFoundError, InvalidInputError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from fer2013kit._checks import IntArray

# fer2013new.csv opens with the line
# Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF
FILE_COLUMNS: Final = {
    "neutral": "neutral",
    "happy": "happiness",
    "surprise": "surprise",
    "sad": "sadness",
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "contempt": "contempt",
    "unknown": "unknown",
    "no_face": "nf",
}
"""Names in :data:`VOTE_NAMES` to the file's own in lower case, in the file's order."""

FILE_ORDER: Final = tuple(FILE_COLUMNS)
MOST_VOTES: Final = 10
"""For one answer: ten people were asked."""

_FEWEST_ROWS: Final = 50
_LEAST_AGREEMENT: Final = 0.4
"""Training has 0.65 and PublicTest 0.64; with their rows shuffled, 0.19."""


def load_ferplus(path: str | os.PathLike[str]) -> FERPlus:
    r"""Read the FER+ votes from ``fer2013new.csv``.

    To join them while loading, use ``load_fer2013(..., ferplus=path)``, which also checks that
    votes and images belong together.

    Parameters
    ----------
    path : path-like
        The file, as published at https://github.com/microsoft/FERPlus.

    Returns
    -------
    FERPlus
        One row for each row of ``fer2013.csv``, in its order; also for the images that FER+
        removed (no image name).

    Raises
    ------
    DatasetNotFoundError
        When there is no such file.
    DatasetFormatError
        When it holds something else, with the line at fault.
    InvalidInputError
        For an empty path or a web address.

    See Also
    --------
    load_fer2013 : Joins these votes to the images.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import fer2013kit as fk
    >>> header = (
    ...     "Usage,Image name,neutral,happiness,surprise,sadness,"
    ...     "anger,disgust,fear,contempt,unknown,NF"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "fer2013new.csv")
    ...     _ = path.write_text(header + "\nTraining,fer0000000.png,4,0,0,0,6,0,0,0,0,0\n")
    ...     fk.load_ferplus(path).majority()
    array([0])
    """
    return _read_rows(as_path(path).expanduser())[0]


def join_ferplus(path: str | os.PathLike[str], csv_rows: dict[str, IntArray]) -> dict[str, FERPlus]:
    """Return the FER+ votes of each split's rows, whose numbers in ``fer2013.csv`` are given.

    All splits together are all rows of ``fer2013new.csv``.

    Raises
    ------
    DatasetNotFoundError, DatasetFormatError
        When the votes cannot be read.
    InvalidInputError
        When they are not as many as the rows, or are of other splits: then they are another
        edition of the data set or in another order, and every join would be wrong.
    """
    path = as_path(path).expanduser()
    votes, usages = _read_rows(path)
    n_rows = sum(map(len, csv_rows.values()))
    if len(votes) != n_rows:
        raise InvalidInputError(
            f"{path} has the votes on {len(votes):,} rows and the data set has {n_rows:,} rows; "
            "FER+ votes are joined row by row, so give the fer2013.csv and the fer2013new.csv "
            "that belong together"
        )
    for name, rows in csv_rows.items():
        wrong = rows[usages[rows] != SPLIT_NAMES.index(name)]
        if len(wrong):
            raise InvalidInputError(
                f"row {wrong[0] + 1:,} is of {name} in the data set and of "
                f"{SPLIT_NAMES[usages[wrong[0]]]} in {path}; FER+ votes are joined row by row, so "
                "give the fer2013.csv and the fer2013new.csv that belong together"
            )
    return {name: votes.subset(rows) for name, rows in csv_rows.items()}


def check_agreement(
    path: str | os.PathLike[str],
    joined: Mapping[str, FERPlus],
    labels: Mapping[str, IntArray | None],
) -> None:
    """Raise InvalidInputError where the votes of a split are hardly those of its labels."""
    for name, codes in labels.items():
        if codes is None:
            continue
        votes = joined[name]
        agreement = votes.agreement(codes)
        n_voted = np.count_nonzero(votes.votes[:, : len(FERPLUS_CLASS_NAMES)].any(axis=1))
        if n_voted >= _FEWEST_ROWS and agreement < _LEAST_AGREEMENT:
            raise InvalidInputError(
                f"the labels of {name} are what most people saw on {agreement:.0%} of the rows "
                f"that {path} has votes on, and on more than 60% in FER-2013; its rows may have "
                "been shuffled, and FER+ votes are joined row by row, so give the fer2013.csv and "
                "the fer2013new.csv that belong together"
            )


def _read_rows(path: Path) -> tuple[FERPlus, IntArray]:
    """Return the votes and each row's place in ``SPLIT_NAMES``."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _parse_rows(file, path)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DatasetNotFoundError(
            f"no FER+ votes at {path}; get fer2013new.csv from "
            "https://github.com/microsoft/FERPlus and give its path"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetFormatError(f"expected a CSV in UTF-8: {error}", path=path) from error


def _parse_rows(file: TextIO, path: Path) -> tuple[FERPlus, IntArray]:
    first = file.readline()
    separator = separator_of(first.encode()).decode()
    lines = csv.reader(itertools.chain([first], file), delimiter=separator)
    header = [name.strip().lower() for name in next(lines, [])]
    missing = {"usage", *FILE_COLUMNS.values()} - set(header)
    if missing:
        raise DatasetFormatError(
            f"expected the header of fer2013new.csv; missing {', '.join(sorted(missing))}",
            path=path,
            line_number=1,
        )
    order = [header.index(FILE_COLUMNS[name]) for name in VOTE_NAMES]
    usage_column = header.index("usage")
    votes: list[list[int]] = []
    usages: list[int] = []
    for fields in lines:
        try:
            usage = split_of_word(fields[usage_column])
            row = [int(fields[column].removesuffix(".0")) for column in order]
        except (IndexError, ValueError):
            usage, row = None, []
        if usage is None or min(row) < 0 or max(row) > MOST_VOTES:
            raise DatasetFormatError(
                f"expected {len(header)} fields: Training, PublicTest or PrivateTest, an image "
                f"name, and votes of 0 to {MOST_VOTES}; received {','.join(fields)[:80]!r}",
                path=path,
                line_number=lines.line_num,
            )
        votes.append(row)
        usages.append(usage)
    if not votes:
        raise DatasetFormatError("expected rows of votes, received a header alone", path=path)
    return FERPlus(np.array(votes, np.int64)), np.array(usages, np.int64)
