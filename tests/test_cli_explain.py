"""fer2013kit explain."""

from pathlib import Path

import pytest
from PIL import Image

import fer2013kit as fk
from command_line import run, run_json

COLLINS, HOPPER = fk.sample_photos()


def test_scores_are_those_of_predict(tmp_path):
    for model in ("five_layer_cnn", "five_layer_cnn_small"):
        options = (COLLINS, HOPPER, "--model", model)
        explained = run_json("explain", *options, "-o", tmp_path / "all.png")
        predicted = run_json("predict", *options)["pictures"]
        faces = [face for picture in predicted for face in picture["faces"]]
        answers = explained["explanations"]
        assert [one["emotion"] for one in answers] == [face["emotion"] for face in faces]
        assert [one["probability"] for one in answers] == [face["score"] for face in faces]
        assert {one["figure"] for one in answers} == {str(tmp_path / "all.png")}
    with Image.open(tmp_path / "all.png") as figure:
        assert min(figure.size) > 200


@pytest.mark.parametrize(
    ("name", "start"), [("x.JPG", b"\xff\xd8"), ("x.svg", b"<?xml"), ("x.pdf", b"%PDF")]
)
def test_the_ending_says_the_format(tmp_path, name, start):
    result = run("explain", COLLINS, "-o", tmp_path / "new" / name)
    assert str(tmp_path / "new" / name) in result.stdout
    assert (tmp_path / "new" / name).read_bytes().startswith(start)


def test_a_folder_has_a_figure_for_each_picture(tmp_path):
    (tmp_path / "with.dot").mkdir()
    (tmp_path / HOPPER.name).write_bytes(COLLINS.read_bytes())
    for output in (tmp_path / "new", tmp_path / "with.dot"):
        run("explain", HOPPER, tmp_path / HOPPER.name, "-o", output, "--emotion", "sad")
        names = sorted(path.name for path in output.iterdir())
        assert names == [f"{HOPPER.stem}-2.png", f"{HOPPER.stem}.png"]


def test_what_cannot_be_explained_is_named_and_the_rest_is_done(tmp_path):
    (tmp_path / "text.jpg").write_text("no image")
    Image.new("RGB", (300, 200)).save(tmp_path / "black.png")
    pictures = (tmp_path / "text.jpg", tmp_path / "*.gif", tmp_path / "black.png", COLLINS)
    document = run_json("explain", *pictures, "-o", tmp_path / "why.png", code=1)
    assert [one["picture"] for one in document["explanations"]] == [str(COLLINS)]
    named = {Path(one["picture"]).name for one in document["errors"]}
    assert named == {"text.jpg", "*.gif"}
    nothing = run("explain", tmp_path / "black.png", "-o", tmp_path / "no.png", code=1)
    assert "there is no face in the images" in nothing.stderr
    assert not (tmp_path / "no.png").exists()


def test_an_exported_network_is_refused(tmp_path):
    (tmp_path / "x.tflite").write_bytes(b"")
    command = ("explain", COLLINS, "-o", tmp_path / "x.png", "--model", tmp_path / "x.tflite")
    assert "has no gradients" in run(*command, code=2).stderr


def test_no_image_is_written_over(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(COLLINS.read_bytes())
    for output in (path, tmp_path):
        assert "is read, or holds" in run("explain", path, "-o", output, code=2).stderr
    assert path.read_bytes() == COLLINS.read_bytes()
