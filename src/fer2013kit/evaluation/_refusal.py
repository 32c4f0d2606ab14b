"""risk_coverage_curve: how often answers are wrong where the least confident are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer2013kit._answers import read_for_curve
from fer2013kit._metrics import RiskCoverage, risk_coverage
from fer2013kit.emotions import CLASS_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


def risk_coverage_curve(
    y_true: ArrayLike, probabilities: ArrayLike, *, class_names: Sequence[str] = CLASS_NAMES
) -> RiskCoverage:
    """Return how a confidence threshold trades fewer answers for fewer errors.

    Parameters
    ----------
    y_true : array_like of int or str, shape (n,), or of float, shape (n, k)
        True classes, as :func:`evaluate_predictions` takes them: of shares of votes, the largest
        counts.
    probabilities : array_like or data frame of float, shape (n, k)
        Probability of each of k >= 2 classes.
    class_names : sequence of str, length k
        Names in the order of the columns.  Default: the seven emotions.

    Returns
    -------
    RiskCoverage
        A tuple of arrays of float64, shape (m,), for each confidence that occurs, from the highest
        to the lowest: ``threshold``, for ``min_confidence`` of ``predict``; ``coverage``, the share
        of samples that are answered, in (0, 1]; ``risk``, the share of wrong ones among these.

    Raises
    ------
    InvalidInputError
        As :func:`evaluate_predictions` does, and for predicted labels without probabilities.

    See Also
    --------
    plot_risk_coverage : Draws it.

    References
    ----------
    Y. Geifman and R. El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> curve = fk.risk_coverage_curve(
    ...     [0, 0, 1], [[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]], class_names=("happy", "sad")
    ... )
    >>> curve.threshold, curve.risk.round(2)
    (array([0.9, 0.8, 0.6]), array([0.  , 0.  , 0.33]))
    """
    codes, table, _ = read_for_curve(y_true, probabilities, class_names)
    return risk_coverage(codes == table.argmax(axis=1), table.max(axis=1))
