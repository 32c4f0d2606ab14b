"""What ``EmotionClassifier`` accepts as images and weights, and what it holds out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.utils.validation import validate_data

from fer2013kit._checks import FROM_ONE_HOT, as_array, check_same_length
from fer2013kit._image_input import (
    Pixels,
    Shape,
    StoredPictures,
    check_range,
    flatten,
    pixel_converter,
    with_shape,
    wrong_shape,
)
from fer2013kit._labels import columns_in_order
from fer2013kit.class_weight import by_label, sample_weights
from fer2013kit.classifier._class_labels import (
    as_labels,
    check_targets,
    doubt_misspelt,
    encode_labels,
    name_classes,
)
from fer2013kit.emotions import IMAGE_SHAPE, IMAGE_SIZE
from fer2013kit.exceptions import InvalidInputError, shortened, shown, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fer2013kit._checks import IntArray
    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.typing import ClassWeight

_MINIMUM_CLASSES: Final = 2
_SUM_TOLERANCE: Final = 1e-3  # a row's sum from 1; half precision rounds by that much
_MOST_OTHERWISE: Final = 0.5  # people and FER-2013 differ on a third, wrong columns on most
_NEARLY_ALL: Final = 0.8
_SOME_ROWS: Final = 10
_HELD_IN_MEMORY: Final = 2**29  # bytes; more are read batch by batch
_LONG: Final = 300  # characters of another library's message
_FLAT, _GREY = 2, 3  # dimensions of (n, pixels) and (n, height, width)


def read_training_data(
    classifier: EmotionClassifier, X: Any, y: Any
) -> tuple[Pixels | StoredPictures, NDArray[Any]]:
    """Return images in [0, 255] of shape (n, h, w, c) and labels (n,).

    scikit-learn notes on the classifier how many columns there are, and their names.
    """
    X = with_shape(X)
    flat, labels = _validate(classifier, X, classifier.image_shape, y=y, reset=True)
    labels = check_targets(labels, classifier.classes, classifier.class_names)
    if classifier.classes is None:
        doubt_misspelt(labels)
    present = np.unique(labels)
    if len(present) < _MINIMUM_CLASSES:
        raise InvalidInputError(
            f"y must hold at least two classes; received one class, {present.tolist()}"
        )
    shape = classifier.image_shape or _infer_image_shape(X.shape)
    return _as_pixels(classifier, flat.reshape(len(flat), *shape)), labels


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
        return images, one_hot(encode_labels(labels, classes), classes)
    names = name_classes(classes, asked=classifier.classes, class_names=classifier.class_names)
    targets = probabilities(y, len(images), classes, name="y of validation_data", names=names)
    known = np.flatnonzero(targets.any(axis=1))
    if not len(known):
        raise InvalidInputError("y of validation_data says nothing of any image")
    return rows_of(images, known), targets[known]


def rows_of(images: Any, rows: NDArray[np.intp]) -> Any:
    """Return some of the images, stored ones without reading them."""
    return images.subset(rows) if isinstance(images, StoredPictures) else images[rows]


def validation_groups(given: Any, X: Any, n_samples: int) -> NDArray[Any] | None:
    """Return the group of each row, of an array or of what a function of ``X`` returns."""
    if given is None:
        return None
    groups = as_array(given(X) if callable(given) else given, "validation_groups")
    if groups.shape != (n_samples,):
        raise InvalidInputError(
            f"validation_groups must have an entry for each row of X, ({n_samples},); received "
            f"{groups.shape}. In a search, where X is a part of the rows, pass a function of X"
        )
    return groups


def rows_to_hold_out(
    images: Pixels | StoredPictures,
    codes: IntArray,
    fraction: float,
    seed: int,
    groups: NDArray[Any] | None = None,
) -> NDArray[np.bool_]:
    """Return which rows validate: a fraction of every class, each group on one side.

    Without ``groups``, copies of an image are one.  Groups are whole people or films, of several
    classes, so no more than near the fraction can be reached.

    Raises
    ------
    InvalidInputError
        If that leaves no rows on one of the sides.
    """
    keys = groups
    if keys is None:
        digests = [
            hashlib.blake2b(images[row : row + 1].tobytes(), digest_size=8).digest()
            for row in range(len(images))
        ]
        keys = np.frombuffer(b"".join(digests), np.uint64)
    _, first, group, sizes = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.random.default_rng([seed, 1]).permutation(len(first))
    if groups is not None:
        held = _groups_to_hold_out(order, group, codes, fraction)
    else:
        held = np.zeros(len(first), bool)
        for code in np.unique(codes):
            mine = order[codes[first[order]] == code]
            before = np.cumsum(sizes[mine]) - sizes[mine]
            held[mine[before < round(fraction * int((codes == code).sum()))]] = True
    rows: NDArray[np.bool_] = held[group]
    if not 0 < rows.sum() < len(rows):
        raise InvalidInputError(
            f"validation_fraction={fraction:g} of {len(rows)} images leaves "
            f"{rows.sum()} to validate and {len(rows) - rows.sum()} to train; pass more images, "
            "another fraction, or validation_data"
        )
    return rows


def _groups_to_hold_out(
    order: NDArray[np.intp], group: NDArray[np.intp], codes: IntArray, fraction: float
) -> NDArray[np.bool_]:
    """Return which groups validate: in random order, each that brings the classes' shares nearer.

    At least one does.
    """
    counts = np.zeros((len(order), int(codes.max()) + 1))
    np.add.at(counts, (group, codes), 1)
    counts /= np.maximum(counts.sum(axis=0), 1)  # of each class, the share that a group holds
    wanted = np.full(counts.shape[1], fraction) * counts.any(axis=0)
    held = np.zeros(len(order), bool)
    for place in order:
        left = wanted - counts[place]
        if left @ left < wanted @ wanted:
            held[place], wanted = True, left
    if not held.any():
        held[np.square(wanted - counts).sum(axis=1).argmin()] = True
    return held


def row_weights(
    labels: NDArray[Any],
    codes: IntArray,
    classes: NDArray[Any],
    *,
    sample_weight: Any,
    class_weight: ClassWeight | None,
) -> NDArray[np.float32]:
    """Return the weight of each row in the loss: its own times that of its class."""
    weights = np.ones(codes.shape)
    if sample_weight is not None:
        given = as_array(sample_weight, "sample_weight", np.float64)
        if given.shape not in {(), codes.shape}:
            raise InvalidInputError(
                f"sample_weight must have shape {codes.shape}, a number for each row; received "
                f"{given.shape}"
            )
        weights = weights * given
    if class_weight is not None:
        weights = weights * _class_weight_of_rows(labels, codes, classes, class_weight)
    if not ((weights >= 0) & (weights <= np.finfo(np.float32).max)).all():
        raise InvalidInputError(
            "sample_weight and class_weight must give weights from 0 to 3e38; received "
            f"{weights.min():g} to {weights.max():g}"
        )
    return weights.astype(np.float32)


def _class_weight_of_rows(
    labels: NDArray[Any], codes: IntArray, classes: NDArray[Any], class_weight: ClassWeight
) -> NDArray[np.float64]:
    class_weight = by_label(class_weight)
    if isinstance(class_weight, str | Mapping):
        if labels.dtype.kind == "b":  # as keys of a mapping they are 0 and 1
            labels = labels.astype(np.int64)
        return sample_weights(labels, class_weight, n_classes=None)
    of_class = as_array(class_weight, "class_weight", np.float64)
    if of_class.shape != classes.shape:
        raise InvalidInputError(
            f"class_weight must have one value for each of {classes.tolist()}; "
            f"received shape {of_class.shape}"
        )
    of_rows: NDArray[np.float64] = of_class[codes]
    return of_rows


def training_targets(
    codes: IntArray, classes: NDArray[Any], soft_targets: Any, names: Sequence[str]
) -> NDArray[np.float32]:
    """Return what the loss aims at: the one-hot rows of the codes, or given probabilities.

    Warns
    -----
    Fer2013KitWarning
        Where most of the probabilities, or those of two classes, say another class than the codes.
    """
    if soft_targets is None:
        return one_hot(codes, classes)
    targets = probabilities(soft_targets, len(codes), classes, name="soft_targets", names=names)
    known = np.flatnonzero(targets.any(axis=1))
    if not len(known):
        raise InvalidInputError("soft_targets must say something of an image; all rows are zero")
    own = targets[known, codes[known]]
    other = (own < targets[known].max(axis=1)).mean()
    exchanged = _taken_for_another(codes[known], targets[known])
    if other > _MOST_OTHERWISE or len(exchanged) > 1:
        of = f" ({', '.join(names[code] for code in exchanged)})" if len(exchanged) > 1 else ""
        warn(
            f"soft_targets say another class than y for {other:.0%} of the images{shortened(of)}; "
            f"their columns must be in the order {shortened(', '.join(map(str, classes)))}"
        )
    return targets


def _taken_for_another(codes: IntArray, targets: NDArray[np.float32]) -> list[int]:
    """Return the classes nearly all of whose rows have one other class for the likeliest."""
    best = targets.argmax(axis=1)
    found = []
    for code in np.unique(codes).tolist():
        rows = best[codes == code]
        counts = np.bincount(rows, minlength=targets.shape[1])
        most = int(counts.argmax())
        if most != code and len(rows) >= _SOME_ROWS and counts[most] > _NEARLY_ALL * len(rows):
            found.append(code)
    return found


def probabilities(
    table: Any,
    rows: int,
    classes: NDArray[Any],
    *,
    name: str,
    names: Sequence[str] | None = None,
) -> NDArray[np.float32]:
    """Return rows that sum to 1, or to 0 where nothing is known of an image.

    Columns of a data frame go by their names, which are the classes or ``names`` for them.
    """
    columns = getattr(table, "columns", None)
    if names is not None and columns is not None and [*columns] != classes.tolist():
        table = columns_in_order(table, names, name=name)
    targets = as_array(table, name, np.float32)
    expected = (rows, len(classes))
    if targets.shape != expected:
        hint = ""
        if targets.ndim == 2 and targets.shape[1] > len(classes):  # noqa: PLR2004 - a table
            hint = (
                f"; y holds {len(classes)} classes: where some have no image, name all "
                f"{targets.shape[1]} in classes"
            )
        raise InvalidInputError(
            f"{name} must have a row for each image and a column for each class, "
            f"{expected}; received {targets.shape}{hint}"
        )
    sums = targets.sum(axis=1)
    if not (np.isfinite(sums).all() and (targets >= 0).all()):
        raise InvalidInputError(f"{name} must be probabilities; received NaN or a negative")
    if ((np.abs(sums - 1) > _SUM_TOLERANCE) & (sums > 0)).any():
        raise InvalidInputError(
            f"rows of {name} must sum to 1, or be all zero to weigh nothing; received sums from "
            f"{sums.min():g} to {sums.max():g}"
        )
    return targets


def one_hot(codes: IntArray, classes: NDArray[Any]) -> NDArray[np.float32]:
    """Return targets (n, k)."""
    return np.eye(len(classes), dtype=np.float32)[codes]


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
            reason += FROM_ONE_HOT
        if "requires y to be passed" in reason:
            reason += " Of a data set pass both: fit(*data.train)"
        if len(reason) > _LONG:  # it repeats X
            reason = f"{reason[: _LONG // 2]}...{reason[-_LONG // 2 :]}"
        raise InvalidInputError(reason) from error
    pixels = checked[0] if labels else checked
    if image_shape is not None and pixels.shape[1] != np.prod(image_shape):
        raise wrong_shape(X, image_shape)
    check_range(pixels, classifier.value_range)
    return checked


def _infer_image_shape(shape: tuple[int, ...]) -> Shape:
    if len(shape) == _FLAT:
        return IMAGE_SHAPE if shape[1] == IMAGE_SIZE else (1, shape[1], 1)
    if len(shape) == _GREY:
        return (shape[1], shape[2], 1)
    return (shape[1], shape[2], shape[3])
