import copy
import json
import zipfile

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold, cross_val_score

import fer2013kit as fk
from fits import make_classifier
from networks import tiny_network


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=140, random_state=0)


@pytest.fixture(scope="module")
def members(data):
    """Two architectures: one of the kit, one of a user."""
    options = {"epochs": 1, "augment": False, "compute_dtype": "float32"}
    first = make_classifier(**options).fit(*data.train).calibrate(*data.validation)
    second = fk.EmotionClassifier(tiny_network, verbose=0, random_state=1, **options)
    return [first, second.fit(*data.train)]


@pytest.fixture
def ensemble(members):
    return fk.EnsembleClassifier(members, weights=(3, 1))


def test_answers_are_the_weighted_mean(ensemble, members, data):
    X, y = data.test
    one, other = (member.predict_proba(X) for member in members)
    np.testing.assert_allclose(ensemble.predict_proba(X), (3 * one + other) / 4, atol=1e-6)
    assert ensemble.evaluate(X, y).accuracy == np.mean(ensemble.predict(X) == y)
    assert ensemble.score(X, y) == np.mean(ensemble.predict(X) == y)
    assert set(ensemble.predict(X, min_confidence=1)) == {-1}
    np.testing.assert_array_equal(ensemble.predict_log_proba(X), np.log(ensemble.predict_proba(X)))
    plain = fk.EnsembleClassifier(members)
    np.testing.assert_allclose(plain.predict_proba(X), (one + other) / 2, atol=1e-6)


def test_calibrated_ensemble_is_saved_and_exported_as_one(ensemble, data, tmp_path, monkeypatch):
    from fer2013kit.models import _registry

    X = data.test.images
    for method in ("isotonic", "temperature", "vector"):
        ensemble.calibrate(*data.validation, method=method)
        expected = ensemble.predict_proba(X)
        monkeypatch.setitem(_registry._builders, "tiny_network", tiny_network)
        ensemble.save(tmp_path / "both.fers")
        again = fk.EnsembleClassifier.load(tmp_path / "both.fers")
        np.testing.assert_allclose(again.predict_proba(X), expected, atol=1e-6)
        if method == "isotonic":
            with pytest.raises(fk.InvalidInputError, match="isotonic"):
                ensemble.export(tmp_path / "both.tflite")
        assert type(fk.load_predictor(tmp_path / "both.fers")) is fk.EnsembleClassifier
    ensemble.export(tmp_path / "both.tflite")
    network = fk.EmotionPredictor.load(tmp_path / "both.tflite")
    np.testing.assert_allclose(network.predict_proba(X), expected, atol=1e-3)


def test_files_that_are_no_ensemble(tmp_path, members):
    with pytest.raises(fk.ModelFileError, match="no such file"):
        fk.EnsembleClassifier.load(tmp_path / "none.fers")
    path = tmp_path / "one.fers"
    members[0].save(path)
    with pytest.raises(fk.ModelFileError, match="no ensemble saved by fer2013kit"):
        fk.EnsembleClassifier.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ensemble.json", json.dumps({"format": 9, "members": 2, "temperature": 1}))
    with pytest.raises(fk.ModelFileError, match="format 9"):
        fk.EnsembleClassifier.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "ensemble.json", json.dumps({"format": 1, "members": 101, "temperature": 1})
        )
    with pytest.raises(fk.ModelFileError, match=r"of 101 members.* up to 100"):
        fk.EnsembleClassifier.load(path)


def test_members_that_do_not_fit(members, data):
    words = fk.EmotionClassifier(tiny_network, epochs=1, augment=False, verbose=0)
    words.fit(data.train.images[:40], np.array(["a", "b"] * 20))
    small = fk.EmotionClassifier(tiny_network, epochs=1, image_shape=(24, 24, 1), verbose=0)
    small.fit(data.train.images[:, ::2, ::2], data.train.labels)
    for given, message in (
        (members[:1], "at least two classifiers; received 1"),
        ([members[0], words], "same classes; number 1"),
        ([members[0], small], r"images of one shape; number 1 takes \(24, 24, 1\)"),
        ([members[0], fk.EmotionClassifier()], "must be fitted"),
        ([members[0], 3], "must be fitted EmotionClassifiers; received 3"),
        ((one for one in members), "must be a list or tuple of classifiers"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            fk.EnsembleClassifier(given)
    for weights in ((1,), (1, -1), (0, 0), ("a", "b")):
        with pytest.raises(fk.InvalidInputError, match="weights must be 2 numbers"):
            fk.EnsembleClassifier(members, weights=weights)
    changed = fk.EnsembleClassifier(members).set_params(weights=(1, 2, 3))
    with pytest.raises(fk.InvalidInputError, match="weights must be 2 numbers"):
        changed.predict(data.test.images)


def test_members_that_mean_another_class_by_a_code(data):
    kept = data.train.labels < 2
    X, y = data.train.images[kept], data.train.labels[kept]
    options = {"epochs": 1, "augment": False, "verbose": 0}
    first = fk.EmotionClassifier(tiny_network, class_names=["angry", "disgust"], **options)
    other = fk.EmotionClassifier(tiny_network, class_names=["disgust", "angry"], **options)
    both = [first.fit(X, y), other.fit(X, 1 - y)]
    with pytest.raises(fk.InvalidInputError, match="mean the same by their classes; number 1"):
        fk.EnsembleClassifier(both)
    with pytest.raises(fk.InvalidInputError, match="same names; number 1"):
        fk.average_weights(both, X)


def test_members_of_other_classes_later_on(members, data):
    ensemble = fk.EnsembleClassifier(members)
    words = fk.EmotionClassifier(tiny_network, epochs=1, augment=False, verbose=0)
    words.fit(data.train.images[:40], np.array(["a", "b"] * 20))
    ensemble.set_params(members=[words, words])
    assert list(ensemble.classes_) == list(ensemble.class_names_) == ["a", "b"]
    assert set(ensemble.predict(data.test.images)) <= {"a", "b"}
    ensemble.set_params(members=[words, members[0]])
    with pytest.raises(fk.InvalidInputError, match="same classes; number 1"):
        ensemble.predict(data.test.images)


def test_floats_that_mean_different_levels_to_the_members(members, data):
    X = data.test.images
    bright = copy.deepcopy(members[1]).set_params(value_range=(0, 255))
    ensemble = fk.EnsembleClassifier([members[0], bright])
    expected = fk.EnsembleClassifier(members).predict_proba(X)
    np.testing.assert_allclose(ensemble.predict_proba(X), expected, atol=1e-6)
    with pytest.raises(fk.InvalidInputError, match="integers from 0 to 255"):
        ensemble.predict_proba(X / 255)


def test_scikit_learn_measures_the_fitted_members(ensemble, data):
    X, y = data.test
    scores = cross_val_score(ensemble, X, y, cv=KFold(2))
    assert np.average(scores, weights=[7, 7]) == pytest.approx(ensemble.score(X, y))
    assert clone(ensemble).get_params(deep=False) == ensemble.get_params(deep=False)
    ensemble.calibrate(*data.validation, method="vector")
    np.testing.assert_array_equal(clone(ensemble).predict_proba(X), ensemble.predict_proba(X))


# --- distillation ------------------------------------------------------------------------------


class Teacher:
    """Knows nothing but the number of images; its columns are in another order."""

    classes_ = ("neutral", *fk.CLASS_NAMES[:-1])

    def __init__(self, change=lambda table: table):
        self.change = change

    def predict_proba(self, X):
        return self.change(self.table(X))

    def table(self, X):
        table = np.full((len(X), 7), 0.02)
        table[:, 1] = 0.88  # angry
        return table


def test_pupil_says_what_the_teacher_says(data):
    X, y = data.train
    options = {"label_smoothing": 0, "augment": False, "epochs": 30, "learning_rate": 0.01}
    options |= {"compute_dtype": "float32", "verbose": 0, "random_state": 0, "weight_decay": 0}
    pupil = fk.EmotionClassifier(tiny_network, **options)
    pupil.fit(X, y, teacher=Teacher(), distillation_alpha=1)
    assert pupil.predict_proba(X)[:, 0].mean() == pytest.approx(0.88, abs=0.1)
    pupil.fit(X, y, teacher=Teacher(), distillation_alpha=1, distillation_temperature=50)
    assert pupil.predict_proba(X)[:, 0].mean() == pytest.approx(1 / 7, abs=0.1)


def test_teacher_that_does_not_fit(data):
    X, y = data.train
    clf = fk.EmotionClassifier(tiny_network, epochs=1, verbose=0)
    for options, message in (
        ({"teacher": 3}, "teacher must have predict_proba"),
        ({"distillation_alpha": 0.9}, "give teacher, too, or neither; .*0.9"),
        ({"distillation_temperature": 2}, "give teacher, too, or neither"),
        ({"teacher": Teacher(), "distillation_alpha": 2}, "distillation_alpha must be"),
        ({"teacher": Teacher(), "distillation_temperature": 0}, "distillation_temperature must"),
        ({"teacher": Teacher(lambda table: table[:, :6] / 0.98)}, r"each image, .*\(112, 6\)"),
        ({"teacher": Teacher(lambda table: table[1:])}, r"each image, .*received \(111, 7\)"),
        ({"teacher": Teacher(lambda table: table * np.nan)}, "what teacher predicts must be fin"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            clf.fit(X, y, **options)
    with pytest.raises(fk.InvalidInputError, match="teacher must know the classes 0, 1"):
        fk.EmotionClassifier(tiny_network, classes=(0, 1)).fit(
            X[:9], [0, 1, 1] * 3, teacher=Teacher()
        )
    with pytest.raises(fk.InvalidInputError, match="teacher cannot be used with batches"):
        clf.fit(lambda _epoch: [(X, y)], steps_per_epoch=1, teacher=Teacher())


# --- the mean of weights -----------------------------------------------------------------------


def test_normalization_is_measured_anew(members, data):
    X = data.train.images
    first = members[0]
    second = make_classifier(epochs=1, augment=False, compute_dtype="float32", random_state=9).fit(
        *data.train
    )
    before = first.predict_proba(X)
    mean = fk.average_weights([first, second], X, batch_size=40)
    assert mean.temperature_ == 1
    np.testing.assert_array_equal(first.predict_proba(X), before)
    for own, one, other in zip(
        *(clf.model_.trainable_variables for clf in (mean, first, second)), strict=True
    ):
        np.testing.assert_allclose(own.numpy(), (one.numpy() + other.numpy()) / 2, atol=1e-6)
    moving = [v.numpy() for v in mean.model_.non_trainable_variables if "moving_mean" in v.path]
    again = fk.average_weights([second, first], X, batch_size=40)
    for one, other in zip(
        moving,
        [v.numpy() for v in again.model_.non_trainable_variables if "moving_mean" in v.path],
        strict=True,
    ):
        assert np.abs(one).max() > 0
        np.testing.assert_allclose(one, other, rtol=0.3, atol=0.3)  # dropout is drawn
    with pytest.raises(fk.InvalidInputError, match="one architecture and the same classes"):
        fk.average_weights(members, X)
    for given, message in (
        ([first], "at least two classifiers; received 1"),
        (first, "at least two classifiers; received 1"),
        ([first, fk.EmotionClassifier()], r"must be fitted.*EmotionClassifier\(\) as number 1"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            fk.average_weights(given, X)
    with pytest.raises(fk.InvalidInputError, match="batch_size must be"):
        fk.average_weights([first, second], X, batch_size=0)


def test_normalization_is_the_mean_over_all_batches(data):
    def build(input_shape, num_classes):
        parts = [keras.layers.Rescaling(1 / 255), keras.layers.BatchNormalization(momentum=0.9)]
        parts += [keras.layers.Flatten(), keras.layers.Dense(num_classes, activation="softmax")]
        return keras.Sequential([keras.Input(input_shape), *parts])

    X, y = data.train
    options = {"epochs": 1, "augment": False, "compute_dtype": "float32", "verbose": 0}
    clf = fk.EmotionClassifier(build, **options).fit(X, y)
    norm = fk.average_weights([clf, clf], X, batch_size=40).model_.layers[1]
    batches = [X[start : start + 40] / 255 for start in range(0, len(X), 40)]
    mean, variance = np.mean([(batch.mean(), batch.var()) for batch in batches], axis=0)
    np.testing.assert_allclose(norm.moving_mean.numpy(), [mean], rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance.numpy(), [variance], rtol=1e-4)
    assert norm.momentum == 0.9
