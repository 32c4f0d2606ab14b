"""How often each class occurs, and weights that make up for it.

A weight says how much a sample counts in the loss.  The weights of all methods are scaled so that
their mean over the samples is 1: the loss keeps its size, and the learning rate its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import (
    as_array,
    check_choice,
    check_labels,
    check_number,
    check_whole,
    not_labels,
)
from fer2013kit.emotions import NUM_CLASSES
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.typing import ClassWeightMethod

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit.typing import ClassWeight

DEFAULT_BETA: Final = 0.999


def class_counts(y: ArrayLike, n_classes: int = NUM_CLASSES) -> NDArray[np.int64]:
    """Count the samples of each class.

    Parameters
    ----------
    y : array_like of int, shape (n,)
        Class codes in ``[0, n_classes)``.
    n_classes : int, default 7
        How many classes there are.

    Returns
    -------
    ndarray of int64, shape (n_classes,)
        The count of each code; 0 for a class that is absent.

    Raises
    ------
    InvalidInputError
        For another shape, a value that is no class code, or fewer than one class.

    See Also
    --------
    class_weights : Weights against the imbalance.
    plot_class_balance : Draws them.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.class_counts([0, 3, 3, 6])
    array([1, 0, 0, 2, 0, 0, 1])
    """
    n_classes = check_whole("n_classes", n_classes)
    codes = check_labels(y, n_classes=n_classes, name="y")
    return np.bincount(codes, minlength=n_classes).astype(np.int64)


def class_weights(
    y: ArrayLike,
    *,
    method: ClassWeightMethod = "balanced",
    beta: float = DEFAULT_BETA,
    n_classes: int | None = NUM_CLASSES,
) -> dict[Any, float]:
    """Weight classes by their rarity, in the form of Keras' ``class_weight``.

    Parameters
    ----------
    y : array_like of int or str, shape (n,)
        Class codes in ``[0, n_classes)``, or any names.
    method : {"balanced", "inverse_sqrt", "effective_number"}, default "balanced"
        The formula, from strong to weak; see the notes.
    beta : float, default 0.999
        For ``"effective_number"`` alone: from 0 (all classes alike) to below 1 (the nearer to 1,
        the nearer to ``"balanced"``).
    n_classes : int or None, default 7
        How many classes there are, where `y` holds codes; None takes any whole numbers or words.

    Returns
    -------
    dict of int or str to float
        The weight of each class that occurs, in sorted order.  **An absent class has no key**:
        no samples say nothing of a weight.  :func:`sample_weights` refuses labels
        that have no weight; Keras itself gives them weight 1 without a word.

    Raises
    ------
    InvalidInputError
        For another shape, a code outside ``[0, n_classes)``, labels that are neither whole
        numbers nor words, an unknown method, or a `beta` outside [0, 1).

    See Also
    --------
    sample_weights : The weight of each sample.
    sklearn.utils.class_weight.compute_class_weight : An array in the order of its ``classes``.

    Notes
    -----
    Of N samples, n have the class, and k classes occur.  The weight is proportional to

    - ``"balanced"``: ``1 / n``.  It is then ``N / (k * n)``, scikit-learn's
      ``"balanced"`` (King and Zeng, "Logistic Regression in Rare Events Data", 2001), which
      raises where a class is absent.  All classes count alike in the loss.
    - ``"inverse_sqrt"``: ``1 / sqrt(n)``, halfway there on a logarithmic scale
      (Mikolov et al., "Distributed Representations of Words and Phrases", 2013, and Mahajan et
      al., "Exploring the Limits of Weakly Supervised Pretraining", 2018, sample that way).
    - ``"effective_number"``: ``(1 - beta) / (1 - beta ** n)`` (Cui et al.,
      "Class-Balanced Loss Based on Effective Number of Samples", CVPR 2019).  The paper scales
      the weights to a sum of k; here, as everywhere, their mean over the samples is 1.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.class_weights([0, 0, 0, 1])
    {0: 0.666..., 1: 2.0}
    >>> fk.class_weights(["sad", "happy", "happy", "happy"], method="inverse_sqrt")
    {'happy': 0.845..., 'sad': 1.464...}
    """
    classes, codes = _encode(y, n_classes)
    counts = np.bincount(codes)
    weights = _weigh_counts(counts, method, beta)
    return dict(zip(classes.tolist(), weights.tolist(), strict=True))


def sample_weights(
    y: ArrayLike,
    class_weight: ClassWeight | None = "balanced",
    *,
    beta: float = DEFAULT_BETA,
    n_classes: int | None = NUM_CLASSES,
) -> NDArray[np.float64]:
    """Weight each sample by its class.

    Parameters
    ----------
    y : array_like of int or str, shape (n,)
        Class codes in ``[0, n_classes)``, or any names.
    class_weight : str, dict, array_like of shape (n_classes,) or None, default "balanced"
        A method of :func:`class_weights`, whose weights have the mean 1 over `y`; or the
        weight of each class by its label (of a pandas Series, that is its index), or by its code:
        these are taken as they are.  None gives every sample the weight 1.
    beta : float, default 0.999
        For ``"effective_number"`` alone, see :func:`class_weights`.
    n_classes : int or None, default 7
        How many classes there are, where `y` holds codes; None takes any whole numbers or words.

    Returns
    -------
    ndarray of float64, shape (n,)
        The weight of each sample, not negative.

    Raises
    ------
    InvalidInputError
        For labels or options that :func:`class_weights` refuses, a label that has no
        weight, a weight that is negative or not finite, or an array of another length.

    See Also
    --------
    class_weights : One for each class.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.sample_weights([0, 0, 0, 6]).round(3)
    array([0.667, 0.667, 0.667, 2.   ])
    >>> fk.sample_weights(["sad", "happy"], {"happy": 1, "sad": 3})
    array([3., 1.])
    """
    classes, codes = _encode(y, n_classes)
    if class_weight is None:
        return np.ones(len(codes))
    if isinstance(class_weight, str):
        check_choice("class_weight", class_weight, ClassWeightMethod)
        weights = _weigh_counts(np.bincount(codes), class_weight, beta)
    else:
        class_weight = by_label(class_weight)
        if not isinstance(class_weight, Mapping):
            class_weight = _by_code(class_weight, classes, n_classes)
        weights = _look_up(class_weight, classes.tolist())
    return weights[codes]


def by_label(class_weight: Any) -> Any:
    """Return a pandas Series as a mapping of its labels, whatever order it has; others stay.

    Examples
    --------
    >>> import pandas as pd
    >>> from fer2013kit.class_weight import by_label
    >>> by_label(pd.Series(["sad", "sad", "happy"]).value_counts())
    {'sad': 2, 'happy': 1}
    """
    if not getattr(getattr(class_weight, "index", None), "is_unique", True):
        raise InvalidInputError(
            f"class_weight must have one weight for each label; received {shown(class_weight)}"
        )
    return class_weight.to_dict() if hasattr(class_weight, "to_dict") else class_weight


def _weigh_counts(
    counts: NDArray[np.integer[Any]], method: str, beta: float
) -> NDArray[np.float64]:
    """Return the weight of each class from its count; their mean over the samples is 1."""
    check_choice("method", method, ClassWeightMethod)
    check_number("beta", beta, "[0, 1)")
    if not counts.size:
        return np.empty(0)
    number = counts.astype(np.float64)
    if method == "balanced":
        weights = 1 / number
    elif method == "inverse_sqrt":
        weights = 1 / np.sqrt(number)
    else:
        weights = (1 - beta) / (1 - beta**number)
    scaled: NDArray[np.float64] = weights * (number.sum() / (weights * number).sum())
    return scaled


def _encode(y: ArrayLike, n_classes: int | None) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the sorted labels that occur, and for each sample the place of its label."""
    if n_classes is not None:
        n_classes = check_whole("n_classes", n_classes)
    labels = as_array(y, "y")
    if labels.ndim != 1:
        raise not_labels(labels, "y")
    words = np.asarray(y, dtype=object) if labels.dtype.kind in "OTU" else None
    if words is not None and all(isinstance(label, str) for label in words.flat):
        labels = np.array(words.tolist(), dtype=str)
    elif n_classes is not None and labels.dtype.kind != "U":
        labels = check_labels(labels, n_classes=n_classes, name="y")
    elif (
        labels.dtype.kind not in "iuf"
        or not (np.isfinite(labels) & (labels == np.trunc(labels))).all()
    ):
        raise InvalidInputError(f"y must hold whole numbers or words alone; received {shown(y)}")
    return np.unique(labels, return_inverse=True)


def _by_code(weights: ArrayLike, classes: NDArray[Any], n_classes: int | None) -> dict[int, float]:
    array = as_array(weights, "class_weight")
    if array.ndim != 1 or len(array) != (n_classes or len(array)) or array.dtype.kind not in "iuf":
        raise InvalidInputError(
            f"class_weight as an array must be numbers of shape ({n_classes or 'n_classes'},), "
            f"one for each class; received shape {array.shape}, dtype {array.dtype}"
        )
    if classes.dtype.kind == "U":
        raise InvalidInputError(
            "class_weight as an array goes by class codes, but y holds names; "
            "pass a dict of name to weight"
        )
    return dict(enumerate(array.tolist()))


def _look_up(class_weight: Mapping[Any, float], classes: list[Any]) -> NDArray[np.float64]:
    missing = [label for label in classes if label not in class_weight]
    if missing:
        raise InvalidInputError(
            f"class_weight must have a weight for each class in y; missing {missing}; "
            f"received {sorted(class_weight, key=str)}"
        )
    try:
        weights = np.array([class_weight[label] for label in classes], np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"class_weight must hold numbers; received {dict(class_weight)}"
        ) from error
    if weights.ndim != 1 or not np.isfinite(weights).all() or (weights < 0).any():
        raise InvalidInputError(
            f"class weights must be finite and not negative; received {dict(class_weight)}"
        )
    return weights
