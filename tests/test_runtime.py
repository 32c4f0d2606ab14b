import gc
import json
import os
import pickle
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

import fer2013kit as fk
from fer2013kit import _export_metadata
from fer2013kit.classifier._network import build_network
from networks import tiny_network

SUFFIXES = (".tflite", ".onnx")
X = fk.make_fer2013(n_samples=140, random_state=0).test.images
FORMS = {
    "(n,48,48)": X[..., 0],
    "(n,2304)": X.reshape(len(X), -1),
    "int64": X.astype(np.int64),
    "float64 in [0, 1]": X / 255,
    "float32 in [0, 1]": X.astype(np.float32) / 255,
    "list": X[..., 0].tolist(),
    "one": X[:1],
    "not contiguous": X[::-1],
}
BAD = {
    "another size": np.zeros((1, 64, 64), np.uint8),
    "colour": np.zeros((1, 48, 48, 3), np.uint8),
    "one image alone": np.zeros((48, 48), np.uint8),
    "too few pixels": np.zeros((2, 2300)),
    "floats up to 255": X.astype(np.float32),
    "integers up to 300": np.full((1, 48, 48), 300),
    "NaN": np.full((1, 48, 48), np.nan),
    "infinity": np.full((1, 48, 48), np.inf),
    "none": np.zeros((0, 48, 48), np.uint8),
    "ragged": [[1, 2], [3]],
    "negative": np.full((1, 48, 48), -1),
}


@pytest.fixture(scope="module")
def fitted():
    data = fk.make_fer2013(n_samples=140, random_state=0)
    clf = fk.EmotionClassifier(
        tiny_network, epochs=3, augment=False, verbose=0, compute_dtype="float32", random_state=0
    )
    clf.fit(*data.train)
    clf.temperature_ = 0.6
    return clf


@pytest.fixture(scope="module")
def exported(fitted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    for suffix in SUFFIXES:
        fitted.export(folder / f"emotions{suffix}")
    return folder


@pytest.fixture(params=SUFFIXES)
def predictor(request, exported):
    return fk.EmotionPredictor.load(exported / f"emotions{request.param}")


@pytest.mark.parametrize("tta", [None, "flip", "ten_crop"])
def test_it_says_what_the_classifier_says(fitted, predictor, tta):
    ours = predictor.predict_proba(X, tta=tta)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, fitted.predict_proba(X, tta=tta), atol=2e-5)
    np.testing.assert_array_equal(predictor.predict(X, tta=tta), fitted.predict(X, tta=tta))


def test_it_knows_what_the_classifier_knows(fitted, predictor):
    np.testing.assert_array_equal(predictor.classes_, fitted.classes_)
    assert predictor.classes_.dtype == fitted.classes_.dtype
    for name in ("class_names_", "image_shape_", "temperature_"):
        assert getattr(predictor, name) == getattr(fitted, name)
    assert "happy" in repr(predictor)


def test_it_is_measured_as_the_classifier_is(fitted, predictor):
    y = fk.make_fer2013(n_samples=140, random_state=0).test.labels
    ours, theirs = predictor.evaluate(X, y, tta="flip"), fitted.evaluate(X, y, tta="flip")
    np.testing.assert_array_equal(ours.confusion_matrix, theirs.confusion_matrix)
    assert ours.loss == pytest.approx(theirs.loss, abs=1e-4)
    words = np.array(fk.CLASS_NAMES)[y]
    assert predictor.evaluate(X, words, tta="flip") == ours
    assert fitted.evaluate(X, words, tta="flip") == theirs
    weights = np.arange(len(y))
    for one in (predictor, fitted):
        expected = accuracy_score(y, one.predict(X), sample_weight=weights)
        assert one.evaluate(X, y, sample_weight=weights).accuracy == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [([0], "same length"), ([7] * len(X), "received 7"), (["bored"] * len(X), "received 'bored'")],
)
def test_labels_that_are_no_classes_are_refused(predictor, labels, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        predictor.evaluate(X, labels)


def test_it_is_made_by_its_class_methods_alone():
    with pytest.raises(fk.InvalidInputError, match=r"from_pretrained.*load"):
        fk.EmotionPredictor(b"", ".tflite")


@pytest.mark.parametrize("pictures", FORMS.values(), ids=FORMS)
def test_every_form_of_a_picture_is_taken(fitted, predictor, pictures):
    np.testing.assert_allclose(
        predictor.predict_proba(pictures), fitted.predict_proba(pictures), atol=1e-4
    )


@pytest.mark.parametrize("pictures", BAD.values(), ids=BAD)
def test_bad_pictures_get_the_classifiers_error(fitted, predictor, pictures):
    with pytest.raises(fk.InvalidInputError) as ours:
        predictor.predict_proba(pictures)
    with pytest.raises(fk.InvalidInputError) as theirs:
        fitted.predict_proba(pictures)
    # scikit-learn counts the pixels of what has two dimensions, and says more of infinity.
    start = str(ours.value).removesuffix(".").partition(" infinity")[0]
    assert start in str(theirs.value) or "features as input" in str(theirs.value)


def test_unknown_tta_is_refused(predictor):
    with pytest.raises(fk.InvalidInputError, match="tta must be one of"):
        predictor.predict(X, tta="twice")


@pytest.mark.parametrize("dtype", ["U1", bool, complex, "M8[s]", "m8[s]"])
def test_what_are_no_numbers_is_refused_alike(fitted, predictor, dtype):
    faces = np.full((1, 48, 48), 1).astype(dtype)
    for use in (fitted.predict, predictor.predict, lambda X: fk.analyze_photo(X[0])):
        with pytest.raises(fk.InvalidInputError, match=r"numbers|Complex data not supported"):
            use(faces)


def test_truths_are_no_codes(fitted, predictor):
    for classifier in (fitted, predictor):
        with pytest.raises(fk.InvalidInputError, match=r"y must hold .*classes"):
            classifier.evaluate(X, np.arange(len(X)) % 2 == 0)


@pytest.mark.parametrize("classes", [["sad", "happy"], [4, 3]])
@pytest.mark.parametrize("tta", [None, "flip"])
def test_classes_that_are_kept_share_what_the_others_get(exported, classes, tta):
    whole = fk.EmotionPredictor.load(exported / "emotions.tflite")
    two = fk.EmotionPredictor.load(exported / "emotions.tflite", classes=classes)
    two = pickle.loads(pickle.dumps(two))  # noqa: S301 - our own bytes
    assert two.class_names_ == ("sad", "happy")
    assert two.classes_.tolist() == [4, 3]
    kept = whole.predict_proba(X, tta=tta)[:, [4, 3]]
    np.testing.assert_allclose(
        two.predict_proba(X, tta=tta), kept / kept.sum(axis=1, keepdims=True), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["happy"], "at least two"),
        (["happy", "happy"], "each once"),
        ([], "classes"),
        (["happy", "hapy"], "did you mean 'happy'"),
        ([3, 7], "received 7"),
    ],
)
def test_classes_that_cannot_be_kept_are_refused(classes, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.EmotionPredictor.from_pretrained(classes=classes)


def test_pickled_and_shared_between_threads(predictor):
    expected = predictor.predict_proba(X)
    again = pickle.loads(pickle.dumps(predictor))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    answers = {}
    threads = [
        threading.Thread(
            target=lambda key=key: answers.update({key: predictor.predict_proba(X[key:])})
        )
        for key in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key, found in answers.items():
        np.testing.assert_allclose(found, expected[key:], atol=1e-6)


def test_a_predictor_answers_while_networks_are_built(request):
    """Whoever asks Python for all its objects holds LiteRT's of other threads, which it refuses."""
    predictor, done = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small"), threading.Event()
    gc.unfreeze()  # conftest keeps most objects from such questions
    request.addfinalizer(gc.freeze)

    def predict():
        answers = 0
        while not done.is_set():
            answers += len(predictor.predict_proba(X))
        return answers

    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(predict)
        for seed in range(10):
            build_network(
                tiny_network,
                {},
                input_shape=(48, 48, 1),
                num_classes=7,
                compute_dtype="float32",
                seed=seed,
            )
        done.set()
        assert answers.result() > 0


def test_string_classes_and_other_shapes(tmp_path):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (12, 20, 24, 3), np.uint8)
    names = np.array(["calm", "tense"] * 6)
    clf = fk.EmotionClassifier(tiny_network, epochs=1, augment=False, image_shape=None, verbose=0)
    clf.fit(pictures, names).export(tmp_path / "x.tflite")
    predictor = fk.EmotionPredictor.load(tmp_path / "x.tflite", num_threads=1)
    assert predictor.image_shape_ == (20, 24, 3)
    assert set(predictor.predict(pictures)) <= {"calm", "tense"}
    assert predictor.evaluate(pictures, names).class_names == ("calm", "tense")
    with pytest.raises(fk.InvalidInputError, match=r"\(n, 20, 24, 3\) or \(n, 1440\)"):
        predictor.predict(X)


def test_floats_may_have_another_range(tmp_path):
    data = fk.make_fer2013(n_samples=70, random_state=0)
    pictures = data.train.images / 127.5 - 1
    clf = fk.EmotionClassifier(
        tiny_network,
        epochs=1,
        augment=False,
        value_range=(-1, 1),
        compute_dtype="float32",
        verbose=0,
    )
    clf.fit(pictures, data.train.labels).export(tmp_path / "x.tflite")
    predictor = fk.EmotionPredictor.load(tmp_path / "x.tflite")
    np.testing.assert_allclose(
        predictor.predict_proba(pictures), clf.predict_proba(pictures), atol=1e-4
    )
    with pytest.raises(fk.InvalidInputError, match=r"floats must be in \[-1, 1\]"):
        predictor.predict(pictures * 2)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"not a network", b"PK\x03\x04"])
def test_what_is_no_network_is_refused(tmp_path, suffix, content):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    with pytest.raises(fk.ModelFileError, match=f"x{suffix}"):
        fk.EmotionPredictor.load(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_truncated_file_is_refused(exported, tmp_path, suffix):
    content = (exported / f"emotions{suffix}").read_bytes()
    path = tmp_path / f"x{suffix}"
    for share in (0.1, 0.5, 0.99):
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(fk.ModelFileError):
            fk.EmotionPredictor.load(path)


def test_network_without_facts_is_refused(exported, tmp_path):
    import onnx

    plain = onnx.load(exported / "emotions.onnx")
    del plain.metadata_props[:]
    onnx.save(plain, tmp_path / "plain.onnx")
    path = tmp_path / "plain.onnx"
    path.write_bytes(_export_metadata.seal(path.read_bytes(), ".onnx"))
    with pytest.raises(fk.ModelFileError, match="does not say which images"):
        fk.EmotionPredictor.load(path)


def test_facts_with_a_broken_network_are_refused(exported, tmp_path):
    with zipfile.ZipFile(exported / "emotions.tflite") as archive:
        metadata = _export_metadata.parse_metadata(archive.read("fer2013kit.json"), "x")
    path = tmp_path / "x.tflite"
    content = _export_metadata.append_members(b"broken", metadata)
    path.write_bytes(_export_metadata.seal(content, ".tflite"))
    with pytest.raises(fk.ModelFileError, match="cannot be read by LiteRT"):
        fk.EmotionPredictor.load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"format": 99, "fer2013kit": "9.0"}', "upgrade"), ("{}", "lacks"), ("[", "garbles")],
)
def test_facts_that_cannot_be_read_are_refused(text, message):
    with pytest.raises(fk.ModelFileError, match=message):
        _export_metadata.parse_metadata(text, "x.tflite")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classes", []),
        ("classes", [0, 0]),
        ("classes_dtype", "float99"),
        ("class_names", [1, 2]),
        ("class_names", ["calm"]),
        ("image_shape", [48, 48]),
        ("value_range", [255.0, 0.0]),
        ("temperature", 0.0),
        ("metrics", 3),
        ("calibration", 3),
        ("format", "1"),
    ],
)
def test_facts_that_cannot_be_are_refused(name, value):
    facts = _export_metadata.ExportMetadata(
        classes=[0, 1],
        classes_dtype="int64",
        class_names=["calm", "cross"],
        image_shape=[48, 48, 1],
        value_range=[0.0, 255.0],
        temperature=1.0,
        quantization=None,
        metrics=None,
        calibration=None,
    )
    text = facts.members()["fer2013kit.json"]
    assert _export_metadata.parse_metadata(text, "x.tflite") == facts
    text = json.dumps({**json.loads(text), name: value})
    with pytest.raises(fk.ModelFileError, match=r"^x\.tflite: its fer2013kit\.json lacks or garb"):
        _export_metadata.parse_metadata(text, "x.tflite")


@pytest.mark.parametrize(
    ("name", "message"), [("none.tflite", "no such file"), ("x.fer", "EmotionClassifier.load")]
)
def test_missing_file_and_other_kinds_are_refused(tmp_path, name, message):
    (tmp_path / "x.fer").write_bytes(b"PK")
    with pytest.raises(fk.ModelFileError, match=message):
        fk.EmotionPredictor.load(tmp_path / name)


def test_missing_runtime_is_named(exported, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(fk.MissingDependencyError, match="pip install onnxruntime"):
        fk.EmotionPredictor.load(exported / "emotions.onnx")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_changed_network_is_refused_by_its_checksum(exported, tmp_path, suffix):
    """Before its runtime sees it, which crashes with some."""
    content = bytearray((exported / f"emotions{suffix}").read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    with pytest.raises(fk.ModelFileError, match="its SHA-256 does not fit"):
        fk.EmotionPredictor.load(path)


def test_facts_of_another_network_are_refused(exported, tmp_path):
    content = (exported / "emotions.tflite").read_bytes()
    facts = _export_metadata.metadata_of_tflite(content, "x")
    with zipfile.ZipFile(exported / "emotions.tflite") as archive:
        network = content[: min(info.header_offset for info in archive.infolist())]
    path = tmp_path / "x.tflite"
    other = _export_metadata.append_members(network, replace(facts, image_shape=[24, 24, 1]))
    path.write_bytes(_export_metadata.seal(other, ".tflite"))
    with pytest.raises(fk.ModelFileError, match="its facts say"):
        fk.EmotionPredictor.load(path)


FORK = """
import os, signal, threading
import fer2013kit as fk
faces = fk.make_fer2013(n_samples=70, random_state=0).test.images
predictor = fk.EmotionPredictor.from_pretrained(num_threads=2)
expected = predictor.predict_proba(faces)
def always():
    while True:
        predictor.predict_proba(faces)
threading.Thread(target=always, daemon=True).start()
for _ in range(3):
    child = os.fork()
    if not child:
        signal.alarm(120)
        os._exit(0 if (predictor.predict_proba(faces) == expected).all() else 1)
    assert os.waitpid(child, 0)[1] == 0
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot")
def test_a_predictor_that_is_busy_survives_a_fork():
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-W", "ignore", "-c", FORK], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
