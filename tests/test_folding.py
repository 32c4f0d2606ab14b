import keras
import numpy as np
import pytest
from keras import layers

from fer2013kit._folding import _Folding, fold_normalization
from fer2013kit.models import create_model

SHAPE = (12, 12, 2)


def norm(**settings):
    """Return a normalisation as after training: no factor 1, no term 0."""
    rng = np.random.default_rng(0)

    def between(low, high):
        return lambda shape, dtype: rng.uniform(low, high, shape).astype("float32")

    return layers.BatchNormalization(
        **{
            "gamma_initializer": between(0.5, 1.5),
            "beta_initializer": between(-1, 1),
            "moving_mean_initializer": between(-1, 1),
            "moving_variance_initializer": between(0.5, 2),
            **settings,
        }
    )


def falling(shape, dtype):
    """Return factors of either sign."""
    return np.resize([-1.0, 0.5, 2.0], shape).astype(dtype)


class Doubled(layers.Conv2D):
    """A convolution that is more than a convolution."""

    def call(self, inputs):
        return 2 * super().call(inputs)


class Own(keras.Model):
    """A network whose layers are run by code of its own."""

    def call(self, inputs, training=None):
        return 3 * super().call(inputs, training=training)


def chain(*parts):
    return keras.Sequential([keras.Input(SHAPE), *parts])


def shared():
    """A convolution whose products are also wanted without normalisation, called twice."""
    inputs = keras.Input(SHAPE)
    convolve, normalize = layers.Conv2D(2, 3, padding="same"), norm()
    x = convolve(inputs)
    y = layers.ReLU()(normalize(x))
    z = normalize(convolve(y))
    return keras.Model(inputs, layers.Add()([x, y, z]))


def own():
    inputs = keras.Input(SHAPE)
    return Own(inputs, norm()(layers.Conv2D(3, 3)(inputs)))


NETWORKS = {
    "convolution": (lambda: chain(layers.Conv2D(3, 3), norm()), 1),
    "without a bias": (
        lambda: chain(layers.Conv2D(3, 3, use_bias=False), norm(), layers.ReLU()),
        1,
    ),
    "pooled": (
        lambda: chain(
            layers.Conv2D(3, 3), layers.MaxPooling2D(3, 2, "same"), norm(), layers.ReLU()
        ),
        1,
    ),
    "pooled, falling": (
        lambda: chain(layers.Conv2D(3, 3), layers.MaxPooling2D(2), norm(gamma_initializer=falling)),
        0,
    ),
    "falling, then pooled": (
        lambda: chain(
            layers.Conv2D(3, 3),
            norm(gamma_initializer=falling),
            layers.MaxPooling2D(2),
            layers.Activation("relu"),
        ),
        1,
    ),
    "pooled twice": (
        lambda: chain(
            layers.Conv2D(3, 3),
            layers.MaxPooling2D(2),
            layers.MaxPooling2D(2),
            norm(),
            layers.ReLU(),
        ),
        0,
    ),
    "dense": (lambda: chain(layers.Flatten(), layers.Dense(5), norm(), layers.ReLU()), 1),
    "dense on pixels": (lambda: chain(layers.Dense(5), norm(scale=False, center=False)), 1),
    "strided, dilated, grouped": (
        lambda: chain(
            layers.Conv2D(4, 3, strides=2, groups=2),
            norm(),
            layers.Conv2D(4, 2, dilation_rate=2),
            norm(),
        ),
        2,
    ),
    "activated before": (lambda: chain(layers.Conv2D(3, 3, activation="relu"), norm()), 0),
    "normalised twice": (lambda: chain(layers.Conv2D(3, 3), norm(), norm()), 1),
    "along another axis": (lambda: chain(layers.Conv2D(3, 3), norm(axis=1)), 0),
    "leaky": (lambda: chain(layers.Conv2D(3, 3), norm(), layers.ReLU(negative_slope=0.1)), 1),
    "capped": (lambda: chain(layers.Conv2D(3, 3), norm(), layers.ReLU(max_value=0.2)), 1),
    "separable": (lambda: chain(layers.SeparableConv2D(3, 3), norm()), 0),
    "a convolution of its own": (lambda: chain(Doubled(3, 3), norm()), 0),
    "shared": (shared, 2),
    "a network of its own": (own, None),
    "no normalisation": (lambda: chain(layers.Conv2D(3, 3)), None),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_folded_network_gives_the_same(name, monkeypatch):
    build, folded = NETWORKS[name]
    model = build()
    network = fold_normalization(model)
    images = np.random.default_rng(1).random((3, *SHAPE), np.float32)
    expected = keras.ops.convert_to_numpy(model(images, training=False))
    assert (network is model) == (folded is None)
    found = []
    foldable = _Folding._foldable
    monkeypatch.setattr(
        _Folding,
        "_foldable",
        lambda self, *args: (found.append(foldable(self, *args)), found[-1])[1],
    )
    result = keras.ops.convert_to_numpy(network(images, training=False))
    np.testing.assert_allclose(result, expected, atol=1e-5)
    assert sum(one is not None for one in found) == (folded or 0)


def test_network_itself_stays_as_it_was():
    model = create_model("five_layer_cnn", filters=(4, 4, 4), dense_units=8)
    before = [weight.numpy() for weight in model.weights]
    fold_normalization(model)(np.zeros((1, 48, 48, 1), np.float32), training=False)
    assert model.get_layer("conv2").output is model.get_layer("pool2").input
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_layers_are_told_that_nobody_trains():
    class Witness(layers.Layer):
        def call(self, inputs, training=None):
            told.append(training)
            return inputs

    told = []
    inputs = keras.Input(SHAPE)
    x = norm()(layers.Conv2D(3, 3)(inputs))
    x = layers.Dropout(0.5)(x, training=True)
    model = keras.Model(inputs, Witness()(x))
    images = np.random.default_rng(1).random((3, *SHAPE), np.float32)
    expected = keras.ops.convert_to_numpy(model(images, training=False))
    told.clear()
    result = fold_normalization(model)(images, training=False)
    assert told == [False]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(result), expected, atol=1e-5)
