from itertools import islice

import numpy as np
import pytest

import fer2013kit as fk
from fer2013kit.augmentation import FaceAugmentation
from fer2013kit.pipeline import TrainingBatches


def make_batches(n=10, **changes):
    rng = np.random.default_rng(0)
    settings = {
        "images": rng.integers(0, 256, (n, 48, 48, 1), np.uint8),
        "targets": np.eye(7, dtype=np.float32)[np.arange(n) % 7],
        "weights": np.arange(n, dtype=np.float32),
        "batch_size": 4,
        "seed": 5,
    }
    return TrainingBatches(**{**settings, **changes})


def collect(dataset):
    return [tuple(np.asarray(part) for part in batch) for batch in dataset]


def test_every_row_comes_once_and_the_last_batch_is_filled_up():
    batches = make_batches(n=10, batch_size=4)
    order, uniform, mixing = batches.plans.plan(0)
    assert batches.steps_per_epoch == 3
    assert len(order) == len(uniform) == len(mixing) == 12
    assert sorted(order[:10]) == list(range(10))
    np.testing.assert_array_equal(order[10:], order[:2])


def test_a_set_smaller_than_a_batch_is_one_batch():
    batches = make_batches(n=3, batch_size=128)
    assert batches.steps_per_epoch == 1
    assert sorted(batches.plans.plan(0)[0]) == [0, 1, 2]


def test_epochs_differ_and_repeat_by_seed():
    first, again, other = make_batches(), make_batches(), make_batches(seed=6)
    np.testing.assert_array_equal(first.plans.plan(3)[0], again.plans.plan(3)[0])
    assert not np.array_equal(first.plans.plan(3)[0], first.plans.plan(4)[0])
    assert not np.array_equal(first.plans.plan(3)[1], other.plans.plan(3)[1])


def test_the_last_epochs_are_calm():
    wild, calm = (
        make_batches(mixup=0.4, cutmix=1.0, calm_from=calm_from).plans for calm_from in (np.inf, 3)
    )
    for one, same in zip(wild.plan(2), calm.plan(2), strict=True):
        np.testing.assert_array_equal(one, same)
    order, uniform, mixing = calm.plan(3)
    as_before = wild.plan(3)
    np.testing.assert_array_equal(order, as_before[0])
    assert (mixing == 1).all()
    assert not (as_before[2] == 1).all()
    image = np.linspace(0, 255, 48 * 48, dtype=np.float32).reshape(1, 48, 48, 1).repeat(12, 0)
    augment = FaceAugmentation(0, 0, 0, horizontal_flip=False, contrast=0, erasing=1.0)
    shifts = np.asarray(augment.transform(image, uniform)) - image
    assert np.abs(shifts).max() <= 0.05 * 255 + 0.01  # half of the brightness, and nothing erased
    assert np.abs(shifts).max() > 0.02 * 255


def test_rows_stay_together():
    batches = make_batches()
    for images, targets, weights in collect(batches.dataset(initial_epoch=0, epochs=1)):
        rows = weights.astype(int)
        np.testing.assert_array_equal(images, batches.images[rows])
        np.testing.assert_array_equal(targets, batches.targets[rows])


@pytest.mark.parametrize("mixing", [{}, {"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 1, "cutmix": 1}])
def test_both_feeders_give_the_same_batches(mixing):
    batches = make_batches(augmentation=FaceAugmentation(erasing=0.5), **mixing)
    fast = collect(batches.dataset(initial_epoch=2, epochs=4))
    slow = list(islice(batches.prepared(2), 6))
    assert len(fast) == len(slow) == 6
    for one, other in zip(fast, slow, strict=True):
        for part, same in zip(one, other, strict=True):
            np.testing.assert_allclose(part, same, atol=0.01)


@pytest.mark.parametrize("mixing", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 1, "cutmix": 1}])
def test_mixed_targets_are_probabilities(mixing):
    batches = make_batches(n=64, batch_size=32, **mixing)
    targets = np.concatenate(
        [part[1] for part in collect(batches.dataset(initial_epoch=0, epochs=2))]
    )
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-5)
    assert ((targets > 0).sum(axis=1) == 2).any()


@pytest.mark.parametrize("mixing", [{}, {"mixup": 0.4}])
def test_processes_share_a_batch_out(mixing):
    settings = {"n": 12, "batch_size": 6, "augmentation": FaceAugmentation(seed=0), **mixing}
    whole = make_batches(**settings).prepared(0)
    parts = [make_batches(**settings, part=part, parts=2).prepared(0) for part in range(2)]
    for _ in range(3):
        expected, *found = (next(batches) for batches in (whole, *parts))
        assert len(found[0][0]) == 3
        for one, *shares in zip(expected, *found, strict=True):
            np.testing.assert_allclose(np.concatenate(shares), one, atol=1e-3)


def test_a_batch_that_processes_cannot_share_is_refused():
    with pytest.raises(fk.InvalidInputError, match="each of the 3 processes; received one of 4"):
        next(make_batches(parts=3).prepared(0))


def test_mixed_targets_count_by_their_own_weights():
    """What a batch gives to the loss is that of both images, in their shares."""
    settings = {"n": 64, "batch_size": 64, "mixup": 0.4, "cutmix": 1.0}
    every = np.ones(64, np.float32)
    weights = np.where(np.arange(64) % 7 == 3, 5, np.arange(64) % 2).astype(np.float32)
    _, plain, same = next(make_batches(**settings, weights=every).prepared(0))
    np.testing.assert_allclose(same, 1, rtol=1e-6)
    order, _, mixing = make_batches(**settings).plans.plan(0)
    _, targets, mixed = next(make_batches(**settings, weights=weights).prepared(0))
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-5)
    codes = order % 7
    of_own, of_other = weights[order], weights[order][::-1]
    for row in range(64):
        own = plain[row, codes[row]] if codes[row] != codes[::-1][row] else mixing[row, 0]
        expected = np.zeros(7)
        expected[codes[row]] += own * of_own[row]
        expected[codes[::-1][row]] += (1 - own) * of_other[row]
        if codes[row] != codes[::-1][row]:
            np.testing.assert_allclose(targets[row] * mixed[row], expected, atol=1e-4)
    silent = make_batches(**settings, weights=weights * 0)
    np.testing.assert_allclose(next(silent.prepared(0))[1], plain, atol=1e-6)
