"""The user's Keras configuration changes nothing; a fork after TensorFlow ran is told."""

import os
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest

import fer2013kit as fk
from fer2013kit._keras_settings import keras_settings


def channels_first_in_float64():
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float64")


def half_precision():
    keras.config.set_floatx("float16")
    keras.config.set_dtype_policy("mixed_float16")


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=70, random_state=0)


@pytest.fixture
def keras_as_it_was(expected):
    """Give Keras's configuration back; what is expected is found out before it changes."""
    before = (keras.config.image_data_format(), keras.config.floatx(), keras.config.dtype_policy())
    yield
    keras.config.set_image_data_format(before[0])
    keras.config.set_floatx(before[1])
    keras.config.set_dtype_policy(before[2])


def results(data, folder):
    """Go through every door that builds or runs a network."""
    X = data.test.images
    clf = fk.EmotionClassifier(
        model_params={"filters": (2, 2, 2), "dense_units": 4}, epochs=1, mixup=0.2, verbose=0,
        random_state=0, compute_dtype="float32", erasing=0.5,
    )  # fmt: skip
    clf.fit(*data.train, validation_data=data.validation)
    clf.save(folder / "a.fer")
    again = fk.EmotionClassifier.load(folder / "a.fer")
    assert clf.export(folder / "a.keras").largest_difference < 1e-5
    augmented = fk.FaceAugmentation(seed=0, erasing=0.5)(X, training=True)
    return [
        clf.predict_proba(X, tta="flip"),
        again.predict_proba(X, tta="flip"),
        fk.EmotionClassifier.from_pretrained("five_layer_cnn_small").predict_proba(X),
        fk.explain(clf, X, emotion="happy"),
        keras.ops.convert_to_numpy(augmented),
        np.array(clf.history_["val_loss"]),
    ]


@pytest.fixture(scope="module")
def expected(data, tmp_path_factory):
    return results(data, tmp_path_factory.mktemp("expected"))


@pytest.mark.parametrize("configure", [channels_first_in_float64, half_precision])
@pytest.mark.usefixtures("keras_as_it_was")
def test_configuration_changes_nothing(configure, data, expected, tmp_path):
    configure()
    for one, other in zip(results(data, tmp_path), expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    shape = fk.create_model("residual_cnn")(data.test.images.astype(np.float32)).shape
    assert tuple(shape) == (len(data.test), 7)


@pytest.mark.usefixtures("keras_as_it_was")
def test_configuration_is_given_back():
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float64")
    inside, leave = threading.Event(), threading.Event()

    def other():
        with keras_settings("mixed_bfloat16"):
            inside.set()
            leave.wait()

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    with keras_settings():
        leave.set()
        thread.join()
        assert keras.config.image_data_format() == "channels_last"
        assert keras.config.floatx() == "float32"
        assert keras.config.dtype_policy().name == "float32"
    assert keras.config.image_data_format() == "channels_first"
    assert keras.config.floatx() == "float64"


FORK = """
import os, pickle, signal
import fer2013kit as fk
X, y = fk.make_fer2013(n_samples=14, random_state=0).train
clf = fk.EmotionClassifier(
    model_params={"filters": (2, 2, 2), "dense_units": 2}, epochs=1, verbose=0, random_state=0
)
def answer(door):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(100)
        try:
            said = type(door()).__name__
        except fk.Fer2013KitError as error:
            said = str(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    return os.read(reading, 1000).decode()
assert answer(lambda: clf.fit(X, y)) == "EmotionClassifier"  # Keras is imported, and did not run
clf.fit(X, y).predict(X)
content = pickle.dumps(clf)
for door in (
    lambda: clf.predict(X),
    lambda: clf.transform(X),
    lambda: clf.fit(X, y),
    lambda: pickle.loads(content),
    lambda: fk.create_model("five_layer_cnn"),
    lambda: fk.EmotionClassifier.from_pretrained(),
):
    said = answer(door)
    assert said.startswith("this process was forked from one where TensorFlow had run"), said
assert answer(lambda: fk.EmotionPredictor.from_pretrained().predict(X)) == "ndarray"
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot")
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others say so themselves")
def test_a_fork_after_tensorflow_ran_is_told():
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-W", "ignore", "-c", FORK], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
