import dataclasses
import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure
from scipy import stats
from sklearn import metrics
from sklearn.exceptions import NotFittedError

import fer2013kit as fk
from fer2013kit._metrics import wilson_interval
from fer2013kit.emotions import emotion_code
from fer2013kit.evaluation._facts import classifier_facts
from fer2013kit.evaluation._html import _plot_balance
from networks import tiny_network


@st.composite
def predictions(draw):
    """True codes, probabilities and names of any number of classes, absent ones among them."""
    k = draw(st.integers(2, 6))
    n = draw(st.integers(1, 40))
    codes = draw(arrays(np.int64, n, elements=st.integers(0, k - 1)))
    weights = draw(arrays(np.float64, (n, k), elements=st.floats(0.001, 1)))
    # Rounded, so that equal probabilities and the edges of bins occur.
    weights = np.round(weights, draw(st.integers(1, 8))) + 0.01
    return codes, weights / weights.sum(axis=1, keepdims=True), [f"class{i}" for i in range(k)]


def some_report(seed=0, n=200):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 7, n)
    weights = rng.random((n, 7)) + 2 * np.eye(7)[codes] * rng.random((n, 1))
    return fk.evaluate_predictions(codes, weights / weights.sum(axis=1, keepdims=True))


@settings(max_examples=20)
@given(predictions())
def test_figures_are_those_of_scikit_learn(case):
    codes, table, names = case
    k = len(names)
    report = fk.evaluate_predictions(codes, table, class_names=names)
    predicted = table.argmax(axis=1)
    labels = np.arange(k)

    assert report.n_samples == len(codes)
    matrix = metrics.confusion_matrix(codes, predicted, labels=labels)
    np.testing.assert_array_equal(report.confusion_matrix, matrix)
    assert report.confusion_matrix.dtype == np.int64
    assert report.accuracy == pytest.approx(metrics.accuracy_score(codes, predicted))
    macro = metrics.f1_score(codes, predicted, average="macro", zero_division=0)
    assert report.f1_macro == pytest.approx(macro)
    recalls = [np.mean(predicted[codes == code] == code) for code in np.unique(codes)]
    assert report.balanced_accuracy == pytest.approx(np.mean(recalls))
    assert report.loss == pytest.approx(metrics.log_loss(codes, table, labels=labels))

    columns = metrics.precision_recall_fscore_support(
        codes, predicted, labels=labels, zero_division=0
    )
    for name, row in zip(names, np.transpose(columns), strict=True):
        assert list(report.per_class[name].values()) == pytest.approx(list(row))
    frame = report.to_frame()
    assert list(frame.index) == [*names, "macro avg", "weighted avg"]
    for average in ("macro", "weighted"):
        expected = metrics.precision_recall_fscore_support(
            codes, predicted, average=average, zero_division=0
        )[:3]
        got = frame.loc[f"{average} avg", ["precision", "recall", "f1"]]
        assert list(got) == pytest.approx(expected)


@given(predictions(), st.integers(1, 20))
def test_calibration_and_top_two_by_brute_force(case, n_bins):
    codes, table, names = case
    report = fk.evaluate_predictions(codes, table, class_names=names, n_bins=n_bins)
    sums = table.sum(axis=1, keepdims=True)  # what follows is as the function does, to the last bit
    table = np.where(np.abs(sums - 1) > 1e-5, table / sums, table)
    bins = [[] for _ in range(n_bins)]
    edges = np.linspace(0, 1, n_bins + 1)
    top_two = 0
    for code, row in zip(codes, table, strict=True):
        order = sorted(range(len(row)), key=lambda j: (-row[j], j))
        top_two += code in order[:2]
        confidence = row[order[0]]
        inside = [i for i in range(n_bins) if edges[i] < confidence <= edges[i + 1]]
        bins[inside[0] if inside else n_bins - 1].append((confidence, code == order[0]))
    assert report.top2_accuracy == pytest.approx(top_two / len(codes))
    assert report.reliability["count"].tolist() == [len(b) for b in bins]
    error = 0
    for index, content in enumerate(bins):
        values = report.reliability["confidence"][index], report.reliability["accuracy"][index]
        if not content:
            assert np.isnan(values).all()
            continue
        confidence, accuracy = np.mean(content, axis=0)
        assert values == pytest.approx((confidence, accuracy))
        error += len(content) / len(codes) * abs(confidence - accuracy)
    assert report.ece == pytest.approx(error)
    assert report.mean_confidence == pytest.approx(table.max(axis=1).mean())


def test_wilson_interval_of_a_textbook_case():
    # 8 of 10 at 95 %, from the formula of the paper worked out by hand.
    assert wilson_interval(8, 10, 0.95) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)


@given(st.integers(1, 10_000), st.data(), st.floats(0.5, 0.999))
def test_wilson_interval_holds_the_share_and_solves_its_equation(n, data, level):
    from scipy.stats import norm

    hits = data.draw(st.integers(0, n))
    low, high = wilson_interval(hits, n, level)
    assert 0 <= low <= hits / n <= high <= 1
    for end in (low, high):
        # The ends are the shares from which the observed one is z standard errors away.
        distance = abs(hits / n - end)
        error = norm.ppf(0.5 + level / 2) * np.sqrt(end * (1 - end) / n)
        assert distance == pytest.approx(error, abs=1e-7)


def test_narrower_level_narrower_interval():
    arguments = ([0, 1, 1], [[0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    wide = fk.evaluate_predictions(*arguments, class_names=("a", "b"), confidence_level=0.99)
    narrow = fk.evaluate_predictions(*arguments, class_names=("a", "b"), confidence_level=0.8)
    assert wide.accuracy_interval[0] < narrow.accuracy_interval[0]
    assert wide.accuracy_interval[1] > narrow.accuracy_interval[1]


def test_absent_classes_score_zero_and_stay_out_of_the_averages():
    # Class 2 neither occurs nor is predicted; class 1 is only predicted.
    table = np.array([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    report = fk.evaluate_predictions([0, 0, 0], table, class_names=["a", "b", "c"])
    assert report.per_class["c"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert report.balanced_accuracy == pytest.approx(2 / 3)
    assert report.f1_macro == pytest.approx((0.8 + 0) / 2)


def test_impossible_prediction_costs_what_the_floor_says():
    report = fk.evaluate_predictions([1], [[1.0, 0.0]], class_names=("a", "b"))
    assert report.loss == pytest.approx(-np.log(1e-7))  # as in Keras


def test_half_precision_rows_pass():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(300, 7))
    table = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    exact = fk.evaluate_predictions(np.arange(300) % 7, table)
    half = fk.evaluate_predictions(np.arange(300) % 7, table.astype(np.float16))
    assert half.loss == pytest.approx(exact.loss, abs=1e-3)


GOOD = np.full((3, 7), 1 / 7)


@pytest.mark.parametrize(
    ("y_true", "probabilities", "message"),
    [
        ([], np.empty((0, 7)), "zero rows"),
        ([0, 1], GOOD, "same length; received 2 and 3"),
        ([0, 1, 7], GOOD, "0 to 6; received 7"),
        ([0, 1, -1], GOOD, "0 to 6; received -1"),
        ([0, 1, 0.5], GOOD, "class codes"),
        (["happy", "sad", "sade"], GOOD, "received 'sade'. did you mean 'sad'"),
        (["happy", "sad", None], GOOD, "received None"),
        ([[0], [1], [2]], GOOD, r"shape \(n,\)"),
        ([0, 1, 2], GOOD * np.nan, "finite; received .* in row 0"),
        ([0, 1, 2], GOOD * [[1], [1], [np.inf]], "finite; received .* in row 2"),
        ([0, 1, 2], GOOD * 2, "sum to 1 .* sum 2"),
        ([0, 1, 2], GOOD * [[1], [1], [2]], "received .* in row 2, sum 2"),
        ([0], np.ones((1, 10)), "received (1, ){9}1 in row 0, sum 10"),
        ([0], np.ones((1, 11)), "received (1, ){10}... in row 0, sum 11"),
        ([0, 1, 2], GOOD - [[0.5, -0.5, 0, 0, 0, 0, 0]], "not be negative"),
        ([0, 1, 2], GOOD[:, 0], r"shape \(n, k\)"),
        ([0, 1, 2], np.ones((3, 1)), "k >= 2"),
        ([0, 1, 2], GOOD.astype(str), "must be numbers"),
        ([0, 1, 2], GOOD[:, :6] * 7 / 6, "class_names must be 6 different names"),
    ],
)
def test_refuses(y_true, probabilities, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.evaluate_predictions(y_true, probabilities)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_names": ["a", "a", *"bcdef"]}, "different names"),
        ({"class_names": ["a", "a", *"bcdefg"]}, "different names"),
        ({"n_bins": 0}, "n_bins"),
        ({"n_bins": 1.5}, "n_bins"),
        ({"confidence_level": 1.0}, "confidence_level"),
        ({"confidence_level": "0.9"}, "confidence_level"),
        ({"confidence_level": 95}, "confidence_level"),
    ],
)
def test_refuses_options(options, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.evaluate_predictions([0, 1, 2], GOOD, **options)


@given(predictions(), st.integers(0, 99))
@settings(max_examples=30)
def test_weighted_figures_are_those_of_scikit_learn(case, seed):
    codes, table, names = case
    weights = np.random.default_rng(seed).integers(1, 5, len(codes)).astype(float)
    report = fk.evaluate_predictions(codes, table, class_names=names, sample_weight=weights)
    predicted, labels = table.argmax(axis=1), np.arange(len(names))
    options = {"sample_weight": weights, "labels": labels}

    assert report.n_samples == len(codes)
    matrix = metrics.confusion_matrix(codes, predicted, **options) / weights.mean()
    np.testing.assert_allclose(report.confusion_matrix, matrix)
    expected = metrics.accuracy_score(codes, predicted, sample_weight=weights)
    assert report.accuracy == pytest.approx(expected)
    macro = metrics.f1_score(
        codes, predicted, average="macro", zero_division=0, sample_weight=weights
    )
    assert report.f1_macro == pytest.approx(macro)
    assert report.loss == pytest.approx(metrics.log_loss(codes, table, **options))
    # A sample of weight 3 counts as three samples do.
    times = weights.astype(int)
    repeated = fk.evaluate_predictions(
        np.repeat(codes, times), np.repeat(table, times, axis=0), class_names=names
    )
    assert report.ece == pytest.approx(repeated.ece)
    assert report.mean_confidence == pytest.approx(repeated.mean_confidence)
    assert report.top2_accuracy == pytest.approx(repeated.top2_accuracy)
    again = fk.EvaluationReport.from_dict(json.loads(json.dumps(report.as_dict())))
    assert again == report


def test_equal_weights_change_nothing_and_unequal_ones_widen_the_interval():
    codes, table = np.arange(60) % 7, named(range(7), 60).to_numpy()
    plain = fk.evaluate_predictions(codes, table)
    even = fk.evaluate_predictions(codes, table, sample_weight=np.full(60, 0.3))
    assert even.accuracy_interval == pytest.approx(plain.accuracy_interval)
    assert even.n_effective == pytest.approx(60)
    one = fk.evaluate_predictions(codes, table, sample_weight=np.where(codes == 0, 20.0, 1.0))
    assert one.n_effective < 30
    low, high = plain.accuracy_interval
    assert np.ptp(one.accuracy_interval) > high - low
    page = Page(one.to_html())
    assert len(page.all("img")) == 3


def test_sums_of_weights_are_told_with_one_decimal():
    options = {"class_names": ("a", "b"), "sample_weight": [1000, 1000, 4000]}
    report = fk.evaluate_predictions([0, 0, 1], [0, 1, 1], **options)
    matrix = report.to_markdown("confusion_matrix").splitlines()[2:]
    assert matrix == ["| a | 0.5 | 0.5 |", "| b | 0.0 | 2.0 |"]
    page = " ".join(Page(report.to_html()).text.split())
    assert "a1.0000.5000.6671.0 b0.8001.0000.8892.0" in page
    many = fk.evaluate_predictions([0] * 3000, [0] * 3000, class_names=("a", "b"),
                                   sample_weight=[1, 2, 3] * 1000)  # fmt: skip
    assert "| a | 3,000.0 | 0.0 |" in many.to_markdown("confusion_matrix")


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1, 2], "received shape"), ([1, -1, 1], "negative"), ([0, 0, 0], "not 0 for every")],
)
def test_weights_that_are_none_are_refused(weights, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.evaluate_predictions([0, 1, 2], GOOD, sample_weight=weights)


def grouped():
    rng = np.random.default_rng(3)
    codes, groups = rng.integers(0, 7, 120), np.array(["old", "young", "child"])[np.arange(120) % 3]
    table = rng.dirichlet(np.ones(7), 120)
    table = (table + np.eye(7)[codes] * (groups == "old")[:, None]).clip(0)
    return codes, table / table.sum(axis=1, keepdims=True), groups


def test_each_group_has_the_report_of_its_samples():
    codes, table, groups = grouped()
    report = fk.evaluate_predictions(codes, table, groups=groups)
    assert list(report.groups) == ["child", "old", "young"]
    for name, group in report.groups.items():
        rows = groups == name
        assert group == fk.evaluate_predictions(codes[rows], table[rows])
    best, worst, difference, (low, high) = report.largest_gap
    accuracies = {name: group.accuracy for name, group in report.groups.items()}
    assert (best, worst) == (
        max(accuracies, key=accuracies.get),
        min(accuracies, key=accuracies.get),
    )
    assert difference == pytest.approx(accuracies[best] - accuracies[worst])
    assert low < difference < high
    frame = report.groups_to_frame()
    assert list(frame.columns)[:4] == ["n_samples", "accuracy", "accuracy_low", "accuracy_high"]
    assert frame["n_samples"].tolist() == [group.n_samples for group in report.groups.values()]
    for place, end in enumerate(("accuracy_low", "accuracy_high")):
        ends = [group.accuracy_interval[place] for group in report.groups.values()]
        assert frame[end].tolist() == ends
    assert frame["accuracy"].to_dict() == accuracies
    assert frame.loc["old", "accuracy_low"] == report.groups["old"].accuracy_interval[0]
    for text in (str(report), Page(report.to_html()).text):
        assert f"argest gap: {100 * difference:.1f} points of accuracy between {best}" in text
    assert fk.EvaluationReport.from_dict(json.loads(json.dumps(report.as_dict()))) == report


def test_weights_hold_inside_of_groups():
    codes, table, groups = grouped()
    weights = np.random.default_rng(0).random(120)
    report = fk.evaluate_predictions(codes, table, groups=groups, sample_weight=weights)
    rows = groups == "old"
    alone = fk.evaluate_predictions(codes[rows], table[rows], sample_weight=weights[rows])
    assert report.groups["old"].loss == pytest.approx(alone.loss)
    assert report.groups["old"].accuracy_interval == pytest.approx(alone.accuracy_interval)
    assert report.groups["old"].n_samples == 40  # scaled to the mean 1 in each group, too


def test_without_groups_their_table_is_empty():
    frame = fk.evaluate_predictions([0, 1, 2], GOOD).groups_to_frame()
    assert len(frame) == 0
    ends = ["accuracy_low", "accuracy_high"]
    columns = ["n_samples", "accuracy", *ends, "balanced_accuracy", "f1_macro", "loss", "ece"]
    assert list(frame) == columns


def test_one_group_has_no_gap():
    report = fk.evaluate_predictions([0, 1, 2], GOOD, groups=[1, 1, 1])
    assert list(report.groups) == ["1"]
    assert report.largest_gap is None
    assert "largest gap" not in str(report)
    assert str(report).splitlines()[-1].startswith("1            3     0.333")


def test_groups_may_be_numbers_and_words():
    report = fk.evaluate_predictions([0, 1, 2], GOOD, groups=np.array(["web", 10, 9], dtype=object))
    assert list(report.groups) == ["10", "9", "web"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": ["a"]}, "one for each sample"),
        ({"groups": ["a", None, "b"]}, "received None"),
        ({"groups": [1.0, np.nan, 2.0]}, "received None or NaN"),
        ({"groups": pd.Series(["a", pd.NA, "b"], dtype="string")}, "received None or NaN"),
        ({"groups": ["a", "b", "b"], "sample_weight": [0, 1, 1]}, "of a group"),
    ],
)
def test_groups_that_are_none_are_refused(options, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.evaluate_predictions([0, 1, 2], GOOD, **options)


def in_clusters(n_clusters=40, seed=1):
    """Images of people, of whom some are harder to read than others, and true classes."""
    rng = np.random.default_rng(seed)
    people = np.repeat(np.arange(n_clusters), 6)
    codes = rng.integers(0, 7, len(people))
    right = rng.random(len(people)) < rng.beta(1.4, 0.6, n_clusters)[people]
    return codes, np.where(right, codes, (codes + 1) % 7), people


def test_size_of_clusters_is_that_of_the_sandwich():
    codes, answers, people = in_clusters()
    weights = np.random.default_rng(2).integers(1, 4, len(codes)).astype(float)
    for weight in (np.ones(len(codes)), weights):
        report = fk.evaluate_predictions(codes, answers, clusters=people, sample_weight=weight)
        # Of a regression on a constant: (X'WX)^-1 (sum of the clusters' scores squared) (X'WX)^-1.
        errors = weight * ((codes == answers) - np.average(codes == answers, weights=weight))
        scores = [errors[people == person].sum() for person in range(40)]
        robust = 40 / 39 * np.sum(np.square(scores)) / weight.sum() ** 2
        plain = 240 / 239 * np.sum(errors**2) / weight.sum() ** 2
        kish = weight.sum() ** 2 / (weight**2).sum()
        assert report.n_effective == pytest.approx(kish * plain / robust)
        assert report.n_clusters == 40
        n = report.n_effective * (stats.t.ppf(0.975, 239) / stats.t.ppf(0.975, 39)) ** 2
        expected = wilson_interval(report.accuracy * n, n, 0.95)
        assert report.accuracy_interval == pytest.approx(expected)


def test_of_two_clusters_the_interval_is_as_wide_as_student_says():
    answers, clusters = [0] * 6 + [1] * 4 + [0] * 8 + [1] * 2, [0] * 10 + [1] * 10
    report = fk.evaluate_predictions([0] * 20, answers, clusters=clusters)
    n = report.n_effective * (stats.t.ppf(0.975, 19) / stats.t.ppf(0.975, 1)) ** 2
    assert report.accuracy_interval == pytest.approx(wilson_interval(0.7 * n, n, 0.95))


def test_interval_of_clusters_is_that_of_a_cluster_bootstrap():
    codes, answers, people = in_clusters(n_clusters=150)
    report = fk.evaluate_predictions(codes, answers, clusters=people)
    means = (codes == answers).reshape(150, 6).mean(axis=1)
    drawn = stats.bootstrap((means,), np.mean, rng=np.random.default_rng(0)).confidence_interval
    assert report.accuracy_interval == pytest.approx(tuple(drawn), abs=0.006)
    alone = fk.evaluate_predictions(codes, answers)
    assert np.ptp(report.accuracy_interval) > 1.2 * np.ptp(alone.accuracy_interval)


def test_clusters_change_the_interval_alone_and_nothing_where_each_sample_is_one():
    codes, answers, people = in_clusters()
    plain = fk.evaluate_predictions(codes, answers)
    names = [f"person {person}" for person in people]
    told = fk.evaluate_predictions(codes, answers, clusters=names)
    left = {"n_effective": None, "n_clusters": None}
    assert dataclasses.replace(told, **left) == plain
    assert told == fk.evaluate_predictions(codes, answers, clusters=people.astype(float))
    single = fk.evaluate_predictions(codes, answers, clusters=range(240))
    assert single.n_effective == pytest.approx(240)
    assert single.accuracy_interval == pytest.approx(plain.accuracy_interval)
    # Copies tell nothing new.
    copies = fk.evaluate_predictions(
        np.repeat(codes, 5), np.repeat(answers, 5), clusters=np.repeat(np.arange(240), 5)
    )
    assert copies.accuracy_interval == pytest.approx(plain.accuracy_interval, abs=1e-3)
    # Where clusters are more alike than chance, they are not taken for more samples.
    even = fk.evaluate_predictions([0] * 20, [0, 1] * 10, clusters=np.arange(20) // 2)
    assert even.n_effective == 20
    for text in (str(told), Page(told.to_html()).text, told.to_markdown("figures")):
        assert ", 40 clusters" in text
    assert fk.EvaluationReport.from_dict(json.loads(json.dumps(told.as_dict()))) == told


def test_where_all_are_right_samples_of_a_cluster_count_as_copies():
    report = fk.evaluate_predictions([0] * 12, [0] * 12, clusters=[*"aaaabbbbcccc"])
    assert report.n_effective == pytest.approx(3)
    low, high = report.accuracy_interval
    assert high == 1
    assert low < wilson_interval(3, 3, 0.95)[0]  # of which three hardly tell how they spread


def test_groups_have_their_own_clusters_and_one_alone_tells_nothing():
    codes, answers, people = in_clusters()
    groups = np.where(people < 39, "many", "one")
    report = fk.evaluate_predictions(codes, answers, groups=groups, clusters=people)
    rows = groups == "many"
    expected = fk.evaluate_predictions(codes[rows], answers[rows], clusters=people[rows])
    assert report.groups["many"] == expected
    assert report.groups["one"].accuracy_interval == (0, 1)
    assert report.groups["one"].n_clusters == 1
    table = np.eye(7)[answers]
    fk.plot_reliability(fk.evaluate_predictions(codes, table, groups=groups, clusters=people))
    plain = fk.evaluate_predictions(codes, answers, groups=groups)
    assert {n: g.accuracy for n, g in plain.groups.items()} == {
        n: g.accuracy for n, g in report.groups.items()
    }
    # Rows that count nothing make no cluster.
    weights = np.where(people < 20, 1.0, 0.0)
    half = fk.evaluate_predictions(codes, answers, clusters=people, sample_weight=weights)
    assert half.n_clusters == 20


@pytest.mark.parametrize(
    ("clusters", "message"),
    [
        (["a", "b"], r"clusters must have shape \(3,\), one for each sample; received \(2,\)"),
        (["a", None, "b"], "clusters must name a cluster for every sample; received None or NaN"),
        (["a", "a", "a"], "clusters must be two or more, .* received only 'a'"),
    ],
)
def test_clusters_that_are_none_are_refused(clusters, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.evaluate_predictions([0, 1, 2], GOOD, clusters=clusters)
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.compare_predictions([0, 1, 2], GOOD, GOOD, clusters=clusters)


def test_a_classifier_is_measured_in_groups_and_clusters():
    X, y = fk.make_fer2013(n_samples=70, random_state=0).train
    predictor = fk.EmotionPredictor.from_pretrained()
    options = {"groups": np.arange(len(y)) % 2, "clusters": np.arange(len(y)) // 4}
    report = predictor.evaluate(X, y, **options)
    assert report == fk.evaluate_predictions(y, predictor.predict_proba(X), **options)
    assert report.n_clusters == 14


@pytest.mark.parametrize("hard", [[0, 1, 1], ["angry", "Disgust", "disgusted"]])
def test_hard_labels_have_no_probabilities(hard):
    report = fk.evaluate_predictions([0, 1, 2], hard)
    assert report.accuracy == pytest.approx(2 / 3)
    assert np.isnan([report.loss, report.top2_accuracy, report.ece, report.mean_confidence]).all()
    page = Page(report.to_html())
    told = [image["alt"] for image in page.all("img")]
    assert "nan" not in " ".join([str(report), page.text, *told])
    assert fk.EvaluationReport.from_dict(json.loads(json.dumps(report.as_dict()))) == report


def test_one_class_is_nothing_to_tell_apart():
    with pytest.raises(fk.InvalidInputError, match="class_names must be 2 different names"):
        fk.evaluate_predictions([0, 0], [0, 0], class_names=["happy"])


def test_soft_truth_is_what_keras_computes():
    import keras

    shares, table = named(range(7), 20).to_numpy(), named(range(7), 21).to_numpy()[1:]
    report = fk.evaluate_predictions(shares, table)
    expected = keras.losses.CategoricalCrossentropy()(shares, table)
    assert report.loss == pytest.approx(float(expected), rel=1e-5)
    codes = shares.argmax(axis=1)
    hard = fk.evaluate_predictions(codes, table)
    np.testing.assert_array_equal(report.confusion_matrix, hard.confusion_matrix)
    assert fk.evaluate_predictions(np.eye(7)[codes], table) == hard


def voted(n=60, seed=5):
    """Votes of ten people, unanimous ones among them, and what a network says."""
    rng = np.random.default_rng(seed)
    votes = rng.multinomial(10, rng.dirichlet(np.full(7, 0.3), n))
    votes[:3] = 10 * np.eye(7, dtype=int)[:3]
    return votes, rng.dirichlet(np.ones(7), n)


def test_figures_of_votes_are_those_of_scipy_and_of_single_voters():
    votes, table = voted()
    report = fk.evaluate_predictions(votes / 10, table)
    apart = stats.entropy(votes, table, axis=1)
    assert report.kl_divergence == pytest.approx(apart.mean())
    assert report.kl_divergence == pytest.approx(report.loss - stats.entropy(votes, axis=1).mean())
    # Each vote as a sample of its own.
    rows, classes = np.nonzero(votes)
    options = {"sample_weight": votes[rows, classes]}
    predicted = table.argmax(axis=1)
    agreed = metrics.accuracy_score(classes, predicted[rows], **options)
    assert report.expected_accuracy == pytest.approx(agreed)
    loss = metrics.log_loss(classes, table[rows], labels=range(7), **options)
    assert report.loss == pytest.approx(loss)
    assert report.accuracy == np.mean(predicted == votes.argmax(axis=1))
    best = fk.evaluate_predictions(votes / 10, votes / 10)
    assert best.kl_divergence == pytest.approx(0, abs=1e-12)
    assert best.expected_accuracy == pytest.approx(votes.max(axis=1).mean() / 10)


def test_figures_of_votes_in_groups_with_weights_and_from_answers_alone():
    votes, table = voted()
    weights, groups = np.random.default_rng(0).random(60), np.arange(60) < 3
    options = {"sample_weight": weights, "groups": groups}
    report = fk.evaluate_predictions(votes / 10, table, **options)
    apart = stats.entropy(votes, table, axis=1)
    agreed = votes[np.arange(60), table.argmax(axis=1)] / 10
    for one, rows in ((report, slice(None)), (report.groups["True"], slice(3))):
        expected = (np.average(x[rows], weights=weights[rows]) for x in (apart, agreed))
        assert (one.kl_divergence, one.expected_accuracy) == pytest.approx(tuple(expected))
    answers = fk.evaluate_predictions(votes / 10, table.argmax(axis=1))
    assert answers.expected_accuracy == pytest.approx(agreed.mean())
    assert np.isnan(answers.kl_divergence)
    assert fk.EvaluationReport.from_dict(json.loads(json.dumps(report.as_dict()))) == report


def test_figures_of_votes_are_said_where_there_are_votes():
    votes, table = voted()
    report, labels = (fk.evaluate_predictions(y, table) for y in (votes / 10, votes.argmax(axis=1)))
    for text in (str(report), Page(report.to_html()).text.lower(), report.to_markdown("figures")):
        assert "expected accuracy" in text
        assert "divergence" in text
    assert "expected" not in str(labels)
    assert "divergence" not in str(labels)
    assert labels.as_dict()["kl_divergence"] is labels.as_dict()["expected_accuracy"] is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0] * 7, r"1 of 3 rows have none, the first is row 1; leave .* shares.any\(axis=1\)"),
        ([3, 7, 0, 0, 0, 0, 0], "of votes, divide each row by its sum.* in row 1, sum 10"),
        ([-0.5, 1.5, 0, 0, 0, 0, 0], "y_true must not be negative .* in row 1"),
        ([np.nan] * 7, "y_true must be finite"),
    ],
)
def test_votes_that_are_none_are_refused(row, message):
    shares = np.full((3, 7), 1 / 7)
    shares[1] = row
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.evaluate_predictions(shares, GOOD)


@pytest.mark.parametrize("shares", [np.full((3, 8), 1 / 8), [["happy"], ["sad"], ["sad"]]])
def test_shares_of_other_classes_are_refused(shares):
    with pytest.raises(fk.InvalidInputError, match=r"or \(n, 7\) with the share of each class"):
        fk.evaluate_predictions(shares, GOOD)


def test_a_classifier_is_measured_on_votes():
    X, y = fk.make_fer2013(n_samples=70, random_state=0).train
    shares = 0.7 * np.eye(7)[y] + 0.3 * np.eye(7)[(y + 1) % 7]
    predictor = fk.EmotionPredictor.from_pretrained()
    report = predictor.evaluate(X, shares)
    assert report == fk.evaluate_predictions(shares, predictor.predict_proba(X))
    assert report.expected_accuracy < 0.7
    frame = pd.DataFrame(shares[:, ::-1], columns=fk.CLASS_NAMES[::-1])
    assert predictor.evaluate(X, frame) == report
    assert predictor.evaluate(X, np.eye(7)[y]) == predictor.evaluate(X, y)
    with pytest.raises(fk.InvalidInputError, match=r"y must have shape \(n,\), or \(n, 7\)"):
        predictor.evaluate(X, shares[:, :6])
    with pytest.raises(fk.InvalidInputError, match="X and y must have the same length"):
        predictor.evaluate(X, shares[:-1])
    with pytest.raises(NotFittedError):
        fk.EmotionClassifier().evaluate(X, shares)


def test_tables_for_papers_and_pages():
    names = ("50% calm", "cross_ish|", "sad & low")
    report = fk.evaluate_predictions([0, 1, 2, 2], np.eye(3)[[0, 1, 2, 0]], class_names=names)
    rows = report.to_markdown("classes").splitlines()
    assert rows[0] == "| class | precision | recall | F1 | support |"
    assert rows[1] == "| --- | ---: | ---: | ---: | ---: |"
    assert rows[3] == r"| cross\_ish\| | 1.000 | 1.000 | 1.000 | 1 |"
    latex = report.to_latex("classes")
    assert r"50\% calm & 0.500 & 1.000 & 0.667 & 1 \\" in latex
    assert r"cross\_ish| &" in latex
    assert r"sad \& low &" in latex
    assert latex.startswith("\\begin{tabular}{lrrrr}\n\\toprule\n")
    assert latex.endswith("\\bottomrule\n\\end{tabular}")
    assert report.to_markdown() == "\n\n".join(
        report.to_markdown(table) for table in ("figures", "classes", "confusion_matrix")
    )
    assert report.to_latex() == "\n\n".join(
        report.to_latex(table) for table in ("figures", "classes", "confusion_matrix")
    )
    with pytest.raises(fk.InvalidInputError, match="did you mean 'classes'"):
        report.to_latex("clases")


def test_notes_are_read_everywhere():
    report = dataclasses.replace(some_report(), notes=("measured on <two> cores",))
    assert "measured on <two> cores" in str(report)
    assert "measured on <two> cores" in Page(report.to_html()).text
    assert fk.EvaluationReport.from_dict(report.as_dict()) == report


def named(columns, rows=3):
    table = np.random.default_rng(0).dirichlet(np.ones(len(columns)), rows)
    return pd.DataFrame(table, columns=columns)


@pytest.mark.parametrize(
    "columns",
    [
        list(fk.CLASS_NAMES[::-1]),
        ["Happiness", "anger", "FEARFUL", "neutral", "surprised", "sadness", "disgust"],
        [6, 0, 3, 1, 5, 4, 2],
        list(fk.Emotion)[::-1],
    ],
)
def test_columns_of_a_frame_go_by_their_names(columns):
    frame = named(columns)
    places = [c if isinstance(c, int) else emotion_code(c) for c in columns]
    table = frame.to_numpy()[:, np.argsort(places)]
    assert fk.evaluate_predictions([0, 3, 6], frame) == fk.evaluate_predictions([0, 3, 6], table)


def test_columns_of_a_frame_go_by_the_class_names_that_are_given():
    frame, names = named(["calm", "tense", "Joy"]), ("tense", "Joy", "calm")
    report = fk.evaluate_predictions([0, 2, 2], frame, class_names=names)
    expected = fk.evaluate_predictions([0, 2, 2], frame[list(names)].to_numpy(), class_names=names)
    assert report == expected


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([*fk.CLASS_NAMES[:6], "bored"], "columns of probabilities .* received 'bored'"),
        ([*fk.CLASS_NAMES[:6], "anger"], "one column for each .* anger"),
        (fk.CLASS_NAMES[:6], "one column for each"),
        ([*fk.CLASS_NAMES, "time"], "received 'time'"),
        ([1, 2, 3, 4, 5, 6, 7], "one column for each"),
        ([*range(6), "neutral"], "received 0"),
    ],
)
def test_columns_that_are_no_classes_are_refused(columns, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.evaluate_predictions([0, 1, 2], named(columns))


@pytest.mark.parametrize("form", [list, np.array, pd.Series, pd.Categorical])
def test_labels_may_be_words(form):
    words = ["angry", "Happiness", "neutral"]
    table = named(range(7)).to_numpy()
    assert fk.evaluate_predictions(form(words), table) == fk.evaluate_predictions([0, 3, 6], table)


def test_a_class_of_the_given_names_goes_before_the_emotion_of_that_word():
    report = fk.evaluate_predictions(["anger", "angry"], np.eye(2), class_names=("angry", "anger"))
    assert report.confusion_matrix.tolist() == [[0, 1], [1, 0]]


@given(predictions())
def test_round_trip_through_json(case):
    codes, table, names = case
    report = fk.evaluate_predictions(codes, table, class_names=names)
    text = json.dumps(report.as_dict(), allow_nan=False)
    again = fk.EvaluationReport.from_dict(json.loads(text))
    assert again == report
    assert again.as_dict() == report.as_dict()


def without(values, key):
    return {name: value for name, value in values.items() if name != key}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda v: without(v, "loss"),
        lambda v: v | {"reliability": without(v["reliability"], "count")},
        lambda v: v | {"confusion_matrix": v["confusion_matrix"][:6]},
        lambda v: v | {"confusion_matrix": np.zeros((7, 7), int).tolist()},
        lambda v: v | {"class_names": ["a", "b"]},
        lambda v: v | {"loss": "low"},
        lambda v: v | {"reliability": v["reliability"] | {"accuracy": [0.5]}},
        list,
        lambda _: {},
    ],
)
def test_from_dict_refuses_what_is_no_report(spoil):
    with pytest.raises(fk.InvalidInputError, match="report"):
        fk.EvaluationReport.from_dict(spoil(some_report().as_dict()))


def test_reports_compare_by_value_and_cannot_be_changed():
    assert some_report() == some_report()
    assert some_report() != some_report(seed=1)
    assert some_report() != "a report"
    report = some_report()
    with pytest.raises(ValueError, match="read-only"):
        report.confusion_matrix[0, 0] = 1
    with pytest.raises(AttributeError):
        report.loss = 0.0
    with pytest.raises(TypeError, match="unhashable"):
        hash(report)


def test_text_holds_the_figures_aligned():
    report = some_report()
    text = str(report)
    for figure in (report.accuracy, report.f1_macro, report.loss, report.ece):
        assert f"{figure:.3f}" in text
    low, high = report.accuracy_interval
    assert f"95% Wilson interval {low:.3f} to {high:.3f}" in text
    table = text.split("\n\n")[2].splitlines()
    assert [line.split()[0] for line in table] == ["class", *fk.CLASS_NAMES]
    assert len({len(line) for line in table}) == 1
    assert "true \\ predicted" in text
    assert (
        repr(report)
        == f"<EvaluationReport: accuracy {report.accuracy:.3f} on 200 samples, 7 classes>"
    )


def test_counts_of_thousands_are_read_with_commas_everywhere():
    codes = np.zeros(2500, int)
    report = fk.evaluate_predictions(
        codes, codes, class_names=("a", "b"), groups=codes, clusters=np.arange(2500) // 2
    )
    page = Page(report.to_html()).text
    for text in (str(report), repr(report), page):
        assert "2,500 samples" in text
    for text in (str(report), page, report.to_markdown()):
        assert "1,250 clusters" in text
        assert "2500" not in text
    for table in ("classes", "confusion_matrix", "groups"):
        assert "| 2,500 |" in report.to_markdown(table)


def test_without_groups_nothing_is_said_of_them():
    report = some_report()
    for text in (str(report), Page(report.to_html()).text, report.to_markdown()):
        assert "group" not in text.lower()
    with pytest.raises(fk.InvalidInputError, match="table must be one of 'figures', 'classes', 'c"):
        report.to_markdown("groups")


THREE = ("calm", "cross", "sad")
TEN = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
TEN_ANSWERS = [
    *([0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1]),
    *([0.3, 0.6, 0.1], [0.25, 0.45, 0.3], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]),
]
TEXT = """\
Evaluation of 10 samples in 3 classes

accuracy            0.800  90% Wilson interval 0.541 to 0.931
balanced accuracy   0.833  mean recall of the classes
macro F1            0.833  mean F1 of the classes
top-2 accuracy      1.000  true class among the two most probable
loss                0.689  mean cross-entropy, nats
calibration error   0.235  mean confidence 0.625, under-confident

class         precision  recall     F1  support
calm              0.750   0.750  0.750        4
cross             0.750   0.750  0.750        4
sad               1.000   1.000  1.000        2

macro avg         0.833   0.833  0.833       10
weighted avg      0.800   0.800  0.800       10

true \\ predicted  calm  cross  sad
calm                 3      1    0
cross                1      3    0
sad                  0      0    2

group  samples  accuracy    90% interval  balanced accuracy  macro F1
A            5     1.000  0.649 to 1.000              1.000     1.000
B            5     0.600  0.272 to 0.857              0.667     0.667

largest gap: 40.0 points of accuracy between A and B (90% interval -3.5 to 72.8)"""
PAGE = """
Trial 10 samples in 3 classes
Accuracy80.0%90% Wilson interval 54.1% to 93.1%
Balanced accuracy83.3%mean recall of the classes
Macro F10.833mean F1 of the classes
Top-2 accuracy100.0%true class among the two most probable
Loss0.689mean cross-entropy, nats
Calibration error0.235mean confidence 0.625, under-confident
Classes class precision recall F1 samples calm0.7500.7500.7504 cross0.7500.7500.7504
sad1.0001.0001.0002 macro avg0.8330.8330.83310 weighted avg0.8000.8000.80010
Figures
Groups groupsamplesaccuracy90% intervalbalanced accuracymacro F1
A51.0000.649 to 1.0001.0001.000 B50.6000.272 to 0.8570.6670.667
Largest gap: 40.0 points of accuracy between A and B (90% interval -3.5 to 72.8)
Most confident mistakes ✗ cross 70%is calm ✗ calm 60%is cross
Samples ✓ cross 80% ✓ calm 50% ✓ sad 40% ✓ cross 45% ✗ cross 70%is calm ✓ sad 70%
✗ calm 60%is cross ✓ calm 80% ✓ cross 60% ✓ calm 70%
Confusion matrix in numbers Rows are true classes, columns predicted ones
true \\ predictedcalmcrosssad calm310 cross130 sad002
How it was made epochs3
"""


def ten_in_groups():
    groups = list("AABBAABBAB")
    return fk.evaluate_predictions(
        TEN, TEN_ANSWERS, class_names=THREE, groups=groups, confidence_level=0.9
    )


def test_text_is_this():
    assert str(ten_in_groups()) == TEXT


def test_latex_is_this():
    assert ten_in_groups().to_latex("confusion_matrix").splitlines() == [
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r"true \textbackslash{} predicted & calm & cross & sad \\",
        r"\midrule",
        r"calm & 3 & 1 & 0 \\",
        r"cross & 1 & 3 & 0 \\",
        r"sad & 0 & 0 & 2 \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_figures_have_their_own_names_in_json():
    report = ten_in_groups()
    values = report.as_dict()
    assert json.loads(json.dumps(values)) == values  # lists and not tuples, as JSON has them
    assert set(values) == {
        *("n_samples", "n_effective", "loss", "accuracy", "accuracy_interval", "confidence_level"),
        *("balanced_accuracy", "f1_macro", "top2_accuracy", "ece", "mean_confidence"),
        *("kl_divergence", "expected_accuracy", "n_clusters"),
        *("class_names", "per_class", "confusion_matrix", "reliability", "groups", "notes"),
    }
    for name in ("n_samples", "loss", "accuracy", "balanced_accuracy", "f1_macro", "ece"):
        assert values[name] == getattr(report, name)
    assert values["per_class"] == report.per_class
    assert values["groups"] == {name: one.as_dict() for name, one in report.groups.items()}
    assert set(values["reliability"]) == {"confidence", "accuracy", "count"}


def test_page_says_this():
    X = np.zeros((10, 48, 48), np.uint8)
    samples = (X, np.array(THREE)[TEN], np.array(TEN_ANSWERS))
    page = Page(ten_in_groups().to_html(title="Trial", samples=samples, facts={"epochs": 3}))
    said = " ".join(page.text.rpartition("}")[2].split())
    assert said.partition(" Written by fer2013kit")[0] == " ".join(PAGE.split())
    assert [one["alt"] for one in page.all("img")[:5]] == [
        "Confusion matrix. Of each true class, predicted correctly: calm 75%, cross 75%, sad 100%.",
        "Reliability diagram. Calibration error 0.235, mean confidence 62.5%, accuracy 80.0%.",
        (
            "Samples of each class. calm: 4 true, 4 predicted, cross: 4 true, 4 predicted, "
            "sad: 2 true, 2 predicted."
        ),
        "Face: calm, predicted cross",
        "Face: cross, predicted calm",
    ]
    assert [one["style"] for one in page.all("img")[:3]] == [
        "max-width:322px",
        "max-width:480px",
        "max-width:540px",
    ]
    kinds = [one["class"] for one in page.all("figure")]
    assert kinds.count("face wrong") == 4
    assert kinds.count("face right") == 8
    bars = [float(one["style"].removeprefix("--share:")) for one in page.all("td") if one]
    assert bars == [0.75] * 6 + [1.0] * 3 + [0.833] * 3 + [0.8] * 3


def test_page_draws_how_often_each_class_is_true_and_predicted():
    report = fk.evaluate_predictions([0, 0, 0, 1], np.eye(2)[[0, 1, 1, 1]], class_names=("a", "b"))
    ax = Figure().subplots()
    _plot_balance(report, ax=ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "true (4)",
        "predicted (4)",
    ]
    assert [bar.get_height() for bar in ax.patches] == [75, 25, 25, 75]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]
    assert (ax.get_ylabel(), ax.get_title()) == ("share of the samples (%)", "Class balance")


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.5, "close to the accuracy"), (0.9, "over-confident"), (0.4, "under-confident")],
)
def test_text_tells_which_way_confidence_errs(confidence, words):
    row = [confidence, *[(1 - confidence) / 2] * 2]
    report = fk.evaluate_predictions([0, 1], [row, row], class_names=("a", "b", "c"))
    assert words in str(report)
    assert words in report.to_html()


def test_text_leaves_out_a_matrix_that_is_too_wide():
    names = [f"emotion number {i}" for i in range(12)]
    report = fk.evaluate_predictions(np.arange(12), np.eye(12), class_names=names)
    assert "true \\ predicted" not in str(report)
    assert max(map(len, str(report).splitlines())) <= 100


class Page(HTMLParser):
    """What a browser would see: tags that match, their attributes, the text."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def faces(n=20):
    rng = np.random.default_rng(0)
    table = rng.random((n, 7))
    return (
        rng.integers(0, 256, (n, 48, 48, 1), dtype=np.uint8),
        rng.integers(0, 7, n),
        table / table.sum(axis=1, keepdims=True),
    )


def test_page_is_whole_and_loads_nothing(tmp_path):
    history = {"loss": [2.0, 1.0], "val_loss": [2.0, 1.5], "accuracy": [0.2, 0.6]}
    path = tmp_path / "report.html"
    html = some_report().to_html(
        path, title="Try 1", history=history, samples=faces(), facts={"seed": 3}
    )
    assert path.read_text("utf-8") == html
    assert list(tmp_path.iterdir()) == [path]
    page = Page(html)
    images = page.all("img")
    assert len(images) == 5 + 12 + 12  # charts, mistakes, samples
    assert all(image["src"].startswith("data:image/png;base64,iVBOR") for image in images)
    assert all(image["alt"] for image in images)
    assert not page.all("script") + page.all("link") + page.all("a")
    assert not re.search(r"https?:|url\(|@import", html)
    assert "Try 1" in page.text
    assert "seed" in page.text
    assert f"{some_report().accuracy:.1%}" in page.text
    assert page.all("html") == [{"lang": "en"}]
    assert re.findall("<h2>(.*)</h2>", html) == [
        *("Classes", "Figures", "Most confident mistakes", "Samples"),
        *("Confusion matrix in numbers", "How it was made"),
    ]
    for name in ("precision", "recall", "F1", *fk.CLASS_NAMES, "macro avg"):
        assert name in page.text


def test_page_says_what_made_the_classifier():
    clf = fk.EmotionClassifier(
        "residual_cnn", model_params={"blocks": (1, 2)}, epochs=9, mixup=0.3, class_weight={0: 2.0}
    )
    clf.history_, clf.best_epoch_ = {"loss": [2.0, 1.0], "accuracy": [0.2, 0.6]}, 1
    clf.compute_dtype_, clf.temperature_ = "bfloat16", 1.25
    page = Page(some_report().to_html(classifier=clf, facts={"leaks": "12 left out"}))
    made = page.text[page.text.index("How it was made") :]
    for fact in (
        "residual_cnn(blocks=(1, 2))",
        "class_weight={0: 2.0}, epochs=9, mixup=0.3; others as by default",
        "2, the best was number 2",
        "bfloat16",
        "1.250",
        "12 left out",
    ):
        assert fact in made
    assert len(page.all("img")) == 5  # its learning curves, too


def test_facts_of_other_classifiers():
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    assert classifier_facts(LogisticRegression(C=2.0)) == {
        "settings": "C=2.0; others as by default"
    }
    assert classifier_facts(LogisticRegression()) == {"settings": "all as by default"}
    assert (
        "param_grid={'C': [1]}"
        in classifier_facts(GridSearchCV(LogisticRegression(), {"C": [1]}))["settings"]
    )
    assert list(classifier_facts(fk.EmotionPredictor.from_pretrained())) == ["calibration"]
    assert classifier_facts(object()) == {}


def test_page_without_extras_is_smaller():
    page = Page(some_report().to_html())
    assert len(page.all("img")) == 3
    assert "How it was made" not in page.text
    assert "Samples" not in page.text


def test_page_escapes_every_text():
    evil = "<script>alert('&\"')</script>"
    names = [evil, *"bcdefg"]
    X, _, table = faces(4)
    groups = [evil, evil, "x", "x"]
    report = fk.evaluate_predictions([0, 0, 1, 2], table, class_names=names, groups=groups)
    html = report.to_html(title=evil, samples=(X, [0, 0, 1, 2], table), facts={evil: evil})
    assert "<script" not in html
    page = Page(html)
    assert not page.all("script")
    assert page.text.count(evil) >= 6
    assert page.text.count(f"between {evil} and x") + page.text.count(f"between x and {evil}") == 1


def test_page_shows_the_most_confident_mistakes_first():
    table = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2]])
    report = fk.evaluate_predictions([0, 1, 1, 1], table, class_names=("calm", "cross"))
    X = np.zeros((4, 48, 48), np.uint8)
    text = Page(report.to_html(samples=(X, ["calm", "cross", "cross", "cross"], table))).text
    mistakes = text[text.index("Most confident mistakes") : text.index("Samples")]
    assert re.findall(r"✗ calm (\d+)%", mistakes) == ["80", "70", "60"]
    unlabelled = Page(report.to_html(samples=(X, None, table))).text
    assert "mistakes" not in unlabelled
    assert "calm 90%" in unlabelled


def test_page_shows_samples_of_every_class_by_a_seed():
    # A folder's rows stand class by class: the first ones are all alike.
    codes = np.repeat(np.arange(7), 30)
    X = np.arange(210, dtype=np.uint8)[:, None, None].repeat(48, 1).repeat(48, 2)
    report = fk.evaluate_predictions(codes, np.eye(7)[codes])

    def page(**options):
        return report.to_html(samples=(X, codes, np.eye(7)[codes]), **options)

    by_default = page()
    shown = re.findall("Face: (\\w+), predicted correctly", by_default)
    assert len(shown) == 12
    assert set(shown) == set(fk.CLASS_NAMES)
    assert max(shown.count(name) for name in shown) == 2
    assert page(random_state=0) == by_default
    assert page(random_state=1) != by_default


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 3}, r"^samples must be .*; received int$"),
        ({"samples": (faces()[0], None, faces(5)[2])}, r"shape \(20, 7\); received \(5, 7\)"),
        ({"samples": (faces()[0], [1, 2], faces()[2])}, "same length"),
        ({"history": {"lr": [0.1]}}, "does not hold 'accuracy'"),
        ({"history": 3}, "history must be"),
    ],
)
def test_page_refuses_and_writes_nothing(options, message, tmp_path):
    with pytest.raises(fk.InvalidInputError, match=message):
        some_report().to_html(tmp_path / "report.html", **options)
    assert not list(tmp_path.iterdir())


def test_page_needs_a_folder(tmp_path):
    with pytest.raises(fk.InvalidInputError, match="folder that exists"):
        some_report().to_html(tmp_path / "nowhere" / "report.html")
    with pytest.raises(fk.InvalidInputError, match="folder that exists"):
        some_report().to_html(tmp_path)


def test_page_touches_neither_pyplot_nor_its_settings():
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams), plt.get_fignums()
    some_report().to_html(history={"loss": [1.0, 0.5]})
    assert (dict(mpl.rcParams), plt.get_fignums()) == before


def test_a_table_says_what_it_lacks(monkeypatch):
    report = ten_in_groups()
    comparison = fk.compare_predictions(
        TEN, TEN_ANSWERS, TEN_ANSWERS, n_resamples=10, class_names=THREE
    )
    summary = fk.summarize_reports([report, report])
    monkeypatch.setitem(sys.modules, "pandas", None)
    for table in (report.to_frame, report.groups_to_frame, comparison.to_frame, summary.to_frame):
        with pytest.raises(fk.MissingDependencyError, match=rf"^{table.__name__} needs pandas, "):
            table()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "received dict: KeyError 'reliability'"),
        ([], "received list: TypeError list indices"),
        ({**ten_in_groups().as_dict(), "loss": "low"}, "received dict: ValueError could not"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(values, reason):
    said = f"^this is no evaluation report; expected the mapping that as_dict returns, {reason}"
    with pytest.raises(fk.InvalidInputError, match=said):
        fk.EvaluationReport.from_dict(values)


def test_whole_numbers_of_dtype_object_are_codes():
    """As pandas has them after a column that was mixed."""
    data = fk.make_fer2013(n_samples=70, random_state=0)
    X, y = data.train
    loose = pd.Series(y).astype(object)
    table = np.eye(7)[y] * 0.93 + 0.01
    assert fk.evaluate_predictions(loose, table).accuracy == 1
    assert fk.class_weights(loose) == fk.class_weights(y)
    clf = fk.EmotionClassifier(tiny_network, epochs=1, augment=False, verbose=0)
    assert clf.fit(X, loose).classes_.dtype == np.int64
