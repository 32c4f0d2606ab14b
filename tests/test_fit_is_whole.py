"""A fit that is interrupted, fails or diverges: what is left, and what is said."""

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import fer2013kit as fk
from networks import tiny_network


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=140, random_state=0)


def make_classifier(**changes):
    settings = {"epochs": 2, "batch_size": 56, "augment": False, "verbose": 0, "random_state": 0}
    return fk.EmotionClassifier(tiny_network, **{**settings, **changes})


@pytest.fixture(scope="module")
def fitted(data):
    return make_classifier(epochs=1).fit(*data.train).calibrate(*data.validation)


class Boom(keras.callbacks.Callback):
    """Fails at one of Keras's hooks."""

    def __init__(self, hook, error):
        super().__init__()

        def fail(*args, **kwargs):
            raise error("boom")

        setattr(self, hook, fail)


HOOKS = [
    "on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_test_begin", "on_test_batch_end",
    "on_test_end", "on_epoch_end", "on_train_end",
]  # fmt: skip


@pytest.mark.parametrize(
    ("hook", "error"),
    [*((hook, KeyboardInterrupt) for hook in HOOKS), ("on_epoch_end", OSError)],
)
def test_broken_fit_leaves_the_classifier_as_it_was(data, fitted, hook, error):
    before = fitted.predict_proba(data.test.images)
    attributes = {name: value for name, value in vars(fitted).items() if name.endswith("_")}
    two = np.where(data.train.labels == fk.Emotion.HAPPY, "smile", "other")
    with pytest.raises(error, match="boom"):
        fitted.fit(
            data.train.images, two, callbacks=[Boom(hook, error)],
            validation_data=(data.train.images, two),
        )  # fmt: skip
    now = {name: value for name, value in vars(fitted).items() if name.endswith("_")}
    assert now.keys() == attributes.keys()
    assert all(now[name] is value for name, value in attributes.items())
    np.testing.assert_array_equal(fitted.predict_proba(data.test.images), before)
    assert fitted.temperature_ != 1.0


def test_the_error_holds_the_epochs_that_were_done(data):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    clf = make_classifier()
    with pytest.raises(KeyboardInterrupt) as caught:
        clf.fit(*data.train, callbacks=[Stop()])
    assert len(caught.value.history_["loss"]) == 1
    assert not hasattr(clf, "history_")


def test_wrong_input_leaves_the_classifier_as_it_was(data, fitted):
    before = dict(vars(fitted))
    with pytest.raises(fk.InvalidInputError):
        fitted.fit(data.train.images, data.train.labels[:-1])
    with pytest.raises(fk.InvalidInputError):
        fitted.fit(*data.train, soft_targets=np.ones((3, 7)))
    assert vars(fitted) == before


def test_fitted_attributes_do_not_follow_settings(data, tmp_path):
    clf = make_classifier(epochs=1).fit(*data.train)
    before = clf.predict_proba(data.test.images)
    clf.set_params(classes=list(range(9)), class_names=None, model_params={"units": 3})
    assert clf.class_names_ == fk.CLASS_NAMES
    assert clf.evaluate(*data.test).class_names == fk.CLASS_NAMES
    clf.save(tmp_path / "a.fer")
    again = fk.EmotionClassifier.load(tmp_path / "a.fer", model=tiny_network)
    assert again.class_names_ == fk.CLASS_NAMES
    np.testing.assert_array_equal(again.predict_proba(data.test.images), before)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patience": 2}, "patience needs validation_data"),
        ({"restore_best_weights": True}, "restore_best_weights needs validation_data"),
        ({"monitor": "val_loss"}, "monitor needs validation_data"),
        ({"monitor": "val_acc"}, "did you mean 'val_accuracy'"),
        ({"monitor": "acuracy", "patience": 2}, "did you mean 'accuracy'"),
    ],
)
def test_what_could_have_no_effect_is_refused(data, settings, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        make_classifier(**settings).fit(*data.train)


def test_figures_of_the_training_set_are_watched_without_validation(data):
    clf = make_classifier(epochs=3, monitor="loss", restore_best_weights=True, patience=1)
    clf.fit(*data.train)
    assert clf.best_epoch_ == int(np.argmin(clf.history_["loss"]))


def test_a_callbacks_figure_may_be_watched_and_must_come(data):
    class Figure(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["mine"] = [3.0, 5.0, 4.0][epoch]

    clf = make_classifier(epochs=3, monitor="mine", patience=5)
    clf.fit(*data.train, callbacks=[Figure()])
    assert clf.history_["mine"] == [3.0, 5.0, 4.0]
    assert clf.best_epoch_ == 1
    with pytest.raises(fk.InvalidInputError, match=r"monitor must be .*received 'mime'"):
        clone(clf).set_params(monitor="mime").fit(*data.train, callbacks=[Figure()])


class Spoil(keras.callbacks.Callback):
    """Makes a weight infinite before an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            weights = self.model.get_weights()
            self.model.set_weights([np.full_like(one, np.inf) for one in weights])


def test_divergence_keeps_the_last_good_epoch(data):
    with pytest.warns(ConvergenceWarning, match=r"epoch 2, step 1; the weights of epoch 1 are"):
        clf = make_classifier(epochs=4, ema_momentum=0.0).fit(*data.train, callbacks=[Spoil(1)])
    good = make_classifier(epochs=4, ema_momentum=0.0)

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    good.fit(*data.train, callbacks=[Stop()])
    assert len(clf.history_["loss"]) == 1
    np.testing.assert_array_equal(
        clf.predict_proba(data.test.images), good.predict_proba(data.test.images)
    )


def test_an_epoch_that_ends_with_spoilt_weights_is_not_kept(data):
    class SpoilAtTheEnd(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                weights = self.model.get_weights()
                self.model.set_weights([np.full_like(one, np.nan) for one in weights])

    for epochs in (2, 3):  # at the end of the run, and before
        with pytest.warns(ConvergenceWarning, match="the weights of epoch 1 are kept"):
            clf = make_classifier(epochs=epochs).fit(*data.train, callbacks=[SpoilAtTheEnd()])
        assert np.isfinite(clf.predict_proba(data.test.images)).all()


def test_divergence_from_the_beginning_is_an_error(data):
    clf = make_classifier()
    with pytest.raises(fk.TrainingDivergedError, match=r"epoch 1, step 1; lower learning_rate"):
        clf.fit(*data.train, callbacks=[Spoil(0)])
    assert not hasattr(clf, "classes_")


def test_a_network_of_nan_never_predicts(data):
    clf = make_classifier(epochs=1).fit(*data.train)
    clf.model_.set_weights([np.full_like(one, np.nan) for one in clf.model_.get_weights()])
    with pytest.raises(fk.TrainingDivergedError, match="gives no numbers"):
        clf.predict(data.test.images)
