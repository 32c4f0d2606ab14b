"""Split: the images and labels of one part of a data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._checks import (
    IntArray,
    MaybeNone,
    UInt8Array,
    check_images,
    check_labels,
    check_same_length,
    chosen_rows,
    is_shape,
    random_generator,
)
from fer2013kit.datasets._columns import check_columns, groups_of, join_columns
from fer2013kit.datasets._ferplus import FERPlus, no_votes
from fer2013kit.emotions import FERPLUS_CLASS_NAMES, IMAGE_SHAPE
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray


RandomState = int | np.random.Generator | np.random.RandomState | None


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Images and labels of one part of a data set; unpacks as ``X, y = split``.

    Parameters
    ----------
    images : array_like of int in [0, 255]
        Grey images of shape ``(n, 48, 48, 1)``, ``(n, 48, 48)`` or ``(n, 2304)``.
    labels : array_like of int, shape (n,), or None
        Class codes 0 to 6 (see :class:`Emotion`), and 7 for contempt where a data set has it; None
        for images without labels, as in the ``test.csv`` of the Kaggle challenge.
    ferplus : FERPlus, optional
        The FER+ votes, one row for each image.
    image_shape : tuple of int, default (48, 48, 1)
        Height, width and channels of images from elsewhere, ``(96, 96, 3)`` for instance.
    columns : mapping of str to array_like, each of shape (n,), optional
        What else is known of each image and travels with it: ``"subject"``, who is on it, or
        whatever you need.  :meth:`concat` adds ``"source"`` and ``"weight"``.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, 48, 48, 1), or that of ``image_shape``
        The images.  They may be mapped read-only from the cache on disk: copy before you write.
    labels : ndarray of int64, shape (n,), or None
        The class codes.
    ferplus : FERPlus or None
        The FER+ votes.
    columns : dict of str to ndarray, each of shape (n,)
        What travels with the images.

    Raises
    ------
    InvalidInputError
        For arrays of another shape, range or length, or ``columns`` that are no mapping; on
        unpacking, when there are no labels.

    See Also
    --------
    FER2013 : Has three.

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
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)

    if TYPE_CHECKING:  # it takes more than it holds

        def __init__(
            self,
            images: ArrayLike,
            labels: ArrayLike | None = None,
            ferplus: FERPlus | None = None,
            image_shape: tuple[int, int, int] = IMAGE_SHAPE,
            columns: Mapping[str, ArrayLike] | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        if not is_shape(self.image_shape):
            raise InvalidInputError(
                "image_shape must be height, width and channels, whole numbers from 1; received "
                f"{shown(self.image_shape)}"
            )
        images = check_images(self.images, image_shape=self.image_shape)
        object.__setattr__(self, "images", images)
        if self.labels is not None:
            labels = check_labels(
                self.labels, n_samples=len(self.images), n_classes=len(FERPLUS_CLASS_NAMES)
            )
            object.__setattr__(self, "labels", labels)
        if self.ferplus is not None:
            check_same_length(self.images, self.ferplus, names=("images", "ferplus"))
        object.__setattr__(self, "columns", check_columns(self.columns, n_rows=len(self)))

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        yield self.images
        yield self.require_labels()

    def __repr__(self) -> str:
        parts = [f"{len(self)} images", "no labels" if self.labels is None else "labels"]
        if self.ferplus is not None:
            parts.append("FER+ votes")
        parts += self.columns
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

        See Also
        --------
        Split : Labels may be None.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> test = fk.make_fer2013(n_samples=70, random_state=0).test
        >>> test.require_labels().shape
        (7,)
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
            The rows in the order asked for, with their FER+ votes and columns if there are any.

        Raises
        ------
        InvalidInputError
            For row numbers out of range or a mask of another length.

        See Also
        --------
        Split.concat : Joins splits.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> test = fk.make_fer2013(n_samples=70, random_state=0).test
        >>> len(test.subset(test.labels == fk.Emotion.HAPPY))
        1
        """
        rows = chosen_rows(index, len(self))
        return Split(
            self.images[rows],
            None if self.labels is None else self.labels[rows],
            None if self.ferplus is None else self.ferplus.subset(rows),
            self.image_shape,
            {name: column[rows] for name, column in self.columns.items()},
        )

    def groups(self, *names: str) -> NDArray[np.str_]:
        """Return a group for each image, of images that belong on one side of a division.

        Parameters
        ----------
        *names : str
            Columns whose entries make a group together; by default ``"source"`` and ``"subject"``,
            of those that are there, so that equal names of people in two data sets are two.

        Returns
        -------
        ndarray of str, shape (n,)
            For ``validation_groups`` of :class:`EmotionClassifier` and scikit-learn's
            ``GroupKFold``.  An image whose last column is empty is a group of its own.

        Raises
        ------
        InvalidInputError
            For a column that is not there, or none at all, or of floats from 2**53 on, which may
            stand for several whole numbers.

        See Also
        --------
        FER2013.to_frame : All columns.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).test
        >>> fk.Split(X[:3], y[:3], columns={"subject": ["KA", "KA", ""]}).groups().tolist()
        ['KA', 'KA', '#2']
        """
        return groups_of(self.columns, names, n_rows=len(self))

    def concat(
        self,
        *others: Split,
        weights: Sequence[float] | None = None,
        sources: Sequence[str] | None = None,
    ) -> Split:
        """Return this split followed by others.

        Parameters
        ----------
        *others : Split
            All with labels or all without.
        weights : sequence of float, optional
            How much each image of each part counts, in the parts' order: the column
            ``"weight"`` of the result, times the weights that a part has already.
        sources : sequence of str, optional
            What each part is called: the column ``"source"``, for parts that have none.

        Returns
        -------
        Split
            The rows of all.  FER+ votes are kept: images of parts without have no vote for
            anything, so that they weigh nothing as targets.  So are columns, with an empty text,
            NaN or weight 1 for parts without.

        Raises
        ------
        InvalidInputError
            When some parts have labels and some have none, or images another shape; for other
            than one weight of at least 0, or one source, for each part; for whole numbers above
            2**53 in a column that NaN or floats would make floats of.

        See Also
        --------
        Split.subset : Some of the rows.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data = fk.make_fer2013(n_samples=70, random_state=0)
        >>> both = data.test.concat(data.validation, weights=(1, 0.5), sources=("a", "b"))
        >>> both.columns["weight"].sum(), both.columns["source"][0].item()
        (np.float64(10.5), 'a')
        """
        parts = (self, *others)
        if strange := [part for part in others if not isinstance(part, Split)]:
            raise InvalidInputError(f"others must be Splits; received {shown(strange[0])}")
        if len(shapes := {part.image_shape for part in parts}) > 1:
            raise InvalidInputError(
                f"splits whose images have one shape can be joined; received {sorted(shapes)}"
            )
        if len({part.labels is None for part in parts}) > 1:
            raise InvalidInputError(
                "splits with and without labels cannot be joined; "
                f"received {', '.join(map(repr, parts))}"
            )
        voted = any(part.ferplus is not None for part in parts)
        votes = [
            part.ferplus if part.ferplus is not None else no_votes(len(part)) for part in parts
        ]
        return Split(
            np.concatenate([part.images for part in parts]),
            None if self.labels is None else np.concatenate([part.labels for part in parts]),
            votes[0].concat(*votes[1:]) if voted else None,
            self.image_shape,
            join_columns(
                [part.columns for part in parts],
                [len(part) for part in parts],
                weights=weights,
                sources=sources,
            ),
        )


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
