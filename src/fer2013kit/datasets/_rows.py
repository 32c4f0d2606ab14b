"""What every reader returns, and the threads that the readers share."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from fer2013kit.datasets._fer2013 import FER2013
from fer2013kit.datasets._split import Split
from fer2013kit.exceptions import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fer2013kit._checks import IntArray, UInt8Array

Item = TypeVar("Item")

SPLIT_NAMES: Final = ("train", "validation", "test")

USAGE_SPLITS: Final = {"training": 0, "publictest": 1, "privatetest": 2}
"""The ``Usage`` of the original CSV, in lower case, to the place in ``SPLIT_NAMES``."""

NO_LABEL: Final = -1

# Work releases the interpreter lock only in part: more threads than these, or than cores, gain
# nothing and cost switching.
_WORKERS: Final = min(4, os.cpu_count() or 1)


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
    notes : tuple of str
        What was passed over or mended while reading; kept in the cache and said at each load.
    """

    images: UInt8Array
    labels: IntArray
    sizes: tuple[int, int, int]
    csv_rows: IntArray | None
    notes: tuple[str, ...] = ()

    def slices(self) -> dict[str, slice]:
        """Return where each split's rows stand."""
        ends = np.cumsum(self.sizes).tolist()
        return {
            name: slice(end - size, end)
            for name, size, end in zip(SPLIT_NAMES, self.sizes, ends, strict=True)
        }

    def to_data(self, source: str) -> FER2013:
        """Return the rows as a data set, and warn of their notes.

        Splits without rows are None, but train is never.
        """
        for note in self.notes:
            warn(f"{source}: {note}")
        splits = {}
        for name, rows in self.slices().items():
            labels = self.labels[rows]
            unlabelled = len(labels) > 0 and labels[0] == NO_LABEL
            splits[name] = Split(self.images[rows], None if unlabelled else labels)
        return FER2013(
            splits["train"],
            splits["validation"] if len(splits["validation"]) else None,
            splits["test"] if len(splits["test"]) else None,
            source=source,
        )


def order_by_split(
    images: UInt8Array,
    labels: IntArray,
    split_codes: IntArray,
    *,
    in_csv_order: bool,
) -> Rows:
    """Return rows in file order as train, validation, test, each still in file order."""
    csv_rows = np.arange(len(images))
    if np.any(np.diff(split_codes) < 0):  # else the file is in order already: spare the copy
        csv_rows = np.argsort(split_codes, kind="stable")
        images, labels = images[csv_rows], labels[csv_rows]
    train, validation, test = np.bincount(split_codes, minlength=len(SPLIT_NAMES)).tolist()
    return Rows(images, labels, (train, validation, test), csv_rows if in_csv_order else None)


def run_in_threads(work: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Call ``work`` on each item in threads.

    Items are drawn only a few ahead, so that a long source is never held whole in memory.
    """
    with ThreadPoolExecutor(_WORKERS) as pool:
        pending: deque[Future[None]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) > 2 * _WORKERS:
                    pending.popleft().result()
            while pending:
                pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
