import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fer2013kit as fk


def test_more_classes_than_fer2013_has():
    assert fk.to_one_hot([8], 9).argmax() == 8
    assert fk.class_weights([7, 7, 8], n_classes=9) == {7: 0.75, 8: 1.5}


@given(st.integers(1, 9), st.data())
def test_one_hot_goes_there_and_back(n_classes, data):
    labels = data.draw(
        hnp.arrays(np.int64, st.integers(0, 9), elements=st.integers(0, n_classes - 1))
    )
    one_hot = fk.to_one_hot(labels, n_classes)
    assert one_hot.shape == (len(labels), n_classes)
    assert one_hot.dtype == np.float32
    np.testing.assert_array_equal(one_hot.sum(axis=1), 1)
    np.testing.assert_array_equal(fk.from_one_hot(one_hot), labels)
    assert fk.from_one_hot(one_hot).dtype == np.int64


@pytest.mark.parametrize(
    ("one_hot", "message"),
    [
        ([[0.2, 0.8]], r"received \[0.2 0.8\] in row 0; of probabilities"),
        ([[1, 1]], "single 1"),
        ([[0, 0]], "single 1"),
        ([[0, 1], [np.nan, 1]], "in row 1;"),
        ([0, 1], r"shape \(n, n_classes\); received \(2,\)"),
        ([[[1]]], "must have shape"),
        ([[]], "one_hot"),
    ],
)
def test_from_one_hot_refuses(one_hot, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.from_one_hot(one_hot)


def test_to_one_hot_refuses():
    with pytest.raises(fk.InvalidInputError, match="received 7"):
        fk.to_one_hot([0, 7])
    with pytest.raises(fk.InvalidInputError, match="n_classes"):
        fk.to_one_hot([], n_classes=0)
