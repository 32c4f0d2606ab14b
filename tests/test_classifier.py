import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import fer2013kit as fk
from fer2013kit._inference import views
from networks import tiny_network

FORMS = {
    "(n,48,48,1)": lambda X: X,
    "(n,48,48)": lambda X: X[..., 0],
    "(n,2304)": lambda X: X.reshape(len(X), -1),
    "int64": lambda X: X.astype(np.int64),
    "float32 in [0, 1]": lambda X: X.astype(np.float32) / 255,
    "float64 in [0, 1]": lambda X: X / 255,
    "list": lambda X: X[..., 0].tolist(),
}


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=280, random_state=0)


def make_classifier(**changes):
    settings = {
        "model": tiny_network,
        "epochs": 2,
        "augment": False,  # tracing it takes longer than training
        "verbose": 0,
        "random_state": 0,
    }
    return fk.EmotionClassifier(**{**settings, **changes})


@pytest.fixture(scope="module")
def fitted(data):
    return make_classifier(epochs=30, learning_rate=0.01, batch_size=16).fit(*data.train)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_a_picture_gives_the_same(data, fitted, form):
    X = data.validation.images
    # The forms differ in rounding alone, which bfloat16 makes visible.
    np.testing.assert_allclose(fitted.predict_proba(form(X)), fitted.predict_proba(X), atol=0.02)


@pytest.fixture(scope="module")
def fold_scores(data):
    """The accuracy on each fold, without scikit-learn's tools for it."""
    X, y = data.train
    folds = StratifiedKFold(2).split(np.zeros(len(y)), y)
    return [make_classifier().fit(X[a], y[a]).score(X[b], y[b]) for a, b in folds]


def test_cross_validation(data, fold_scores):
    X, y = data.train
    scores = cross_val_score(make_classifier(), X[..., 0], y, cv=2)  # flat rows: below
    assert scores == pytest.approx(fold_scores)


@pytest.mark.slow
def test_grid_search(data, fold_scores):
    X, y = data.train
    grid = {"learning_rate": [make_classifier().learning_rate, 1e-9]}  # as above, and idle
    search = GridSearchCV(make_classifier(), grid, cv=2).fit(X.reshape(len(X), -1), y)
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] == pytest.approx(np.mean(fold_scores))
    assert search.best_index_ == scores.argmax()
    expected = make_classifier(**search.best_params_).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(search.predict_proba(X.reshape(len(X), -1)), expected)


def test_it_learns(data, fitted):
    chance = np.bincount(data.train.labels).max() / len(data.train)
    assert fitted.score(*data.train) > chance + 0.2


def test_pipeline_with_a_transform(data):
    X, y = data.train
    pipeline = make_pipeline(FunctionTransformer(fk.equalize_histogram), make_classifier())
    alone = make_classifier().fit(fk.equalize_histogram(X), y)
    expected = alone.predict_proba(fk.equalize_histogram(data.test.images))
    found = pipeline.fit(X, y).predict_proba(data.test.images)
    np.testing.assert_array_equal(found, expected)


def test_clone_is_an_equal_twin():
    clf = make_classifier(rotation=3.0, class_weight={"happy": 2.0}, model_params={"units": 3})
    twin = clone(clf)
    assert twin.get_params() == clf.get_params()
    assert not hasattr(twin, "classes_")


def test_string_labels_come_back(data):
    names = np.array(fk.CLASS_NAMES)[data.train.labels]
    clf = make_classifier().fit(data.train.images, names)
    assert clf.classes_.tolist() == sorted(fk.CLASS_NAMES)
    winners = clf.predict_proba(data.test.images).argmax(axis=1)
    assert clf.predict(data.test.images).tolist() == [sorted(fk.CLASS_NAMES)[i] for i in winners]
    assert clf.class_names_ == tuple(sorted(fk.CLASS_NAMES))


def test_integer_labels_are_named_in_the_report(data, fitted):
    assert fitted.classes_.tolist() == list(range(7))
    assert fitted.evaluate(*data.test).class_names == fk.CLASS_NAMES


def test_classes_may_be_more_than_were_seen(data):
    seen = data.train.labels < 5
    X, y = data.train.images[seen], data.train.labels[seen]
    assert make_classifier().fit(X, y).predict_proba(X[:1]).shape == (1, 5)
    clf = make_classifier(classes=range(8)).fit(X, y)
    assert clf.predict_proba(X[:1]).shape == (1, 8)
    assert clf.class_names_ == tuple("01234567")


def assert_weighted_as_rows(X, labels, weights, **settings):
    """Weights of classes must do what the same weight of each of their rows does."""
    assert np.ptp(weights) > 0
    by_class = make_classifier(**settings).fit(X, labels)
    del settings["class_weight"]
    by_row = make_classifier(**settings).fit(X, labels, sample_weight=weights)
    np.testing.assert_array_equal(by_class.predict_proba(X), by_row.predict_proba(X))


@pytest.mark.parametrize("class_weight", [{10: 1.0, 20: 3.0}, [1.0, 3.0]])
def test_classes_of_any_number_may_be_weighted(data, class_weight):
    labels = np.where(data.train.labels < 2, 10, 20)
    assert_weighted_as_rows(
        data.train.images,
        labels,
        np.where(labels == 10, 1.0, 3.0),
        classes=[10, 20],
        class_weight=class_weight,
    )


def test_evaluate_agrees_with_score_and_calibrate_keeps_the_order(data, fitted):
    clf = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    before = clf.evaluate(*data.test)
    assert before.accuracy == pytest.approx(clf.score(*data.test))
    labels = clf.predict(data.test.images)
    assert clf.calibrate(*data.validation) is clf
    assert clf.temperature_ != 1.0
    np.testing.assert_array_equal(clf.predict(data.test.images), labels)
    calibrated = clf.evaluate(*data.validation).loss
    assert calibrated <= fitted.evaluate(*data.validation).loss


def test_report_says_if_the_temperature_was_fitted_on_its_pictures(data, fitted, tmp_path):
    clf = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    X, y = data.validation
    assert clf.evaluate(X, y).notes == ()
    clf.calibrate(X, y).save(tmp_path / "a.fer")
    again = fk.EmotionClassifier.load(tmp_path / "a.fer", model=tiny_network)
    assert again.calibration_ == clf.calibration_
    order = np.random.default_rng(0).permutation(len(y))
    for one, images in ((clf, X), (again, X / 255), (again, X[..., 0])):
        (note,) = one.evaluate(images[order], y[order]).notes
        assert "fitted on these very images" in note
    assert again.evaluate(*data.test).notes == ()
    both = np.concatenate([X, data.test.images]), np.concatenate([y, data.test.labels])
    (note,) = again.evaluate(*both).notes
    share = len(y) / len(both[1])
    assert f"fitted on about {share:.0%} of these images".replace("%", " %") in note
    page = again.evaluate(X, y).to_html(classifier=again)
    assert "fitted on these very images" in page
    assert f"fitted on {len(y)} images" in page


@pytest.mark.parametrize("tta", [None, "flip", "ten_crop"])
def test_views_are_averaged_into_probabilities(data, fitted, tta):
    probabilities = fitted.predict_proba(data.test.images, tta=tta)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(("side", "moved"), [(48, 1), (96, 2), (14, 1)])
def test_ten_crops_are_five_windows_and_their_mirror_images(side, moved):
    image = np.arange(side * side).reshape(1, side, side, 1)
    crops = list(views(image, "ten_crop"))
    assert [crop.shape for crop in crops] == [image.shape] * 10
    for window, mirrored in zip(crops[::2], crops[1::2], strict=True):
        np.testing.assert_array_equal(mirrored, window[:, :, ::-1])
    middle, *corners = crops[::2]
    np.testing.assert_array_equal(middle, image)
    inner = image[:, moved:-moved, moved:-moved]
    starts = [(2, 2), (2, 0), (0, 2), (0, 0)]  # where the middle of the image lies in each
    for window, (top, left) in zip(corners, starts, strict=True):
        y, x, size = top * moved, left * moved, side - 2 * moved
        np.testing.assert_array_equal(window[:, y : y + size, x : x + size], inner)


def test_flip_makes_mirror_images_equal(data, fitted):
    X = data.test.images
    one, other = (fitted.predict_proba(x, tta="flip") for x in (X, X[:, :, ::-1]))
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert not np.allclose(fitted.predict_proba(X), fitted.predict_proba(X[:, :, ::-1]), atol=1e-3)


def test_a_batch_is_predicted_as_its_pictures_are(data, fitted):
    X = np.concatenate([data.train.images] * 2)  # more than one internal batch
    assert len(X) > 256
    rows = [0, 255, 256, len(X) - 1]
    single = np.concatenate([fitted.predict_proba(X[[row]]) for row in rows])
    np.testing.assert_allclose(fitted.predict_proba(X)[rows], single, atol=0.01)


def test_weights_shift_the_predictions(data):
    X, y = data.train
    plain = make_classifier(epochs=6).fit(X, y)
    heavy = make_classifier(epochs=6, class_weight={**dict.fromkeys(range(7), 1), 1: 50}).fit(X, y)
    named = make_classifier(epochs=6, class_weight=np.where(np.arange(7) == 1, 50.0, 1.0)).fit(X, y)
    rows = make_classifier(epochs=6).fit(X, y, sample_weight=np.where(y == 1, 50.0, 1.0))
    share = [clf.predict_proba(X)[:, 1].mean() for clf in (plain, heavy, named, rows)]
    assert share[1] > share[0] + 0.1
    assert share[1] == pytest.approx(share[2]) == pytest.approx(share[3])


@pytest.mark.parametrize("method", ["balanced", "inverse_sqrt", "effective_number"])
def test_class_weight_by_name_with_strings(data, method):
    X, y = data.train
    uneven = np.flatnonzero((y != 1) | (np.arange(len(y)) % 4 == 0))
    names = np.array(fk.CLASS_NAMES)[y[uneven]]
    weights = fk.sample_weights(names, method)
    assert_weighted_as_rows(X[uneven], names, weights, class_weight=method, loss="focal")


def test_network_without_a_float32_end_is_trained_in_float32(data, caplog):
    def careless(input_shape, num_classes):
        import keras

        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.Flatten(),
                keras.layers.Dense(num_classes, activation="softmax"),
            ]
        )

    clf = make_classifier(model=careless, compute_dtype="bfloat16").fit(*data.train)
    assert clf.compute_dtype_ == "float32"
    assert "dtype='float32'" in caplog.text


def test_unfitted_says_so(data):
    for call in (make_classifier().predict, make_classifier().predict_proba):
        with pytest.raises(NotFittedError):
            call(data.test.images)


BAD_SETTINGS = {
    "epochs": 0,
    "batch_size": 2.5,
    "learning_rate": -1,
    "loss": "hinge",
    "compute_dtype": "half",
    "label_smoothing": 1.0,
    "rotation": 200,
    "patience": 0,
    "value_range": (1, 0),
    "verbose": 5,
}


@pytest.mark.parametrize(("name", "value"), BAD_SETTINGS.items())
def test_bad_setting_is_named(data, name, value):
    with pytest.raises(fk.InvalidInputError, match=f"{name} must"):
        make_classifier(**{name: value}).fit(*data.train)


def test_all_bad_settings_are_named_at_once(data):
    with pytest.raises(fk.InvalidInputError) as caught:
        make_classifier(**BAD_SETTINGS).fit(*data.train)
    assert all(f"{name} must" in str(caught.value) for name in BAD_SETTINGS)


def bad_inputs(data):
    X, y = data.train
    spoilt = (X / 255).astype(np.float32)
    spoilt[3, 4, 5] = np.nan
    return {
        "NaN": (spoilt, y, "NaN"),
        "infinite": (np.where(np.isnan(spoilt), np.inf, spoilt), y, "infinity"),
        "floats to 255": (X.astype(float), y, r"must be in \[0, 1\]; received 0 to"),
        "integers to 300": (X.astype(int) + 100, y, r"must be in \[0, 255\]"),
        "other size": (X[:, :40], y, r"must have shape \(n, 48, 48\)"),
        "2303 pixels": (X.reshape(len(X), -1)[:, 1:], y, r"received \(\d+, 2303\)"),
        "one image": (X[0, :, :, 0], y[:48], "must have shape"),
        "label 7": (X, np.where(y == 6, 7, y), "received 7"),
        "label -1": (X, y - 1, "received -1"),
        "half a label": (X, y + 0.5, "continuous"),
        "lengths differ": (X, y[:-1], "inconsistent"),
        "one class": (X[y == 3], y[y == 3], "at least two classes"),
        "zero rows": (X[:0], y[:0], "0 sample"),
        "ragged": ([[[1, 2], [3]]], [0], "one size"),
        "words": (np.full((4, 2304), "x"), [0, 1, 2, 3], "X must hold numbers"),
    }


@pytest.mark.parametrize("case", bad_inputs(fk.make_fer2013(n_samples=70, random_state=0)))
def test_bad_input_is_refused_with_a_reason(data, case):
    X, y, message = bad_inputs(data)[case]
    clf = make_classifier()
    with pytest.raises(fk.InvalidInputError, match=message):
        clf.fit(X, y)
    with pytest.raises(NotFittedError):
        clf.predict(data.test.images)


def test_bad_input_after_fit(data, fitted):
    X, y = data.test
    with pytest.raises(fk.InvalidInputError, match="tta must be one of"):
        fitted.predict(X, tta="five_crop")
    with pytest.raises(fk.InvalidInputError, match="same length"):
        fitted.evaluate(X, y[:-1])
    with pytest.raises(fk.InvalidInputError, match="0 sample"):
        fitted.evaluate(X[:0], y[:0])
    with pytest.raises(fk.InvalidInputError, match="received 7"):
        fitted.evaluate(X, np.full(len(X), 7))
    with pytest.raises(fk.InvalidInputError, match="must have shape"):
        fitted.predict(X[:, :, :47])


def test_unknown_model_is_refused_by_fit(data):
    with pytest.raises(fk.UnknownModelError, match="did you mean 'five_layer_cnn'"):
        make_classifier(model="five_layer_cn").fit(*data.train)


def test_bad_validation_data(data):
    with pytest.raises(fk.InvalidInputError, match="validation_data must be"):
        make_classifier().fit(*data.train, validation_data=3)
    with pytest.raises(fk.InvalidInputError, match="restore_best_weights needs validation_data"):
        make_classifier(restore_best_weights=True).fit(*data.train)


def test_bad_class_weight(data):
    with pytest.raises(fk.InvalidInputError, match="one value for each"):
        make_classifier(class_weight=[1.0, 2.0]).fit(*data.train)
    with pytest.raises(fk.InvalidInputError):
        make_classifier(class_weight="balance").fit(*data.train)


@pytest.mark.parametrize(
    "settings",
    [
        *({name: value} for name in ("learning_rate", "weight_decay", "mixup", "warmup_epochs")
          for value in (np.inf, np.nan, np.float32(np.inf))),
        *({"random_state": value} for value in (-1, 2**32, 1.5, "a", True)),
        *({"image_shape": value} for value in ((48, 48), (48, 48, 0), (48.0, 48, 1), "48")),
        *({"value_range": value} for value in ((0, np.inf), ("a", "b"), (np.nan, 1))),
        *({"class_weight": np.full(7, value)} for value in (np.inf, np.nan, -1, 0, 1e300)),
        {"classes": [None, 1]},
    ],
    ids=str,
)  # fmt: skip
def test_numbers_that_are_none_are_refused(data, settings):
    with pytest.raises(fk.InvalidInputError):
        make_classifier(**settings).fit(*data.train)


@pytest.mark.parametrize("weight", [np.inf, np.nan, -1, 0, 1e300])
def test_weights_that_are_none_are_refused(data, weight):
    with pytest.raises(fk.InvalidInputError):
        make_classifier().fit(*data.train, sample_weight=np.full(len(data.train), weight))


def test_times_are_neither_pictures_nor_labels(data):
    X, y = data.train
    with pytest.raises(fk.InvalidInputError, match="numbers"):
        make_classifier().fit(X.astype("M8[s]"), y)
    with pytest.raises(fk.InvalidInputError, match="numbers"):
        fk.EmotionPredictor.from_pretrained().predict(X.astype("m8[s]"))
    with pytest.raises(fk.InvalidInputError, match="labels"):
        make_classifier().fit(X, y.astype("M8[D]"))
