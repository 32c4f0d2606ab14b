"""The classifier on the other Keras backends, each in a process of its own."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

import fer2013kit as fk

SCRIPT = """
import sys
import keras
import numpy as np
import fer2013kit as fk

backend, shared, own = sys.argv[1:]
assert keras.backend.backend() == backend
data = fk.make_fer2013(n_samples=140, random_state=0)
X = data.test.images
given = fk.EmotionClassifier.load(shared)
np.save(own, given.predict_proba(X, tta="flip"))

settings = dict(
    model_params={"filters": (2, 2, 2), "dense_units": 4}, epochs=2, batch_size=32, verbose=0,
    random_state=0, erasing=0.5, mixup=0.2, cutmix=1.0, loss="focal", class_weight="balanced",
)
clf = fk.EmotionClassifier(**settings).fit(*data.train, validation_data=data.validation)
again = fk.EmotionClassifier(**settings).fit(*data.train)
assert np.allclose(clf.predict_proba(X), again.predict_proba(X), atol=1e-4)
assert clf.evaluate(*data.test).n_samples == len(X)
assert len(clf.history_["val_accuracy"]) == 2
layer = fk.FaceAugmentation(erasing=1.0, seed=0)
assert layer(X, training=True).shape == X.shape
assert "tensorflow" not in sys.modules
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_backend_trains_and_agrees_with_this_one(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    data = fk.make_fer2013(n_samples=140, random_state=0)
    clf = fk.EmotionClassifier(
        model_params={"filters": (4, 4, 4), "dense_units": 8},
        epochs=1, augment=False, compute_dtype="float32", verbose=0, random_state=0,
    )  # fmt: skip
    clf.fit(*data.train).save(tmp_path / "shared.fer")
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT, backend, tmp_path / "shared.fer", tmp_path / "own.npy"],
        # What is compiled runs once or twice: to optimise it takes longer than it saves.
        env={**os.environ, "KERAS_BACKEND": backend, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ours = clf.predict_proba(data.test.images, tta="flip")
    np.testing.assert_allclose(np.load(tmp_path / "own.npy"), ours, atol=1e-4)
