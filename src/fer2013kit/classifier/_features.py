"""What a network makes of images before its last layer decides."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from fer2013kit._compilation import compile_function
from fer2013kit._layers import MAP_AXES, replaced_call, walk_layers
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fer2013kit._compilation import Inference


def compile_features(network: Any, input_shape: tuple[int, int, int]) -> Inference:
    """Return a function from images in [0, 255] to what the last layer with a kernel is given.

    Maps are averaged over the image.  The layer is found as the network runs, so that one of
    any form has its features.
    """
    return compile_function(lambda images: _penultimate(network, images), input_shape)


def _penultimate(network: Any, images: Any) -> Any:
    seen: list[Any] = []
    with ExitStack() as stack:
        for layer in walk_layers(network.layers):
            if not isinstance(layer, keras.Model) and hasattr(layer, "kernel"):
                stack.enter_context(replaced_call(layer, _noting(layer.call, seen)))
        network(images, training=False)
    if not seen:
        raise InvalidInputError(
            "transform gives what the last layer with a kernel (Dense, Conv2D) is given, and the "
            "network has none"
        )
    features = seen[-1]
    if len(features.shape) == MAP_AXES:
        features = ops.mean(features, axis=(1, 2))
    return ops.cast(ops.reshape(features, (ops.shape(features)[0], -1)), "float32")


def _noting(call: Callable[..., Any], seen: list[Any]) -> Callable[..., Any]:
    def noting_call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(inputs)
        return call(inputs, *args, **kwargs)

    return noting_call
