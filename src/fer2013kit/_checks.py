"""Array types and the checks of arguments that every module shares."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, get_args, get_origin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer2013kit.emotions import IMAGE_SHAPE, MAX_LEVEL, NUM_CLASSES
from fer2013kit.exceptions import Fer2013KitError, InvalidInputError, did_you_mean, shortened, shown

UInt8Array = NDArray[np.uint8]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32] | NDArray[np.float64]

_MOST: Final = 2**31 - 1  # what many libraries hold a whole number in

MOST_SEED: Final = 2**32 - 1
"""The greatest seed that NumPy's RandomState takes."""

EXACT_IN_FLOATS: Final = 2**53
"""Up to it, each whole number is a float of its own."""

FROM_ONE_HOT: Final = (
    "; of one-hot rows take from_one_hot, of shares of votes shares.argmax(axis=1); shares as they "
    "are go into soft_targets of fit and into evaluate_predictions"
)
"""What is said beside a table in place of labels."""

MaybeNone: TypeAlias = Any
"""Beside a type, None is possible, but no check of it is asked for: whoever loads a whole data set
knows what is there.  The type's own attributes are checked as always (typeshed types
``re.Match.group`` in this way)."""


def is_number(value: Any, kind: type = numbers.Real) -> bool:
    """Tell whether a setting is a number of a kind; True and False are not."""
    return isinstance(value, kind) and not isinstance(value, bool)


def as_float(value: Any) -> float:
    """Return a setting as a float; NaN for what is no number, or has hundreds of digits."""
    try:
        return float(value) if is_number(value) else math.nan
    except OverflowError:
        return math.nan


def check_whole(name: str, value: Any, *, least: int = 1, most: int = _MOST) -> int:
    """Return a setting that is a whole number, as Python's own.

    Raises
    ------
    InvalidInputError
        For what is no whole number, as True and 3.0 are not, or is out of range.
    """
    if not (is_number(value, numbers.Integral) and least <= value <= most):
        end = "2**31 - 1" if most == _MOST else most
        raise InvalidInputError(
            f"{name} must be a whole number from {least} to {end}; received {shown(value)}"
        )
    return int(value)


def check_number(name: str, value: Any, interval: str) -> None:
    """Raise :class:`InvalidInputError` unless a setting is a number in an interval.

    Infinity and NaN are in none, since an interval is open where it has no end.

    Examples
    --------
    >>> from fer2013kit._checks import check_number
    >>> check_number("beta", 1.0, "[0, 1)")
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.InvalidInputError: beta must be a number in [0, 1); received 1.0
    """
    low, high = map(float, interval[1:-1].split(", "))
    number = as_float(value)
    if not (
        low <= number <= high
        and (interval[0] == "[" or number != low)
        and (interval[-1] == "]" or number != high)
    ):
        raise InvalidInputError(f"{name} must be a number in {interval}; received {shown(value)}")


def is_flag(value: Any) -> bool:
    """Tell whether a setting is True or False; words and numbers, which Python takes, are not."""
    return isinstance(value, bool | np.bool_)


def check_flags(**flags: Any) -> None:
    """Raise :class:`InvalidInputError` unless each setting is True or False.

    Examples
    --------
    >>> from fer2013kit._checks import check_flags
    >>> check_flags(align=True, progress="no")
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.InvalidInputError: progress must be True or False; received 'no'
    """
    for name, value in flags.items():
        if not is_flag(value):
            raise InvalidInputError(f"{name} must be True or False; received {shown(value)}")


def or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a check that lets None pass, too."""
    return lambda value: value is None or fits(value)


def is_shape(value: Any) -> bool:
    """Tell whether a setting is an image's height, width and channels."""
    return (
        isinstance(value, Sequence)
        and len(value) == len(IMAGE_SHAPE)
        and all(is_number(side, numbers.Integral) and 0 < side <= _MOST for side in value)
    )


def is_listing(value: Any) -> bool:
    """Tell whether a setting lists others, as a list or an array does; a word is no list."""
    is_one = isinstance(value, str | bytes | Mapping) or getattr(value, "ndim", 1) == 0
    return isinstance(value, Iterable) and not is_one


def as_array(value: Any, name: str, dtype: Any = None) -> NDArray[Any]:
    """Return what a user passes for an array as one; errors call it by ``name``.

    Raises
    ------
    InvalidInputError
        For rows of several lengths, or, where a dtype is asked for, what has no numbers.

    Examples
    --------
    >>> from fer2013kit._checks import as_array
    >>> as_array([[1, 2], [3]], "images")
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.InvalidInputError: images cannot be an array: setting an array element ...
    """
    try:
        array = np.asarray(value, dtype)
    except Fer2013KitError:
        raise  # of an array that reads a file
    except (TypeError, ValueError, OverflowError) as error:
        what = "an array" if dtype is None else "an array of numbers"
        raise InvalidInputError(f"{name} cannot be {what}: {shortened(str(error))}") from error
    if array.dtype.kind == "U" and isinstance(value, list | tuple):
        whole = np.asarray(value, object)
        array = whole if any(map(is_missing, whole.flat)) else array  # no word "nan"
    return array


def check_ids(ids: NDArray[Any], name: str) -> None:
    """Raise :class:`InvalidInputError` for floats that may stand for several whole numbers.

    From 2**53 on they do: pandas makes floats of a column of numbers in which some are missing.

    Examples
    --------
    >>> import numpy as np
    >>> from fer2013kit._checks import check_ids
    >>> check_ids(np.array([2**53 + 1.0, 2.0]), "groups")
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.InvalidInputError: groups must be whole numbers or texts from 2**53 on...
    """
    if ids.dtype.kind == "f" and len(unclear := ids[np.abs(ids) >= EXACT_IN_FLOATS]):
        raise InvalidInputError(
            f"{name} must be whole numbers or texts from 2**53 on, where floats lose digits; "
            f"received {unclear[0]}; where some are missing, read them as texts or pandas's Int64"
        )


def is_missing(value: Any) -> bool:
    """Tell whether it is None, or not itself, as NaN and NaT are, or nobody knows, as of NA."""
    try:
        return value is None or bool(value != value)  # noqa: PLR0124 - NaN is not itself
    except TypeError:
        return True


def whole_if_all_are(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels as int64 where they are whole numbers of dtype object, as pandas has them.

    Examples
    --------
    >>> import numpy as np
    >>> from fer2013kit._checks import whole_if_all_are
    >>> whole_if_all_are(np.array([3, 4], dtype=object))
    array([3, 4])
    """
    if labels.dtype != object or not labels.size:
        return labels
    if not all(is_number(label, numbers.Integral) for label in labels.flat):
        return labels
    try:
        return labels.astype(np.int64)
    except OverflowError:
        return labels


def random_generator(random_state: Any) -> np.random.Generator:
    """Return a generator for what users pass as ``random_state``.

    Raises
    ------
    InvalidInputError
        For other than a whole number from 0, a generator, a RandomState or None.
    """
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31))
    is_seed = is_number(random_state, numbers.Integral) and random_state >= 0
    if not (random_state is None or is_seed or isinstance(random_state, np.random.Generator)):
        raise InvalidInputError(
            "random_state must be a whole number from 0, a NumPy generator, a RandomState or None; "
            f"received {shown(random_state)}"
        )
    return np.random.default_rng(random_state)


def check_choice(name: str, value: object, vocabulary: Any) -> None:
    """Raise :class:`InvalidInputError` unless a value is one of the words that an option takes.

    The vocabulary is one of :mod:`fer2013kit.typing`, as the option is annotated; it may allow
    None.

    Examples
    --------
    >>> from fer2013kit._checks import check_choice
    >>> from fer2013kit.typing import Loss
    >>> check_choice("loss", "focall", Loss)  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.InvalidInputError: loss must be one of 'crossentropy', 'focal'; received
    'focall'; did you mean 'focal'?
    """
    if wrong := wrong_choice(name, value, vocabulary):
        raise InvalidInputError(wrong)


def wrong_choice(name: str, value: object, vocabulary: Any) -> str:
    """Return what :func:`check_choice` says of a value that is wrong, else ``""``."""
    known = choices(vocabulary)
    if any(isinstance(value, type(one)) and value == one for one in known):
        return ""
    words = [one for one in known if isinstance(one, str)]
    return (
        f"{name} must be one of {', '.join(map(repr, known))}; "
        f"received {shown(value)}{did_you_mean(value, words)}"
    )


def choices(vocabulary: Any) -> tuple[Any, ...]:
    """Return the values that a ``Literal``, or a ``Literal | None``, stands for."""
    if vocabulary in {None, type(None)}:
        return (None,)
    parts = get_args(vocabulary)
    if get_origin(vocabulary) is Literal:
        return parts
    return tuple(value for part in parts for value in choices(part))


def check_images(
    images: ArrayLike,
    *,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> UInt8Array:
    """Return images as uint8 ``(n, *image_shape)``, without a copy where possible.

    They may lack the single channel, or be flat.

    Raises
    ------
    InvalidInputError
        For another shape, other numbers than integers, or a value outside [0, 255].
    """
    array = as_array(images, "images")
    height, width, channels = image_shape
    flat = height * width * channels
    grey = {(height, width)} if channels == 1 else set()
    if array.shape[1:] not in {tuple(image_shape), (flat,), *grey}:
        without = f"(n, {height}, {width}), " if grey else ""
        raise InvalidInputError(
            f"images must have shape {without}(n, {height}, {width}, {channels}) "
            f"or (n, {flat}); received {array.shape}; to_face or resize brings others there"
        )
    if array.dtype != np.uint8:
        if array.dtype.kind not in "iu":
            way = ""
            if array.dtype.kind == "f":
                way = "; of fractions in [0, 1] take (X * 255).round().astype('uint8')"
            raise InvalidInputError(
                f"images must be integers in [0, 255]; received dtype {array.dtype}{way}"
            )
        if array.size and (array.min() < 0 or array.max() > MAX_LEVEL):
            raise InvalidInputError(
                f"images must be in [0, 255]; received {array.min()} to {array.max()}"
            )
        array = array.astype(np.uint8)
    return array.reshape(len(array), *image_shape)


def no_numbers(array: NDArray[Any], name: str) -> InvalidInputError:
    """Return the error for an array of another type than numbers."""
    way = {
        "b": "; make it an image with array * numpy.uint8(255)",
        "U": "; photographs are read by analyze_photo(path)",
    }.get(array.dtype.kind, "")
    return InvalidInputError(f"{name} must hold numbers; received dtype {array.dtype}{way}")


def not_labels(array: NDArray[Any], name: str) -> InvalidInputError:
    """Return the error for labels of another shape than ``(n,)``."""
    way = FROM_ONE_HOT if array.ndim == 2 else ""  # noqa: PLR2004 - a table
    if array.shape[1:] == (1,):
        way = "; of one column take its ravel()"
    return InvalidInputError(f"{name} must have shape (n,); received {array.shape}{way}")


def check_labels(
    labels: ArrayLike,
    *,
    n_samples: int | None = None,
    n_classes: int = NUM_CLASSES,
    name: str = "labels",
) -> IntArray:
    """Return class codes in ``[0, n_classes)`` as int64 ``(n,)``; errors call them by ``name``.

    Raises
    ------
    InvalidInputError
        For another shape or length, a value that is no whole number, or an unknown code.
    """
    array = whole_if_all_are(as_array(labels, name))
    if array.ndim != 1:
        raise not_labels(array, name)
    if n_samples is not None and len(array) != n_samples:
        raise InvalidInputError(
            f"{name} must be as many as the images ({n_samples}); received {len(array)}"
        )
    if array.dtype.kind not in "iu" and array.size:
        whole = array.dtype.kind == "f" and bool(np.all(np.mod(array, 1) == 0))
        if not whole:
            raise InvalidInputError(
                f"{name} must be class codes 0 to {n_classes - 1}; received dtype {array.dtype}"
            )
    codes: IntArray = array.astype(np.int64)
    if codes.size and (codes.min() < 0 or codes.max() >= n_classes):
        wrong = codes[(codes < 0) | (codes >= n_classes)][0]
        raise InvalidInputError(
            f"{name} must be class codes 0 to {n_classes - 1}; received {wrong}"
        )
    return codes


def check_same_length(first: Any, second: Any, *, names: tuple[str, str]) -> None:
    """Raise :class:`InvalidInputError` unless both have rows, and the same number of them."""
    for value, name in zip((first, second), names, strict=True):
        if not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0:
            raise InvalidInputError(f"{name} must have rows; received {shown(value)}")
    if len(first) != len(second):
        raise InvalidInputError(
            f"{names[0]} and {names[1]} must have the same length; "
            f"received {len(first)} and {len(second)}"
        )


def chosen_rows(index: ArrayLike | slice, n_rows: int) -> NDArray[np.int64]:
    """Return the numbers of the rows that row numbers, a mask or a slice choose.

    Raises
    ------
    InvalidInputError
        For row numbers out of range or a mask of another length.
    """
    if not isinstance(index, slice):
        index = as_array(index, "index")
        index = index if index.size else index.astype(np.int64)
    try:
        return np.arange(n_rows)[index]
    except IndexError as error:
        raise InvalidInputError(
            f"index must hold row numbers 0 to {n_rows - 1} or a mask of {n_rows} entries: {error}"
        ) from error
