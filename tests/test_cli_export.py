import pytest
from PIL import Image

import fer2013kit as fk
from command_line import run, run_json
from networks import tiny_network


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli_export")
    data = fk.make_fer2013(n_samples=140, random_state=0)
    data.save(folder / "faces.npz")
    Image.fromarray(data.test.images[0, ..., 0]).save(folder / "face.png")
    clf = fk.EmotionClassifier(
        model_params={"filters": (4, 4, 4), "dense_units": 8},
        epochs=1, augment=False, verbose=0, random_state=0,
    )  # fmt: skip
    clf.fit(*data.train).save(folder / "emotions.fer")
    fk.EmotionClassifier(tiny_network, epochs=1, augment=False, verbose=0).fit(*data.train).save(
        folder / "own.fer"
    )
    return folder


def test_export_then_predict_with_the_file(folder, tmp_path):
    path = tmp_path / "new" / "emotions.tflite"
    report = run_json("export", path, "--model", folder / "emotions.fer")
    assert report["n_bytes"] == path.stat().st_size
    assert report["largest_difference"] < 1e-3
    answers = []
    for model in (path, folder / "emotions.fer"):
        command = ("predict", "--crops", "--model", model, folder / "face.png")
        (picture,) = run_json(*command)["pictures"]
        answers.append(picture["faces"][0]["probabilities"])
    assert answers[0] == pytest.approx(answers[1], abs=0.05)


def test_export_says_how_well_it_agrees(folder, tmp_path):
    done = run(
        "export", tmp_path / "x.tflite", "--model", folder / "emotions.fer",
        "--quantization", "int8", "--data", folder / "faces.npz",
    )  # fmt: skip
    assert done.stdout.startswith(f"{folder / 'emotions.fer'} as ")
    assert "on 112 images the probabilities differ by at most" in done.stdout
    assert done.stderr == ""


def test_shipped_network_goes_by_its_name(folder, tmp_path):
    path = folder / "faces.npz"
    command = ("evaluate", path, "--model", "five_layer_cnn_small", "--split", "test")
    test = fk.load_fer2013(path).test
    report = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small").evaluate(*test)
    # The predictor's weights have 8 bits.
    assert run_json(*command)["loss"] == pytest.approx(report.loss, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.tflite", "--model", "own.fer"], "fer2013kit --plugin MODULE"),
        (["x.tflite", "--data", "none.npz"], "none.npz"),
        (
            ["x.onnx", "--model", "emotions.fer", "--tolerance", "0"],
            "or allow more with --tolerance",
        ),
    ],
)
def test_failure_is_one_line(folder, monkeypatch, arguments, message):
    monkeypatch.chdir(folder)
    done = run("export", *arguments, code=1)
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
