"""Faces that are tilted, on their side or upside down are found and judged as upright ones."""

import numpy as np
import pytest
from fake_photos import CORNER
from PIL import Image

import fer2013kit as fk
from fer2013kit.faces._alignment import upright_face
from fer2013kit.faces._detector import turn_back

COLLINS, _ = fk.sample_photos()
POINTS = np.array([[70, 100], [130, 100], [100, 140], [75, 180], [125, 180]], float)


@pytest.fixture(scope="module")
def photo():
    with Image.open(COLLINS) as file:
        return file.convert("RGB")


@pytest.fixture(scope="module")
def upright(photo):
    (face,) = fk.analyze_photo(photo)
    return face


def test_landmarks_lie_on_the_face(upright):
    right_eye, left_eye, nose, right_mouth, left_mouth = upright.landmarks
    assert upright.landmarks.dtype == np.float32
    np.testing.assert_allclose(nose, (220, 125), atol=8)
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < nose[0] < left_mouth[0]
    assert right_eye[1] < nose[1] < right_mouth[1]
    assert upright.as_dict()["landmarks"]["nose"] == upright.landmarks[2].tolist()
    with pytest.raises(ValueError, match="read-only"):
        upright.landmarks[0] = 1


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_photographs_have_the_same_faces(photo, upright, turns):
    turned = np.ascontiguousarray(np.rot90(np.asarray(photo), turns))
    face = fk.analyze_photo(turned)[0]
    assert face.emotion == upright.emotion
    assert np.abs(face.crop.astype(int) - upright.crop).mean() < 8
    back = turn_back(np.hstack([[1], face.box, face.landmarks.ravel()])[None], turns, (512, 512))
    np.testing.assert_allclose(back[0, 1:5], upright.box, atol=4)
    np.testing.assert_allclose(back[0, 5:], upright.landmarks.ravel(), atol=4)
    assert fk.FaceDetector(turned=False).turned is False


@pytest.mark.parametrize("angle", [25, -35])
def test_tilted_faces_are_straightened(photo, upright, angle):
    tilted = photo.rotate(angle, Image.Resampling.BICUBIC)
    (face,) = fk.analyze_photo(tilted)
    (as_it_is,) = fk.analyze_photo(tilted, align=False)

    def difference(crop):
        return np.abs(crop.astype(int) - upright.crop).mean()

    assert difference(face.crop) < 0.7 * difference(as_it_is.crop)
    assert face.box == as_it_is.box
    assert face.emotion == upright.emotion


@pytest.mark.parametrize("angle", [45, 135, 225, 315])
def test_where_none_is_found_faces_are_looked_for_half_way(photo, upright, monkeypatch, angle):
    tilted = photo.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    detector = fk.FaceDetector()
    find, seen = detector._find, []

    def find_nothing_at_first(image, scale, least):
        seen.append(scale)
        return find(image, scale, least)[: 0 if len(seen) <= 5 else None]

    monkeypatch.setattr(detector, "_find", find_nothing_at_first)
    face = fk.analyze_photo(tilted, detector=detector)[0]
    turn = np.exp(-1j * np.radians(angle))  # counter-clockwise, down being positive
    around = upright.landmarks - np.divide(photo.size, 2)
    places = (around[:, 0] + 1j * around[:, 1]) * turn
    expected = np.stack([places.real, places.imag], axis=1) + np.divide(tilted.size, 2)
    np.testing.assert_allclose(face.landmarks, expected, atol=6)
    assert face.emotion == upright.emotion


def test_upright_faces_are_cut_as_ever(photo, upright):
    (as_it_is,) = fk.analyze_photo(photo, align=False)
    np.testing.assert_array_equal(as_it_is.crop, upright.crop)


def test_a_detector_of_ones_own_may_bring_landmarks(mean):
    photo = np.zeros((300, 300, 3), np.uint8)
    photo[:150] = 255
    row = [*CORNER, *POINTS.ravel()]
    (face,) = fk.analyze_photo(photo, classifier=mean, detector=lambda _: [row])
    np.testing.assert_array_equal(face.landmarks, POINTS)
    upside_down = [*CORNER, *(200 - POINTS).ravel()]
    (turned,) = fk.analyze_photo(photo, classifier=mean, boxes=[upside_down])
    np.testing.assert_array_equal(turned.crop, face.crop[::-1, ::-1])
    (plain,) = fk.analyze_photo(photo, classifier=mean, boxes=[upside_down], align=False)
    np.testing.assert_array_equal(plain.crop, face.crop)
    (alone,) = fk.analyze_photo(photo, classifier=mean, boxes=[CORNER])
    assert alone.landmarks is None
    assert "landmarks" not in alone.as_dict()


def test_a_subclass_is_called_as_it_wants(mean):
    class Fixed(fk.FaceDetector):
        def __call__(self, image):
            return np.array([CORNER])

    (face,) = fk.analyze_photo(np.zeros((300, 300, 3), np.uint8), classifier=mean, detector=Fixed())
    assert face.box == CORNER


def test_other_sizes_are_kept_in_a_quarter_turn():
    rgb = np.arange(300 * 300 * 3).reshape(300, 300, 3).astype(np.uint8)
    on_its_side = np.stack([POINTS[:, 1], -POINTS[:, 0]], axis=1)
    (face,) = upright_face(rgb, np.array(CORNER, float), on_its_side, (64, 32), margin=None)
    assert face.shape == (64, 32)


def test_a_face_that_is_not_found_again_is_turned_by_its_points():
    rgb = np.zeros((300, 300, 3), np.uint8)
    angle = np.radians(40)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    face, *beside = upright_face(rgb, np.array(CORNER, float), POINTS @ turn, (48, 48), margin=None)
    assert (face == 0).all()
    assert len(beside) == 2


def test_a_mirrored_photograph_has_the_same_faces(photo, upright):
    at_the_edge = photo.crop((190, 30, 460, 333))  # no multiple of the network's steps
    detector = fk.FaceDetector()
    rgb = np.asarray(at_the_edge)
    ((left, top, width, height, *points),) = detector.locate(rgb)
    (mirrored,) = detector.locate(np.ascontiguousarray(rgb[:, ::-1]))
    np.testing.assert_allclose(
        mirrored[:4], (rgb.shape[1] - left - width, top, width, height), rtol=1e-6
    )
    right_eye, left_eye = np.reshape(points, (5, 2))[:2]
    assert abs(rgb.shape[1] - mirrored[4] - left_eye[0]) < 1e-3
    assert abs(rgb.shape[1] - mirrored[6] - right_eye[0]) < 1e-3
    (ours,), (theirs,) = fk.analyze_photo(rgb), fk.analyze_photo(rgb[:, ::-1])
    np.testing.assert_allclose(theirs.probabilities, ours.probabilities, atol=0.01)


def test_what_one_of_two_mirrored_searches_misses_must_be_surer(photo, monkeypatch):
    detector = fk.FaceDetector(turned=False)
    find, seen = detector._find, []

    def find_with(score):
        def find_once(image, scale, least):
            seen.append(least)
            rows = find(image, scale, least)[: len(seen) % 2]
            rows[:, 0] = score
            return rows

        return find_once

    for score, count in ((0.74, 0), (0.76, 1)):
        monkeypatch.setattr(detector, "_find", find_with(score))
        boxes, scores = detector.detect(np.asarray(photo))
        assert len(boxes) == count
    np.testing.assert_allclose(scores, (0.76 + 0.25) / 2)
    assert seen == [0.25] * 4


def test_points_that_are_upside_down_are_not_believed(photo, upright):
    tilted = np.asarray(photo.rotate(45, Image.Resampling.BICUBIC))
    turn = np.exp(-1j * np.radians(45))
    around = upright.landmarks - np.divide(photo.size, 2)
    places = (around[:, 0] + 1j * around[:, 1]) * turn
    center = places.mean()
    points = np.stack([places.real, places.imag], axis=1) + np.divide(photo.size, 2)
    middle = np.array([center.real, center.imag]) + np.divide(photo.size, 2)
    upside_down = 2 * middle - points
    upside_down[:2, 1] = upside_down[:2, 1].mean()  # the detector calls it nearly level
    side = 110.0
    box = np.array([*(middle - side / 2), side, side])
    face, *beside = upright_face(tilted, box, upside_down, (48, 48), margin=None)
    assert len(beside) == 2
    same = np.corrcoef(face.ravel(), upright.crop.ravel())[0, 1]
    turned = np.corrcoef(np.rot90(face, 2).ravel(), upright.crop.ravel())[0, 1]
    assert same > 0.6 > turned
