import json
import logging
import zipfile

import keras
import numpy as np
import pytest

import fer2013kit as fk
from fer2013kit import export
from networks import tiny_network

FILES = ("x.onnx", "x.tflite", "x.keras", "saved")


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=140, random_state=0)


@pytest.fixture(scope="module")
def fitted(data):
    clf = fk.EmotionClassifier(tiny_network, epochs=3, augment=False, verbose=0, random_state=0)
    clf.fit(*data.train).calibrate(*data.validation)
    clf.metrics_ = {"accuracy": 0.5}
    clf.temperature_ = 1.7
    return clf


@pytest.fixture(scope="module")
def expected(data, fitted, tmp_path_factory):
    """What the classifier says without bfloat16, which some machines use."""
    path = tmp_path_factory.mktemp("saved") / "a.fer"
    fitted.save(path)
    twin = fk.EmotionClassifier.load(path, model=tiny_network, compute_dtype="float32")
    return twin.predict_proba(data.test.images)


@pytest.fixture(scope="module")
def folder(fitted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    for name in FILES:
        fitted.export(folder / name)
    return folder


def answers_of_others(path, X):
    """What a program says that knows nothing of this package."""
    if path.suffix == ".onnx":
        import onnxruntime

        return onnxruntime.InferenceSession(path).run(None, {"images": X})[0]
    if path.suffix == ".tflite":
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(path))
        interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], X.shape)
        interpreter.allocate_tensors()
        run = interpreter.get_signature_runner()
        (answers,) = run(images=X).values()
        return answers
    if path.suffix == ".keras":
        return keras.saving.load_model(path).predict(X, verbose=0)
    import tensorflow as tf

    served = tf.saved_model.load(str(path))  # its functions live as long as it does
    return served.serve(X).numpy()


@pytest.mark.parametrize("name", FILES)
def test_other_programs_get_calibrated_probabilities_from_grey_levels(folder, data, expected, name):
    answers = answers_of_others(folder / name, data.test.images)
    np.testing.assert_allclose(answers, expected, atol=1e-5)


@pytest.mark.parametrize("name", FILES)
def test_class_names_and_facts_lie_inside(folder, fitted, name):
    path = folder / name
    if path.suffix == ".onnx":
        import onnxruntime

        members = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
    elif path.is_dir():
        members = {one.name: one.read_text() for one in (path / "assets.extra").iterdir()}
    else:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name).decode() for name in archive.namelist()[-2:]}
    assert members["labels.txt"].splitlines() == list(fk.CLASS_NAMES)
    facts = json.loads(members["fer2013kit.json"])
    assert facts["temperature"] == fitted.temperature_
    assert facts["metrics"] == {"accuracy": 0.5}
    assert facts["image_shape"] == [48, 48, 1]


def test_report_states_size_and_difference(fitted, data, tmp_path, caplog):
    path = tmp_path / "x.tflite"
    before = fitted.predict_proba(data.test.images)
    with caplog.at_level(logging.INFO, logger="fer2013kit"):
        report = fitted.export(path)
    assert report.n_bytes == path.stat().st_size
    assert 0 <= report.largest_difference < 1e-4
    assert report.same_answers == 1
    assert str(report) in caplog.text
    # Nothing changes in the classifier.
    np.testing.assert_array_equal(fitted.predict_proba(data.test.images), before)


@pytest.mark.parametrize("quantization", ["dynamic", "int8"])
def test_quantized_network_is_smaller_and_stays_near(fitted, folder, data, tmp_path, quantization):
    images = data.train.images
    report = fitted.export(tmp_path / "x.tflite", quantization=quantization, images=images)
    assert report.n_bytes < (folder / "x.tflite").stat().st_size / 2
    assert report.n_checked == len(images)
    assert 1e-6 < report.largest_difference < 0.25
    assert fk.EmotionPredictor.load(tmp_path / "x.tflite").predict(images).shape == (len(images),)


@pytest.mark.parametrize("method", ["temperature", "vector"])
def test_rows_of_eight_bits_sum_to_1_and_views_can_be_averaged(tmp_path, method):
    """Eight classes in 256 levels: rows as the network gives them sum to 1 by chance alone."""
    clf = fk.EmotionClassifier.from_pretrained("ferplus_cnn", compute_dtype="float32")
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (60, 48, 48, 1), np.uint8)
    if method == "vector":
        clf.calibrate(X, rng.integers(0, 8, len(X)), method=method)
    clf.export(tmp_path / "x.tflite", quantization="int8", images=X, tolerance=1)
    predictor = fk.EmotionPredictor.load(tmp_path / "x.tflite")
    raw = answers_of_others(tmp_path / "x.tflite", X)
    assert np.abs(raw.sum(axis=1) - 1).max() > 0.001
    for tta in (None, "flip", "ten_crop"):
        table = predictor.predict_proba(X, tta=tta)
        np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-5)
        assert np.abs(table - clf.predict_proba(X, tta=tta)).max() < 0.25


def test_images_may_be_floats(fitted, data, tmp_path):
    X = data.test.images
    report = fitted.export(tmp_path / "x.tflite", images=(X / 255).reshape(len(X), -1))
    assert report.n_checked == len(X)
    assert report.largest_difference < 1e-4


def test_temperature_of_a_network_without_a_last_dense_layer(data, tmp_path):
    def network(input_shape, num_classes):
        inner = tiny_network(input_shape, num_classes)
        inputs = keras.Input(input_shape)
        return keras.Model(
            inputs, keras.layers.Activation("linear", dtype="float32")(inner(inputs))
        )

    clf = fk.EmotionClassifier(network, epochs=1, augment=False, verbose=0, compute_dtype="float32")
    clf.fit(*data.train)
    clf.temperature_ = 2.0
    clf.export(tmp_path / "x.tflite")
    predictor = fk.EmotionPredictor.load(tmp_path / "x.tflite")
    X = data.test.images
    np.testing.assert_allclose(predictor.predict_proba(X), clf.predict_proba(X), atol=1e-5)


def test_what_does_not_agree_is_not_written(fitted, tmp_path, monkeypatch):
    path = tmp_path / "x.tflite"
    path.write_bytes(b"before")
    write, _ = export._FORMATS[".tflite"]
    for wrong, options in ((1 / 7, {}), (np.nan, {"tolerance": 1.0})):
        answers = (write, lambda _, images, wrong=wrong: np.full((len(images), 7), wrong))
        monkeypatch.setitem(export._FORMATS, ".tflite", answers)
        with pytest.raises(fk.ModelFileError, match="was not written"):
            fitted.export(path, **options)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_tolerance_is_the_callers(fitted, tmp_path):
    with pytest.raises(fk.ModelFileError, match="more than 1e-12"):
        fitted.export(tmp_path / "x.tflite", quantization="dynamic", tolerance=1e-12)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("x.pb", {}, "path must end in"),
        ("x.h5", {}, "path must end in"),
        ("x.tflite", {"quantization": "int4"}, "quantization must be one of"),
        ("x.onnx", {"quantization": "dynamic"}, "for .tflite alone"),
        ("x.tflite", {"quantization": "int8"}, "needs images"),
        ("x.tflite", {"images": np.zeros((2, 9, 9), np.uint8)}, "X must have shape"),
    ],
)
def test_bad_choices_are_refused(fitted, tmp_path, name, options, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fitted.export(tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_pictures_that_are_no_grey_levels_are_refused(data, tmp_path):
    clf = fk.EmotionClassifier(tiny_network, epochs=1, augment=False, value_range=None, verbose=0)
    clf.fit(fk.standardize(data.train.images), data.train.labels)
    with pytest.raises(fk.InvalidInputError, match="value_range=None"):
        clf.export(tmp_path / "x.tflite")


def test_missing_library_names_the_extra(fitted, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tf2onnx", None)
    with pytest.raises(fk.MissingDependencyError, match=r"fer2013kit\[export\]"):
        fitted.export(tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_saved_model_replaces_a_saved_model_only(fitted, tmp_path):
    fitted.export(tmp_path / "saved")
    fitted.export(tmp_path / "saved")
    assert [one.name for one in tmp_path.iterdir()] == ["saved"]
    own = tmp_path / "own"
    own.mkdir()
    (own / "notes.txt").write_text("mine")
    with pytest.raises(fk.InvalidInputError, match="left alone"):
        fitted.export(own)
    assert [one.name for one in own.iterdir()] == ["notes.txt"]


def test_unfitted_classifier_is_refused(tmp_path):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        fk.EmotionClassifier().export(tmp_path / "x.tflite")
