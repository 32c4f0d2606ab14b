import io
import json
import pickle
import sys
import zipfile
from functools import partial

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import fer2013kit as fk
from fer2013kit.classifier._checkpoint import read_checkpoint
from fer2013kit.classifier._json import as_json, from_json
from fer2013kit.classifier._model_file import read_model_file, write_model_file
from networks import tiny_network


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=140, random_state=0)


@pytest.fixture(scope="module")
def fitted(data):
    clf = fk.EmotionClassifier(
        model_params={"filters": (4, 4, 4), "dense_units": 8},
        class_weight={code: 1 + code / 2 for code in range(7)},
        epochs=1, augment=False, verbose=0, random_state=0,
    )  # fmt: skip
    clf.fit(*data.train, validation_data=data.validation)
    return clf.calibrate(*data.validation)


@pytest.fixture
def saved(fitted, tmp_path):
    path = tmp_path / "emotions.fer"
    fitted.save(path)
    return path


def rewrite(path, **changes):
    """Change members of the zip; None leaves one out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members |= {name.replace("__", "."): content for name, content in changes.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that fails to be read")
@pytest.mark.parametrize(
    ("ending", "load"),
    [
        (".fer", fk.EmotionClassifier.load),
        (".fer", fk.EnsembleClassifier.load),
        (".onnx", fk.EmotionPredictor.load),
        (".npz", lambda path: read_checkpoint(path, "")),
    ],
)
def test_errors_of_a_disk_are_told_as_such(tmp_path, ending, load):
    path = tmp_path / f"x{ending}"
    path.symlink_to("/proc/self/mem")
    with pytest.raises(fk.ModelFileError, match="cannot be read: Input/output"):
        load(path)


def test_loaded_classifier_predicts_and_knows_the_same(data, fitted, saved):
    again = fk.EmotionClassifier.load(saved)
    np.testing.assert_array_equal(
        again.predict_proba(data.test.images), fitted.predict_proba(data.test.images)
    )
    assert again.temperature_ == fitted.temperature_ != 1.0
    assert again.history_ == fitted.history_
    assert again.classes_.dtype == fitted.classes_.dtype
    left_out = {"verbose", "checkpoint_dir"}
    params, same = fitted.get_params(), again.get_params()
    assert {k: params[k] for k in params.keys() - left_out} == {
        k: same[k] for k in same.keys() - left_out
    }


def test_loaded_classifier_can_be_fitted_and_saved_again(data, saved, tmp_path):
    again = fk.EmotionClassifier.load(saved).set_params(verbose=0)
    with pytest.warns(fk.Fer2013KitWarning, match="not used: without warm_start"):
        again.fit(*data.train)
    again.save(tmp_path / "again.fer")
    assert fk.EmotionClassifier.load(tmp_path / "again.fer").temperature_ == 1.0


def test_pickle_keeps_predictions(data, fitted):
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(
        again.predict_proba(data.test.images), fitted.predict_proba(data.test.images)
    )


def test_file_holds_json_and_plain_arrays(saved):
    with zipfile.ZipFile(saved) as archive:
        assert sorted(archive.namelist()) == ["SHA256SUMS", "classifier.json", "weights.npz"]
        facts = json.loads(archive.read("classifier.json"))
        np.load(io.BytesIO(archive.read("weights.npz")), allow_pickle=False)
    assert facts["architecture"]["name"] == "five_layer_cnn"
    assert facts["class_names"] == list(fk.CLASS_NAMES)
    assert facts["fer2013kit"] == fk.__version__


def test_metrics_are_kept(data, fitted, tmp_path):
    report = fitted.evaluate(*data.test)
    fitted.save(tmp_path / "a.fer", metrics=report)
    again = fk.EmotionClassifier.load(tmp_path / "a.fer")
    assert again.metrics_["accuracy"] == report.accuracy
    again.save(tmp_path / "b.fer")
    assert fk.EmotionClassifier.load(tmp_path / "b.fer").metrics_ == again.metrics_


def test_metrics_of_the_network_before_are_forgotten(data, fitted, tmp_path):
    fitted.save(tmp_path / "a.fer", metrics=fitted.evaluate(*data.test))
    again = fk.EmotionClassifier.load(tmp_path / "a.fer")
    again.set_params(warm_start=True, epochs=1).fit(*data.train)
    again.save(tmp_path / "b.fer")
    assert fk.EmotionClassifier.load(tmp_path / "b.fer").metrics_ is None


def test_custom_architecture_needs_its_builder(data, tmp_path):
    clf = fk.EmotionClassifier(
        tiny_network, epochs=1, augment=False, verbose=0, random_state=0
    ).fit(*data.train)
    clf.save(tmp_path / "mine.fer")
    with pytest.raises(fk.UnknownModelError, match="tiny_network"):
        fk.EmotionClassifier.load(tmp_path / "mine.fer")
    again = fk.EmotionClassifier.load(tmp_path / "mine.fer", model=tiny_network)
    np.testing.assert_array_equal(
        again.predict_proba(data.test.images), clf.predict_proba(data.test.images)
    )


def test_other_builder_does_not_fit(data, tmp_path):
    clf = fk.EmotionClassifier(tiny_network, epochs=1, augment=False, verbose=0).fit(*data.train)
    clf.save(tmp_path / "mine.fer")
    with pytest.raises(fk.ModelFileError, match="do not fit the architecture"):
        fk.EmotionClassifier.load(tmp_path / "mine.fer", model="five_layer_cnn")


def test_default_of_the_architecture_may_change(data, tmp_path):
    def build(input_shape, num_classes, units=16):
        return tiny_network(input_shape, num_classes, units)

    def build_wider(input_shape, num_classes, units=24):
        return tiny_network(input_shape, num_classes, units)

    path = tmp_path / "emotions.fer"
    clf = fk.EmotionClassifier(build, epochs=1, augment=False, verbose=0, random_state=0).fit(
        *data.train
    )
    clf.save(path)
    assert fk.EmotionClassifier.load(path, model=build).model_params is None
    again = fk.EmotionClassifier.load(path, model=build_wider)
    assert again.model_params == {"units": 16}
    np.testing.assert_array_equal(
        again.predict_proba(data.test.images), clf.predict_proba(data.test.images)
    )


def test_code_in_model_params_comes_with_the_builder(data, tmp_path):
    def build(input_shape, num_classes, units=16, start=None):
        network = tiny_network(input_shape, num_classes, units)
        return network if start is None else keras.Sequential([start(), *network.layers])

    def halved():
        return keras.layers.Rescaling(0.5)

    path = tmp_path / "emotions.fer"
    clf = fk.EmotionClassifier(
        build, model_params={"units": 8, "start": halved},
        epochs=1, augment=False, verbose=0, random_state=0,
    ).fit(*data.train)  # fmt: skip
    clf.save(path)
    with pytest.raises(
        fk.ModelFileError, match=r"code.*: start; .*partial\(builder, start=\.\.\.\)"
    ):
        fk.EmotionClassifier.load(path, model=build)
    again = fk.EmotionClassifier.load(path, model=partial(build, start=halved))
    np.testing.assert_array_equal(
        again.predict_proba(data.test.images), clf.predict_proba(data.test.images)
    )


def test_infinity_in_an_array_is_kept():
    value = {"limits": np.array([1, np.inf], np.float32)}
    assert from_json(json.loads(json.dumps(as_json(value), allow_nan=False))) == {
        "limits": (1, np.inf)
    }


def test_where_a_function_lies_in_memory_tells_it_from_none():
    def activation(x):
        return x

    notes = []
    for place in (1, 2):
        activation._api_export_symbol_id = place  # as Keras notes it on its own functions
        notes.append(as_json(activation))
    assert notes[0] == notes[1]


def test_string_classes_survive(data, tmp_path):
    names = np.array(fk.CLASS_NAMES)[data.train.labels]
    clf = fk.EmotionClassifier(tiny_network, epochs=1, augment=False, verbose=0).fit(
        data.train.images, names
    )
    clf.save(tmp_path / "named.fer")
    again = fk.EmotionClassifier.load(tmp_path / "named.fer", model=tiny_network)
    assert again.classes_.tolist() == clf.classes_.tolist()


def test_saving_replaces_whole_and_leaves_nothing_beside(fitted, saved):
    before = saved.read_bytes()
    fitted.save(saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_failed_save_leaves_the_old_file(fitted, saved, monkeypatch):
    before = saved.read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        fitted.save(saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classifier__json": b"{}"}, "is damaged"),
        ({"weights__npz": b"PK"}, "is damaged"),
        ({"weights__npz": None}, "no classifier saved by fer2013kit"),
        ({"SHA256SUMS": None}, "no classifier saved by fer2013kit"),
        ({"SHA256SUMS": b"\xff"}, "no classifier saved by fer2013kit"),
    ],
)
def test_damage_is_found(saved, changes, message):
    rewrite(saved, **changes)
    with pytest.raises(fk.ModelFileError, match=message):
        fk.EmotionClassifier.load(saved)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "x.fer"
    path.write_bytes(content)
    with pytest.raises(fk.ModelFileError, match="no classifier saved by fer2013kit"):
        fk.EmotionClassifier.load(path)


@pytest.mark.parametrize("ending", [".keras", ".H5", ".onnx", ".tflite"])
def test_names_of_other_formats_are_refused(fitted, tmp_path, ending):
    path = tmp_path / f"emotions{ending}"
    with pytest.raises(fk.InvalidInputError, match=r"save writes a \.fer, export writes \.keras"):
        fitted.save(path)
    with pytest.raises(fk.InvalidInputError, match=r"save writes a \.fers, export writes \.keras"):
        fk.EnsembleClassifier([fitted, fitted]).save(path)
    assert not path.exists()


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(fk.ModelFileError, match="no such file"):
        fk.EmotionClassifier.load(tmp_path / "none.fer")


def test_truncated_file_is_refused(saved):
    content = saved.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        saved.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(fk.ModelFileError):
            fk.EmotionClassifier.load(saved)


def test_a_thousand_arrays_come_back_in_order(tmp_path):
    weights = [np.full(2, number, np.float32) for number in range(1005)]
    write_model_file(tmp_path / "x.fer", {}, weights)
    _, again = read_model_file(tmp_path / "x.fer")
    assert [int(one[0]) for one in again] == list(range(1005))


def test_figures_that_are_no_numbers_are_saved(fitted, tmp_path):
    clf = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    clf.history_ = {"loss": [1.0, np.nan]}
    clf.save(tmp_path / "x.fer", metrics={"ece": np.nan, "n": np.int64(3), 1: np.arange(2)})
    again = fk.EmotionClassifier.load(tmp_path / "x.fer")
    np.testing.assert_array_equal(again.history_["loss"], [1.0, np.nan])
    assert again.metrics_ == {"ece": None, "n": 3, "1": [0, 1]}


def test_settings_that_this_version_does_not_know_are_named(fitted, tmp_path):
    fitted.save(tmp_path / "x.fer")
    facts, weights = read_model_file(tmp_path / "x.fer")
    facts["params"]["zest"] = 3
    write_model_file(tmp_path / "x.fer", facts, weights)
    with pytest.warns(fk.Fer2013KitWarning, match="does not know: zest"):
        fk.EmotionClassifier.load(tmp_path / "x.fer")


def test_newer_format_asks_for_an_upgrade(tmp_path):
    write_model_file(tmp_path / "x.fer", {"format": 99}, [])
    with pytest.raises(fk.ModelFileError, match="upgrade"):
        fk.EmotionClassifier.load(tmp_path / "x.fer")


def test_settings_that_lack_something_are_refused(tmp_path):
    write_model_file(tmp_path / "x.fer", {"architecture": {"name": "five_layer_cnn"}}, [])
    with pytest.raises(fk.ModelFileError, match="lacks or garbles"):
        fk.EmotionClassifier.load(tmp_path / "x.fer")


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("code from the file was run",))


def test_pickled_arrays_are_never_loaded(tmp_path, saved):
    arrays = io.BytesIO()
    np.savez(arrays, weight_000=np.array([Evil()], dtype=object))
    with zipfile.ZipFile(saved) as archive:
        facts = archive.read("classifier.json")
    import hashlib

    sums = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in (("classifier.json", facts), ("weights.npz", arrays.getvalue()))
    )
    rewrite(saved, weights__npz=arrays.getvalue(), SHA256SUMS=sums.encode())
    with pytest.raises(fk.ModelFileError):
        fk.EmotionClassifier.load(saved)


# As text, the number 1000 comes before 101.
@example(weights=list(np.arange(1002, dtype="f4")), facts={})
@given(
    weights=st.lists(
        st.lists(st.floats(-1e6, 1e6, width=32), max_size=5).map(lambda x: np.array(x, "f4")),
        max_size=12,
    ),
    facts=st.dictionaries(
        st.text(max_size=5).filter(lambda key: key not in {"format", "fer2013kit"}),
        st.integers() | st.text(max_size=5) | st.none(),
        max_size=4,
    ),
)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_model_file_round_trip(tmp_path, weights, facts):
    write_model_file(tmp_path / "x.fer", facts, weights)
    again, arrays = read_model_file(tmp_path / "x.fer")
    assert {key: again[key] for key in facts} == facts
    assert len(arrays) == len(weights)
    for one, other in zip(arrays, weights, strict=True):
        np.testing.assert_array_equal(one, other)


def rewritten(path, change):
    """Write a file's facts anew, as whoever makes one can, checksums included."""
    facts, weights = read_model_file(path)
    change(facts)
    write_model_file(path, facts, weights)
    return path


@pytest.mark.parametrize("given", [{"loss": 3}, {"metrics": "mse"}, {"compute_dtype": "half"}])
def test_what_is_asked_of_loading_is_no_fault_of_the_file(saved, given):
    with pytest.raises(fk.InvalidInputError, match=f"^{next(iter(given))} must be"):
        fk.EmotionClassifier.load(saved, **given)


def test_a_file_does_not_decide_where_a_fit_writes(saved):
    rewritten(saved, lambda facts: facts["params"].update(checkpoint_dir="elsewhere"))
    with pytest.warns(fk.Fer2013KitWarning, match=r"no file decides.*checkpoint_dir"):
        again = fk.EmotionClassifier.load(saved)
    assert again.checkpoint_dir is None


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("params.optimizer", {"class_name": "Adam", "config": {}}),
        ("params.optimizer", "no such optimizer"),
        ("params.epochs", -1),
        ("params.value_range", [[], 1]),
        ("params.model_params", [3]),
        ("architecture", []),
        ("architecture.name", 3),
        ("architecture.params.dense_units", 10**7),
        ("architecture.params.filters", [10**5, 10**5, "x"]),
        ("architecture.params.dense_units", 9),
        ("preprocessing.image_shape", [48, 48]),
        ("preprocessing.image_shape", [10**9, 48, 1]),
        ("classes", [[]]),
        ("classes", [0, 0, 1, 2, 3, 4, 5]),
        ("classes_dtype", "O"),
        ("classes_dtype", "<U99999999"),
        ("class_names", ["happy"]),
        ("class_names", [1, 2, 3, 4, 5, 6, 7]),
        ("compute_dtype", "int4"),
        ("temperature", 0),
        ("temperature", "warm"),
        ("history", {"loss": 3}),
        ("best_epoch", "first"),
        ("metrics", []),
        ("format", "new"),
    ],
)
def test_facts_of_another_kind_are_refused(saved, place, value):
    def change(facts):
        *rooms, name = place.split(".")
        for room in rooms:
            facts = facts[room]
        facts[name] = value

    with pytest.raises(fk.ModelFileError, match=saved.name):
        fk.EmotionClassifier.load(rewritten(saved, change))


def test_a_network_is_not_built_before_its_weights_fit(saved, monkeypatch):
    """A file of kilobytes may ask for gigabytes of weights."""
    built = []
    monkeypatch.setattr(fk.EmotionClassifier, "_become", lambda self, *args: built.append(args))
    rewritten(saved, lambda facts: facts["architecture"]["params"].update(dense_units=10**7))
    with pytest.raises(fk.ModelFileError, match="do not fit"):
        fk.EmotionClassifier.load(saved)
    assert not built
