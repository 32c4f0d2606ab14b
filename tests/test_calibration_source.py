"""A report on images that the calibration was fitted on says so."""

import numpy as np
import pytest

import fer2013kit as fk
from fer2013kit._calibration_source import (
    calibration_note,
    calibration_source,
    read_calibration_source,
)

PICTURES = np.random.default_rng(0).integers(0, 256, (1_000, 6, 6, 1), np.uint8)


def percentage(note):
    return 100 if "very" in note else int(note[note.index("about") + 5 : note.index("%")])


def test_order_and_number_type_do_not_matter():
    source = calibration_source(PICTURES)
    assert calibration_source(PICTURES[::-1].astype(np.float32) + 0.2) == source
    assert source["n_samples"] == 1_000
    assert len(source["digests"]) < 1_000


@pytest.mark.parametrize("part", [slice(None), slice(300, 400)])
def test_all_pictures_are_known(part):
    assert "these very images" in calibration_note([calibration_source(PICTURES)], PICTURES[part])


def test_some_pictures_are_known():
    source = calibration_source(PICTURES[:400])
    assert percentage(calibration_note([source], PICTURES)) == pytest.approx(40, abs=8)
    assert calibration_note([source], PICTURES[400:]) is None


def test_a_copy_or_two_are_not_told():
    source = calibration_source(PICTURES[:250])
    assert calibration_note([source], PICTURES[247:]) is None  # three of 753
    assert "about 1 %" in calibration_note([source], PICTURES[244:])


@pytest.mark.parametrize("found", [None, {"n_samples": 3, "fingerprint": "older"}])
def test_files_of_before_say_nothing(found):
    assert read_calibration_source(found) is None


@pytest.mark.parametrize(
    "found",
    [
        "all",
        {"digests": ["a"]},
        {"n_samples": "1", "digests": ["a"]},
        {"n_samples": 2, "digests": ["a"]},
        {"n_samples": 1, "digests": "a"},
        {"n_samples": 1, "digests": [1]},
    ],
)
def test_garbled_source_is_refused(found):
    with pytest.raises(ValueError, match="calibration"):
        read_calibration_source(found)


def test_exported_network_and_ensemble_know_their_pictures(tmp_path):
    data = fk.make_fer2013(n_samples=140, random_state=0)
    X, y = data.validation
    clf = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small").calibrate(X, y)
    clf.export(tmp_path / "x.tflite")
    plain = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
    plain.calibration_ = None
    ensemble = fk.EnsembleClassifier([plain, clf])
    ensemble.save(tmp_path / "x.fers")
    for one in (
        fk.EmotionPredictor.load(tmp_path / "x.tflite"),
        ensemble,
        fk.EnsembleClassifier.load(tmp_path / "x.fers"),
        fk.EnsembleClassifier([plain, plain]).calibrate(X, y),
    ):
        assert "these very images" in one.evaluate(X, y).notes[0]
        assert one.evaluate(*data.test).notes == ()


@pytest.mark.parametrize("name", fk.list_pretrained())
def test_what_ships_knows_publictest(name, csv_tool):
    images, _, usage = csv_tool.read_rows()
    public = images[usage == "PublicTest"]
    source = fk.EmotionPredictor.from_pretrained(name).calibration_
    assert source == fk.EmotionClassifier.from_pretrained(name).calibration_
    assert len(public) // 2 < source["n_samples"] <= len(public)
    share = 100 * source["n_samples"] / len(public)
    assert percentage(calibration_note([source], public)) == pytest.approx(share, abs=6)
