"""What the command line says to calls that are wrong, in its own words."""

import csv
import os
import re
import runpy
import sys

import click
import pandas as pd
import pytest
from PIL import Image

import fer2013kit as fk
from command_line import run, run_json
from fer2013kit.cli import main
from fer2013kit.cli._program import Command
from fer2013kit.cli._wording import in_options, option_names
from fer2013kit.models import _registry
from networks import tiny_network

PLUGIN = """
import keras
import fer2013kit as fk
from beside import UNITS

@fk.register_model("{name}")
def build(input_shape, num_classes):
    return keras.Sequential([
        keras.Input(input_shape),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3, strides=2, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(UNITS, activation="relu"),
        keras.layers.Dense(num_classes, activation="softmax", dtype="float32"),
    ])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the working directory: a data set, an image, a plugin and its neighbour."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    fk.make_fer2013(n_samples=140, random_state=0).save("faces.npz")
    Image.open(fk.sample_photos()[0]).save("photo.png")
    (tmp_path / "beside.py").write_text("UNITS = 8")
    (tmp_path / "plugin.py").write_text(PLUGIN.format(name="by_name"))
    (tmp_path / "other.py").write_text(PLUGIN.format(name="by_path"))
    (tmp_path / "broken.py").write_text("1 / 0")
    return tmp_path


# --- refused before any work -------------------------------------------------------------------


@pytest.mark.parametrize("name", main.commands)
def test_numbers_out_of_range_are_refused(name):
    for option in main.commands[name].params:
        if not isinstance(option.type, click.types.IntParamType | click.types.FloatParamType):
            continue
        assert isinstance(option.type, click.IntRange | click.FloatRange), option.name
        for value in ("-1", "nan", "inf", "1e400", "many"):
            message = run(name, option.opts[-1], value, code=2).stderr
            assert f"Invalid value for '{option.opts[-1]}'" in message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("train faces.npz -o x.fer --validation-fraction 2", "'--validation-fraction'"),
        ("train faces.npz -o x.fer --validation-fraction 1", "'--validation-fraction'"),
        ("train faces.npz -o x.fer --label-smoothing 1", "'--label-smoothing'"),
        ("train faces.npz -o x.fer --loss focall", "'crossentropy', 'focal'"),
        ("train faces.npz -o x.fer --model five_layer_cnn", "No such option"),
        ("train faces.npz -o .", "is a directory"),
        ("train faces.npz -o x.fer --plugin plugin", "fer2013kit --plugin ... train"),
        ("evaluate faces.npz --split dev", "'train', 'validation', 'test'"),
        ("evaluate faces.npz --model five_layer_cn", "did you mean 'five_layer_cnn'"),
        ("evaluate faces.npz --model nope.fer", "nope.fer: no such file"),
        ("export x.pb", "'x.pb' must end in .onnx, .tflite or .keras"),
        ("export x.onnx --quantization int8", "--quantization is for .tflite alone"),
        ("export x.tflite --quantization int8", "--quantization int8 needs --data"),
        ("explain photo.png", "Missing option '-o' / '--output'"),
        ("explain photo.png -o x.gif", "'x.gif' must end in .jpg"),
        ("explain photo.png -o faces.npz", "must end in"),
        ("explain photo.png -o x.png --emotion joyful", "'joyful' is none of angry"),
        ("explain photo.png -o x.png --model x.tflite", "no such file"),
        ("explain x.fer photo.png -o x.png", "name it with --model x.fer"),
        ("explain clip.mp4 -o x.png", "fer2013kit video clip.mp4"),
        ("predict", "--sample"),
        ("predict CLIP.MP4 photo.png", "fer2013kit video CLIP.MP4"),
        ("predict old.fer photo.png", "name it with --model old.fer"),
        ("predict photo.png --aspect squash", "'crop', 'stretch', 'pad'"),
        ("predict photo.png --save-annotated x.txt", "or be a folder's name"),
        ("predict --sample --save-annotated x.jpg", "one file for 2 images"),
        ("video clip.mp4 --plot x.gif", "'x.gif' must end in"),
        ("video clip.mp4 --save-annotated x.avi", "must end in .mp4, .mkv, .mov"),
        ("serve --model nope.onnx", "no such file"),
        ("train faces.npz -o x.ONNX", "is named as another format's file; name a .fer"),
        ("train faces.npz -o faces.npz", "--output 'faces.npz' is read"),
        ("train faces.npz -o x.fer --report x.fer", "--report 'x.fer' is read"),
        ("train faces.npz -o x.fer --checkpoint-dir photo.png", "'photo.png' is a file"),
        ("evaluate faces.npz --report ./faces.npz", "--report 'faces.npz' is read"),
        ("evaluate faces.npz --model photo.png --report photo.png", "--report 'photo.png' is read"),
        ("audit rows.csv --csv rows.csv", "--csv 'rows.csv' is read"),
        ("serve --port 70000", "0<=x<=65535"),
        ("--plugin nowhere info", "'nowhere': no such module or file"),
        ("--plugin no/where.py info", "'no/where.py': no such module or file"),
        ("--plugin ..x info", "'..x': no such module or file"),
    ],
)
def test_wrong_calls_are_code_2(folder, call, message):
    before = sorted(folder.rglob("*"))
    result = run(*call.split(), code=2)
    assert message in " ".join(result.stderr.split())
    assert not result.stdout
    assert sorted(path for path in folder.rglob("*") if "__pycache__" not in str(path)) == before


@pytest.mark.parametrize(
    "call",
    [
        "info {}",
        "audit faces.npz --csv {}",
        "train {} -o x.fer",
        "train faces.npz -o {}",
        "predict {}",
        "predict photo.png --save-annotated {}",
        "predict photo.png --model {}",
        "explain photo.png -o {}",
        "demo -o {}",
    ],
)
@pytest.mark.parametrize(
    ("given", "message"),
    [("", "received ''|must not be empty"), ("https://a.org/b.csv", "web|no such file")],
)
def test_no_path_is_the_current_folder_and_no_web_address_a_path(folder, call, given, message):
    before = sorted(folder.rglob("*"))
    result = run(*(given if word == "{}" else word for word in call.split()), code=2)
    assert re.search(message, result.stderr)
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("info nope.zip", "nope.zip"),
        ("audit photo.png", "photo.png"),
        ("train nope.zip -o x.fer", "nope.zip"),
        ("evaluate photo.png", "photo.png"),
        ("evaluate faces.npz --model photo.png", "photo.png"),
        ("export x.tflite --data nope.npz", "nope.npz"),
        ("predict nope.jpg", "nope.jpg"),
        ("predict *.gif", "no file matches this pattern"),
        ("predict photo.png --model faces.npz", "faces.npz"),
        ("explain *.gif -o x.png", "no file matches this pattern"),
        ("explain photo.png -o x.png --layer nope", "--layer"),
        ("video nope.mp4", "nope.mp4"),
    ],
)
def test_failures_are_code_1_and_a_line(folder, call, message):
    result = run(*call.split(), code=1)
    assert message in result.stderr
    assert result.stderr.startswith("fer2013kit: error: ")
    assert result.stderr.count("\n") == 1
    assert not python_words(result.stderr)


def python_words(text):
    """Return what only a programmer of Python would write: keyword arguments, calls, classes."""
    for name in ("five_layer_cnn", "icml_face_data.csv", "WebDataset"):
        text = text.replace(name, "")
    return re.findall(r"\b\w+=['\w{\[]|\b[a-z]+_[a-z_]+\b|\b\w+\.\w+\(|\b[A-Z][a-z]+[A-Z]\w+", text)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names there")
@pytest.mark.parametrize("call", ["train faces.npz -o pipe", "evaluate faces.npz --report pipe"])
def test_a_place_that_cannot_be_written_is_told_before_the_work(folder, call, monkeypatch):
    os.mkfifo("pipe")
    before = sorted(folder.rglob("*"))
    assert "device or pipe" in run(*call.split(), code=1).stderr
    assert sorted(folder.rglob("*")) == before
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)  # root may write everywhere
    call = call.replace("pipe", "file")
    assert "nothing can be written here" in run(*call.split(), code=1).stderr
    assert sorted(folder.rglob("*")) == before


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("quantization='int8' needs images", "--quantization int8 needs images"),
        ("learning_rate must be a number", "--learning-rate must be a number"),
        ("loss must be x; mixup must be y", "--loss must be x; --mixup must be y"),
        ("pass resize=True to shrink them", "pass --resize to shrink them"),
        ("the loss must fall", "the loss must fall"),
        ("a/learning_rate.csv: no learning_rate.csv", "a/learning_rate.csv: no learning_rate.csv"),
        ("received 'learning_rate'", "received 'learning_rate'"),
    ],
)
def test_parameters_become_options(message, expected):
    names = {"loss": "--loss", "mixup": "--mixup", "resize": "--resize"}
    names |= {"learning_rate": "--learning-rate", "quantization": "--quantization"}
    assert in_options(message, names) == expected


@pytest.mark.parametrize("command", main.commands.values(), ids=list(main.commands))
def test_every_parameter_goes_by_its_option(command):
    assert isinstance(command, Command)
    for name, option in option_names(command).items():
        worded = in_options(f"{name} must be one", command.names)
        assert worded == f"{command.names[name]} must be one"
        assert option.startswith("--") or option.isupper()


def test_the_trainings_settings_go_by_their_options():
    with pytest.raises(fk.InvalidInputError) as caught:
        fk.EmotionClassifier(
            epochs=0, batch_size=0, learning_rate=-1, loss="x", mixup=-1, compute_dtype="x"
        ).fit(*fk.make_fer2013(n_samples=35).train)
    message = in_options(str(caught.value), main.commands["train"].names)
    for option in ("--epochs", "--batch-size", "--learning-rate", "--loss", "--mixup"):
        assert f"{option} must be" in message
    assert not python_words(message)


# --- help --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", main.commands)
def test_help_has_an_example_of_one_line(name):
    text = run(name, "--help").stdout
    _, _, example = text.partition("Example: ")
    assert example.startswith(f"fer2013kit {name}")
    assert example.count("\n") == 1


# --- plugins -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("plugin", "name"), [("plugin", "by_name"), ("other.py", "by_path")])
def test_architectures_of_plugins_work_in_all_commands(folder, plugin, name, monkeypatch):
    monkeypatch.setattr("fer2013kit.models._registry._builders", {})
    command = ("train", "faces.npz", "-o", "own.fer", "--epochs", 1, "--quiet")
    run("--plugin", plugin, *command, "--architecture", name)
    assert fk.EmotionClassifier.load("own.fer").model == name
    for arguments in (
        ("evaluate", "faces.npz"),
        ("predict", "photo.png"),
        ("explain", "photo.png", "-o", "why.svg"),
        ("export", "own.keras"),
    ):
        run("--plugin", plugin, *arguments, "--model", "own.fer")
    assert (folder / "why.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_what_a_plugin_raises_is_a_line(folder):
    message = run("--plugin", folder / "broken.py", "info", code=1).stderr
    assert message.endswith("broken.py: ZeroDivisionError: division by zero\n")
    assert message.count("\n") == 1


def test_without_its_plugin_a_classifier_is_refused(folder):
    fk.EmotionClassifier(tiny_network, epochs=1, augment=False, verbose=0).fit(
        *fk.make_fer2013(n_samples=35).train
    ).save("own.fer")
    assert "--plugin MODULE" in run("evaluate", "faces.npz", "--model", "own.fer", code=1).stderr


# --- own data ----------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path):
    """Return split folders of larger images, whose classes have names of their own."""
    for split in ("train", "test"):
        for number, name in enumerate(("joy", "2", "contempt")):
            (tmp_path / split / name).mkdir(parents=True)
            for shade in (20, 90):
                picture = Image.new("RGB", (60, 64), (shade, 40 * number, len(split)))
                picture.save(tmp_path / split / name / f"{shade}.png")
    return tmp_path


LABELS = ("--label-map", "joy=happy", "--label-map", "2=anger", "--label-map", "contempt=")


def test_labels_and_sizes_of_ones_own(own, tmp_path):
    assert "--label-map" in run("info", own, "--resize", code=1).stderr
    refused = run("info", own, "--resize", *LABELS[:4], code=1).stderr
    assert "leaves it out), or keep it with --contempt\n" in refused
    assert "--resize" in run("info", own, *LABELS, code=1).stderr
    result = run_json("info", own, *LABELS, "--resize")
    counts = {name: split["class_counts"] for name, split in result["splits"].items()}
    assert counts["train"] == counts["test"]
    assert {name: n for name, n in counts["train"].items() if n} == {"angry": 2, "happy": 2}
    (tmp_path / "labels.json").write_text('{"joy": "happy", "2": 0, "contempt": null}')
    assert run_json("info", own, "--label-map", tmp_path / "labels.json", "--resize") == result
    left_out = run("info", own, *LABELS, "--resize").stderr
    assert left_out == f"fer2013kit: {own}: left out 4 rows of 'contempt', as --label-map says\n"


def test_all_commands_with_data_read_own_labels(own, tmp_path, monkeypatch):
    options = (*LABELS, "--resize")
    assert run_json("audit", own, *options)["rows"] == {"train": 4, "test": 4}
    model = tmp_path / "own.fer"
    monkeypatch.setitem(_registry._builders, "tiny", tiny_network)
    network = ("--architecture", "tiny", "--epochs", 1, "--validation-fraction", 0, "--quiet")
    run_json("train", own, *options, *network, "-o", model)
    command = ("--model", model, *options)
    assert run_json("evaluate", own, *command, "--split", "test")["n_samples"] == 4
    assert run_json("export", tmp_path / "x.tflite", "--data", own, *command)["n_checked"] == 4


def test_contempt_is_an_eighth_class_where_it_is_asked_for(own, tmp_path, monkeypatch):
    options = ("--label-map", "joy=happy", "--label-map", "2=anger", "--contempt", "--resize")
    counts = run_json("info", own, *options)["splits"]["test"]["class_counts"]
    assert {name: n for name, n in counts.items() if n} == {"angry": 2, "happy": 2, "contempt": 2}
    assert run_json("audit", own, *options)["class_counts"]["train"]["contempt"] == 2
    monkeypatch.setitem(_registry._builders, "tiny", tiny_network)
    network = ("--architecture", "tiny", "--epochs", 1, "--validation-fraction", 0, "--quiet")
    model = tmp_path / "own.fer"
    run_json("train", own, *options, *network, "-o", model)
    assert fk.EmotionClassifier.load(model).class_names_ == fk.emotions.FERPLUS_CLASS_NAMES
    on_test = ("--model", model, "--split", "test")
    assert run_json("evaluate", own, *options, *on_test)["per_class"]["contempt"]["support"] == 2
    assert "without --contempt" in run("benchmark", own, *options, *on_test, code=1).stderr
    words = ("--label-map", "joy=contempt", *options[2:])
    assert run_json("info", own, *words)["splits"]["test"]["class_counts"]["contempt"] == 4


def test_class_folders_without_splits_are_for_training(own):
    result = run("info", own / "train", *LABELS, "--json")
    assert "has no splits: all 4 images are for training" in result.stderr


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("joy=hapy", "did you mean 'happy'"),
        ("joy=7", "'7' is no emotion"),
        ("joy", "expected NAME=EMOTION, a JSON file"),
        ("list.json", "must hold an object"),
        ("text.json", "is no JSON file"),
        ("true.json", "'True' is no emotion"),
        ("sad=sad", "'sad' is mapped to two emotions"),
    ],
)
def test_labels_that_are_none(tmp_path, monkeypatch, label, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "text.json").write_text("joy: happy")
    (tmp_path / "true.json").write_text('{"joy": true}')
    options = ("--label-map", "sad=happy", "--label-map", label)
    assert message in run("info", "faces", *options, code=2).stderr


def test_names_that_a_spreadsheet_would_compute_get_a_quote(tmp_path):
    from fer2013kit.cli._output import write_table

    names = ["=1+1", "+1", "-1", "@a", "\ta", "\na"]
    table = pd.DataFrame({"=cmd": [*names, "a\r=1", "happy"], "n": -1})
    write_table(tmp_path / "x.csv", table)
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == ["'=cmd", "n"]
    assert rows == [[name, "-1"] for name in (*(f"'{one}" for one in names), "a?=1", "happy")]


def test_names_do_not_steer_the_terminal(capsys):
    from fer2013kit.cli._output import print_error

    print_error("\x1b[31mred\x07")
    assert capsys.readouterr().err == "fer2013kit: ?[31mred?\n"


def test_command_line_is_reached_without_its_program(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fer2013kit", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("fer2013kit", run_name="__main__")
    assert ended.value.code == 0
    assert fk.__version__ in capsys.readouterr().out


def test_what_cannot_be_is_said_before_anything_is_read():
    for said, *arguments in (
        ("unknown architecture 'zz'", "tune", "no.npz", "--architecture", "zz"),
        ("must end in .jpg", "benchmark", "no.npz", "--model", "five", "--plot", "x.txt"),
    ):
        assert said in run(*arguments, code=2).stderr


def test_numbered_folders_are_answered_with_options(tmp_path):
    folder = tmp_path / "train" / "0"
    folder.mkdir(parents=True)
    Image.new("L", (48, 48)).save(folder / "a.png")
    refused = run("info", tmp_path, code=1).stderr
    assert "that is --label-map 0=angry, 1=disgust, 2=fear, " in refused
    assert "CLASS_NAMES" not in refused
