"""What ``EmotionClassifier`` accepts: its settings, its pictures, its labels."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from fer2013kit._arrays import IntArray, check_labels
from fer2013kit._inference import TTA_CHOICES as TTA_CHOICES
from fer2013kit._precision import PRECISIONS
from fer2013kit._training import LOSSES, SCHEDULES
from fer2013kit.emotions import CLASS_NAMES, IMAGE_SHAPE, IMAGE_SIZE, NUM_CLASSES
from fer2013kit.exceptions import InvalidInputError

Shape = tuple[int, int, int]
_MAXIMUM: Final = 255
_FLAT, _GREY = 2, 3  # dimensions of (n, pixels) and (n, height, width)

_CHOICES: Final[Mapping[str, Sequence[Any]]] = {
    "loss": LOSSES,
    "learning_rate_schedule": SCHEDULES,
    "precision": PRECISIONS,
    "verbose": ("auto", 0, 1, 2, False, True),
}
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "epochs": (1, np.inf),
    "batch_size": (1, np.inf),
    "learning_rate": (0, np.inf),
    "warmup_epochs": (0, np.inf),
    "weight_decay": (0, np.inf),
    "ema_momentum": (0, 0.999999),
    "focal_gamma": (0, np.inf),
    "label_smoothing": (0, 0.999),
    "rotation": (0, 180),
    "zoom": (0, 0.99),
    "shift": (0, 0.99),
    "brightness": (0, 1),
    "contrast": (0, 0.99),
    "erasing": (0, 1),
    "mixup": (0, np.inf),
    "cutmix": (0, np.inf),
}
_WHOLE: Final = ("epochs", "batch_size")


def check_parameters(params: Mapping[str, Any]) -> None:
    """Raise one :class:`InvalidInputError` that names every unusable setting."""
    wrong = [
        f"{name} must be one of {tuple(allowed)}; received {params[name]!r}"
        for name, allowed in _CHOICES.items()
        if not any(params[name] is one or params[name] == one for one in allowed)
    ]
    for name, (low, high) in _RANGES.items():
        value = params[name]
        kind: Any = numbers.Integral if name in _WHOLE else numbers.Real
        if not isinstance(value, kind) or isinstance(value, bool) or not low <= value <= high:
            number = "a whole number" if name in _WHOLE else "a number"
            wrong.append(f"{name} must be {number} in [{low:g}, {high:g}]; received {value!r}")
    patience = params["early_stopping"]
    if patience is not None and not (
        isinstance(patience, numbers.Integral) and not isinstance(patience, bool) and patience >= 1
    ):
        wrong.append(
            "early_stopping must be None or a number of epochs of at least 1; "
            f"received {patience!r}"
        )
    value_range = params["value_range"]
    if value_range is not None and not (len(value_range) == 2 and value_range[0] < value_range[1]):  # noqa: PLR2004 - a pair
        wrong.append(f"value_range must be None or (low, high); received {value_range!r}")
    if wrong:
        raise InvalidInputError("; ".join(wrong))


def infer_image_shape(X: Any) -> Shape:
    """Return (height, width, channels) of a training set whose shape was left open."""
    shape = np.shape(X)
    if len(shape) == _FLAT:
        return IMAGE_SHAPE if shape[1] == IMAGE_SIZE else (1, shape[1], 1)
    if len(shape) == _GREY:
        return (shape[1], shape[2], 1)
    return (shape[1], shape[2], shape[3])


def flatten_images(X: Any, image_shape: Shape | None) -> Any:
    """Return pictures as rows of pixels; what has no picture's shape goes on to scikit-learn."""
    shape = getattr(X, "shape", None)
    if shape is None and isinstance(X, list | tuple):
        try:
            X = np.asarray(X)
        except ValueError as error:
            raise InvalidInputError(f"X must be pictures of one size: {error}") from error
        shape = X.shape
    if shape is None or len(shape) <= _FLAT:
        return X
    if image_shape is not None:
        height, width, channels = image_shape
        allowed = {image_shape} | ({(height, width)} if channels == 1 else set())
        if tuple(shape[1:]) not in allowed:
            raise InvalidInputError(
                f"X must have shape {describe_shapes(image_shape)}; received {tuple(shape)}. "
                "Bring other pictures to that size with fer2013kit.to_face or resize"
            )
    return np.asarray(X).reshape(shape[0], -1)


def describe_shapes(image_shape: Shape) -> str:
    """Return the accepted shapes in words."""
    height, width, channels = image_shape
    forms = [f"(n, {height}, {width}, {channels})", f"(n, {height * width * channels})"]
    if channels == 1:
        forms.insert(0, f"(n, {height}, {width})")
    return " or ".join(forms)


def check_range(pixels: NDArray[Any], value_range: tuple[float, float] | None) -> None:
    """Raise :class:`InvalidInputError` for pixels outside the range their dtype promises."""
    if value_range is None or pixels.dtype == np.uint8 or not pixels.size:
        return
    low, high = (0, _MAXIMUM) if pixels.dtype.kind in "iub" else value_range
    least, most = pixels.min(), pixels.max()
    if least < low or most > high:
        kind = "integers" if pixels.dtype.kind in "iub" else "floats"
        raise InvalidInputError(
            f"X of {kind} must be in [{low:g}, {high:g}]; received {least:g} to {most:g}. "
            "Integers mean 0 to 255; floats mean value_range, (0.0, 1.0) by default: divide by "
            "255, convert with .astype('uint8'), or set value_range"
        )


def pixel_converter(
    value_range: tuple[float, float] | None,
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return the function that brings a batch to [0, 255]: uint8 as it is, others as float32."""
    low, high = value_range or (0.0, 1.0)

    def to_pixels(batch: NDArray[Any]) -> NDArray[Any]:
        if batch.dtype == np.uint8:
            return batch
        if batch.dtype.kind in "iub":
            return batch.astype(np.float32)
        return ((batch.astype(np.float32) - low) * (_MAXIMUM / (high - low))).astype(np.float32)

    return to_pixels


def check_targets(y: ArrayLike, *, allowed: Sequence[Any] | None) -> NDArray[Any]:
    """Return labels (n,), checked against the classes that may occur.

    Integers are FER-2013 codes unless ``allowed`` names other classes; strings are free.
    """
    labels: NDArray[Any] = column_or_1d(y, warn=True)
    check_classification_targets(labels)
    if allowed is not None:
        unknown = np.setdiff1d(labels, np.asarray(allowed))
        if unknown.size:
            raise InvalidInputError(
                f"y must hold only the classes {list(allowed)}; received {unknown[0]!r}"
            )
    elif labels.dtype.kind in "iuf":
        try:
            check_labels(labels, name="y")
        except InvalidInputError as error:
            raise InvalidInputError(
                f"{error}. Integer labels are FER-2013 codes; for other classes pass their "
                "names as strings, or list them in classes"
            ) from error
    return labels


def encode_labels(labels: NDArray[Any], classes: NDArray[Any]) -> IntArray:
    """Return each label's position in the sorted ``classes``; an unknown one is an error."""
    codes = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    strange = np.flatnonzero(classes[codes] != labels)
    if strange.size:
        raise InvalidInputError(
            f"y must hold only the classes that were trained, {classes.tolist()}; "
            f"received {labels[strange[0]]!r}"
        )
    return codes.astype(np.int64)


def class_display_names(classes: NDArray[Any], *, coded: bool) -> tuple[str, ...]:
    """Return names for people: FER-2013 codes become words, other classes are printed."""
    if coded and classes.dtype.kind in "iuf":
        return tuple(CLASS_NAMES[int(code)] for code in classes if int(code) < NUM_CLASSES)
    return tuple(str(name) for name in classes)
