"""A deeper network: residual units behind an early-pooling stem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer2013kit.emotions import IMAGE_SHAPE, NUM_CLASSES
from fer2013kit.models._parts import (
    activate,
    check_stages,
    classify,
    convolve,
    halve,
    residual_unit,
    scaled_images,
)
from fer2013kit.models._registry import register_model

if TYPE_CHECKING:
    from collections.abc import Sequence


@register_model("residual_cnn")
def residual_cnn(
    input_shape: tuple[int, int, int] = IMAGE_SHAPE,
    num_classes: int = NUM_CLASSES,
    *,
    stem_filters: int = 32,
    filters: Sequence[int] = (64, 128, 256),
    units_per_stage: int = 1,
    dense_units: int = 256,
    dense_dropout: float = 0.4,
    crop: int = 3,
) -> Any:
    """Build a residual network (He et al., CVPR 2016) for small faces.

    A 5x5 convolution that is pooled at once is followed by stages of residual units, each two
    3x3 convolutions, with max-pooling (3x3, stride 2) behind every stage, and by two
    fully-connected layers.  More accurate than the five-layer CNN, and about twice as slow.

    Parameters
    ----------
    input_shape : tuple of int, default (48, 48, 1)
        Height, width and channels; values are expected in [0, 255].
    num_classes : int, default 7
        Width of the last layer.
    stem_filters : int, default 32
        Width of the first convolution.
    filters : sequence of int, default (64, 128, 256)
        Width of each stage.
    units_per_stage : int, default 1
        Residual units of each stage.
    dense_units : int, default 256
        Width of the first fully-connected layer.
    dense_dropout : float in [0, 1), default 0.4
        Dropped before each fully-connected layer.
    crop : int, default 3
        Pixels cut off each side.

    Returns
    -------
    keras.Model
        Uncompiled, with 1.8 million parameters at the defaults; probabilities in float32.

    Raises
    ------
    InvalidInputError
        Unless there is a stage and a unit, and pixels are left after the crop.
    """
    import keras
    from keras import layers

    check_stages("residual_cnn", filters, [units_per_stage] * len(filters))

    inputs, x = scaled_images(input_shape, crop)
    x = halve(convolve(x, stem_filters, 5, "stem_conv"), "stem_pool")
    x = activate(x, "stem_{}")
    for stage, width in enumerate(filters, start=1):
        for number in range(1, units_per_stage + 1):
            x = residual_unit(x, width, f"stage{stage}_unit{number}")
        x = halve(x, f"pool{stage}")
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(dense_dropout, name="dropout1")(x)
    x = layers.Dense(dense_units, use_bias=False, name="dense1")(x)
    x = activate(x, "dense_{}")
    x = layers.Dropout(dense_dropout, name="dropout2")(x)
    return keras.Model(inputs, classify(x, num_classes, "dense2"), name="residual_cnn")
