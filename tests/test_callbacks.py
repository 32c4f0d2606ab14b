"""Keras's own callbacks in a fit: what they see, restore, save and add."""

import gc
import zipfile

import keras
import numpy as np
import pytest

import fer2013kit as fk
from fer2013kit.pipeline import TrainingBatches
from networks import tiny_network


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=210, random_state=0)


def make_classifier(**changes):
    settings = {"epochs": 5, "batch_size": 32, "augment": False, "verbose": 0, "random_state": 0}
    return fk.EmotionClassifier(tiny_network, **{**settings, "compute_dtype": "float32", **changes})


def measured(model, split):
    """Return the validation loss of a network, without the smoothing that training adds."""
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    probabilities = model(split.images.astype(np.float32), training=False)
    return float(loss(fk.to_one_hot(split.labels), probabilities))


class Seen(keras.callbacks.Callback):
    """Measures the weights that a callback sees at the end of each epoch."""

    def __init__(self, split):
        super().__init__()
        self.split = split
        self.losses = []

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(measured(self.model, self.split))


@pytest.mark.parametrize("ema_momentum", [0.999, 0.0])
def test_callbacks_see_the_weights_that_were_measured(data, ema_momentum):
    seen = Seen(data.validation)
    clf = make_classifier(ema_momentum=ema_momentum)
    clf.fit(*data.train, validation_data=data.validation, callbacks=[seen])
    np.testing.assert_allclose(seen.losses, clf.history_["val_loss"], rtol=1e-5)


def test_callbacks_change_nothing_by_looking(data):
    plain = make_classifier().fit(*data.train)
    looked = make_classifier().fit(*data.train, callbacks=[Seen(data.validation)])
    for one, other in zip(plain.model_.get_weights(), looked.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_early_stopping_gives_back_the_epoch_it_measured(data):
    labels = np.random.default_rng(0).permutation(data.validation.labels)
    stop = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    clf = make_classifier(epochs=30, learning_rate=0.5)
    clf.fit(*data.train, validation_data=(data.validation.images, labels), callbacks=[stop])
    assert len(clf.history_["val_loss"]) < 30
    split = fk.Split(data.validation.images, labels)
    assert measured(clf.model_, split) == pytest.approx(min(clf.history_["val_loss"]), rel=1e-5)


def test_weights_that_a_callback_puts_there_are_gone_on_with(data):
    class Replace(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights([np.full_like(one, 0.01) for one in self.model.get_weights()])

    clf = make_classifier(epochs=2).fit(*data.train, callbacks=[Replace()])
    assert all((weight == np.float32(0.01)).all() for weight in clf.model_.get_weights())


def test_checkpoints_of_keras_load_in_plain_keras(data, tmp_path):
    path = tmp_path / "best.keras"
    keep = keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True)
    clf = make_classifier()
    clf.fit(*data.train, validation_data=data.validation, callbacks=[keep])
    clf.model_.save(tmp_path / "last.keras")
    for name in ("best.keras", "last.keras"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert b"fer2013kit" not in archive.read("config.json")
    best = keras.models.load_model(path)
    assert measured(best, data.validation) == pytest.approx(min(clf.history_["val_loss"]), rel=1e-5)
    last = keras.models.load_model(tmp_path / "last.keras")
    assert last.optimizer.ema_momentum == pytest.approx(0.999)


def test_callbacks_may_set_a_constant_learning_rate(data):
    class Worse(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["mine"] = float(epoch)

    reduce = keras.callbacks.ReduceLROnPlateau("mine", factor=0.5, patience=1, mode="min")
    clf = make_classifier(learning_rate_schedule="constant", epochs=4)
    clf.fit(*data.train, callbacks=[Worse(), reduce])
    np.testing.assert_allclose(clf.history_["learning_rate"], [0.05, 0.05, 0.025, 0.0125])
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    clf.set_params(epochs=2).fit(*data.train, callbacks=[schedule])
    np.testing.assert_allclose(clf.history_["learning_rate"], [0.1, 0.05], rtol=1e-6)


@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.ReduceLROnPlateau(),
        keras.callbacks.LearningRateScheduler(lambda epoch: 0.1),
    ],
)
def test_a_learning_rate_that_a_schedule_sets_is_not_set_twice(data, callback):
    with pytest.raises(fk.InvalidInputError, match="learning_rate_schedule='constant'"):
        make_classifier().fit(*data.train, callbacks=[callback])


class Rate(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.1


class Words(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["mine"] = "good"


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        ([Words()], "numbers to logs, which reach history_; received 'good' as 'mine'"),
        (Words(), "must be a sequence"),
        ([Words], "must be a sequence"),
        ([Rate()], "a callback sets the learning rate, .* learning_rate_schedule='constant'"),
    ],
)
def test_callbacks_that_cannot_be_used_are_named(data, callbacks, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        make_classifier(epochs=1).fit(*data.train, callbacks=callbacks)


def _training_batches():
    gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, TrainingBatches)]


def test_a_fit_lets_its_training_set_go(data):
    before = {id(one) for one in _training_batches()}  # of other tests
    for augment in (False, True):
        make_classifier(epochs=1, augment=augment).fit(*data.train)
    assert {id(one) for one in _training_batches()} <= before
