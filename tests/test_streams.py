"""Training sets that are larger than memory: arrays in a file, and batches that somebody reads."""

import gc

import keras
import numpy as np
import pytest
import tensorflow as tf

import fer2013kit as fk
from fer2013kit._image_input import StoredPictures
from fer2013kit.classifier import _inputs
from fer2013kit.classifier._streams import BatchReader
from fer2013kit.pipeline import StreamedBatches
from fits import Interrupt, assert_same_weights
from networks import tiny_network

ROWS = 16


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=70, random_state=0)


def make_classifier(**changes):
    settings = {"epochs": 2, "batch_size": ROWS, "verbose": 0, "random_state": 0, "mixup": 0.2}
    settings["augment"] = False  # mixing draws from the same numbers, and is traced in a moment
    return fk.EmotionClassifier(tiny_network, **{**settings, **changes})


@pytest.fixture
def mapped(data, tmp_path):
    np.save(tmp_path / "images.npy", data.train.images)
    return np.load(tmp_path / "images.npy", mmap_mode="r")


class Rows(keras.utils.PyDataset):
    def __init__(self, X, y):
        super().__init__()
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X) // ROWS

    def __getitem__(self, index):
        rows = slice(index * ROWS, (index + 1) * ROWS)
        return self.X[rows], self.y[rows]


def rows_of(X, y):
    return Rows(X, y), None


def tensors_of(X, y):
    return tf.data.Dataset.from_tensor_slices((X, y)).batch(ROWS, drop_remainder=True), None


def function_of(X, y):
    rows = Rows(X, fk.to_one_hot(y))
    return lambda epoch: (rows[index] for index in range(len(rows))), len(rows)


@pytest.mark.parametrize(
    ("kind", "settings"), [(np.uint8, {}), (np.float32, {"validation_fraction": 0.2})]
)
def test_pictures_that_stay_in_their_file_train_the_same_network(
    data, mapped, monkeypatch, settings, kind
):
    X = mapped if kind is np.uint8 else data.train.images / np.float32(255)
    clf = make_classifier(**settings).fit(
        np.asarray(X), data.train.labels, validation_data=None if settings else data.validation
    )
    monkeypatch.setattr(_inputs, "_HELD_IN_MEMORY", 0)
    other = make_classifier(**settings).fit(
        X, data.train.labels, validation_data=None if settings else data.validation
    )
    assert_same_weights(other, clf)
    assert other.history_["val_loss"] == pytest.approx(clf.history_["val_loss"])
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, StoredPictures)]


def test_mapped_pictures_are_predicted_without_a_copy(data, mapped):
    clf = make_classifier(epochs=1).fit(*data.train)
    assert np.shares_memory(_inputs.read_images(clf, mapped), mapped)
    np.testing.assert_array_equal(clf.predict(mapped), clf.predict(data.train.images))


def test_every_kind_of_stream_trains_resumes_and_is_forgotten(data, tmp_path):
    trained = []
    for make in (rows_of, tensors_of, function_of):
        X, steps = make(*data.train)
        clf = make_classifier(classes=range(7), checkpoint_dir=tmp_path / make.__name__)
        fit = {"steps_per_epoch": steps, "validation_data": X}
        with pytest.raises(KeyboardInterrupt):
            clf.fit(X, **fit, callbacks=[Interrupt(1)])
        trained.append(clf.fit(X, **fit))
        assert len(clf.history_["val_loss"]) == 2
        assert clf.predict(data.test.images).shape == (len(data.test),)
        X = fit = None
        gc.collect()
        kept = (StreamedBatches, BatchReader)
        assert not [one for one in gc.get_objects() if isinstance(one, kept)]
    unbroken = make_classifier(classes=range(7)).fit(rows_of(*data.train)[0])
    for clf in trained:
        assert_same_weights(clf, unbroken)


def test_a_batch_is_read_as_arrays_are():
    read = BatchReader(
        shape=(2, 2, 3),
        value_range=(0.0, 1.0),
        classes=np.array(["glad", "sad"]),
        class_weight={"glad": 1.0, "sad": 3.0},
    )
    X = np.full((2, 2, 2, 3), 0.5)
    images, targets, weights = read((X, np.array([b"sad", b"glad"], object), [2.0, 1.0]))
    assert (images == 127.5).all()
    np.testing.assert_array_equal(targets, [[0, 1], [1, 0]])
    np.testing.assert_array_equal(weights, [6, 1])
    _, targets, weights = read([X, [[0.25, 0.75], [1, 0]]])
    np.testing.assert_array_equal(targets, [[0.25, 0.75], [1, 0]])
    np.testing.assert_array_equal(weights, [3, 1])
    for wrong, word in ((["sad", None], "None"), (["sad", 1], "1"), (["sad", "Glad"], "'Glad'")):
        message = rf"^labels of a batch must hold only the classes .*received {word}"
        with pytest.raises(fk.InvalidInputError, match=message):
            read((X, np.array(wrong, object)))


def short(epoch):
    yield np.zeros((2, 48, 48), np.uint8), [0, 1]


def small(epoch):
    yield np.zeros((2, 48, 48), np.uint8), [0, 1]
    yield np.zeros((2, 40, 40), np.uint8), [0, 1]


def unlabelled(epoch):
    yield np.zeros((2, 48, 48), np.uint8)


@pytest.mark.parametrize(
    ("X", "fit", "settings", "message"),
    [
        (short, {"steps_per_epoch": 2}, {}, "epoch 1 ended after 1; expected steps_per_epoch=2"),
        (small, {"steps_per_epoch": 2}, {}, r"received \(2, 40, 40\)"),
        (unlabelled, {"steps_per_epoch": 1}, {}, r"must be \(images, labels\)"),
        (short, {}, {}, "steps_per_epoch must say"),
        (short, {"steps_per_epoch": 1}, {"classes": None}, "list all labels"),
        (short, {"steps_per_epoch": 1, "y": [0]}, {}, "y cannot be used with batches"),
        (short, {"steps_per_epoch": 1}, {"validation_fraction": 0.1}, "pass validation_data"),
        (short, {"steps_per_epoch": 1}, {"class_weight": "balanced"}, "needs all labels at once"),
        (iter([1]), {}, {}, "pass the function that makes it"),
        (np.zeros((2, 48, 48)), {"y": [0, 1], "steps_per_epoch": 1}, {}, "arrays are trained on"),
    ],
)
def test_what_a_stream_cannot_be_is_answered_with_the_way(X, fit, settings, message):
    clf = make_classifier(**{"classes": range(7), "epochs": 1, **settings})
    with pytest.raises(fk.InvalidInputError, match=message):
        clf.fit(X, **fit)
