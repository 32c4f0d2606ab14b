import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import fer2013kit as fk
from fer2013kit.datasets._synthetic import FER2013_COUNTS


def counts(split):
    return np.bincount(split.labels, minlength=7)


@given(st.integers(10, 90), st.integers(0, 2**32 - 1))
def test_sizes_are_those_of_fer2013(n_samples, seed):
    data = fk.make_fer2013(n_samples, random_state=seed)
    assert [len(split) for split in data.splits.values()] == [
        n_samples - 2 * (n_samples // 10),
        n_samples // 10,
        n_samples // 10,
    ]
    for split in data.splits.values():
        assert split.images.dtype == np.uint8
        assert split.images.shape == (len(split), 48, 48, 1)
        assert split.labels.dtype == np.int64
        # Equal classes differ by one image at most; all are there when there is room.
        assert np.ptp(counts(split)) <= 1
        if len(split) >= 7:
            assert counts(split).min() >= 1


def test_same_seed_same_faces():
    first, again = (fk.make_fer2013(70, random_state=3) for _ in range(2))
    other = fk.make_fer2013(70, random_state=4)
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(first.splits[name].images, again.splits[name].images)
        np.testing.assert_array_equal(first.splits[name].labels, again.splits[name].labels)
    assert (first.train.images != other.train.images).any()


def test_faces_are_the_same_everywhere():
    # Rounding may move single pixels on another processor, so a mean is compared, not a hash.
    images = fk.make_fer2013(70, random_state=0).train.images
    assert images.mean() == pytest.approx(120.126, abs=0.01)
    assert images.std() == pytest.approx(52.070, abs=0.01)


@pytest.mark.parametrize("kind", [np.random.default_rng, np.random.RandomState])
def test_generators_are_taken_and_moved_on(kind):
    rng = kind(0)
    first, second = fk.make_fer2013(20, random_state=rng), fk.make_fer2013(20, random_state=rng)
    again = fk.make_fer2013(20, random_state=kind(0))
    np.testing.assert_array_equal(first.train.images, again.train.images)
    assert (first.train.images != second.train.images).any()


def test_global_random_state_is_left_alone():
    np.random.seed(0)  # noqa: NPY002 - the old state is what must not move
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - same
    fk.make_fer2013(20, random_state=np.random.RandomState(1))
    fk.make_fer2013(20)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002 - same


def test_no_face_is_drawn_twice():
    images = np.concatenate(
        [s.images for s in fk.make_fer2013(700, random_state=0).splits.values()]
    )
    assert len({hashlib.sha256(image).digest() for image in images}) == 700
    assert images.reshape(700, -1).std(axis=1).min() > 5


def test_weights_of_fer2013():
    data = fk.make_fer2013(2000, random_state=0, weights="fer2013")
    shares = np.array(FER2013_COUNTS) / sum(FER2013_COUNTS)
    assert np.abs(counts(data.train) - 1600 * shares).max() <= 1
    # Even the rarest class is in each split that has room for all.
    assert fk.make_fer2013(70, random_state=0, weights="fer2013").test.labels.tolist().count(1) == 1


@given(
    st.lists(st.just(0) | st.floats(0.01, 5), min_size=7, max_size=7).filter(any),
    st.integers(10, 90),
)
def test_weights_are_shares(weights, n_samples):
    data = fk.make_fer2013(n_samples, random_state=0, weights=weights)
    wanted = np.array(weights) > 0
    for split in data.splits.values():
        assert not counts(split)[~wanted].any()
        if len(split) >= wanted.sum():
            assert counts(split)[wanted].all()


@pytest.mark.parametrize("n_samples", [-1, 0, 9, 70.5, "many", None])
def test_too_few_samples(n_samples):
    with pytest.raises(fk.InvalidInputError, match=f"number from 10 to .*; received {n_samples!r}"):
        fk.make_fer2013(n_samples)


@pytest.mark.parametrize(
    "weights", ["balanced", [1] * 6, [0] * 7, [-1, *[1] * 6], [np.nan] * 7, ["a"] * 7, 3]
)
def test_bad_weights(weights):
    with pytest.raises(fk.InvalidInputError, match="weights must be None"):
        fk.make_fer2013(70, weights=weights)


@pytest.mark.slow
def test_expressions_can_be_learned_but_not_perfectly():
    data = fk.make_fer2013(1000, random_state=0)
    train, test = (
        (split.images.reshape(len(split), -1) / 255 - 0.5, split.labels)
        for split in (data.train, data.test)
    )
    score = LogisticRegression(C=0.01, max_iter=50).fit(*train).score(*test)
    assert 0.4 < score < 0.95
