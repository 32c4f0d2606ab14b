"""What each of two processes runs that train one network together; see test_cluster.py.

    python two_processes.py ADDRESS:PORT INDEX COUNT FOLDER [EPOCH]

It prints the figures of the fit; at the beginning of EPOCH, the process with the last index kills
itself.  With COUNT 1 it trains alone.
"""

import json
import os
import signal
import sys
from hashlib import sha256
from pathlib import Path

os.environ |= {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}

import keras
import numpy as np

import fer2013kit as fk


def small_network(input_shape, num_classes):
    images = keras.Input(input_shape)
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Conv2D(4, 3, strides=4)(x)
    x = keras.layers.BatchNormalization()(x)  # counts the images of both
    x = keras.layers.Flatten()(x)
    return keras.Model(images, keras.layers.Dense(num_classes, activation="softmax")(x))


class Killed(keras.callbacks.Callback):
    def __init__(self, at):
        super().__init__()
        self.at = at

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def fit(folder, index, killed=()):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (24, 48, 48, 1), np.uint8), np.arange(24) % 7
    clf = fk.EmotionClassifier(
        small_network,
        epochs=3,
        batch_size=8,
        mixup=0.2 if Path(folder).name == "mixed" else 0.0,
        compute_dtype="float32",
        checkpoint_dir=Path(folder, f"of_{index}"),  # the second one's is never read
        random_state=0,
        verbose=2,
    )
    clf.fit(X, y, validation_data=(X[:7], y[:7]), callbacks=killed)
    clf.save(Path(folder, f"of_{index}.fer"))
    weights = sha256(b"".join(one.tobytes() for one in clf.model_.get_weights())).hexdigest()
    answers = clf.predict_proba(X[:2]).tolist()
    return json.dumps({"history": clf.history_, "answers": answers, "weights": weights})


def join(address, index, count):
    """Join the others, as keras.distribution.initialize does, but for the wait for the dead."""
    import jax

    jax.distributed.initialize(
        address, count, index, heartbeat_timeout_seconds=10, shutdown_timeout_seconds=10
    )
    keras.distribution.set_distribution(keras.distribution.DataParallel())


def fit_once(folder, index, count):
    """Fit under Ray, whose last process dies in its first life."""
    mark = Path(folder, "killed")
    killed = []
    if index == count - 1 and not mark.exists():
        mark.touch()
        killed = [Killed(2)]
    Path(folder, f"said_{index}.json").write_text(fit(folder, index, killed), encoding="utf-8")


def main(address, index, count, folder, at=None):
    index, count = int(index), int(count)
    if count > 1:
        join(address, index, count)
    killed = [Killed(int(at))] if at and index == count - 1 else []
    print(fit(folder, index, killed))  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main(*sys.argv[1:])
