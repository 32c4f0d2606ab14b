import keras
import numpy as np
import pytest

from fer2013kit import EmotionClassifier, _compilation, make_fer2013
from fer2013kit._compilation import compile_inference
from fer2013kit.classifier._compute_dtype import compute_dtype_policy
from fer2013kit.models import create_model
from networks import tiny_network

SHAPE = (48, 48, 1)
FACES = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), np.uint8)


def eager(model):
    return keras.ops.convert_to_numpy(model(FACES.astype(np.float32), training=False))


def small(compute_dtype="float32"):
    with compute_dtype_policy(compute_dtype):
        model = create_model("five_layer_cnn", filters=(8, 8, 8), dense_units=16)
    rng = np.random.default_rng(1)
    model.set_weights(
        [weight * rng.uniform(0.8, 1.2, weight.shape) for weight in model.get_weights()]
    )
    return model


@pytest.fixture
def compilations(monkeypatch):
    """Count them."""
    count = []
    compile_ = _compilation._compile
    monkeypatch.setattr(
        _compilation, "_compile", lambda *args: (count.append(args[1][0]), compile_(*args))[1]
    )
    return count


def test_any_batch_size_and_either_dtype(compilations):
    model = tiny_network(SHAPE, 7)
    infer = compile_inference(model, SHAPE)
    expected = eager(model)
    for n in (5, 1, 3, 1, 0):
        result = infer(FACES[:n])
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected[:n], rtol=1e-5)
    np.testing.assert_allclose(infer(FACES.astype(np.float64)), expected, rtol=1e-5)
    assert compilations == [None, 1]


@pytest.mark.parametrize(("compute_dtype", "tolerance"), [("float32", 1e-6), ("bfloat16", 0.02)])
def test_the_same_as_the_network_itself(compute_dtype, tolerance):
    model = small(compute_dtype)
    assert model.get_layer("conv1").compute_dtype == compute_dtype
    infer = compile_inference(model, SHAPE)
    np.testing.assert_allclose(infer(FACES), eager(model), atol=tolerance)
    np.testing.assert_allclose(infer(FACES[:1]), eager(model)[:1], atol=tolerance)


def set_weights(model):
    model.set_weights([0.8 * weight for weight in model.get_weights()])


def assign_one_number(model):
    variable = model.get_layer("norm2").moving_mean
    variable.assign(np.asarray(variable) - np.eye(1, 8, 3)[0])


def assign_in_place(model):
    model.get_layer("dense2").bias.value.assign_add(np.arange(7))


def train(model):
    model.compile("sgd", "categorical_crossentropy")
    model.fit(FACES, np.eye(7)[: len(FACES)], verbose=0)


@pytest.mark.parametrize("change", [set_weights, assign_one_number, assign_in_place, train])
@pytest.mark.parametrize("n", [1, 5])
def test_changed_weights_are_noticed(change, n):
    model = small()
    infer = compile_inference(model, SHAPE)
    before = infer(FACES[:n])
    for _ in range(2):
        change(model)
        after = infer(FACES[:n])
        assert np.abs(after - before).max() > 1e-4
        np.testing.assert_allclose(after, eager(model)[:n], atol=1e-5)
        before = after


def test_unchanged_weights_are_not_compiled_again(compilations):
    model = small()
    infer = compile_inference(model, SHAPE)
    first = infer(FACES)
    model.set_weights(model.get_weights())  # new memory, old values
    model(FACES.astype(np.float32), training=False)
    np.testing.assert_array_equal(infer(FACES), first)
    assert compilations == [None]


def test_a_classifier_follows_its_network():
    data = make_fer2013(n_samples=70, random_state=0)
    clf = EmotionClassifier(tiny_network, epochs=1, augment=False, verbose=0, random_state=0)
    X = data.test.images
    before = clf.fit(*data.train).predict_proba(X)
    weights = clf.model_.get_weights()
    clf.model_.set_weights([0 * weight for weight in weights])
    np.testing.assert_allclose(clf.predict_proba(X), 1 / 7, atol=1e-6)
    clf.model_.set_weights(weights)
    np.testing.assert_array_equal(clf.predict_proba(X), before)
    clf.set_params(random_state=1)
    assert np.abs(clf.fit(*data.train).predict_proba(X) - before).max() > 1e-3


def test_a_network_that_draws_goes_on_drawing():
    class Noise(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seed = keras.random.SeedGenerator(0)

        def call(self, inputs):
            return inputs + keras.random.normal(keras.ops.shape(inputs), seed=self.seed)

    model = keras.Sequential(
        [keras.Input(SHAPE), keras.layers.Flatten(), Noise(), keras.layers.Dense(7)]
    )
    infer = compile_inference(model, SHAPE)
    assert np.abs(infer(FACES) - infer(FACES)).max() > 1e-3


def test_a_network_that_counts_goes_on_counting():
    class Counter(keras.layers.Layer):
        def build(self, input_shape):
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, inputs):
            self.calls.assign_add(1)
            return inputs + self.calls

    model = keras.Sequential([keras.Input(SHAPE), Counter(), keras.layers.Flatten()])
    infer = compile_inference(model, SHAPE)
    for calls, n in enumerate([5, 5, 1, 5, 1], start=1):
        expected = FACES[:n].reshape(n, -1).astype(np.float32) + calls
        np.testing.assert_array_equal(infer(FACES[:n]), expected)


def test_several_threads_get_the_same():
    from concurrent.futures import ThreadPoolExecutor

    model = small()
    infer = compile_inference(model, SHAPE)
    expected = eager(model)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda n: infer(FACES[: n % 5 + 1]), range(40)):
            np.testing.assert_allclose(result, expected[: len(result)], atol=1e-5)


def test_weights_on_another_device_are_not_looked_at(monkeypatch):
    import tensorflow as tf

    class Device:
        device_type = "GPU"

    monkeypatch.setattr(tf.config, "list_logical_devices", lambda: [Device])
    model = small()
    infer = compile_inference(model, SHAPE)
    np.testing.assert_allclose(infer(FACES), eager(model), atol=1e-5)
    set_weights(model)
    np.testing.assert_allclose(infer(FACES), eager(model), atol=1e-5)
