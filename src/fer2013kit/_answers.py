"""True classes and answers as users pass them: codes, names, shares of votes, probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._checks import as_array, check_same_length
from fer2013kit._class_order import doubt_order
from fer2013kit._labels import check_class_names, columns_in_order, read_codes
from fer2013kit._metrics import check_probabilities
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fer2013kit._checks import IntArray
    from fer2013kit._metrics import Float64Array


def read_predictions(
    probabilities: Any, class_names: Sequence[str], *, name: str = "probabilities"
) -> tuple[IntArray, Float64Array | None, tuple[str, ...]]:
    """Return the predicted codes, their probabilities, None of hard labels, and the names.

    Raises
    ------
    InvalidInputError
        As :func:`evaluate_predictions` does.
    """
    names = check_class_names(class_names)
    given = as_array(columns_in_order(probabilities, names, name=name), name)
    table = None
    if given.ndim == 1 and given.dtype.kind in "iuOUT":
        _check_names(names, max(len(names), 2), name)
        predicted = read_codes(given, names, name=name)
    else:
        table = check_probabilities(given, name=name)
        _check_names(names, table.shape[1], name)
        predicted = table.argmax(axis=1)
    if not len(predicted):
        raise InvalidInputError(f"there is nothing to evaluate: {name} have zero rows")
    return predicted, table, names


def _check_names(names: tuple[str, ...], n_classes: int, name: str) -> None:
    if len(names) != n_classes or len(set(names)) != n_classes:
        raise InvalidInputError(
            f"class_names must be {n_classes} different names, one for each column of "
            f"{name}; received {shown(names)}"
        )


def read_truth(
    y_true: Any, names: tuple[str, ...], *, name: str = "y_true"
) -> tuple[IntArray, Float64Array | None]:
    """Return true codes and, where they were given, the share of every class.

    Rows of 0 and 1 alone are labels, one-hot encoded, and have no shares.

    Raises
    ------
    InvalidInputError
        As :func:`evaluate_predictions` does.
    """
    given = as_array(columns_in_order(y_true, names, name=name), name)
    if given.ndim != 2:  # noqa: PLR2004 - a table
        return read_codes(given, names, name=name), None
    if given.shape[1] != len(names):
        raise InvalidInputError(
            f"{name} must have shape (n,), or (n, {len(names)}) with the share of each class; "
            f"received {given.shape}"
        )
    if len(empty := np.flatnonzero(~given.any(axis=1))):
        raise InvalidInputError(
            f"{name} must have votes in each row; {len(empty)} of {len(given)} rows have none, the "
            f"first is row {empty[0]}; leave these out everywhere: keep = shares.any(axis=1)"
        )
    shares = check_probabilities(given, name=name, advice="of votes, divide each row by its sum")
    one_hot = ((shares == 0) | (shares == 1)).all()
    return shares.argmax(axis=1), None if one_hot else shares


def read_for_curve(
    y_true: Any, probabilities: Any, class_names: Sequence[str]
) -> tuple[IntArray, Float64Array, tuple[str, ...]]:
    """Return true codes, of shares of votes the largest, the probabilities, and the names.

    Raises
    ------
    InvalidInputError
        As :func:`evaluate_predictions` does, and for predicted labels without probabilities.
    """
    predicted, table, names = read_predictions(probabilities, class_names)
    codes, _ = read_truth(y_true, names)
    check_same_length(codes, predicted, names=("y_true", "probabilities"))
    doubt_order(codes, predicted, names)
    if table is None:
        raise InvalidInputError(
            "a curve needs probabilities of shape (n, k), received labels, which have no confidence"
        )
    return codes, table, names
