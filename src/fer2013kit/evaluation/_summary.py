"""summarize_reports: the mean of runs that differ by their seed, and how far they spread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from fer2013kit._checks import check_number
from fer2013kit._optional import needed
from fer2013kit.evaluation._report import EvaluationReport
from fer2013kit.evaluation._tables import Tabular, as_text
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from fer2013kit.evaluation._tables import Rows

_FIGURES: Final = {
    "accuracy": "accuracy",
    "balanced accuracy": "balanced_accuracy",
    "macro F1": "f1_macro",
    "top-2 accuracy": "top2_accuracy",
    "loss": "loss",
    "calibration error": "ece",
}
_OF_VOTES: Final = {"expected accuracy": "expected_accuracy", "KL divergence": "kl_divergence"}
_UNLIMITED: Final = {"loss", "KL divergence"}


class Spread(NamedTuple):
    """One figure over the runs."""

    mean: float
    std: float
    interval: tuple[float, float]
    lowest: float
    highest: float


@dataclass(frozen=True, repr=False)
class ReportSummary(Tabular):
    """One network trained several times; :func:`summarize_reports` makes it.

    Parameters
    ----------
    n_reports : int
        Number of runs.
    n_samples : int
        Number of samples in each run.
    figures : dict of str to tuple
        "accuracy", "balanced accuracy", "macro F1", "top-2 accuracy", "loss" and "calibration
        error", for shares of votes "expected accuracy" and "KL divergence", too, each as
        ``(mean, std, interval, lowest, highest)``.  The standard deviation is the sample's (n - 1);
        the interval of the mean is Student's, of which only what the figure can be is kept: no mean
        lies below 0, nor above 1 but for loss and divergence.  Both are NaN for one run.
    classes : dict of str to tuple
        The same of each class's F1.
    confidence_level : float
        Of the intervals.

    See Also
    --------
    summarize_reports : Makes it.

    References
    ----------
    Student, "The Probable Error of a Mean", Biometrika 6, 1908.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> runs = [fk.evaluate_predictions([3, 4], labels) for labels in ([3, 4], [3, 3])]
    >>> print(fk.summarize_reports(runs).to_markdown("figures").splitlines()[2])
    | accuracy | 0.750 | 0.354 | 0.000 to 1.000 | 0.500 | 1.000 |
    """

    n_reports: int
    n_samples: int
    figures: dict[str, Spread]
    classes: dict[str, Spread]
    confidence_level: float

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as built-in types, ready for :func:`json.dumps`.

        Returns
        -------
        dict
            Every field under its own name; NaN as None.

        See Also
        --------
        ReportSummary.to_frame : The same as a table.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> runs = [fk.evaluate_predictions([3, 4], labels) for labels in ([3, 4], [3, 3])]
        >>> fk.summarize_reports(runs).as_dict()["figures"]["accuracy"]["mean"]
        0.75
        """
        return {
            "n_reports": self.n_reports,
            "n_samples": self.n_samples,
            "figures": {name: _plain(row) for name, row in self.figures.items()},
            "classes": {name: _plain(row) for name, row in self.classes.items()},
            "confidence_level": self.confidence_level,
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each figure: mean, std, ends of the interval, lowest and highest.

        See Also
        --------
        ReportSummary.as_dict : The same for JSON.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> runs = [fk.evaluate_predictions([3, 4], labels) for labels in ([3, 4], [3, 3])]
        >>> fk.summarize_reports(runs).to_frame().loc["accuracy", ["lowest", "highest"]].to_dict()
        {'lowest': 0.5, 'highest': 1.0}
        """
        with needed("to_frame"):
            import pandas as pd

        rows = {**self.figures, **{f"F1 {name}": row for name, row in self.classes.items()}}
        return pd.DataFrame(
            [[r.mean, r.std, *r.interval, r.lowest, r.highest] for r in rows.values()],
            index=list(rows),
            columns=["mean", "std", "low", "high", "lowest", "highest"],
        )

    def __repr__(self) -> str:
        mean, std, *_ = self.figures["accuracy"]
        return f"<{type(self).__name__}: accuracy {mean:.3f} ± {std:.3f}, {self.n_reports} runs>"

    def __str__(self) -> str:
        runs = "1 run" if self.n_reports == 1 else f"{self.n_reports} runs, each"
        heading = f"{runs} measured on {self.n_samples:,} samples"
        return "\n\n".join([heading, *map(as_text, self._tables().values())])

    def _tables(self) -> dict[str, Rows]:
        level = f"{100 * self.confidence_level:g}% interval"
        return {
            name: [[heading, "mean", "std", level, "lowest", "highest"]]
            + [
                [
                    key,
                    f"{r.mean:.3f}",
                    f"{r.std:.3f}",
                    f"{r.interval[0]:.3f} to {r.interval[1]:.3f}",
                    f"{r.lowest:.3f}",
                    f"{r.highest:.3f}",
                ]
                for key, r in rows.items()
            ]
            for name, heading, rows in (
                ("figures", "figure", self.figures),
                ("classes", "F1 of class", self.classes),
            )
        }


def summarize_reports(
    reports: Iterable[EvaluationReport], *, confidence_level: float = 0.95
) -> ReportSummary:
    """Summarize the evaluations of runs that differ by chance alone, such as their seed.

    The interval in one report shows the effect of other test samples; this one shows the effect of
    another training run.

    Parameters
    ----------
    reports : iterable of EvaluationReport
        One for each run, all of the same classes and on as many samples.
    confidence_level : float, default 0.95
        Level of the intervals of the means.

    Returns
    -------
    ReportSummary
        Mean, standard deviation, interval, lowest and highest of each figure.

    Raises
    ------
    InvalidInputError
        For no reports, other objects, or reports that cannot be compared.

    See Also
    --------
    evaluate_predictions : One run alone.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> rows = [[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]]
    >>> runs = [
    ...     fk.evaluate_predictions(y, rows, class_names=("happy", "sad"))
    ...     for y in ([0, 0, 1], [0, 1, 1])
    ... ]
    >>> round(fk.summarize_reports(runs).figures["accuracy"].mean, 3)
    0.833
    """
    runs = list(reports) if isinstance(reports, Iterable) else [reports]
    check_number("confidence_level", confidence_level, "(0, 1)")
    if not runs or not all(isinstance(run, EvaluationReport) for run in runs):
        raise InvalidInputError(
            "reports must be one EvaluationReport or more; received "
            f"{', '.join(type(run).__name__ for run in runs)[:200] or 'none'}"
        )
    kinds = {(run.class_names, run.n_samples) for run in runs}
    if len(kinds) > 1:
        (names, n), (others, m) = sorted(kinds, key=str)[:2]
        raise InvalidInputError(
            "reports must be of the same classes and on as many samples; received "
            f"{', '.join(names)[:80]} on {n} and {', '.join(others)[:80]} on {m}"
        )

    of_votes = not any(np.isnan(run.expected_accuracy) for run in runs)

    def spread(values: list[float], most: float = 1.0) -> Spread:
        return _spread(np.array(values), confidence_level, most)

    return ReportSummary(
        n_reports=len(runs),
        n_samples=runs[0].n_samples,
        figures={
            name: spread(
                [getattr(run, attribute) for run in runs], np.inf if name in _UNLIMITED else 1.0
            )
            for name, attribute in (_FIGURES | (_OF_VOTES if of_votes else {})).items()
        },
        classes={
            name: spread([run.per_class[name]["f1"] for run in runs])
            for name in runs[0].class_names
        },
        confidence_level=float(confidence_level),
    )


def _spread(values: np.ndarray[Any, Any], confidence_level: float, most: float) -> Spread:
    from scipy.stats import t

    n, mean = len(values), float(values.mean())
    std = half = float("nan")
    if n > 1:
        std = float(values.std(ddof=1))
        half = float(t.ppf(0.5 + confidence_level / 2, n - 1)) * std / n**0.5
    # The true mean lies between 0 and the most, so what is cut off covers it never.
    low, high = np.clip([mean - half, mean + half], 0, most).tolist()
    return Spread(mean, std, (low, high), float(values.min()), float(values.max()))


def _plain(row: Spread) -> dict[str, Any]:
    values = {**row._asdict(), "low": row.interval[0], "high": row.interval[1]}
    del values["interval"]
    return {name: None if np.isnan(value) else value for name, value in values.items()}
