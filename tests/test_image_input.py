"""What a classifier accepts as images, before it looks at the numbers."""

import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest

import fer2013kit as fk
from fer2013kit._image_input import read_pictures, with_shape
from networks import tiny_network

FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), np.uint8)
COLUMN = [" ".join(map(str, face.ravel())) for face in FACES]


@pytest.mark.parametrize(
    "kind",
    [list, np.array, pd.Series, pd.DataFrame, lambda column: np.array(column, object)[:, None]],
)
def test_a_column_of_pixel_texts_is_answered_with_the_way(kind):
    with pytest.raises(fk.InvalidInputError, match="to_face") as caught:
        read_pictures(kind(COLUMN), (48, 48, 1))
    assert len(str(caught.value)) < 300
    # The way that it names is one.
    column = kind(COLUMN) if kind is pd.Series else COLUMN
    np.testing.assert_array_equal(np.stack([fk.to_face(text) for text in column]), FACES)


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"emotion": [3] * 3, "pixels": COLUMN, "Usage": ["Training"] * 3}),
        [text.replace(" ", ",") for text in COLUMN],
        [f"[{text}]".replace(" ", ", ") for text in COLUMN],
        [text.replace(" ", ";") for text in COLUMN],
        [text.replace(" ", ".0 ") for text in COLUMN],
        COLUMN[0],
    ],
    ids=["rows of a table", "commas", "lists", "semicolons", "floats", "one"],
)
def test_texts_of_pixels_are_known_wherever_they_stand(X):
    with pytest.raises(fk.InvalidInputError, match="turn a column of pixels"):
        read_pictures(X, (48, 48, 1))


def test_a_column_of_arrays_is_answered_with_the_way():
    column = pd.Series([face.ravel() for face in FACES])
    with pytest.raises(fk.InvalidInputError, match=r"numpy.stack\(list\(column\)\)"):
        read_pictures(column, (48, 48, 1))
    assert read_pictures(np.stack(list(column)), (48, 48, 1)).shape == (3, 48, 48, 1)


def test_other_texts_are_not_repeated():
    with pytest.raises(fk.InvalidInputError, match="X must hold numbers") as caught:
        read_pictures([["x" * 9999] * 2304], (48, 48, 1))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("kind", [list, np.array, pd.DataFrame])
def test_numbers_of_any_container_pass(kind):
    rows = kind(FACES.reshape(3, -1).tolist())
    assert with_shape(rows).shape == (3, 2304)
    objects = np.array(FACES.reshape(3, -1).tolist(), object)
    assert with_shape(objects) is objects


@pytest.mark.parametrize("kind", [list, np.array, pd.DataFrame])
def test_true_and_false_are_no_pixels_in_any_container(kind):
    X = kind((FACES.reshape(3, -1) > 127).tolist())
    predictor = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small")
    for use in (predictor.predict, lambda X: fk.training_batches(X, [0, 1, 2])):
        with pytest.raises(fk.InvalidInputError, match=r"X must hold numbers; received dtype bool"):
            use(X)


def test_fractions_that_became_integers_are_doubted():
    predictor = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small")
    X = fk.make_fer2013(n_samples=14, random_state=0).train.images
    with pytest.warns(fk.Fer2013KitWarning, match="0 and 1 alone, black where 255 is white"):
        predictor.predict((X / 255).round().astype(np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predictor.predict(np.zeros_like(X))  # as a covered camera gives
        predictor.predict(X / 255)


@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1), (0, 255)])
def test_rounding_does_not_leave_the_range(value_range):
    faces = np.linspace(*value_range, 2304).reshape(1, 48, 48, 1)
    X = np.concatenate([np.nextafter(faces, np.inf), np.nextafter(faces, -np.inf)])
    assert X.max() > value_range[1]
    assert X.min() < value_range[0]
    assert len(read_pictures(X, (48, 48, 1), value_range)) == 2
    width = value_range[1] - value_range[0]
    with pytest.raises(fk.InvalidInputError, match=r"received .* to (1\.00000[24]|255\.0005)\."):
        read_pictures(X + 2e-6 * width, (48, 48, 1), value_range)


@pytest.mark.parametrize(
    ("X", "advice"),
    [
        (FACES[0], r"as X\[None\]"),
        (FACES[0, ..., 0], r"as X\[None\]"),
        (FACES[:, :9], r"resize; Emotion.*=\(9, 48, 1\)\)"),
    ],
)
def test_one_picture_and_other_sizes_are_answered_with_the_way(X, advice):
    with pytest.raises(fk.InvalidInputError, match=advice):
        read_pictures(X, (48, 48, 1))


def test_what_was_passed_is_told_what_it_lacks():
    data = fk.make_fer2013(n_samples=14, random_state=0)
    with pytest.raises(fk.InvalidInputError, match=r"pass both: fit\(\*data\.train\)$"):
        fk.EmotionClassifier().fit(data.train.images, None)
    predictor = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small")
    with pytest.raises(fk.InvalidInputError, match=r"read by analyze_photo\(path\)$"):
        predictor.predict(["a.jpg"])


@pytest.mark.parametrize(
    ("shape", "advice"),
    [
        ((9, 48, 48, 3), r"grey with fer2013kit\.to_grayscale; .*image_shape=\(48, 48, 3\)\)"),
        ((9, 64, 64), r"to_face or resize; EmotionClassifier\(image_shape=\(64, 64, 1\)\) trains"),
        ((9, 3, 48, 48), r"Channels come last: numpy\.moveaxis\(X, 1, -1\)$"),
        ((9, 1, 48, 48), r"Channels come last: numpy\.moveaxis\(X, 1, -1\)$"),
        ((48, 48, 3), r"One image is passed as X\[None\]$"),
        ((9, 6912), r"other sizes there with fer2013kit\.to_face or resize$"),
    ],
)
def test_pictures_of_another_shape_are_answered_with_the_way(shape, advice):
    X = np.zeros(shape, np.uint8)
    predictor = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small")
    for call in (
        partial(predictor.predict, X),
        partial(fk.EmotionClassifier().fit, X, np.arange(len(X)) % 7),
    ):
        with pytest.raises(fk.InvalidInputError, match=advice):
            call()


def test_films_are_no_pictures_of_any_size():
    clf = fk.EmotionClassifier(tiny_network, image_shape=None)
    with pytest.raises(fk.InvalidInputError, match=r"^X must have shape \(n, height.*\(4, 3, 8,"):
        clf.fit(np.zeros((4, 3, 8, 8, 1), np.uint8), [0, 1, 0, 1])


def test_grey_pictures_of_a_network_for_colour_are_answered_with_the_way():
    clf = fk.EmotionClassifier(image_shape=(48, 48, 3))
    with pytest.raises(fk.InvalidInputError, match=r"channels with fer2013kit\.grayscale_to_rgb; "):
        clf.fit(np.zeros((9, 48, 48), np.uint8), np.arange(9) % 7)


def test_exchanged_arguments_are_told():
    X, y = fk.make_fer2013(n_samples=70, random_state=0).test
    clf = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
    for call in (clf.fit, clf.score, clf.evaluate, clf.calibrate):
        with pytest.raises(fk.InvalidInputError, match="labels: were they exchanged"):
            call(y, X)


def test_fractions_of_a_split_are_answered_with_the_way():
    with pytest.raises(fk.InvalidInputError, match=r"float64; of fractions .* take \(X \* 255\)"):
        fk.Split(np.zeros((2, 48, 48)))
    with pytest.raises(fk.InvalidInputError, match=r"to_face or resize brings others there$"):
        fk.Split(np.zeros((2, 64, 64), np.uint8))


def test_a_bare_network_of_keras_is_answered_with_the_way():
    network = fk.create_model(tiny_network)
    for call, advice in (
        (fk.load_predictor, "where wrapped has predict_proba"),
        (fk.create_app, "where wrapped has predict_proba"),
        (partial(fk.analyze_photo, np.zeros((48, 48, 3), np.uint8), classifier=network), "wrapped"),
        (lambda one: fk.EnsembleClassifier([one, one]), "average the probabilities yourself"),
    ):
        with pytest.raises(fk.InvalidInputError, match=advice):
            call(network) if not isinstance(call, partial) else call()
    with pytest.raises(fk.InvalidInputError, match="load_predictor reads a name or a file"):
        fk.analyze_photo(np.zeros((48, 48, 3), np.uint8), classifier="ferplus_cnn")
