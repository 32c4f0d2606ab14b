"""EvaluationReport: what an evaluation found, in every form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fer2013kit import _metrics
from fer2013kit._files import write_atomically
from fer2013kit._optional import needed
from fer2013kit.evaluation._facts import classifier_facts
from fer2013kit.evaluation._serialization import fields_from_dict, report_as_dict
from fer2013kit.evaluation._tables import Tabular
from fer2013kit.evaluation._text import format_report, report_tables
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from fer2013kit._checks import MaybeNone
    from fer2013kit._metrics import ClassScores, Counts, ReliabilityBins
    from fer2013kit.evaluation._tables import Rows


class GroupGap(NamedTuple):
    """How far two groups' accuracies are apart."""

    best: str
    worst: str
    difference: float
    interval: tuple[float, float]


@dataclass(frozen=True, eq=False, repr=False)
class EvaluationReport(Tabular):
    """The result of an evaluation, from :func:`evaluate_predictions` or ``evaluate``.

    The fields hold the measurements; all other metrics are computed from them.  A ratio with
    denominator 0 (the recall of a class without samples, the precision of one that was never
    predicted) is 0, as in scikit-learn, but without a warning; each average documents which classes
    it includes.

    Parameters
    ----------
    confusion_matrix : ndarray of int64 or float64, shape (k, k)
        ``confusion_matrix[i, j]`` samples of class ``i`` were predicted as class ``j``; where
        samples are weighted, the sum of their weights, whose mean is 1.  Read-only.
    loss : float
        Mean categorical cross-entropy in nats (natural logarithm).  Probabilities below 1e-7
        count as 1e-7, as in Keras.  NaN for hard labels.
    top2_accuracy : float
        Share of samples whose true class is among the two most probable, in [0, 1].  NaN for
        hard labels.
    reliability : dict of ndarray, each of shape (n_bins,)
        Predictions sorted into equal-width bins of confidence (the largest probability):
        mean ``"confidence"``, ``"accuracy"`` and ``"count"`` of each bin; the first two are NaN
        in an empty one.  No bins for hard labels.  Read-only.
    class_names : tuple of str
        The k names, in the order of the codes.
    confidence_level : float
        Of :attr:`accuracy_interval`.
    n_effective : float, optional
        For weighted samples, how many of equal weight would carry as much information (Kish, 1965);
        for samples in clusters, how many independent ones would: divided by the design effect,
        which is the cluster-robust variance of the accuracy over that of independent samples.
    kl_divergence : float
        For shares of votes, the mean Kullback-Leibler divergence D(shares || probabilities) in
        nats, as of ``scipy.stats.entropy``: the loss without the entropy of the votes, which
        no network can avoid, so that 0 is perfect.  NaN for labels.
    expected_accuracy : float
        For shares of votes, the mean share of the votes for the predicted class: the accuracy to
        expect if one voter, drawn at random, names the true class of each sample.  At most the
        mean of the largest shares.  NaN for labels.
    n_clusters : int, optional
        For :func:`evaluate_predictions` with ``clusters``, how many there are.
    groups : dict of str to EvaluationReport
        The same evaluation of each group of samples, for :func:`evaluate_predictions` with
        ``groups``.
    notes : tuple of str
        Caveats for reading the metrics.

    See Also
    --------
    evaluate_predictions : Make a report.
    compare_predictions : Two networks on the same samples.
    summarize_reports : One network trained with several seeds.
    plot_confusion_matrix, plot_reliability : Draw one.

    References
    ----------
    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal
    of the American Statistical Association 22, 1927.

    L. Kish, "Survey Sampling", Wiley, 1965.

    E. L. Korn and B. I. Graubard, "Confidence Intervals for Proportions with Small Expected Number
    of Positive Counts Estimated from Survey Data", Survey Methodology 24, 1998.

    C. Franco, R. J. A. Little, T. A. Louis and E. V. Slud, "Comparative Study of Confidence
    Intervals for Proportions in Complex Sample Surveys", Journal of Survey Statistics and
    Methodology 7, 2019.

    R. G. Newcombe, "Interval Estimation for the Difference Between Independent Proportions",
    Statistics in Medicine 17, 1998.

    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks",
    ICML 2017.

    E. Barsoum, C. Zhang, C. Canton Ferrer and Z. Zhang, "Training Deep Networks for Facial
    Expression Recognition with Crowd-Sourced Label Distribution", ICMI 2016.

    J. C. Peterson, R. M. Battleday, T. L. Griffiths and O. Russakovsky, "Human Uncertainty Makes
    Classification More Robust", ICCV 2019.

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

    confusion_matrix: Counts
    loss: float
    top2_accuracy: float
    reliability: ReliabilityBins
    class_names: tuple[str, ...]
    confidence_level: float
    n_effective: float | None = None
    kl_divergence: float = float("nan")
    expected_accuracy: float = float("nan")
    n_clusters: int | None = None
    groups: dict[str, EvaluationReport] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        bins = self.reliability
        for array in (self.confusion_matrix, bins["confidence"], bins["accuracy"], bins["count"]):
            array.flags.writeable = False

    @property
    def n_samples(self) -> int:
        """Number of samples, int."""
        return round(float(self.confusion_matrix.sum()))

    @property
    def accuracy(self) -> float:
        """Share of samples that were predicted correctly, in [0, 1]."""
        return float(np.trace(self.confusion_matrix) / self.confusion_matrix.sum())

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """Wilson score interval (Wilson, 1927) of the accuracy, at :attr:`confidence_level`.

        It shows how far the accuracy may be from its value on infinitely many samples of the same
        kind.  Weights and clusters enter by :attr:`n_effective` (Franco et al., 2019), and few
        clusters widen it as the quantile of Student's distribution does (Korn and Graubard, 1998).
        """
        n = self.n_samples if self.n_effective is None else self.n_effective
        if self.n_clusters is not None and self.n_clusters > 1:
            n *= _metrics.scale_of_few(self.n_clusters, self.n_samples, self.confidence_level)
        return _metrics.wilson_interval(self.accuracy * n, n, self.confidence_level)

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
        if not len(bins["count"]):
            return float("nan")
        return float(np.nansum(bins["confidence"] * bins["count"]) / bins["count"].sum())

    @property
    def per_class(self) -> dict[str, ClassScores]:
        """Each class's ``{"precision", "recall", "f1", "support"}`` by name."""
        return _metrics.class_scores(self.confusion_matrix, self.class_names)

    @property
    def largest_gap(self) -> GroupGap | MaybeNone:
        """The groups of the highest and the lowest accuracy; None for fewer than two groups.

        A tuple ``(best, worst, difference, interval)``; the interval of the difference is
        Newcombe's (1998) at :attr:`confidence_level`.  It holds for two groups chosen beforehand,
        without a cluster in both: among many groups, the two farthest apart differ somewhat by
        chance alone.
        """
        if len(self.groups) < 2:  # noqa: PLR2004 - a gap has two sides
            return None
        best, *_, worst = sorted(self.groups, key=lambda name: -self.groups[name].accuracy)
        high, low = self.groups[best], self.groups[worst]
        interval = _metrics.newcombe_interval(
            (high.accuracy, high.accuracy_interval), (low.accuracy, low.accuracy_interval)
        )
        return GroupGap(best, worst, high.accuracy - low.accuracy, interval)

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as built-in types, ready for :func:`json.dumps`.

        Returns
        -------
        dict
            Every field and figure but :attr:`largest_gap` under its own name; arrays as lists, NaN
            as None.
            :meth:`from_dict` turns it back into an equal report.

        See Also
        --------
        EvaluationReport.from_dict : Reads it again.
        EvaluationReport.to_frame : The classes as a table.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> report = fk.evaluate_predictions([3, 3, 6, 4], [3, 6, 6, 4])
        >>> report.as_dict()["accuracy"]
        0.75
        """
        return report_as_dict(self)

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

        See Also
        --------
        EvaluationReport.as_dict : Makes such a dict.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> report = fk.evaluate_predictions([3, 3, 6, 4], [3, 6, 6, 4])
        >>> fk.EvaluationReport.from_dict(report.as_dict()).accuracy
        0.75
        """
        fields = fields_from_dict(values)
        groups = {str(name): cls.from_dict(group) for name, group in fields.pop("groups").items()}
        return cls(**fields, groups=groups)

    def to_frame(self) -> pd.DataFrame:
        """Return the scores of the classes and their averages as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each class, then "macro avg" (over the classes in the true labels or the
            predictions) and "weighted avg" (by support), as in scikit-learn's classification
            report; columns "precision", "recall", "f1" (float) and "support" (int).

        See Also
        --------
        EvaluationReport.as_dict : All figures, for JSON.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> report = fk.evaluate_predictions([3, 3, 6, 4], [3, 6, 6, 4])
        >>> report.to_frame().loc["happy"].round(2).to_dict()
        {'precision': 1.0, 'recall': 0.5, 'f1': 0.67, 'support': 2.0}
        """
        with needed("to_frame"):
            import pandas as pd

        scores = self.per_class
        averages = _metrics.average_scores(self.confusion_matrix, scores)
        return pd.DataFrame(
            [*scores.values(), *averages.values()], index=[*scores.keys(), *averages.keys()]
        )

    def groups_to_frame(self) -> pd.DataFrame:
        """Return the figures of the groups as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each group; columns "n_samples", "accuracy", "accuracy_low" and
            "accuracy_high" (the ends of its interval), "balanced_accuracy", "f1_macro", "loss"
            and "ece".

        See Also
        --------
        EvaluationReport.to_frame : The classes as a table.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> groups = ["young", "young", "old", "old"]
        >>> report = fk.evaluate_predictions([3, 3, 6, 4], [3, 6, 6, 4], groups=groups)
        >>> report.groups_to_frame()["accuracy"].to_dict()
        {'old': 1.0, 'young': 0.5}
        """
        with needed("groups_to_frame"):
            import pandas as pd

        figures = ("accuracy", "balanced_accuracy", "f1_macro", "loss", "ece")
        frame = pd.DataFrame(
            [
                {"n_samples": group.n_samples, **{name: getattr(group, name) for name in figures}}
                for group in self.groups.values()
            ],
            index=list(self.groups),
            columns=["n_samples", *figures],
        )
        ends = np.array([g.accuracy_interval for g in self.groups.values()]).reshape(-1, 2)
        frame.insert(2, "accuracy_low", ends[:, 0])
        frame.insert(3, "accuracy_high", ends[:, 1])
        return frame

    def to_html(
        self,
        path: str | Path | None = None,
        *,
        title: str = "Evaluation report",
        classifier: Any = None,
        history: Any = None,
        samples: tuple[ArrayLike, ArrayLike | None, ArrayLike] | None = None,
        facts: Mapping[str, Any] | None = None,
        random_state: int = 0,
    ) -> str:
        """Return the report as a web page, and write it to a file if one is named.

        The page holds its images and loads nothing: the figures, a table of the classes, the
        confusion matrix as a figure and in numbers, the reliability diagram, the class balance,
        and what the arguments add.

        Parameters
        ----------
        path : str or Path, optional
            File to write, in a folder that exists.  It is written whole or not at all.
        title : str, default "Evaluation report"
            Heading of the page.
        classifier : object, optional
            What was measured: adds how it was made (its architecture, every setting that is not
            the default, the epochs, the temperature) and its learning curves.
        history : mapping or object, optional
            Adds learning curves: what :func:`plot_history` takes, for instance the classifier.
        samples : tuple of (images, labels, probabilities), optional
            Adds images: the twelve most confident mistakes, and twelve samples chosen at
            random, each class in turn (of the predicted classes where there are no labels).
            ``images`` as :func:`plot_samples` takes them, ``labels`` codes or names or None,
            ``probabilities`` of shape (m, k).
        facts : mapping of str to object, optional
            Adds facts about how the result was made: the command, the data, the time.
        random_state : int, default 0
            Seed of the choice of samples.

        Returns
        -------
        str
            The HTML.

        Raises
        ------
        InvalidInputError
            If the folder does not exist, for a history or samples that cannot be drawn, a title
            that is no text, or facts that are no mapping.

        See Also
        --------
        EvaluationReport.to_markdown : Tables for a README.

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
        if not isinstance(title, str):
            raise InvalidInputError(f"title must be a text; received {shown(title)}")
        if not isinstance(facts, Mapping | None):
            raise InvalidInputError(f"facts must be a mapping; received {shown(facts)}")
        if history is None:
            history = getattr(classifier, "history_", None)
        if isinstance(history, Mapping) and not history:  # of one that was trained elsewhere
            history = None
        page = render_page(
            self,
            title=title,
            history=history,
            samples=samples,
            facts={**classifier_facts(classifier), **(facts or {})},
            random_state=random_state,
        )
        if target is not None:
            write_atomically(target, page.encode("utf-8"))
        return page

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EvaluationReport):
            return NotImplemented
        return self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]  # arrays cannot be hashed, so neither can a report

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: accuracy {self.accuracy:.3f} on {self.n_samples:,} samples, "
            f"{len(self.class_names)} classes>"
        )

    def __str__(self) -> str:
        return format_report(self)

    def _tables(self) -> dict[str, Rows]:
        return report_tables(self)
