"""The labels of a training set: which are classes, and what they are called."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from fer2013kit._checks import FROM_ONE_HOT, check_labels, whole_if_all_are
from fer2013kit.emotions import CLASS_NAMES, FERPLUS_CLASS_NAMES, NUM_CLASSES, emotion_code
from fer2013kit.exceptions import InvalidInputError, did_you_mean, shortened, shown, warn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

_NEARLY: Final = 0.8  # of difflib's ratio

_GO_BY_LABELS: Final = "; set_params(class_names=None) lets the classes go by their labels"


def check_targets(
    y: ArrayLike, allowed: Sequence[Any] | None = None, class_names: Sequence[str] | None = None
) -> NDArray[Any]:
    """Return labels (n,), checked against the classes that may occur.

    Integers are codes, FER-2013's unless ``allowed`` lists other classes or ``class_names`` names
    another number of them; strings are free.
    """
    labels = as_labels(y)
    if allowed is not None:
        unknown = np.setdiff1d(labels, np.asarray(allowed))
        if unknown.size:
            raise InvalidInputError(
                f"y must hold only the classes {shown(list(allowed))}; "
                f"received {shown(wrong := unknown.tolist()[0])}"
                f"{did_you_mean(wrong, [one for one in allowed if isinstance(one, str)])}"
            )
    elif labels.dtype.kind in "iuf":
        n_classes = NUM_CLASSES if class_names is None else len(class_names)
        try:
            check_labels(labels, n_classes=n_classes, name="y")
        except InvalidInputError as error:
            raise InvalidInputError(
                f"{error}. Integer labels are FER-2013 codes; for other classes pass their "
                "names as strings, or list them in classes"
            ) from error
    return labels


def decide_classes(
    labels: NDArray[Any],
    *,
    asked: Sequence[Any] | None,
    class_names: Sequence[str] | None,
    before: NDArray[Any] | None,
) -> NDArray[Any]:
    """Return the sorted classes of a fit: those asked for, those known before, or those found."""
    if asked is not None:
        return np.unique(np.asarray(asked))
    if before is not None and _same_kind(labels, before) and np.isin(labels, before).all():
        return before
    if class_names is not None and labels.dtype.kind in "iuf":
        return np.arange(len(class_names))
    return np.unique(labels)


def name_classes(
    classes: NDArray[Any],
    *,
    asked: Sequence[Any] | None,
    class_names: Sequence[str] | None,
) -> tuple[str, ...]:
    """Return names for people: those given, the words of FER-2013 codes, or the labels.

    ``class_names`` follow ``asked``, in its own order, or the sorted ``classes``; labels that are
    words among them go by themselves, whatever their order.
    """
    if class_names is None:
        are_codes = classes.dtype.kind in "iuf" and (
            asked is None or classes.tolist() == list(range(NUM_CLASSES))
        )
        return tuple(CLASS_NAMES[int(one)] if are_codes else str(one) for one in classes)
    listed = classes.tolist() if asked is None else np.asarray(asked).tolist()
    names = [str(name) for name in class_names]
    are_different = len(set(names)) == len(names)
    if are_different and asked is None and set(names).issuperset(listed):
        return tuple(listed)
    if not are_different or len(names) != len(listed):
        raise InvalidInputError(
            f"class_names must be a name of its own for each of {shown(listed)}; "
            f"received {shown(names)}{_GO_BY_LABELS}"
        )
    word_of = dict(zip(listed, names, strict=True))
    if asked is None:
        _refuse_names_of_others(word_of)
    return tuple(word_of[label] for label in classes.tolist())


def _refuse_names_of_others(word_of: Mapping[Any, str]) -> None:
    """Refuse names by the order of the labels where a label is the word for another one's name."""
    known = {_meaning(name) for name in word_of.values()}
    for label, name in word_of.items():
        meant = _meaning(label) if isinstance(label, str) else None
        if meant in known and meant != _meaning(name):
            raise InvalidInputError(
                f"class_names name the labels in their sorted order, by which {shown(label)} would "
                f"be called {shown(name)}; received {shown([*word_of.values()])}; list the labels "
                f"in classes, in the order of the names{_GO_BY_LABELS}"
            )


def _meaning(word: str) -> int | str:
    """Return what a word has in common with other spellings and other words for an emotion."""
    code = emotion_code(word)
    return word.strip().lower() if code is None else code


def check_own_names(
    classes: NDArray[Any],
    names: Sequence[str],
    classes_before: NDArray[Any],
    names_before: Sequence[str],
) -> None:
    """Refuse to give other classes, by their order, the names of as many from an earlier fit.

    A bundled network brings such names, which nobody chose for these classes.
    """
    if _same_kind(classes, classes_before) or names != names_before:
        return
    if [*names] != classes.tolist():
        raise InvalidInputError(
            f"class_names must be names for {shown(classes.tolist())}; received those of the "
            f"classes before, {shown([*names])}{_GO_BY_LABELS}"
        )


def doubt_words(labels: NDArray[Any]) -> None:
    """Warn of two classes of one word, and of one that is nearly an emotion's, among others."""
    words = [str(word) for word in np.unique(labels)] if labels.dtype.kind in "OU" else []
    first: dict[int | str, str] = {}
    for word in words:
        if not word.strip():
            warn(f"y has a class without a word, {shown(word)}; leave out images without a label")
        one = first.setdefault(_meaning(word), word)
        if one != word:
            warn(
                f"y has two classes for one word, {shown(one)} and {shown(word)}; if they are one, "
                "spell them alike"
            )
    own = [word for word in words if emotion_code(word) is None and word not in FERPLUS_CLASS_NAMES]
    for word in own if len(own) < len(words) / 2 else []:
        near = difflib.get_close_matches(word.lower(), FERPLUS_CLASS_NAMES, 1, _NEARLY)
        if near:
            warn(f"y has a class {shown(word)} of its own; did you mean {near[0]!r}?")


def as_labels(y: Any) -> NDArray[Any]:
    """Return labels (n,) of any kind that stands for classes."""
    try:
        labels: NDArray[Any] = whole_if_all_are(column_or_1d(y, warn=True))
        check_classification_targets(labels)
    except (TypeError, ValueError) as error:
        hint = FROM_ONE_HOT if getattr(y, "ndim", 0) == 2 else ""  # noqa: PLR2004 - a table
        raise InvalidInputError(f"{shortened(str(error))}{hint}") from error
    if labels.dtype.kind in "mMcV":
        raise InvalidInputError(f"y must be labels, numbers or words; received {labels.dtype}")
    return labels


def _same_kind(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Tell whether both are numbers, both are True and False, or neither is either."""
    return _kind(one) == _kind(other)


def _kind(labels: NDArray[Any]) -> str:
    return {**dict.fromkeys("iuf", "numbers"), "b": "truths"}.get(labels.dtype.kind, "others")
