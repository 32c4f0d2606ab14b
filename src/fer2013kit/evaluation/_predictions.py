"""evaluate_predictions: probabilities and true labels in, one report out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit import _metrics
from fer2013kit._answers import read_predictions, read_truth
from fer2013kit._checks import (
    as_array,
    check_ids,
    check_number,
    check_same_length,
    check_whole,
    is_missing,
)
from fer2013kit._class_order import doubt_order
from fer2013kit._metrics import ReliabilityBins
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.evaluation._report import EvaluationReport
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from fer2013kit._checks import IntArray


def evaluate_predictions(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    class_names: Sequence[str] = CLASS_NAMES,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    n_bins: int = 15,
    confidence_level: float = 0.95,
) -> EvaluationReport:
    """Compare predicted probabilities with the true labels.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,), or of float, shape (n, k)
        True classes: codes in ``[0, k)``, places in `class_names`, or names, other words for
        the same emotion among them ("anger", "Happiness").  Not every class has to occur.  Or
        the share of each class in the votes of several people, such as those of FER+: the
        largest, the first of several, counts as the true class, the loss is the cross-entropy
        with all of them, and the report has :attr:`~EvaluationReport.kl_divergence` and
        :attr:`~EvaluationReport.expected_accuracy`, too.  Rows sum to 1; of 0 and 1 alone, they
        are labels.
    probabilities : array_like or data frame of float, shape (n, k), or labels, shape (n,)
        Probability of each of k >= 2 classes, from any model; rows sum to 1 (within 0.01, for
        those that were computed in half precision).  The class with the largest is the
        prediction, the first of them where several are equally large.  Columns of a data frame
        go by their names, in any order; columns of an array by `class_names`.  Predicted
        labels, codes or names, have no loss, top-2 accuracy and calibration: these are NaN.
    class_names : sequence of str, length k
        Different names, in the order of the columns.  Default: the seven emotions.
    sample_weight : array_like of float, shape (n,), optional
        How much each sample counts; scaled to the mean 1.
    groups : array_like of int or str, shape (n,), optional
        The group of each sample (a source, an age group, a person): the report then holds one
        for each group, and the largest gap between them.  The report of all samples stays the
        same.
    clusters : array_like of int or str, shape (n,), optional
        Which samples belong together and so are not independent: the person in each image
        (:meth:`Split.groups`), or the image that copies share (:meth:`AuditReport.groups`).  The
        accuracy's interval then holds for other persons, and is wider where the images of one
        are right or wrong together.  The other figures stay the same.
    n_bins : int, default 15
        Number of equal-width bins of confidence behind the calibration error.
    confidence_level : float, default 0.95
        Level of the accuracy's confidence interval, between 0 and 1.

    Returns
    -------
    EvaluationReport
        Loss, accuracy with its interval, scores of each class, confusion matrix, calibration.

    Raises
    ------
    InvalidInputError
        For zero rows, different lengths, a label or a column that is no class, values that are
        no probabilities or shares (not finite, negative, rows that do not sum to 1, or without
        votes), other than k names, or an option out of range.

    Warns
    -----
    Fer2013KitWarning
        Where classes are taken for one another, as where labels follow FER-2013's order and
        columns the alphabet.

    See Also
    --------
    compare_predictions : Two networks on the same samples.
    FERPlus.probabilities : Shares of votes.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> report = fk.evaluate_predictions(
    ...     [0, 0, 1], [[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]], class_names=("happy", "sad")
    ... )
    >>> round(report.accuracy, 3), report.balanced_accuracy
    (0.667, 0.75)
    >>> [round(end, 2) for end in report.accuracy_interval]
    [0.21, 0.94]

    Ten people each voted on two faces; the network gives what seven and what four of them said:

    >>> votes = [[0.7, 0.3], [0.4, 0.6]]
    >>> report = fk.evaluate_predictions(
    ...     votes, [[0.8, 0.2], [0.9, 0.1]], class_names=("happy", "sad")
    ... )
    >>> report.accuracy, round(report.expected_accuracy, 3), round(report.kl_divergence, 3)
    (0.5, 0.55, 0.389)

    Four images of each of three people, of whom one is hard to read: the interval is that of
    fewer images.

    >>> answers, people = [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0], ["A"] * 4 + ["B"] * 4 + ["C"] * 4
    >>> report = fk.evaluate_predictions(
    ...     [1] * 12, answers, class_names=("sad", "happy"), clusters=people
    ... )
    >>> round(report.accuracy, 2), round(report.n_effective, 1)
    (0.75, 3.3)
    """
    predicted, table, names = read_predictions(probabilities, class_names)
    codes, shares = read_truth(y_true, names)
    check_same_length(codes, predicted, names=("y_true", "probabilities"))
    doubt_order(codes, predicted, names)
    n_bins = check_whole("n_bins", n_bins)
    check_number("confidence_level", confidence_level, "(0, 1)")
    weights = _metrics.check_weights(sample_weight, len(codes))
    together = read_clusters(clusters, len(codes))

    def report(rows: Any, parts: dict[str, EvaluationReport]) -> EvaluationReport:
        weight = None if weights is None else weights[rows]
        if weight is not None and weight.sum() == 0:
            raise InvalidInputError("sample_weight must not be 0 for every sample of a group")
        weight = None if weight is None else weight / weight.mean()
        counted = codes[rows], predicted[rows]
        size, n_clusters = None if weight is None else _metrics.effective_size(weight), None
        if together is not None:
            size, n_clusters = _metrics.effective_size_of_clusters(
                counted[0] == counted[1], together[rows], weight
            )
        loss, top2, bins = _NO_PROBABILITIES
        kl_divergence = expected = float("nan")
        if shares is not None:
            agreed = _metrics.shares_of(counted[1], shares[rows])
            expected = float(np.average(agreed, weights=weight))
            if table is not None:
                apart = _metrics.divergences(shares[rows], table[rows])
                kl_divergence = float(np.average(apart, weights=weight))
        if table is not None:
            losses = (
                _metrics.cross_entropies(codes[rows], table[rows])
                if shares is None
                else _metrics.soft_cross_entropies(shares[rows], table[rows])
            )
            loss = float(np.average(losses, weights=weight))
            hits = _metrics.top_k_hits(codes[rows], table[rows], k=2)
            top2 = float(np.average(hits, weights=weight))
            bins = _metrics.reliability_bins(codes[rows], table[rows], counted[1], n_bins, weight)
        return EvaluationReport(
            confusion_matrix=_metrics.count_confusions(*counted, len(names), weight),
            loss=loss,
            top2_accuracy=top2,
            reliability=bins,
            class_names=names,
            confidence_level=float(confidence_level),
            n_effective=size,
            n_clusters=n_clusters,
            kl_divergence=kl_divergence,
            expected_accuracy=expected,
            groups=parts,
        )

    parts = {name: report(rows, {}) for name, rows in _rows_by_group(groups, len(codes)).items()}
    return report(slice(None), parts)


def read_clusters(clusters: Any, n_samples: int) -> IntArray | None:
    """Return the number of each sample's cluster, counted as they come; None stays.

    Raises
    ------
    InvalidInputError
        Unless each sample has one, and there are several.
    """
    if clusters is None:
        return None
    names = _names_of_samples(as_array(clusters, "clusters"), n_samples, "clusters", "a cluster")
    _, first, places = np.unique(names, return_index=True, return_inverse=True)
    if len(first) == 1:
        raise InvalidInputError(
            "clusters must be two or more, since one tells nothing of others; received only "
            f"{shown(str(names[0]))}"
        )
    return np.asarray(np.argsort(np.argsort(first))[places], dtype=np.int64)


def _names_of_samples(labels: NDArray[Any], n_samples: int, name: str, what: str) -> NDArray[Any]:
    if labels.shape != (n_samples,):
        raise InvalidInputError(
            f"{name} must have shape ({n_samples},), one for each sample; received {labels.shape}"
        )
    check_ids(labels, name)
    values = labels.tolist()
    if any(map(is_missing, values)):
        raise InvalidInputError(f"{name} must name {what} for every sample; received None or NaN")
    return np.array([str(value) for value in values])


def _rows_by_group(groups: Any, n_samples: int) -> dict[str, NDArray[np.intp]]:
    if groups is None:
        return {}
    labels = as_array(groups, "groups")
    names = _names_of_samples(labels, n_samples, "groups", "a group")
    try:
        order = [str(value) for value in np.unique(labels).tolist()]
    except TypeError:  # numbers and words, which have no order
        order = np.unique(names).tolist()
    return {name: np.flatnonzero(names == name) for name in order}


_NO_PROBABILITIES = (
    float("nan"),
    float("nan"),
    ReliabilityBins(confidence=np.empty(0), accuracy=np.empty(0), count=np.empty(0, np.int64)),
)
