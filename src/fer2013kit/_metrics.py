"""The arithmetic of an evaluation, in NumPy: what goes in is checked, what comes out is plain.

Everything that a class-by-class score needs stands in the confusion matrix, and everything that
calibration needs in the reliability bins; so the functions here take those, not the predictions.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from fer2013kit._checks import IntArray, as_array, check_labels, check_same_length
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

Float64Array = NDArray[np.float64]
Counts = NDArray[np.int64] | NDArray[np.float64]
"""Samples counted; where they are weighted, their weights added."""

PROBABILITY_FLOOR: Final = 1e-7
"""Probabilities below it count as it in a logarithm; Keras clips at the same value."""

ROW_SUM_TOLERANCE: Final = 0.01
"""How far a row of probabilities may be from 1: what half-precision sums miss, and no more."""

_ROUNDING: Final = 1e-5
"""What sums of float32 miss."""


_COSTS: Final = (
    "loss", "error", "entropy", "divergence", "mse", "mae", "mape", "msle", "huber", "hinge",
    "poisson", "cosh",
)  # fmt: skip
"""In the name that Keras gives a figure, of one that is the better the smaller it is."""


class ClassScores(TypedDict):
    """Scores of one class."""

    precision: float
    recall: float
    f1: float
    support: int | float  # a sum of weights, where samples are weighted


class ReliabilityBins(TypedDict):
    """Predictions sorted into equal-width bins of confidence; an empty bin holds NaN and 0."""

    confidence: Float64Array
    accuracy: Float64Array
    count: Counts


def check_predictions(y_true: ArrayLike, probabilities: ArrayLike) -> tuple[IntArray, Float64Array]:
    """Return true codes (int64) and probabilities (float64, rows divided by their sums), checked.

    Raises
    ------
    InvalidInputError
        For zero rows, different lengths, codes outside ``[0, k)``, or what is no probability.
    """
    table = check_probabilities(probabilities)
    if not len(table):
        raise InvalidInputError("there is nothing to evaluate: probabilities have zero rows")
    labels = as_array(y_true, "y_true")
    if labels.ndim == 1:
        check_same_length(labels, table, names=("y_true", "probabilities"))
    return check_labels(labels, n_classes=table.shape[1], name="y_true"), table


def check_probabilities(
    probabilities: ArrayLike,
    *,
    name: str = "probabilities",
    advice: str = "of logits, take the softmax first",
) -> Float64Array:
    """Return probabilities as float64 ``(n, k)`` whose rows sum to 1.

    ``advice`` tells in an error what to do with rows that do not.

    Raises
    ------
    InvalidInputError
        Unless it is a table of two or more columns, finite, not negative, and every row sums to
        1 within :data:`ROW_SUM_TOLERANCE`.
    """
    table = as_array(probabilities, name)
    if table.ndim != 2 or table.shape[1] < 2:  # noqa: PLR2004 - two axes, two classes
        raise InvalidInputError(
            f"{name} must have shape (n, k) with a column for each of k >= 2 classes; "
            f"received {table.shape}"
        )
    if table.dtype.kind not in "fiub":
        raise InvalidInputError(f"{name} must be numbers; received dtype {table.dtype}")
    table = table.astype(np.float64)
    if not np.isfinite(table).all():
        row = int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0])
        raise InvalidInputError(
            f"{name} must be finite; received {_listed(table[row])} in row {row}"
        )
    sums = table.sum(axis=1, keepdims=True)
    wrong = (np.abs(sums[:, 0] - 1) > ROW_SUM_TOLERANCE) | (table < 0).any(axis=1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        # FER+ has rows of zeros, of images on which nobody agrees.
        way = advice if table[row].any() else "leave out rows of zeros"
        raise InvalidInputError(
            f"{name} must not be negative and each row must sum to 1 ({way}); received "
            f"{_listed(table[row])} in row {row}, sum {sums[row, 0]:g}"
        )
    # Sums that differ by the rounding of float32 stay, so that thresholds are those of ``predict``.
    return np.where(np.abs(sums - 1) > _ROUNDING, table / sums, table)


def _listed(row: Float64Array) -> str:
    shown = 10  # enough for any set of emotions, and still one line
    return ", ".join(f"{value:.4g}" for value in row[:shown]) + (
        ", ..." if len(row) > shown else ""
    )


def check_weights(weights: ArrayLike | None, n_samples: int) -> Float64Array | None:
    """Return the weight of each sample, scaled to the mean 1; None stays.

    Raises
    ------
    InvalidInputError
        Unless they are as many as the samples, finite, not negative, and not all 0.
    """
    if weights is None:
        return None
    array = as_array(weights, "sample_weight")
    if array.shape != (n_samples,) or array.dtype.kind not in "fiub":
        raise InvalidInputError(
            f"sample_weight must be numbers of shape ({n_samples},), one for each sample; "
            f"received shape {array.shape}, dtype {array.dtype}"
        )
    array = array.astype(np.float64)
    if not (np.isfinite(array).all() and (array >= 0).all() and array.any()):
        raise InvalidInputError(
            "sample_weight must be finite, not negative, and not 0 for every sample; "
            f"received {array.min():g} to {array.max():g}"
        )
    return np.asarray(array / array.mean(), dtype=np.float64)


def cross_entropies(codes: IntArray, probabilities: Float64Array) -> Float64Array:
    """Return ``-ln`` of the probability of each sample's true class."""
    of_true = probabilities[np.arange(len(codes)), codes]
    return np.asarray(-np.log(np.maximum(of_true, PROBABILITY_FLOOR)), dtype=np.float64)


def soft_cross_entropies(shares: Float64Array, probabilities: Float64Array) -> Float64Array:
    """Return each sample's cross-entropy with the shares of all classes."""
    logs = np.log(np.maximum(probabilities, PROBABILITY_FLOOR))
    return np.asarray(-(shares * logs).sum(axis=1), dtype=np.float64)


def divergences(shares: Float64Array, probabilities: Float64Array) -> Float64Array:
    """Return each sample's Kullback-Leibler divergence of the probabilities from the shares."""
    own = np.log(np.where(shares > 0, shares, 1))  # 0 log 0 is 0
    entropies = -(shares * own).sum(axis=1)
    return np.asarray(soft_cross_entropies(shares, probabilities) - entropies, dtype=np.float64)


def shares_of(predicted: IntArray, shares: Float64Array) -> Float64Array:
    """Return the share of each sample's votes that its predicted class has."""
    return np.asarray(shares[np.arange(len(predicted)), predicted], dtype=np.float64)


def top_k_hits(codes: IntArray, probabilities: Float64Array, k: int) -> NDArray[np.bool_]:
    """Return for each sample whether its true class is among the ``k`` most probable.

    Between equal probabilities the lower code comes first, as it does for ``argmax``.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return np.asarray((order == codes[:, None]).any(axis=1))


class RiskCoverage(NamedTuple):
    """What refusing costs and gains, from the strictest threshold to none."""

    threshold: Float64Array
    coverage: Float64Array
    risk: Float64Array


def risk_coverage(right: NDArray[np.bool_], confidence: Float64Array) -> RiskCoverage:
    """Return how many samples are answered, and wrongly, at each confidence that occurs."""
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(order) + 1)
    errors = np.cumsum(~right[order])
    ends = np.flatnonzero(np.diff(confidence[order], append=-np.inf))  # equal ones fall together
    return RiskCoverage(
        confidence[order][ends], answered[ends] / len(order), errors[ends] / answered[ends]
    )


def count_confusions(
    codes: IntArray, predicted: IntArray, n_classes: int, weights: Float64Array | None = None
) -> Counts:
    """Return the confusion matrix ``(n_classes, n_classes)``, a row for each true class."""
    cells = np.bincount(codes * n_classes + predicted, weights, n_classes * n_classes)
    return cells.reshape(n_classes, n_classes)


def effective_size(weights: Float64Array) -> float:
    """Return how many samples of equal weight tell as much as these (Kish, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def effective_size_of_clusters(
    right: NDArray[np.bool_], clusters: IntArray, weights: Float64Array | None = None
) -> tuple[float, int]:
    """Return how many independent samples tell as much of the accuracy, and the clusters' number.

    The effective size without clusters is divided by the design effect: the cluster-robust
    variance of the accuracy over that of independent samples, but at least 1 (Korn and Graubard,
    1998).  Where all answers are right, or all wrong, it cannot be estimated; samples of a cluster
    then count as copies.  One cluster tells nothing.
    """
    weights = np.ones(len(right)) if weights is None else weights
    taken = weights > 0
    right, weights = right[taken], weights[taken]
    codes = np.unique(clusters[taken], return_inverse=True)[1]
    n, m = len(codes), int(codes.max()) + 1
    if m == 1:
        return 0.0, 1
    own = effective_size(weights)
    errors = weights * (right - np.average(right, weights=weights))
    alone = n / (n - 1) * (errors**2).sum()
    together = m / (m - 1) * (np.bincount(codes, errors) ** 2).sum()
    if alone == 0:
        return min(own, effective_size(np.bincount(codes, weights).astype(np.float64))), m
    return float(own * alone / max(together, alone)), m


def scale_of_few(n_clusters: int, n_samples: int, confidence_level: float) -> float:
    """Return by what an effective size shrinks since few clusters hardly tell their own spread.

    The variance has as many degrees of freedom as there are clusters, less one, where independent
    samples would give it more (Korn and Graubard, 1998).
    """
    from scipy.stats import t

    of_samples, of_clusters = t.ppf(0.5 + confidence_level / 2, [n_samples - 1, n_clusters - 1])
    return float((of_samples / of_clusters) ** 2)


def wilson_interval(successes: float, n: float, confidence_level: float) -> tuple[float, float]:
    """Return the score interval of Wilson (1927) for a proportion; of ``n`` 0, all that can be."""
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence_level / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Rounding alone could leave the ends a hair outside the share at 0 and 1.
    low = 0.0 if successes == 0 else float(centre - half)
    high = 1.0 if successes == n else float(centre + half)
    return low, high


def newcombe_interval(
    first: tuple[float, tuple[float, float]], second: tuple[float, tuple[float, float]]
) -> tuple[float, float]:
    """Return the interval of a difference of independent shares (Newcombe, 1998, method 10).

    Each share comes with its Wilson interval; the second is subtracted.
    """
    (p, (p_low, p_high)), (q, (q_low, q_high)) = first, second
    below = np.hypot(p - p_low, q_high - q)
    above = np.hypot(p_high - p, q - q_low)
    return float(p - q - below), float(p - q + above)


def class_scores(matrix: Counts, class_names: Sequence[str]) -> dict[str, ClassScores]:
    """Return the scores of each class; a ratio whose denominator is 0 is 0, as in scikit-learn."""
    hits = np.diag(matrix).astype(np.float64)
    support, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    precision = _ratio(hits, predicted)
    recall = _ratio(hits, support)
    f1 = _ratio(2 * hits, support + predicted)
    return {
        name: ClassScores(precision=float(p), recall=float(r), f1=float(f), support=s)
        for name, p, r, f, s in zip(
            class_names, precision, recall, f1, support.tolist(), strict=True
        )
    }


def average_scores(matrix: Counts, scores: dict[str, ClassScores]) -> dict[str, ClassScores]:
    """Average over the classes as scikit-learn's ``classification_report`` does.

    "macro avg" is the mean of the classes that occur in the true labels or the predictions,
    "weighted avg" that of all classes, weighted by support.
    """
    support = matrix.sum(axis=1)
    occurs = (support + matrix.sum(axis=0)) > 0
    columns = np.array([[s["precision"], s["recall"], s["f1"]] for s in scores.values()])
    averages = {}
    for name, weights in {"macro avg": occurs, "weighted avg": support}.items():
        precision, recall, f1 = (float(x) for x in np.average(columns, axis=0, weights=weights))
        averages[name] = ClassScores(
            precision=precision, recall=recall, f1=f1, support=support.sum().item()
        )
    return averages


def _ratio(numerator: Float64Array, denominator: Counts) -> Float64Array:
    return np.asarray(numerator / np.where(denominator > 0, denominator, 1), dtype=np.float64)


def reliability_bins(
    codes: IntArray,
    probabilities: Float64Array,
    predicted: IntArray,
    n_bins: int,
    weights: Float64Array | None = None,
) -> ReliabilityBins:
    """Sort the predictions by confidence into ``n_bins`` bins ``(i/n_bins, (i+1)/n_bins]``."""
    confidence = probabilities[np.arange(len(codes)), predicted]
    inner_edges = np.linspace(0, 1, n_bins + 1)[1:-1]
    index = np.searchsorted(inner_edges, confidence, side="left")
    count = np.bincount(index, weights, n_bins)
    occupied = np.where(count, count, np.nan)
    share = 1.0 if weights is None else weights
    return ReliabilityBins(
        confidence=np.bincount(index, share * confidence, n_bins) / occupied,
        accuracy=np.bincount(index, share * (predicted == codes), n_bins) / occupied,
        count=count,
    )


def expected_calibration_error(bins: ReliabilityBins) -> float:
    """Return the mean gap between confidence and accuracy, weighted by the bins' counts."""
    if not len(bins["count"]):
        return float("nan")
    gaps = np.abs(bins["accuracy"] - bins["confidence"])
    return float(np.nansum(gaps * bins["count"]) / bins["count"].sum())


def is_cost(figure: str) -> bool:
    """Tell from its name in Keras whether a figure is the better the smaller it is.

    Examples
    --------
    >>> from fer2013kit._metrics import is_cost
    >>> is_cost("val_mse"), is_cost("val_accuracy")
    (True, False)
    """
    return any(word in figure.lower() for word in _COSTS)
