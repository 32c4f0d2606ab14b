import hashlib
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipes import ship
from recipes.train import without_leaks

import fer2013kit as fk
from fer2013kit import pretrained
from fer2013kit.classifier._model_file import read_model_file

SHIPPED = fk.list_pretrained()


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=210, random_state=0)


def rows(data):
    return {
        "PublicTest": tuple(data.validation),
        "PublicTest without rows of Training": tuple(without_leaks(data)),
    }


@pytest.fixture(scope="module")
def own(data, tmp_path_factory):
    """A folder with one network in it, put there as the shipped ones are."""
    clf = fk.EmotionClassifier(
        model_params={"filters": (4, 4, 4), "dense_units": 8},
        epochs=1, augment=False, verbose=0, random_state=0,
    )  # fmt: skip
    clf.fit(*data.train)
    folder = tmp_path_factory.mktemp("weights")
    entry = ship.ship(clf, rows(data), "tiny", folder=folder, recipe="one epoch", quantization=None)
    return folder, entry, clf


@pytest.fixture
def shipped(own, monkeypatch):
    monkeypatch.setattr(pretrained, "FOLDER", own[0])
    return own


def test_what_was_shipped_is_found_and_agrees(shipped, data):
    _, entry, clf = shipped
    assert fk.list_pretrained() == ["tiny"]
    again = fk.EmotionClassifier.from_pretrained("tiny")
    predictor = fk.EmotionPredictor.from_pretrained("tiny")
    assert again.temperature_ == predictor.temperature_ == entry["temperature"] != 1.0
    X, y = data.validation
    np.testing.assert_allclose(predictor.predict_proba(X), again.predict_proba(X), atol=1e-4)
    np.testing.assert_allclose(
        [w.sum() for w in again.model_.get_weights()],
        [w.sum() for w in clf.model_.get_weights()],
        rtol=0.01, atol=0.01,
    )  # fmt: skip
    accuracy = float((again.predict(X) == y).mean())
    assert accuracy == pytest.approx(entry["PublicTest"]["one pass"]["accuracy"], abs=1e-4)
    assert again.metrics_["accuracy"] == accuracy == again.metrics_["accuracy"]
    assert entry["light"]["accuracy"] == pytest.approx(accuracy, abs=ship.LARGEST_LOSS)
    assert entry["recipe"] == "one epoch"


def test_stored_weights_are_half_as_large(own, tmp_path):
    folder, _, clf = own
    clf.save(tmp_path / "full.fer")
    weights = [read_model_file(path)[1] for path in (folder / "tiny.fer", tmp_path / "full.fer")]
    half, full = (sum(weight.nbytes for weight in one) for one in weights)
    assert half == full / 2


@pytest.mark.parametrize("kind", ["classifier", "predictor"])
def test_changed_file_is_refused(shipped, kind):
    folder, entry, _ = shipped
    path = folder / entry["files"][kind]["file"]
    content = path.read_bytes()
    load = {"classifier": fk.EmotionClassifier, "predictor": fk.EmotionPredictor}[kind]
    try:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(fk.ChecksumError) as caught:
            load.from_pretrained("tiny")
        assert caught.value.expected == entry["files"][kind]["sha256"]
        path.unlink()
        with pytest.raises(fk.ModelFileError, match="install the package again"):
            load.from_pretrained("tiny")
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("load", [fk.EmotionClassifier, fk.EmotionPredictor])
def test_unknown_name_is_answered_with_the_known_ones(shipped, load):
    with pytest.raises(fk.UnknownModelError, match="did you mean 'tiny'") as caught:
        load.from_pretrained("tinny")
    assert caught.value.known == ("tiny",)
    assert "register_model" not in str(caught.value)
    with pytest.raises(fk.UnknownModelError, match="did you mean 'tiny'"):
        load.from_pretrained("TINY")
    for name in (None, 3, ["tiny"]):
        with pytest.raises(fk.UnknownModelError, match="Known models: tiny"):
            load.from_pretrained(name)


def test_nothing_shipped_is_an_empty_list(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    assert fk.list_pretrained() == []


@pytest.mark.parametrize("text", ["{", "[]", '{"five_layer_cnn": 1}', '{"five_layer_cnn": {}}'])
def test_a_damaged_manifest_says_what_to_do(tmp_path, monkeypatch, text):
    (tmp_path / "manifest.json").write_text(text)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    with pytest.raises(fk.ModelFileError, match="install the package again"):
        fk.load_predictor("five_layer_cnn")


@pytest.mark.parametrize("wrong", [3, b"five_layer_cnn", ["five_layer_cnn"], ""])
def test_what_is_no_name_and_no_path_is_refused(wrong):
    with pytest.raises(fk.InvalidInputError, match="expected a network's name or a path"):
        fk.load_predictor(wrong)


def paths_of(folder):
    return {"classifier": folder / "tiny.fer", "predictor": folder / "tiny.tflite"}


def test_a_network_of_nearly_the_same_weights_takes_no_file_of_its_own(own, data, monkeypatch):
    folder, _, clf = own
    other = pickle.loads(pickle.dumps(clf))  # noqa: S301 - written a moment ago
    other.temperature_ = 2.0  # which ship then keeps
    *weights, bias = clf.model_.get_weights()
    other.model_.set_weights([*weights, bias + np.eye(7, dtype=np.float32)[0] * 3])
    entry = ship.ship(
        other, rows(data), "angrier", like="tiny", folder=folder, quantization=None
    )  # fmt: skip
    try:
        assert {path.name for path in folder.iterdir()} == {
            "tiny.fer", "tiny.tflite", "manifest.json",
        }  # fmt: skip
        monkeypatch.setattr(pretrained, "FOLDER", folder)
        assert fk.list_pretrained() == ["angrier", "tiny"]
        assert pretrained.find_pretrained("angrier", "predictor")[0] == folder / "angrier.tflite"
        X = data.validation.images
        expected = other.predict_proba(X)
        for load in (fk.EmotionClassifier, fk.EmotionPredictor):
            again = load.from_pretrained("angrier")
            np.testing.assert_allclose(again.predict_proba(X), expected, atol=2e-3)
            assert np.abs(load.from_pretrained("tiny").predict_proba(X) - expected).max() > 0.1
        entry["files"]["predictor"]["parts"][0][1] -= 1
        (folder / "manifest.json").write_text(json.dumps({"angrier": entry}))
        with pytest.raises(fk.ChecksumError):
            fk.EmotionPredictor.from_pretrained("angrier")
    finally:
        (folder / "manifest.json").write_text(json.dumps({"tiny": own[1]}))


@given(st.data())
def test_parts_make_the_file_again(draw):
    base = draw.draw(st.binary(max_size=400)) * 3
    content = b"".join(
        draw.draw(st.binary(max_size=90)) + base[start : start + 150]
        for start in draw.draw(st.lists(st.integers(0, 300), max_size=4))
    )
    parts = ship.parts_of(content, base)
    assert pretrained.join_parts(parts, base) == content


def test_parts_hold_what_differs_alone():
    base = np.random.default_rng(0).bytes(9_000)
    assert ship.parts_of(b"new" + base[7:], base) == ["bmV3", [7, 9_000]]
    assert ship.parts_of(base, base) == [[0, 9_000]]
    assert ship.parts_of(b"", base) == []


def test_too_much_is_not_shipped(own, tmp_path, monkeypatch):
    monkeypatch.setattr(ship, "LARGEST_TOTAL", 1000)
    folder, entry, _ = own
    with pytest.raises(SystemExit, match="of 1,000"):
        ship._put_into(tmp_path, "tiny", entry, paths_of(folder), like=None)
    assert not list(tmp_path.iterdir())


def test_weights_too_large_for_half_precision_are_refused(own, tmp_path):
    clf = own[2]
    weights = clf.model_.get_weights()
    try:
        clf.model_.set_weights([weights[0] + 1e5, *weights[1:]])
        with pytest.raises(fk.InvalidInputError, match="float16"):
            clf.save(tmp_path / "x.fer", weights_dtype="float16")
    finally:
        clf.model_.set_weights(weights)
    with pytest.raises(fk.InvalidInputError, match="weights_dtype must be one of"):
        clf.save(tmp_path / "x.fer", weights_dtype="int8")
    assert not list(tmp_path.iterdir())


# --- the networks that the package holds ---------------------------------------------------------


def test_all_shipped_files_are_listed_and_small():
    folder = pretrained.FOLDER
    manifest = pretrained.read_manifest()
    files = [file for one in manifest.values() for file in one["files"].values()]
    files = {file["file"]: file for file in files if "parts" not in file}
    assert {path.name for path in folder.iterdir()} == {*files, pretrained.MANIFEST_NAME}
    assert sum(file["bytes"] for file in files.values()) <= ship.LARGEST_TOTAL
    for name, file in files.items():
        content = (folder / name).read_bytes()
        assert len(content) == file["bytes"]
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    json.dumps(manifest, allow_nan=False)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_classifier_and_predictor_agree(name):
    X = fk.make_fer2013(n_samples=140, random_state=0).train.images
    clf = fk.EmotionClassifier.from_pretrained(name)
    predictor = fk.EmotionPredictor.from_pretrained(name)
    words = (*fk.CLASS_NAMES, "contempt")[: len(clf.classes_)]
    assert clf.class_names_ == predictor.class_names_ == words
    assert clf.temperature_ == predictor.temperature_ != 1.0
    difference = np.abs(clf.predict_proba(X) - predictor.predict_proba(X)).max()
    assert difference < 0.1
    assert clf.metrics_["accuracy"] == pretrained.read_manifest()[name]["report"]["accuracy"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_predictor_reaches_on_publictest_what_its_card_says(name, csv_tool, shared_data):
    images, labels, usage = csv_tool.read_rows()
    if "FER+" in pretrained.read_manifest()[name]["labels"]:
        labels = fk.load_ferplus(shared_data / "fer2013new.csv").majority()
    public = (usage == "PublicTest") & (labels >= 0)
    answers = fk.EmotionPredictor.from_pretrained(name).predict(images[public])
    assert float((answers == labels[public]).mean()) == pytest.approx(
        pretrained.read_manifest()[name]["light"]["accuracy"], abs=0.002
    )
