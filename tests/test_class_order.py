"""Labels in one order of the classes and answers in another are doubted, and nothing else is."""

import warnings

import numpy as np
import pytest

import fer2013kit as fk
from fer2013kit._class_order import exchanged_classes
from fer2013kit.classifier._glance import as_faces

BY_ALPHABET = tuple(sorted(fk.CLASS_NAMES))
NUMBER = np.array([BY_ALPHABET.index(name) for name in fk.CLASS_NAMES])
"""Of each code, the number that Keras gives its folder."""
TINY = {"filters": (4, 4, 4), "dense_units": 4, "dense_dropout": 0}


@pytest.fixture(scope="module")
def faces():
    return fk.make_fer2013(n_samples=1000, random_state=3).train


def doubted(match="number the classes in"):
    return pytest.warns(fk.Fer2013KitWarning, match=match)


def make(**settings):
    return fk.EmotionClassifier(
        model_params=TINY, epochs=1, random_state=0, compute_dtype="float32", verbose=0, **settings
    )


@pytest.mark.parametrize("order", [(1, 0, 2), (1, 2, 0), (2, 1, 0)])
def test_every_cycle_is_found(order):
    codes = np.repeat([0, 1, 2], 20)
    moved = {code: other for code, other in enumerate(order) if code != other}
    assert exchanged_classes(codes, np.array(order)[codes], 3) == moved


def test_a_mistake_in_one_direction_is_no_other_order():
    codes = np.repeat([0, 1, 2], 30)
    assert exchanged_classes(codes, np.array([1, 2, 2])[codes], 3) == {}  # a chain
    assert exchanged_classes(codes, np.array([1, 1, 1])[codes], 3) == {}
    assert exchanged_classes(codes, codes, 3) == {}


def test_a_class_that_leads_into_a_cycle_is_no_part_of_it():
    codes = np.repeat([0, 1, 2, 3], 30)
    assert exchanged_classes(codes, np.array([1, 2, 1, 0])[codes], 4) == {1: 2, 2: 1}


def test_few_samples_say_nothing():
    codes = np.repeat([0, 1], 12)
    assert exchanged_classes(codes, 1 - codes, 2) == {}
    codes = np.repeat([0, 1], 13)
    assert exchanged_classes(codes, 1 - codes, 2) == {0: 1, 1: 0}


@pytest.mark.parametrize("n_classes", [2, 7])
def test_answers_that_know_nothing_are_not_doubted(n_classes):
    rng = np.random.default_rng(0)
    for _ in range(500):
        codes, predicted = rng.integers(0, n_classes, (2, 300))
        assert exchanged_classes(codes, predicted, n_classes) == {}


def test_columns_by_the_alphabet_are_doubted_wherever_they_are_compared(faces):
    y = faces.labels
    table = np.eye(7)[y][:, np.argsort(NUMBER)] * 0.9 + 0.1 / 7
    exchanged = "sad for surprise, surprise for neutral, neutral for sad;"
    for compare in (
        lambda: fk.evaluate_predictions(y, table),
        lambda: fk.evaluate_predictions(np.eye(7)[y] * 0.8 + 0.2 / 7, table),
        lambda: fk.compare_predictions(y, y, table, n_resamples=10),
        lambda: fk.compare_predictions(y, table, y, n_resamples=10),
        lambda: fk.risk_coverage_curve(y, table),
        lambda: fk.plot_roc(y, table),
    ):
        with doubted(exchanged):
            compare()
    assert fk.evaluate_predictions(NUMBER[y], table, class_names=BY_ALPHABET).accuracy == 1


def test_a_benchmark_names_once_whose_columns_are_doubted(faces):
    X, y = faces.images[:200], faces.labels[:200]
    table = np.eye(7)[y] * 0.9 + 0.1 / 7
    mine = {"right": lambda X: table, "alphabet": lambda X: table[:, np.argsort(NUMBER)]}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fk.benchmark(mine, fk.Split(X, y), latency=False)
    (only,) = (str(one.message) for one in said)
    assert only.startswith("labels and the answers of alphabet seem to number")


def test_labels_by_the_alphabet_are_doubted_by_a_classifier(faces):
    clf = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
    X, wrong = faces.images, NUMBER[faces.labels]
    for measure in (clf.evaluate, clf.score, clf.calibrate):
        with doubted("sad for neutral, "):
            measure(X, wrong)
    assert clf.evaluate(X, faces.labels).accuracy == clf.score(X, faces.labels)


@pytest.mark.parametrize("change", [lambda X: X, lambda X: X / 255, fk.grayscale_to_rgb])
def test_fit_doubts_labels_by_the_alphabet(faces, change):
    X = change(faces.images)
    with doubted():
        make(image_shape=X.shape[1:]).fit(X, NUMBER[faces.labels])


def test_a_glance_takes_pictures_of_any_size(faces):
    pictures = fk.grayscale_to_rgb(fk.resize(faces.images, (96, 128))).astype(np.float32) + 0.2
    assert np.abs(as_faces(pictures).astype(int) - faces.images).mean() < 2


@pytest.fixture(scope="module")
def public_test(shared_data):
    return fk.load_fer2013(shared_data / "fer2013-kaggle.zip").validation


def test_fers_labels_in_another_order_are_doubted(public_test):
    X, y = public_test
    predicted = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small").predict(X)
    rafdb = np.array([5, 2, 1, 3, 4, 0, 6])
    for seed in range(50):
        rng = np.random.default_rng(seed)
        some = [rng.permutation(np.flatnonzero(y == code))[:50] for code in range(7)]
        rows = np.concatenate(some)
        by_code, by_alphabet, by_rafdb = (
            exchanged_classes(labels[rows], predicted[rows], 7)
            for labels in (y, NUMBER[y], rafdb[y])
        )
        assert by_code == {}
        assert by_alphabet == {4: 6, 5: 4, 6: 5}
        assert by_rafdb


def test_fit_believes_what_fits(faces):
    X, y = faces
    for labels, settings in (
        (y, {}),
        (np.array(fk.CLASS_NAMES)[y], {}),
        (NUMBER[y], {"class_names": BY_ALPHABET}),
        (np.array(list("abcdefg"))[NUMBER[y]], {}),
        (NUMBER[y], {"class_names": list("abcdefg")}),
        (NUMBER[y], {"value_range": None}),  # its pixels may be anything
    ):
        assert make(**settings).fit(X, labels).history_["loss"]


def test_words_and_some_of_the_classes_are_doubted_too(faces):
    X, wrong = faces.images, NUMBER[faces.labels]
    some = np.isin(wrong, [3, 4, 5, 6])
    with doubted():
        make().fit(X[some], wrong[some])
    with doubted():  # words that were read off the wrong list
        make().fit(X, np.array(fk.CLASS_NAMES)[wrong])


def test_fit_doubts_the_first_batches_of_a_stream(faces):
    X, wrong = faces.images, NUMBER[faces.labels]

    def batches(epoch):
        for start in range(0, len(X), 40):
            yield X[start : start + 40], wrong[start : start + 40]

    with doubted():
        make(classes=range(7)).fit(batches, steps_per_epoch=20)


def test_images_of_a_stream_without_votes_say_nothing(faces):
    X, votes = faces.images, np.eye(7)[faces.labels]
    votes[np.isin(faces.labels, [0, 6])] = 0

    def batches(epoch):
        yield X, votes

    assert make(classes=range(7)).fit(batches, steps_per_epoch=1).history_["loss"]


def test_fit_goes_on_where_nothing_can_look(faces, monkeypatch):
    def missing(name):
        raise fk.MissingDependencyError("a .tflite file needs LiteRT")

    monkeypatch.setattr(fk.EmotionPredictor, "from_pretrained", missing)
    assert make().fit(faces.images, NUMBER[faces.labels]).history_["loss"]
