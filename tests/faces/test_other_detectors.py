"""Detectors of other packages go by their names; fakes stand in for the packages here."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import fer2013kit as fk
from fer2013kit.faces import _other_detectors

IMAGE = np.full((200, 300, 3), 128, np.uint8)
IMAGE[:100] = 90
BOX = (100, 60, 80, 80)
POINTS = {
    "left_eye": (120, 90),
    "right_eye": (160, 90),
    "nose": (140, 110),
    "mouth_left": (125, 125),
    "mouth_right": (155, 125),
}


@pytest.fixture(autouse=True)
def none_is_kept():
    _other_detectors._load.cache_clear()
    yield
    _other_detectors._load.cache_clear()


def opencv():
    cascade = SimpleNamespace(detectMultiScale=lambda gray, *_, **__: [BOX])
    return SimpleNamespace(
        CascadeClassifier=lambda path: cascade,
        COLOR_RGB2GRAY=0,
        cvtColor=lambda image, _: image[..., 0],
        data=SimpleNamespace(haarcascades="/"),
    )


def dlib():
    left, top, width, height = np.multiply(BOX, 2)  # it sees the image at twice its size
    found = SimpleNamespace(
        left=lambda: left, top=lambda: top, width=lambda: width, height=lambda: height
    )
    return SimpleNamespace(get_frontal_face_detector=lambda: lambda image, upsample: [found])


def mtcnn():
    def detect_faces(image):
        return [{"box": BOX, "keypoints": POINTS}]

    return SimpleNamespace(MTCNN=lambda: SimpleNamespace(detect_faces=detect_faces))


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [("opencv", "cv2", opencv), ("dlib", "dlib", dlib), ("mtcnn", "mtcnn", mtcnn)],
)
def test_boxes_are_fitted_to_those_of_the_kit(monkeypatch, name, module, package):
    monkeypatch.setitem(sys.modules, module, package())
    (face,) = fk.analyze_photo(IMAGE, detector=name)
    lower, larger = _other_detectors.FIT[name]
    assert abs(face.box.width - 80 * larger) < 1
    assert abs(face.box.top + face.box.height / 2 - (100 + 80 * lower)) < 1
    assert abs(face.box.left + face.box.width / 2 - 140) < 1
    if name == "mtcnn":
        np.testing.assert_allclose(face.landmarks, list(POINTS.values()))
    else:
        assert face.landmarks is None


def test_one_with_landmarks_looks_on_the_sides_where_it_finds_none(monkeypatch):
    seen = []

    def detect_faces(image):
        seen.append(image.shape)
        return [{"box": BOX, "keypoints": POINTS}] if len(seen) == 2 else []

    package = SimpleNamespace(MTCNN=lambda: SimpleNamespace(detect_faces=detect_faces))
    monkeypatch.setitem(sys.modules, "mtcnn", package)
    on_its_side = np.ascontiguousarray(np.rot90(IMAGE, -1))
    (face,) = fk.analyze_photo(on_its_side, detector="mtcnn")
    assert seen == [(300, 200, 3), (200, 300, 3)]
    right_eye, left_eye = face.landmarks[:2]
    assert right_eye[0] == left_eye[0] == 200 - 90
    assert left_eye[1] - right_eye[1] == 40  # its own left eye is below: the head lies to the right
    assert face.crop[:10].mean() == 90  # and is upright again
    assert face.crop[-10:].mean() == 128


def test_the_default_has_a_name_too():
    path = fk.sample_photos()[0]
    (named,), (plain,) = fk.analyze_photo(path, detector="yunet"), fk.analyze_photo(path)
    assert named.box == plain.box


@pytest.mark.parametrize(
    ("name", "module"), [("opencv", "cv2"), ("dlib", "dlib"), ("mtcnn", "mtcnn")]
)
def test_what_is_not_installed_is_named_with_its_extra(monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(fk.MissingDependencyError, match=rf"'{name}'.*pip install.*\[{name}\]"):
        fk.analyze_photo(IMAGE, detector=name)


def test_an_opencv_without_cascades_says_which_has_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(__version__="5.0.0"))
    with pytest.raises(fk.MissingDependencyError, match=r"OpenCV 5\.0\.0 .*<5"):
        fk.analyze_photo(IMAGE, detector="opencv")


def test_what_is_no_detector_is_refused():
    with pytest.raises(fk.InvalidInputError, match="did you mean 'mtcnn'"):
        fk.analyze_photo(IMAGE, detector="mtcn")
    with pytest.raises(fk.InvalidInputError, match="or a callable"):
        fk.analyze_photo(IMAGE, detector=7)
