"""FERPlus: the votes of ten people on each image, and the labels made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit._checks import as_array, check_labels, check_whole, chosen_rows
from fer2013kit.emotions import FERPLUS_CLASS_NAMES, NUM_CLASSES
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit._checks import IntArray

VOTE_NAMES: Final[tuple[str, ...]] = (*FERPLUS_CLASS_NAMES, "unknown", "no_face")
"""What the columns of :attr:`FERPlus.votes` count: the eight classes, then the two refusals."""

IGNORED: Final = -1
"""The label of a row on which people did not agree, or saw no face."""

_N_CLASSES: Final = len(FERPLUS_CLASS_NAMES)
_MOST_EMOTIONS: Final = 3  # of one face, in the paper


@dataclass(frozen=True, eq=False, repr=False)
class FERPlus:
    """FER+: how ten people voted on each image.

    ==================  =======================================================
    Rows                as many as the images of the split they belong to
    Votes for a row     10 (9 in one row of FER+)
    Classes             8: the seven of FER-2013, and contempt with code 7
    ==================  =======================================================

    Parameters
    ----------
    votes : array_like of int, shape (n, 10)
        Number of votes.  The columns are, in this order: angry, disgust, fear, happy, sad,
        surprise, neutral (so that a column's number is the code of :class:`Emotion`), contempt,
        unknown (an expression, but none of the eight), no face.

    Attributes
    ----------
    votes : ndarray of int64, shape (n, 10)
        Number of votes.

    Raises
    ------
    InvalidInputError
        For another shape, or votes that are not whole numbers of 0 or more.

    See Also
    --------
    load_ferplus : Reads it.

    Notes
    -----
    FER+ removed images on which people saw no face.  Their rows are kept here, so that rows
    and images stay together; nearly all their votes are for "no face", and they are ignored in
    every form of the labels.

    References
    ----------
    E. Barsoum, C. Zhang, C. Canton Ferrer, Z. Zhang. "Training deep networks for facial
    expression recognition with crowd-sourced label distribution." ICMI 2016. arXiv:1608.01041.

    Examples
    --------
    Seven people saw a happy face and three a neutral one; on the second image nobody agreed:

    >>> import fer2013kit as fk
    >>> votes = fk.FERPlus([[0, 0, 0, 7, 0, 0, 3, 0, 0, 0], [3, 2, 0, 0, 3, 0, 2, 0, 0, 0]])
    >>> votes.majority()
    array([ 3, -1])
    >>> votes.probabilities(n_classes=7)[0]
    array([0. , 0. , 0. , 0.7, 0. , 0. , 0.3])
    """

    votes: IntArray

    if TYPE_CHECKING:  # it takes more than it holds

        def __init__(self, votes: ArrayLike) -> None: ...

    def __post_init__(self) -> None:
        votes = as_array(self.votes, "votes")
        if votes.ndim != 2 or votes.shape[1] != len(VOTE_NAMES):  # noqa: PLR2004 - a table
            raise InvalidInputError(
                f"votes must have shape (n, {len(VOTE_NAMES)}), the columns being "
                f"{', '.join(VOTE_NAMES)}; received {votes.shape}"
            )
        if votes.size and (votes.dtype.kind not in "iu" or votes.min() < 0):
            what = f"dtype {votes.dtype}" if votes.dtype.kind not in "iu" else f"{votes.min()}"
            raise InvalidInputError(f"votes must be whole numbers of 0 or more; received {what}")
        object.__setattr__(self, "votes", votes.astype(np.int64))

    def __len__(self) -> int:
        return len(self.votes)

    def __repr__(self) -> str:
        return f"FERPlus({len(self)} rows)"

    def majority(self, n_classes: int = 8) -> IntArray:
        """Return the label that more than half of the votes agree on.

        The paper's *majority* form: an option with a single vote loses it as an outlier; then a
        row whose first option has more than half of the votes left, "unknown" and "no face"
        counted among them, gets this option as its label.

        Parameters
        ----------
        n_classes : {7, 8}, default 8
            With 7, rows that are labelled contempt are ignored.

        Returns
        -------
        ndarray of int64, shape (n,)
            Codes 0 to 6 of :class:`Emotion`, 7 for contempt, -1 for rows to ignore: no majority,
            or a majority for "unknown" or "no face".

        Raises
        ------
        InvalidInputError
            For another ``n_classes``.

        See Also
        --------
        FERPlus.probabilities : Soft labels instead of one.

        Examples
        --------
        Train on the images that people agree on:

        >>> import fer2013kit as fk
        >>> votes = fk.FERPlus([[0, 0, 0, 0, 0, 9, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 10]])
        >>> labels = votes.majority(n_classes=7)
        >>> labels[labels >= 0]
        array([5])
        """
        _check_n_classes(n_classes)
        votes = self._without_outliers()
        labels = np.argmax(votes, axis=1).astype(np.int64)
        agreed = 2 * votes.max(axis=1, initial=0) > votes.sum(axis=1)
        return np.where(agreed & (labels < n_classes), labels, IGNORED)

    def probabilities(self, n_classes: int = 8) -> NDArray[np.float64]:
        """Return how the votes spread over the classes.

        The paper's *probability* form, which is also the target of its cross-entropy training, as
        its authors' program computes it.  An option with a single vote loses it as an outlier.
        Options are then accepted in descending order of their votes, equal ones together, until
        they hold three quarters of the votes, or are three, or "unknown" or "no face" is next.
        The accepted options' shares are the probabilities.  The row is ignored when the accepted
        options are more than three (ties), or hold no more than half of the votes.

        Parameters
        ----------
        n_classes : {7, 8}, default 8
            With 7, contempt is left out afterwards and the other shares are raised to a sum of 1.

        Returns
        -------
        ndarray of float64, shape (n, n_classes)
            In the order of the codes of :class:`Emotion`, then contempt.  Rows sum to 1; rows to
            ignore are all 0 (and so add nothing to a cross-entropy).

        Raises
        ------
        InvalidInputError
            For another ``n_classes``.

        See Also
        --------
        FERPlus.majority : One label for each image.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> votes = fk.FERPlus([[0, 0, 3, 0, 0, 6, 1, 0, 0, 0]])
        >>> votes.probabilities().round(2)
        array([[0.  , 0.  , 0.33, 0.  , 0.  , 0.67, 0.  , 0.  ]])
        """
        _check_n_classes(n_classes)
        votes = self._without_outliers()
        total = votes.sum(axis=1)
        # For each option, what stands before it: options with more votes than its own.
        before = votes[:, None, :] > votes[:, :_N_CLASSES, None]
        votes_before = (before * votes[:, None, :]).sum(axis=2)
        accepted = (
            (votes[:, :_N_CLASSES] > 0)
            & (4 * votes_before < 3 * total[:, None])
            & (before.sum(axis=2) < _MOST_EMOTIONS)
            & ~before[:, :, _N_CLASSES:].any(axis=2)
        )
        shares = np.where(accepted, votes[:, :_N_CLASSES], 0).astype(np.float64)
        clear = (2 * shares.sum(axis=1) > total) & (accepted.sum(axis=1) <= _MOST_EMOTIONS)
        shares = shares[:, :n_classes] * clear[:, None]
        sums = shares.sum(axis=1, keepdims=True)
        probabilities: NDArray[np.float64] = shares / np.where(sums > 0, sums, 1)
        return probabilities

    def subset(self, index: ArrayLike | slice) -> FERPlus:
        """Return the chosen rows.

        Parameters
        ----------
        index : array_like of int or bool, or slice
            Row numbers, or a mask with one entry for each row.

        Returns
        -------
        FERPlus
            The rows in the order asked for.

        Raises
        ------
        InvalidInputError
            For row numbers out of range or a mask of another length.

        See Also
        --------
        FERPlus.concat : Joins rows.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> votes = fk.FERPlus([[0, 0, 0, 8, 0, 0, 2, 0, 0, 0], [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]])
        >>> len(votes.subset([True, False]))
        1
        """
        return FERPlus(self.votes[chosen_rows(index, len(self))])

    def concat(self, *others: FERPlus) -> FERPlus:
        """Return these rows followed by those of others.

        Parameters
        ----------
        *others : FERPlus
            The votes to append.

        Returns
        -------
        FERPlus
            The rows of all.

        Raises
        ------
        InvalidInputError
            For something else than votes.

        See Also
        --------
        FERPlus.subset : Some of the rows.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> votes = fk.FERPlus([[0, 0, 0, 8, 0, 0, 2, 0, 0, 0]])
        >>> len(votes.concat(votes))
        2
        """
        if strange := [one for one in others if not isinstance(one, FERPlus)]:
            raise InvalidInputError(f"others must be of FERPlus; received {shown(strange[0])}")
        return FERPlus(np.concatenate([self.votes, *(other.votes for other in others)]))

    def agreement(self, labels: ArrayLike) -> float:
        """Return the share of rows whose label is what most people saw.

        Parameters
        ----------
        labels : array_like of int, shape (n,)
            Class codes, for instance FER-2013's own.

        Returns
        -------
        float
            Between 0 and 1: rows in which no option has more votes than the label's, among the
            rows that have a vote for any of the eight classes; nan when there is none.

        Raises
        ------
        InvalidInputError
            For another number of labels, or other codes than 0 to 7.

        See Also
        --------
        FERPlus.majority : What most people saw.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> votes = fk.FERPlus([[0, 0, 0, 8, 0, 0, 2, 0, 0, 0], [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]])
        >>> votes.agreement([3, 6])
        0.5
        """
        codes = check_labels(labels, n_samples=len(self), n_classes=_N_CLASSES)
        faces = self.votes[:, :_N_CLASSES].any(axis=1)
        if not faces.any():
            return float("nan")
        own = np.take_along_axis(self.votes, codes[:, None], axis=1)[:, 0]
        return float(np.mean(own[faces] == self.votes[faces].max(axis=1)))

    def _without_outliers(self) -> IntArray:
        return np.where(self.votes > 1, self.votes, 0)


def no_votes(n_rows: int) -> FERPlus:
    """Return rows on which nobody voted: every form of the labels ignores them."""
    return FERPlus(np.zeros((n_rows, len(VOTE_NAMES)), np.int64))


def _check_n_classes(n_classes: int) -> None:
    if check_whole("n_classes", n_classes) not in {NUM_CLASSES, _N_CLASSES}:
        raise InvalidInputError(
            f"n_classes must be {NUM_CLASSES} or {_N_CLASSES}; received {n_classes}"
        )
