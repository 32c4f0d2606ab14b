"""The words and colours of classes: from labels, and from any fitted classifier."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit.emotions import (
    CLASS_COLORS,
    CLASS_NAMES,
    FERPLUS_CLASS_NAMES,
    NUM_CLASSES,
    emotion_code,
)
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_MORE_COLORS: Final = (
    *("#8C510A", "#009988", "#F4A3C4", "#10256B", "#A6D854", "#222222", "#FF7F0E", "#808000"),
)
"""For more classes than any set of emotions here has."""


def classifier_names(classifier: Any) -> tuple[str, ...]:
    """Return the words for the columns of a classifier's ``predict_proba``, in their order.

    What it says itself in ``class_names_`` counts, or what the classifier inside of a search, a
    pipeline or a calibration says; then ``classes_``, read by :func:`class_names`.  One that has
    neither answers for the seven emotions in the order of their codes.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from fer2013kit._class_names import classifier_names
    >>> classifier_names(SimpleNamespace(classes_=["happy", "angry"]))
    ('happy', 'angry')
    """
    classes = getattr(classifier, "classes_", None)
    for one in inside(classifier):
        names = getattr(one, "class_names_", None)
        # A vote counts its classes anew before it trains what is inside.
        if names is not None and (one is classifier or _same(one.classes_, classes)):
            return tuple(str(name) for name in names)
    return CLASS_NAMES if classes is None else class_names(classes)


def inside(classifier: Any) -> Iterator[Any]:
    """Yield a classifier and those inside of scikit-learn's wrappers, from without to within.

    Wrappers are searches, pipelines and calibrations; of these the first classifier is taken.
    """
    while classifier is not None:
        yield classifier
        inner = getattr(classifier, "best_estimator_", None)
        if inner is None and (steps := getattr(classifier, "steps", None)):
            inner = steps[-1][1]
        if inner is None and (calibrated := getattr(classifier, "calibrated_classifiers_", None)):
            inner = calibrated[0].estimator
        classifier = inner


def as_learned(classifier: Any, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images as rows of pixels for an estimator that learned such rows, else as they are.

    ``n_features_in_`` tells how long they were.  The kit's own, which have ``image_shape_``, take
    images.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> from fer2013kit._class_names import as_learned
    >>> forest = SimpleNamespace(n_features_in_=2304)
    >>> as_learned(forest, np.zeros((5, 48, 48), np.uint8)).shape
    (5, 2304)
    """
    rows = images.reshape(len(images), -1)
    if getattr(classifier, "n_features_in_", None) != rows.shape[1]:
        return images
    return images if any(hasattr(one, "image_shape_") for one in inside(classifier)) else rows


def _same(first: Any, second: Any) -> bool:
    return first is not None and np.array_equal(np.asarray(first), np.asarray(second))


def class_names(labels: Any) -> tuple[str, ...]:
    """Return the words for labels: names are words already, FER codes become words.

    Codes of :class:`Emotion` may be numbers or their digits; 0 to 7 are the eight classes of FER+,
    of which 7 is contempt.

    Raises
    ------
    InvalidInputError
        For labels that are no names and no FER codes, or not different.  0 to less than 6 are
        refused: so any few classes are counted, and they would become angry, disgust and so on.

    Examples
    --------
    >>> from fer2013kit._class_names import class_names
    >>> class_names([3, 4, 6]), class_names(["neutral", "happy"])
    (('happy', 'sad', 'neutral'), ('neutral', 'happy'))
    """
    given = np.atleast_1d(np.asarray(labels, dtype=object)).tolist()
    words = [_text(label) for label in given]
    codes = [_code(word) for word in words]
    if None not in words and not any(code is not None for code in codes):
        result = tuple(map(str, words))
    else:
        known = set(codes)
        is_fer = known <= set(range(NUM_CLASSES)) and known != set(range(len(known)))
        is_whole = known in ({*range(NUM_CLASSES)}, {*range(NUM_CLASSES + 1)})
        if len(known) != len(given) or not (is_fer or is_whole):
            raise InvalidInputError(
                "the classifier's classes_ must be names of classes, or FER-2013's codes, 0 for "
                f"angry to 6 for neutral, or FER+'s, 0 to 7; received {shown(given)}. Give the "
                "classifier class_names_, a name for each column of predict_proba"
            )
        result = tuple(FERPLUS_CLASS_NAMES[int(code)] for code in codes if code is not None)
    if len(set(result)) != len(result) or not result:
        raise InvalidInputError(
            f"the classifier's classes_ must be different names; received {shown(given)}"
        )
    return result


def _text(label: Any) -> str | None:
    """Return a name, or a number in digits; None for what is neither."""
    if isinstance(label, bytes):
        return label.decode("utf-8", "replace")
    if isinstance(label, str):
        return str(label)
    if isinstance(label, int | float | np.integer | np.floating) and not isinstance(label, bool):
        return repr(float(label))
    return None


def _code(word: str | None) -> float | None:
    """Return the number that a text is, or None."""
    try:
        return None if word is None else float(word)
    except ValueError:
        return None


def class_colors(names: Sequence[str]) -> tuple[str, ...]:
    """Return a colour for each class: an emotion's own, whatever its place, and others for others.

    Other words for an emotion have its colour, too; up to sixteen classes have different ones, of
    which eight can be told apart with any colour vision.

    Examples
    --------
    >>> from fer2013kit._class_names import class_colors
    >>> class_colors(["happiness", "angry"])
    ('#DDAA33', '#EE6677')
    """
    codes = [_color_code(name) for name in names]
    free = [color for code, color in enumerate(CLASS_COLORS) if code not in codes]
    others = cycle([*free, *_MORE_COLORS])
    return tuple(next(others) if code is None else CLASS_COLORS[code] for code in codes)


def _color_code(name: str) -> int | None:
    last = FERPLUS_CLASS_NAMES[-1]
    return NUM_CLASSES if name.strip().lower() == last else emotion_code(name)
