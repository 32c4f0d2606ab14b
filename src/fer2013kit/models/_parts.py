"""What several architectures are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FULL_VECTOR: Final = 16
"""Channels that fill a vector register of AVX-512."""


def scaled_images(input_shape: tuple[int, int, int], crop: int = 0) -> tuple[Any, Any]:
    """Return an input for images, and its pixels in [-1, 1] without the border.

    Raises
    ------
    InvalidInputError
        Unless pixels are left after the crop.
    """
    import keras
    from keras import layers

    if crop < 0 or 2 * crop >= min(input_shape[:2]):
        raise InvalidInputError(
            f"crop must be at least 0 and leave pixels of {input_shape}; received {crop}"
        )
    inputs = keras.Input(input_shape, name="images")
    x = layers.Cropping2D(crop, name="crop")(inputs)
    return inputs, layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(x)


def check_stages(name: str, filters: Sequence[int], units: Sequence[int]) -> None:
    """Raise :class:`InvalidInputError` unless every stage has a width and a unit."""
    if not filters or len(units) != len(filters) or min(units) < 1:
        raise InvalidInputError(
            f"{name} needs a stage, and for each a width and at least one unit; received "
            f"filters={shown(filters)}, units={shown(units)}"
        )


def convolve(x: Any, width: int, side: int, name: str, *, strides: int = 1) -> Any:
    """Convolve without a bias, which batch normalisation brings."""
    from keras import layers

    if side == 1 and strides > 1 and x.shape[-1] < _FULL_VECTOR:
        # oneDNN's gradient of such a convolution writes past its memory where AVX-512 is.
        x = layers.MaxPooling2D(1, strides, padding="same", name=f"{name}_pixels")(x)
        strides = 1
    return layers.Conv2D(width, side, strides, padding="same", use_bias=False, name=name)(x)


def activate(x: Any, name: str) -> Any:
    """Normalise over the batch and cut off below zero; ``name`` has ``{}`` for the part."""
    from keras import layers

    x = layers.BatchNormalization(name=name.format("norm"))(x)
    return layers.ReLU(name=name.format("relu"))(x)


def residual_unit(x: Any, width: int, name: str, *, end: Callable[[Any], Any] = lambda x: x) -> Any:
    """Add two 3x3 convolutions, and what ``end`` makes of them, to ``x`` (He et al., CVPR 2016)."""
    from keras import layers

    shortcut = x if x.shape[-1] == width else convolve(x, width, 1, f"{name}_shortcut")
    x = activate(convolve(x, width, 3, f"{name}_conv1"), name + "_{}1")
    x = layers.BatchNormalization(name=f"{name}_norm2")(convolve(x, width, 3, f"{name}_conv2"))
    x = layers.Add(name=f"{name}_add")([end(x), shortcut])
    return layers.ReLU(name=f"{name}_relu2")(x)


def halve(x: Any, name: str) -> Any:
    """Take the greatest of 3x3 values, in every second row and column."""
    from keras import layers

    return layers.MaxPooling2D(3, strides=2, padding="same", name=name)(x)


def drop_unit(x: Any, rate: float, name: str) -> Any:
    """Drop a residual unit's whole part for some images (stochastic depth), in training."""
    from keras import layers

    if not rate:
        return x
    return layers.Dropout(rate, noise_shape=(None, 1, 1, 1), name=name)(x)


def unit_rates(units: Sequence[int], last: float) -> list[list[float]]:
    """Return for each stage's units how often they are dropped, rising evenly to the last."""
    total = sum(units)
    rates = iter(last * (number + 1) / total for number in range(total))
    return [[next(rates) for _ in range(count)] for count in units]


def classify(x: Any, num_classes: int, name: str) -> Any:
    """Return probabilities, in float32: in half precision a softmax loses the small ones."""
    from keras import layers

    return layers.Dense(num_classes, activation="softmax", dtype="float32", name=name)(x)
