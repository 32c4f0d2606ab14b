"""What the loss aims at for each row of a training set, and how much the row counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import as_array
from fer2013kit._class_order import exchanged_classes, in_words
from fer2013kit._labels import columns_in_order
from fer2013kit.class_weight import by_label, sample_weights
from fer2013kit.exceptions import InvalidInputError, shortened, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fer2013kit._checks import IntArray
    from fer2013kit.typing import ClassWeight

_SUM_TOLERANCE: Final = 1e-3  # a row's sum from 1; half precision rounds by that much
_MOST_OTHERWISE: Final = 0.5  # people and FER-2013 differ on a third, wrong columns on most


def training_targets(
    codes: IntArray, classes: NDArray[Any], soft_targets: Any, names: Sequence[str]
) -> NDArray[np.float32]:
    """Return what the loss aims at: the one-hot rows of the codes, or given probabilities.

    Warns
    -----
    Fer2013KitWarning
        Where most of the probabilities say another class than the codes, or some classes are
        exchanged.
    """
    if soft_targets is None:
        return one_hot(codes, classes)
    targets = probabilities(soft_targets, len(codes), classes, name="soft_targets", names=names)
    known = np.flatnonzero(targets.any(axis=1))
    if not len(known):
        raise InvalidInputError("soft_targets must say something of an image; all rows are zero")
    own = targets[known, codes[known]]
    other = (own < targets[known].max(axis=1)).mean()
    exchanged = exchanged_classes(codes[known], targets[known].argmax(axis=1), len(classes))
    if other > _MOST_OTHERWISE or exchanged:
        of = f" ({in_words(exchanged, names)})" if exchanged else ""
        warn(
            f"soft_targets say another class than y for {other:.0%} of the images{of}; "
            f"their columns must be in the order {shortened(', '.join(map(str, classes)))}"
        )
    return targets


def probabilities(
    table: Any,
    rows: int,
    classes: NDArray[Any],
    *,
    name: str,
    names: Sequence[str] | None = None,
) -> NDArray[np.float32]:
    """Return rows that sum to 1, or to 0 where nothing is known of an image.

    Columns of a data frame go by their names, which are the classes or ``names`` for them.
    """
    columns = getattr(table, "columns", None)
    if names is not None and columns is not None and [*columns] != classes.tolist():
        table = columns_in_order(table, names, name=name)
    targets = as_array(table, name, np.float32)
    expected = (rows, len(classes))
    if targets.shape != expected:
        hint = ""
        if targets.ndim == 2 and targets.shape[1] > len(classes):  # noqa: PLR2004 - a table
            hint = (
                f"; y holds {len(classes)} classes: where some have no image, name all "
                f"{targets.shape[1]} in classes"
            )
        raise InvalidInputError(
            f"{name} must have a row for each image and a column for each class, "
            f"{expected}; received {targets.shape}{hint}"
        )
    sums = targets.sum(axis=1)
    if not (np.isfinite(sums).all() and (targets >= 0).all()):
        raise InvalidInputError(f"{name} must be probabilities; received NaN or a negative")
    if ((np.abs(sums - 1) > _SUM_TOLERANCE) & (sums > 0)).any():
        raise InvalidInputError(
            f"rows of {name} must sum to 1, or be all zero to weigh nothing; received sums from "
            f"{sums.min():g} to {sums.max():g}"
        )
    return targets


def one_hot(codes: IntArray, classes: NDArray[Any]) -> NDArray[np.float32]:
    """Return targets (n, k)."""
    return np.eye(len(classes), dtype=np.float32)[codes]


def row_weights(
    labels: NDArray[Any],
    codes: IntArray,
    classes: NDArray[Any],
    *,
    sample_weight: Any,
    class_weight: ClassWeight | None,
) -> NDArray[np.float32]:
    """Return the weight of each row in the loss: its own times that of its class."""
    weights = np.ones(codes.shape)
    if sample_weight is not None:
        given = as_array(sample_weight, "sample_weight", np.float64)
        if given.shape not in {(), codes.shape}:
            raise InvalidInputError(
                f"sample_weight must have shape {codes.shape}, a number for each row; received "
                f"{given.shape}"
            )
        weights = weights * given
    if class_weight is not None:
        weights = weights * _class_weight_of_rows(labels, codes, classes, class_weight)
    if not ((weights >= 0) & (weights <= np.finfo(np.float32).max)).all():
        raise InvalidInputError(
            "sample_weight and class_weight must give weights from 0 to 3e38; received "
            f"{weights.min():g} to {weights.max():g}"
        )
    return weights.astype(np.float32)


def _class_weight_of_rows(
    labels: NDArray[Any], codes: IntArray, classes: NDArray[Any], class_weight: ClassWeight
) -> NDArray[np.float64]:
    class_weight = by_label(class_weight)
    if isinstance(class_weight, str | Mapping):
        if labels.dtype.kind == "b":  # as keys of a mapping they are 0 and 1
            labels = labels.astype(np.int64)
        return sample_weights(labels, class_weight, n_classes=None)
    of_class = as_array(class_weight, "class_weight", np.float64)
    if of_class.shape != classes.shape:
        raise InvalidInputError(
            f"class_weight must have one value for each of {classes.tolist()}; "
            f"received shape {of_class.shape}"
        )
    of_rows: NDArray[np.float64] = of_class[codes]
    return of_rows
