import inspect
import pickle
import threading
from types import SimpleNamespace

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError

import fer2013kit as fk
from fer2013kit.cli._explain import explain as explain_command
from networks import SMALL, tiny_network

LAYERS = keras.layers


def spot(row, column, *, side=6):
    picture = np.zeros((48, 48), np.uint8)
    picture[row : row + side, column : column + side] = 255
    return picture


def bright_or_dark(input_shape, num_classes, border=None):
    """Channel 0 is light, channel 1 its absence; their means are the scores of classes 0 and 1."""
    inputs = keras.Input(input_shape)
    x = inputs if border is None else LAYERS.Cropping2D(border)(inputs)
    x = LAYERS.Rescaling(1 / 255)(x)
    x = LAYERS.Conv2D(
        2,
        1,
        bias_initializer=constant([0.0, 1.0]),
        kernel_initializer=constant([[[[1.0, -1.0]]]]),
        name="light",
    )(x)
    x = LAYERS.GlobalAveragePooling2D()(x)
    x = LAYERS.Dense(num_classes, kernel_initializer="identity", name="scores")(x)
    return keras.Model(inputs, LAYERS.Activation("softmax", dtype="float32")(x))


def constant(values):
    return lambda shape, dtype=None: keras.ops.reshape(keras.ops.array(values, dtype), shape)


def conv_net(input_shape, num_classes):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            LAYERS.Rescaling(1 / 255),
            LAYERS.Conv2D(4, 3, strides=4, activation="relu", name="first"),
            LAYERS.Conv2D(8, 3, strides=2, activation="relu", name="second"),
            LAYERS.Flatten(),
            LAYERS.Dense(num_classes, activation="softmax", dtype="float32"),
        ]
    )


def nested_net(input_shape, num_classes):
    """All the convolutions stand in an inner model that ends without a map."""
    backbone = keras.Sequential([*conv_net(input_shape, num_classes).layers[:-1]], name="backbone")
    inputs = keras.Input(input_shape)
    head = LAYERS.Dense(num_classes, activation="softmax", dtype="float32")
    return keras.Model(inputs, head(backbone(inputs)))


def shared_net(input_shape, num_classes):
    """One layer is called twice."""
    conv = LAYERS.Conv2D(1, 3, padding="same", activation="relu", name="twice")
    inputs = keras.Input(input_shape)
    x = LAYERS.MaxPooling2D(2)(conv(inputs))
    x = LAYERS.Flatten()(conv(x))
    return keras.Model(inputs, LAYERS.Dense(num_classes, "softmax", dtype="float32")(x))


def untrained(builder, *, classes=None, model_params=None):
    """A fitted classifier whose network is as it was built."""
    X = np.zeros((4, 48, 48), np.uint8)
    y = np.array([0, 1, 0, 1]) if classes is None else np.array(classes * 2)
    clf = fk.EmotionClassifier(
        builder,
        model_params=model_params,
        epochs=1,
        augment=False,
        optimizer=keras.optimizers.SGD(0.0),
        compute_dtype="float32",
        verbose=0,
        random_state=0,
    )
    return clf.fit(X, y)


@pytest.fixture(scope="module")
def trained():
    data = fk.make_fer2013(n_samples=70, random_state=0)
    clf = fk.EmotionClassifier(
        model_params={"filters": (4, 8, 8), "dense_units": 16},
        epochs=1,
        augment=False,
        verbose=0,
        random_state=0,
        compute_dtype="float32",
    )
    return clf.fit(*data.train), data.test.images


@pytest.fixture(scope="module")
def light():
    return untrained(bright_or_dark)


@settings(max_examples=20)
@given(st.integers(0, 42), st.integers(0, 42), st.sampled_from(["grad_cam", "hires_cam"]))
def test_heat_lies_where_the_evidence_is(light, row, column, method):
    picture = spot(row, column)
    (heat,) = fk.explain(light, picture[None], emotion="angry", method=method)
    np.testing.assert_allclose(heat, picture / 255, atol=1e-6)
    (other,) = fk.explain(light, picture[None], emotion="disgust", method=method)
    np.testing.assert_allclose(other, 1 - picture / 255, atol=1e-6)


@pytest.mark.parametrize("border", [3, ((2, 9), (11, 4))])
def test_a_border_that_is_cut_off_has_no_heat_and_moves_none(border):
    clf = untrained(bright_or_dark, model_params={"border": border})
    (top, bottom), (left, right) = ((3, 3), (3, 3)) if border == 3 else border
    picture = spot(top + 1, left + 20)
    (heat,) = fk.explain(clf, picture[None], emotion="angry")
    np.testing.assert_allclose(heat, picture / 255, atol=1e-6)
    (other,) = fk.explain(clf, picture[None], emotion="disgust")
    seen = np.pad(np.ones((48 - top - bottom, 48 - left - right)), ((top, bottom), (left, right)))
    np.testing.assert_allclose(other, seen - picture / 255, atol=1e-6)


def test_emotion_is_the_predicted_one_unless_asked(light):
    X = np.stack([spot(3, 3, side=40), spot(3, 3, side=6)])
    assert light.predict(X).tolist() == [0, 1]
    by_prediction = fk.explain(light, X)
    np.testing.assert_array_equal(by_prediction, fk.explain(light, X, emotion=[0, 1]))
    np.testing.assert_array_equal(by_prediction, fk.explain(light, X, emotion=["angry", 1]))
    assert np.abs(by_prediction - fk.explain(light, X, emotion=fk.Emotion.ANGRY)).max() == 1


def test_own_class_names():
    clf = untrained(bright_or_dark, classes=["a", "b"])
    X = spot(10, 10)[None]
    np.testing.assert_allclose(fk.explain(clf, X, emotion="a")[0], X[0] / 255, atol=1e-6)


def test_what_a_search_chose_is_explained(light):
    faces = spot(1, 1)[np.newaxis]
    search = SimpleNamespace(best_estimator_=light)
    np.testing.assert_array_equal(fk.explain(search, faces), fk.explain(light, faces))


def test_grad_cam_is_what_the_paper_says(trained):
    """By finite differences: channel weights are mean gradients of the centred score."""
    clf, X = trained
    network = clf.model_
    last = network.get_layer("dropout3").output
    channels = last.shape[-1]
    tail = keras.Sequential([keras.Input(last.shape[1:]), *network.layers[-6:]])
    maps = keras.Model(network.input, last)
    maps = np.asarray(maps(X[:2].astype("float32"), training=False), np.float64)

    def score(values):
        logs = np.log(np.asarray(tail(values.astype("float32"), training=False), np.float64))
        return logs[:, 3] - logs.mean(axis=1)

    step = 1e-2
    weights = np.empty((2, channels))
    for channel in range(channels):
        moved = np.zeros(channels)
        moved[channel] = step
        weights[:, channel] = (score(maps + moved) - score(maps - moved)) / (2 * step * 36)
    expected = np.maximum((weights[:, None, None] * maps).sum(axis=3), 0)
    # Sampled at the cells' centres, bilinear stretching leaves the cells' own values, nearly.
    heat = fk.explain(clf, X[:2], emotion=3, method="grad_cam")
    from keras import ops

    # The network cuts off three pixels on each side.
    inner = np.array(ops.image.resize(expected[..., None], (42, 42)))[..., 0]
    stretched = np.pad(inner, ((0, 0), (3, 3), (3, 3)))
    stretched /= np.maximum(stretched.max(axis=(1, 2), keepdims=True), 1e-9)
    np.testing.assert_allclose(heat, stretched, atol=0.02)


@pytest.mark.parametrize("name", fk.list_models())
def test_every_architecture_of_the_kit(name, tmp_path):
    untrained(name, model_params=SMALL[name]).save(tmp_path / "a.fer")
    # Of random weights, nothing may speak for one emotion, but then something for the other.
    X = np.random.default_rng(0).integers(0, 256, (1, 48, 48), dtype=np.uint8).repeat(2, axis=0)
    for compute_dtype in ("float32", "bfloat16"):
        clf = fk.EmotionClassifier.load(tmp_path / "a.fer", compute_dtype=compute_dtype)
        assert clf.compute_dtype_ == compute_dtype
        for method in ("grad_cam", "hires_cam"):
            heat = fk.explain(clf, X, emotion=[0, 1], method=method)
            assert heat.shape == (2, 48, 48)
            assert heat.dtype == np.float32
            assert heat.min() >= 0
            assert np.isin(heat.max(axis=(1, 2)), [0, 1]).all()
            assert heat.any()


@pytest.mark.parametrize(
    ("builder", "layer"),
    [
        (conv_net, "second"),
        (nested_net, "second"),
        (shared_net, "twice"),
    ],
)
def test_any_network_finds_its_last_map(builder, layer):
    clf = untrained(builder)
    X = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    before = clf.predict_proba(X)
    heat = fk.explain(clf, X, method="hires_cam")
    assert heat.max() == 1
    np.testing.assert_array_equal(heat, fk.explain(clf, X, layer=layer, method="hires_cam"))
    np.testing.assert_array_equal(before, clf.predict_proba(X))
    assert all("call" not in vars(one) for one in clf.model_.layers)


def test_the_default_is_the_one_that_leaves_no_face_without_heat(trained):
    clf, X = trained
    by_default = fk.explain(clf, X)
    np.testing.assert_array_equal(by_default, fk.explain(clf, X, method="hires_cam"))
    assert np.abs(by_default - fk.explain(clf, X, method="grad_cam")).max() > 0.1
    assert (by_default.max(axis=(1, 2)) == 1).all()
    (option,) = [one for one in explain_command.params if one.name == "method"]
    assert option.default == inspect.signature(fk.explain).parameters["method"].default


def test_a_named_layer_is_taken(trained):
    clf, X = trained
    fine = fk.explain(clf, X[:2], layer="relu1")
    assert np.abs(fine - fk.explain(clf, X[:2])).max() > 0.1


def test_network_stays_as_it_was(trained):
    clf, X = trained
    before = clf.predict_proba(X)
    fk.explain(clf, X[:2])
    with pytest.raises(fk.InvalidInputError):
        fk.explain(clf, X[:2], layer="nowhere")
    again = pickle.loads(pickle.dumps(clf))  # noqa: S301 - our own
    np.testing.assert_array_equal(again.predict_proba(X), before)


def test_any_number_of_pictures_and_threads(trained):
    clf, X = trained
    many = np.concatenate([X] * 10)  # more than a batch
    expected = fk.explain(clf, X)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(fk.explain(clf, many))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 3
    for answer in answers:
        np.testing.assert_allclose(answer, np.concatenate([expected] * 10), atol=1e-4)


def test_bad_input(trained):
    clf, X = trained
    with pytest.raises(fk.InvalidInputError, match=r"received 'hapy'; did you mean 'happy'"):
        fk.explain(clf, X, emotion="hapy")
    with pytest.raises(fk.InvalidInputError, match="one for each of"):
        fk.explain(clf, X, emotion=[0, 1])
    with pytest.raises(fk.InvalidInputError, match="did you mean 'relu3'"):
        fk.explain(clf, X, layer="relu")
    with pytest.raises(fk.InvalidInputError, match="received 'dense1'"):
        fk.explain(clf, X, layer="dense1")
    with pytest.raises(fk.InvalidInputError, match="method"):
        fk.explain(clf, X, method="cam")
    with pytest.raises(fk.InvalidInputError, match="shape"):
        fk.explain(clf, X[:, :40])
    with pytest.raises(fk.InvalidInputError, match="EmotionClassifier"):
        fk.explain(object(), X)
    with pytest.raises(NotFittedError):
        fk.explain(fk.EmotionClassifier(), X)


def test_network_without_a_map_is_an_error():
    with pytest.raises(fk.InvalidInputError, match="this network has none"):
        fk.explain(untrained(tiny_network), np.zeros((1, 48, 48), np.uint8))


def test_plot_shows_each_face_twice_and_its_heat():
    X = np.stack([spot(3, 3), spot(30, 30), spot(20, 2)])
    ax = Figure(figsize=(6, 4)).subplots()
    table = np.eye(7)[[3, 4, 0]]
    assert fk.plot_explanation(X, X / 255.0, probabilities=table, ax=ax) is ax
    assert len(ax.images) == 9
    assert [text.get_text() for text in ax.texts] == ["happy 100%", "sad 100%", "angry 100%"]
    heat = ax.images[2]
    np.testing.assert_allclose(heat.get_array(), X[0] / 255)
    assert heat.get_extent() == ax.images[1].get_extent()
    ax.figure.draw_without_rendering()
    asked = fk.plot_explanation(X[:2], X[:2] / 255.0, emotion="fear", probabilities=table[:2])
    assert [text.get_text() for text in asked.texts] == ["fear 0%", "fear 0%"]
    plt.close("all")


@pytest.mark.parametrize(
    ("images", "heat", "more", "message"),
    [
        (2, np.zeros((3, 48, 48)), {}, "same length"),
        (2, np.zeros((2, 48)), {}, "shape"),
        (2, np.full((2, 48, 48), 2.0), {}, r"\[0, 1\]"),
        (2, np.full((2, 48, 48), np.nan), {}, r"\[0, 1\]"),
        (0, np.zeros((0, 48, 48)), {}, "nothing to draw"),
        (2, np.zeros((2, 48, 48)), {"emotion": ["x", "y"]}, "received 'x'"),
        (2, np.zeros((2, 48, 48)), {"probabilities": np.ones((2, 3))}, "probabilities"),
    ],
)
def test_plot_refuses(images, heat, more, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.plot_explanation(np.zeros((images, 48, 48), np.uint8), heat, **more)
