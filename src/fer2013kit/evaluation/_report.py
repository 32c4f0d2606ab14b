"""How good a classifier is: probabilities and true labels in, one report out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit import _metrics
from fer2013kit._files import write_atomically
from fer2013kit._labels import columns_in_order, read_codes
from fer2013kit._metrics import ClassScores, ReliabilityBins
from fer2013kit._optional import needed
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.evaluation._text import format_report
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike

    from fer2013kit._checks import IntArray


@dataclass(frozen=True, eq=False, repr=False)
class EvaluationReport:
    """What an evaluation found; :func:`evaluate_predictions` and ``evaluate`` make it.

    The fields are what was counted and measured, all other figures follow from them.  Where
    a ratio's denominator is 0 (the recall of a class that no sample has, the precision of one
    that was never predicted) it is 0, as in scikit-learn, but without a warning; averages say
    below which classes they take in.

    Parameters
    ----------
    confusion_matrix : ndarray of int64, shape (k, k)
        ``confusion_matrix[i, j]`` samples of class ``i`` were predicted as class ``j``.
        Read-only.
    loss : float
        Mean categorical cross-entropy in nats (natural logarithm).  Probabilities below 1e-7
        count as 1e-7, as in Keras.
    top2_accuracy : float
        Share of samples whose true class is among the two most probable, in [0, 1].
    reliability : dict of ndarray, each of shape (n_bins,)
        Predictions sorted into equal-width bins of confidence (the largest probability):
        mean ``"confidence"``, ``"accuracy"`` and ``"count"`` of each bin; the first two are NaN
        in an empty one.  Read-only.
    class_names : tuple of str
        The k names, in the order of the codes.
    confidence_level : float
        Of :attr:`accuracy_interval`.

    See Also
    --------
    evaluate_predictions : Make a report.
    plot_confusion_matrix, plot_reliability : Draw one.

    References
    ----------
    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal
    of the American Statistical Association 22, 1927.

    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks",
    ICML 2017.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> report = fk.evaluate_predictions(
    ...     [0, 0, 1], [[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]], class_names=("happy", "sad")
    ... )
    >>> report.confusion_matrix
    array([[1, 1],
           [0, 1]])
    >>> report.per_class["sad"]
    {'precision': 0.5, 'recall': 1.0, 'f1': 0.666..., 'support': 1}
    >>> fk.EvaluationReport.from_dict(report.as_dict()) == report
    True
    """

    confusion_matrix: IntArray
    loss: float
    top2_accuracy: float
    reliability: ReliabilityBins
    class_names: tuple[str, ...]
    confidence_level: float

    def __post_init__(self) -> None:
        bins = self.reliability
        for array in (self.confusion_matrix, bins["confidence"], bins["accuracy"], bins["count"]):
            array.flags.writeable = False

    @property
    def n_samples(self) -> int:
        """Number of samples, int."""
        return int(self.confusion_matrix.sum())

    @property
    def accuracy(self) -> float:
        """Share of samples that were predicted correctly, in [0, 1]."""
        return int(np.trace(self.confusion_matrix)) / self.n_samples

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """Wilson score interval (Wilson, 1927) of the accuracy, at :attr:`confidence_level`.

        It tells how far the figure may be from that on endless samples of the same kind.
        """
        hits = int(np.trace(self.confusion_matrix))
        return _metrics.wilson_interval(hits, self.n_samples, self.confidence_level)

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes that the true labels hold, in [0, 1]."""
        scores = self.per_class.values()
        return float(np.mean([s["recall"] for s in scores if s["support"]]))

    @property
    def f1_macro(self) -> float:
        """Mean F1 of the classes in the true labels or the predictions, in [0, 1].

        This is the rule of :func:`sklearn.metrics.f1_score` with ``average="macro"``.
        """
        return _metrics.average_scores(self.confusion_matrix, self.per_class)["macro avg"]["f1"]

    @property
    def ece(self) -> float:
        """Expected calibration error (Guo et al., 2017), in [0, 1].

        The gap between confidence and accuracy, averaged over the bins of :attr:`reliability`.
        """
        return _metrics.expected_calibration_error(self.reliability)

    @property
    def mean_confidence(self) -> float:
        """Mean of the largest probability: above the accuracy, the model is over-confident."""
        bins = self.reliability
        return float(np.nansum(bins["confidence"] * bins["count"]) / self.n_samples)

    @property
    def per_class(self) -> dict[str, ClassScores]:
        """Each class's ``{"precision", "recall", "f1", "support"}`` by name."""
        return _metrics.class_scores(self.confusion_matrix, self.class_names)

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as built-in types, ready for :func:`json.dumps`.

        Returns
        -------
        dict
            Every field and property under its own name; arrays as lists, NaN as None.
            :meth:`from_dict` turns it back into an equal report.
        """
        return {
            "n_samples": self.n_samples,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.accuracy_interval),
            "confidence_level": self.confidence_level,
            "balanced_accuracy": self.balanced_accuracy,
            "f1_macro": self.f1_macro,
            "top2_accuracy": self.top2_accuracy,
            "ece": self.ece,
            "mean_confidence": self.mean_confidence,
            "class_names": list(self.class_names),
            "per_class": {name: dict(scores) for name, scores in self.per_class.items()},
            "confusion_matrix": self.confusion_matrix.tolist(),
            "reliability": {
                "confidence": _nan_as_none(self.reliability["confidence"]),
                "accuracy": _nan_as_none(self.reliability["accuracy"]),
                "count": self.reliability["count"].tolist(),
            },
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EvaluationReport:
        """Return the report that :meth:`as_dict` was called on.

        Parameters
        ----------
        values : mapping
            What :meth:`as_dict` returned, or JSON made of it; figures that follow from others
            are computed again.

        Returns
        -------
        EvaluationReport
            The report.

        Raises
        ------
        InvalidInputError
            If a value is missing or is not what :meth:`as_dict` writes.
        """
        try:
            bins = values["reliability"]
            report = cls(
                confusion_matrix=np.array(values["confusion_matrix"], dtype=np.int64),
                loss=float(values["loss"]),
                top2_accuracy=float(values["top2_accuracy"]),
                reliability=ReliabilityBins(
                    confidence=np.array(bins["confidence"], dtype=np.float64),
                    accuracy=np.array(bins["accuracy"], dtype=np.float64),
                    count=np.array(bins["count"], dtype=np.int64),
                ),
                class_names=tuple(values["class_names"]),
                confidence_level=float(values["confidence_level"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(
                "this is no evaluation report; expected the mapping that as_dict returns, "
                f"received {type(values).__name__}: {type(error).__name__} {error}"
            ) from error
        k = len(report.class_names)
        matrix, count = report.confusion_matrix, report.reliability["count"]
        accuracy, confidence = report.reliability["accuracy"], report.reliability["confidence"]
        same_bins = count.shape == accuracy.shape == confidence.shape
        if matrix.shape != (k, k) or not same_bins or not matrix.sum() == count.sum() > 0:
            raise InvalidInputError(
                f"this evaluation report contradicts itself: {k} class names, a confusion matrix "
                f"of shape {matrix.shape} that counts {matrix.sum()} samples, "
                f"and {len(count)} bins that count {count.sum()}"
            )
        return report

    def to_frame(self) -> pd.DataFrame:
        """Return the scores of the classes and their averages as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each class, then "macro avg" (over the classes in the true labels or the
            predictions) and "weighted avg" (by support), as in scikit-learn's classification
            report; columns "precision", "recall", "f1" (float) and "support" (int).
        """
        with needed("to_frame"):
            import pandas as pd

        scores = self.per_class
        averages = _metrics.average_scores(self.confusion_matrix, scores)
        return pd.DataFrame(
            [*scores.values(), *averages.values()], index=[*scores.keys(), *averages.keys()]
        )

    def to_html(
        self,
        path: str | Path | None = None,
        *,
        title: str = "Evaluation report",
        history: Any = None,
        samples: tuple[ArrayLike, ArrayLike | None, ArrayLike] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the report as a web page, and write it to a file if one is named.

        The page holds its pictures and loads nothing: the figures, a table of the classes, the
        confusion matrix as a figure and in numbers, the reliability diagram, the class balance,
        and what the arguments add.

        Parameters
        ----------
        path : str or Path, optional
            File to write, in a folder that exists.  It is written whole or not at all.
        title : str
            Heading of the page.
        history : mapping or object, optional
            Adds learning curves: what :func:`plot_history` takes, for instance the classifier.
        samples : tuple of (images, labels, probabilities), optional
            Adds pictures: the twelve most confident mistakes and the first twelve samples.
            ``images`` as :func:`plot_samples` takes them, ``labels`` codes or names or None,
            ``probabilities`` of shape (m, k).
        facts : mapping of str to object, optional
            Adds a list of how the result came about, such as the command, the seed or the time.

        Returns
        -------
        str
            The HTML.

        Raises
        ------
        InvalidInputError
            If the folder does not exist, or for a history or samples that cannot be drawn.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> report = fk.evaluate_predictions([0, 1], [[1, 0], [0, 1]], class_names=("sad", "happy"))
        >>> page = report.to_html(title="Two faces", facts={"seed": 0})
        >>> "<h1>Two faces</h1>" in page
        True
        """
        from fer2013kit.evaluation._html import render_page

        target = None if path is None else Path(path)
        if target is not None and (target.is_dir() or not target.parent.is_dir()):
            raise InvalidInputError(
                f"path must be a file in a folder that exists; received {str(target)!r}"
            )
        page = render_page(self, title=title, history=history, samples=samples, facts=facts)
        if target is not None:
            write_atomically(target, page.encode("utf-8"))
        return page

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EvaluationReport):
            return NotImplemented
        return self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment] # arrays cannot be hashed, so neither can a report

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: accuracy {self.accuracy:.3f} on {self.n_samples:,} samples, "
            f"{len(self.class_names)} classes>"
        )

    def __str__(self) -> str:
        return format_report(self)


def evaluate_predictions(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    class_names: Sequence[str] = CLASS_NAMES,
    n_bins: int = 15,
    confidence_level: float = 0.95,
) -> EvaluationReport:
    """Compare predicted probabilities with the true labels.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,)
        True classes: codes in ``[0, k)``, places in `class_names`, or names, other words for
        the same emotion among them ("anger", "Happiness").  Not every class has to occur.
    probabilities : array_like of float or data frame, shape (n, k)
        Probability of each of k >= 2 classes, from any model; rows sum to 1 (within 0.01, for
        those that were computed in half precision).  The class with the largest is the
        prediction, the first of them where several are equally large.  Columns of a data frame
        go by their names, in any order; columns of an array by `class_names`.
    class_names : sequence of str, length k
        Different names, in the order of the columns.  Default: the seven emotions.
    n_bins : int
        Number of equal-width bins of confidence behind the calibration error.
    confidence_level : float
        Level of the accuracy's confidence interval, between 0 and 1.

    Returns
    -------
    EvaluationReport
        Loss, accuracy with its interval, scores of each class, confusion matrix, calibration.

    Raises
    ------
    InvalidInputError
        For zero rows, different lengths, a label or a column that is no class, values that are
        no probabilities (not finite, negative, rows that do not sum to 1), other than k names,
        or an option out of range.

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
    """
    names = (class_names,) if isinstance(class_names, str) else tuple(map(str, class_names))
    table = _metrics.check_probabilities(
        columns_in_order(probabilities, names, name="probabilities")
    )
    n_classes = table.shape[1]
    if len(names) != n_classes or len(set(names)) != n_classes:
        raise InvalidInputError(
            f"class_names must be {n_classes} different names, one for each column of "
            f"probabilities; received {names}"
        )
    if n_bins < 1:
        raise InvalidInputError(f"n_bins must be at least 1; received {n_bins}")
    if not 0 < confidence_level < 1:
        raise InvalidInputError(
            f"confidence_level must be between 0 and 1; received {confidence_level}"
        )
    codes = _metrics.check_predictions(read_codes(y_true, names, name="y_true"), table)[0]
    predicted = table.argmax(axis=1)
    return EvaluationReport(
        confusion_matrix=_metrics.count_confusions(codes, predicted, n_classes),
        loss=_metrics.cross_entropy(codes, table),
        top2_accuracy=_metrics.top_k_accuracy(codes, table, k=2),
        reliability=_metrics.reliability_bins(codes, table, predicted, n_bins),
        class_names=names,
        confidence_level=float(confidence_level),
    )


def _nan_as_none(values: _metrics.Float64Array) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]
