"""Networks as people write them, through every door of the classifier."""

import pickle

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.base import clone

import fer2013kit as fk


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=70, random_state=0)


def end(classes):
    return layers.Dense(classes, activation="softmax", dtype="float32", name="end")


def biased(input_shape, num_classes):
    """The ordinary CNN: layers with a bias before batch normalisation."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, strides=4, bias_initializer="ones"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(8, bias_initializer="ones"),
            layers.BatchNormalization(),
            layers.ReLU(),
            end(num_classes),
        ]
    )


def resized(input_shape, num_classes):
    """Size, colours and statistics as a backbone wants them, and layers that train otherwise."""
    images = keras.Input(input_shape)
    x = layers.Resizing(24, 24)(images)
    x = layers.Normalization(mean=[124.0, 116.0, 104.0], variance=[3400.0, 3300.0, 3200.0])(
        layers.Concatenate()([x, x, x])
    )
    x = layers.Rescaling(0.5, offset=0.1)(x)
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, strides=4)(x))
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    return keras.Model(images, end(num_classes)(x))


def unbuilt(input_shape, num_classes):
    return keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), end(num_classes)])


class Own(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.flatten, self.end = layers.Flatten(), end(classes)

    def call(self, images):
        return self.end(self.flatten(images / 255))


def subclassed(input_shape, num_classes):
    return Own(num_classes)


def logits(input_shape, num_classes):
    return keras.Sequential(
        [layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(num_classes)]
    )


def two_outputs(input_shape, num_classes):
    images = keras.Input(input_shape)
    x = layers.Dense(8, activation="relu")(layers.Flatten()(layers.Rescaling(1 / 255)(images)))
    return keras.Model(images, {"emotion": end(num_classes)(x), "age": layers.Dense(1)(x)})


def two_answers(input_shape, num_classes):
    images = keras.Input(input_shape)
    x = layers.Flatten()(layers.Rescaling(1 / 255)(images))
    side = layers.Dense(num_classes, activation="softmax", dtype="float32", name="side")(x)
    return keras.Model(images, {"helper": side, "emotion": end(num_classes)(x)})


def excited(input_shape, num_classes):
    """A squeeze-and-excite block, and a regulariser of what a layer returns."""
    images = keras.Input(input_shape)
    x = layers.Conv2D(4, 3, strides=4, activation="relu", activity_regularizer="l2", name="conv1")(
        layers.Rescaling(1 / 255)(images)
    )
    gate = layers.Dense(4, activation="sigmoid", name="gate")(layers.GlobalAveragePooling2D()(x))
    x = layers.Multiply()([x, layers.Reshape((1, 1, 4))(gate)])
    x = layers.Conv2D(4, 3, name="conv2")(x)
    return keras.Model(images, end(num_classes)(layers.Flatten()(x)))


def make_classifier(builder, **changes):
    """Make a classifier that trains for a moment; to trace more than the network takes longer."""
    settings = {"epochs": 1, "augment": False, "ema_momentum": 0.0, "weight_decay": 0.0}
    settings |= {"verbose": 0, "random_state": 0}
    return fk.EmotionClassifier(builder, **{**settings, **changes})


def nested(input_shape, num_classes):
    """A backbone and a head, as transfer learning puts them together."""
    images, maps = keras.Input(input_shape), keras.Input((12, 12, 4))
    backbone = keras.Sequential(
        [layers.Rescaling(1 / 255), layers.Conv2D(4, 4, strides=4), layers.BatchNormalization()],
        name="block",
    )
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="conv")(maps))
    head = keras.Model(maps, end(num_classes)(x))
    return keras.Model(images, head(backbone(images)))


def separable(input_shape, num_classes):
    """Normalisation first, and after convolutions of other kinds."""
    return keras.Sequential(
        [
            layers.BatchNormalization(),
            layers.SeparableConv2D(4, 3, strides=4, bias_initializer="ones"),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.DepthwiseConv2D(3, bias_initializer="ones"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Flatten(),
            end(num_classes),
        ]
    )


def shared(input_shape, num_classes):
    """A convolution and its normalisation that work twice."""
    images = keras.Input(input_shape)
    conv, norm = (
        layers.Conv2D(1, 3, padding="same", bias_initializer="ones"),
        layers.BatchNormalization(),
    )
    x = layers.AveragePooling2D(4)(layers.Rescaling(1 / 255)(images))
    x = norm(conv(layers.ReLU()(norm(conv(x)))))
    return keras.Model(images, end(num_classes)(layers.Flatten()(x)))


def attentive(input_shape, num_classes):
    """Patches that look at each other, and gelu."""
    images = keras.Input(input_shape)
    patches = layers.Conv2D(4, 12, strides=12)(layers.Rescaling(1 / 255)(images))
    x = layers.Reshape((16, 4))(patches)
    x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(1, 4)(x, x)]))
    x = layers.GlobalAveragePooling1D()(layers.Dense(4, activation="gelu")(x))
    return keras.Model(images, end(num_classes)(x))


class Scaled(layers.Layer):
    """A layer as people write it, with weights of its own, that trains otherwise."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, inputs, training=False):
        return inputs * self.scale * (self.factor if training else 1.0)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def own_layer(input_shape, num_classes):
    images = keras.Input(input_shape)
    x = layers.Conv2D(4, 4, strides=4, activation="relu")(layers.Rescaling(1 / 255)(images))
    return keras.Model(images, end(num_classes)(layers.GlobalAveragePooling2D()(Scaled(0.5)(x))))


NETWORKS = [
    biased, resized, unbuilt, subclassed, logits, two_outputs, excited, nested, separable, shared,
    attentive, own_layer,
]  # fmt: skip
WITHOUT_MAPS = (unbuilt, subclassed, logits, two_outputs)


@pytest.mark.slow
@pytest.mark.parametrize("builder", NETWORKS)
def test_every_door(builder, data, tmp_path):
    X = data.test.images
    clf = make_classifier(builder, compute_dtype="float32")
    probabilities = clf.fit(*data.train).predict_proba(X)
    plain = keras.ops.convert_to_numpy(clf.model_(X.astype(np.float32), training=False))
    np.testing.assert_allclose(probabilities, plain, atol=1e-5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(clf.predict_log_proba(X), np.log(probabilities))
    assert clf.evaluate(*data.test).n_samples == len(X)

    clf.save(tmp_path / "a.fer")
    copies = [fk.EmotionClassifier.load(tmp_path / "a.fer", model=builder)]
    copies.append(pickle.loads(pickle.dumps(clf)))  # noqa: S301 - our own bytes
    for copy in copies:
        np.testing.assert_array_equal(copy.predict_proba(X), probabilities)

    for name in ("a.tflite", "a.onnx", "a.keras", "saved_model"):
        if (builder, name) == (subclassed, "a.keras"):
            with pytest.raises(fk.ModelFileError, match="get_config"):
                clf.export(tmp_path / name, images=X)
        else:
            assert clf.export(tmp_path / name, images=X).largest_difference < 1e-4

    if builder in WITHOUT_MAPS:
        with pytest.raises(fk.InvalidInputError, match="this network has none"):
            fk.explain(clf, X[:1])
    else:
        assert np.isfinite(fk.explain(clf, X[:1])).all()

    freeze = (lambda layer: layer.name == "flatten") if builder is subclassed else "convolutions"
    clf.set_params(warm_start=True, freeze=freeze).fit(*data.train)
    assert not np.array_equal(clf.predict_proba(X), probabilities)


@pytest.fixture(scope="module")
def trained(data):
    clf = make_classifier(excited)
    return pickle.dumps(clf.fit(*data.train))


@pytest.mark.parametrize(
    ("freeze", "frozen"),
    [
        ("convolutions", {"conv1", "gate", "conv2"}),
        ("conv1", {"conv1"}),
        (-1, None),
        (3, {"conv1"}),
        (lambda layer: layer.name == "conv2", {"conv2"}),
        ("conv3", None),
    ],
)
def test_what_may_be_frozen(freeze, frozen, data, trained):
    clf = pickle.loads(trained)  # noqa: S301 - our own bytes
    before = {layer.name: layer.get_weights() for layer in clf.model_.layers if layer.weights}
    clf.set_params(warm_start=True, freeze=freeze)
    if frozen is None:
        with pytest.raises(fk.InvalidInputError, match="freeze must"):
            clf.fit(*data.train)
        return
    clf.fit(*data.train)
    stayed = {
        layer.name
        for layer in clf.model_.layers
        if layer.weights and np.array_equal(layer.get_weights()[0], before[layer.name][0])
    }
    assert stayed == frozen
    assert all(layer.trainable for layer in clf.model_.layers)


@pytest.mark.parametrize(("freeze", "learning"), [("conv", 2), ("convolutions", 2), ("block", 4)])
def test_freezing_reaches_into_networks_inside(freeze, learning, data):
    clf = make_classifier(nested).fit(*data.train).set_params(warm_start=True, freeze=freeze)
    before = clf.model_.get_weights()
    after = clf.fit(*data.train).model_.get_weights()
    same = [np.array_equal(one, other) for one, other in zip(before, after, strict=True)]
    assert same == [True] * (len(same) - learning) + [False] * learning


def test_regularised_activities_compute_in_float32(data, caplog):
    clf = make_classifier(excited, compute_dtype="bfloat16")
    assert clf.fit(*data.train).compute_dtype_ == "float32"
    assert "activities are regularised" in caplog.text


def sigmoids(input_shape, num_classes):
    return keras.Sequential(
        [keras.Input(input_shape), layers.Flatten(), layers.Dense(num_classes, "sigmoid")]
    )


def log_probabilities(input_shape, num_classes):
    return keras.Sequential(
        [keras.Input(input_shape), layers.Flatten(), layers.Dense(num_classes, "log_softmax")]
    )


def two_inputs(input_shape, num_classes):
    images = [keras.Input(input_shape), keras.Input(input_shape)]
    return keras.Model(images, end(num_classes)(layers.Flatten()(layers.Add()(images))))


class Wordless(keras.Model):
    def call(self, images):
        raise AssertionError  # with no message


def of_other_images(*shape):
    images = keras.Input(shape)
    network = keras.Model(images, end(7)(layers.Flatten()(images)))
    return lambda input_shape, num_classes: keras.models.clone_model(network)


def over_images(input_shape, num_classes):
    return keras.Sequential(
        [keras.Input(input_shape), layers.Flatten(), layers.Dense(num_classes), layers.Softmax(0)]
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (of_other_images(48, 48, 3), r"takes images \(48, 48, 3\), and they are \(48, 48, 1\)"),
        (of_other_images(1, 48, 48), r"takes images \(1, 48, 48\)"),
        (of_other_images(64, 64, 1), r"takes images \(64, 64, 1\)"),
        (of_other_images(2304), r"takes images \(2304,\)"),
        (over_images, r"Softmax over axis 0"),
        (sigmoids, "received an end in 'sigmoid'"),
        (two_inputs, "received 2 inputs"),
        (unbuilt((48, 48, 1), 7), "pass lambda input_shape, num_classes"),
        (lambda input_shape, num_classes: Wordless(), "cannot be called with images"),
        (Own, "a class is called as a builder is"),
        (lambda shape, n: Own(n), "called with input_shape=, num_classes= and"),
        (lambda input_shape, num_classes: Own(3), r"must return \(n, 7\) probabilities"),
    ],
)
def test_what_cannot_be_trained_is_answered_with_the_way(model, message, data):
    with pytest.raises(fk.InvalidInputError, match=message):
        make_classifier(model).fit(*data.train)


def test_what_a_network_was_compiled_with_is_said_to_be_left_out(data, caplog):
    def compiled(input_shape, num_classes):
        network = unbuilt(input_shape, num_classes)
        network.compile("adam", "categorical_crossentropy")
        return network

    clf = make_classifier(compiled).fit(*data.train)
    assert "compiled is compiled, but its optimizer, loss and metrics" in caplog.text
    assert isinstance(clf.model_.optimizer, keras.optimizers.SGD)
    caplog.clear()
    make_classifier(unbuilt).fit(*data.train)
    assert "compiled" not in caplog.text


def test_logarithms_of_probabilities_are_logits(data):
    model = fk.create_model(log_probabilities)
    images = data.test.images.astype(np.float32)
    given = keras.Model(model.inputs[0], model.layers[-2].output)(images)
    np.testing.assert_allclose(model(images), np.exp(given), atol=1e-5)


def test_a_probability_of_nothing_has_the_logarithm_of_it(data):
    clf = make_classifier(unbuilt).fit(*data.train)
    *_, bias = weights = clf.model_.get_weights()
    bias[0] = -1e4
    clf.model_.set_weights(weights)
    logarithms = clf.predict_log_proba(data.test.images)
    assert (logarithms[:, 0] == -np.inf).all()
    assert np.isfinite(logarithms[:, 1:]).all()


def test_the_way_out_for_a_built_network_works(data):
    network = biased((48, 48, 1), 7)
    clf = make_classifier(lambda input_shape, num_classes: keras.models.clone_model(network))
    assert clf.fit(*data.train).predict(data.test.images).shape == (len(data.test),)
    with_weights = make_classifier(lambda input_shape, num_classes: network, learning_rate=0)
    after = with_weights.fit(*data.train).model_.get_layer("end").kernel
    np.testing.assert_array_equal(after, network.get_layer("end").kernel)
    assert after is not network.get_layer("end").kernel


def test_a_loss_and_metrics_of_ones_own_are_copied(data, tmp_path):
    loss, auc = keras.losses.KLDivergence(), keras.metrics.AUC(name="area")
    clf = make_classifier(
        unbuilt, loss=loss, metrics=[auc, "top_k_categorical_accuracy"],
        monitor="val_area", patience=3,
    )  # fmt: skip
    clf.fit(*data.train, validation_data=data.validation)
    assert {"area", "val_area", "top_k_categorical_accuracy"} <= clf.history_.keys()
    assert type(clf.model_.loss) is keras.losses.KLDivergence
    assert clf.model_.loss is not loss
    assert float(auc.result()) == 0.0
    clf.save(tmp_path / "a.fer")
    assert fk.EmotionClassifier.load(tmp_path / "a.fer", model=unbuilt).loss == "crossentropy"


class Sharp(keras.losses.Loss):
    """A loss whose configuration says nothing of its argument."""

    def __init__(self, power):
        super().__init__()
        self.power = power

    def call(self, targets, probabilities):
        return keras.ops.sum(keras.ops.abs(targets - probabilities) ** self.power, axis=-1)


class Counted(keras.metrics.Mean):
    def __init__(self, each=1, **kwargs):
        super().__init__(**kwargs)
        self.each = each


@pytest.mark.parametrize("loss", [Sharp(3.0), keras.losses.Huber(delta=0.01)])
def test_a_loss_is_copied_with_its_arguments(loss, data):
    clf = make_classifier(unbuilt, loss=loss, metrics=["accuracy"], learning_rate=1e-12)
    clf = clone(clf)
    history = clf.fit(*data.train).history_
    expected = float(loss(fk.to_one_hot(data.train.labels), clf.predict_proba(data.train.images)))
    assert history["loss"] == [pytest.approx(expected, rel=1e-4)]
    assert type(clf.model_.loss) is type(loss)
    assert history.keys() == {"loss", "accuracy", "learning_rate"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": keras.losses.SparseCategoricalCrossentropy()}, "loss Sparse.* one-hot targets"),
        ({"loss": keras.losses.CategoricalCrossentropy(from_logits=True)}, "leave from_logits out"),
        ({"loss": keras.losses.KLDivergence(reduction=None)}, r"numbers of shape \(8,\)"),
        ({"loss": "mse"}, "or a keras.losses.Loss; received 'mse'"),
        ({"loss": lambda targets, probabilities: 0.0}, "as the method call.self, y_true, y_pred."),
        (
            {"learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 9)},
            r"a schedule of Keras goes into an optimizer",
        ),
        ({"metrics": [keras.metrics.SparseCategoricalAccuracy()]}, "named Sparse take other"),
        ({"metrics": [keras.metrics.F1Score()]}, r"numbers of shape \(7,\): set its average"),
        ({"metrics": [keras.metrics.AUC(name="loss")]}, "'loss' is there twice"),
        ({"metrics": [Counted(each=2)]}, "its get_config lacks each"),
        ({"metrics": ["accurracy"]}, "names that Keras knows"),
    ],
)
def test_what_cannot_judge_a_run_is_refused_before_it(changes, message, data):
    with pytest.raises(fk.InvalidInputError, match=message):
        make_classifier(unbuilt, **changes).fit(*data.train)


def test_eight_classes_have_their_words(data, tmp_path):
    words = (*fk.CLASS_NAMES, "contempt")
    clf = make_classifier(unbuilt, class_names=words)
    clf.fit(*data.train)
    assert clf.class_names_ == words
    assert clf.classes_.tolist() == list(range(8))
    clf.save(tmp_path / "a.fer")
    assert fk.EmotionClassifier.load(tmp_path / "a.fer", model=unbuilt).class_names_ == words
    listed = make_classifier(unbuilt, classes=[6, 5, 4, 3, 2, 1, 0], class_names=words[6::-1])
    assert listed.fit(*data.train).class_names_ == fk.CLASS_NAMES
    with pytest.raises(fk.InvalidInputError, match="class_names must be a name of its own"):
        listed.set_params(class_names=["a", "b"]).fit(*data.train)


@pytest.mark.parametrize("output", ["emotion", "end"])
def test_an_output_is_chosen_by_its_name(output, data, tmp_path):
    clf = make_classifier(two_answers, output=output).fit(*data.train)
    assert [layer.name for layer in clf.model_.layers][-1] == "end"
    clf.save(tmp_path / "a.fer")
    again = fk.EmotionClassifier.load(tmp_path / "a.fer", model=two_answers)
    np.testing.assert_array_equal(again.predict(data.test.images), clf.predict(data.test.images))
    assert again.threads_ == clf.threads_ >= 1
    with pytest.raises(fk.InvalidInputError, match="did you mean 'emotion'"):
        clf.set_params(output="emotions").fit(*data.train)
