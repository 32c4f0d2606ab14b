"""A backbone and a new end: model="transfer"."""

import functools
import urllib.error

import keras
import numpy as np
import pytest
from keras import layers

import fer2013kit as fk
from networks import SMALL


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=70, random_state=0)


def maps(input_shape):
    """A backbone of one convolution and batch normalisation."""
    x = images = keras.Input(input_shape)
    for name in ("first", "second"):
        x = layers.Conv2D(3, 3, strides=4, name=name)(x)
    return keras.Model(images, layers.BatchNormalization(name="norm")(x), name="small")


def scaled(model, images):
    """What the backbone of a network is given."""
    backbone = model.get_layer("backbone")
    view = keras.Model(model.input, backbone._inbound_nodes[-1].input_tensors[0])
    return np.asarray(view(images.astype(np.float32)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "params"),
    [("MobileNetV2", {"alpha": 0.35}), ("ResNet50", {}), ("VGG16", {"name": "own"})],
)
def test_a_name_brings_what_its_pixels_are_used_to(name, params, channels):
    model = fk.create_model(
        "transfer", input_shape=(32, 32, channels), backbone=name, weights=None, size=32,
        backbone_params=params,
    )  # fmt: skip
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, channels), np.uint8)
    module = {"MobileNetV2": "mobilenet_v2", "ResNet50": "resnet50", "VGG16": "vgg16"}[name]
    preprocess = getattr(keras.applications, module).preprocess_input
    coloured = np.repeat(images, 4 - channels, axis=-1)[..., :3].astype(np.float32)
    np.testing.assert_allclose(scaled(model, images), preprocess(coloured.copy()), atol=1e-4)
    assert model.output_shape == (None, 7)


@pytest.mark.parametrize("mode", ["none", "tf", "torch", "caffe"])
def test_modes_are_those_of_keras(mode):
    model = fk.create_model("transfer", backbone=maps, size=48, preprocessing=mode)
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1), np.uint8)
    expected = np.repeat(images, 3, axis=-1).astype(np.float32)
    if mode != "none":
        preprocess = keras.applications.imagenet_utils.preprocess_input
        expected = preprocess(expected.copy(), mode=mode, data_format="channels_last")
    np.testing.assert_allclose(scaled(model, images), expected, atol=1e-4)


def make_classifier(**changes):
    settings = {"epochs": 1, "augment": False, "verbose": 0, "random_state": 0}
    return fk.EmotionClassifier("transfer", **{**settings, "compute_dtype": "float32", **changes})


def weights_of(network):
    return {one.name: one.get_weights() for one in network.layers if one.weights}


def weights_within(clf):
    return weights_of(clf.model_.get_layer("backbone"))


def same(one, other):
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def test_the_end_first_then_the_backbone_from_a_layer_on(data, tmp_path):
    backbone = maps((24, 24, 3))
    clf = make_classifier(model_params={"backbone": backbone}, freeze="backbone")
    clf.fit(*data.train)
    given = weights_of(backbone)
    learned = weights_within(clf)
    assert all(same(learned[name], given[name]) for name in given)
    clf.set_params(warm_start=True, freeze="first").fit(*data.train)
    learned = weights_within(clf)
    assert same(learned["first"], given["first"])
    assert not same(learned["second"], given["second"])
    assert not same(learned["norm"], given["norm"])
    assert all(layer.trainable for layer in clf.model_.get_layer("backbone").layers)
    assert same(backbone.get_layer("second").get_weights(), given["second"])
    with pytest.raises(fk.InvalidInputError, match="did you mean 'second'"):
        clf.set_params(freeze="secund").fit(*data.train)
    clf.save(tmp_path / "a.fer")
    loaded = fk.EmotionClassifier.load(
        tmp_path / "a.fer", model=functools.partial(fk.create_model, "transfer", backbone=backbone)
    )
    X = data.test.images
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))


preprocess_input = keras.applications.mobilenet_v2.preprocess_input  # as beside each of Keras's


def test_what_is_read_once_is_never_looked_for_again(data, tmp_path, monkeypatch):
    def small(include_top, weights, input_shape):
        assert not include_top
        return maps(input_shape)

    monkeypatch.setattr(keras.applications, "MobileNetV2", small)
    path = tmp_path / "backbone.weights.h5"
    network = maps((32, 32, 3))
    network.save_weights(path)
    params = {"backbone": "MobileNetV2", "size": 32, "weights": str(path)}
    clf = make_classifier(model_params=params, freeze="backbone").fit(*data.train)
    assert same(clf.model_.get_layer("backbone").get_weights(), network.get_weights())
    path.unlink()
    clf.save(tmp_path / "a.fer")
    loaded = fk.EmotionClassifier.load(tmp_path / "a.fer")
    X = data.test.images
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert loaded.export(tmp_path / "a.tflite", images=X).largest_difference < 1e-4
    with pytest.raises(fk.ModelFileError, match="no such file with the weights of MobileNetV2"):
        loaded.fit(*data.train)
    path.write_bytes(b"nothing")
    with pytest.raises(fk.ModelFileError, match="not the weights of MobileNetV2"):
        fk.create_model("transfer", **params)


def test_without_a_network_the_error_says_what_to_fetch(monkeypatch):
    def unreachable(*_):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", unreachable)
    with pytest.raises(fk.ModelFileError) as caught:
        fk.create_model("transfer", backbone="EfficientNetB0")
    message = str(caught.value)
    assert "of EfficientNetB0 could not be downloaded (no route to host); fetch https://" in message
    assert "pass weights='FOLDER/efficientnetb0_notop.h5', or put it into" in message


def wordless(input_shape):
    raise ValueError  # with no message


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"backbone": "MobileNet2", "weights": None}, "did you mean 'MobileNetV2'"),
        ({"backbone": 3}, "backbone must be a name"),
        ({"backbone": maps, "preprocessing": "own"}, "preprocessing must be one of"),
        ({"backbone": maps, "backbone_params": {"a": 1}}, "'maps' refuses its arguments"),
        ({"backbone": wordless}, "'wordless' refuses its arguments"),
        ({"backbone": lambda input_shape: 3}, "must be a keras.Model that returns maps"),
        ({"backbone": maps((24, 24, 3)), "size": 32}, "size=32 cannot be had"),
        ({"backbone": maps((24, 24, 2))}, "takes images of 2 channels"),
    ],
)
def test_what_is_no_backbone_is_refused(params, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.create_model("transfer", **params)


def test_a_backbone_of_its_own_has_weights_to_freeze(data):
    backbone = maps((24, 24, 3))
    params = {"backbone": backbone, "weights": None}
    clf = make_classifier(model_params=params, freeze="backbone").fit(*data.train)
    learned, given = weights_within(clf), weights_of(backbone)
    assert all(same(learned[name], given[name]) for name in given)


def test_new_weights_have_nothing_to_freeze(data):
    clf = make_classifier(model_params={**SMALL["transfer"]}, freeze="backbone")
    with pytest.raises(fk.InvalidInputError, match="needs trained ones"):
        clf.fit(*data.train)
