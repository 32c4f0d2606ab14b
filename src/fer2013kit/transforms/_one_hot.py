"""Class codes to one-hot rows and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fer2013kit._checks import as_array, check_labels, check_whole
from fer2013kit.emotions import NUM_CLASSES
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def to_one_hot(labels: ArrayLike, n_classes: int = NUM_CLASSES) -> NDArray[np.float32]:
    """Write each class code as a row of zeros with a single one.

    Parameters
    ----------
    labels : array_like of int, shape (n,)
        Codes in ``[0, n_classes)``.
    n_classes : int, default 7
        How many classes there are.

    Returns
    -------
    ndarray of float32, shape (n, n_classes)
        ``result[i, labels[i]]`` is 1.

    Raises
    ------
    InvalidInputError
        For another shape, a value that is no class code, or fewer than one class.

    See Also
    --------
    from_one_hot : The reverse.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.to_one_hot([2, 0], n_classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    n_classes = check_whole("n_classes", n_classes)
    codes = check_labels(labels, n_classes=n_classes)
    one_hot = np.zeros((len(codes), n_classes), np.float32)
    one_hot[np.arange(len(codes)), codes] = 1
    return one_hot


def from_one_hot(one_hot: ArrayLike) -> NDArray[np.int64]:
    """Read class codes from one-hot rows: the inverse of :func:`to_one_hot`.

    Parameters
    ----------
    one_hot : array_like, shape (n, n_classes)
        Rows of zeros with a single one.

    Returns
    -------
    ndarray of int64, shape (n,)
        The codes.

    Raises
    ------
    InvalidInputError
        For another shape or other rows.  Of probabilities, take ``argmax(axis=1)`` instead.

    See Also
    --------
    to_one_hot : The reverse.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.from_one_hot([[0, 0, 1], [1, 0, 0]])
    array([2, 0])
    """
    array = as_array(one_hot, "one_hot")
    if array.ndim != 2 or not array.shape[1]:  # noqa: PLR2004 - rows and classes
        raise InvalidInputError(f"one_hot must have shape (n, n_classes); received {array.shape}")
    ones = array == 1
    wrong = (ones.sum(axis=1) != 1) | (array != ones).any(axis=1)
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidInputError(
            f"each row of one_hot must hold a single 1 and zeros; received {array[row]} in row "
            f"{row}; of probabilities take argmax(axis=1)"
        )
    codes: NDArray[np.int64] = ones.argmax(axis=1).astype(np.int64)
    return codes
