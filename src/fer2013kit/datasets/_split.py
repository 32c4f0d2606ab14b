"""Split: the pictures and labels of one part of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._checks import (
    IntArray,
    MaybeNone,
    UInt8Array,
    check_images,
    check_labels,
    check_same_length,
)
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from fer2013kit.datasets._ferplus import FERPlus

RandomState = int | np.random.Generator | np.random.RandomState | None


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Pictures and labels of one part of a data set; unpacks as ``X, y = split``.

    Parameters
    ----------
    images : array_like of int in [0, 255]
        Grey pictures of shape ``(n, 48, 48, 1)``, ``(n, 48, 48)`` or ``(n, 2304)``.
    labels : array_like of int, shape (n,), or None
        Class codes 0 to 6 (see :class:`Emotion`); None for pictures without labels, as in the
        ``test.csv`` of the Kaggle challenge.
    ferplus : FERPlus, optional
        The FER+ votes, one row for each picture.
    image_shape : tuple of int, default (48, 48, 1)
        Height, width and channels of pictures from elsewhere, ``(96, 96, 3)`` for instance.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, 48, 48, 1), or that of ``image_shape``
        The pictures.  They may be mapped read-only from the cache on disk: copy before you write.
    labels : ndarray of int64, shape (n,), or None
        The class codes.
    ferplus : FERPlus or None
        The FER+ votes.

    Raises
    ------
    InvalidInputError
        For arrays of another shape, range or length; on unpacking, when there are no labels.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).train
    >>> split = fk.Split(X, y)
    >>> split.subset(split.labels == fk.Emotion.HAPPY).labels[:3]
    array([3, 3, 3])
    """

    images: UInt8Array
    labels: IntArray | MaybeNone = None
    ferplus: FERPlus | MaybeNone = None
    image_shape: tuple[int, int, int] = IMAGE_SHAPE

    if TYPE_CHECKING:  # it takes more than it holds

        def __init__(
            self,
            images: ArrayLike,
            labels: ArrayLike | None = None,
            ferplus: FERPlus | None = None,
            image_shape: tuple[int, int, int] = IMAGE_SHAPE,
        ) -> None: ...

    def __post_init__(self) -> None:
        images = check_images(self.images, image_shape=self.image_shape)
        object.__setattr__(self, "images", images)
        if self.labels is not None:
            labels = check_labels(self.labels, n_samples=len(self.images))
            object.__setattr__(self, "labels", labels)
        if self.ferplus is not None:
            check_same_length(self.images, self.ferplus, names=("images", "ferplus"))

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        yield self.images
        yield self.require_labels()

    def __repr__(self) -> str:
        parts = [f"{len(self)} images", "no labels" if self.labels is None else "labels"]
        if self.ferplus is not None:
            parts.append("FER+ votes")
        return f"Split({', '.join(parts)})"

    def require_labels(self) -> IntArray:
        """Return the labels, or raise where there are none.

        Returns
        -------
        ndarray of int64, shape (n,)
            The class codes.

        Raises
        ------
        InvalidInputError
            When the split has no labels.
        """
        if self.labels is None and self.ferplus is not None:
            raise InvalidInputError(
                "this split has FER+ votes and no labels; split.ferplus.majority() and "
                "split.ferplus.probabilities() make labels of the votes"
            )
        if self.labels is None:
            raise InvalidInputError(
                "this split has no labels (the test set of the Kaggle challenge came without); "
                "use split.images alone, or load fer2013.csv or icml_face_data.csv, "
                "which hold the labels"
            )
        labels: IntArray = self.labels
        return labels

    def subset(self, index: ArrayLike | slice) -> Split:
        """Return the chosen rows as a new split.

        Parameters
        ----------
        index : array_like of int or bool, or slice
            Row numbers, or a mask with one entry for each row.

        Returns
        -------
        Split
            The rows in the order asked for, with their FER+ votes if there are any.

        Raises
        ------
        InvalidInputError
            For row numbers out of range or a mask of another length.
        """
        rows = np.arange(len(self))
        try:
            if isinstance(index, slice):
                rows = rows[index]
            else:
                chosen = np.asarray(index)
                rows = rows[chosen if chosen.size else chosen.astype(np.int64)]
        except IndexError as error:
            raise InvalidInputError(
                f"index must hold row numbers 0 to {len(self) - 1} or a mask of {len(self)} "
                f"entries: {error}"
            ) from error
        return Split(
            self.images[rows],
            None if self.labels is None else self.labels[rows],
            None if self.ferplus is None else self.ferplus.subset(rows),
            self.image_shape,
        )

    def concat(self, *others: Split) -> Split:
        """Return this split followed by others.

        Parameters
        ----------
        *others : Split
            All with labels or all without.

        Returns
        -------
        Split
            The rows of all; FER+ votes are kept where every part has them.

        Raises
        ------
        InvalidInputError
            When some parts have labels and some have none, or pictures another shape.
        """
        parts = (self, *others)
        if len(shapes := {part.image_shape for part in parts}) > 1:
            raise InvalidInputError(
                f"splits whose pictures have one shape can be joined; received {sorted(shapes)}"
            )
        if len({part.labels is None for part in parts}) > 1:
            raise InvalidInputError(
                "splits with and without labels cannot be joined; "
                f"received {', '.join(map(repr, parts))}"
            )
        votes = [part.ferplus for part in parts if part.ferplus is not None]
        return Split(
            np.concatenate([part.images for part in parts]),
            None if self.labels is None else np.concatenate([part.labels for part in parts]),
            votes[0].concat(*votes[1:]) if len(votes) == len(parts) else None,
            self.image_shape,
        )


def random_generator(random_state: RandomState) -> np.random.Generator:
    """Return a generator for what users pass as ``random_state``."""
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31))
    return np.random.default_rng(random_state)


def choose_rows(
    n_rows: int, n_samples: int, *, labels: IntArray | None, random_state: RandomState
) -> IntArray:
    """Choose rows at random, in ascending order; with labels, in the classes' proportions.

    Each class gets the whole part of its share, and the rows left over go to the classes with
    the largest remainders.
    """
    generator = random_generator(random_state)
    if labels is None:
        return np.sort(generator.permutation(n_rows)[:n_samples]).astype(np.int64)
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * (n_samples / max(n_rows, 1))
    quota = np.floor(exact).astype(np.int64)
    largest = np.argsort(quota - exact, kind="stable")
    quota[largest[: n_samples - int(quota.sum())]] += 1
    chosen = [
        generator.permutation(np.flatnonzero(labels == code))[:size]
        for code, size in zip(classes, quota, strict=True)
    ]
    return np.sort(np.concatenate([*chosen, np.empty(0, np.int64)])).astype(np.int64)
