import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

import fer2013kit as fk
from fer2013kit.evaluation import (
    apply_calibrator,
    apply_temperature,
    fit_calibrator,
    fit_temperature,
    read_calibrator,
    without_vector,
)
from networks import tiny_network

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(1500, 3)) * 1.5
CODES = (softmax(LOGITS, axis=1).cumsum(axis=1) < RNG.random((1500, 1))).sum(axis=1)
# Too sure of the first class, and leaning to the last.
SKEWED = softmax(LOGITS * [3, 1, 1] + [0, 0, 1], axis=1)
NAMES = ("a", "b", "c")


def test_no_other_factors_and_shifts_are_better():
    fitted = fit_calibrator(CODES, SKEWED, "vector")

    def loss(table):
        return fk.evaluate_predictions(CODES, table, class_names=NAMES).loss

    best = loss(apply_calibrator(SKEWED, fitted))
    assert best < loss(apply_temperature(SKEWED, fit_temperature(CODES, SKEWED))) - 0.01
    for name in ("scale", "shift"):
        for step in np.concatenate([np.eye(3), -np.eye(3)]) / 20:
            moved = {**fitted, name: (fitted[name] + step).tolist()}
            assert loss(apply_calibrator(SKEWED, moved)) > best - 1e-6


def test_factors_and_shifts_stay_within_bounds():
    # Faultless: the larger the factors, the better.
    faultless = fit_calibrator([0, 1], [[0.6, 0.4], [0.4, 0.6]], "vector")
    assert faultless["scale"] == pytest.approx([20, 20])
    # What is said is the contrary of what is true: the smaller, the better.
    contrary = fit_calibrator([1, 0], [[0.6, 0.4], [0.4, 0.6]], "vector")
    assert contrary["scale"] == pytest.approx([0.05, 0.05])
    # Nothing is better than what is right.
    table = np.array([[0.75, 0.25], [0.25, 0.75]])
    right = fit_calibrator([0, 0, 0, 1, 1, 1, 1, 0], np.repeat(table, 4, axis=0), "vector")
    assert right["scale"] == pytest.approx([1, 1], abs=1e-3)
    assert right["shift"] == pytest.approx([0, 0], abs=1e-3)


def test_extreme_factors_give_probabilities():
    table = [[0.4, 0.3, 0.3], [0.34, 0.33, 0.33]]
    scaling = {"method": "vector", "scale": [5000.0] * 3, "shift": [0.0] * 3}
    certain = pytest.approx(np.array([[1, 0, 0], [1, 0, 0]]))
    assert apply_calibrator(table, scaling) == certain
    assert apply_temperature(table, 1 / 5000) == certain


def test_isotonic_curves_are_those_of_scikit_learn():
    # Given probabilities, by a network that was not fitted to anything.
    class Given(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict_proba(self, X):
            return X

        def predict(self, X):
            return X.argmax(axis=1)

    given = FrozenEstimator(Given().fit(SKEWED, CODES))
    judge = CalibratedClassifierCV(given, method="isotonic", ensemble=False).fit(SKEWED, CODES)
    fitted = fit_calibrator(CODES, SKEWED, "isotonic")
    np.testing.assert_allclose(
        apply_calibrator(SKEWED, fitted), judge.predict_proba(SKEWED), atol=1e-6
    )


def test_where_every_curve_is_zero_all_classes_are_alike():
    curves = [[[0.0, 0.5, 1.0], [0.0, 0.0, 1.0]]] * 3
    found = apply_calibrator(
        [[0.4, 0.3, 0.3], [0.75, 0.25, 0]], {"method": "isotonic", "curves": curves}
    )
    np.testing.assert_allclose(found, [[1 / 3, 1 / 3, 1 / 3], [1, 0, 0]])


def test_files_hold_what_was_fitted_and_nothing_else():
    for method in ("vector", "isotonic"):
        fitted = fit_calibrator(CODES, SKEWED, method)
        assert read_calibrator(json.loads(json.dumps(fitted)), n_classes=3) == fitted
        for wrong in ({**fitted, "more": 1}, {**fitted, "method": "magic"}, [1], {}):
            with pytest.raises(ValueError, match="calibrator, received"):
                read_calibrator(wrong, n_classes=3)
        with pytest.raises(ValueError, match="calibrator, received"):
            read_calibrator(fitted, n_classes=2)
    assert read_calibrator(None, n_classes=3) is None
    fitted = fit_calibrator(CODES, SKEWED, "vector")
    lists = [[1, 1], 1, {"1": 1}, [1, "1", 1], [1, np.inf, 1], [1, -np.inf, 1], [1, np.nan, 1]]
    wrongs = [{"scale": [1, 0, 1]}, *({name: one} for name in ("scale", "shift") for one in lists)]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="calibrator, received"):
            read_calibrator({**fitted, **wrong}, n_classes=3)
    good = [[0, 1], [0, 1]]
    beside = [[[0], [0], [0]], [1, [0]], [[0], 1], [[0, 1, 1], [0, 0.5, 1]], [[0, 1], [0, -1]]]
    for curve in (
        *([[0, 0], [0, 1]], [[0, 1], [0, 2]], [[0], [0, 1]], [["0"], [0]], [[], []], 3),
        *beside,
    ):
        for curves in ([good, curve], [curve, good]):
            with pytest.raises(ValueError, match="calibrator, received"):
                read_calibrator({"method": "isotonic", "curves": curves}, n_classes=2)
    for curves in (None, 2, "ab", {"a": good, "b": good}):
        with pytest.raises(ValueError, match="calibrator, received"):
            read_calibrator({"method": "isotonic", "curves": curves}, n_classes=2)
    isotonic = {"method": "isotonic", "curves": [good, good]}
    assert read_calibrator(isotonic, n_classes=2) == isotonic


def test_every_class_is_needed():
    with pytest.raises(fk.InvalidInputError, match="received none of number 1"):
        fit_calibrator([0, 2], SKEWED[:2], "vector")


def test_calibrated_classifier_is_saved_and_exported_or_refused(tmp_path):
    data = fk.make_fer2013(n_samples=140, random_state=0)
    clf = fk.EmotionClassifier(
        tiny_network, epochs=1, augment=False, compute_dtype="float32", verbose=0, random_state=0
    ).fit(*data.train)
    plain = clf.predict_proba(data.test.images)
    for method in ("isotonic", "vector"):
        clf.calibrate(*data.validation, method=method)
        probabilities = clf.predict_proba(data.test.images)
        np.testing.assert_allclose(
            probabilities, apply_calibrator(plain, clf.calibrator_), atol=1e-6
        )
        clf.save(tmp_path / "emotions.fer")
        again = fk.EmotionClassifier.load(tmp_path / "emotions.fer", model=tiny_network)
        assert again.calibrator_ == clf.calibrator_
        np.testing.assert_allclose(again.predict_proba(data.test.images), probabilities, atol=1e-6)
        if method == "isotonic":
            with pytest.raises(fk.InvalidInputError, match=r"isotonic.*no part of a network"):
                clf.export(tmp_path / "emotions.tflite")
    clf.export(tmp_path / "emotions.tflite")
    predictor = fk.EmotionPredictor.load(tmp_path / "emotions.tflite")
    np.testing.assert_allclose(predictor.predict_proba(data.test.images), probabilities, atol=1e-4)
    for tta in ("flip", "ten_crop"):  # views are averaged before the calibration
        np.testing.assert_allclose(
            predictor.predict_proba(data.test.images, tta=tta),
            clf.predict_proba(data.test.images, tta=tta),
            atol=1e-4,
        )
    assert "vector, fitted on 14" in clf.evaluate(*data.test).to_html(classifier=clf)
    assert clf.calibrate(*data.validation).calibrator_ is None
    temperature = clf.temperature_
    with pytest.raises(fk.InvalidInputError, match="method must be one of"):
        clf.calibrate(*data.validation, method="vectors")
    with pytest.raises(fk.InvalidInputError, match="needs images of every class"):
        clf.calibrate(data.validation.images[:1], data.validation.labels[:1], method="vector")
    assert clf.temperature_ == temperature != 1


@pytest.mark.parametrize("seed", range(5))
def test_scaling_can_be_taken_back(seed):
    rng = np.random.default_rng(seed)
    table = rng.dirichlet(np.full(5, 0.5), 300).clip(1e-4)
    table /= table.sum(axis=1, keepdims=True)
    scaling = {
        "method": "vector",
        "scale": np.exp(rng.uniform(-1, 1, 5)).tolist(),
        "shift": rng.uniform(-2, 2, 5).tolist(),
    }
    scaled = apply_calibrator(table, scaling)
    usable = scaled.min(axis=1) > 1e-7  # what is below counts as it
    np.testing.assert_allclose(without_vector(scaled, scaling)[usable], table[usable], atol=1e-9)
    assert usable.mean() > 0.5


@pytest.mark.parametrize("method", ["temperature", "vector", "isotonic"])
def test_shares_of_votes_are_as_many_labels(method):
    """Four people of ten say "a", six say "c": so do ten rows of the same probabilities."""

    def calibrated(truth, table):
        if method == "temperature":
            return apply_temperature(SKEWED, fit_temperature(truth, table))
        return apply_calibrator(SKEWED, fit_calibrator(truth, table, method))

    votes = RNG.multinomial(10, softmax(LOGITS[:200], axis=1))
    one_by_one = np.concatenate([np.repeat([0, 1, 2], row) for row in votes])
    np.testing.assert_allclose(
        calibrated(votes / 10, SKEWED[:200]),
        calibrated(one_by_one, np.repeat(SKEWED[:200], 10, axis=0)),
        atol=1e-4,
    )
    np.testing.assert_array_equal(calibrated(np.eye(3)[CODES], SKEWED), calibrated(CODES, SKEWED))


@pytest.mark.parametrize("method", ["temperature", "vector"])
def test_a_classifier_is_calibrated_to_votes(method):
    data = fk.make_fer2013(n_samples=140, random_state=0)
    X, codes = data.train
    clf = fk.EmotionClassifier(tiny_network, epochs=2, verbose=0, random_state=0).fit(X, codes)
    shares = 0.6 * np.eye(7)[codes] + 0.4 * np.roll(np.eye(7), 1, axis=1)[codes]
    before = clf.evaluate(X, shares).loss
    assert clf.calibrate(X, shares, method=method).evaluate(X, shares).loss < before
    with pytest.raises(fk.InvalidInputError, match="2 of 112 rows have none"):
        clf.calibrate(X, np.where(np.arange(112)[:, None] < 2, 0, shares))
    with pytest.raises(fk.InvalidInputError, match="X and y must have the same length"):
        clf.calibrate(X, shares[:-1])
