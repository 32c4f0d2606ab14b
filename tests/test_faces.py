"""Photographs: reading, finding, cutting, naming, drawing."""

import io
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

import fer2013kit as fk
from fer2013kit.faces._crops import cut_face
from fer2013kit.faces._photos import read_photo

COLLINS, HOPPER = fk.sample_photos()
CORNER = (20, 40, 160, 200)  # a box in a photograph


class Mean:
    """Tells in its probabilities how bright the faces are that it is given."""

    class_names_ = ("dark", "bright")

    def __init__(self):
        self.seen = []

    def predict_proba(self, X):
        assert X.dtype == np.uint8
        self.seen.append(X)
        bright = X.reshape(len(X), -1).mean(axis=1) / 255
        return np.stack([1 - bright, bright], axis=1)


@pytest.fixture
def mean():
    return Mean()


def picture(mode, size=(640, 480), color="white"):
    if mode.startswith("I;16"):
        return Image.fromarray(np.full(size[::-1], 65535, np.uint16))
    if mode in {"I", "F"}:
        return Image.new(mode, size, 255)
    if mode in {"La", "RGBa"}:
        return Image.new(mode[:-1] + "A", size, color).convert(mode)
    return Image.new("RGB", size, color).convert(mode)


def as_file(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


# --- what comes out ----------------------------------------------------------------------------


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


def test_as_dict_holds_plain_values(mean):
    (face,) = fk.analyze_photo(picture("RGB"), classifier=mean, boxes=[CORNER])
    assert face.as_dict() == {
        "box": {"left": 20, "top": 40, "width": 160, "height": 200},
        "emotion": "bright",
        "score": 1.0,
        "uncertain": False,
        "probabilities": {"dark": 0.0, "bright": 1.0},
    }


def test_uncertain_is_a_score_below_one_half():
    class Three(Mean):
        class_names_ = ("a", "b", "c")

        def predict_proba(self, X):
            return np.tile(np.array([0.2, self.score, 0.8 - self.score]), (len(X), 1))

    classifier = Three()
    for classifier.score, expected in ((0.5, False), (0.49, True)):
        (face,) = fk.analyze_photo(picture("L"), classifier=classifier, boxes=[CORNER])
        assert face.emotion == "b"
        assert face.uncertain is expected


def test_no_face_is_an_empty_list(mean):
    assert fk.analyze_photo(picture("RGB"), classifier=mean) == []
    assert fk.analyze_photo(picture("RGB"), classifier=mean, boxes=[]) == []
    assert mean.seen == []


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (3, 5), (47, 48)])
def test_tiny_and_narrow_pictures_have_no_face(mean, size):
    assert fk.analyze_photo(picture("RGB", size), classifier=mean) == []


# --- what goes in ------------------------------------------------------------------------------

KINDS = {
    "path": lambda path: path,
    "string": str,
    "bytes": lambda path: path.read_bytes(),
    "file": lambda path: io.BytesIO(path.read_bytes()),
    "picture": Image.open,
    "array": lambda path: np.asarray(Image.open(path)),
    "floats": lambda path: np.asarray(Image.open(path)) / 255,
    "16 bits": lambda path: np.asarray(Image.open(path)).astype(np.uint16) * 257,
}


def test_all_kinds_of_photo_have_the_same_pixels():
    expected = np.asarray(Image.open(COLLINS).convert("RGB"))
    for name, kind in KINDS.items():
        np.testing.assert_array_equal(read_photo(kind(COLLINS)).rgb, expected, err_msg=name)


@pytest.mark.parametrize(
    "mode",
    [
        "1",
        "L",
        "LA",
        "La",
        "P",
        "PA",
        "RGB",
        "RGBA",
        "RGBX",
        "RGBa",
        "CMYK",
        "YCbCr",
        "HSV",
        "I;16",
        "I",
        "F",
    ],
)
def test_every_mode_is_read(mode, mean):
    assert (read_photo(picture(mode)).rgb == 255).all()
    (face,) = fk.analyze_photo(picture(mode), classifier=mean, boxes=[CORNER])
    assert face.emotion == "bright"


def test_transparency_shows_white():
    clear = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
    assert (read_photo(as_file(clear)).rgb == 255).all()


def test_arrays_of_every_layout(mean):
    for shape in [(60, 50), (60, 50, 1), (60, 50, 2), (60, 50, 3), (60, 50, 4)]:
        pixels = read_photo(np.full(shape, 255, np.uint8))
        assert pixels.rgb.shape == (60, 50, 3)
        assert (pixels.rgb == 255).all()
    assert (read_photo(np.ones((60, 50), bool)).rgb == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_orientation_tags_are_obeyed(orientation, kind):
    from PIL import ImageOps

    stored = Image.new("RGB", (64, 32), "white")
    stored.paste("black", (0, 0, 32, 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = as_file(stored, kind, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue()))).convert("RGB")
    pixels = read_photo(file)
    np.testing.assert_array_equal(pixels.rgb, np.asarray(expected))
    assert (pixels.width, pixels.height) == expected.size


def test_boxes_are_those_of_the_upright_photograph():
    turned = Image.open(COLLINS).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored with its top to the left
    (face,) = fk.analyze_photo(as_file(turned, "PNG", exif=exif))
    (upright,) = fk.analyze_photo(COLLINS)
    assert face.box == upright.box


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_photographs_are_worked_on_smaller(kind, monkeypatch):
    large = Image.open(COLLINS).resize((3000, 3000))
    with monkeypatch.context() as patch:
        patch.setattr(
            "fer2013kit.faces._analysis.read_photo", lambda one: read_photo(one, max_side=700)
        )
        (face,) = fk.analyze_photo(as_file(large, kind))
    assert read_photo(as_file(large, kind), max_side=700).rgb.shape == (700, 700, 3)
    (small,) = fk.analyze_photo(COLLINS)
    np.testing.assert_allclose(np.array(face.box) * 512 / 3000, small.box, atol=8)
    assert face.emotion == small.emotion


def huge_png(width, height):
    """Return a PNG that says it is so large, without the pixels."""
    content = bytearray(as_file(Image.new("L", (1, 1))).getvalue())
    import zlib

    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    content[12:33] = header + zlib.crc32(header).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize("side", [10_000, 20_000])
def test_too_many_pixels_are_refused_before_they_are_decoded(side):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(fk.MediaFileError, match=r"too large|expected at most 80,000,000"):
            fk.analyze_photo(huge_png(side, side))


BAD_FILES = {
    "text.jpg": b"this is no picture",
    "empty.png": b"",
    "cut.jpg": COLLINS.read_bytes()[:20_000],
    "cut.png": as_file(Image.open(COLLINS)).getvalue()[:9_000],
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_named_in_the_error(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(BAD_FILES[name])
    with pytest.raises(fk.MediaFileError) as caught:
        fk.analyze_photo(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.path == path
    assert "BytesIO" not in str(caught.value)
    with pytest.raises(fk.MediaFileError) as caught:
        fk.analyze_photo(BAD_FILES[name])
    assert caught.value.path is None


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(fk.MediaFileError, match="No such file"):
        fk.analyze_photo(tmp_path / "none.jpg")
    with pytest.raises(OSError, match="directory"):
        fk.analyze_photo(tmp_path)


@pytest.mark.parametrize(
    "photo",
    [
        *(None, 3.0, [], "text\0.jpg", np.array([["a"]]), io.StringIO("text")),
        *(np.zeros((0, 5)), np.zeros((2, 48, 48)), np.zeros((9, 9, 5))),
        *(np.full((9, 9), -1), np.full((9, 9), np.nan), np.full((9, 9), 256)),
    ],
)
def test_what_is_no_photo_is_refused(photo, mean):
    with pytest.raises(fk.Fer2013KitError, match=r"photo|picture|null"):
        fk.analyze_photo(photo, classifier=mean)


# --- faces: boxes, detectors, crops ------------------------------------------------------------


def test_own_detector_and_own_boxes_agree(mean):
    shapes = []

    def detector(image):
        shapes.append((image.shape, image.dtype))
        return [CORNER, (300, 100, 50, 60)]

    photo = Image.open(COLLINS)
    found = fk.analyze_photo(photo, classifier=mean, detector=detector)
    given = fk.analyze_photo(photo, classifier=mean, boxes=[CORNER, (300, 100, 50, 60)])
    assert shapes == [((512, 512, 3), np.uint8)]
    assert [face.box for face in found] == [face.box for face in given]
    assert [face.box for face in found] == [CORNER, (300, 100, 50, 60)]
    np.testing.assert_array_equal(mean.seen[0], mean.seen[1])


@pytest.mark.parametrize(
    "boxes",
    [[1, 2, 3, 4], [[1, 2, 3]], [[1, 2, 0, 4]], [[1, 2, 3, np.nan]], [["a", "b", "c", "d"]]],
)
def test_wrong_boxes_are_refused(boxes, mean):
    with pytest.raises(fk.InvalidInputError, match="boxes must be"):
        fk.analyze_photo(picture("L"), classifier=mean, boxes=boxes)
    with pytest.raises(fk.InvalidInputError, match="the detector's boxes must be"):
        fk.analyze_photo(picture("L"), classifier=mean, detector=lambda _: boxes)


def test_squares_are_cut_about_the_centre_of_the_box():
    gray = np.zeros((200, 300), np.uint8)
    gray[50:98, 100:148] = np.arange(48 * 48).reshape(48, 48) % 251
    rgb = np.repeat(gray[..., None], 3, axis=-1)
    expected = gray[50:98, 100:148]
    cut = cut_face(rgb, np.array([100.0, 50, 48, 48]), margin=0.0)
    np.testing.assert_array_equal(cut, expected)
    # A box of the same area and centre, and one that the margin completes.
    np.testing.assert_array_equal(
        cut_face(rgb, np.array([106.0, 42, 36, 64]), margin=0.0), expected
    )
    np.testing.assert_array_equal(
        cut_face(rgb, np.array([112.0, 62, 24, 24]), margin=0.5), expected
    )


@pytest.mark.parametrize("box", [(-30, -30, 60, 60), (80, 60, 90, 90), (-500, -500, 40, 40)])
def test_beyond_the_edge_its_pixels_go_on(box):
    rgb = np.full((100, 120, 3), 77, np.uint8)
    assert (cut_face(rgb, np.array(box, float)) == 77).all()


@pytest.mark.parametrize("kind", ["array", "PNG", "RGB"])
def test_pictures_of_48x48_go_straight_in(mean, kind):
    face = fk.make_fer2013(n_samples=14, random_state=0).train.images[0]
    image = Image.fromarray(face[..., 0])
    photo = {"array": face, "PNG": as_file(image), "RGB": image.convert("RGB")}[kind]
    (answer,) = fk.analyze_photo(photo, classifier=mean)
    np.testing.assert_array_equal(mean.seen[0][0], face[..., 0])
    assert answer.box == (0, 0, 48, 48)


def test_a_face_that_fills_its_picture_is_a_ready_made_crop(mean):
    left, top, side = 164, 70, 120
    crop = Image.open(COLLINS).crop((left, top, left + side, top + side))
    (answer,) = fk.analyze_photo(crop, classifier=mean)
    assert answer.box == (0, 0, side, side)
    np.testing.assert_array_equal(mean.seen[0][0], fk.to_face(crop)[..., 0])


def test_classifiers_of_other_pictures(mean):
    mean.image_shape_ = (64, 32, 3)
    fk.analyze_photo(picture("RGB"), classifier=mean, boxes=[CORNER, CORNER])
    assert mean.seen[0].shape == (2, 64, 32, 3)


def test_wrong_probabilities_are_refused(mean):
    mean.class_names_ = fk.CLASS_NAMES
    with pytest.raises(
        fk.InvalidInputError, match=r"must return shape \(1, 7\).*received \(1, 2\)"
    ):
        fk.analyze_photo(picture("RGB"), classifier=mean, boxes=[CORNER])


# --- the detector ------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.15, 0.5, 1, 3, 6])
def test_faces_are_found_small_and_large(scale):
    side = round(512 * scale)
    image = np.asarray(Image.open(COLLINS).resize((side, side), Image.Resampling.BILINEAR))
    (box,) = fk.FaceDetector()(image)
    np.testing.assert_allclose(box / scale, (180, 65, 90, 111), atol=14)


def test_several_faces_are_found_where_they_are():
    both = Image.new("RGB", (1100, 620), "white")
    both.paste(Image.open(HOPPER), (0, 10))
    both.paste(Image.open(COLLINS), (560, 50))
    faces = fk.analyze_photo(both)
    assert len(faces) == 2
    (collins,) = fk.analyze_photo(COLLINS)
    right = max(faces, key=lambda face: face.box.left)
    np.testing.assert_allclose(right.box, np.add(collins.box, (560, 50, 0, 0)), atol=10)
    assert right.emotion == collins.emotion


def test_noise_and_plain_pictures_hold_no_face():
    detector = fk.FaceDetector()
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    assert detector(noise).shape == (0, 4)
    assert detector(np.zeros((1, 1, 3), np.uint8)).shape == (0, 4)


def test_detector_tells_how_sure_it_is():
    image = np.asarray(Image.open(COLLINS))
    boxes, scores = fk.FaceDetector().detect(image)
    assert boxes.shape == (1, 4)
    assert 0.7 <= scores[0] <= 1
    assert len(fk.FaceDetector(min_score=1.0)(image)) == 0


@pytest.mark.parametrize("options", [{"min_score": 0}, {"min_score": 1.5}, {"max_side": 10}])
def test_wrong_settings_of_the_detector_are_refused(options):
    with pytest.raises(fk.InvalidInputError, match=next(iter(options))):
        fk.FaceDetector(**options)


@pytest.mark.parametrize(
    "image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)]
)
def test_detector_refuses_other_arrays(image):
    with pytest.raises(fk.InvalidInputError, match=r"uint8 of shape \(height, width, 3\)"):
        fk.FaceDetector()(image)


# --- many photographs --------------------------------------------------------------------------


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

    assert names(tmp_path) == ["a.PNG", "b.jpg", "deep/c.webp", "odd[1].jpg"]
    assert names(str(tmp_path / "*.jpg")) == ["b.jpg", "odd[1].jpg"]
    assert names(str(tmp_path / "**" / "*.webp")) == ["deep/c.webp"]
    assert names([tmp_path / "odd[1].jpg", tmp_path / "b.jpg", tmp_path / "b.jpg"]) == [
        "odd[1].jpg",
        "b.jpg",
    ]
    assert names([tmp_path / "not there.jpg"]) == ["not there.jpg"]
    with pytest.raises(fk.MediaFileError, match="no file matches"):
        fk.find_photos(tmp_path / "*.gif")
    (tmp_path / "empty").mkdir()
    with pytest.raises(fk.MediaFileError, match="no picture in this folder"):
        fk.find_photos(tmp_path / "empty")


# --- drawing -----------------------------------------------------------------------------------


def test_annotate_draws_boxes_names_and_bars():
    faces = fk.analyze_photo(COLLINS)
    before = np.asarray(Image.open(COLLINS).convert("RGB"))
    drawn = fk.annotate(COLLINS, faces)
    assert (drawn.size, drawn.mode) == ((512, 512), "RGB")
    changed = (np.asarray(drawn) != before).any(axis=-1)
    left, top, width, height = faces[0].box
    assert changed[top, left : left + width].all()
    assert changed[top : top + height, left].all()
    assert not changed[top + 20 : top + height - 20, left + 20 : left + width - 20].any()
    assert changed[:top].any()  # the name
    assert changed[top : top + height, left + width + 5 :].any()  # the bars
    assert not changed[300:].any()


def test_annotate_leaves_its_input_alone_and_takes_no_faces():
    image = np.full((60, 80, 3), 9, np.uint8)
    drawn = fk.annotate(image, [])
    assert (np.asarray(drawn) == 9).all()
    fk.annotate(image, fk.analyze_photo(image, boxes=[(5, 5, 40, 40)]))
    assert (image == 9).all()


@pytest.mark.parametrize("box", [(0, 0, 512, 512), (-20, -20, 60, 60), (500, 500, 90, 90)])
def test_annotate_draws_boxes_at_every_place(box):
    faces = fk.analyze_photo(COLLINS, boxes=[box, (3, 3, 4, 4)])
    assert fk.annotate(COLLINS, faces).size == (512, 512)


# --- alone -------------------------------------------------------------------------------------


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
