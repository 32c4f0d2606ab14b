"""What ``EmotionClassifier`` accepts as images and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.utils.validation import validate_data

from fer2013kit._checks import FROM_ONE_HOT, check_same_length, is_missing
from fer2013kit._image_input import (
    Pixels,
    Shape,
    StoredPictures,
    check_range,
    flatten,
    pixel_converter,
    shape_of_images,
    with_shape,
    wrong_shape,
)
from fer2013kit._labels import codes_in
from fer2013kit.classifier._class_labels import (
    as_labels,
    check_targets,
    doubt_words,
    name_classes,
)
from fer2013kit.classifier._targets import one_hot, probabilities
from fer2013kit.emotions import IMAGE_SHAPE, IMAGE_SIZE
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer2013kit.classifier import EmotionClassifier

_MINIMUM_CLASSES: Final = 2
_HELD_IN_MEMORY: Final = 2**29  # bytes; more are read batch by batch
_LONG: Final = 300  # characters of another library's message
_FLAT: Final = 2  # dimensions of (n, pixels)


def read_training_data(
    classifier: EmotionClassifier, X: Any, y: Any
) -> tuple[Pixels | StoredPictures, NDArray[Any]]:
    """Return images in [0, 255] of shape (n, h, w, c) and labels (n,).

    scikit-learn notes on the classifier how many columns there are, and their names.
    """
    X = with_shape(X)
    flat, labels = _validate(classifier, X, classifier.image_shape, y=_readable(y), reset=True)
    labels = check_targets(labels, classifier.classes, classifier.class_names)
    if classifier.classes is None:
        doubt_words(labels)
    present = np.unique(labels)
    if len(present) < _MINIMUM_CLASSES:
        raise InvalidInputError(
            f"y must hold at least two classes; received one class, {present.tolist()}"
        )
    shape = classifier.image_shape or _infer_image_shape(X.shape)
    return _as_pixels(classifier, flat.reshape(len(flat), *shape)), labels


def _readable(y: Any) -> Any:
    """Return labels as scikit-learn reads them; in a list, words stay beside numbers."""
    if isinstance(y, list | tuple) and 0 < sum(isinstance(one, str) for one in y) < len(y):
        y = np.asarray(y, object)  # NumPy would make words of the others
    kind = getattr(getattr(y, "dtype", None), "kind", "")
    if kind in {"O", "T"} and any(map(is_missing, np.ravel(y).tolist())):
        raise InvalidInputError("y must hold a label for each image; received a missing one")
    return y.astype(object) if kind == "T" else y  # it knows no texts of that type


def _as_pixels(classifier: EmotionClassifier, images: NDArray[Any]) -> Pixels | StoredPictures:
    """Return images in [0, 255]; many of them stay where they are, in a file for instance."""
    to_pixels = pixel_converter(classifier.value_range)
    per_value = 1 if images.dtype == np.uint8 else np.dtype(np.float32).itemsize
    if images.size * per_value > _HELD_IN_MEMORY:
        return StoredPictures(images, to_pixels)
    return to_pixels(images)


def read_images(classifier: EmotionClassifier, X: Any, shape: Shape | None = None) -> Pixels:
    """Return images of the fitted shape, or of another, in the caller's own range."""
    shape = shape or classifier.image_shape_
    plain = type(X) is np.ndarray and X.dtype == np.uint8 and X.size > 0
    flat: Pixels
    if plain and (X.shape[1:] == shape or (*X.shape[1:], 1) == shape):
        # Nothing can be wrong with it, and scikit-learn's look at one face takes a tenth as long
        # as the face's prediction.
        flat = X
    else:
        flat = _validate(classifier, with_shape(X), shape, reset=False)
    return flat.reshape(len(flat), *shape)


def read_validation_data(
    classifier: EmotionClassifier, data: Any, *, shape: Shape, classes: NDArray[Any]
) -> tuple[Pixels | StoredPictures, NDArray[np.float32]]:
    """Return images in [0, 255] and targets of a ``Split`` or ``(X, y)``, whose y may be soft.

    Images of which ``y`` says nothing are left out.
    """
    try:
        X, y = data
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"validation_data must be a Split with labels or (X, y); received {shown(data)}"
        ) from error
    images = _as_pixels(classifier, read_images(classifier, X, shape))
    if np.ndim(y) != 2 or np.shape(y)[1] == 1:  # noqa: PLR2004 - rows and columns
        labels = as_labels(y)
        check_same_length(images, labels, names=("X", "y"))
        codes = codes_in(labels, classes, None, name="y of validation_data")
        return images, one_hot(codes, classes)
    names = name_classes(classes, asked=classifier.classes, class_names=classifier.class_names)
    targets = probabilities(y, len(images), classes, name="y of validation_data", names=names)
    known = np.flatnonzero(targets.any(axis=1))
    if not len(known):
        raise InvalidInputError("y of validation_data says nothing of any image")
    return rows_of(images, known), targets[known]


def rows_of(images: Any, rows: NDArray[np.intp]) -> Any:
    """Return some of the images, stored ones without reading them."""
    return images.subset(rows) if isinstance(images, StoredPictures) else images[rows]


def _validate(
    classifier: EmotionClassifier, X: Any, image_shape: Shape | None, *, reset: bool, **labels: Any
) -> Any:
    """Return flat pixels, and the labels where ``y`` is given, as scikit-learn checks them."""
    flat = flatten(X, image_shape)
    try:
        checked = validate_data(classifier, flat, reset=reset, **labels)
    except (ValueError, OverflowError) as error:
        # Of NaN, scikit-learn goes on to recommend estimators for tables.
        reason = str(error).partition(f"\n{type(classifier).__name__} does not accept")[0]
        if "y should be a 1d array" in reason:
            reason = reason.rstrip(".") + FROM_ONE_HOT
        if "requires y to be passed" in reason:
            reason += " Of a data set pass both: fit(*data.train)"
        if len(reason) > _LONG:  # it repeats X
            reason = f"{reason[: _LONG // 2]}...{reason[-_LONG // 2 :]}"
        if "got 1D array" in reason:
            reason += " X are the images, and y their labels: were they exchanged?"
        raise InvalidInputError(reason) from error
    pixels = checked[0] if labels else checked
    if image_shape is not None and pixels.shape[1] != np.prod(image_shape):
        raise wrong_shape(X, image_shape)
    check_range(pixels, classifier.value_range)
    return checked


def _infer_image_shape(shape: tuple[int, ...]) -> Shape:
    if len(shape) == _FLAT:
        return IMAGE_SHAPE if shape[1] == IMAGE_SIZE else (1, shape[1], 1)
    return shape_of_images(shape, "X")
