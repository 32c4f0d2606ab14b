"""Calibration beyond the temperature: vector scaling, and isotonic curves of every class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

import numpy as np

from fer2013kit._metrics import (
    PROBABILITY_FLOOR,
    check_probabilities,
)
from fer2013kit._untrusted import is_mapping
from fer2013kit.evaluation._calibration import read_targets
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from typing import Literal, NotRequired

    from numpy.typing import ArrayLike

    from fer2013kit._metrics import Float64Array

_SCALES: Final = (0.05, 20.0)
_SHIFTS: Final = (-10.0, 10.0)
_NEWTON_STEPS: Final = 50
"""More than any scaling within these bounds takes."""


class Calibrator(TypedDict):
    """What was fitted, in built-in types: numbers of each class."""

    method: Literal["vector", "isotonic"]
    scale: NotRequired[list[float]]
    shift: NotRequired[list[float]]
    curves: NotRequired[list[list[list[float]]]]


def fit_calibrator(
    y_true: ArrayLike, probabilities: ArrayLike, method: Literal["vector", "isotonic"]
) -> Calibrator:
    """Fit numbers or curves of every class to probabilities of images that were not trained on.

    They are a factor and a shift of the logarithm of every class's probability (the vector scaling
    of Guo et al., ICML 2017, in the form of Kull et al., NeurIPS 2019, which needs no logits), or a
    rising curve of every class's probability, whose values are divided by their sum (Zadrozny and
    Elkan, KDD 2002), by scikit-learn.

    Raises
    ------
    InvalidInputError
        For a class that no image has, and for what :func:`evaluate_predictions` would refuse.

    Examples
    --------
    >>> from fer2013kit.evaluation._calibrators import apply_calibrator, fit_calibrator
    >>> table = [[0.9, 0.1]] * 3 + [[0.2, 0.8]] * 2
    >>> fitted = fit_calibrator([0, 0, 1, 1, 1], table, "isotonic")
    >>> apply_calibrator(table, fitted)[0].round(2)
    array([0.67, 0.33])
    """
    truth, table = read_targets(y_true, probabilities)
    k = table.shape[1]
    if missing := np.flatnonzero(~truth.any(axis=0)).tolist():
        raise InvalidInputError(
            f"method={method!r} needs images of every class, received none of number "
            f"{', '.join(map(str, missing))}; method='temperature' does without"
        )
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        curves = [
            IsotonicRegression(y_min=0, y_max=1).fit(table[:, code], truth[:, code])
            for code in range(k)
        ]
        points = [[one.X_thresholds_.tolist(), one.y_thresholds_.tolist()] for one in curves]
        return Calibrator(method=method, curves=points)
    return _fit_vector(truth, table)


def _fit_vector(truth: Float64Array, table: Float64Array) -> Calibrator:
    from scipy.optimize import minimize

    k = table.shape[1]
    logs = _logs(table)

    def loss(numbers: Float64Array) -> tuple[float, Float64Array]:
        scaled = logs * numbers[:k] + numbers[k:]
        powers = np.exp(scaled)  # which within the bounds is no infinity, and not always 0
        sums = powers.sum(axis=1, keepdims=True)
        error = (powers / sums - truth) / len(truth)
        value = float((np.log(sums[:, 0]) - (scaled * truth).sum(axis=1)).mean())
        return value, np.concatenate([(error * logs).sum(axis=0), error.sum(axis=0)])

    start = np.concatenate([np.ones(k), np.zeros(k)])
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[_SCALES] * k + [_SHIFTS] * k
    ).x
    return Calibrator(method="vector", scale=found[:k].tolist(), shift=found[k:].tolist())


def apply_calibrator(probabilities: ArrayLike, calibrator: Calibrator) -> Float64Array:
    """Return calibrated probabilities, shape (n, k); rows sum to 1."""
    table = check_probabilities(probabilities)
    if calibrator["method"] == "vector":
        scaled = _logs(table) * calibrator["scale"] + calibrator["shift"]
        values = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    else:
        columns = zip(table.T, calibrator["curves"], strict=True)
        values = np.stack([np.interp(p, places, ends) for p, (places, ends) in columns], axis=1)
        # Where every curve says 0, none is more likely than another, as in scikit-learn.
        values[values.sum(axis=1) == 0] = 1
    return np.asarray(values / values.sum(axis=1, keepdims=True), dtype=np.float64)


def without_vector(probabilities: ArrayLike, calibrator: Calibrator) -> Float64Array:
    """Return the probabilities that vector scaling made these of.

    Of each row, the logarithms before are ``(log(q) + c - shift) / scale``, where ``c`` is what
    makes their exponentials sum to 1: Newton's method finds it from above, as the sum is convex.

    Examples
    --------
    >>> from fer2013kit.evaluation._calibrators import apply_calibrator, without_vector
    >>> scaling = {"method": "vector", "scale": [0.5, 2.0], "shift": [0.1, -0.2]}
    >>> without_vector(apply_calibrator([[0.3, 0.7]], scaling), scaling).round(6)
    array([[0.3, 0.7]])
    """
    logs = _logs(check_probabilities(probabilities)) - calibrator["shift"]
    scale = np.asarray(calibrator["scale"])
    c = -logs.max(axis=1, keepdims=True)
    for _ in range(_NEWTON_STEPS):
        powers = np.exp((logs + c) / scale)
        c -= (powers.sum(axis=1, keepdims=True) - 1) / (powers / scale).sum(axis=1, keepdims=True)
    powers = np.exp((logs + c) / scale)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)


def read_calibrator(found: Any, *, n_classes: int) -> Calibrator | None:
    """Return what a file holds of a calibration, checked; None stays.

    Raises
    ------
    ValueError
        For what :func:`fit_calibrator` does not return.
    """
    if found is None:
        return None
    if is_mapping(found) and found.get("method") == "vector":
        names = {"scale", "shift"}
        fits = all(_are_numbers(found.get(name), n_classes) for name in names)
        fits = fits and all(one > 0 for one in found["scale"])
    else:
        names = {"curves"}
        curves = found.get("curves") if is_mapping(found) else None
        fits = is_mapping(found) and found.get("method") == "isotonic"
        fits = fits and isinstance(curves, list) and len(curves) == n_classes
        fits = fits and all(map(_is_curve, cast("list[Any]", curves)))
    if not fits or set(found) != {"method", *names}:
        raise ValueError(f"calibrator, received {shown(found)}")
    return cast("Calibrator", found)


def _logs(table: Float64Array) -> Float64Array:
    return np.asarray(np.log(np.maximum(table, PROBABILITY_FLOOR)), dtype=np.float64)


def _are_numbers(values: Any, length: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == length
        and all(isinstance(one, int | float) and abs(one) < np.inf for one in values)
    )


def _is_curve(points: Any) -> bool:
    if not (isinstance(points, list) and len(points) == 2):  # noqa: PLR2004 - places and values
        return False
    places, values = points
    if not isinstance(places, list) or not places or not _are_numbers(places, len(places)):
        return False
    return (
        _are_numbers(values, len(places))
        and bool(np.all(np.diff(places) > 0))
        and all(0 <= one <= 1 for one in values)
    )
