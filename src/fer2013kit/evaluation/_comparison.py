"""compare_predictions: whether one network is better than another on the same samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from fer2013kit import _metrics
from fer2013kit._answers import read_predictions, read_truth
from fer2013kit._checks import check_number, check_same_length, check_whole, random_generator
from fer2013kit._class_order import doubt_order
from fer2013kit._optional import needed
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.evaluation._predictions import read_clusters
from fer2013kit.evaluation._tables import Tabular, as_text
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit._checks import IntArray
    from fer2013kit._metrics import Float64Array
    from fer2013kit.evaluation._tables import Rows

_FIGURES: Final = ("accuracy", "balanced accuracy", "macro F1")


class Difference(NamedTuple):
    """One figure of both models, and their difference."""

    a: float
    b: float
    difference: float
    interval: tuple[float, float]


@dataclass(frozen=True, repr=False)
class PredictionComparison(Tabular):
    """Two networks on the same samples; :func:`compare_predictions` makes it.

    Parameters
    ----------
    names : tuple of two str
        Names of the two.
    n_samples : int
        How many samples both predicted.
    figures : dict of str to tuple
        "accuracy", "balanced accuracy", "macro F1", for shares of votes "expected accuracy" and,
        of probabilities, "loss": each as ``(a, b, difference, interval)``, the difference b - a
        with its paired bootstrap interval.
    p_value : float
        Of McNemar's exact test: how likely a split at least this uneven is, among the samples on
        which only one is right, if both are equally accurate.  With clusters, of the same test for
        whole clusters, in which the answers of a and b change places (Fisher, 1935).
    outcomes : dict of str to tuple of four int
        For each class: both right, a alone right, b alone right, both wrong.
    confidence_level : float
        Of the intervals.
    n_clusters : int, optional
        With clusters, how many there are.

    See Also
    --------
    compare_predictions : Makes it.

    References
    ----------
    Q. McNemar, "Note on the Sampling Error of the Difference Between Correlated Proportions or
    Percentages", Psychometrika 12, 1947.

    B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993.

    A. C. Davison and D. V. Hinkley, "Bootstrap Methods and Their Application", Cambridge University
    Press, 1997 (section 3.8, clusters).

    R. A. Fisher, "The Design of Experiments", Oliver & Boyd, 1935.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.compare_predictions([3, 3, 4, 4], [3, 4, 4, 4], [3, 3, 4, 3]).outcomes["sad"]
    (1, 1, 0, 0)
    """

    names: tuple[str, str]
    n_samples: int
    figures: dict[str, Difference]
    p_value: float
    outcomes: dict[str, tuple[int, int, int, int]]
    confidence_level: float
    n_clusters: int | None = None

    @property
    def difference(self) -> float:
        """Accuracy of b minus accuracy of a, in [-1, 1]."""
        return self.figures["accuracy"].difference

    @property
    def interval(self) -> tuple[float, float]:
        """Paired bootstrap interval of :attr:`difference`."""
        return self.figures["accuracy"].interval

    @property
    def both_wrong(self) -> int:
        """How many samples both get wrong."""
        return sum(outcome[3] for outcome in self.outcomes.values())

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as built-in types, ready for :func:`json.dumps`.

        Returns
        -------
        dict
            Every field under its own name.

        See Also
        --------
        PredictionComparison.to_frame : The same as a table.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> result = fk.compare_predictions([3, 3, 4, 4], [3, 4, 4, 4], [3, 3, 4, 3])
        >>> result.as_dict()["outcomes"]["sad"]
        [1, 1, 0, 0]
        """
        return {
            "names": list(self.names),
            "n_samples": self.n_samples,
            "figures": {
                name: {**row._asdict(), "interval": list(row.interval)}
                for name, row in self.figures.items()
            },
            "p_value": self.p_value,
            "outcomes": {name: list(counts) for name, counts in self.outcomes.items()},
            "confidence_level": self.confidence_level,
            "n_clusters": self.n_clusters,
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each figure: both, their difference, and the ends of its interval.

        See Also
        --------
        PredictionComparison.as_dict : The same for JSON.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> result = fk.compare_predictions([3, 3, 6, 4], [3, 6, 6, 4], [3, 3, 6, 6])
        >>> result.to_frame().shape
        (3, 5)
        """
        with needed("to_frame"):
            import pandas as pd

        return pd.DataFrame(
            [[row.a, row.b, row.difference, *row.interval] for row in self.figures.values()],
            index=list(self.figures),
            columns=[*self.names, "difference", "low", "high"],
        )

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: {self.names[1]} {self.difference:+.3f} against "
            f"{self.names[0]} on {self.n_samples:,} samples, p = {self.p_value:.3g}>"
        )

    def __str__(self) -> str:
        a, b = self.names
        tables = self._tables()
        clusters, test = "", "McNemar's exact test of equal accuracy"
        if self.n_clusters is not None:
            clusters = f" in {self.n_clusters:,} clusters"
            test = "Exact test of equal accuracy, by whole clusters"
        return "\n\n".join(
            [
                f"{b} against {a} on {self.n_samples:,} samples{clusters}",
                as_text(tables["figures"]),
                f"{test}: p = {self.p_value:.3g}",
                as_text(tables["outcomes"]),
            ]
        )

    def _tables(self) -> dict[str, Rows]:
        a, b = self.names
        level = f"{100 * self.confidence_level:g}% interval"
        figures = [["figure", a, b, "difference", level]]
        for name, row in self.figures.items():
            low, high = row.interval
            figures.append(
                [
                    name,
                    f"{row.a:.3f}",
                    f"{row.b:.3f}",
                    f"{row.difference:+.3f}",
                    f"{low:+.3f} to {high:+.3f}",
                ]
            )
        total = np.sum(list(self.outcomes.values()), axis=0).tolist()
        outcomes = [
            ["true class", "both right", f"only {a} right", f"only {b} right", "both wrong"]
        ]
        outcomes += [
            [name, *(f"{count:,}" for count in counts)]
            for name, counts in [*self.outcomes.items(), ("all", total)]
        ]
        return {"figures": figures, "outcomes": outcomes}


def compare_predictions(
    y_true: ArrayLike,
    proba_a: ArrayLike,
    proba_b: ArrayLike,
    *,
    names: tuple[str, str] = ("a", "b"),
    class_names: Sequence[str] = CLASS_NAMES,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    confidence_level: float = 0.95,
    n_resamples: int = 2000,
    random_state: int = 0,
) -> PredictionComparison:
    """Compare two networks on the same samples.

    Two models can differ even if the intervals of their reports overlap, since both saw the same
    easy and difficult samples.  Here, only the samples count on which they disagree.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,), or of float, shape (n, k)
        True classes, as :func:`evaluate_predictions` takes them.
    proba_a, proba_b : array_like or data frame, shape (n, k), or labels, shape (n,)
        What each network predicts of the same samples in the same order, as
        :func:`evaluate_predictions` takes it.
    names : tuple of two str, default ("a", "b")
        What to call them.
    class_names : sequence of str, length k
        Different names, in the order of the columns.  Default: the seven emotions.
    sample_weight : array_like of float, shape (n,), optional
        How much each sample counts in the figures and their intervals; one of weight 0 is left
        out.  McNemar's test and the outcomes count samples, each once.
    clusters : array_like of int or str, shape (n,), optional
        Which samples belong together, such as the images of one person, as in
        :func:`evaluate_predictions`: they are drawn together for the intervals (the cluster
        bootstrap), and stay together in the test.
    confidence_level : float, default 0.95
        Level of the intervals.
    n_resamples : int, default 2000
        How often samples are drawn with replacement for the intervals, which are percentiles of
        the differences found.
    random_state : int, default 0
        Seed of the drawing.

    Returns
    -------
    PredictionComparison
        Differences with intervals, McNemar's exact test, and who was right about each class.

    Raises
    ------
    InvalidInputError
        For what :func:`evaluate_predictions` refuses, or answers to different numbers of
        samples.

    Warns
    -----
    Fer2013KitWarning
        Where classes are taken for one another, as by :func:`evaluate_predictions`.

    See Also
    --------
    evaluate_predictions : One model alone.
    benchmark : Several models at once.

    Examples
    --------
    >>> import numpy as np
    >>> import fer2013kit as fk
    >>> y = np.arange(70) % 7
    >>> better = fk.compare_predictions(y, np.where(y < 2, 6, y), y)
    >>> round(better.difference, 3), better.p_value
    (0.286, 1.9...e-06)
    """
    predicted_a, table_a, classes = read_predictions(proba_a, class_names, name="proba_a")
    predicted_b, table_b, _ = read_predictions(proba_b, class_names, name="proba_b")
    codes, shares = read_truth(y_true, classes)
    check_same_length(codes, predicted_a, names=("y_true", "proba_a"))
    check_same_length(codes, predicted_b, names=("y_true", "proba_b"))
    doubt_order(codes, predicted_a, classes, answers="proba_a")
    doubt_order(codes, predicted_b, classes, answers="proba_b")
    check_number("confidence_level", confidence_level, "(0, 1)")
    n_resamples = check_whole("n_resamples", n_resamples)
    if not isinstance(names, tuple | list) or len(names) != 2 or names[0] == names[1]:  # noqa: PLR2004 - a and b
        raise InvalidInputError(f"names must be two different names; received {names!r:.100}")
    weights = _metrics.check_weights(sample_weight, len(codes))
    together = read_clusters(clusters, len(codes))
    # Whatever is drawn has a weight: of samples that count nothing there is no accuracy.
    rows = slice(None) if weights is None else np.flatnonzero(weights)
    codes, predicted_a, predicted_b = codes[rows], predicted_a[rows], predicted_b[rows]
    means = {}
    truth = None if shares is None else shares[rows]
    if truth is not None:
        means["expected accuracy"] = [
            _metrics.shares_of(predicted, truth) for predicted in (predicted_a, predicted_b)
        ]
    if table_a is not None and table_b is not None:
        means["loss"] = [_losses(codes, truth, table[rows]) for table in (table_a, table_b)]
    measure = _Figures(codes, (predicted_a, predicted_b), list(means.values()), len(classes))
    weights = np.ones(len(codes)) if weights is None else weights[rows]
    found = measure(weights)
    units = np.arange(len(codes))  # each sample is its own cluster where none are given
    if together is not None:
        units = np.unique(together[rows], return_inverse=True)[1]
    n_units = int(units.max()) + 1
    rng = random_generator(random_state)
    drawn = np.empty((n_resamples, found.shape[1]))
    for row in range(n_resamples):
        times = np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)
        a, b = measure(weights * times[units])
        drawn[row] = b - a
    tail = 50 * (1 - confidence_level)
    ends = np.percentile(drawn, [tail, 100 - tail], axis=0)
    right_a, right_b = predicted_a == codes, predicted_b == codes
    return PredictionComparison(
        names=(str(names[0]), str(names[1])),
        n_samples=len(codes),
        figures={
            name: Difference(float(a), float(b), float(b - a), (float(low), float(high)))
            for name, a, b, low, high in zip((*_FIGURES, *means), *found, *ends, strict=True)
        },
        p_value=_exact_test(right_b.astype(np.int64) - right_a, units),
        outcomes={
            name: _count_outcomes(right_a[codes == code], right_b[codes == code])
            for code, name in enumerate(classes)
        },
        confidence_level=float(confidence_level),
        n_clusters=None if together is None else n_units,
    )


@dataclass(frozen=True)
class _Figures:
    """The figures of both for samples that count so often."""

    codes: IntArray
    predicted: tuple[IntArray, IntArray]
    means: list[list[Float64Array]]
    """What each sample has of figures that are means: one array for a, one for b."""
    n_classes: int

    def __call__(self, weights: Float64Array) -> Float64Array:
        """Return an array (2, figures)."""
        rows = []
        for place, predicted in enumerate(self.predicted):
            matrix = _metrics.count_confusions(self.codes, predicted, self.n_classes, weights)
            hits, support = np.diag(matrix), matrix.sum(axis=1)
            taken = support + matrix.sum(axis=0)
            row = [
                hits.sum() / support.sum(),
                (hits[support > 0] / support[support > 0]).mean(),
                (2 * hits[taken > 0] / taken[taken > 0]).mean(),
            ]
            row += [values[place] @ weights / weights.sum() for values in self.means]
            rows.append(row)
        return np.array(rows, dtype=np.float64)


def _losses(codes: IntArray, shares: Float64Array | None, table: Float64Array) -> Float64Array:
    if shares is None:
        return _metrics.cross_entropies(codes, table)
    return _metrics.soft_cross_entropies(shares, table)


def _exact_test(gains: IntArray, units: IntArray) -> float:
    """Return how likely a total at least as far from 0 is if each unit's sign is a fair coin's.

    Of units of one sample, this is McNemar's test: the binomial one of one half.
    """
    totals = np.bincount(units, gains).astype(np.int64)
    steps = np.abs(totals[totals != 0])
    if (steps == 1).all():
        from scipy.stats import binomtest

        return float(binomtest(int((totals > 0).sum()), len(steps)).pvalue) if len(steps) else 1.0
    chances = np.ones(1)  # of each sum, from the least to the greatest
    for step in steps.tolist():
        longer = np.zeros(len(chances) + 2 * step)
        longer[: len(chances)] += chances / 2
        longer[2 * step :] += chances / 2
        chances = longer
    sums = np.arange(len(chances)) - steps.sum()
    return min(1.0, float(chances[np.abs(sums) >= abs(totals.sum())].sum()))


def _count_outcomes(
    right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]
) -> tuple[int, int, int, int]:
    both, only_a = int((right_a & right_b).sum()), int((right_a & ~right_b).sum())
    return both, only_a, int((right_b & ~right_a).sum()), int((~right_a & ~right_b).sum())
