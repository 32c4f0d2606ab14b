"""AuditReport: what audit_dataset found, as figures, text and rows, and data sets without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import MaybeNone, check_choice, check_flags
from fer2013kit.datasets._audit_tables import audit_figures, audit_frame, audit_text
from fer2013kit.datasets._fer2013 import FER2013
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.typing import ConflictPolicy, LeakSide, SplitName

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from fer2013kit._checks import IntArray

    BoolArray = NDArray[np.bool_]
    Groups = dict[str, IntArray]

ALONE: Final = -1
"""Group number of a row that is in no group."""

BLANK_LIMIT: Final = 1.0
"""An image whose pixels have a standard deviation below this, in grey levels, shows nothing."""


@dataclass(frozen=True, eq=False, repr=False)
class AuditReport:
    """What :func:`audit_dataset` found.

    Parameters
    ----------
    data : FER2013
        The audited data set.
    duplicate_groups : dict of str to ndarray of int64, shape (n,)
        For each split the number of each row's group of byte-identical images, the same number
        in every split, -1 for images that occur once.
    near_duplicate_groups : dict of str to ndarray of int64, shape (n,), or None
        The same for groups of images that are similar; identical ones count as one, so that
        every group holds different images.  None when they were not looked for.
    blank : dict of str to ndarray of bool, shape (n,)
        For each split, which images are blank: the standard deviation of their pixels is below
        one grey level.

    Attributes
    ----------
    leaks, near_leaks : dict of str to ndarray of int64
        For ``validation`` and ``test``, the row numbers of images that are also in ``train``, byte
        for byte, or (these not counted again) as a near-duplicate.
    conflicts : dict of str to ndarray of int64
        For each split the row numbers of images that occur more than once, in whatever split,
        and not always with the same label.

    See Also
    --------
    audit_dataset : Makes it.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=140, random_state=0)
    >>> twice = fk.FER2013(train=data.train.concat(data.train.subset([5, 7])))
    >>> report = fk.audit_dataset(twice)
    >>> report
    AuditReport(2 duplicate groups, 0 leaks, 0 conflicts, 0 blank images)
    >>> len(report.drop_duplicates().train) == len(data.train)
    True
    """

    data: FER2013
    duplicate_groups: Groups
    near_duplicate_groups: Groups | MaybeNone
    blank: dict[str, BoolArray]

    @property
    def leaks(self) -> Groups:
        """Rows of validation and test whose image is also in train."""
        return self._rows_in_train(self.duplicate_groups)

    @property
    def near_leaks(self) -> Groups:
        """Rows of validation and test that have a near-duplicate in train, without the leaks."""
        if self.near_duplicate_groups is None:
            return {name: np.empty(0, np.int64) for name in self._evaluation}
        near = self._rows_in_train(self.near_duplicate_groups)
        return {name: np.setdiff1d(near[name], rows) for name, rows in self.leaks.items()}

    @property
    def conflicts(self) -> Groups:
        """Rows of images that occur more than once and not always with the same label."""
        wrong = _conflicting_groups(self.data, self.duplicate_groups)
        return {
            name: np.flatnonzero(np.isin(groups, wrong))
            for name, groups in self.duplicate_groups.items()
        }

    def __repr__(self) -> str:
        counts = self.as_dict()
        return (
            f"AuditReport({counts['duplicates']['groups']} duplicate groups, "
            f"{sum(counts['leaks'].values())} leaks, {counts['conflicts']['rows']} conflicts, "
            f"{sum(counts['blank'].values())} blank images)"
        )

    def drop_leaks(
        self,
        *,
        side: LeakSide = "train",
        near_duplicates: bool = False,
    ) -> FER2013:
        """Return the data set without images that are in both train and evaluation.

        Parameters
        ----------
        side : {"train", "evaluation"}, default "train"
            Where they are left out.  With ``"train"``, validation and test stay as published, and
            metrics measured on them compare row for row with published ones.  Choose
            ``"evaluation"`` for models that were trained on the whole of train already.
        near_duplicates : bool, default False
            Leave near-duplicates out as well.

        Returns
        -------
        FER2013
            The rows that stay, in their order.

        Raises
        ------
        InvalidInputError
            For another ``side``, or when near-duplicates were not looked for.

        See Also
        --------
        AuditReport.drop_duplicates : Keep one of each group.
        audit_dataset : Where the report comes from.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data = fk.make_fer2013(n_samples=70, random_state=0)
        >>> leaking = fk.FER2013(train=data.train.concat(data.test), test=data.test)
        >>> len(fk.audit_dataset(leaking).drop_leaks().train) == len(data.train)
        True
        """
        check_choice("side", side, LeakSide)
        check_flags(near_duplicates=near_duplicates)
        groups = self._groups(near_duplicates=near_duplicates)
        train = groups["train"]
        evaluation = np.concatenate([train[:0], *(groups[name] for name in self._evaluation)])
        shared = np.intersect1d(train[train != ALONE], evaluation)
        dropped = ("train",) if side == "train" else self._evaluation
        return self._keep({name: ~np.isin(groups[name], shared) for name in dropped})

    def drop_duplicates(
        self, *, near_duplicates: bool = False, conflicts: ConflictPolicy = "first"
    ) -> FER2013:
        """Return the data set with each image once in each split.

        Of each group the first row of each split stays; an image in two splits stays in both
        (:meth:`drop_leaks` is for these).

        Parameters
        ----------
        near_duplicates : bool, default False
            Treat near-duplicates as the same image.
        conflicts : {"first", "drop"}, default "first"
            What becomes of a group whose rows, in whatever split, have different labels:
            ``"first"`` treats it as any other, so that the first row's label counts;
            ``"drop"`` leaves all its rows out, as no label of it can be trusted.

        Returns
        -------
        FER2013
            The rows that stay, in their order.

        Raises
        ------
        InvalidInputError
            For another ``conflicts``, or when near-duplicates were not looked for.

        See Also
        --------
        AuditReport.drop_leaks : No image in both training and evaluation.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data = fk.make_fer2013(n_samples=70, random_state=0)
        >>> twice = data.concat(data.train)
        >>> len(fk.audit_dataset(twice).drop_duplicates().train) == len(data.train)
        True
        """
        check_choice("conflicts", conflicts, ConflictPolicy)
        check_flags(near_duplicates=near_duplicates)
        groups = self._groups(near_duplicates=near_duplicates)
        wrong = (
            _conflicting_groups(self.data, groups) if conflicts == "drop" else np.empty(0, np.int64)
        )
        kept = {}
        for name, numbers in groups.items():
            kept[name] = numbers == ALONE
            kept[name][np.unique(numbers, return_index=True)[1]] = True
            kept[name] &= ~np.isin(numbers, wrong)
        return self._keep(kept)

    def groups(self, split: SplitName = "train") -> IntArray:
        """Return a group for each row, of copies that belong on one side of a division.

        Parameters
        ----------
        split : {"train", "validation", "test"}, default "train"
            Whose rows.

        Returns
        -------
        ndarray of int64, shape (n,)
            For ``validation_groups`` of :class:`EmotionClassifier` and scikit-learn's
            ``GroupKFold``: identical images have one number, similar ones too where
            near-duplicates were looked for, and an image that occurs once has a number of its own.

        Raises
        ------
        InvalidInputError
            For another split, or one that the data set does not have.

        See Also
        --------
        Split.groups : Groups of people, from columns.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> train = fk.make_fer2013(n_samples=140, random_state=0).train.subset([0, 1, 0, 2])
        >>> fk.audit_dataset(train).groups()
        array([0, 1, 0, 2])
        """
        check_choice("split", split, SplitName)
        if split not in self.data.splits:
            raise InvalidInputError(f"{self.data!r} has no {split} split")
        groups = self._groups(near_duplicates=self.near_duplicate_groups is not None)[split]
        alone = groups == ALONE
        numbers = np.where(alone, groups.max(initial=ALONE) + np.cumsum(alone), groups)
        numbered: IntArray = np.unique(numbers, return_inverse=True)[1]
        return numbered

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers and dicts, ready for JSON.

        Returns
        -------
        dict
            ``rows``, ``blank``: per split.  ``leaks``, ``near_leaks``: per evaluation split.
            ``duplicates``, ``near_duplicates`` (None when not looked for): ``groups``, ``rows``
            in groups, ``extra_rows`` (rows beyond the first of each group).  ``conflicts``:
            ``groups``, ``rows``.  ``class_counts``: per split and class, None where there are no
            labels.

        See Also
        --------
        AuditReport.to_frame : Each finding as a row.
        AuditReport.summary : The same for people.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data = fk.make_fer2013(n_samples=140, random_state=0)
        >>> fk.audit_dataset(data).as_dict()["leaks"]
        {'validation': 0, 'test': 0}
        """
        return audit_figures(self)

    def summary(self) -> str:
        """Return the figures as text.

        Returns
        -------
        str
            Some twenty lines.

        See Also
        --------
        AuditReport.as_dict : The same as numbers.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data = fk.make_fer2013(n_samples=140, random_state=0)
        >>> print(fk.audit_dataset(data).summary())
        Audit of FER2013(train=112, validation=14, test=14, source='make_fer2013')
        ...
        """
        return audit_text(self)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per finding as a pandas data frame.

        Returns
        -------
        pandas.DataFrame
            Columns ``split``, ``index`` (row number in the split), ``emotion`` (class code,
            missing where there are no labels), ``emotion_name``, as in
            :meth:`FER2013.to_frame`; ``finding``: ``"leak"``, ``"near_leak"``, ``"conflict"``,
            ``"duplicate"``, ``"near_duplicate"`` or ``"blank"``; ``group``: number of the group
            of identical or, for the ``near_`` findings, similar images, missing for blanks.  A
            row of the data set stands here once for each of its findings.  Ordered by finding,
            split and index.

        See Also
        --------
        FER2013.to_frame : The rows that it joins to.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> train = fk.make_fer2013(n_samples=140, random_state=0).train.subset([0, 1, 0])
        >>> report = fk.audit_dataset(fk.FER2013(train=train))
        >>> report.to_frame()[["split", "index", "finding", "group"]]
           split  index    finding  group
        0  train      0  duplicate      0
        1  train      2  duplicate      0
        """
        return audit_frame(self)

    @property
    def _evaluation(self) -> tuple[str, ...]:
        return tuple(name for name in self.data.splits if name != "train")

    def _rows_in_train(self, groups: Groups) -> Groups:
        train = groups["train"][groups["train"] != ALONE]
        return {name: np.flatnonzero(np.isin(groups[name], train)) for name in self._evaluation}

    def _groups(self, *, near_duplicates: bool) -> Groups:
        """Return groups of identical or, if asked for, of identical or similar images."""
        if not near_duplicates:
            return self.duplicate_groups
        if self.near_duplicate_groups is None:
            raise InvalidInputError(
                "near-duplicates were not looked for; call audit_dataset with near_duplicates=True"
            )
        offset = 1 + max(
            int(rows.max(initial=ALONE)) for rows in self.near_duplicate_groups.values()
        )
        return {
            name: np.where(
                (near == ALONE) & (self.duplicate_groups[name] != ALONE),
                self.duplicate_groups[name] + offset,
                near,
            )
            for name, near in self.near_duplicate_groups.items()
        }

    def _keep(self, kept: dict[str, BoolArray]) -> FER2013:
        splits = {
            name: split.subset(kept[name]) if name in kept and not kept[name].all() else split
            for name, split in self.data.splits.items()
        }
        return FER2013(**splits, source=self.data.source)


def _conflicting_groups(data: FER2013, groups: Groups) -> IntArray:
    """Return the numbers of the groups whose rows have different labels."""
    pairs = [
        np.column_stack([groups[name], split.labels])
        for name, split in data.splits.items()
        if split.labels is not None
    ]
    table: IntArray = np.concatenate([np.empty((0, 2), np.int64), *pairs])
    different: IntArray = np.unique(table, axis=0)
    numbers, counts = np.unique(different[:, 0], return_counts=True)
    wrong: IntArray = numbers[(counts > 1) & (numbers != ALONE)]
    return wrong
