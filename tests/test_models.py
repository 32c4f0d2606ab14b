import keras
import numpy as np
import pytest

import fer2013kit as fk
from fer2013kit.models import _registry
from networks import SMALL, tiny_network


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    monkeypatch.setattr(_registry, "_builders", dict(_registry._builders))


@pytest.mark.parametrize("name", fk.list_models())
@pytest.mark.parametrize(("shape", "classes"), [((48, 48, 1), 7), ((64, 56, 3), 8)])
def test_every_model_returns_probabilities(name, shape, classes):
    model = fk.create_model(name, input_shape=shape, num_classes=classes, **SMALL[name])
    images = np.random.default_rng(0).integers(0, 256, (2, *shape)).astype("float32")
    probabilities = keras.ops.convert_to_numpy(model(images))
    assert probabilities.shape == (2, classes)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(set(fk.list_models()) - {"five_layer_cnn", "transfer"}))
def test_every_model_through_every_door(name, tmp_path):
    data = fk.make_fer2013(n_samples=70, random_state=0)
    X = data.test.images
    clf = fk.EmotionClassifier(
        name, model_params=SMALL[name], epochs=1, augment=False, verbose=0, random_state=0,
        compute_dtype="float32", ema_momentum=0.0, weight_decay=0.0,
    )  # fmt: skip
    probabilities = clf.fit(*data.train).predict_proba(X)
    plain = keras.ops.convert_to_numpy(clf.model_(X.astype(np.float32), training=False))
    np.testing.assert_allclose(probabilities, plain, atol=1e-5)  # predicting folds normalisation
    clf.save(tmp_path / "a.fer")
    copy = fk.EmotionClassifier.load(tmp_path / "a.fer")
    np.testing.assert_array_equal(copy.predict_proba(X), probabilities)
    for file in ("a.tflite", "a.onnx"):
        assert clf.export(tmp_path / file, images=X).largest_difference < 1e-4


@pytest.mark.parametrize(
    ("name", "params", "parameters"),
    [
        ("vgg_10", {}, 1_767_207),
        ("preact_resnet", {"units": (3, 4, 6, 3)}, 5_331_879),
    ],
)
def test_deep_networks_have_the_sizes_of_their_papers(name, params, parameters):
    """Of Pramerdorfer & Kampel: 1.8 million for VGG, 5.3 million for the ResNet of 33 layers."""
    assert fk.create_model(name, **params).count_params() == parameters


@pytest.mark.parametrize("name", ["deep_cnn", "preact_resnet"])
def test_stochastic_depth_leaves_out_whole_units_of_some_pictures(name):
    model = fk.create_model(name, **{**SMALL[name], "stochastic_depth": 0.5})
    rates = [one.rate for one in model.layers if one.name.endswith("_drop")]
    assert rates == [0.25, 0.5]
    last = [one for one in model.layers if one.name.endswith("_drop")][-1]
    parts = np.asarray(last(np.ones((64, 3, 3, 8), np.float32), training=True)).reshape(64, -1)
    assert (parts == parts[:, :1]).all()
    assert set(parts[:, 0]) == {0.0, 2.0}


def test_five_layer_cnn_has_three_convolutions_and_two_dense_layers():
    model = fk.create_model("five_layer_cnn")
    kinds = [type(layer).__name__ for layer in model.layers if hasattr(layer, "kernel")]
    assert kinds == ["Conv2D"] * 3 + ["Dense"] * 2
    names = [layer.name for layer in model.layers if hasattr(layer, "kernel")]
    assert names == ["conv1", "conv2", "conv3", "dense1", "dense2"]


def test_width_and_dropout_can_be_set():
    model = fk.create_model(filters=(4, 8, 16), dense_units=10, dropout=0.5, dense_dropout=0.1)
    assert [model.get_layer(f"conv{i}").filters for i in (1, 2, 3)] == [4, 8, 16]
    assert model.get_layer("dense1").units == 10
    assert model.get_layer("dropout1").rate == 0.5
    assert model.get_layer("dropout4").rate == 0.1


def test_scaling_is_inside_the_model():
    model = fk.create_model(crop=0)
    scale = model.get_layer("scale")
    np.testing.assert_allclose(scale(np.array([0.0, 255.0], "float32")), [-1, 1], atol=1e-6)


def test_the_cropped_border_has_no_influence():
    model = fk.create_model(filters=(4, 4, 4), dense_units=8, crop=3)
    images = np.random.default_rng(0).uniform(0, 255, (1, 48, 48, 1)).astype("float32")
    framed = images.copy()
    framed[:, :3] = framed[:, -3:] = framed[:, :, :3] = framed[:, :, -3:] = 0
    np.testing.assert_array_equal(model(images), model(framed))
    framed[:, 3] = 0
    assert not np.array_equal(model(images), model(framed))


@pytest.mark.parametrize(
    "params", [{"filters": (1, 2)}, {"kernel_sizes": (3,)}, {"crop": 24}, {"crop": -1}]
)
def test_impossible_architecture_is_refused(params):
    with pytest.raises(fk.InvalidInputError, match=f"{next(iter(params))} must be"):
        fk.create_model("five_layer_cnn", **params)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("vgg_10", {"filters": ()}),
        ("vgg_10", {"filters": (4,) * 6}),
        ("preact_resnet", {"units": (1, 1)}),
        ("deep_cnn", {"filters": (4, 8), "units": (1, 0)}),
        ("residual_cnn", {"units_per_stage": 0}),
    ],
)
def test_stages_that_cannot_be_are_refused(name, params):
    with pytest.raises(fk.InvalidInputError, match=f"{name} needs .* received filters="):
        fk.create_model(name, **params)


@pytest.mark.parametrize(
    ("params", "why"),
    [({"dense_units": 10**11}, "OOM"), ({"kernel_sizes": (10**9, 3, 3)}, "Shape .* 2")],
)
def test_sizes_beyond_all_memory_are_refused(params, why):
    with pytest.raises(fk.InvalidInputError, match=f"refuses its arguments {{.*}}: {why}"):
        fk.create_model("five_layer_cnn", **params)


def test_unknown_argument_names_the_model():
    with pytest.raises(fk.InvalidInputError, match=r"'five_layer_cnn'.*unexpected keyword"):
        fk.create_model("five_layer_cnn", width=3)


def test_unknown_name_is_answered_with_the_nearest_and_all_known():
    with pytest.raises(fk.UnknownModelError, match="did you mean 'five_layer_cnn'") as caught:
        fk.create_model("five_layers_cnn")
    assert caught.value.name == "five_layers_cnn"
    assert "five_layer_cnn" in caught.value.known


def test_registered_builder_is_known_by_its_name():
    fk.register_model("tiny", tiny_network)
    assert "tiny" in fk.list_models()
    assert fk.create_model("tiny", units=3).count_params() == 2304 * 3 + 3 + 3 * 7 + 7


def test_register_model_is_a_decorator_too():
    decorated = fk.register_model("tiny")(tiny_network)
    assert decorated is tiny_network
    assert fk.register_model("tiny")(tiny_network) is tiny_network  # the same again is no clash


def test_taken_name_is_refused():
    with pytest.raises(fk.InvalidInputError, match="registered already"):
        fk.register_model("five_layer_cnn", tiny_network)


def test_a_callable_is_as_good_as_a_name():
    assert fk.create_model(tiny_network, num_classes=3).output_shape == (None, 3)


@pytest.mark.parametrize("thing", [3, None, ("five_layer_cnn",)])
def test_neither_name_nor_callable(thing):
    with pytest.raises(fk.InvalidInputError, match="registered name"):
        fk.create_model(thing)


def test_builder_must_return_a_model_of_the_right_width():
    with pytest.raises(fk.InvalidInputError, match=r"keras\.Model; received int"):
        fk.create_model(lambda input_shape, num_classes: 3)
    with pytest.raises(fk.InvalidInputError, match=r"\(n, 7\) probabilities"):
        fk.create_model(lambda input_shape, num_classes: tiny_network(input_shape, num_classes + 1))


@pytest.mark.parametrize(("width", "pooled"), [(8, True), (16, False)])
def test_narrow_shortcuts_leave_pixels_out_before_they_convolve(width, pooled):
    # oneDNN's gradient of a narrow 1x1 convolution with strides damages memory where AVX-512 is.
    model = fk.create_model("preact_resnet", filters=(width, 2 * width), units=(1, 1))
    names = {layer.name for layer in model.layers}
    assert ("stage2_unit1_shortcut_pixels" in names) is pooled
    shortcut = model.get_layer("stage2_unit1_shortcut")
    assert shortcut.strides == ((1, 1) if pooled else (2, 2))
    X = np.random.default_rng(0).normal(size=(2, 48, 48, width)).astype("float32")
    strided = keras.ops.conv(X, shortcut.kernel, strides=2, padding="same")
    ours = shortcut(model.get_layer("stage2_unit1_shortcut_pixels")(X) if pooled else X)
    np.testing.assert_allclose(ours, strided, rtol=1e-5, atol=1e-6)
