"""Temperature scaling: one number that makes a classifier's confidence honest.

Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
The paper divides the logits by the temperature; the logarithms of the probabilities are the
logits up to a constant that the softmax drops, so the probabilities are all that is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit._metrics import (
    PROBABILITY_FLOOR,
    Float64Array,
    check_predictions,
    check_probabilities,
    soft_cross_entropies,
)
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

TEMPERATURE_RANGE: Final = (0.05, 20.0)
"""Where the temperature is looked for: faultless predictions alone would drive it to 0."""


def fit_temperature(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the temperature under which the probabilities fit the labels best.

    It minimises the mean cross-entropy over samples that the model was not trained on.  It lies
    between 0.05 and 20: above 1 for an over-confident model, below 1 for an under-confident one,
    and exactly 1 where no temperature does better.

    Raises
    ------
    InvalidInputError
        For arrays that :func:`fer2013kit.evaluate_predictions` would refuse.

    Examples
    --------
    >>> from fer2013kit.evaluation._calibration import fit_temperature
    >>> round(fit_temperature([0, 0, 0, 1], [[0.9, 0.1]] * 4), 3)
    2.0
    """
    from scipy.optimize import minimize_scalar

    truth, table = read_targets(y_true, probabilities)
    logits = _logits(table)
    of_true = (truth * logits).sum(axis=1)

    def loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        # The largest logit is 0, so neither the exponential nor the sum can overflow.
        return float(np.mean(np.log(np.exp(logits * scale).sum(axis=1)) - of_true * scale))

    # The loss is convex in 1/T, so it has a single valley in log T as well.
    low, high = np.log(TEMPERATURE_RANGE)
    best = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    temperature = float(np.exp(best.x))
    before = soft_cross_entropies(truth, table).mean()
    after = soft_cross_entropies(truth, apply_temperature(table, temperature)).mean()
    return temperature if after < before else 1.0


def read_targets(y_true: ArrayLike, probabilities: ArrayLike) -> tuple[Float64Array, Float64Array]:
    """Return the share of every class in the truth of each sample, and the probabilities.

    The truth of a sample is a code, or the shares themselves.

    Raises
    ------
    InvalidInputError
        For arrays that :func:`fer2013kit.evaluate_predictions` would refuse.
    """
    if np.ndim(y_true) != 2:  # noqa: PLR2004 - a table
        codes, table = check_predictions(y_true, probabilities)
        return np.eye(table.shape[1])[codes], table
    shares, table = check_probabilities(y_true, name="y_true"), check_probabilities(probabilities)
    if shares.shape != table.shape or not len(shares):
        raise InvalidInputError(
            f"y_true must have a row for each one of probabilities, and its columns; received "
            f"{shares.shape} and {table.shape}"
        )
    return shares, table


def apply_temperature(probabilities: ArrayLike, temperature: float) -> Float64Array:
    """Return ``softmax(log(probabilities) / temperature)``, whose rows sum to 1.

    The order of the classes in a row stays, so predictions and accuracy do too.  A temperature of
    more than 1 flattens, less than 1 sharpens; probabilities below 1e-7 count as 1e-7.

    Raises
    ------
    InvalidInputError
        For a temperature that is not positive and finite, or what are no probabilities.

    Examples
    --------
    >>> from fer2013kit.evaluation._calibration import apply_temperature
    >>> apply_temperature([[0.9, 0.1]], 2.0).round(3)
    array([[0.75, 0.25]])
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise InvalidInputError(f"temperature must be positive and finite; received {temperature}")
    powers = np.exp(_logits(check_probabilities(probabilities)) / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)


def _logits(probabilities: Float64Array) -> Float64Array:
    """Return logarithms shifted so that each row's largest is 0."""
    logs = np.log(np.maximum(probabilities, PROBABILITY_FLOOR))
    return np.asarray(logs - logs.max(axis=1, keepdims=True), dtype=np.float64)
