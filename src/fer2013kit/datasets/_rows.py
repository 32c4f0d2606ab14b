"""What every reader returns."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit.datasets._fer2013 import FER2013
from fer2013kit.datasets._ferplus import VOTE_NAMES, FERPlus
from fer2013kit.datasets._labels import count_left_out
from fer2013kit.datasets._names import NO_SPLIT
from fer2013kit.datasets._split import Split
from fer2013kit.emotions import IMAGE_SHAPE, SPLIT_NAMES
from fer2013kit.exceptions import DatasetFormatError, warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fer2013kit._checks import IntArray, UInt8Array

_logger = logging.getLogger(__name__)

NO_LABEL: Final = -1
NO_VOTES: Final = -1
TRAIN, VALIDATION, TEST = range(len(SPLIT_NAMES))

MAY_HOLD: Final = {TRAIN: (TRAIN,), VALIDATION: (TRAIN, VALIDATION), TEST: (VALIDATION, TEST)}
"""Of which original splits a split's rows may be without a warning: people make a validation set
out of Training, and call PublicTest a test."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a source: train first, then validation, then test.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, 48, 48, 1)
    labels : ndarray of int64, shape (n,)
        Class codes; ``NO_LABEL`` for all rows of a split without labels.
    sizes : tuple of int
        How many rows train, validation and test have; 0 where a split is not there.
    csv_rows : ndarray of int64, shape (n,), or None
        Each row's number in ``fer2013.csv``, to which the FER+ votes are joined; None where the
        source does not tell.
    votes : ndarray of int64, shape (n, 10), or None
        FER+ votes that the source itself has; ``NO_VOTES`` for all rows of a split without.
    notes : tuple of str
        What was passed over, left out or assumed; kept in the cache and warned about at each load.
    log : tuple of str
        What was left out as the user asked, for the log; the same.
    columns : dict of (str, str) to ndarray
        Of a split and a name, what else is known of each of that split's images.
    """

    images: UInt8Array
    labels: IntArray
    sizes: tuple[int, int, int]
    csv_rows: IntArray | None = None
    votes: IntArray | None = None
    notes: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    columns: dict[tuple[str, str], NDArray[Any]] = field(default_factory=dict)

    def slices(self) -> dict[str, slice]:
        """Return where each split's rows stand."""
        ends = np.cumsum(self.sizes).tolist()
        return {
            name: slice(end - size, end)
            for name, size, end in zip(SPLIT_NAMES, self.sizes, ends, strict=True)
        }

    def as_part(self) -> Part:
        """Return the rows as those of one file of several."""
        codes = np.repeat(np.arange(len(SPLIT_NAMES)), self.sizes)
        return Part(self.images, self.labels, codes, [], self.votes, [*self.notes], [*self.log])

    def to_data(self, source: str) -> FER2013:
        """Return the rows as a data set, warn of their notes and log what was left out.

        Splits without rows are None, but train is never.
        """
        for note in self.notes:
            warn(f"{source}: {note}")
        for line in self.log:
            _logger.warning("%s: %s", source, line)
        splits = {}
        height, width, channels = self.images.shape[1:]
        for name, rows in self.slices().items():
            labels = self.labels[rows]
            unlabelled = len(labels) > 0 and labels[0] == NO_LABEL
            votes = np.empty(0) if self.votes is None else self.votes[rows]
            voted = len(votes) > 0 and votes[0, 0] != NO_VOTES
            splits[name] = Split(
                self.images[rows],
                None if unlabelled else labels,
                FERPlus(votes) if voted else None,
                (height, width, channels),
                {column: values for (of, column), values in self.columns.items() if of == name},
            )
        there = {name: split for name, split in splits.items() if len(split) or name == "train"}
        return FER2013(**there, source=source)


@dataclass(eq=False)
class Part:
    """The rows of one file, in its order.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, 48, 48, 1)
    labels : ndarray of int64, shape (n,)
        Class codes; ``NO_LABEL`` for all of a file without labels.
    splits : ndarray of int64, shape (n,)
        Places in ``SPLIT_NAMES``; ``NO_SPLIT`` where the rows themselves do not tell.
    left_out : list of str
        The labels of the rows that ``label_map`` leaves out.
    votes : ndarray of int64, shape (n, 10), or None
        FER+ votes.
    notes : list of str
        What the user is warned about.
    log : list of str
        What was left out as the user asked.
    """

    images: UInt8Array
    labels: IntArray
    splits: IntArray
    left_out: list[str] = field(default_factory=list)
    votes: IntArray | None = None
    notes: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        pixels: UInt8Array,
        labels: Sequence[int] | IntArray,
        splits: Sequence[int] | IntArray,
        *,
        left_out: Iterable[str] = (),
    ) -> Part:
        """Return a part of pixels in any shape, and of lists."""
        images = pixels.reshape(len(labels), *IMAGE_SHAPE)
        labels, splits = np.asarray(labels, np.int64), np.asarray(splits, np.int64)
        return cls(images, labels, splits, list(left_out))

    def __len__(self) -> int:
        return len(self.labels)

    def splits_or(self, code: int) -> IntArray:
        """Return the splits that the rows tell, and a split for those that tell none.

        Where that is ``NO_SPLIT``, too, they are train, or test where they have no labels.
        """
        if code == NO_SPLIT:
            unlabelled = len(self) > 0 and self.votes is None and self.labels[0] == NO_LABEL
            code = TEST if unlabelled else TRAIN
        return np.where(self.splits == NO_SPLIT, code, self.splits)

    def votes_or_none(self) -> IntArray:
        """Return the votes, or as many rows of ``NO_VOTES``."""
        if self.votes is None:
            return np.full((len(self), len(VOTE_NAMES)), NO_VOTES)
        return self.votes


def join_parts(
    parts: Sequence[tuple[str, Part]],
    told: Sequence[int],
    *,
    path: Path,
    in_csv_order: bool = False,
    notes: Iterable[str] = (),
) -> Rows:
    """Return the rows of the files of one set as train, validation, test, each in file order.

    Of a single file, the rows tell the split first, then its name, as ``told``.  Of several, the
    name does; rows that say otherwise are warned about, but those of a whole test are divided as
    they say, where no file is the validation.  What neither tells is train, or test where it has no
    labels.  Rows may have their numbers in ``fer2013.csv``, ``in_csv_order``; ``notes`` are further
    warnings.

    Raises
    ------
    DatasetFormatError
        When no rows are there, or a split has labels in one file and none in another.
    """
    codes, said = _splits_of_rows(parts, told)
    labels = _joined([part.labels for _, part in parts])
    if not len(labels):
        raise DatasetFormatError("expected rows, received none", path=path)
    for code, split in enumerate(SPLIT_NAMES):
        if len(set((labels[codes == code] == NO_LABEL).tolist())) > 1:
            raise DatasetFormatError(
                f"of {split}, some rows have labels and others none; load them one by one",
                path=path,
            )
    images, votes = _joined([part.images for _, part in parts]), None
    if any(part.votes is not None for _, part in parts):
        votes = _joined([part.votes_or_none() for _, part in parts])
    csv_rows = np.arange(len(labels))
    if np.any(np.diff(codes) < 0):  # else the rows are in order already: spare the copy
        csv_rows = np.argsort(codes, kind="stable")
        images, labels = images[csv_rows], labels[csv_rows]
        votes = None if votes is None else votes[csv_rows]
    train, validation, test = np.bincount(codes, minlength=len(SPLIT_NAMES)).tolist()
    left_out = [word for _, part in parts for word in part.left_out]
    log = [line for _, part in parts for line in part.log]
    return Rows(
        images,
        labels,
        (train, validation, test),
        csv_rows if in_csv_order and not left_out else None,
        votes,
        notes=(*notes, *said),
        log=(*log, *count_left_out(left_out)),
    )


def _splits_of_rows(
    parts: Sequence[tuple[str, Part]], told: Sequence[int]
) -> tuple[IntArray, list[str]]:
    """Return the split of each row of all parts, and what the user is warned about."""
    splits, notes = [], []
    for (name, part), code in zip(parts, told, strict=True):
        if len(parts) == 1 or code == NO_SPLIT:
            splits.append(part.splits_or(code))
        else:
            is_divided = code == TEST and VALIDATION not in told
            splits.append(np.where(is_divided & (part.splits == VALIDATION), VALIDATION, code))
            wrong = np.count_nonzero(~np.isin(part.splits, [NO_SPLIT, *MAY_HOLD[code]]))
            if wrong:
                notes.append(
                    f"{name} was taken by its name, though of its rows {wrong:,} say another split"
                )
        notes += part.notes if len(parts) == 1 else [f"{name}: {note}" for note in part.notes]
    return _joined(splits), notes


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
