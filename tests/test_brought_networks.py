"""Networks as people write them, through every door of the classifier."""

import pickle

import keras
import numpy as np
import pytest
from keras import layers

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
    """Another size inside, and layers behind it that compute otherwise in training."""
    images = keras.Input(input_shape)
    x = layers.Rescaling(1 / 255)(layers.Resizing(24, 24)(images))
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
    """Make a classifier that trains for a moment; to trace augmentation takes longer."""
    settings = {"epochs": 1, "augment": False, "verbose": 0, "random_state": 0}
    return fk.EmotionClassifier(builder, **{**settings, **changes})


NETWORKS = [biased, resized, unbuilt, subclassed, logits, two_outputs, excited]


@pytest.mark.parametrize("builder", NETWORKS)
def test_every_door(builder, data, tmp_path):
    X = data.test.images
    clf = make_classifier(builder, compute_dtype="float32")
    probabilities = clf.fit(*data.train).predict_proba(X)
    plain = keras.ops.convert_to_numpy(clf.model_(X.astype(np.float32), training=False))
    np.testing.assert_allclose(probabilities, plain, atol=1e-5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(clf.predict_log_proba(X), np.log(probabilities), rtol=1e-5)
    clf.save(tmp_path / "a.fer")
    copies = [fk.EmotionClassifier.load(tmp_path / "a.fer", model=builder)]
    copies.append(pickle.loads(pickle.dumps(clf)))  # noqa: S301 - our own bytes
    for copy in copies:
        np.testing.assert_array_equal(copy.predict_proba(X), probabilities)
    assert clf.evaluate(*data.test).n_samples == len(X)
    assert clf.export(tmp_path / "a.tflite").largest_difference < 1e-4
    clf.set_params(warm_start=True).fit(*data.train)


def test_exports_of_a_resizing_network_agree(data, tmp_path):
    clf = make_classifier(resized).fit(*data.train)
    for name in ("saved_model", "a.keras", "a.onnx"):
        assert clf.export(tmp_path / name).largest_difference < 1e-4


def test_export_that_a_format_cannot_express_says_so(data, tmp_path):
    clf = make_classifier(subclassed).fit(*data.train)
    with pytest.raises(fk.ModelFileError, match="get_config"):
        clf.export(tmp_path / "a.keras")


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


def test_regularised_activities_compute_in_float32(data, caplog):
    clf = make_classifier(excited, compute_dtype="bfloat16")
    assert clf.fit(*data.train).compute_dtype_ == "float32"
    assert "activities are regularised" in caplog.text


def sigmoids(input_shape, num_classes):
    return keras.Sequential(
        [keras.Input(input_shape), layers.Flatten(), layers.Dense(num_classes, "sigmoid")]
    )


def two_inputs(input_shape, num_classes):
    images = [keras.Input(input_shape), keras.Input(input_shape)]
    return keras.Model(images, end(num_classes)(layers.Flatten()(layers.Add()(images))))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (sigmoids, "received an end in 'sigmoid'"),
        (two_inputs, "received 2 inputs"),
        (unbuilt((48, 48, 1), 7), "pass lambda input_shape, num_classes"),
        (Own, "a class is called as a builder is"),
        (lambda input_shape, num_classes: Own(3), r"must return \(n, 7\) probabilities"),
    ],
)
def test_what_cannot_be_trained_is_answered_with_the_way(model, message, data):
    with pytest.raises(fk.InvalidInputError, match=message):
        make_classifier(model).fit(*data.train)


def test_the_way_out_for_a_built_network_works(data):
    network = biased((48, 48, 1), 7)
    clf = make_classifier(lambda input_shape, num_classes: keras.models.clone_model(network))
    assert clf.fit(*data.train).predict(data.test.images).shape == (len(data.test),)


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
    clf = fk.EmotionClassifier(two_answers, output=output, epochs=1, verbose=0).fit(*data.train)
    assert [layer.name for layer in clf.model_.layers][-1] == "end"
    clf.save(tmp_path / "a.fer")
    again = fk.EmotionClassifier.load(tmp_path / "a.fer", model=two_answers)
    np.testing.assert_array_equal(again.predict(data.test.images), clf.predict(data.test.images))
    assert again.threads_ == clf.threads_ >= 1
    with pytest.raises(fk.InvalidInputError, match="did you mean 'emotion'"):
        clf.set_params(output="emotions").fit(*data.train)
