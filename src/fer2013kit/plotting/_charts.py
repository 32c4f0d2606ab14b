"""Charts: learning curve, class balance, reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._labels import check_class_names
from fer2013kit._metrics import is_cost, wilson_interval
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.exceptions import InvalidInputError, did_you_mean, shown
from fer2013kit.plotting._parts import (
    BLUE,
    GREY,
    SERIES,
    VERMILION,
    axes_or_new,
    class_codes,
    history_of,
    labels_by_split,
    named,
    open_frame,
    plain,
    series,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes


def plot_history(history: Any, *, metric: str = "accuracy", ax: Axes | None = None) -> Axes:
    """Draw a learning curve: one metric of training and validation after each epoch.

    The best epoch is marked, of the validation where there is one: the lowest value of losses,
    errors, divergences and entropies, by their names in Keras, else the highest.

    Parameters
    ----------
    history : mapping of str to sequence of float, or object
        Values of each epoch by name ("accuracy", "val_accuracy", "loss", "val_loss", ...), as
        Keras writes them; or an object that has them as ``history_`` (a fitted
        :class:`EmotionClassifier`) or ``history`` (what Keras' ``fit`` returns).
    metric : str, default "accuracy"
        Name of the training's values; those of the validation have ``"val_"`` before it.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into.

    Raises
    ------
    InvalidInputError
        If there is no history, it does not hold the metric, the validation has another number of
        values than the training, or ``ax`` is no Axes.

    See Also
    --------
    EmotionClassifier.fit : Makes the history.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> history = {"accuracy": [0.3, 0.5, 0.6], "val_accuracy": [0.3, 0.45, 0.4]}
    >>> ax = fk.plot_history(history)
    >>> [line.get_label() for line in ax.lines][:2]
    ['training', 'validation (best 0.450 in epoch 2)']
    """
    values = history_of(history)
    curves = [
        (label, color, np.asarray(values[key], dtype=np.float64))
        for label, key, color in (
            ("training", metric, BLUE),
            ("validation", f"val_{metric}", VERMILION),
        )
        if key in values and len(values[key])
    ]
    if not curves:
        known = [str(name) for name in values if not str(name).startswith("val_")]
        raise InvalidInputError(
            f"the history does not hold {shown(metric)}{did_you_mean(metric, known)}; "
            f"it holds: {', '.join(known) or 'nothing'}"
        )
    lengths = [len(curve) for *_, curve in curves]
    if len(set(lengths)) > 1:
        raise InvalidInputError(
            f"each epoch must have both values of {shown(metric)}; received {lengths[0]} of the "
            f"training and {lengths[1]} of the validation, which do not say of which epochs they "
            "are (set Keras's validation_freq to 1)"
        )
    ax = axes_or_new(ax, width=6.4, height=4)  # says so where there is no matplotlib
    from matplotlib.ticker import MaxNLocator

    for label, color, curve in curves:
        epochs = np.arange(1, len(curve) + 1)
        marker = "." if len(curve) < 30 else ""  # noqa: PLR2004 - more would run together
        (line,) = ax.plot(epochs, curve, color=color, marker=marker, linewidth=1.8, label=label)
        if label == curves[-1][0] and np.isfinite(curve).any():
            best = int(np.nanargmin(curve) if is_cost(metric) else np.nanargmax(curve))
            line.set_label(f"{label} (best {curve[best]:.3f} in epoch {best + 1})")
            ax.plot(epochs[best], curve[best], "o", color=color, markersize=8)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    name = metric.replace("_", " ")
    ax.set(xlabel="epoch", ylabel=name, title=f"Learning curve: {name}")
    ax.legend(frameon=False)
    open_frame(ax)
    return ax


def plot_class_balance(
    data: Any, *, class_names: Sequence[str] = CLASS_NAMES, ax: Axes | None = None
) -> Axes:
    """Draw how the samples are spread over the classes, a series of bars for each split.

    The height is the share of the split, so that splits of any size compare; the count is
    written above the bar.

    Parameters
    ----------
    data : FER2013, Split, mapping of str to array_like, or array_like of int or str, shape (n,)
        A data set, labels by the name of their split, or labels alone.  A split without labels
        is left out.
    class_names : sequence of str
        Names in the order of the codes.  Default: the seven emotions.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into.

    Raises
    ------
    InvalidInputError
        If there are no labels at all, or an unknown one, or ``ax`` is no Axes.

    See Also
    --------
    class_counts : The numbers.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> ax = fk.plot_class_balance({"train": [0, 1, 1, 1], "test": [0, 1]}, class_names=["a", "b"])
    >>> [text.get_text() for text in ax.texts]
    ['1', '3', '1', '1']
    """
    class_names = check_class_names(class_names)
    k = len(class_names)
    counts = {
        name: np.bincount(codes, minlength=k)
        for name, labels in labels_by_split(data).items()
        if (codes := class_codes(labels, class_names)) is not None and len(codes)
    }
    if not counts:
        raise InvalidInputError("there are no labels to count; received only empty or none")
    ax = axes_or_new(ax, width=max(6.4, 1.2 * k), height=4)
    width = 0.84 / len(counts)
    many = len(counts) * k > 14  # noqa: PLR2004 - more counts side by side would run together
    for index, (name, count) in enumerate(counts.items()):
        places = np.arange(k) + (index - (len(counts) - 1) / 2) * width
        bars = ax.bar(
            places,
            100 * count / count.sum(),
            width=0.92 * width,
            color=SERIES[index % len(SERIES)],
            label=plain(f"{name} ({count.sum():,})") if name else f"{count.sum():,} samples",
        )
        ax.bar_label(
            bars,
            [f"{n:,}" for n in count],
            fontsize="x-small" if many else "small",
            rotation=90 if many else 0,
            padding=2,
        )
    slanted: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    are_long = max(map(len, class_names)) > 10  # noqa: PLR2004 - side by side they run together
    ax.set_xticks(range(k), [*map(plain, class_names)], **(slanted if are_long else {}))
    ax.margins(y=0.3 if many else 0.22)  # room above all bars for their counts and the legend
    unit = "share of the split (%)" if len(counts) > 1 else "share of the samples (%)"
    ax.set(xlabel="class", ylabel=unit, title="Class balance")
    ax.legend(frameon=False, ncols=len(counts), loc="upper right")
    open_frame(ax)
    return ax


def plot_reliability(report: Any, *, name: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw a reliability diagram: how often predictions are right, by their confidence.

    A point is a bin of predictions.  On the diagonal confidence is honest, below it the model
    is over-confident, above it under-confident.  The line through a point is the 95% Wilson
    interval of the bin's accuracy, the grey bar the bin's share of all samples.  For samples with
    weights or in clusters the interval uses :attr:`EvaluationReport.n_effective`.

    Parameters
    ----------
    report : EvaluationReport or mapping of str to array_like, shape (n_bins,)
        An evaluation, or equal-width bins as :attr:`EvaluationReport.reliability` holds them:
        mean "confidence", "accuracy" and "count" of each.
    name : str, optional
        What the legend calls the network, where several are compared; bars have its colour.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a second network can be drawn into the same.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into.

    Raises
    ------
    InvalidInputError
        If the bins are not there, differ in number, are all empty or hold other than counts and
        shares, or ``ax`` is no Axes.

    See Also
    --------
    EmotionClassifier.calibrate : Makes probabilities honest.
    plot_risk_coverage : What a confidence threshold costs and gains.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> report = fk.evaluate_predictions([0, 1], [[0.9, 0.1], [0.3, 0.7]], class_names=("a", "b"))
    >>> ax = fk.plot_reliability(report)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('confidence', 'accuracy')
    """
    bins = getattr(report, "reliability", report)
    try:
        confidence, accuracy = (np.asarray(bins[key], float) for key in ("confidence", "accuracy"))
        count = np.asarray(bins["count"], float)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise InvalidInputError(
            "expected an EvaluationReport or a mapping with 'confidence', 'accuracy' and 'count' "
            f"of each bin; received {type(report).__name__}"
        ) from error
    if not confidence.shape == accuracy.shape == count.shape or not (count >= 0).all():
        raise InvalidInputError("the bins must be equally many, and their counts from 0 up")
    occupied = np.flatnonzero(count)
    confidence, accuracy, n = confidence[occupied], accuracy[occupied], count[occupied]
    shares = np.concatenate([confidence, accuracy])
    if not len(shares) or not ((shares >= 0) & (shares <= 1)).all():  # NaN is neither
        raise InvalidInputError(
            "one of the bins at least must be not empty, and the confidence and accuracy of each "
            "that is not must be in [0, 1]"
        )
    if (size := getattr(report, "n_effective", None)) is not None:
        n = n * (size / count.sum())
    ends = np.array(
        [wilson_interval(share * size, size, 0.95) for share, size in zip(accuracy, n, strict=True)]
    )
    spread = np.abs(ends.T - accuracy)
    gap = float(np.abs(accuracy - confidence) @ n / n.sum())
    label = named(name, f"calibration error {gap:.3f}")
    ax = axes_or_new(ax, width=5.2, height=5)
    before = sum(hasattr(one, "has_yerr") for one in ax.containers)  # diagrams already there
    color, dashes = series(before)
    width = 1 / len(count)
    ax.bar(
        (np.arange(len(count)) + 0.5) * width,
        count / count.sum(),
        width=0.9 * width,
        color=color if name else GREY,
        alpha=0.25 if name else 0.35,
        label=None if name else "share of the samples",
    )
    if not before:
        ax.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1.2, label="perfectly calibrated")
    ax.errorbar(
        confidence,
        accuracy,
        yerr=spread,
        fmt="o",
        linestyle=dashes,
        color=color,
        markersize=5,
        linewidth=1.6,
        elinewidth=1,
        label=label if name else "accuracy, 95% interval",
    )
    ax.set(
        xlim=(0, 1),
        ylim=(0, 1),
        aspect="equal",
        xlabel="confidence",
        ylabel="accuracy",
        title="Reliability, 95% intervals" if name else f"Reliability: {label}",
    )
    ax.legend(frameon=False, fontsize="small")
    open_frame(ax)
    return ax
