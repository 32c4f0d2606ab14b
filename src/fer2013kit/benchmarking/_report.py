"""BenchmarkReport: several networks' figures side by side, as table, JSON and image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._optional import needed
from fer2013kit.evaluation._tables import Tabular, as_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from fer2013kit.evaluation import EvaluationReport, PredictionComparison
    from fer2013kit.evaluation._tables import Rows


@dataclass(frozen=True, repr=False, eq=False)
class BenchmarkReport(Tabular):
    """What :func:`benchmark` measured, the most accurate first.

    Parameters
    ----------
    reports : dict of str to EvaluationReport
        Of each network, by its name.
    comparisons : dict of str to PredictionComparison
        Of each other network with the most accurate one, which is ``b``: paired, on the same
        images.
    milliseconds : dict of str to float or None
        Median time of one face on one core; None where it was not measured.
    split : str
        The split measured on.
    leaks : int or None
        Images left out because the training split holds them, too; None where nobody looked for
        them.

    See Also
    --------
    benchmark : Makes it.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=70, random_state=0)
    >>> report = fk.benchmark(["five_layer_cnn_small"], data, latency=False)
    >>> list(report.reports)
    ['five_layer_cnn_small']
    """

    reports: dict[str, EvaluationReport]
    comparisons: dict[str, PredictionComparison]
    milliseconds: dict[str, float | None]
    split: str
    leaks: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as built-in types, ready for :func:`json.dumps`.

        Returns
        -------
        dict
            Every field under its own name.

        See Also
        --------
        BenchmarkReport.to_frame : The same as a table.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data = fk.make_fer2013(n_samples=70, random_state=0)
        >>> report = fk.benchmark(["five_layer_cnn_small"], data, latency=False)
        >>> report.as_dict()["reports"]["five_layer_cnn_small"]["n_samples"]
        7
        """
        return {
            "split": self.split,
            "leaks": self.leaks,
            "reports": {name: report.as_dict() for name, report in self.reports.items()},
            "comparisons": {name: one.as_dict() for name, one in self.comparisons.items()},
            "milliseconds": dict(self.milliseconds),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each network.

        Returns
        -------
        pandas.DataFrame
            Columns "accuracy", "accuracy_low", "accuracy_high", "balanced_accuracy", "f1_macro",
            "loss", "ece", "p_value" (against the first: :attr:`PredictionComparison.p_value`) and
            "milliseconds".

        See Also
        --------
        BenchmarkReport.as_dict : The same for JSON.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data = fk.make_fer2013(n_samples=70, random_state=0)
        >>> report = fk.benchmark(["five_layer_cnn_small"], data, latency=False)
        >>> list(report.to_frame().columns[:3])
        ['accuracy', 'accuracy_low', 'accuracy_high']
        """
        with needed("to_frame"):
            import pandas as pd

        rows = []
        for name, report in self.reports.items():
            low, high = report.accuracy_interval
            compared = self.comparisons.get(name)
            rows.append(
                {
                    "accuracy": report.accuracy,
                    "accuracy_low": low,
                    "accuracy_high": high,
                    "balanced_accuracy": report.balanced_accuracy,
                    "f1_macro": report.f1_macro,
                    "loss": report.loss,
                    "ece": report.ece,
                    "p_value": np.nan if compared is None else compared.p_value,
                    "milliseconds": self.milliseconds[name],
                }
            )
        return pd.DataFrame(rows, index=list(self.reports))

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the accuracies with their intervals.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw.

        Returns
        -------
        matplotlib.axes.Axes
            The Axes drawn into.

        Raises
        ------
        InvalidInputError
            If ``ax`` is no Axes.

        See Also
        --------
        BenchmarkReport.to_frame : The figures.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data = fk.make_fer2013(n_samples=70, random_state=0)
        >>> fk.benchmark(["five_layer_cnn_small"], data, latency=False).plot().get_title()
        'On the test split'
        """
        from fer2013kit.plotting._parts import axes_or_new

        ax = axes_or_new(ax, width=6.4, height=1.4 + 0.4 * len(self.reports))
        names = list(self.reports)[::-1]
        values = np.array([self.reports[name].accuracy for name in names])
        ends = np.array([self.reports[name].accuracy_interval for name in names])
        ax.errorbar(values, range(len(names)), xerr=np.abs(ends.T - values), fmt="o", capsize=3)
        ax.set_yticks(range(len(names)), [name.replace("$", r"\$") for name in names])
        ax.set(xlabel="accuracy, 95% interval", title=f"On the {self.split} split")
        ax.grid(axis="x", alpha=0.3)
        return ax

    def __repr__(self) -> str:
        best = next(iter(self.reports))
        return f"<{type(self).__name__}: {len(self.reports)} networks, the best {best}>"

    def __str__(self) -> str:
        first = next(iter(self.reports.values()))
        leaks = "leaks not looked for" if self.leaks is None else f"{self.leaks:,} leaks left out"
        clusters = "" if first.n_clusters is None else f" in {first.n_clusters:,} clusters"
        return (
            f"{first.n_samples:,} images of the {self.split} split{clusters}, {leaks}\n\n"
            f"{as_text(self._tables()['figures'])}"
        )

    def _tables(self) -> dict[str, Rows]:
        rows = [["network", "accuracy", "95% interval", "macro F1", "loss", "ECE", "p", "ms"]]
        for name, report in self.reports.items():
            low, high = report.accuracy_interval
            compared, time_ = self.comparisons.get(name), self.milliseconds[name]
            rows.append(
                [
                    name,
                    f"{report.accuracy:.3f}",
                    f"{low:.3f} to {high:.3f}",
                    f"{report.f1_macro:.3f}",
                    f"{report.loss:.3f}",
                    f"{report.ece:.3f}",
                    "" if compared is None else f"{compared.p_value:.2g}",
                    "" if time_ is None else f"{time_:.2f}",
                ]
            )
        return {"figures": rows}
