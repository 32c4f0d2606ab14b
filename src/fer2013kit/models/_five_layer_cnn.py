"""The five-layer CNN: three convolutional and two fully-connected weight layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer2013kit.emotions import IMAGE_SHAPE, NUM_CLASSES
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.models._parts import activate, classify, convolve, halve, scaled_images
from fer2013kit.models._registry import register_model

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONVOLUTIONS = 3


@register_model("five_layer_cnn")
def five_layer_cnn(
    input_shape: tuple[int, int, int] = IMAGE_SHAPE,
    num_classes: int = NUM_CLASSES,
    *,
    filters: Sequence[int] = (64, 128, 256),
    kernel_sizes: Sequence[int] = (5, 3, 3),
    dense_units: int = 256,
    dropout: float = 0.0,
    dense_dropout: float = 0.4,
    crop: int = 3,
) -> Any:
    """Build the five-layer CNN.

    Each convolution is followed by max-pooling (3x3, stride 2), batch normalisation and ReLU.
    Pooling comes first because normalising a quarter of the activations is as good and, on a
    CPU, half as much work.  The border is cropped inside the network: the images' edges say
    little about the face, and 42x42 costs three quarters of 48x48.

    Parameters
    ----------
    input_shape : tuple of int, default (48, 48, 1)
        Height, width and channels; values are expected in [0, 255].
    num_classes : int, default 7
        Width of the last layer.
    filters : sequence of 3 int, default (64, 128, 256)
        Width of each convolution.
    kernel_sizes : sequence of 3 int, default (5, 3, 3)
        Side of each convolution's kernel in pixels.
    dense_units : int, default 256
        Width of the first fully-connected layer.
    dropout : float in [0, 1), default 0.0
        Dropped after each convolution's block; augmentation leaves little for it to do.
    dense_dropout : float in [0, 1), default 0.4
        Dropped before the last layer.
    crop : int, default 3
        Pixels cut off each side.

    Returns
    -------
    keras.Model
        Uncompiled, with 2.7 million parameters at the defaults; probabilities in float32.

    Raises
    ------
    InvalidInputError
        Unless there are three filters and three kernel sizes, and pixels are left after the crop.
    """
    import keras
    from keras import layers

    for name, values in (("filters", filters), ("kernel_sizes", kernel_sizes)):
        if len(values) != _CONVOLUTIONS:
            raise InvalidInputError(
                f"{name} must be {_CONVOLUTIONS} numbers; received {shown(values)}"
            )
    inputs, x = scaled_images(input_shape, crop)
    for number, (width, side) in enumerate(zip(filters, kernel_sizes, strict=True), start=1):
        x = halve(convolve(x, width, side, f"conv{number}"), f"pool{number}")
        x = activate(x, f"{{}}{number}")
        x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(dense_units, use_bias=False, name="dense1")(x)
    x = activate(x, "{}4")
    x = layers.Dropout(dense_dropout, name="dropout4")(x)
    return keras.Model(inputs, classify(x, num_classes, "dense2"), name="five_layer_cnn")
