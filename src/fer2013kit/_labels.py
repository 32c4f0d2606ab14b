"""Labels and columns by name: which class of a list a word or a code means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._checks import (
    IntArray,
    as_array,
    check_labels,
    check_number,
    is_listing,
    is_number,
    not_labels,
    whole_if_all_are,
)
from fer2013kit.emotions import emotion_code
from fer2013kit.exceptions import InvalidInputError, did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def check_class_names(class_names: Any) -> tuple[str, ...]:
    """Return the words of the classes.

    Raises
    ------
    InvalidInputError
        For what is no sequence of words.
    """
    if not is_listing(class_names) or isinstance(class_names, set | frozenset):  # without an order
        raise InvalidInputError(
            f"class_names must be a sequence of words; received {shown(class_names)}"
        )
    return tuple(map(str, class_names))


def read_codes(labels: ArrayLike, class_names: Sequence[str], *, name: str) -> IntArray:
    """Return the place, int64 in ``[0, k)``, of each label among the classes.

    Labels are places themselves, or names.  A name that is not among the classes is understood as
    the emotion that it is another word for, in any capitals: "Happiness" for "happy".  Errors call
    the labels by ``name``.

    Raises
    ------
    InvalidInputError
        For another shape than ``(n,)``, a name of no class, or a code outside ``[0, k)``.

    Examples
    --------
    >>> from fer2013kit._labels import read_codes
    >>> read_codes(["sad", "Happiness"], ("happy", "sad"), name="y")
    array([1, 0])
    """
    array = whole_if_all_are(as_array(labels, name))
    if array.dtype.kind in "OUT" and array.ndim == 1:
        places = _places(array.tolist(), class_names, name)
        return np.array(places, dtype=np.int64)
    return check_labels(array, n_classes=len(class_names), name=name)


def codes_in(
    labels: ArrayLike, classes: Any, class_names: Sequence[str] | None, *, name: str
) -> IntArray:
    """Return the place of each label in a classifier's ``classes_``.

    Words that are not all labels are its names, as :func:`read_codes` understands them; without
    names they are no classes.

    Raises
    ------
    InvalidInputError
        For another shape than ``(n,)``, or a label that is no class.

    Examples
    --------
    >>> from fer2013kit._labels import codes_in
    >>> codes_in(["sad", "happy"], [3, 4], ("happy", "sad"), name="y")
    array([1, 0])
    """
    array = whole_if_all_are(as_array(labels, name))
    known = {label: place for place, label in enumerate(np.asarray(classes).tolist())}
    if array.ndim != 1:
        raise not_labels(array, name)
    if array.dtype.kind in "OUT":
        words = all(isinstance(label, str) and label in known for label in array.tolist())
        if not words and class_names is not None:
            return read_codes(array, class_names, name=name)
    elif (array.dtype.kind == "b") != (np.asarray(classes).dtype.kind == "b"):  # True is no 1 here
        raise InvalidInputError(f"{name} must hold the classes; received dtype {array.dtype}")
    if strange := [label for label in array.tolist() if label not in known]:
        raise InvalidInputError(
            f"{name} must hold only the classes {shown(list(known))}; received {shown(strange[0])}"
            f"{did_you_mean(strange[0], [one for one in known if isinstance(one, str)])}"
        )
    return np.array([known[label] for label in array.tolist()], dtype=np.int64)


def choose_labels(
    probabilities: NDArray[Any],
    classes: NDArray[Any],
    *,
    min_confidence: float | None,
    reject_label: Any,
) -> NDArray[Any]:
    """Return the most probable label of each row, or that of a refusal.

    Rows whose largest probability is below ``min_confidence`` are refused; None of ``reject_label``
    is -1 beside numbers and ``"uncertain"`` beside words.

    Raises
    ------
    InvalidInputError
        For a confidence outside [0, 1], a reject label without one, or that is a class, or that
        is another kind of label.

    Examples
    --------
    >>> import numpy as np
    >>> from fer2013kit._labels import choose_labels
    >>> choose_labels(
    ...     np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([3, 4]), min_confidence=0.6,
    ...     reject_label=None,
    ... )
    array([ 3, -1])
    """
    labels: NDArray[Any] = classes[probabilities.argmax(axis=1)]
    if min_confidence is None:
        if reject_label is not None:
            raise InvalidInputError("reject_label needs a min_confidence; received none")
        return labels
    check_number("min_confidence", min_confidence, "[0, 1]")
    words = classes.dtype.kind in "OUT"
    if reject_label is None:
        reject_label = "uncertain" if words else -1
    usable = isinstance(reject_label, str) if words else _is_plain_number(reject_label)
    if not usable or reject_label in classes.tolist():
        raise InvalidInputError(
            f"reject_label must be {'a word' if words else 'a number'} that is no class; "
            f"received {shown(reject_label)}"
        )
    # Both as float64: a threshold that was read off such probabilities refuses none at it.
    refused = probabilities.max(axis=1).astype(np.float64) < float(min_confidence)
    return np.where(refused, np.asarray(reject_label), labels)


def _is_plain_number(value: Any) -> bool:
    """Tell whether a label beside numbers is one that an array holds, and finite."""
    return is_number(value) and np.asarray(value).dtype.kind in "iuf" and bool(np.isfinite(value))


def columns_in_order(table: Any, class_names: Sequence[str], *, name: str) -> Any:
    """Return a table's columns in the order of the classes; what has no named columns stays.

    A data frame (of pandas, polars or the like) has a column for each class, by its name or its
    place.

    Raises
    ------
    InvalidInputError
        Where a column is no class, or a class has no column or several.
    """
    if not hasattr(table, "columns"):
        return table
    columns = list(table.columns)
    if all(isinstance(column, int | np.integer) for column in columns):
        places = [int(column) for column in columns]
    else:
        places = _places(columns, class_names, f"the columns of {name}")
    if sorted(places) != list(range(len(class_names))):
        raise InvalidInputError(
            f"{name} must have one column for each of {', '.join(class_names)}; received the "
            f"columns {', '.join(map(str, columns))[:200]}; with other classes, pass class_names"
        )
    return np.asarray(table)[:, np.argsort(places)]


def _places(words: Sequence[Any], class_names: Sequence[str], name: str) -> list[int]:
    place_of = {str(word): place for place, word in enumerate(class_names)}
    # Of two words for one emotion, each is itself; other words for it mean the first.
    of_emotion: dict[int | None, int] = {}
    for word, place in place_of.items():
        of_emotion.setdefault(emotion_code(word), place)
    of_emotion.pop(None, None)
    places = []
    for word in words:
        is_word = isinstance(word, str)
        found = place_of.get(word, of_emotion.get(emotion_code(word))) if is_word else None
        if found is None:
            hint = did_you_mean(word, place_of) if is_word else ""
            raise InvalidInputError(
                f"{name} must be codes or names of {', '.join(place_of)}; "
                f"received {repr(word)[:100]}{hint}"
            )
        places.append(found)
    return places
