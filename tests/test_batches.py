import keras
import numpy as np
import pytest

import fer2013kit as fk
from networks import tiny_network

SETTINGS = {"batch_size": 16, "mixup": 0.3, "class_weight": "balanced", "random_state": 4}


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=50, random_state=0).train


def test_forms_give_the_same_batches_epoch_by_epoch(data):
    clf = fk.EmotionClassifier(**SETTINGS)
    batches = fk.training_batches(*data, classifier=clf)
    assert isinstance(batches, keras.utils.PyDataset)
    ours = [*batches, *batches]
    assert len(ours) == 2 * len(batches) == 6
    assert not np.array_equal(ours[0][0], ours[3][0])
    theirs = fk.training_batches(*data, classifier=clf, form="tensorflow").take(6)
    for one, other in zip(ours, theirs, strict=True):
        for left, right in zip(one, other, strict=True):
            np.testing.assert_allclose(left, right, atol=2e-3)
        assert one[0].dtype == np.float32
        np.testing.assert_allclose(one[1].sum(axis=1), 1, atol=1e-5)
    assert not hasattr(clf, "n_features_in_")


def test_keras_trains_on_them(data):
    network = tiny_network((48, 48, 1), 7)
    network.compile("sgd", "categorical_crossentropy")
    batches = fk.training_batches(*data, classifier=fk.EmotionClassifier(**SETTINGS))
    history = network.fit(batches, epochs=2, shuffle=False, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert batches.epoch >= 2


def test_what_cannot_be(data, monkeypatch):
    with pytest.raises(fk.InvalidInputError, match="form must be one of"):
        fk.training_batches(*data, form="pytorch")
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(fk.MissingDependencyError, match="pip install torch"):
        fk.training_batches(*data, form="torch")
    with pytest.raises(fk.InvalidInputError, match="batch_size must be"):
        fk.training_batches(*data, classifier=fk.EmotionClassifier(batch_size=0))
    with pytest.raises(fk.InvalidInputError, match=r"classifier must be.*received 'five'"):
        fk.training_batches(*data, classifier="five")
    X, y = data
    with pytest.raises(fk.InvalidInputError, match=r"received \(\d+, 7\).* all 7 in classes"):
        fk.training_batches(X[y != 1], y[y != 1], soft_targets=np.eye(7)[y[y != 1]])
    every = fk.EmotionClassifier(classes=range(7), batch_size=16)
    given = {"soft_targets": np.eye(7)[y[y != 1]], "classifier": every}
    assert fk.training_batches(X[y != 1], y[y != 1], **given)[0][1].shape == (16, 7)
    with pytest.raises(IndexError):
        fk.training_batches(*data)[99]


def test_keras_begins_with_the_first_epoch(data):
    """Keras has a look at some batches, and ends an epoch, before it begins one."""
    own = [*fk.training_batches(*data, classifier=fk.EmotionClassifier(**SETTINGS))]
    seen = []

    class Looking(keras.Model):
        def __init__(self):
            super().__init__()
            self.network = tiny_network((48, 48, 1), 7)

        def call(self, images):
            return self.network(images)

        def train_step(self, batch):
            seen.append([np.asarray(part) for part in batch])
            return super().train_step(batch)

    network = Looking()
    network.compile("sgd", "categorical_crossentropy", run_eagerly=True)
    batches = fk.training_batches(*data, classifier=fk.EmotionClassifier(**SETTINGS))
    network.fit(batches, epochs=2, shuffle=False, verbose=0)
    assert len(seen) == 2 * len(own)
    for one, other in zip(own, seen[: len(own)], strict=True):
        np.testing.assert_allclose(one[0], other[0], atol=2e-3)
    again = fk.training_batches(*data, classifier=fk.EmotionClassifier(**SETTINGS))
    second = [*again, *again][len(own) :]
    np.testing.assert_allclose(second[0][0], seen[len(own)][0], atol=2e-3)


def test_what_fit_holds_out_is_in_no_batch(data):
    X, y = data
    marked = np.zeros_like(X)
    marked[:, 0, 0, 0] = np.arange(len(X))
    clf = fk.EmotionClassifier(batch_size=8, augment=False, validation_fraction=0.3, random_state=0)
    rows = {
        int(v)
        for images, *_ in fk.training_batches(marked, y, classifier=clf)
        for v in images[:, 0, 0, 0]
    }
    assert len(rows) == pytest.approx(0.7 * len(X), abs=4)
