"""What is said about the faces of photographs, and about those of many."""

import io
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fake_photos import CORNER, Mean, picture
from PIL import Image, ImageDraw, ImageFilter

import fer2013kit as fk
from fer2013kit.faces._pose import _HEAD
from fer2013kit.faces._quality import face_quality

COLLINS, HOPPER = fk.sample_photos()


# --- what comes out -------------------------------------------------------------------------------


def test_sample_photographs():
    collins, hopper = fk.analyze_photos([COLLINS, HOPPER])
    (face,) = collins
    assert face.emotion == "happy"
    assert face.score == face.probabilities.max() > 0.5
    assert not face.uncertain
    assert isinstance(face.box, fk.FaceBox)
    left, top, width, height = face.box
    assert all(isinstance(length, int) for length in face.box)
    assert left < 220 < left + width  # the nose is at (220, 125)
    assert top < 125 < top + height
    assert face.probabilities.dtype == np.float32
    assert face.probabilities.shape == (7,)
    assert face.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert face.class_names == fk.CLASS_NAMES
    assert len(hopper) == 1


def test_answers_cannot_be_changed():
    (face,) = fk.analyze_photo(COLLINS)
    with pytest.raises(AttributeError):
        face.emotion = "sad"
    with pytest.raises(ValueError, match="read-only"):
        face.probabilities[0] = 1


def test_a_face_is_shown_in_one_line(mean):
    (face,) = fk.analyze_photo(fk.sample_photos()[0], classifier=mean)
    assert re.fullmatch(r"FaceEmotion\(box=.*, emotion='.*', score=.*, uncertain=.*\)", repr(face))


def test_as_dict_holds_plain_values(mean):
    (face,) = fk.analyze_photo(picture("RGB"), classifier=mean, boxes=[CORNER])
    assert face.as_dict() == {
        "box": {"left": 20, "top": 40, "width": 160, "height": 200},
        "emotion": "bright",
        "score": 1.0,
        "uncertain": False,
        "quality": [],
        "probabilities": {"dark": 0.0, "bright": 1.0},
    }


def test_valence_and_arousal_are_means_of_published_ratings():
    class Half:
        class_names_ = fk.emotions.FERPLUS_CLASS_NAMES

        def predict_proba(self, X):
            row = np.zeros(8)
            row[[fk.Emotion.HAPPY, fk.Emotion.SAD]] = 0.75, 0.25
            return np.tile(row, (len(X), 1))

    (face,) = fk.analyze_photo(picture("RGB"), classifier=Half(), boxes=[CORNER])
    assert face.valence == pytest.approx(0.75 * 0.81 - 0.25 * 0.63)
    assert face.arousal == pytest.approx(0.75 * 0.51 - 0.25 * 0.27)
    assert (face.as_dict()["valence"], face.as_dict()["arousal"]) == (face.valence, face.arousal)


def test_other_classes_have_no_valence(mean):
    (face,) = fk.analyze_photo(picture("RGB"), classifier=mean, boxes=[CORNER])
    assert face.valence is face.arousal is face.head_pose is None


def turned_head(roll, yaw, pitch):
    """Return the five points of a head after pitch, yaw and roll, in degrees, seen from afar."""
    from fer2013kit.faces._pose import _HEAD

    roll, yaw, pitch = np.radians([roll, yaw, pitch])
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]]
    )
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_z = np.array(
        [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    )
    return 80 * (_HEAD @ (about_z @ about_y @ about_x).T)[:, :2] + [100, 120]


@pytest.mark.parametrize("pose", [(0, 0, 0), (20, 0, 0), (0, 30, 0), (0, 0, -15), (0, -40, 20)])
def test_head_pose(pose, mean):
    row = np.concatenate([[60, 60, 100, 120], turned_head(*pose).ravel()])
    (face,) = fk.analyze_photo(picture("RGB"), classifier=mean, boxes=[row], align=False)
    np.testing.assert_allclose(face.head_pose, pose, atol=0.1)
    assert face.as_dict()["head_pose"] == face.head_pose._asdict()


def test_the_nose_shows_where_a_head_looks(mean):
    """To the right of the image, and up, by hand: no formula of the kit's."""
    points = np.array([[-0.5, 0], [0.5, 0], [0.15, 0.6], [-0.42, 1], [0.42, 1]]) * 80 + 100
    boxes = [[60, 60, 100, 120, *points.ravel()]]
    (face,) = fk.analyze_photo(picture("RGB"), classifier=mean, boxes=boxes, align=False)
    assert 5 < face.head_pose.yaw < 40
    points[2] = [100, 130]
    boxes = [[60, 60, 100, 120, *points.ravel()]]
    (face,) = fk.analyze_photo(picture("RGB"), classifier=mean, boxes=boxes, align=False)
    assert 5 < face.head_pose.pitch < 40


def test_to_frame_is_a_row_for_each_face(mean):
    boxes = [CORNER, [0, 0, 50, 50]]
    faces = fk.analyze_photo(picture("RGB"), classifier=mean, boxes=boxes)
    table = faces.to_frame()
    assert table[["left", "width", "dark", "bright", "emotion"]].iloc[0].tolist() == [
        *(20, 160, 0, 1, "bright")
    ]
    assert list(table.columns[-12:-10]) == ["yaw", "pitch"]
    assert len(table) == 2
    assert table[["valence", "roll", "nose_x"]].isna().all(axis=None)


def test_a_table_of_no_face_changes_no_type_of_those_it_is_joined_to(mean):
    some, none = fk.analyze_photos(
        [picture("RGB"), picture("RGB")], classifier=mean, boxes=[[CORNER], []]
    )
    table, empty = some.to_frame(), none.to_frame()
    assert empty.empty
    joined = pd.concat([empty, table, empty], ignore_index=True)
    pd.testing.assert_frame_equal(joined, table)


def test_uncertain_is_a_score_below_seven_tenths():
    class Three(Mean):
        class_names_ = ("a", "b", "c")

        def predict_proba(self, X):
            return np.tile(np.array([0.2, self.score, 0.8 - self.score]), (len(X), 1))

    classifier = Three()
    for classifier.score, expected in ((0.7, False), (0.69, True)):
        (face,) = fk.analyze_photo(picture("L"), classifier=classifier, boxes=[CORNER])
        assert face.emotion == "b"
        assert face.uncertain is expected


def with_rectangle(photo, corners, color):
    ImageDraw.Draw(photo).rectangle(corners, fill=color)
    return photo


@pytest.mark.parametrize(
    ("worse", "quality"),
    [
        (lambda photo: photo, ()),
        (lambda photo: photo.point(lambda level: level // 6), ("dark",)),
        (lambda photo: photo.filter(ImageFilter.GaussianBlur(5)), ("blurred",)),
        (lambda photo: photo.resize((102, 102)), ("small",)),
        (lambda photo: with_rectangle(photo, (176, 128, 270, 182), "#b8c4cc"), ("covered",)),
        (lambda photo: with_rectangle(photo, (186, 92, 258, 116), "#181818"), ("covered",)),
    ],
)
def test_quality_says_why_a_face_is_hard_to_read(worse, quality):
    photo = worse(Image.open(fk.sample_photos()[0]).convert("RGB"))
    box = np.array([180, 67, 90, 110]) * photo.width / 512
    for shape in ((48, 48, 1), (96, 96, 1)):
        sure = SimpleNamespace(
            image_shape_=shape, classes_=["a", "b"], predict_proba=lambda X: [[1.0, 0.0]] * len(X)
        )
        (face,) = fk.analyze_photo(photo, boxes=[box], classifier=sure)
        assert face.quality == quality
        assert face.uncertain is bool(quality)
    assert face.as_row()["quality"] == ", ".join(quality)


def test_heads_in_profile_and_flat_images_are_told_from_others():
    crop, box = np.full((48, 48), 200, np.uint8), (0, 0, 90, 110)
    for yaw, quality in ((-60, ("profile",)), (30, ()), (0, ())):
        turn = np.radians(yaw)
        across = _HEAD @ [np.cos(turn), 0, np.sin(turn)]
        points = 40 * np.stack([across, _HEAD[:, 1]], axis=1) + 100
        assert face_quality(box, crop, points) == quality


def test_no_face_is_an_empty_list(mean):
    assert fk.analyze_photo(picture("RGB"), classifier=mean) == []
    assert fk.analyze_photo(picture("RGB"), classifier=mean, boxes=[]) == []
    assert mean.seen == []


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (3, 5), (47, 48)])
def test_tiny_and_narrow_pictures_have_no_face(mean, size):
    assert fk.analyze_photo(picture("RGB", size), classifier=mean) == []


# --- many photographs -----------------------------------------------------------------------------


def test_batches_hold_faces_of_several_photographs(mean):
    photos = [picture("L"), picture("L", color="black"), picture("L")]
    boxes = [[CORNER], [], [CORNER, CORNER]]
    answers = fk.analyze_photos(iter(photos), classifier=mean, boxes=boxes)
    assert [len(faces) for faces in answers] == [1, 0, 2]
    assert [len(batch) for batch in mean.seen] == [3]
    small = fk.analyze_photos(iter(photos), classifier=mean, boxes=boxes, batch_size=1)
    assert [len(batch) for batch in mean.seen] == [3, 1, 2]
    assert [[f.box for f in faces] for faces in small] == [[f.box for f in a] for a in answers]


def test_errors_stand_in_their_place(mean, tmp_path):
    photos = [picture("L"), tmp_path / "none.jpg", picture("L")]
    boxes = [[CORNER], None, [CORNER]]
    first, error, last = fk.analyze_photos(photos, classifier=mean, boxes=boxes, return_errors=True)
    assert len(first) == len(last) == 1
    assert isinstance(error, fk.MediaFileError)
    with pytest.raises(fk.MediaFileError):
        fk.analyze_photos(photos, classifier=mean, boxes=boxes)


@pytest.mark.parametrize(
    "photos",
    [
        *("party.jpg", b"", bytearray(), COLLINS, io.BytesIO(), Image.new("L", (60, 60))),
        *(np.zeros(shape, np.uint8) for shape in [(60, 80), (60, 80, 1), (60, 80, 3), (60, 80, 4)]),
    ],
    ids=lambda photos: str(getattr(photos, "shape", type(photos).__name__)),
)
def test_one_photograph_is_not_several(mean, photos):
    with pytest.raises(fk.InvalidInputError, match="use analyze_photo for one"):
        fk.analyze_photos(photos, classifier=mean)


def test_arrays_hold_several_photographs(mean):
    boxes = [[(5, 5, 30, 30)]] * 2
    for shape in ((2, 60, 80), (2, 60, 80, 3)):
        answers = fk.analyze_photos(np.zeros(shape, np.uint8), classifier=mean, boxes=boxes)
        assert [(faces.width, faces.height) for faces in answers] == [(80, 60)] * 2
    assert len(fk.analyze_photos(np.array([str(COLLINS)]), classifier=mean)[0]) == 1


def test_boxes_must_be_as_many_as_photographs(mean):
    with pytest.raises(fk.InvalidInputError, match="as many as photos"):
        fk.analyze_photos([picture("L")] * 2, classifier=mean, boxes=[[CORNER]])
    with pytest.raises(fk.InvalidInputError, match="batch_size"):
        fk.analyze_photos([], classifier=mean, batch_size=0)


def test_find_photos(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    for name in ["b.jpg", "a.PNG", "deep/c.webp", "notes.txt", "._b.jpg", "odd[1].jpg"]:
        (tmp_path / name).write_bytes(b"")

    def names(paths):
        return [path.relative_to(tmp_path).as_posix() for path in fk.find_photos(paths)]

    with pytest.warns(fk.Fer2013KitWarning, match=r"1 file .*\(1 \.txt\): 'notes\.txt'"):
        assert names(tmp_path) == ["a.PNG", "b.jpg", "deep/c.webp", "odd[1].jpg"]
    with pytest.warns(fk.Fer2013KitWarning, match=r"folders that match were skipped: .*deep"):
        assert "b.jpg" in names(tmp_path / "[a-f]*")
    assert names(str(tmp_path / "*.jpg")) == ["b.jpg", "odd[1].jpg"]
    assert names(str(tmp_path / "**" / "*.webp")) == ["deep/c.webp"]
    assert names([tmp_path / "odd[1].jpg", tmp_path / "b.jpg", tmp_path / "b.jpg"]) == [
        "odd[1].jpg",
        "b.jpg",
    ]
    assert names([tmp_path / "not there.jpg"]) == ["not there.jpg"]
    assert names([tmp_path / ("x" * 999)]) == ["x" * 999]  # which no file can be called
    with pytest.raises(fk.MediaFileError, match="no file matches"):
        fk.find_photos(tmp_path / "*.gif")
    monkeypatch.chdir(tmp_path)
    assert fk.find_photos([tmp_path / "b.jpg", "b.jpg", "deep/../b.jpg"]) == [tmp_path / "b.jpg"]
    (tmp_path / "deep" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    for paths in ("deep", "deep/*.[jw]*"):
        with pytest.warns(
            fk.Fer2013KitWarning, match=r"links to nothing were skipped: .*gone\.jpg"
        ):
            assert names([tmp_path / paths]) == ["deep/c.webp"]
    (tmp_path / "deep" / "gone.jpg").unlink()
    (tmp_path / "deep" / "again").symlink_to(tmp_path)
    with pytest.warns(fk.Fer2013KitWarning, match=r"links or closed were skipped: .*again"):
        assert names(tmp_path / "deep") == ["deep/c.webp"]
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "movie.mp4").write_bytes(b"")
    with pytest.raises(fk.MediaFileError, match=r"no image in this folder.*'movie\.mp4'"):
        fk.find_photos(tmp_path / "empty")


# --- alone ----------------------------------------------------------------------------------------


def test_photographs_need_none_of_the_heavy_libraries(tmp_path):
    script = f"""
import sys
heavy = {{"tensorflow", "keras", "sklearn", "pandas", "matplotlib", "scipy"}}

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in heavy:
            raise ModuleNotFoundError(f"no {{name}}", name=name)

sys.meta_path.insert(0, Absent())
import fer2013kit as fk
path = fk.sample_photos()[0]
faces = fk.analyze_photo(path)
fk.annotate(path, faces).save({str(tmp_path / "out.png")!r})
print(faces[0].emotion, heavy & set(sys.modules))
"""
    result = subprocess.run(  # noqa: S603 - our own script, run by our own Python
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "happy set()"


def test_missing_runtime_is_told(monkeypatch):
    from fer2013kit.faces import _detector

    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    _detector._network.cache_clear()
    with pytest.raises(fk.MissingDependencyError, match="pip install ai-edge-litert"):
        fk.FaceDetector()(np.zeros((64, 64, 3), np.uint8))


def test_sample_photographs_say_where_they_are_from():
    text = (COLLINS.parent / "README.txt").read_text(encoding="utf-8")
    for path in fk.sample_photos():
        assert path.name in text
        assert path.stat().st_size < 150_000
    assert "public domain" in text


def run_alone(code):
    """Run some Python in a process of its own; return what it printed."""
    return subprocess.run(  # noqa: S603 - our own script, run by our own Python
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )


def test_a_loaded_detector_has_said_what_litert_says():
    code = """
import os, numpy as np, fer2013kit as fk
detector = fk.FaceDetector()
detector.load()
os.write(2, b"loaded")
detector(np.zeros((64, 64, 3), np.uint8))
"""
    assert run_alone(code).stderr.endswith("loaded")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no resource")
def test_memory_of_many_large_images_is_that_of_one(tmp_path):
    side = 4000
    Image.new("RGB", (side, side), "gray").save(tmp_path / "a.png")
    code = f"""
import resource, fer2013kit as fk
settings = {{"detector": lambda image: [[0, 0, 9, 9]], "return_errors": True}}
most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
broken = b"\\x89PNG" + bytes({side**2})
for count in (2, 8):
    fk.analyze_photos([r"{tmp_path / "a.png"}", broken] * count, **settings)
    print(most())
"""
    few, many = map(int, run_alone(code).stdout.split())
    kibibytes = 1 if sys.platform == "linux" else 1024  # macOS counts bytes
    assert (many - few) / kibibytes < 2 * side**2 * 3 / 1024
