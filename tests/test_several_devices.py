"""A fit on two devices is that on one: TensorFlow's MirroredStrategy, on a CPU seen as two.

Several processes are in test_cluster.py.
"""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import pytest

import fer2013kit as fk
from fer2013kit.classifier._processes import ALONE, Processes

PROGRAM = """
import tensorflow as tf

(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
import numpy as np
import fer2013kit as fk
from networks import tiny_network

X, y = np.random.default_rng(0).integers(0, 256, (28, 48, 48, 1), np.uint8), np.arange(28) % 7
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2


def fit(batch_size=14):
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)  # an object, whose rate has copies
    settings = {"epochs": 1, "batch_size": batch_size, "augment": False, "compute_dtype": "float32"}
    clf = fk.EmotionClassifier(
        tiny_network, optimizer=optimizer, random_state=0, verbose=0, **settings
    )
    return clf.fit(X, y, validation_data=(X[:7], y[:7]))


with strategy.scope():
    shared = fit()
    try:
        fit(batch_size=7)
    except fk.InvalidInputError as error:
        assert "multiple of 2; received batches of 7" in str(error)
    else:
        raise AssertionError("batches of 7 were shared by two devices")
alone = fit()
assert len(shared.model_.weights[0].value.values) == 2  # it was on both
for name, figures in alone.history_.items():
    np.testing.assert_allclose(shared.history_[name], figures, rtol=1e-4, err_msg=name)
np.testing.assert_allclose(shared.predict_proba(X), alone.predict_proba(X), atol=1e-5)
print("equal")
"""


@pytest.mark.slow
def test_two_devices_learn_what_one_does():
    tests = Path(__file__).parent
    path = os.pathsep.join(
        [str(tests), str(tests.parent / "src"), os.environ.get("PYTHONPATH", "")]
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.stdout == "equal\n", done.stderr


def test_a_lost_process_is_named_and_the_setting_given_back(monkeypatch):
    import jax

    distribution, seen = SimpleNamespace(auto_shard_dataset=True), []
    monkeypatch.setattr(keras.distribution, "distribution", lambda: distribution)

    def work(processes):
        with processes.joined():
            seen.append(distribution.auto_shard_dataset)
            raise jax.errors.JaxRuntimeError("Gloo: reset\nmore")

    with pytest.raises(fk.Fer2013KitError, match=r"process 1 of 2 lost touch.*\(Gloo: reset\)"):
        work(Processes(index=1, count=2, devices=2))
    assert distribution.auto_shard_dataset
    with pytest.raises(jax.errors.JaxRuntimeError):  # it is of something else
        work(ALONE)
    assert seen == [False, True]
