"""How frequent each class is where a classifier is asked, in place of where it learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from fer2013kit._checks import as_array, check_number
from fer2013kit._metrics import check_probabilities
from fer2013kit.class_weight import by_label
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def adjust_priors(
    probabilities: ArrayLike,
    old: ArrayLike,
    new: ArrayLike | None = None,
    *,
    strength: float = 1.0,
) -> NDArray[np.float64]:
    """Adjust probabilities to other class frequencies than those of the training data.

    A classifier has learned how frequent each class is, and uses it as knowledge of every new
    image.  Where the classes have other frequencies, its answers become better if it is told; where
    each class is to count the same, frequencies are taken out, as class weights do, without another
    training.

    Parameters
    ----------
    probabilities : array_like of float, shape (n, k)
        What the classifier says, best after it was calibrated; each row sums to 1.
    old : array_like of float, shape (k,)
        How frequent each class was in training, in the order of the columns: counts, as of
        :func:`class_counts`, or shares.  All positive.
    new : array_like of float, shape (k,), optional
        How frequent each class is where the images come from: counts or shares, 0 for a class that
        does not occur.  By default all classes are equally frequent, which raises the recall of
        rare ones.
    strength : float, default 1.0
        From 0, which changes nothing, over 0.5, halfway on a logarithmic scale, to 1, what
        probability theory asks for; more is possible.

    Returns
    -------
    ndarray of float64, shape (n, k)
        The adjusted probabilities; each row sums to 1.

    Raises
    ------
    InvalidInputError
        For what are no probabilities; frequencies that are negative, not finite, not as many as the
        columns or all 0; a class that training did not have; a strength below 0.

    See Also
    --------
    class_weights : Takes frequencies out in training.
    EmotionClassifier.calibrate : Makes probabilities right on average first.

    Notes
    -----
    Each probability is multiplied by ``(new / old) ** strength``, with the class's old and new
    shares, and each row is divided by its sum: Bayes' rule, where images of one class look alike in
    both places [1]_.  With equal new shares it is the logit adjustment of [2]_.

    To estimate the new frequencies from the answers themselves, as [1]_ goes on to do, is not
    offered: photographs differ from FER-2013 in more than in frequencies, and the estimate made the
    answers worse (the guide's page on class weights).

    References
    ----------
    .. [1] M. Saerens, P. Latinne and C. Decaestecker, "Adjusting the outputs of a classifier to new
       a priori probabilities: a simple procedure", Neural Computation 14(1), 21-41, 2002.
    .. [2] A. K. Menon et al., "Long-tail learning via logit adjustment", ICLR 2021.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.adjust_priors([[0.2, 0.8]], old=[10, 90])
    array([[0.692..., 0.307...]])
    >>> fk.adjust_priors([[0.2, 0.8]], old=[10, 90], new=[0.3, 0.7]).round(2)
    array([[0.49, 0.51]])
    """
    table = check_probabilities(probabilities)
    check_number("strength", strength, "[0, inf)")
    width = table.shape[1]
    before = _frequencies(old, width, "old")
    if not before.all():
        raise InvalidInputError(
            "old must be positive for every class, since nothing was learned of one without "
            f"samples; received {shown(old)}"
        )
    after = np.ones(width) if new is None else _frequencies(new, width, "new")
    powers = np.log(np.maximum(table, np.finfo(float).tiny))
    if strength:
        with np.errstate(divide="ignore"):  # a class that does not occur becomes impossible
            powers += strength * (np.log(after) - np.log(before))
    adjusted = np.exp(powers - powers.max(axis=1, keepdims=True))
    return np.asarray(adjusted / adjusted.sum(axis=1, keepdims=True))


def _frequencies(frequencies: ArrayLike, width: int, name: str) -> NDArray[np.float64]:
    """Return frequencies in the order of the columns; their sum makes no difference."""
    given = by_label(frequencies)
    if isinstance(given, Mapping):
        if set(given) != set(range(width)):
            raise InvalidInputError(
                f"{name} by label must have the codes 0 to {width - 1}; received "
                f"{shown(list(given))}: of names, pass a list in the order of the columns"
            )
        given = [given[code] for code in range(width)]
    array = as_array(given, name)
    if array.shape != (width,) or array.dtype.kind not in "fiu":
        raise InvalidInputError(
            f"{name} must be numbers of shape ({width},), one for each column of probabilities; "
            f"received shape {array.shape}, dtype {array.dtype}"
        )
    if not (np.isfinite(array).all() and (array >= 0).all() and array.any()):
        raise InvalidInputError(
            f"{name} must be finite, not negative and not all 0; received {shown(frequencies)}"
        )
    return array.astype(np.float64)
