import json

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

import fer2013kit as fk
from fer2013kit._metrics import newcombe_interval, wilson_interval

NAMES = ("calm", "cross", "sad")


def answers(seed=0, n=300, skill=1.0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, n)
    table = rng.random((n, 3)) + skill * np.eye(3)[codes] * rng.random((n, 1))
    return codes, table / table.sum(axis=1, keepdims=True)


Y, A = answers()
B = answers(skill=2.0)[1]


def compare(a=A, b=B, **options):
    return fk.compare_predictions(Y, a, b, class_names=NAMES, **options)


def test_all_that_a_comparison_says():
    y, a, b = [0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 2, 0], [0, 0, 1, 2, 2, 2]
    options = {"names": ("old", "new"), "confidence_level": 0.9}
    comparison = fk.compare_predictions(y, a, b, class_names=["x", "y", "z"], **options)
    assert (
        str(comparison)
        == """\
new against old on 6 samples

figure               old    new  difference      90% interval
accuracy           0.667  0.833      +0.167  -0.333 to +0.667
balanced accuracy  0.667  0.833      +0.167  -0.250 to +0.583
macro F1           0.656  0.822      +0.167  -0.333 to +0.704

McNemar's exact test of equal accuracy: p = 1

true class  both right  only old right  only new right  both wrong
x                    1               0               1           0
y                    1               1               0           0
z                    1               0               1           0
all                  3               1               2           0"""
    )
    assert repr(comparison) == (
        "<PredictionComparison: new +0.167 against old on 6 samples, p = 1>"
    )
    told = comparison.as_dict()
    accuracy = told.pop("figures")["accuracy"]
    assert list(accuracy) == ["a", "b", "difference", "interval"]
    assert accuracy["interval"] == list(comparison.figures["accuracy"].interval)
    assert told == {
        "names": ["old", "new"],
        "n_samples": 6,
        "p_value": 1.0,
        "confidence_level": 0.9,
        "n_clusters": None,
        "outcomes": {"x": [1, 0, 1, 0], "y": [1, 1, 0, 0], "z": [1, 0, 1, 0]},
    }
    assert list(comparison.to_frame().columns) == ["old", "new", "difference", "low", "high"]


def test_both_figures_are_those_of_their_reports():
    comparison = compare()
    for table, place in ((A, 0), (B, 1)):
        report = fk.evaluate_predictions(Y, table, class_names=NAMES)
        expected = (report.accuracy, report.balanced_accuracy, report.f1_macro, report.loss)
        got = [figure[place] for figure in comparison.figures.values()]
        assert got == pytest.approx(expected)
    for a, b, difference, (low, high) in comparison.figures.values():
        assert difference == pytest.approx(b - a)
        assert low < difference < high
    assert comparison.difference == comparison.figures["accuracy"].difference
    assert comparison.n_samples == len(Y)


def scipys_interval(right):
    found = stats.bootstrap(
        right,
        lambda a, b: b.mean() - a.mean(),
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=2000,
        rng=np.random.default_rng(1),
    )
    return tuple(found.confidence_interval)


def test_interval_is_scipys_paired_bootstrap():
    right = [(table.argmax(axis=1) == Y).astype(float) for table in (A, B)]
    assert compare().interval == pytest.approx(scipys_interval(right), abs=0.01)


def test_interval_is_of_the_differences_that_were_drawn():
    right = [(table.argmax(axis=1) == Y).astype(float) for table in (A, B)]
    rng = np.random.default_rng(3)
    rows = [rng.integers(len(Y), size=len(Y)) for _ in range(40)]
    found = [right[1][chosen].mean() - right[0][chosen].mean() for chosen in rows]
    comparison = compare(n_resamples=40, confidence_level=0.8, random_state=3)
    assert comparison.interval == pytest.approx(tuple(np.quantile(found, [0.1, 0.9])))
    assert compare() == compare(n_resamples=2000, confidence_level=0.95, random_state=0)


def test_macro_f1_interval_is_that_of_resampled_rows():
    rng = np.random.default_rng(5)
    found = []
    for _ in range(150):
        rows = rng.integers(len(Y), size=len(Y))
        a, b = (
            metrics.f1_score(Y[rows], table[rows].argmax(axis=1), average="macro")
            for table in (A, B)
        )
        found.append(b - a)
    expected = np.percentile(found, [2.5, 97.5])
    assert compare().figures["macro F1"].interval == pytest.approx(expected, abs=0.02)


def test_p_value_is_the_exact_binomial_one():
    right_a, right_b = (table.argmax(axis=1) == Y for table in (A, B))
    only_a, only_b = (right_a & ~right_b).sum(), (right_b & ~right_a).sum()
    assert compare().p_value == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue)
    # Worked out by hand: of five, all for one side, twice (1/2)**5.
    few = fk.compare_predictions([0] * 5, [1] * 5, [0] * 5, class_names=NAMES)
    assert few.p_value == pytest.approx(2 / 32)
    assert compare(A, A).p_value == 1


def test_each_sample_as_a_cluster_changes_nothing():
    one, plain = compare(clusters=range(len(Y)), n_resamples=100), compare(n_resamples=100)
    assert (one.figures, one.p_value) == (plain.figures, plain.p_value)
    assert one.n_clusters == len(Y)


def test_interval_of_clusters_is_scipys_bootstrap_of_their_means():
    people = np.repeat(np.arange(60), 5)  # as many images of each, so that means are enough
    right = [(table.argmax(axis=1) == Y).reshape(60, 5).mean(axis=1) for table in (A, B)]
    found = compare(clusters=people)
    assert found.interval == pytest.approx(scipys_interval(right), abs=0.01)
    assert found.difference == compare().difference


def test_p_value_of_clusters_is_scipys_permutation_test():
    people = np.sort(np.random.default_rng(3).integers(0, 11, len(Y)))
    right_a, right_b = (table.argmax(axis=1) == Y for table in (A, A[:, [0, 2, 1]] + 0.5 * A))
    totals = [np.bincount(people, right).astype(float) for right in (right_a, right_b)]
    expected = stats.permutation_test(
        totals, lambda a, b: (b - a).sum(), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    b = A[:, [0, 2, 1]] + 0.5 * A
    with pytest.warns(fk.Fer2013KitWarning, match="cross for sad, sad for cross"):
        found = compare(b=b / b.sum(axis=1, keepdims=True), clusters=people, n_resamples=2)
    assert found.p_value == pytest.approx(expected)
    assert 0 < found.p_value < 1


def test_copies_make_no_difference_more_certain():
    rows = np.repeat(np.arange(60), 5)
    once, copies, taken_in = (
        fk.compare_predictions(Y[r], A[r], B[r], class_names=NAMES, n_resamples=500, **options)
        for r, options in ((np.arange(60), {}), (rows, {"clusters": rows}), (rows, {}))
    )
    assert copies.interval == pytest.approx(once.interval)
    assert copies.p_value == pytest.approx(once.p_value)
    assert taken_in.p_value < once.p_value
    assert "on 300 samples in 60 clusters" in str(copies)
    assert "Exact test of equal accuracy, by whole clusters: p = " in str(copies)
    same = compare(A, A, clusters=np.arange(len(Y)) // 5, n_resamples=2)
    assert same.p_value == 1


def test_weighted_figures_are_those_of_scikit_learn():
    weights = np.random.default_rng(2).integers(0, 4, len(Y)).astype(float)
    comparison = compare(sample_weight=weights, n_resamples=200)
    options = {"sample_weight": weights}
    for place, table in enumerate((A, B)):
        predicted = table.argmax(axis=1)
        expected = (
            metrics.accuracy_score(Y, predicted, **options),
            metrics.balanced_accuracy_score(Y, predicted, **options),
            metrics.f1_score(Y, predicted, average="macro", **options),
            metrics.log_loss(Y, table, **options),
        )
        assert [row[place] for row in comparison.figures.values()] == pytest.approx(expected)
    # One of weight 0 is none, scale says nothing, and equal ones change nothing.
    kept = weights > 0
    less = fk.compare_predictions(
        Y[kept],
        A[kept],
        B[kept],
        class_names=NAMES,
        sample_weight=7 * weights[kept],
        n_resamples=200,
    )
    assert comparison.n_samples == less.n_samples == kept.sum()
    assert (comparison.p_value, comparison.outcomes) == (less.p_value, less.outcomes)
    assert comparison.interval == pytest.approx(less.interval)
    even = compare(sample_weight=np.full(len(Y), 0.5), n_resamples=50)
    assert even.interval == pytest.approx(compare(n_resamples=50).interval)
    assert comparison.interval != pytest.approx(compare(n_resamples=200).interval)


def test_outcomes_count_every_sample_once():
    comparison = compare()
    assert np.sum(list(comparison.outcomes.values())) == len(Y)
    wrong = (A.argmax(axis=1) != Y) & (B.argmax(axis=1) != Y)
    assert comparison.both_wrong == wrong.sum()
    assert [sum(row) for row in comparison.outcomes.values()] == np.bincount(Y).tolist()


def test_exchanging_both_turns_the_signs():
    one, other = compare(), compare(B, A)
    assert one.difference == -other.difference
    assert one.interval == pytest.approx(tuple(-end for end in other.interval[::-1]))
    assert one.p_value == other.p_value


def test_a_seed_decides_the_interval():
    assert compare(n_resamples=50) == compare(n_resamples=50)
    assert compare(n_resamples=50) != compare(n_resamples=50, random_state=1)
    narrow = compare(confidence_level=0.5).interval
    wide = compare(confidence_level=0.99).interval
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_hard_labels_have_no_loss():
    comparison = compare(np.array(NAMES)[A.argmax(axis=1)], B)
    assert list(comparison.figures) == ["accuracy", "balanced accuracy", "macro F1"]
    assert comparison.difference == compare().difference
    assert "loss" not in compare(A, B.argmax(axis=1), n_resamples=2).figures


def test_thousands_are_set_apart():
    y, a = np.zeros(1200, int), np.repeat([0, 1], [1150, 50])
    comparison = fk.compare_predictions(y, a, y, class_names=NAMES, names=[1, 2], n_resamples=2)
    # Fifty for one side alone: 2 (1/2)**50.
    assert repr(comparison) == (
        "<PredictionComparison: 2 +0.042 against 1 on 1,200 samples, p = 1.78e-15>"
    )
    assert str(comparison).startswith("2 against 1 on 1,200 samples\n")
    assert str(comparison).splitlines()[-1].split() == ["all", "1,150", "0", "50", "0"]


def test_forms():
    comparison = compare(names=("old", "new"), n_resamples=100)
    assert json.loads(json.dumps(comparison.as_dict()))["names"] == ["old", "new"]
    frame = comparison.to_frame()
    assert list(frame.columns) == ["old", "new", "difference", "low", "high"]
    assert frame.loc["loss", "difference"] == comparison.figures["loss"].difference
    text = str(comparison)
    assert "new against old on 300 samples" in text
    assert f"p = {comparison.p_value:.3g}" in text
    assert text.splitlines()[-1].split()[-1] == str(comparison.both_wrong)
    assert "only old right" in comparison.to_markdown("outcomes")
    latex = comparison.to_latex()
    assert latex.count(r"\begin{tabular}") == 2
    assert f"& {comparison.figures['loss'].difference:+.3f} &".replace("-", "$-$") in latex
    assert " -0." not in latex
    assert f"{comparison.difference:+.3f}" in repr(comparison)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": A[:-1]}, "y_true and proba_a must have the same length; received 300 and 299"),
        ({"b": B[:-1]}, "y_true and proba_b must have the same length; received 300 and 299"),
        ({"b": B * 2}, "proba_b must not be negative and each row"),
        ({"b": B[:, :2]}, "proba_b"),
        ({"a": ["bored"] * len(Y)}, "proba_a must be codes or names"),
        ({"n_resamples": 0}, "n_resamples"),
        ({"n_resamples": 1.5}, "n_resamples"),
        ({"sample_weight": [1]}, "sample_weight"),
        ({"confidence_level": 95}, "confidence_level"),
        ({"names": ("one", "one")}, "two different names"),
        ({"names": "ab"}, "two different names"),
        ({"names": ("a", "b", "c")}, "two different names"),
    ],
)
def test_refuses(change, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        compare(**change)


def test_newcombe_interval_of_a_textbook_case():
    # Example (a) of Newcombe's paper: 56/70 against 48/80, method 10.
    shares = [(k / n, wilson_interval(k, n, 0.95)) for k, n in ((56, 70), (48, 80))]
    assert newcombe_interval(*shares) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_loss_of_soft_truth_is_the_cross_entropy_with_all_shares():
    shares, *tables = np.random.default_rng(0).dirichlet(np.ones(7), (3, 30))
    loss = fk.compare_predictions(shares, *tables, n_resamples=2).figures["loss"]
    expected = [-(shares * np.log(table.clip(1e-7))).sum(axis=1).mean() for table in tables]
    assert (loss.a, loss.b) == pytest.approx(tuple(expected))


def test_expected_accuracy_of_votes_is_that_of_the_reports():
    shares, *tables = np.random.default_rng(0).dirichlet(np.ones(7), (3, 30))
    weights = np.arange(30)
    told = fk.compare_predictions(shares, *tables, sample_weight=weights, n_resamples=20)
    assert list(told.figures)[3:] == ["expected accuracy", "loss"]
    for place, table in enumerate(tables):
        report = fk.evaluate_predictions(shares, table, sample_weight=weights)
        got = told.figures["expected accuracy"][place]
        assert got == pytest.approx(report.expected_accuracy)
    answers = fk.compare_predictions(shares, *(t.argmax(axis=1) for t in tables), n_resamples=2)
    assert list(answers.figures)[3:] == ["expected accuracy"]
