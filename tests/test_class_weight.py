import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

import fer2013kit as fk

METHODS = ["balanced", "inverse_sqrt", "effective_number"]
FORMULAS = {
    "balanced": lambda count, _: 1 / count,
    "inverse_sqrt": lambda count, _: 1 / math.sqrt(count),
    "effective_number": lambda count, beta: (1 - beta) / (1 - beta**count),
}

labels = hnp.arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 6))
methods = st.sampled_from(METHODS)
betas = st.sampled_from([0, 0.5, 0.9, 0.999, 0.9999])


# --- class_counts ------------------------------------------------------------------------------


@given(labels)
def test_counts(y):
    counts = fk.class_counts(y)
    assert counts.tolist() == [y.tolist().count(code) for code in range(7)]
    assert counts.dtype == np.int64


def test_counts_of_nothing_and_of_more_classes():
    assert fk.class_counts([]).tolist() == [0] * 7
    assert fk.class_counts([7, 7], n_classes=8).tolist() == [0] * 7 + [2]
    assert fk.class_counts([0, 0], n_classes=1).tolist() == [2]


@pytest.mark.parametrize("y", [[0, 7], [-1], [0.5], ["happy"], [[0, 1]], 3, [None]])
def test_counts_refuse(y):
    with pytest.raises(fk.InvalidInputError, match=r"^y must"):
        fk.class_counts(y)


def test_counts_refuse_no_classes():
    with pytest.raises(fk.InvalidInputError, match="n_classes"):
        fk.class_counts([], n_classes=0)


@pytest.mark.parametrize(
    "y",
    [
        ["happy", 1],
        ["happy", None],
        [None, 0],
        [np.nan, 0],
        [10**30, 0],
        [np.datetime64("2026-01-01")],
        [True, False],
        [0.5, 1.5],
        np.array([np.inf, 0]),
    ],
)
def test_labels_that_are_not_of_one_kind_are_refused(y):
    for weigh in (fk.class_weights, fk.sample_weights):
        with pytest.raises(fk.InvalidInputError, match=r"^y must"):
            weigh(y, n_classes=None)


@pytest.mark.parametrize("beta", [-0.1, 1, np.nan, "0.9", None, True])
def test_a_beta_that_is_none_is_refused(beta):
    with pytest.raises(fk.InvalidInputError, match="beta must"):
        fk.class_weights([0, 1], method="effective_number", beta=beta)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", np.nan, True, [1]])
def test_seeds_that_are_none_are_refused(seed):
    with pytest.raises(fk.InvalidInputError, match="random_state must"):
        fk.make_fer2013(n_samples=70, random_state=seed)


# --- class_weights ----------------------------------------------------------------------


@given(labels, methods, betas)
def test_weights_follow_their_formula(y, method, beta):
    weights = fk.class_weights(y, method=method, beta=beta)
    counts = fk.class_counts(y)
    raw = {code: FORMULAS[method](int(count), beta) for code, count in enumerate(counts) if count}
    mean = sum(raw[code] for code in y.tolist()) / len(y)
    assert weights == pytest.approx({code: value / mean for code, value in raw.items()})
    assert list(weights) == sorted(set(y.tolist()))
    assert all(type(code) is int and type(weight) is float for code, weight in weights.items())


@given(labels)
def test_balanced_is_scikit_learns(y):
    present = np.unique(y)
    expected = compute_class_weight("balanced", classes=present, y=y)
    assert list(fk.class_weights(y).values()) == pytest.approx(expected)
    np.testing.assert_allclose(fk.sample_weights(y), compute_sample_weight("balanced", y))


@given(labels, methods, betas)
def test_rarer_classes_weigh_no_less(y, method, beta):
    weights = fk.class_weights(y, method=method, beta=beta)
    counts = fk.class_counts(y)
    by_count = sorted(weights, key=lambda code: counts[code])
    ordered = [weights[code] for code in by_count]
    assert all(a >= b - 1e-9 for a, b in itertools.pairwise(ordered))


def test_beta_goes_from_no_weights_to_balanced():
    y = [0] * 90 + [1] * 10
    assert fk.class_weights(y, method="effective_number", beta=0) == {0: 1.0, 1: 1.0}
    near = fk.class_weights(y, method="effective_number", beta=1 - 1e-9)
    assert near == pytest.approx(fk.class_weights(y), rel=1e-5)


def test_real_training_counts():
    counts = [3995, 436, 4097, 7215, 4830, 3171, 4965]
    y = np.repeat(np.arange(7), counts)
    weights = fk.class_weights(y)
    assert weights[1] == pytest.approx(28709 / 7 / 436)
    assert weights[1] / weights[3] == pytest.approx(7215 / 436)


def test_absent_classes_have_no_key():
    assert set(fk.class_weights([0, 3, 3])) == {0, 3}
    assert fk.class_weights([]) == {}
    assert fk.class_weights([5, 5]) == {5: 1.0}


@pytest.mark.parametrize("dtype", [str, object, "T"])
def test_names_are_labels_too(dtype):
    codes = [4, 3, 3, 6]
    names = np.array([fk.CLASS_NAMES[code] for code in codes]).astype(dtype)
    weights = fk.class_weights(names)
    assert list(weights) == ["happy", "neutral", "sad"]
    assert all(type(name) is str for name in weights)
    by_code = fk.class_weights(codes)
    assert weights == {fk.CLASS_NAMES[code]: weight for code, weight in by_code.items()}


def test_any_labels_without_a_number_of_classes():
    assert fk.class_weights([10, 20, 20], n_classes=None) == {10: 1.5, 20: 0.75}
    assert fk.sample_weights([10, 20], {10: 1, 20: 4}, n_classes=None).tolist() == [1, 4]
    assert fk.sample_weights([1, 0], [1, 4], n_classes=None).tolist() == [4, 1]


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        ([0, 7], {}, "^y must .*received 7"),
        ([[0, 1], [1, 0]], {}, "from_one_hot"),
        ([0.5], {}, "class codes"),
        ([None, "sad"], {}, "class codes"),
        (["sad", 1], {}, "words alone"),
        (["sad"], {"n_classes": 0}, "^n_classes must"),
        ([0], {"method": "ballanced"}, "^method .*did you mean 'balanced'"),
        ([0], {"beta": 1.0}, "beta must be"),
        ([0], {"beta": -0.1}, "beta must be"),
        ([0], {"beta": math.nan}, "beta must be"),
    ],
)
def test_class_weight_refuses(y, options, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.class_weights(y, **options)


# --- sample_weights ---------------------------------------------------------------------


@given(labels, methods, betas)
def test_mean_of_sample_weights_is_one(y, method, beta):
    weights = fk.sample_weights(y, method, beta=beta)
    assert weights.shape == y.shape
    assert weights.dtype == np.float64
    assert weights.mean() == pytest.approx(1)
    by_class = fk.class_weights(y, method=method, beta=beta)
    np.testing.assert_array_equal(weights, [by_class[code] for code in y.tolist()])


@given(labels, hnp.arrays(np.float64, 7, elements=st.floats(0, 100)))
def test_dicts_and_arrays_are_taken_as_they_are(y, weights):
    np.testing.assert_array_equal(fk.sample_weights(y, weights), weights[y])
    by_code = dict(enumerate(weights.tolist()))
    np.testing.assert_array_equal(fk.sample_weights(y, by_code), weights[y])
    names = np.array(fk.CLASS_NAMES)
    by_name = dict(zip(fk.CLASS_NAMES, weights.tolist(), strict=True))
    np.testing.assert_array_equal(fk.sample_weights(names[y], by_name), weights[y])


def test_no_weight_is_one():
    assert fk.sample_weights(["sad", "happy"], None).tolist() == [1, 1]


@pytest.mark.parametrize("class_weight", [*METHODS, None, {}, [1] * 7])
def test_nothing_to_weigh(class_weight):
    assert fk.sample_weights([], class_weight).shape == (0,)


@pytest.mark.parametrize(
    ("y", "class_weight", "message"),
    [
        ([0, 7], "balanced", "received 7"),
        ([0, 7], None, "received 7"),
        ([0], "focal", "must be one of"),
        ([0, 3], {0: 1.0, "a": 2}, r"missing \[3\]; received \[0, 'a'\]$"),
        (["sad"], {4: 1.0}, r"missing \['sad'\]"),
        ([0], {0: -1}, "not negative"),
        ([0], {0: math.inf}, "finite"),
        ([0], {0: "x"}, "must hold numbers"),
        ([0], {0: [1, 2]}, "finite and not negative"),
        ([0], {0: {}}, "must hold numbers"),
        ([0], [1.0] * 8, r"^class_weight as an array must be numbers of shape \(7,\), one"),
        ([0], 2.0, r"shape \(7,\)"),
        ([0], ["a"] * 7, "must be numbers"),
        (["sad"], [1.0] * 7, "^class_weight .* but y holds names; pass a dict of name to weight$"),
    ],
)
def test_sample_weight_refuses(y, class_weight, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.sample_weights(y, class_weight)


def test_an_unknown_method_is_called_as_it_was_given():
    with pytest.raises(fk.InvalidInputError, match=r"^class_weight must be one of 'balanced'"):
        fk.sample_weights([0, 6], "balance")
