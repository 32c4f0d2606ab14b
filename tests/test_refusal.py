import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.metrics import average_precision_score, roc_auc_score

import fer2013kit as fk
from fer2013kit._labels import choose_labels

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 7, 90)
PROBABILITIES = RNG.dirichlet(np.ones(7), 90)


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def test_least_confident_are_refused():
    table = np.array([[0.9, 0.1], [0.55, 0.45], [0.4, 0.6]])
    numbers, words = np.array([3, 4]), np.array(["sad", "joy"])

    def chosen(classes, min_confidence=0.6, reject_label=None):
        return choose_labels(
            table, classes, min_confidence=min_confidence, reject_label=reject_label
        ).tolist()

    assert chosen(numbers) == [3, -1, 4]
    assert chosen(numbers, reject_label=9) == [3, 9, 4]
    assert chosen(numbers, min_confidence=None) == [3, 3, 4]
    assert chosen(words) == ["sad", "uncertain", "joy"]
    for options, message in (
        ({"min_confidence": 1.5}, "min_confidence must be a number in"),
        ({"reject_label": 3}, "a number that is no class; received 3"),
        ({"reject_label": "no"}, "a number that is no class"),
        ({"min_confidence": None, "reject_label": 9}, "reject_label needs a min_confidence"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            chosen(numbers, **options)


def test_predictor_and_classifier_refuse_the_same():
    X = fk.make_fer2013(n_samples=70, random_state=0).test.images
    for reader in (fk.EmotionPredictor, fk.EmotionClassifier):
        network = reader.from_pretrained("five_layer_cnn_small")
        best = network.predict_proba(X).max(axis=1)
        refused = network.predict(X, min_confidence=np.median(best), reject_label=-7) == -7
        np.testing.assert_array_equal(refused, best < np.median(best))


def test_risk_and_coverage_are_those_of_every_threshold():
    curve = fk.risk_coverage_curve(np.array(fk.CLASS_NAMES)[TRUTH], PROBABILITIES)
    best = PROBABILITIES.max(axis=1)
    assert curve.coverage[-1] == 1
    for threshold, coverage, risk in zip(*curve, strict=True):
        answered = best >= threshold - 1e-9  # rows are divided by their sums
        assert coverage == answered.mean()
        wrong = PROBABILITIES[answered].argmax(axis=1) != TRUTH[answered]
        assert risk == pytest.approx(wrong.mean())


def test_a_curve_that_can_be_counted():
    table = [[0.9, 0.1], [0.3, 0.7], [0.4, 0.6], [0.4, 0.6]]
    threshold, coverage, risk = fk.risk_coverage_curve([0, 0, 1, 0], table, class_names=("a", "b"))
    assert threshold.tolist() == [0.9, 0.7, 0.6]
    assert coverage.tolist() == [0.25, 0.5, 1]
    assert risk.tolist() == [0, 0.5, 0.5]


def test_equal_confidences_stand_together():
    curve = fk.risk_coverage_curve([0, 1, 1], [[0.8, 0.2]] * 3, class_names=("a", "b"))
    assert [values.tolist() for values in curve] == [[0.8], [1], [pytest.approx(2 / 3)]]
    with pytest.raises(fk.InvalidInputError, match="a curve needs probabilities"):
        fk.risk_coverage_curve([0, 1], [0, 1])
    with pytest.raises(fk.InvalidInputError, match=r"^y_true and probabilities must have"):
        fk.risk_coverage_curve([0], [[0.8, 0.2]] * 2, class_names=("a", "b"))


def test_curves_of_every_class_that_occurs():
    truth = np.where(TRUTH == 1, 0, TRUTH)
    for draw, score, short in (
        (fk.plot_roc, roc_auc_score, "AUC"),
        (fk.plot_precision_recall, average_precision_score, "AP"),
    ):
        ax = draw(truth, PROBABILITIES)
        labels = ax.get_legend_handles_labels()[1]
        assert len(labels) == 6
        value = score(truth == 6, PROBABILITIES[:, 6])
        assert labels[-1] == f"neutral ({short} = {value:.2f})"
        with pytest.raises(fk.InvalidInputError, match="received angry alone"):
            draw([0, 0], [[0.5, 0.5]] * 2, class_names=("angry", "sad"))


def test_two_networks_in_one_figure():
    ax = fk.plot_risk_coverage(TRUTH, PROBABILITIES)
    assert fk.plot_risk_coverage(TRUTH, PROBABILITIES[::-1], ax=ax) is ax
    one, other = (np.array(to_rgb(line.get_color())) for line in ax.lines[:2])
    assert abs(one - other).max() > 0.3  # matplotlib's first colour is a blue, too
    assert len({line.get_color() for line in ax.lines}) == 2
    with pytest.raises(fk.InvalidInputError, match="class_names must be 7"):
        fk.plot_risk_coverage([0], PROBABILITIES[:1], class_names=("a", "b"))


def test_thresholds_of_the_curve_are_those_of_predict():
    X, y = fk.make_fer2013(n_samples=350, random_state=0).train
    predictor = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small")
    curve = fk.risk_coverage_curve(y, predictor.predict_proba(X))
    for threshold, coverage in zip(curve.threshold, curve.coverage, strict=True):
        answers = predictor.predict(X, min_confidence=threshold)
        assert np.mean(answers != -1) == pytest.approx(coverage)
