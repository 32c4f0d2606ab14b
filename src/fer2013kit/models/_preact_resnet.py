"""The pre-activation residual network, without a pool in front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer2013kit.emotions import IMAGE_SHAPE, NUM_CLASSES
from fer2013kit.models._parts import (
    activate,
    check_stages,
    classify,
    convolve,
    drop_unit,
    scaled_images,
    unit_rates,
)
from fer2013kit.models._registry import register_model

if TYPE_CHECKING:
    from collections.abc import Sequence


@register_model("preact_resnet")
def preact_resnet(
    input_shape: tuple[int, int, int] = IMAGE_SHAPE,
    num_classes: int = NUM_CLASSES,
    *,
    filters: Sequence[int] = (32, 64, 128, 256),
    units: Sequence[int] = (2, 2, 2, 2),
    stochastic_depth: float = 0.1,
    dropout: float = 0.3,
    crop: int = 0,
) -> Any:
    """Build a pre-activation residual network (He et al., ECCV 2016) for small faces.

    A 3x3 convolution, then stages of units, each two 3x3 convolutions with normalisation and ReLU
    in front of them; from the second stage on, the first unit of a stage halves rows and columns.
    ``units=(3, 4, 6, 3)`` is ResNet-34 at half its width, 5.3 million parameters, as the
    ResNet-33 of Pramerdorfer & Kampel (2016), which they report with 0.724 on PrivateTest.

    Parameters
    ----------
    input_shape : tuple of int, default (48, 48, 1)
        Height, width and channels; values are expected in [0, 255].
    num_classes : int, default 7
        Width of the last layer.
    filters : sequence of int, default (32, 64, 128, 256)
        Width of each stage.
    units : sequence of int, default (2, 2, 2, 2)
        Residual units of each stage.
    stochastic_depth : float in [0, 1), default 0.1
        How often the last unit is left out in training (Huang et al., ECCV 2016); units before it
        are more seldom, the first nearly never.
    dropout : float in [0, 1), default 0.3
        Dropped before the last layer.
    crop : int, default 0
        Pixels cut off each side.

    Returns
    -------
    keras.Model
        Uncompiled, with 2.8 million parameters at the defaults; probabilities in float32.

    Raises
    ------
    InvalidInputError
        Unless each stage has a width and a unit, and pixels are left after the crop.
    """
    import keras
    from keras import layers

    check_stages("preact_resnet", filters, units)

    def unit(x: Any, width: int, strides: int, rate: float, name: str) -> Any:
        shortcut, active = x, activate(x, name + "_{}1")
        if strides > 1 or x.shape[-1] != width:
            shortcut = convolve(active, width, 1, f"{name}_shortcut", strides=strides)
        x = convolve(active, width, 3, f"{name}_conv1", strides=strides)
        x = convolve(activate(x, name + "_{}2"), width, 3, f"{name}_conv2")
        x = drop_unit(x, rate, f"{name}_drop")
        return layers.Add(name=f"{name}_add")([x, shortcut])

    inputs, x = scaled_images(input_shape, crop)
    x = convolve(x, filters[0], 3, "stem_conv")
    stages = zip(filters, unit_rates(units, stochastic_depth), strict=True)
    for stage, (width, rates) in enumerate(stages, start=1):
        for number, rate in enumerate(rates, start=1):
            strides = 2 if stage > 1 and number == 1 else 1
            x = unit(x, width, strides, rate, f"stage{stage}_unit{number}")
    x = activate(x, "end_{}")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, classify(x, num_classes, "dense"), name="preact_resnet")
