import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax, softmax

import fer2013kit as fk
from fer2013kit.evaluation._calibration import TEMPERATURE_RANGE, apply_temperature, fit_temperature

temperatures = st.floats(*TEMPERATURE_RANGE)


@st.composite
def tables(draw):
    """Probabilities as a softmax gives them, some of them 0 and 1."""
    shape = draw(st.integers(1, 30)), draw(st.integers(2, 6))
    logits = draw(arrays(np.float64, shape, elements=st.floats(-30, 30)))
    return softmax(logits, axis=1).astype(draw(st.sampled_from([np.float32, np.float64])))


@given(tables(), st.data())
def test_fitted_temperature_never_makes_the_loss_worse(table, data):
    n, k = table.shape
    codes = data.draw(arrays(np.int64, n, elements=st.integers(0, k - 1)))
    temperature = fit_temperature(codes, table)
    low, high = TEMPERATURE_RANGE
    assert low <= temperature <= high

    def loss(t):
        scaled = apply_temperature(table, t)
        return fk.evaluate_predictions(codes, scaled, class_names=list(map(str, range(k)))).loss

    fitted = loss(temperature)
    assert fitted <= loss(1) + 1e-6
    # The loss is clipped where the search's is not, so only what lies clear of the floor is held
    # against other temperatures.
    if table.min() > 1e-4:
        assert fitted <= min(loss(t) for t in (0.7, 0.9, 1.2, 2.0, 5.0)) + 1e-6


@given(tables(), temperatures)
def test_order_and_sum_stay(table, temperature):
    scaled = apply_temperature(table, temperature)
    np.testing.assert_allclose(scaled.sum(axis=1), 1)
    assert (scaled >= 0).all()
    rows = np.arange(len(table))
    winner = scaled[rows, table.argmax(axis=1)]
    np.testing.assert_array_equal(winner, scaled.max(axis=1))


@given(tables())
def test_one_is_the_identity(table):
    np.testing.assert_allclose(apply_temperature(table, 1.0), table, atol=1e-6)


@given(
    arrays(np.float64, (5, 4), elements=st.floats(-6, 6)),
    st.floats(0.3, 10),
)
def test_is_the_softmax_of_scaled_logits(logits, temperature):
    expected = softmax(logits / temperature, axis=1)
    np.testing.assert_allclose(
        apply_temperature(softmax(logits, axis=1), temperature), expected, atol=1e-6
    )


@pytest.mark.parametrize(("codes", "end"), [([0, 1], 0.05), ([1, 0], 20.0)])
def test_what_is_always_right_or_always_wrong_has_the_ends_of_the_range(codes, end):
    assert fit_temperature(codes, [[0.6, 0.4], [0.4, 0.6]]) == pytest.approx(end, rel=1e-3)


@pytest.mark.parametrize("true_temperature", [0.5, 1.7, 3.0])
def test_finds_the_temperature_that_labels_were_drawn_with(true_temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3, size=(20_000, 7))
    honest = softmax(logits / true_temperature, axis=1)
    codes = (honest.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    table = softmax(logits, axis=1)
    temperature = fit_temperature(codes, table)
    assert temperature == pytest.approx(true_temperature, rel=0.05)

    before = fk.evaluate_predictions(codes, table)
    after = fk.evaluate_predictions(codes, apply_temperature(table, temperature))
    assert after.ece < before.ece / 2
    np.testing.assert_array_equal(after.confusion_matrix, before.confusion_matrix)


def test_finds_the_minimum_of_a_fine_grid():
    rng = np.random.default_rng(1)
    logits = rng.normal(scale=2, size=(400, 7))
    codes = rng.integers(0, 7, 400)
    codes[:250] = logits[:250].argmax(axis=1)
    grid = np.geomspace(0.5, 10, 4000)
    losses = [-log_softmax(logits / t, axis=1)[np.arange(400), codes].mean() for t in grid]
    expected = grid[int(np.argmin(losses))]
    assert fit_temperature(codes, softmax(logits, axis=1)) == pytest.approx(expected, rel=2e-3)


def test_nothing_to_gain_is_exactly_one():
    assert fit_temperature([0, 1], [[0.5, 0.5], [0.5, 0.5]]) == 1.0


@pytest.mark.parametrize("temperature", [0, -1, np.nan, np.inf])
def test_refuses_temperature(temperature):
    with pytest.raises(fk.InvalidInputError, match="temperature must be positive"):
        apply_temperature([[0.5, 0.5]], temperature)


def test_refuses_what_is_no_probability():
    with pytest.raises(fk.InvalidInputError, match="sum to 1"):
        fit_temperature([0], [[2.0, -1.0]])
    with pytest.raises(fk.InvalidInputError, match="zero rows"):
        fit_temperature([], np.empty((0, 7)))
