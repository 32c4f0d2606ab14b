"""Probabilities under other class frequencies: Bayes' rule, and what cannot be a frequency."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import fer2013kit as fk

shares = arrays(float, 4, elements=st.floats(0.01, 1)).map(lambda a: a / a.sum())
tables = arrays(float, (3, 4), elements=st.floats(0.001, 1)).map(
    lambda a: a / a.sum(axis=1, keepdims=True)
)


def test_it_is_the_posterior_of_a_world_with_those_frequencies():
    """Two classes whose values are normal around 0 and 2: the posterior is known in both worlds."""

    def posterior(values, share):
        odds = np.exp(2 * values - 2) * share / (1 - share)
        return np.stack([1 / (1 + odds), odds / (1 + odds)], axis=1)

    values = np.linspace(-3, 5, 50)
    adjusted = fk.adjust_priors(posterior(values, 0.1), [90, 10], [0.4, 0.6])
    np.testing.assert_allclose(adjusted, posterior(values, 0.6))
    np.testing.assert_allclose(
        fk.adjust_priors(posterior(values, 0.1), [0.9, 0.1]), posterior(values, 0.5)
    )


@given(tables, shares, shares, st.floats(0, 3))
def test_the_way_there_and_back_changes_nothing(table, old, new, strength):
    there = fk.adjust_priors(table, old, new, strength=strength)
    np.testing.assert_allclose(there.sum(axis=1), 1)
    back = fk.adjust_priors(there, new, old, strength=strength)
    np.testing.assert_allclose(back, table, atol=1e-9)
    np.testing.assert_allclose(fk.adjust_priors(table, old * 3, new, strength=0), table)


def test_a_class_that_does_not_occur_is_not_answered():
    table = np.array([[0.9, 0.1, 0.0], [1.0, 0.0, 0.0]])
    adjusted = fk.adjust_priors(table, [1, 1, 1], [0, 3, 1])
    assert (adjusted[:, 0] == 0).all()
    np.testing.assert_allclose(adjusted[0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(adjusted[1], [0, 0.75, 0.25])
    unchanged = fk.adjust_priors(table, [1, 1, 1], [0, 3, 1], strength=0)
    np.testing.assert_allclose(unchanged, table, atol=1e-12)


def test_frequencies_count_by_their_ratios_however_large():
    table = [[0.2, 0.8], [1, 0], [0, 1]]
    expected = fk.adjust_priors(table, [1, 9])
    for scale in (100, 1e307, 1e-300):
        np.testing.assert_allclose(fk.adjust_priors(table, [scale, 9 * scale]), expected)
    strong = fk.adjust_priors(table, [1, 1000], strength=200)
    np.testing.assert_allclose(strong.sum(axis=1), 1)


def test_counts_of_pandas_go_by_their_index():
    """value_counts sorts by frequency."""
    counts = pd.Series([1, 1, 1, 0, 0, 2]).value_counts()
    table = [[0.5, 0.3, 0.2]]
    assert list(counts.index) != [0, 1, 2]
    np.testing.assert_array_equal(
        fk.adjust_priors(table, counts), fk.adjust_priors(table, [2, 3, 1])
    )
    with pytest.raises(fk.InvalidInputError, match="of names, pass a list in the order"):
        fk.adjust_priors(table, pd.Series(["a", "b", "c"]).value_counts())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"old": [1, 0]}, "old must be positive for every class"),
        ({"old": [1, 2, 3]}, r"old must be numbers of shape \(2,\)"),
        ({"old": "ab"}, "old must be numbers"),
        ({"old": [True, True]}, "old must be numbers"),
        ({"old": [1, -1]}, "old must be finite, not negative"),
        ({"old": [1, np.inf]}, "old must be finite, not negative"),
        ({"old": [1, 1], "new": [0, 0]}, "new must be finite, not negative and not all 0"),
        ({"old": [1, 1], "new": [np.nan, 1]}, "new must be finite"),
        ({"old": [1, 1], "strength": -1}, "strength must be a number"),
        ({"old": [1, 1], "strength": np.inf}, "strength must be a number"),
    ],
)
def test_what_is_no_frequency_is_refused(settings, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.adjust_priors([[0.2, 0.8]], **settings)
    with pytest.raises(fk.InvalidInputError, match="take the softmax first"):
        fk.adjust_priors([[2.0, -1.0]], [1, 1])
