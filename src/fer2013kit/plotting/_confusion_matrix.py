"""The confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fer2013kit._checks import as_array
from fer2013kit._labels import check_class_names
from fer2013kit.emotions import CLASS_NAMES, NUM_CLASSES
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.plotting._parts import (
    axes_or_new,
    ink_on,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes


def plot_confusion_matrix(
    report: Any,
    *,
    class_names: Sequence[str] | None = None,
    normalize: Literal["true"] | None = "true",
    ax: Axes | None = None,
) -> Axes:
    r"""Draw a confusion matrix: a row for each true class, a column for each predicted one.

    Parameters
    ----------
    report : EvaluationReport or array_like of int, shape (k, k)
        An evaluation, or the matrix itself.
    class_names : sequence of str, length k, optional
        Names in the order of the codes.  Default: those of the report; for a bare matrix the
        seven emotions where k is 7, otherwise the codes.
    normalize : {"true", None}, default "true"
        "true" colours each cell by its share of the true class and writes share and count;
        None takes the counts.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into.

    Raises
    ------
    InvalidInputError
        For a matrix that is not square or holds other than counts, another number of names, or an
        ``ax`` that is no Axes.

    See Also
    --------
    EvaluationReport : Holds the numbers.
    plot_roc : Every threshold of each class.
    plot_precision_recall : The same for rare classes.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> ax = fk.plot_confusion_matrix([[8, 2], [1, 9]], class_names=["happy", "sad"])
    >>> ax.get_xlabel(), [text.get_text() for text in ax.texts][:2]
    ('predicted class', ['80%\n8', '20%\n2'])
    """
    matrix = as_array(getattr(report, "confusion_matrix", report), "report")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:  # noqa: PLR2004 - a table
        raise InvalidInputError(f"the matrix must have shape (k, k); received {matrix.shape}")
    # A report's may be sums of weights.
    kinds = "iuf" if hasattr(report, "confusion_matrix") else "iu"
    if matrix.dtype.kind not in kinds or matrix.min() < 0:
        raise InvalidInputError("the matrix must hold counts: whole numbers from 0 up")
    if normalize not in {"true", None}:
        raise InvalidInputError(f"normalize must be 'true' or None; received {shown(normalize)}")
    k = len(matrix)
    names = class_names if class_names is not None else getattr(report, "class_names", None)
    if names is None:
        names = CLASS_NAMES if k == NUM_CLASSES else [str(code) for code in range(k)]
    names = check_class_names(names)
    if len(names) != k:
        raise InvalidInputError(f"class_names must be {k} names; received {len(names)}")
    names = [plain(name) for name in names]

    support = matrix.sum(axis=1, keepdims=True)
    shares = 100 * matrix / np.where(support > 0, support, 1)
    values = matrix if normalize is None else shares
    highest = matrix.max() if normalize is None else 100
    ax = axes_or_new(ax, width=1.9 + 0.72 * k, height=1.2 + 0.62 * k)
    image = ax.imshow(values, cmap="Blues", vmin=0, vmax=max(highest, 1), aspect="auto")
    decimals = 1 if matrix.dtype.kind == "f" else 0
    for (row, column), count in np.ndenumerate(matrix):
        text = f"{count:,.{decimals}f}"
        text = text if normalize is None else f"{shares[row, column]:.0f}%\n{text}"
        ink = ink_on(image.to_rgba(values[row, column]))
        ax.text(column, row, text, ha="center", va="center", color=ink, fontsize="small")
    ax.set_xticks(range(k), names, rotation=30, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(k), names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="predicted class", ylabel="true class", title="Confusion matrix")
    unit = "weight of the samples" if decimals else "number of samples"
    unit = unit if normalize is None else "share of the true class (%)"
    bar = ax.figure.colorbar(image, ax=ax, label=unit, fraction=0.04, pad=0.02)
    bar.outline.set_visible(False)
    return ax
