import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import fer2013kit as fk
from command_line import run, run_json
from fer2013kit.cli import _demo, _quiet, main
from fer2013kit.cli._train import train as train_command
from fer2013kit.models import _registry
from networks import tiny_network

COMMANDS = ("info", "audit", "train", "evaluate", "predict", "video", "explain", "export")
COMMANDS += ("benchmark", "tune", "serve", "demo", "fetch", "models", "score")
QUICK = ("--architecture", "tiny", "--epochs", "1", "--no-augment", "--compute-dtype", "float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set, one without validation split, and a classifier of a registered architecture."""
    folder = tmp_path_factory.mktemp("cli")
    data = fk.make_fer2013(n_samples=140, random_state=0)
    data.save(folder / "faces.npz")
    fk.FER2013(train=data.train).save(folder / "train.npz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(_registry._builders, "tiny", tiny_network)
        run("train", folder / "faces.npz", "-o", folder / "emotions.fer", *QUICK, "--quiet")
        yield folder


# --- the program -------------------------------------------------------------------------------


def test_help_loads_nothing_heavy():
    script = (
        "import sys; from fer2013kit.cli import main\n"
        "for name in [[], *([name] for name in main.commands)]:\n"
        "    main([*name, '--help'], 'fer2013kit', standalone_mode=False)\n"
        "print({name.partition('.')[0] for name in sys.modules})"
    )
    result = subprocess.run(  # noqa: S603 - our own script, run by our own Python
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert all(f"Usage: fer2013kit {name} " in result.stdout for name in COMMANDS)
    loaded = result.stdout.splitlines()[-1]
    assert "'click'" in loaded
    for name in ("keras", "tensorflow", "sklearn", "pandas", "numpy", "PIL", "tqdm"):
        assert f"'{name}'" not in loaded


def test_models_are_those_that_ship():
    rows = run_json("models")["models"]
    assert [row["name"] for row in rows] == fk.list_pretrained()
    assert {row["default_of"] for row in rows} == {"data sets", "photographs", None}
    table = run("models").stdout
    for row in rows:
        assert 0.6 < row["accuracy"] < 1
        assert re.search(rf"^{row['name']} .* {row['accuracy']:.3f} ", table, flags=re.MULTILINE)


def test_fetch_prints_the_path_that_others_read(tmp_path, monkeypatch):
    monkeypatch.setenv("FER2013KIT_HOME", str(tmp_path))
    assert "by hand" in run("fetch", "--no-download", code=1).stderr
    place = tmp_path / "fer2013" / "faces.npz"
    place.parent.mkdir()
    fk.make_fer2013(n_samples=70, random_state=0).save(place)
    assert run("fetch").stdout == f"{place.parent}\n"
    found, held = run_json("fetch"), run_json("info", place.parent)
    assert found == held
    assert found["splits"]["train"]["n_samples"] == 56


def test_version():
    assert run("--version").stdout == f"fer2013kit {fk.__version__}\n"


def test_all_commands_are_there_and_told_in_a_line():
    assert set(main.commands) == set(COMMANDS)
    _, _, listed = run("--help").stdout.partition("Commands:")
    assert "..." not in listed


@pytest.mark.parametrize(
    "arguments",
    [
        ["inof"],
        ["info", "--nope"],
        ["audit"],
        ["train", "faces.npz"],
        ["predict"],
        ["predict", "emotions.fer"],
        ["evaluate", "faces.npz", "--tta", "twice"],
    ],
)
def test_bad_usage_is_code_2(arguments):
    result = run(*arguments, code=2)
    assert not result.stdout
    assert "Usage: " in result.stderr


def test_failure_is_code_1_and_one_line(tmp_path):
    result = run("info", tmp_path / "nope.zip", "--json", code=1)
    assert not result.stdout
    assert result.stderr.startswith("fer2013kit: error: ")
    assert len(result.stderr.splitlines()) == 1


def test_debug_shows_the_error_itself(tmp_path, monkeypatch):
    with pytest.raises(fk.DatasetNotFoundError):
        CliRunner().invoke(
            main, ["--debug", "info", str(tmp_path / "nope")], catch_exceptions=False
        )
    monkeypatch.setenv("FER2013KIT_DEBUG", "1")
    with pytest.raises(fk.DatasetNotFoundError):
        CliRunner().invoke(main, ["info", str(tmp_path / "nope")], catch_exceptions=False)


def test_disk_errors_are_code_1(folder, tmp_path):
    (tmp_path / "file").write_text("")
    options = ("-o", tmp_path / "file" / "emotions.fer")
    assert "error: " in run("train", folder / "faces.npz", *options, code=1).stderr


def test_too_little_memory_is_code_1_and_one_line(folder, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(fk, "load_fer2013", fail)
    result = run("audit", folder / "faces.npz", code=1)
    assert result.stderr == "fer2013kit: error: not enough memory\n"
    assert not result.stdout


@pytest.mark.parametrize(
    "said",
    [
        "{{node}} OOM when allocating tensor with shape[9]",  # TensorFlow
        "RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.",  # JAX
        "CUDA out of memory. Tried to allocate 9 GiB.",  # torch
        "[enforce fail] DefaultCPUAllocator: can't allocate memory",
    ],
)
def test_too_little_memory_is_told_of_each_backend(folder, tmp_path, monkeypatch, said):
    def fail(*_, **__):
        raise RuntimeError(f"Graph execution error:\n{said}")

    monkeypatch.setattr(fk.EmotionClassifier, "fit", fail)
    result = run("train", folder / "faces.npz", "-o", tmp_path / "x.fer", code=1)
    assert result.stderr == "fer2013kit: error: not enough memory\n"


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams as shells of Unix do")
@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_failure(tmp_path, closed):
    Image.new("L", (48, 48)).save(tmp_path / "face.png")
    line = f'exec "$0" -m fer2013kit predict face.png --crops --csv faces.csv {closed}'
    subprocess.run(["/bin/sh", "-c", line, sys.executable], cwd=tmp_path, check=True)  # noqa: S603 - ours
    lines = (tmp_path / "faces.csv").read_text(encoding="utf-8").splitlines()
    assert [line.partition(",")[0] for line in lines] == ["picture", "face.png"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
@pytest.mark.parametrize("asked", ["--help", "--version", "predict --help", "models"])
def test_a_full_disk_behind_standard_output_is_code_1_and_one_line(asked):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "fer2013kit", *asked.split()]
        done = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ours
    assert done.returncode == 1
    assert done.stderr == "fer2013kit: error: [Errno 28] No space left on device\n"


def test_interrupt_is_code_130(folder, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(fk.EmotionClassifier, "fit", interrupt)
    command = ("train", folder / "faces.npz", "-o", tmp_path / "emotions.fer")
    assert run(*command, code=130).stderr == "fer2013kit: interrupted\n"
    stopped = run(*command, "--checkpoint-dir", tmp_path / "run", code=130)
    assert stopped.stderr == ("fer2013kit: interrupted; run the same command again to resume\n")
    assert not (tmp_path / "emotions.fer").exists()


def test_what_a_terminal_cannot_show_is_escaped(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", "from fer2013kit.cli import main; main()", "info", "лицо.zip"],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        check=False,
    )
    assert result.returncode == 1
    assert rb"\u043b\u0438\u0446\u043e.zip" in result.stderr


# --- TensorFlow's messages ---------------------------------------------------------------------

FAKE_KERAS = "import os\nos.write(2, b'noise of drivers\\n')\n"


def run_with_fake_keras(folder, source, *options, **environment):
    """Run `info` where Keras is a module of ours; return what it printed."""
    (folder / "keras.py").write_text(source)
    (folder / "tensorflow.py").write_text("")
    clean = {name: value for name, value in os.environ.items() if name != _quiet.LOG_LEVEL}
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(  # noqa: S603 - our own program, run by our own Python
        [sys.executable, "-c", "from fer2013kit.cli import main; main()", "info", *options],
        capture_output=True,
        text=True,
        env={**clean, "PYTHONPATH": path, **environment},
        check=False,
    )


def test_messages_at_import_are_kept_back(tmp_path):
    source = f"{FAKE_KERAS}raise ModuleNotFoundError('no backend')"
    result = run_with_fake_keras(tmp_path, source.replace("raise", "#"))
    assert "noise" not in result.stderr
    failed = run_with_fake_keras(tmp_path, source)
    assert "noise" in failed.stderr
    assert "cannot be imported: no backend" in failed.stdout


def test_standard_output_holds_the_result_alone(tmp_path):
    source = FAKE_KERAS.replace("os.write(2", "os.write(1")
    source += "raise ModuleNotFoundError('no backend')"
    result = run_with_fake_keras(tmp_path, source, "--json")
    assert json.loads(result.stdout)["python"]
    assert "noise" in result.stderr


@pytest.mark.parametrize("environment", [{"FER2013KIT_DEBUG": "1"}, {"TF_CPP_MIN_LOG_LEVEL": "0"}])
def test_messages_are_shown_to_who_wants_them(tmp_path, environment):
    assert "noise" in run_with_fake_keras(tmp_path, FAKE_KERAS, **environment).stderr


def test_log_level_is_set_for_the_command_alone(monkeypatch):
    monkeypatch.delenv(_quiet.LOG_LEVEL, raising=False)
    with _quiet.quiet_tensorflow(enabled=True):
        assert os.environ[_quiet.LOG_LEVEL] == "3"
    assert _quiet.LOG_LEVEL not in os.environ
    monkeypatch.setenv(_quiet.LOG_LEVEL, "1")
    with _quiet.quiet_tensorflow(enabled=True):
        assert os.environ[_quiet.LOG_LEVEL] == "1"
    assert os.environ[_quiet.LOG_LEVEL] == "1"


# --- info and audit ----------------------------------------------------------------------------


def test_info_on_data(folder):
    data = fk.load_fer2013(folder / "faces.npz")
    assert run("info", folder / "faces.npz").stdout.strip() == data.summary()
    document = run_json("info", folder / "faces.npz")
    assert list(document["splits"]) == ["train", "validation", "test"]
    counts = document["splits"]["train"]["class_counts"]
    assert counts == dict(zip(fk.CLASS_NAMES, fk.class_counts(data.train.labels), strict=True))


def test_info_on_data_without_labels(tmp_path):
    images = np.zeros((3, 48, 48), np.uint8)
    data = fk.FER2013(train=fk.Split(images, [0, 1, 2]), test=fk.Split(images))
    data.save(tmp_path / "challenge.npz")
    document = run_json("info", tmp_path / "challenge.npz")
    assert document["splits"]["test"] == {"n_samples": 3, "class_counts": None}


def test_info_on_the_installation():
    document = run_json("info")
    assert document["fer2013kit"] == fk.__version__
    assert document["cache"] == os.environ["FER2013KIT_HOME"]
    assert "five_layer_cnn" in document["models"]
    text = run("info").stdout
    for name in document:
        assert re.search(rf"^{name} +\S", text, re.MULTILINE)


def test_audit(folder, tmp_path):
    report = fk.audit_dataset(fk.load_fer2013(folder / "faces.npz"))
    path = tmp_path / "new" / "findings.csv"
    done = run("audit", folder / "faces.npz", "--csv", path)
    assert done.stdout == f"{report.summary()}\ncsv: {path}\n"
    with path.open(newline="") as file:
        assert next(csv.reader(file)) == list(report.to_frame().columns)
    document = run_json("audit", folder / "faces.npz")
    assert document.pop("files") == {"csv": None}
    assert document == json.loads(json.dumps(report.as_dict()))


# --- train, evaluate ---------------------------------------------------------------------------


def test_defaults_are_those_of_the_classifier():
    params = fk.EmotionClassifier().get_params()
    options = {option.name: option.default for option in train_command.params}
    own = {"validation_fraction"}  # of a data set without a validation split, not inside of fit
    shared = {name: options[name] for name in (options.keys() & params.keys()) - own}
    assert len(shared) >= 12
    for name, default in shared.items():
        expected = params[name]
        assert default == expected or (expected is None and not isinstance(default, str)), name


def test_train_says_what_came_out(folder, tmp_path):
    output, report = tmp_path / "new" / "emotions.fer", tmp_path / "report.html"
    command = ("train", folder / "faces.npz", "-o", output, "--report", report, *QUICK)
    document = run_json(*command, "--calibrate", "--class-weight", "balanced")
    assert document["files"] == {"classifier": str(output), "report": str(report)}
    assert len(document["history"]["loss"]) == 1
    classifier = fk.EmotionClassifier.load(output)
    assert classifier.class_weight == "balanced"
    assert classifier.temperature_ != 1
    assert classifier.metrics_ == document["validation"]
    page = report.read_text(encoding="utf-8")
    assert "<img" in page
    made = page[page.index("How it was made") :]
    for fact in ("tiny", "class_weight=&#x27;balanced&#x27;", "epochs=1", "not looked"):
        assert fact in made
    assert "fitted on these very images" in page


def test_train_goes_on_where_it_stopped(folder, tmp_path):
    command = ("train", folder / "faces.npz", "-o", tmp_path / "emotions.fer", *QUICK)
    first = run_json(*command, "--checkpoint-dir", tmp_path / "run")
    again = run_json(*command, "--checkpoint-dir", tmp_path / "run")
    assert again["history"] == first["history"]
    other = run(*command, "--checkpoint-dir", tmp_path / "run", "--seed", "5", code=1)
    assert "other settings" in other.stderr


def test_train_without_validation_split(folder, tmp_path):
    command = ("train", folder / "train.npz", "-o", tmp_path / "emotions.fer", *QUICK)
    report = tmp_path / "report.html"
    held_out = run(*command, "--drop-leaks", "--json", "--report", report)
    for fact in ("left out: 0 of train", "0.1 of train, by the seed"):
        assert fact in report.read_text(encoding="utf-8")
    assert "held out 0.1 of the training split" in held_out.stderr
    assert "leaks left out: 0 of train" in held_out.stderr
    assert json.loads(held_out.stdout)["validation"]["n_samples"] > 0
    assert run_json(*command, "--validation-fraction", "0")["validation"] is None
    run(*command, "--validation-fraction", "0", "--calibrate", code=2)


def test_train_leaves_out_what_the_drawn_validation_split_holds(folder, tmp_path):
    train = fk.load_fer2013(folder / "train.npz").train
    fk.FER2013(train.concat(train)).save(tmp_path / "twice.npz")
    command = ("train", tmp_path / "twice.npz", "-o", tmp_path / "emotions.fer", *QUICK)
    result = run(*command, "--drop-leaks", "--json")
    held_out = json.loads(result.stdout)["validation"]["n_samples"]
    left_out = re.search(r"left out: (\d+) of train, 0 of validation", result.stderr)
    assert 0 < int(left_out[1]) <= held_out


def test_train_with_parameters_and_then_further(folder, tmp_path):
    command = ("train", folder / "faces.npz", "--json", "-q", *QUICK[2:])
    first, second = tmp_path / "first.fer", tmp_path / "second.fer"
    run(*command, "-o", first, *QUICK[:2], "--param", "units=3")
    before = fk.EmotionClassifier.load(first)
    assert before.model_params == {"units": 3}
    run(*command, "-o", second, "--start", first, "--freeze", "hidden")
    after = fk.EmotionClassifier.load(second)
    kernels = [
        (one.model_.layers[-2].kernel, one.model_.layers[-1].kernel) for one in (before, after)
    ]
    stayed, learned = (np.array_equal(*pair) for pair in zip(*kernels, strict=True))
    assert stayed
    assert not learned
    for wrong, why in ((("--param", "units"), "NAME=VALUE"), (QUICK[:2], "--start brings")):
        assert why in run(*command, "-o", second, "--start", first, *wrong, code=2).stderr


def test_unknown_architecture_is_refused(folder, tmp_path):
    command = ("train", folder / "faces.npz", "-o", tmp_path / "new" / "emotions.fer")
    message = run(*command, "--architecture", "five_layer", code=2).stderr
    assert "did you mean 'five_layer_cnn'" in message
    assert "--plugin" in message
    assert not (tmp_path / "new").exists()


def test_evaluate(folder, tmp_path):
    command = ("evaluate", folder / "faces.npz", "--model", folder / "emotions.fer")
    classifier = fk.EmotionClassifier.load(folder / "emotions.fer")
    data = fk.load_fer2013(folder / "faces.npz")
    document = run_json(*command)
    assert document["split"] == "validation"
    assert document["accuracy"] == classifier.evaluate(*data.validation).accuracy
    report = tmp_path / "report.html"
    text = run(*command, "--split", "test", "--tta", "flip", "--report", report).stdout
    assert str(classifier.evaluate(*data.test, tta="flip")) in text
    page = report.read_text(encoding="utf-8")
    assert "Most confident mistakes" in page
    run(*command, "--split", "test", "--report", report, "--no-faces")
    page = report.read_text(encoding="utf-8")
    assert "Confusion matrix" in page
    assert "Most confident mistakes" not in page


def test_evaluate_takes_a_column_for_clusters(folder, tmp_path):
    data = fk.load_fer2013(folder / "faces.npz")
    people = np.arange(len(data.test)) // 2
    test = fk.Split(*data.test, columns={"subject": people})
    fk.FER2013(data.train, test=test).save(tmp_path / "people.npz")
    command = ("evaluate", tmp_path / "people.npz", "--model", folder / "emotions.fer")
    page = tmp_path / "page.html"
    document = run_json(*command, "--clusters", "subject", "--no-faces", "--report", page)
    expected = fk.EmotionClassifier.load(folder / "emotions.fer").evaluate(
        *data.test, clusters=people
    )
    assert document["clusters"] == ["subject"]
    assert document["n_clusters"] == (len(people) + 1) // 2
    assert document["n_effective"] == expected.n_effective
    assert "<dd>subject</dd>" in page.read_text(encoding="utf-8")
    assert run_json(*command)["clusters"] is None
    told = run("evaluate", folder / "faces.npz", *command[2:], "--clusters", "x", code=1).stderr
    assert "--clusters needs columns of the data (it has none); received ['x']; an .npz" in told


def test_evaluate_measures_an_exported_file_as_it_is(folder, tmp_path):
    file = tmp_path / "small.tflite"
    fk.EmotionClassifier.from_pretrained("five_layer_cnn_small").export(file)
    data = fk.load_fer2013(folder / "faces.npz")
    command = ("evaluate", folder / "faces.npz", "--model", file, "--split", "test")
    document = run_json(*command, "--report", tmp_path / "page.html")
    expected = fk.EmotionPredictor.load(file).evaluate(*data.test)
    assert (document["accuracy"], document["loss"]) == (expected.accuracy, expected.loss)
    assert "small.tflite" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_evaluate_without_leaks(folder, tmp_path):
    data = fk.load_fer2013(folder / "faces.npz")
    leaky = fk.FER2013(train=data.train, validation=data.validation.concat(data.train))
    leaky.save(tmp_path / "leaky.npz")
    result = run(
        "evaluate", tmp_path / "leaky.npz", "--model", folder / "emotions.fer", "--drop-leaks"
    )
    assert f"{len(data.train)} of validation" in result.stderr
    assert f"of {len(data.validation)} samples" in result.stdout


def test_evaluate_needs_the_split(folder):
    command = ("evaluate", folder / "train.npz", "--model", folder / "emotions.fer")
    assert "has no validation or test split; it has train" in run(*command, code=1).stderr
    assert run_json(*command, "--split", "train")["split"] == "train"


def test_evaluate_needs_a_classifier(folder):
    result = run("evaluate", folder / "faces.npz", "--model", folder / "faces.npz", code=1)
    assert "faces.npz" in result.stderr


# --- demo --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_demo(tmp_path, monkeypatch):
    monkeypatch.setattr(_demo, "N_SAMPLES", 70)
    monkeypatch.setattr(_demo, "EPOCHS", 1)
    document = run_json("demo", "-o", tmp_path / "demo")
    assert 0 <= document["test"]["accuracy"] <= 1
    fk.EmotionClassifier.load(document["files"]["classifier"])
    assert "<img" in Path(document["files"]["report"]).read_text(encoding="utf-8")
    assert [len(photo["faces"]) for photo in document["photographs"]] == [1, 1]
    for photo in document["photographs"]:
        with Image.open(photo["annotated"]) as picture:
            assert picture.format == "JPEG"
