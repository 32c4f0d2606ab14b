"""Batch normalisation as one operation of TensorFlow while a network is trained."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import keras

from fer2013kit._layers import MAP_AXES, replaced_call, walk_layers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def fused_normalization(model: Any) -> Iterator[None]:
    """Let a network's batch normalisations compute as one operation each, in training.

    Keras's layer casts half precision to float32 and takes some twenty operations forwards and as
    many backwards, each of them a pass through memory; TensorFlow's fused operation (Ioffe &
    Szegedy, ICML 2015, equations 1 to 4) reads the images once, stays in their precision and
    takes the ReLU behind it along.  The function is the same.  The layers stay Keras's own, so what
    is saved, exported or folded never sees this.  Layers that are not for images with channels
    last, and all layers on backends other than TensorFlow, go on as they are.
    """
    with ExitStack() as stack:
        for layer in walk_layers(model.layers):
            if _can_be_fused(layer):
                stack.enter_context(replaced_call(layer, _fused_call(layer)))
        yield


def _can_be_fused(layer: Any) -> bool:
    return (
        keras.backend.backend() == "tensorflow"
        and type(layer) is keras.layers.BatchNormalization
        and layer.axis in {-1, MAP_AXES - 1}
        and not (layer.synchronized or getattr(layer, "renorm", False))
        and layer.scale
        and layer.center
    )


def _fused_call(layer: Any) -> Callable[..., Any]:
    import tensorflow as tf

    plain = layer.call

    def call(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        pictures = len(inputs.shape) == MAP_AXES and mask is None
        if not (training and layer.trainable and pictures):
            return plain(inputs, training=training, mask=mask)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            tf.convert_to_tensor(layer.gamma),
            tf.convert_to_tensor(layer.beta),
            epsilon=layer.epsilon,
            is_training=True,
        )
        # TensorFlow's variance is the sample's (n - 1), Keras's the batch's (n).
        rows = tf.cast(tf.size(inputs) // inputs.shape[-1], variance.dtype)
        _move(layer.moving_mean, mean, layer.momentum)
        _move(layer.moving_variance, variance * (rows - 1) / rows, layer.momentum)
        return outputs

    return call


def _move(average: Any, value: Any, momentum: float) -> None:
    average.assign(average * momentum + value * (1.0 - momentum))
