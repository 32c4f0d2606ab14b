"""fer2013kit-light is fer2013kit with fewer dependencies, and needs none of the others."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import fer2013kit as fk

ROOT = Path(__file__).resolve().parents[1]
FULL, LIGHT = (
    tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))
    for folder in ("", "light")
)

BOTH = {"full": FULL, "light": LIGHT}
WITHOUT = """
import sys
for name in ("keras", "matplotlib", "pandas", "scipy", "sklearn", "tensorflow"):
    sys.modules[name] = None

import numpy as np
import fer2013kit as fk

faces = fk.make_fer2013(n_samples=70, random_state=0).train.images
predictor = fk.EmotionPredictor.from_pretrained()
assert predictor.predict_proba(faces, tta="flip").shape == (len(faces), 7)
for name in ("EmotionClassifier", "FaceAugmentation"):
    try:
        getattr(fk, name)
    except fk.MissingDependencyError as error:
        assert f"fer2013kit.{name} needs" in str(error), error
        assert "pip install fer2013kit" in str(error)
    else:
        raise AssertionError(name)

data = fk.make_fer2013(n_samples=70, random_state=0)
report = fk.evaluate_predictions(data.train.labels, fk.to_one_hot(data.train.labels))
for library, call in {
    "keras": fk.create_model,
    "matplotlib": lambda: fk.plot_samples(*data.train),
    "matplotlib ": lambda: fk.plot_history({"accuracy": [0.5]}),
    "matplotlib  ": report.to_html,
    "pandas": data.to_frame,
    "pandas ": report.to_frame,
    "pandas  ": fk.audit_dataset(data).to_frame,
}.items():
    try:
        call()
    except fk.MissingDependencyError as error:
        assert f"needs {library.strip()}, which is not installed" in str(error), error
    else:
        raise AssertionError(library)

from PIL import Image
from fer2013kit.cli import main

Image.fromarray(faces[0, ..., 0]).save("face.png")
main(["predict", "--crops", "face.png", "--tta", "flip"], standalone_mode=False)
main(["export", "--model", "five_layer_cnn", "x.onnx"], standalone_mode=True)
"""


def test_light_needs_less_of_the_same():
    full, light = (set(one["project"]["dependencies"]) for one in (FULL, LIGHT))
    assert light < full
    heavy = ("keras", "matplotlib", "pandas", "scikit-learn", "scipy", "tensorflow")
    assert not [one for one in light if one.startswith(heavy)]


def test_extras_of_light_are_those_of_the_other():
    """But for what the other needs anyway."""
    extras = {name: one["project"]["optional-dependencies"] for name, one in BOTH.items()}
    for name, needs in extras["light"].items():
        assert set(needs) - set(FULL["project"]["dependencies"]) == set(extras["full"][name])


@pytest.mark.parametrize("key", ["requires-python", "scripts", "license", "authors"])
def test_light_says_of_itself_what_the_other_does(key):
    assert LIGHT["project"][key] == FULL["project"][key]


def test_both_take_their_version_from_the_package():
    for project, folder in ((FULL, ROOT), (LIGHT, ROOT / "light")):
        assert project["project"]["dynamic"] == ["version"]
        path = folder / project["tool"]["hatch"]["version"]["path"]
        assert fk.__version__ in path.read_text(encoding="utf-8")


def test_predicting_needs_none_of_the_heavy_libraries(tmp_path):
    done = subprocess.run(  # noqa: S603 - our own script, run by our own Python
        [sys.executable, "-c", WITHOUT], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("face.png: "), done.stderr
    assert done.returncode == 1, done.stderr
    assert "EmotionClassifier needs" in done.stderr
    assert "Traceback" not in done.stderr
