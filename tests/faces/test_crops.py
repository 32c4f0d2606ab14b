"""Faces found, cut and drawn."""

import dataclasses

import numpy as np
import pytest
from fake_photos import CORNER, as_file, picture
from PIL import Image, ImageColor

import fer2013kit as fk
from fer2013kit.emotions import CLASS_COLORS
from fer2013kit.faces._crops import cut_face

COLLINS, HOPPER = fk.sample_photos()


# --- faces: boxes, detectors, crops ---------------------------------------------------------------


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


def test_a_detector_that_draws_leaves_the_faces_as_they_are(mean):
    def detector(image):
        image[:] = 0
        return [CORNER]

    fk.analyze_photo(COLLINS, classifier=mean, detector=detector)
    fk.analyze_photo(COLLINS, classifier=mean, boxes=[CORNER])
    np.testing.assert_array_equal(mean.seen[0], mean.seen[1])


@pytest.mark.parametrize("box", [(0.2, 0.1, 0.3, 0.4), (0, 0, 1, 1)])
def test_boxes_in_shares_of_the_photograph_are_refused(box, mean):
    with pytest.raises(fk.InvalidInputError, match="must be in pixels"):
        fk.analyze_photo(COLLINS, classifier=mean, boxes=[box])
    with pytest.raises(fk.InvalidInputError, match="the detector's boxes must be in pixels"):
        fk.analyze_photo(COLLINS, classifier=mean, detector=lambda _: [box])


def test_a_detector_that_gives_no_array_hears_what_it_gave(mean):
    for given in (None, {"box": (1, 2, 30, 40)}, (box for box in [CORNER])):
        with pytest.raises(fk.InvalidInputError, match=r"received (None|\{|<generator)"):
            fk.analyze_photo(COLLINS, classifier=mean, detector=lambda _, given=given: given)


@pytest.mark.parametrize(
    "boxes",
    [
        *([1, 2, 3, 4], [[1, 2, 3]], [[1, 2, 0, 4]], [[1, 2, 3, np.nan]], [["a", "b", "c", "d"]]),
        *([[1, 2, 3, 4], [1, 2]], "rubbish", {"left": 1}),
    ],
)
def test_wrong_boxes_are_refused(boxes, mean):
    with pytest.raises(fk.InvalidInputError, match="boxes must be"):
        fk.analyze_photo(picture("L"), classifier=mean, boxes=boxes)
    with pytest.raises(fk.InvalidInputError, match="the detector's boxes must be"):
        fk.analyze_photo(picture("L"), classifier=mean, detector=lambda _: boxes)


@pytest.mark.parametrize(
    "box", [(9000, 0, 50, 50), (0, -90, 50, 50), (0, 0, 1e9, 1e9), (-1e300, 0, 1e300, 1e308)]
)
def test_boxes_off_the_photograph_are_refused(box, mean):
    with pytest.raises(fk.InvalidInputError, match=r"^boxes must lie on the photograph"):
        fk.analyze_photo(COLLINS, classifier=mean, boxes=[box])
    with pytest.raises(fk.InvalidInputError, match="detector's boxes must lie on the photograph"):
        fk.analyze_photo(COLLINS, classifier=mean, detector=lambda _: [box])


def test_the_detector_gives_none_off_the_picture(monkeypatch):
    boxes = [CORNER, (530, 9, 20, 20), (-30, 9, 20, 20), (0, 0, 9, 1e9)]
    rows = np.array([[0.9, *box, *[0] * 10] for box in boxes])
    monkeypatch.setattr("fer2013kit.faces._detector._run_network", lambda *_: rows.copy())
    detector = fk.FaceDetector(max_side=512, turned=False, mirrored=False)
    assert set(map(tuple, detector(np.zeros((512, 512, 3), np.uint8)).tolist())) == {
        CORNER,
        tuple(2 * length for length in CORNER),  # of the search at half the size
    }


@pytest.mark.parametrize("margin", [-0.5, -3, np.nan, np.inf, "wide"])
def test_wrong_margins_are_refused(margin, mean):
    with pytest.raises(fk.InvalidInputError, match=r"margin must be a number in \(-0\.5, inf\)"):
        fk.analyze_photo(COLLINS, classifier=mean, margin=margin)


def test_too_wide_margins_are_refused(mean):
    with pytest.raises(fk.InvalidInputError, match="with the margin be at most"):
        fk.analyze_photo(COLLINS, classifier=mean, boxes=[CORNER], margin=1e6)


def test_what_is_no_classifier_is_refused():
    with pytest.raises(fk.InvalidInputError, match=r"'five_layer_cnn'.*load_predictor"):
        fk.analyze_photo(COLLINS, classifier="five_layer_cnn")


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


@pytest.mark.parametrize("rows", [[[np.nan] * 2], [[-1.0, 2.0]], [["a", "b"]], [[0.9, 0.9]]])
def test_what_are_no_probabilities_is_refused(mean, monkeypatch, rows):
    monkeypatch.setattr(mean, "predict_proba", lambda _: np.array(rows))
    with pytest.raises(fk.InvalidInputError, match="predict_proba: probabilities must"):
        fk.analyze_photo(picture("RGB"), classifier=mean, boxes=[CORNER])


# --- the detector ---------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "options",
    [{"min_score": 0}, {"min_score": 1.5}, {"min_score": "a"}, {"max_side": 10}, {"max_side": "a"}],
)
def test_wrong_settings_of_the_detector_are_refused(options):
    with pytest.raises(fk.InvalidInputError, match=next(iter(options))):
        fk.FaceDetector(**options)


@pytest.mark.parametrize(
    "image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)]
)
def test_detector_refuses_other_arrays(image):
    with pytest.raises(fk.InvalidInputError, match=r"uint8 of shape \(height, width, 3\)"):
        fk.FaceDetector()(image)


# --- drawing --------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("scale", [0.2, 0.5])
def test_annotate_draws_bars_on_small_pictures(scale):
    size = round(700 * scale), round(512 * scale)
    small = Image.new("RGB", size)
    small.paste(Image.open(COLLINS).resize((size[1], size[1])))
    (face,) = fk.analyze_photo(small)
    drawn = np.asarray(fk.annotate(small, [face])).astype(int)
    left, _, width, _ = face.box
    beside = drawn[:, left + width + 5 :]
    color = np.array(ImageColor.getrgb(CLASS_COLORS[fk.Emotion.HAPPY]))
    assert (np.abs(beside - color).sum(axis=-1) == 0).sum() > 100
    assert drawn.shape[:2] == size[::-1]


def test_annotate_covers_no_face_and_no_name():
    boxes = [(10, 10, 60, 60), (80, 10, 60, 60), (10, 90, 60, 60), (300, 80, 90, 90)]
    faces = fk.analyze_photo(picture("RGB", color="red"), boxes=boxes)
    drawn = np.asarray(fk.annotate(picture("RGB", color="red"), faces))
    for left, top, width, height in boxes:
        inside = drawn[top + 6 : top + height - 6, left + 6 : left + width - 6]
        assert (inside == [255, 0, 0]).all()


def test_annotate_draws_bars_below_in_a_row_of_faces_with_numbers_on_request():
    """Two rows of ten faces leave no room beside them; panels cover no box, name or panel."""
    boxes = [(20 + 95 * i, top, 60, 60) for top in (40, 240) for i in range(10)]
    photo = picture("RGB", size=(980, 420), color="red")
    faces = fk.analyze_photo(photo, boxes=boxes)
    drawn, numbered = (
        np.asarray(fk.annotate(photo, faces, numbers=numbers)).astype(int)
        for numbers in (False, True)
    )
    changed = (np.abs(drawn - drawn[0, 0]) > 60).any(axis=2)
    for left, top, width, height in boxes:
        inside = changed[top + 6 : top + height - 6, left + 6 : left + width - 6]
        assert not inside.any()
        near = changed[top + height + 6 : top + height + 40, left : left + width]
        assert near.mean() > 0.3
    assert (numbered != drawn).any()


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


@pytest.mark.parametrize("side", [48, 300])
def test_annotate_names_a_face_that_fills_the_image(side, mean):
    photo = picture("RGB", size=(side, side), color=(200, 200, 200))
    faces = fk.analyze_photo(photo, classifier=mean, boxes=[(0, 0, side, side)])
    drawn = np.asarray(fk.annotate(photo, faces)).astype(int)
    inside = drawn[8:-2, 8:-8]
    assert (np.abs(inside - 200).max(axis=-1) > 50).mean() > 0.02


def test_annotate_has_the_colour_of_the_word():
    """Along the track of a video, it may be another than that of the most probable class."""
    photo = picture("RGB", color="white")
    (face,) = fk.analyze_photo(photo, boxes=[CORNER])
    emotion = next(word for word in fk.CLASS_NAMES if word != face.emotion)
    drawn = fk.annotate(photo, [dataclasses.replace(face, emotion=emotion)])
    color = ImageColor.getrgb(CLASS_COLORS[fk.CLASS_NAMES.index(emotion)])
    assert drawn.getpixel(CORNER[:2]) == color


def test_annotate_refuses_faces_of_a_photograph_of_another_size(mean):
    photo = picture("RGB", size=(640, 480))
    faces = fk.analyze_photo(photo, classifier=mean, boxes=[CORNER])
    with pytest.raises(fk.InvalidInputError, match="320x240 pixels; received those of one of 640x"):
        fk.annotate(photo.resize((320, 240)), faces)


@pytest.mark.parametrize("faces", [None, 3, [1, 2], [[]]])
def test_annotate_refuses_what_are_no_faces(faces):
    with pytest.raises(fk.InvalidInputError, match="faces must be"):
        fk.annotate(COLLINS, faces)
