"""The words of any classifier, and the views that are averaged."""

from types import SimpleNamespace

import numpy as np
import pytest
from fake_photos import CORNER, Mean, picture
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import fer2013kit as fk
from fer2013kit._class_names import as_learned, class_colors, class_names, classifier_names
from fer2013kit.emotions import CLASS_COLORS, FERPLUS_CLASS_NAMES
from fer2013kit.faces._finding import FoundFace
from fer2013kit.faces._naming import FaceNamer


def flat_model():
    flat = FunctionTransformer(lambda a: np.asarray(a).reshape(len(a), -1) / 255.0)
    return make_pipeline(flat, LogisticRegression(max_iter=1000, tol=0.01))


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(210, random_state=0)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("wrapper", ["pipeline", "search", "calibrated", "vote"])
def test_words_are_those_that_an_estimator_predicts(data, wrapper, named):
    model = {
        "pipeline": flat_model(),
        "search": GridSearchCV(flat_model(), {"logisticregression__C": [0.1]}, cv=2),
        "calibrated": CalibratedClassifierCV(flat_model(), cv=2),
        "vote": VotingClassifier([("one", flat_model())], voting="soft"),
    }[wrapper]
    words = np.array(fk.CLASS_NAMES)
    labels = words[data.train.labels] if named else data.train.labels
    model.fit(data.train.images, labels)
    own = model.predict(data.test.images)
    faces = [one[0] for one in fk.analyze_photos(list(data.test.images), classifier=model)]
    assert [face.emotion for face in faces] == (own if named else words[own]).tolist()
    assert len({face.emotion for face in faces}) > 2


@pytest.mark.parametrize("tta", [None, "flip"])
def test_estimator_that_learned_rows_of_pixels_is_given_rows(data, tta):
    X, y = data.train
    forest = RandomForestClassifier(10, random_state=0).fit(X.reshape(len(X), -1), y)
    answers = fk.analyze_photos(list(data.test.images), classifier=forest, tta=tta)
    seen = [data.test.images, data.test.images[:, :, ::-1]][: 1 if tta is None else 2]
    expected = np.mean([forest.predict_proba(one.reshape(len(one), -1)) for one in seen], axis=0)
    np.testing.assert_allclose([one[0].probabilities for one in answers], expected, atol=1e-6)


def test_networks_of_the_kit_are_given_images():
    network = SimpleNamespace(n_features_in_=2304, image_shape_=(48, 48, 1))
    faces = np.zeros((2, 48, 48), np.uint8)
    for one in (network, SimpleNamespace(n_features_in_=2304, best_estimator_=network)):
        assert as_learned(one, faces) is faces
    assert as_learned(SimpleNamespace(n_features_in_=48), faces) is faces


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.arange(7), fk.CLASS_NAMES),
        (np.arange(7.0), fk.CLASS_NAMES),
        ([str(code) for code in range(7)], fk.CLASS_NAMES),
        (list(fk.Emotion), fk.CLASS_NAMES),
        (np.arange(8), FERPLUS_CLASS_NAMES),
        ([3, 4, 6], ("happy", "sad", "neutral")),
        (np.array(["sad", "happy"]), ("sad", "happy")),
        ([b"calm", b"tense"], ("calm", "tense")),
    ],
)
def test_labels_become_words(labels, words):
    assert class_names(labels) == words


@pytest.mark.parametrize(
    "labels",
    [
        *(
            [0, 1],
            [0, 1, 2],
            range(1, 8),
            range(9),
            [3, 7],
            [0, 1.5],
            [-1, 3],
            [True, False],
            [True, 3],
        ),
        *(["happy", 3], ["happy", "happy"], ["3", 3], [None, "sad"], ["nan", "inf"], []),
        *([[0, 1], [3, 4]], [np.array([0, 1]), np.array([2])], ["x" * 9999, 3]),
    ],
)
def test_labels_without_words_are_refused(labels, mean):
    with pytest.raises(fk.InvalidInputError, match="classes_ must be") as caught:
        class_names(labels)
    assert len(str(caught.value)) < 600
    classifier = SimpleNamespace(classes_=labels, predict_proba=mean.predict_proba)
    with pytest.raises(fk.InvalidInputError, match="classes_ must be"):
        fk.analyze_photo(picture("L"), classifier=classifier, boxes=[CORNER])
    with pytest.raises(fk.InvalidInputError, match="classes_ must be"):
        fk.analyze_video("nowhere.mp4", classifier=classifier)
    with pytest.raises(fk.InvalidInputError, match="classes_ must be"):
        fk.create_app(classifier)


def test_a_classifiers_own_names_come_first():
    inner = SimpleNamespace(classes_=[0, 1], class_names_=("calm", "tense"))
    assert classifier_names(inner) == ("calm", "tense")
    search = SimpleNamespace(classes_=[0, 1], best_estimator_=inner)
    assert classifier_names(search) == ("calm", "tense")
    pipeline = SimpleNamespace(classes_=[0, 1], steps=[("scale", None), ("network", inner)])
    assert classifier_names(pipeline) == ("calm", "tense")
    one = SimpleNamespace(estimator=pipeline)
    calibrated = SimpleNamespace(classes_=[0, 1], calibrated_classifiers_=[one])
    assert classifier_names(calibrated) == ("calm", "tense")
    # Inside of a vote, classes are counted.
    vote = SimpleNamespace(classes_=["happy", "sad"], best_estimator_=inner)
    assert classifier_names(vote) == ("happy", "sad")
    assert classifier_names(None) == fk.CLASS_NAMES


def test_an_emotion_keeps_its_colour_in_any_order():
    assert class_colors(FERPLUS_CLASS_NAMES) == CLASS_COLORS
    assert class_colors(sorted(FERPLUS_CLASS_NAMES, reverse=True)) == tuple(
        CLASS_COLORS[FERPLUS_CLASS_NAMES.index(name)]
        for name in sorted(FERPLUS_CLASS_NAMES, reverse=True)
    )
    assert class_colors(["calm", "angry", "tense"])[1] == CLASS_COLORS[0]
    assert class_colors(["calm", " Contempt ", "Anger"])[1:] == (CLASS_COLORS[7], CLASS_COLORS[0])
    assert len(set(class_colors(["calm", "angry", "tense"]))) == 3
    assert len(class_colors([f"class {i}" for i in range(20)])) == 20


def test_the_crop_is_what_was_judged(mean):
    mean.image_shape_ = (64, 32, 3)
    (face,) = fk.analyze_photo(fk.sample_photos()[0], classifier=mean, boxes=[CORNER])
    assert face.crop.shape == (64, 32)
    np.testing.assert_array_equal(mean.seen[0][0], np.repeat(face.crop[..., None], 3, axis=-1))
    with pytest.raises(ValueError, match="read-only"):
        face.crop[0, 0] = 1


def test_photographs_tell_their_upright_size(mean):
    faces = fk.analyze_photo(picture("L", (5000, 40)), classifier=mean, boxes=[])
    assert (faces.width, faces.height) == (5000, 40)
    assert faces == []


class Left(Mean):
    """Tells how bright the left half of a face is."""

    def predict_proba(self, X):
        return super().predict_proba(X[:, :, : X.shape[2] // 2])


def test_views_are_averaged_with_any_classifier():
    image = np.zeros((48, 48), np.uint8)
    image[:, :24] = 255
    plain, flip, crops = (
        fk.analyze_photo(image, classifier=Left(), tta=tta)[0].probabilities[1]
        for tta in (None, "flip", "ten_crop")
    )
    assert (plain, flip) == (1, 0.5)
    assert crops == pytest.approx(0.5)
    with pytest.raises(fk.InvalidInputError, match="tta must be one of"):
        fk.analyze_photo(image, classifier=Left(), tta="flop")


def test_a_classifier_with_views_of_its_own_is_asked_for_them():
    face = fk.make_fer2013(n_samples=14, random_state=0).train.images[:1]
    predictor = fk.load_predictor("five_layer_cnn_small")
    (answer,) = fk.analyze_photo(face[0], classifier=predictor, tta="ten_crop")
    expected = predictor.predict_proba(face, tta="ten_crop")[0]
    np.testing.assert_allclose(answer.probabilities, expected, atol=1e-6)


def test_by_default_a_mirrored_face_gets_the_same_answer():
    face = fk.make_fer2013(n_samples=14, random_state=0).train.images[0]
    default, mirrored = (fk.analyze_photo(one)[0] for one in (face, face[:, ::-1].copy()))
    np.testing.assert_allclose(mirrored.probabilities, default.probabilities, atol=1e-6)
    once = fk.analyze_photo(face, tta=None)[0].probabilities
    given = fk.analyze_photo(face, classifier=fk.load_predictor())[0].probabilities
    np.testing.assert_array_equal(given, once)
    assert abs(once - default.probabilities).max() > 1e-3


def test_photographs_are_named_by_the_network_of_the_votes_in_seven_words():
    face = fk.make_fer2013(n_samples=14, random_state=0).train.images[:1]
    (answer,) = fk.analyze_photo(face[0])
    eight = fk.load_predictor("ferplus_cnn")
    assert eight.class_names_ == (*fk.CLASS_NAMES, "contempt")
    shares = eight.predict_proba(face, tta="flip")[0, :7]
    np.testing.assert_allclose(answer.probabilities, shares / shares.sum(), atol=1e-6)
    assert fk.load_predictor().class_names_ == answer.class_names == fk.CLASS_NAMES


def test_the_lightest_reader_is_taken(tmp_path, monkeypatch):
    assert isinstance(fk.load_predictor("five_layer_cnn"), fk.EmotionPredictor)
    with pytest.raises(fk.ModelFileError, match=r"no such file.*did you mean 'five_layer_cnn'"):
        fk.load_predictor("five_layer_cn")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "five_layer_cnn").write_bytes(b"a file goes before a name")
    with pytest.raises(fk.ModelFileError):
        fk.load_predictor("five_layer_cnn")


def test_the_views_of_a_face_are_averaged(mean):
    levels = [np.full((48, 48), level, np.uint8) for level in (0, 51, 102, 255)]
    box = np.array(CORNER, float)
    found = [FoundFace(box, levels[0], None, tuple(levels[1:3])), FoundFace(box, levels[3])]
    turned, upright = FaceNamer(mean).name(found)
    np.testing.assert_allclose(turned.probabilities, [0.8, 0.2], atol=1e-6)
    np.testing.assert_allclose(upright.probabilities, [0, 1], atol=1e-6)
    assert (turned.crop == 0).all()
