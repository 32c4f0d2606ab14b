"""VGG of ten weight layers, as it was used on FER-2013."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer2013kit.emotions import IMAGE_SHAPE, NUM_CLASSES
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.models._parts import activate, classify, convolve, scaled_images
from fer2013kit.models._registry import register_model

if TYPE_CHECKING:
    from collections.abc import Sequence


@register_model("vgg_10")
def vgg_10(
    input_shape: tuple[int, int, int] = IMAGE_SHAPE,
    num_classes: int = NUM_CLASSES,
    *,
    filters: Sequence[int] = (32, 64, 128, 256),
    dense_units: int = 256,
    dropout: float = 0.2,
    dense_dropout: float = 0.5,
    crop: int = 0,
) -> Any:
    """Build the VGG of Pramerdorfer & Kampel (2016, arXiv:1612.02903).

    Four blocks, each two 3x3 convolutions and max-pooling (2x2), then two fully-connected layers;
    batch normalisation after each convolution, dropout after each pool.  They report 0.727 on
    PrivateTest after 300 epochs, with ten crops.

    Parameters
    ----------
    input_shape : tuple of int, default (48, 48, 1)
        Height, width and channels; values are expected in [0, 255].
    num_classes : int, default 7
        Width of the last layer.
    filters : sequence of int, default (32, 64, 128, 256)
        Width of each block's convolutions.
    dense_units : int, default 256
        Width of the first fully-connected layer.
    dropout : float in [0, 1), default 0.2
        Dropped after each block.
    dense_dropout : float in [0, 1), default 0.5
        Dropped before the last layer.
    crop : int, default 0
        Pixels cut off each side.

    Returns
    -------
    keras.Model
        Uncompiled, with 1.8 million parameters at the defaults; probabilities in float32.

    Raises
    ------
    InvalidInputError
        Unless there is a block, each pool leaves a pixel, and pixels are left after the crop.
    """
    import keras
    from keras import layers

    if not filters or min(input_shape[:2]) - 2 * crop < 2 ** len(filters):
        raise InvalidInputError(
            "vgg_10 needs from one block to as many as the image can be halved; received "
            f"filters={filters!r} for {input_shape} with crop={crop}"
        )
    inputs, x = scaled_images(input_shape, crop)
    for block, width in enumerate(filters, start=1):
        for number in (1, 2):
            name = f"block{block}_{{}}{number}"
            x = activate(convolve(x, width, 3, name.format("conv")), name)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
        x = layers.Dropout(dropout, name=f"block{block}_dropout")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(dense_units, use_bias=False, name="dense1")(x)
    x = activate(x, "dense_{}")
    x = layers.Dropout(dense_dropout, name="dense_dropout")(x)
    return keras.Model(inputs, classify(x, num_classes, "dense2"), name="vgg_10")
