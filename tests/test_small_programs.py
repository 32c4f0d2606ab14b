"""The programs of the pages on servers and webcams; a stand-in for FastAPI calls its function."""

import io
import json
import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import fer2013kit as fk

PROGRAMS = Path(__file__).parents[1] / "recipes" / "photographs"


class Refusal(Exception):  # noqa: N818 - as FastAPI's
    def __init__(self, status_code, detail):
        super().__init__(status_code, detail)
        self.status_code = status_code


@pytest.fixture
def service(monkeypatch):
    fastapi = ModuleType("fastapi")
    fastapi.FastAPI = lambda: SimpleNamespace(post=lambda path: lambda function: function)
    fastapi.HTTPException, fastapi.UploadFile = Refusal, object
    monkeypatch.setitem(sys.modules, "fastapi", fastapi)
    return runpy.run_path(str(PROGRAMS / "service.py"))


def test_the_service_answers_with_faces_as_json(service):
    with fk.sample_photos()[0].open("rb") as photo:
        answer = json.loads(json.dumps(service["emotions"](SimpleNamespace(file=photo))))
    assert (answer["width"], answer["height"]) == (512, 512)
    assert [face["emotion"] for face in answer["faces"]] == ["happy"]


def test_the_service_refuses_what_is_no_photograph(service):
    with pytest.raises(Refusal, match="no known format") as refused:
        service["emotions"](SimpleNamespace(file=io.BytesIO(b"%PDF-1.7")))
    assert refused.value.status_code == 415


@pytest.fixture
def camera(monkeypatch):
    cv2 = ModuleType("cv2")
    frames = [np.asarray(Image.open(path))[..., ::-1] for path in fk.sample_photos()]
    answers = iter([*((True, frame) for frame in frames), (False, None)])
    cv2.VideoCapture = lambda source: SimpleNamespace(read=lambda: next(answers))
    monkeypatch.setitem(sys.modules, "cv2", cv2)
    return SimpleNamespace(**runpy.run_path(str(PROGRAMS / "camera.py")), frames=frames)


def test_the_word_of_a_camera_follows_the_face_slowly(camera):
    happy, neutral = camera.frames
    calm = camera.Calm(seconds=1.0)
    assert calm(happy, 100.0) == calm(neutral, 100.1) == "happy"
    assert calm(neutral, 105.0) == "neutral"
    assert calm(np.zeros((48, 64, 3), np.uint8), 105.1) is None
    assert calm(happy, 105.2) == "happy"


def test_the_program_reads_a_camera_to_its_end(camera, capsys):
    camera.main(0)
    assert capsys.readouterr().out == "happy\nhappy\n"
