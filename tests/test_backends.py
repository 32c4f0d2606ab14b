"""The classifier on the other Keras backends, each in a process of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import fer2013kit as fk

SCRIPT = """
import os
import pickle
import sys
import keras
import numpy as np
import fer2013kit as fk
import test_brought_networks as brought

backend, shared, own, heat, trained = sys.argv[1:]
assert keras.backend.backend() == backend
data = fk.make_fer2013(n_samples=140, random_state=0)
X = data.test.images
given = fk.EmotionClassifier.load(shared)
np.save(own, given.predict_proba(X, tta="flip"))
np.save(heat, fk.explain(given, X[:1]))
np.save(trained, given.set_params(warm_start=True, epochs=2).fit(*data.train).predict_proba(X))

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
batch = data.train.images[:32]  # as many as above: JAX compiles for each number
assert layer(batch, training=True).shape == batch.shape

every = backend == "torch" or "FER2013KIT_EVERY_NETWORK" in os.environ
for builder in brought.NETWORKS if every else [brought.biased]:
    clf = brought.make_classifier(builder, class_names=fk.CLASS_NAMES).fit(*data.test)
    answers = clf.predict_proba(X)
    plain = keras.ops.convert_to_numpy(clf.model_(X.astype(np.float32), training=False))
    assert np.allclose(answers, plain, atol=1e-5), builder
    assert clf.evaluate(*data.test).n_samples == len(X)
    clf.save(f"{own}.fer")
    again = fk.EmotionClassifier.load(f"{own}.fer", model=builder)
    assert np.allclose(again.predict_proba(X), answers, atol=1e-6), builder
    assert np.allclose(pickle.loads(pickle.dumps(clf)).predict_proba(X), answers, atol=1e-6)
    before = again.model_.get_weights()
    freeze = None if builder is brought.subclassed else "convolutions"
    again.set_params(warm_start=True, freeze=freeze).fit(*data.test)
    assert not np.array_equal(again.model_.get_weights()[-1], before[-1]), builder
    if builder not in brought.WITHOUT_MAPS:
        assert np.array_equal(again.model_.get_weights()[0], before[0]), builder
        assert np.isfinite(fk.explain(clf, X[:1])).all()
    assert clf.transform(X).shape[0] == len(X)

if backend == "torch":
    import torch

    def wrapped(input_shape, num_classes):
        module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2304, num_classes))
        last = keras.layers.TorchModuleWrapper(module)
        return keras.Sequential([keras.layers.Rescaling(1 / 255), last])

    clf, again = (brought.make_classifier(wrapped).fit(*data.test) for _ in range(2))
    assert np.allclose(again.predict_proba(X), clf.predict_proba(X), atol=1e-6)
    clf.save(f"{own}.fer")
    again = fk.EmotionClassifier.load(f"{own}.fer", model=wrapped)
    assert np.allclose(again.predict_proba(X), clf.predict_proba(X), atol=1e-6)
    again.set_params(warm_start=True).fit(*data.test)
    assert again.evaluate(*data.test).n_samples == len(X)
assert "tensorflow" not in sys.modules
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_backend_trains_and_agrees_with_this_one(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    data = fk.make_fer2013(n_samples=140, random_state=0)
    clf = fk.EmotionClassifier(  # without dropout, whose numbers are each backend's own
        model_params={"filters": (4, 4, 4), "dense_units": 8, "dropout": 0, "dense_dropout": 0},
        epochs=1, augment=False, compute_dtype="float32", verbose=0, random_state=0, batch_size=32,
    )  # fmt: skip
    clf.fit(*data.train).save(tmp_path / "shared.fer")
    files = [tmp_path / name for name in ("shared.fer", "own.npy", "heat.npy", "trained.npy")]
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT, backend, *files],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            # What is compiled runs once or twice: to optimise it takes longer than it saves.
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
            # Of two equal fits one compiles.
            "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.3",
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ours = clf.predict_proba(data.test.images, tta="flip")
    np.testing.assert_allclose(np.load(tmp_path / "own.npy"), ours, atol=1e-4)
    heat = fk.explain(clf, data.test.images[:1])
    np.testing.assert_allclose(np.load(tmp_path / "heat.npy"), heat, atol=1e-3)
    clf.set_params(warm_start=True, epochs=2).fit(*data.train)
    ours = clf.predict_proba(data.test.images)
    np.testing.assert_allclose(np.load(tmp_path / "trained.npy"), ours, atol=1e-4)


WITHOUT_GRADIENTS = """
import fer2013kit as fk
X, y = fk.make_fer2013(n_samples=14, random_state=0).train
clf = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
assert clf.predict(X).shape == y.shape
for call in (lambda: clf.fit(X, y), lambda: fk.explain(clf, X)):
    try:
        call()
    except fk.InvalidInputError as error:
        assert "backend to be tensorflow, jax or torch" in str(error)
    else:
        raise AssertionError
"""


def test_a_backend_without_gradients_predicts_and_refuses_the_rest():
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", WITHOUT_GRADIENTS],
        env={**os.environ, "KERAS_BACKEND": "numpy"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("pytorch", "Unable to import backend : pytorch; KERAS_BACKEND"),
        ("openvino", "needs openvino, which is not installed: pip install openvino, or set KERAS_"),
    ],
)
def test_a_backend_that_is_not_there_is_told_in_a_line(backend, message):
    if importlib.util.find_spec(backend) is not None:
        pytest.skip(f"{backend} is installed")
    done = subprocess.run(
        [sys.executable, "-m", "fer2013kit", "demo"],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    said, line = done.stderr.splitlines()
    assert said == "importing Keras ..."
    assert line.startswith("fer2013kit: error: ")
    assert message in line


def test_a_torch_module_on_another_backend_is_answered_with_the_way():
    torch = pytest.importorskip("torch")

    def wrapped(input_shape, num_classes):
        module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2304, num_classes))
        return keras.Sequential([keras.layers.TorchModuleWrapper(module)])

    with pytest.raises(fk.InvalidInputError, match="KERAS_BACKEND=torch"):
        fk.create_model(wrapped)
