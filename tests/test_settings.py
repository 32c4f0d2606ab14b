"""Numbers that users set: what is none is refused at once, by every function alike."""

import inspect
import itertools
import math
import warnings
from contextlib import suppress
from functools import partial
from operator import attrgetter

import numpy as np
import pandas as pd
import pytest

import fer2013kit as fk
from fer2013kit._checks import check_number, check_whole
from networks import tiny_network

NONE = [True, np.bool_(True), math.inf, -math.inf, math.nan, -1, "3", None, [2], 1j, 10**400]
FACE = np.zeros((2, 48, 48, 1), np.uint8)
CODES = [0, 1]
TABLE = np.eye(7)[CODES]
PHOTO = np.zeros((48, 48, 3), np.uint8)
CASES = {
    "analyze_photo margin": lambda value: fk.analyze_photo(PHOTO, margin=value),
    "analyze_photos batch_size": lambda value: fk.analyze_photos([PHOTO], batch_size=value),
    "analyze_video duration": lambda value: fk.analyze_video("no.mp4", duration=value),
    "analyze_video sampling_rate": lambda value: fk.analyze_video("no.mp4", sampling_rate=value),
    "apply_clahe clip_limit": lambda value: fk.apply_clahe(FACE, clip_limit=value),
    "apply_clahe tiles": lambda value: fk.apply_clahe(FACE, tiles=(4, value)),
    "audit_dataset min_correlation": lambda value: fk.audit_dataset(
        fk.Split(FACE), min_correlation=value
    ),
    "average_weights batch_size": lambda value: fk.average_weights([], FACE, batch_size=value),
    "class_counts n_classes": lambda value: fk.class_counts(CODES, value),
    "class_weights n_classes": lambda value: fk.class_weights(CODES, n_classes=value),
    "compare_predictions confidence_level": lambda value: fk.compare_predictions(
        CODES, TABLE, TABLE, confidence_level=value
    ),
    "compare_predictions n_resamples": lambda value: fk.compare_predictions(
        CODES, TABLE, TABLE, n_resamples=value
    ),
    "create_app max_megabytes": lambda value: fk.create_app(max_megabytes=value),
    "create_app max_seconds": lambda value: fk.create_app(max_seconds=value),
    "create_model input_shape": lambda value: fk.create_model(input_shape=(48, value, 1)),
    "create_model num_classes": lambda value: fk.create_model(num_classes=value),
    "evaluate_predictions n_bins": lambda value: fk.evaluate_predictions(
        CODES, TABLE, n_bins=value
    ),
    "EmotionPredictor num_threads": lambda value: fk.EmotionPredictor.from_pretrained(
        "five_layer_cnn_small", num_threads=value
    ),
    "FaceAugmentation rotation": lambda value: fk.FaceAugmentation(rotation=value),
    "FaceAugmentation seed": lambda value: fk.FaceAugmentation(seed=value),
    "FaceDetector enlarge": lambda value: fk.FaceDetector(enlarge=value),
    "FaceDetector max_side": lambda value: fk.FaceDetector(max_side=value),
    "FaceDetector min_score": lambda value: fk.FaceDetector(min_score=value),
    "FaceTracker search_interval": lambda value: fk.FaceTracker(search_interval=value),
    "FaceTracker smoothing": lambda value: fk.FaceTracker(smoothing=value),
    "load_image_folder image_shape": lambda value: fk.load_image_folder(
        ".", image_shape=(48, value, 1)
    ),
    "make_fer2013 n_samples": fk.make_fer2013,
    "plot_samples n": lambda value: fk.plot_samples(FACE, CODES, n=value),
    "resize size": lambda value: fk.resize(FACE, (value, 20)),
    "sample_weights n_classes": lambda value: fk.sample_weights(CODES, n_classes=value),
    "score part_size": lambda value: fk.score(".", "/no", part_size=value),
    "score workers": lambda value: fk.score(".", "/no", workers=value),
    "Split image_shape": lambda value: fk.Split(FACE, image_shape=(48, value, 1)),
    "to_one_hot n_classes": lambda value: fk.to_one_hot(CODES, value),
    "training_batches classifier": lambda value: fk.training_batches(
        FACE, CODES, classifier=value
    ),
}  # fmt: skip
MAY_BE_NONE = {
    *("analyze_photo margin", "analyze_video duration", "analyze_video sampling_rate"),
    *("class_weights n_classes", "sample_weights n_classes", "EmotionPredictor num_threads"),
    *("FaceAugmentation seed", "FaceTracker search_interval", "FaceTracker smoothing"),
    "training_batches classifier",
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_no_number_is_refused(case):
    name = case.split()[1].removesuffix("s")
    for value in NONE:
        if value is None and case in MAY_BE_NONE:
            continue
        if value == math.inf and "clip_limit" in case:  # no limit
            continue
        with pytest.raises(fk.InvalidInputError) as caught:
            CASES[case](value)
        message = str(caught.value)
        assert name in message or "height" in message, (case, value)
        assert len(message) < 500, (case, value)


FLAGS = {
    "analyze_photo": ["align"],
    "analyze_photos": ["align", "progress", "return_errors"],
    "analyze_video": ["align", "progress"],
    "annotate": ["numbers"],
    "audit_dataset": ["near_duplicates"],
    "AuditReport.drop_duplicates": ["near_duplicates"],
    "AuditReport.drop_leaks": ["near_duplicates"],
    "benchmark": ["drop_leaks", "latency"],
    "EmotionClassifier": ["augment", "horizontal_flip", "restore_best_weights", "warm_start"],
    "FaceAugmentation": ["clip", "horizontal_flip"],
    "FaceDetector": ["mirrored", "turned"],
    "FaceTracker": ["align"],
    "FaceTracker.update": ["is_cut"],
    "FER2013.subset": ["stratified"],
    "FER2013.to_frame": ["pixels"],
    "fetch_fer2013": ["cache", "download_if_missing"],
    "load_fer2013": ["cache", "contempt", "resize"],
    "load_image_folder": ["cache", "contempt"],
    "PhotoScorer": ["crops"],
    "register_model": ["overwrite"],
    "score": ["crops", "progress"],
}
DATA = fk.make_fer2013(n_samples=70, random_state=0)
GIVEN = {
    "analyze_photo": [PHOTO],
    "analyze_photos": [[PHOTO]],
    "analyze_video": ["no.mp4"],
    "annotate": [PHOTO, []],
    "audit_dataset": [DATA],
    "AuditReport.drop_duplicates": [fk.audit_dataset(DATA)],
    "AuditReport.drop_leaks": [fk.audit_dataset(DATA)],
    "benchmark": [["five_layer_cnn_small"], DATA],
    "FaceTracker.update": [fk.FaceTracker(), PHOTO],
    "FER2013.subset": [DATA],
    "FER2013.to_frame": [DATA],
    "load_fer2013": ["no.csv"],
    "load_image_folder": ["."],
    "register_model": ["tiny", tiny_network],
    "score": [".", "/no"],
}
NO_FLAGS = ["no", "False", 0, 1, None, [True], np.array([True, False])]


def fitted(**settings):
    """Return a classifier that was fitted; until then, nothing of it is looked at."""
    return fk.EmotionClassifier(tiny_network, epochs=1, **settings).fit(FACE, CODES)


@pytest.mark.parametrize("function", FLAGS)
def test_what_is_no_flag_is_refused(function):
    call = fitted if function == "EmotionClassifier" else attrgetter(function)(fk)
    for name, value in itertools.product(FLAGS[function], NO_FLAGS):
        with pytest.raises(fk.InvalidInputError, match=rf"{name} must be True or False; received"):
            call(*GIVEN.get(function, []), **{name: value})


def test_every_flag_of_a_function_is_among_them():
    found = {}
    for name in fk.__all__:
        one = getattr(fk, name)
        public = vars(one) if isinstance(one, type) else {}
        methods = {key: method for key, method in public.items() if key[0] != "_"}
        for full, call in {name: one, **{f"{name}.{key}": m for key, m in methods.items()}}.items():
            with suppress(TypeError, ValueError):  # it cannot be called
                parameters = inspect.signature(call).parameters.values()
                if flags := sorted(p.name for p in parameters if isinstance(p.default, bool)):
                    found[full] = flags
    assert found == FLAGS


def test_flags_of_numpy_are_flags(tmp_path):
    no = np.bool_(False)
    assert fk.FaceDetector(turned=no, mirrored=no).turned == no
    DATA.save(tmp_path / "faces.npz")
    assert len(fk.load_fer2013(tmp_path / "faces.npz", cache=no, resize=no).train) == 56
    fitted(augment=no, warm_start=no).save(tmp_path / "x.fer")


@pytest.mark.parametrize("model", ["deep_cnn", "five_layer_cnn", "residual_cnn", "vgg_10"])
def test_a_flag_is_no_number_of_an_architecture(model):
    for name, value in (("dense_units", True), ("filters", (8, True, 8)), ("crop", np.bool_(True))):
        with pytest.raises(fk.InvalidInputError, match=f"^{name} must be no flag"):
            fk.create_model(model, **{name: value})
    with pytest.raises(fk.InvalidInputError, match=r"^dense_units must be no flag"):
        fk.EmotionClassifier(model, model_params={"dense_units": True}).fit(FACE, CODES)


@pytest.mark.parametrize("name", ["model", "input_shape", "num_classes", "output"])
def test_what_each_builder_is_given_is_no_parameter_of_it(name):
    with pytest.raises(fk.InvalidInputError, match=f"model_params must hold no '{name}'"):
        fitted(model_params={name: 3})


@pytest.mark.parametrize(("name", "most"), [("learning_rate", 38), ("mixup", 6), ("cutmix", 6)])
def test_numbers_that_training_cannot_compute_with_are_refused(name, most):
    wanted = rf"{name} must be a number in \[0, 1e\+{most:02}\]"
    with pytest.raises(fk.InvalidInputError, match=wanted):
        fitted(**{name: 1e308})


def test_whole_numbers_of_numpy_are_whole_numbers():
    three = np.int64(3)
    assert type(check_whole("n", three)) is int
    predictor = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small", num_threads=three)
    assert predictor.predict(FACE).shape == (2,)
    assert fk.FaceDetector(max_side=np.int32(640)).max_side == 640
    assert fk.to_one_hot(CODES, three).shape == (2, 3)
    assert fk.resize(FACE, np.array([20, 30])).shape == (2, 20, 30, 1)
    assert len(fk.make_fer2013(np.int64(70), random_state=0).train) == 56


@pytest.mark.parametrize("value", [0, 4, 3.0, 2**40])
def test_a_whole_number_out_of_range_is_refused(value):
    with pytest.raises(fk.InvalidInputError, match=r"^n must be a whole number from 1 to 3; rec"):
        check_whole("n", value, most=3)


def test_an_interval_has_the_ends_that_it_says():
    for interval, inside, outside in (
        ("(0, 1]", [1e-300, 1, np.float32(0.5)], [0, 1.0001]),
        ("[0, 1)", [0, 0.999], [-1e-300, 1]),
        ("[0, inf)", [0, 10**300], [math.inf, 10**309]),
    ):
        for value in inside:
            check_number("x", value, interval)
        for value in outside:
            with pytest.raises(fk.InvalidInputError, match=r"^x must be a number in "):
                check_number("x", value, interval)


@pytest.mark.parametrize("label", [math.nan, math.inf, True, [9], {}, 1j, 10**30, np.arange(2)])
def test_a_label_of_refusal_beside_numbers_is_a_number(label):
    predictor = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small")
    with pytest.raises(fk.InvalidInputError, match=r"^reject_label must be a number that"):
        predictor.predict(FACE, min_confidence=0.5, reject_label=label)


@pytest.mark.parametrize(
    "call",
    [
        partial(fk.create_app, hosts="example.org"),
        partial(fk.create_app, hosts=3),
        partial(fk.create_app, hosts=[3]),
        partial(fk.create_app, label=3),
        partial(fk.score, ".", "/no", classifier=3),
        partial(fk.score, ".", "/no", storage_options=[2]),
        partial(fk.analyze_photo, PHOTO, detector=np.arange(2)),
        partial(fk.create_model, dense_units=math.inf),
        partial(fk.create_model, dense_units=10**30),
        partial(fk.EnsembleClassifier, [1, 2], weights=[True, 1]),
    ],
    ids=lambda call: f"{call.func.__name__} {call.keywords}",
)
def test_other_settings_are_refused_by_the_kit(call):
    with pytest.raises(fk.InvalidInputError):
        call()


@pytest.mark.parametrize(
    "settings",
    [{"augment": "no"}, {"checkpoint_dir": 3}, {"epochs": 10**30}, {"batch_size": 10**30}],
    ids=str,
)
def test_settings_of_training_are_refused(settings):
    with pytest.raises(fk.InvalidInputError, match=f"^{next(iter(settings))} must"):
        fk.EmotionClassifier(tiny_network, **settings).fit(FACE, CODES)


def test_whatever_lists_labels_is_taken():
    faces = DATA.train.subset(np.isin(DATA.train.labels, [0, 3]))
    for classes in (np.array([0.0, 3.0]), pd.Series([0, 3]), {0, 3}, [fk.Emotion.ANGRY, "happy"]):
        assert len(DATA.subset(classes=classes).train) == len(faces)
    assert len(DATA.subset(classes=fk.Emotion).train) == len(DATA.train)
    for classes in ("happy", 3, {3: "happy"}, [1.5], [math.nan], [None]):
        with pytest.raises(fk.InvalidInputError, match=r"^classes must be"):
            DATA.subset(classes=classes)


@pytest.mark.parametrize("name", ["classes", "class_names"])
def test_what_has_no_order_does_not_name_classes(name):
    for value in ({"a", "b"}, {"a": 1, "b": 2}, (word for word in "ab"), "ab", 2):
        with pytest.raises(fk.InvalidInputError, match=rf"^{name} must be .* words; received"):
            fitted(**{name: value})


def test_what_has_no_order_is_no_range():
    for value in ({0.0, 1.0}, {0.0: "black", 1.0: "white"}, iter((0.0, 1.0))):
        with pytest.raises(fk.InvalidInputError, match=r"^value_range must be None or"):
            fitted(value_range=value)


def test_an_error_of_the_kit_within_an_argument_is_not_renamed():
    class Stored:
        def __array__(self, *_, **__):
            raise fk.ModelFileError("shard 3 is damaged")

    with pytest.raises(fk.ModelFileError, match=r"^shard 3 is damaged"):
        fk.class_counts(Stored())

    def items():
        yield "a.jpg", PHOTO
        raise ValueError("of the caller")

    with pytest.raises(ValueError, match=r"^of the caller$"):
        fk.PhotoScorer().rows(items())


def test_a_storage_that_cannot_be_used_is_no_password_on_the_screen(tmp_path):
    clf = fk.EmotionClassifier(tiny_network, epochs=1, verbose=0)
    (tmp_path / "x.db").write_text("no database")
    for storage in ("", 3, tmp_path / "x.db", "postgresql+nothing://me:secret@host/db"):
        with pytest.raises(fk.InvalidInputError, match=r"^storage ") as caught:
            fk.tune(clf, DATA, storage=storage)
        assert "secret" not in str(caught.value)


def test_a_word_that_is_nearly_an_emotion_is_doubted():
    words = ["hapy", *(fk.CLASS_NAMES[code] for code in DATA.train.labels[1:])]
    clf = fk.EmotionClassifier(tiny_network, epochs=1, verbose=0)
    with pytest.warns(fk.Fer2013KitWarning, match=r"class 'hapy' of its own; did you mean 'happy'"):
        clf.fit(DATA.train.images, words)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf.set_params(classes=sorted({*words})).fit(DATA.train.images, words)
        bored = ["bored" if word == "hapy" else word for word in words]
        clf.set_params(classes=None).fit(DATA.train.images, bored)


def test_one_hot_rows_are_told_from_labels():
    one_hot = fk.to_one_hot(DATA.train.labels)
    with pytest.raises(
        fk.InvalidInputError,
        match=r"; of one-hot rows take from_one_hot, .* soft_targets .*evaluate_predictions$",
    ):
        fk.EmotionClassifier(tiny_network, epochs=1).fit(DATA.train.images, one_hot)


@pytest.mark.parametrize(
    "call",
    [fk.load_fer2013, fk.load_image_folder, fk.find_photos, partial(fk.score, dst="/no")],
    ids=("load_fer2013", "load_image_folder", "find_photos", "score"),
)
def test_an_empty_path_is_not_the_current_folder(call):
    with pytest.raises(fk.InvalidInputError, match=r"^path must not be empty"):
        call("")


def test_names_without_an_order_name_no_columns():
    for names in ({*fk.CLASS_NAMES}, frozenset(fk.CLASS_NAMES)):
        with pytest.raises(fk.InvalidInputError, match=r"^class_names must be a sequence"):
            fk.evaluate_predictions(CODES, TABLE, class_names=names)
    assert fk.evaluate_predictions(CODES, TABLE, class_names=fk.CLASS_NAMES).accuracy == 1


def test_sizes_and_names_that_cannot_be():
    with pytest.raises(fk.InvalidInputError, match=r"^size must be \(height, width\), two whole"):
        fk.resize(FACE, (10**9, 10**9))
    with pytest.raises(fk.InvalidInputError, match=r"^name must be a word; received 5"):
        fk.register_model(5, tiny_network)
