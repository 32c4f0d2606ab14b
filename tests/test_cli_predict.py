"""fer2013kit predict, and completion in shells."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import command_line
import fer2013kit as fk

COLLINS, HOPPER = fk.sample_photos()


def run(*arguments, code=0):
    """Run predict."""
    return command_line.run("predict", *arguments, code=code)


def run_json(*arguments, code=0):
    """Run predict; return its document."""
    return command_line.run_json("predict", *arguments, code=code)


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a photograph, a crop, an image without a face, and other files."""
    (tmp_path / "deeper").mkdir()
    Image.open(COLLINS).save(tmp_path / "a.png")
    face = fk.make_fer2013(n_samples=14, random_state=0).train.images[0, ..., 0]
    Image.fromarray(face).save(tmp_path / "deeper" / "b.BMP")
    Image.new("RGBA", (90, 60), "gray").save(tmp_path / "c.png")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._a.png").write_text("what macOS leaves in archives")
    return tmp_path


def test_photographs_that_ship():
    lines = run("--sample").stdout.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [str(COLLINS), str(HOPPER)]
    (face,) = fk.analyze_photo(COLLINS)
    left, top, width, height = face.box
    assert lines[0] == (
        f"{COLLINS}: happy {face.score:.3f} (left {left}, top {top}, {width}x{height})"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_names_of_images_are_no_formulas(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["+1.png", "=1.png", "@1.png", "\t1.png", "\n1.png", "1\r=1.png", "\udcff.png"]
    for name in names:
        Image.new("L", (48, 48)).save(tmp_path / name, "PNG")
    run(*names, "--csv", "faces.csv")
    with Path("faces.csv").open(newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    assert [row[0] for row in rows] == [*(f"'{name}" for name in names[:-2]), "1?=1.png", "?.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_a_name_of_a_file_steers_no_terminal_and_begins_no_line(tmp_path):
    Image.new("L", (90, 60), "gray").save(tmp_path / "a\x1b[31m\nred.png", "PNG")
    assert run(tmp_path).stdout == f"{tmp_path}/a?[31m red.png: no face\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows gives few the right to make links")
def test_no_image_is_written_over(folder):
    before = (folder / "a.png").read_bytes()
    (folder / "deeper" / "link.png").symlink_to(folder / "a.png")
    for said, *arguments in (
        ("must end in .csv", "--csv", folder / "a.png", folder / "deeper"),  # of --csv *.png
        ("is read, or holds", folder / "a.png", "--save-annotated", folder / "a.png"),
        ("is read, or holds", folder / "a.png", "--save-annotated", folder),
        (
            "is read, or holds",
            folder / "deeper" / "link.png",
            "--save-annotated",
            folder / "deeper",
        ),
    ):
        assert said in run(*arguments, code=2).stderr
    assert (folder / "a.png").read_bytes() == before


def test_a_summary_counts_and_says_what_the_question_mark_means(tmp_path):
    with Image.open(COLLINS) as photo:
        photo.point(lambda level: level // 12).save(tmp_path / "dark.png")
    Image.new("L", (90, 60), "gray").save(tmp_path / "empty.png")
    result = run(tmp_path / "dark.png", tmp_path / "empty.png", "--sample")
    assert "?" in result.stdout
    assert result.stderr.startswith(
        "4 images, 3 faces, 1 without a face, 1 uncertain (?: less than 70%"
    )
    assert not run("--sample", "--json").stderr


def test_folders_files_and_patterns(folder):
    document = run_json(folder, folder / "a.png", folder / "*.png")
    assert document["errors"] == []
    names = [Path(row["picture"]).name for row in document["pictures"]]
    assert names == ["a.png", "c.png", "b.BMP"]
    for row in document["pictures"]:
        expected = [face.as_dict() for face in fk.analyze_photo(row["picture"])]
        assert row["faces"] == expected
    assert [len(row["faces"]) for row in document["pictures"]] == [1, 0, 1]
    result = run(folder)
    assert f"{folder / 'c.png'}: no face" in result.stdout.splitlines()
    assert result.stderr.startswith(
        f"fer2013kit: warning: {folder}: 1 file that is no image by its name was skipped "
        "(1 .txt): 'notes.txt'\n"
    )


def test_csv_has_a_row_for_each_face(folder):
    table = folder / "new" / "faces.csv"
    pictures = run_json(folder, "--csv", table)["pictures"]
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert list(rows[0]) == [
        *("picture", "face", "left", "top", "width", "height"),
        *("emotion", "score", "uncertain", *fk.CLASS_NAMES),
    ]
    face = pictures[0]["faces"][0]
    assert rows[0]["picture"] == pictures[0]["picture"]
    assert {name: int(rows[0][name]) for name in face["box"]} == face["box"]
    assert rows[0]["emotion"] == face["emotion"]
    assert float(rows[0]["sad"]) == face["probabilities"]["sad"]


def test_save_annotated_never_overwrites_a_picture_of_the_run(folder):
    (folder / "other").mkdir()
    Image.open(HOPPER).save(folder / "other" / "a.jpg")
    output = folder / "drawn" / "here"
    document = run_json(folder, "--save-annotated", output)
    saved = sorted(path.name for path in output.iterdir())
    assert saved == ["a-2.jpg", "a.jpg", "b.jpg", "c.jpg"]
    sizes = {row["picture"]: size_of(row["annotated"]) for row in document["pictures"]}
    assert sizes[str(folder / "other" / "a.jpg")] == (512, 600)


def test_crops_are_not_searched(folder):
    for aspect in ("crop", "stretch", "pad"):
        document = run_json(folder / "c.png", COLLINS, "--crops", "--aspect", aspect)
        for row in document["pictures"]:
            with Image.open(row["picture"]) as picture:
                face = fk.to_face(picture, aspect=aspect)
            expected = fk.load_predictor().predict_proba(face[None], tta="flip")[0]
            (answer,) = row["faces"]
            width, height = size_of(row["picture"])
            assert answer["box"] == {"left": 0, "top": 0, "width": width, "height": height}
            np.testing.assert_allclose(list(answer["probabilities"].values()), expected, rtol=1e-4)


def test_views_are_averaged():
    default, flip, none = (
        run_json(COLLINS, *more)["pictures"][0]["faces"][0]
        for more in ([], ["--tta", "flip"], ["--tta", "none"])
    )
    assert default == flip
    assert none["box"] == flip["box"]
    assert none["probabilities"] != flip["probabilities"]


def test_what_cannot_be_read_is_named_and_passed_over(folder):
    broken = folder / "broken.png"
    broken.write_bytes((folder / "a.png").read_bytes()[:5000])
    text = folder / "text.jpg"
    text.write_text("no image")
    document = run_json(broken, text, folder / "none.jpg", folder / "a.png", code=1)
    assert [row["picture"] for row in document["pictures"]] == [str(folder / "a.png")]
    assert [row["picture"] for row in document["errors"]] == [
        *(str(broken), str(text), str(folder / "none.jpg")),
    ]
    for arguments in ([broken], [broken, "--crops"]):
        result = run(*arguments, code=1)
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        assert str(broken) in result.stderr


def test_usage_is_told(folder):
    assert "--sample" in run(code=2).stderr
    assert "--model old.fer" in run("old.fer", folder, code=2).stderr
    (folder / "empty").mkdir()
    assert "no image in this folder" in run(folder / "empty", code=1).stderr
    assert "no file matches" in run(folder / "*.gif", code=1).stderr


def test_options_without_an_effect_are_refused(folder):
    refused = run(folder, "--crops", "--detector", "mtcnn", code=2).stderr
    assert "--detector has no effect with --crops" in refused
    refused = run(folder, "--aspect", "pad", code=2).stderr
    assert "--aspect has no effect without --crops" in refused


def test_own_network(folder, tmp_path):
    data = fk.make_fer2013(n_samples=70, random_state=0)
    classifier = fk.EmotionClassifier(
        model_params={"filters": (4, 4, 4), "dense_units": 4}, epochs=1, augment=False, verbose=0
    )
    classifier.fit(*data.train).save(tmp_path / "own.fer")
    document = run_json(COLLINS, "--model", tmp_path / "own.fer")
    (expected,) = fk.analyze_photo(COLLINS, classifier=classifier)
    (face,) = document["pictures"][0]["faces"]
    np.testing.assert_allclose(
        list(face["probabilities"].values()), expected.probabilities, rtol=1e-3
    )


# --- completion --------------------------------------------------------------------------------


def complete(**environment):
    """Start the program as a shell does that wants help with a line."""
    script = "from fer2013kit.cli import main; main(prog_name='fer2013kit')"
    result = subprocess.run(  # noqa: S603 - our own script, run by our own Python
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert not result.stderr
    return result.stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_shells_are_told_how_to_complete(shell):
    script = complete(_FER2013KIT_COMPLETE=f"{shell}_source")
    assert f"_FER2013KIT_COMPLETE={shell}_complete" in script


@pytest.mark.parametrize(
    ("words", "place", "expected"),
    [
        ("fer2013kit pre", 1, "plain,predict"),
        ("fer2013kit predict --save", 2, "plain,--save-annotated"),
        ("fer2013kit predict --crops --aspect str", 4, "plain,stretch"),
        ("fer2013kit predict --model deep", 3, "plain,deep_cnn plain,deep_ferplus_cnn file,deep"),
        ("fer2013kit benchmark --model deep", 3, "plain,deep_cnn plain,deep_ferplus_cnn file,deep"),
        ("fer2013kit train --architecture vgg", 3, "plain,vgg_10"),
        ("fer2013kit explain --emotion ha", 3, "plain,happy"),
    ],
)
def test_completion(words, place, expected):
    answer = complete(_FER2013KIT_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(place))
    assert answer.split() == expected.split()


def test_no_place_for_temporary_files_is_needed(monkeypatch):
    """As in a container that is started with ``--read-only``."""

    def refuse(*_, **__):
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert run("--sample").stdout.count(": ") == 2
