"""FER2013: the data set as arrays, split into train, validation and test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fer2013kit._checks import (
    check_flags,
    check_number,
    check_whole,
)
from fer2013kit.datasets._columns import check_one_each
from fer2013kit.datasets._data_tables import data_frame, data_text
from fer2013kit.datasets._labels import class_codes
from fer2013kit.datasets._split import RandomState, Split, choose_rows
from fer2013kit.emotions import (
    CLASS_NAMES,
    FERPLUS_CLASS_NAMES,
    NUM_CLASSES,
    SPLIT_NAMES,
)
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from fer2013kit._checks import MaybeNone


@dataclass(frozen=True, eq=False, repr=False)
class FER2013:
    """A facial expression data set in the splits of FER-2013.

    =================   ==============================================
    Classes             7 (see :class:`Emotion`)
    Full data set       28,709 train, 3,589 validation, 3,589 test
    Images              uint8 ``(n, 48, 48, 1)``, grey, 0 to 255
    Labels              int64 ``(n,)``, 0 to 6
    =================   ==============================================

    Parameters
    ----------
    train : Split
        Rows of usage ``Training``.
    validation : Split, optional
        Rows of usage ``PublicTest``.
    test : Split, optional
        Rows of usage ``PrivateTest``.
    source : str
        Where the data came from, for people.

    Attributes
    ----------
    splits : dict of str to Split
        The splits that are there, by name.
    class_names : tuple of str
        The words of the classes by their codes: the seven emotions, and contempt where an image
        has it.

    See Also
    --------
    load_fer2013 : Reads it.
    make_fer2013 : Draws one.
    Split : Its parts.

    References
    ----------
    Goodfellow et al., "Challenges in Representation Learning: A report on three machine learning
    contests", 2013.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=70, random_state=0)
    >>> quick = data.subset(n_samples=14, random_state=0)
    >>> len(quick.train)
    14
    """

    train: Split
    validation: Split | MaybeNone = None
    test: Split | MaybeNone = None
    source: str = ""

    if TYPE_CHECKING:  # it takes a split or None, and nothing else

        def __init__(
            self,
            train: Split,
            validation: Split | None = None,
            test: Split | None = None,
            source: str = "",
        ) -> None: ...

    def __post_init__(self) -> None:
        for name in SPLIT_NAMES:
            split = getattr(self, name)
            if not isinstance(split, Split) and (split is not None or name == "train"):
                raise InvalidInputError(
                    f"{name} must be a Split{'' if name == 'train' else ' or None'}; "
                    f"received {type(split).__name__}"
                )

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that are there, by name, in the order train, validation, test."""
        found = {name: getattr(self, name) for name in SPLIT_NAMES}
        return {name: split for name, split in found.items() if split is not None}

    @property
    def class_names(self) -> tuple[str, ...]:
        """The words of the classes by their codes, contempt among them where an image has it."""
        contempt = any(
            split.labels is not None and NUM_CLASSES in split.labels
            for split in self.splits.values()
        )
        return FERPLUS_CLASS_NAMES if contempt else CLASS_NAMES

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}={len(split)}" for name, split in self.splits.items())
        return f"FER2013({sizes}, source={self.source!r})"

    def summary(self) -> str:
        """Return a table of the number of images per class and split.

        Returns
        -------
        str
            Some ten lines of text.

        See Also
        --------
        FER2013.to_frame : A row for each image.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> print(fk.make_fer2013(n_samples=70, random_state=0).summary())
        FER2013 ...
        """
        return data_text(self)

    def to_frame(self, *, pixels: bool = False) -> pd.DataFrame:
        """Return one row per image as a pandas data frame.

        Parameters
        ----------
        pixels : bool, default False
            Add a column ``pixels`` of uint8 arrays of shape ``(48, 48)``, or in colour
            ``(height, width, channels)`` (views, no copies).

        Returns
        -------
        pandas.DataFrame
            Columns ``split`` (name), ``index`` (row number in the split), ``emotion`` (class
            code, missing where there are no labels) and ``emotion_name``, beside those of
            :attr:`Split.columns`, whose whole numbers are pandas's ``Int64``.

        Raises
        ------
        InvalidInputError
            Where :attr:`Split.columns` has one of these names, or whole numbers above 2**53 in
            one split and floats in another.

        See Also
        --------
        FER2013.summary : Counts for people.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> frame = fk.make_fer2013(n_samples=70, random_state=0).to_frame()
        >>> list(frame.columns)
        ['split', 'index', 'emotion', 'emotion_name']
        """
        check_flags(pixels=pixels)
        return data_frame(self, pixels=pixels)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the data set as one ``.npz`` file, which :func:`load_fer2013` reads.

        The file is written atomically, is not compressed (2.3 kB for each image) and holds
        plain arrays only.  Labels that are missing stay missing, and FER+ votes and
        :attr:`Split.columns` are kept.

        Parameters
        ----------
        path : path-like
            The file; its name must end in ``.npz``, its folder must exist.  It is replaced if it
            is there.

        Raises
        ------
        InvalidInputError
            For another file name, or splits whose images have different shapes.

        See Also
        --------
        load_fer2013 : Reads the file.

        Examples
        --------
        >>> import tempfile
        >>> import fer2013kit as fk
        >>> data = fk.make_fer2013(n_samples=70, random_state=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     data.save(f"{folder}/faces.npz")
        ...     print(len(fk.load_fer2013(f"{folder}/faces.npz").train) == len(data.train))
        True
        """
        from fer2013kit.datasets._npz import write_npz

        write_npz(self, path)

    def subset(
        self,
        n_samples: int | None = None,
        *,
        classes: Iterable[int | str] | None = None,
        stratified: bool = True,
        random_state: RandomState = None,
    ) -> FER2013:
        """Return a smaller data set, for a quick experiment or for some classes only.

        Parameters
        ----------
        n_samples : int, optional
            Largest number of images of each split, chosen at random; default all.
        classes : iterable of int or str, optional
            Codes or names of the classes to keep; default all.  Codes stay what they are.
        stratified : bool, default True
            Keep the classes' proportions (where there are labels).
        random_state : int, Generator, RandomState or None
            Seed of the choice.

        Returns
        -------
        FER2013
            The chosen images, in their old order.

        Raises
        ------
        InvalidInputError
            For an unknown class, a negative number, or ``classes`` where a split has no labels.

        See Also
        --------
        Split.subset : The same for one split.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data = fk.make_fer2013(n_samples=70, random_state=0)
        >>> len(data.subset(n_samples=14, random_state=0).train)
        14
        """
        check_flags(stratified=stratified)
        if n_samples is not None:
            n_samples = check_whole("n_samples", n_samples, least=0)
        codes = None if classes is None else class_codes(classes)
        chosen = {}
        for name, split in self.splits.items():
            part = split
            if codes is not None:
                part = part.subset(np.isin(part.require_labels(), codes))
            if n_samples is not None and n_samples < len(part):
                labels = part.labels if stratified else None
                part = part.subset(
                    choose_rows(len(part), n_samples, labels=labels, random_state=random_state)
                )
            chosen[name] = part
        return FER2013(**chosen, source=self.source)

    def concat(
        self,
        *others: FER2013 | Split,
        weights: Sequence[float] | None = None,
        sources: Sequence[str] | None = None,
    ) -> FER2013:
        """Return this data set and others, joined split by split.

        Parameters
        ----------
        *others : FER2013 or Split
            Their rows follow this set's, split by split; a split that only some have is theirs.  A
            :class:`Split`, of :func:`load_image_folder` for instance, is for training.
        weights : sequence of float, optional
            How much each image of each set counts, this one's first: ``columns["weight"]`` of
            the splits, for ``sample_weight`` in ``fit``.
        sources : sequence of str, optional
            What each set is called, this one first; by default its ``source``.  It is
            ``columns["source"]`` of the splits.

        Returns
        -------
        FER2013
            The joined data set.

        Raises
        ------
        InvalidInputError
            When a split has labels in one set and none in another, or for other than one weight or
            source for each set.

        See Also
        --------
        Split.concat : What becomes of FER+ votes and columns.
        Split.groups : Groups of source and subject, for divisions.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data, more = (fk.make_fer2013(n_samples=70, random_state=seed) for seed in (0, 1))
        >>> both = data.concat(more.train, weights=(1, 0.5), sources=("first", "second"))
        >>> both.train.columns["weight"][[0, -1]], both.train.columns["source"][-1].item()
        (array([1. , 0.5]), 'second')
        """
        sets = [FER2013(one) if isinstance(one, Split) else one for one in (self, *others)]
        if strange := [one for one in sets if not isinstance(one, FER2013)]:
            raise InvalidInputError(
                f"others must be of FER2013 or Split; received {shown(strange[0])}"
            )
        check_one_each(sets, weights=weights, sources=sources)
        called = [data.source or "arrays" for data in sets] if sources is None else list(sources)
        joined = {}
        for name in SPLIT_NAMES:
            there = [place for place, data in enumerate(sets) if name in data.splits]
            parts = [sets[place].splits[name] for place in there]
            if parts:
                joined[name] = parts[0].concat(
                    *parts[1:],
                    weights=None if weights is None else [weights[place] for place in there],
                    sources=[called[place] for place in there],
                )
        return FER2013(**joined, source=" + ".join(called))

    def split_validation(
        self, fraction: float = 0.1, *, random_state: RandomState = None
    ) -> FER2013:
        """Take a stratified part of ``train`` as ``validation``.

        Parameters
        ----------
        fraction : float, default 0.1
            Part of ``train``, above 0 and below 1.
        random_state : int, Generator, RandomState or None
            Seed of the choice.

        Returns
        -------
        FER2013
            With ``validation``, and without its rows in ``train``.

        Raises
        ------
        InvalidInputError
            When there is a validation split already, for a fraction out of range, or one that
            leaves one of both without images.

        See Also
        --------
        Split.subset : Rows of your own choice.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data = fk.FER2013(train=fk.make_fer2013(n_samples=70, random_state=0).train)
        >>> data = data.split_validation(0.2, random_state=0)
        >>> len(data.validation) < len(data.train)
        True
        """
        if self.validation is not None:
            raise InvalidInputError(
                f"there is a validation split of {len(self.validation)} images already; "
                "to draw another, start from FER2013(train=..., test=...)"
            )
        check_number("fraction", fraction, "(0, 1)")
        labels = self.train.require_labels()
        size = round(fraction * len(labels))
        if not 0 < size < len(labels):
            raise InvalidInputError(
                "fraction must leave images for both train and validation; received "
                f"{fraction:g} of {len(labels)} images"
            )
        rows = choose_rows(len(labels), size, labels=labels, random_state=random_state)
        kept = np.ones(len(labels), dtype=bool)
        kept[rows] = False
        return replace(self, train=self.train.subset(kept), validation=self.train.subset(rows))
