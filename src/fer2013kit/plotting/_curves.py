"""Curves over every threshold: risk and coverage, ROC, precision and recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._answers import read_for_curve
from fer2013kit._class_names import class_colors
from fer2013kit._metrics import risk_coverage
from fer2013kit._optional import needed
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.plotting._parts import (
    DASHES,
    GREY,
    axes_or_new,
    named,
    network_name,
    open_frame,
    plain,
    series,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


def plot_risk_coverage(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    class_names: Sequence[str] = CLASS_NAMES,
    name: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the error rate over the coverage, where the least confident answers are rejected.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,), or of float, shape (n, k)
        True classes, as :func:`evaluate_predictions` takes them: of shares of votes, the largest
        counts.
    probabilities : array_like or data frame of float, shape (n, k)
        Probability of each class.
    class_names : sequence of str, length k
        Names in the order of the columns.  Default: the seven emotions.
    name : str, optional
        What the legend calls the network, where several are compared.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a second network, drawn into the same, has another colour and other dashes.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into; the legend gives the area under the curve: the smaller, the better.

    Raises
    ------
    InvalidInputError
        For labels or probabilities that :func:`evaluate_predictions` refuses, or an ``ax`` that
        is no Axes.

    See Also
    --------
    risk_coverage_curve : The numbers.
    plot_reliability : Whether confidence is honest.

    References
    ----------
    Y. Geifman and R. El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> ax = fk.plot_risk_coverage([0, 1], [[0.9, 0.1], [0.6, 0.4]], class_names=("a", "b"))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('coverage (share of samples that are answered)', 'risk (share of wrong answers)')

    Two networks:

    >>> old, new, names = [[0.5, 0.5], [0.6, 0.4]], [[0.9, 0.1], [0.2, 0.8]], ("a", "b")
    >>> ax = fk.plot_risk_coverage([0, 1], old, class_names=names, name="old")
    >>> ax = fk.plot_risk_coverage([0, 1], new, class_names=names, name="new", ax=ax)
    >>> ax.get_legend_handles_labels()[1]
    ['old (area 0.750)', 'new (area 0.000)']
    """
    codes, table, _ = read_for_curve(y_true, probabilities, class_names)
    curve = risk_coverage(codes == table.argmax(axis=1), table.max(axis=1))
    steps = np.diff(curve.coverage, prepend=0)
    label = named(name, f"area {float(curve.risk @ steps):.3f}")
    ax = axes_or_new(ax, width=5.6, height=4)
    color, dashes = series(len(ax.lines))
    ax.plot(
        curve.coverage,
        curve.risk,
        color=color,
        linestyle=dashes,
        linewidth=1.8,
        label=label,
    )
    ax.set(
        xlim=(0, 1),
        ylim=(0, 1.05 * ax.dataLim.y1 or 0.05),  # of all curves in it
        xlabel="coverage (share of samples that are answered)",
        ylabel="risk (share of wrong answers)",
        title="Refusing: risk and coverage",
    )
    ax.legend(frameon=False)
    open_frame(ax)
    return ax


def plot_roc(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    class_names: Sequence[str] = CLASS_NAMES,
    name: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the ROC curve of each class against all others, by scikit-learn.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,), or of float, shape (n, k)
        True classes, as :func:`evaluate_predictions` takes them: of shares of votes, the largest
        counts.  Classes that do not occur, or alone, have no curve.
    probabilities : array_like or data frame of float, shape (n, k)
        Probability of each class.
    class_names : sequence of str, length k
        Names in the order of the columns.  Default: the seven emotions.
    name : str, optional
        What the legend calls the network, where several are compared: each class keeps its colour,
        and each network has dashes of its own.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a second network can be drawn into the same.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into; the legend gives the areas under the curves.

    Raises
    ------
    InvalidInputError
        For labels or probabilities that :func:`evaluate_predictions` refuses, one class alone, or
        an ``ax`` that is no Axes.

    See Also
    --------
    plot_precision_recall : Says more about rare classes.
    EvaluationReport : Holds the numbers.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> ax = fk.plot_roc([0, 1], [[0.9, 0.1], [0.6, 0.4]], class_names=("happy", "sad"))
    >>> ax.get_legend_handles_labels()[1]
    ['happy (AUC = 1.00)', 'sad (AUC = 1.00)']
    """
    with needed("a ROC curve"):
        from sklearn.metrics import RocCurveDisplay

    ax = _class_curves(RocCurveDisplay, y_true, probabilities, class_names, network=name, ax=ax)
    if GREY not in (line.get_color() for line in ax.lines):
        ax.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1.2)
    ax.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC of each class")
    return ax


def plot_precision_recall(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    class_names: Sequence[str] = CLASS_NAMES,
    name: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw precision over recall of each class against all others, by scikit-learn.

    It says more about rare classes than :func:`plot_roc`, where the many images of the other
    classes keep the false positive rate small.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,), or of float, shape (n, k)
        As in :func:`plot_roc`.
    probabilities : array_like or data frame of float, shape (n, k)
        As in :func:`plot_roc`.
    class_names : sequence of str, length k
        As in :func:`plot_roc`.
    name : str, optional
        As in :func:`plot_roc`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a second network can be drawn into the same.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into; the legend gives the average precisions.

    Raises
    ------
    InvalidInputError
        As in :func:`plot_roc`.

    See Also
    --------
    plot_roc : For classes of similar size.
    EvaluationReport : Holds the numbers.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> ax = fk.plot_precision_recall([0, 1], [[0.9, 0.1], [0.6, 0.4]], class_names=("a", "b"))
    >>> ax.get_legend_handles_labels()[1]
    ['a (AP = 1.00)', 'b (AP = 1.00)']
    """
    with needed("a curve of precision and recall"):
        from sklearn.metrics import PrecisionRecallDisplay

    ax = _class_curves(
        PrecisionRecallDisplay, y_true, probabilities, class_names, network=name, ax=ax
    )
    ax.set(xlabel="recall", ylabel="precision", title="Precision and recall of each class")
    return ax


def _class_curves(
    display: Any,
    y_true: ArrayLike,
    probabilities: ArrayLike,
    class_names: Sequence[str],
    *,
    network: str | None,
    ax: Axes | None,
) -> Axes:
    codes, table, names = read_for_curve(y_true, probabilities, class_names)
    if len(set(codes.tolist())) == 1:
        raise InvalidInputError(
            f"a curve needs samples of two classes; received {names[codes[0]]} alone"
        )
    network = network_name(network)
    prefix = f"{network}: " if network else ""
    ax = axes_or_new(ax, width=5.6, height=5)
    drawn = [line.get_color() for line in ax.lines]
    colors = class_colors(names)
    before = max(map(drawn.count, colors))  # networks whose curves are there already
    for code, (name, color) in enumerate(zip(names, colors, strict=True)):
        if (codes == code).any():
            label = f"{prefix}{plain(name)}"
            display.from_predictions(codes == code, table[:, code], name=label, ax=ax)
            # Of one network alone, neighbours differ in their dashes, too.
            kind = before if network or before else code
            dashes = DASHES[kind % len(DASHES)]
            ax.lines[-1].set(color=color, linestyle=dashes, linewidth=1.6)
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    # The names of two networks' curves would hide these; below, each network has a column.
    below: dict[str, Any] = (
        {"loc": "upper center", "bbox_to_anchor": (0.5, -0.14), "ncols": 2} if before else {}
    )
    ax.legend(frameon=False, fontsize="small", **below)
    open_frame(ax)
    return ax
