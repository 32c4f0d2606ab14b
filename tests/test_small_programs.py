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


def test_the_program_reads_a_camera_to_its_end(monkeypatch, capsys):
    cv2 = ModuleType("cv2")
    frames = [np.asarray(Image.open(path))[..., ::-1] for path in fk.sample_photos()]
    frames.append(np.zeros((48, 64, 3), np.uint8))
    answers = iter([*((True, frame) for frame in frames), (False, None)])
    cv2.VideoCapture = lambda source: SimpleNamespace(read=lambda: next(answers))
    monkeypatch.setitem(sys.modules, "cv2", cv2)
    runpy.run_path(str(PROGRAMS / "camera.py"))["main"](0)
    assert capsys.readouterr().out == "0 happy\n1 neutral\n\n"  # of another size, so another face
