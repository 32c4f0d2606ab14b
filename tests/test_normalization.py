"""Fused batch normalisation is Keras's own, computed otherwise."""

import keras
import numpy as np
import pytest
from keras import layers

from fer2013kit.classifier._normalization import fused_normalization

tf = pytest.importorskip("tensorflow")


def small_network(precision):
    keras.utils.set_random_seed(0)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return keras.Sequential(
            [
                keras.Input((9, 8, 2)),
                layers.Conv2D(8, 3, name="convolution"),
                layers.BatchNormalization(name="outer"),
                layers.ReLU(),
                keras.Sequential([keras.Input((7, 6, 8)), layers.BatchNormalization()]),
                layers.Flatten(),
                layers.BatchNormalization(name="flat"),
                layers.Dense(3, dtype="float32"),
            ]
        )
    finally:
        keras.config.set_dtype_policy(before)


def one_step(model, *, fused):
    """Return outputs and gradients in training, and the moving averages after it."""
    images = np.random.default_rng(0).normal(3, 2, (5, 9, 8, 2)).astype("float32")

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            outputs = model(images, training=True)
            loss = tf.reduce_mean(tf.square(outputs - 1))
        return outputs, tape.gradient(loss, [v.value for v in model.trainable_variables])

    if fused:
        with fused_normalization(model):
            outputs, gradients = step()
        operations = [node.type for node in step.get_concrete_function().graph.get_operations()]
        assert operations.count("FusedBatchNormV3") == 2
    else:
        outputs, gradients = step()
    return [one.numpy() for one in (outputs, *gradients, *model.non_trainable_variables)]


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("mixed_bfloat16", 0.03)])
def test_the_function_is_that_of_keras(precision, tolerance):
    ours = one_step(small_network(precision), fused=True)
    theirs = one_step(small_network(precision), fused=False)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance * max(0.1, np.abs(other).max()))


def test_outside_training_and_afterwards_the_layers_are_as_before():
    model = small_network("float32")
    images = np.random.default_rng(0).normal(3, 2, (5, 9, 8, 2)).astype("float32")
    before = model(images).numpy()
    config = model.get_config()
    with fused_normalization(model):
        np.testing.assert_array_equal(model(images, training=False), before)
        assert model.get_config() == config
    for layer in model.layers:
        assert "call" not in vars(layer)


def test_a_frozen_layer_keeps_its_averages():
    model = small_network("float32")
    layer = model.get_layer("outer")
    layer.trainable = False
    before = layer.moving_mean.numpy()
    with fused_normalization(model):
        model(np.ones((2, 9, 8, 2), "float32"), training=True)
    np.testing.assert_array_equal(layer.moving_mean, before)
