"""A deep network made for a CPU: standard convolutions, where an image is small already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer2013kit.emotions import IMAGE_SHAPE, NUM_CLASSES
from fer2013kit.models._parts import (
    activate,
    check_stages,
    classify,
    convolve,
    drop_unit,
    halve,
    residual_unit,
    scaled_images,
    unit_rates,
)
from fer2013kit.models._registry import register_model

if TYPE_CHECKING:
    from collections.abc import Sequence

_SQUEEZE = 8
"""How many channels share one of the gate's units."""


@register_model("deep_cnn")
def deep_cnn(
    input_shape: tuple[int, int, int] = IMAGE_SHAPE,
    num_classes: int = NUM_CLASSES,
    *,
    stem_filters: int = 64,
    filters: Sequence[int] = (64, 128, 256),
    units: Sequence[int] = (2, 2, 2),
    stochastic_depth: float = 0.1,
    dense_units: int = 256,
    dropout: float = 0.2,
    dense_dropout: float = 0.5,
    crop: int = 3,
) -> Any:
    """Build the kit's own deep network: much accuracy to be had for each multiply-add on a CPU.

    It follows what was measured there.  Standard convolutions run near the rate of a matrix
    product, depthwise ones far from it, so all are standard 3x3 ones.  A convolution of one channel
    and passes over large maps cost time and few multiply-adds, so the stem is one convolution that
    is pooled at once, and the stages, of equal work, begin at 21x21.  Each is made of residual
    units (He et al., CVPR 2016) whose channels are weighed by a squeeze-and-excite gate (Hu et al.,
    CVPR 2018), next to no work, and ends in max-pooling.  What is left, 3x3 places, is kept apart
    for the fully-connected end, since the parts of a face have their places.

    Parameters
    ----------
    input_shape : tuple of int, default (48, 48, 1)
        Height, width and channels; values are expected in [0, 255].
    num_classes : int, default 7
        Width of the last layer.
    stem_filters : int, default 64
        Width of the first convolution.
    filters : sequence of int, default (64, 128, 256)
        Width of each stage.
    units : sequence of int, default (2, 2, 2)
        Residual units of each stage.
    stochastic_depth : float in [0, 1), default 0.1
        How often the last unit is left out in training (Huang et al., ECCV 2016); units before it
        are more seldom, the first nearly never.
    dense_units : int, default 256
        Width of the first fully-connected layer.
    dropout : float in [0, 1), default 0.2
        Dropped before the first fully-connected layer.
    dense_dropout : float in [0, 1), default 0.5
        Dropped before the last layer.
    crop : int, default 3
        Pixels cut off each side.

    Returns
    -------
    keras.Model
        Uncompiled, with 3.4 million parameters at the defaults; probabilities in float32.

    Raises
    ------
    InvalidInputError
        Unless each stage has a width and a unit, and pixels are left after the crop.
    """
    import keras
    from keras import layers

    check_stages("deep_cnn", filters, units)

    def gate(x: Any, name: str) -> Any:
        width = x.shape[-1]
        y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
        y = layers.Dense(max(1, width // _SQUEEZE), "relu", name=f"{name}_gate1")(y)
        y = layers.Dense(width, "sigmoid", name=f"{name}_gate2")(y)
        return layers.Multiply(name=f"{name}_excite")([x, y])

    def unit(x: Any, width: int, rate: float, name: str) -> Any:
        return residual_unit(
            x, width, name, end=lambda x: drop_unit(gate(x, name), rate, f"{name}_drop")
        )

    inputs, x = scaled_images(input_shape, crop)
    x = halve(convolve(x, stem_filters, 3, "stem_conv"), "stem_pool")
    x = activate(x, "stem_{}")
    stages = zip(filters, unit_rates(units, stochastic_depth), strict=True)
    for stage, (width, rates) in enumerate(stages, start=1):
        for number, rate in enumerate(rates, start=1):
            x = unit(x, width, rate, f"stage{stage}_unit{number}")
        x = halve(x, f"stage{stage}_pool")
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(dense_units, use_bias=False, name="dense1")(x)
    x = activate(x, "dense_{}")
    x = layers.Dropout(dense_dropout, name="dense_dropout")(x)
    return keras.Model(inputs, classify(x, num_classes, "dense2"), name="deep_cnn")
