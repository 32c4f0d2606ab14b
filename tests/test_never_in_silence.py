"""Fits that could have gone wrong without a word: each is right here, or refused."""

import copy
import pickle

import keras
import numpy as np
import pandas as pd
import pytest
from keras.callbacks import EarlyStopping

import fer2013kit as fk
from networks import tiny_network


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=140, random_state=0)


def make(model=tiny_network, **changes):
    settings = {"epochs": 2, "batch_size": 32, "augment": False, "compute_dtype": "float32"}
    return fk.EmotionClassifier(model, verbose=0, random_state=0, **{**settings, **changes})


# --- checkpoints -------------------------------------------------------------------------------


def test_a_run_of_other_validation_data_is_refused(data, tmp_path):
    X, y = data.train
    make(checkpoint_dir=tmp_path).fit(X, y, validation_data=data.validation)
    for given in (data.test, None):
        with pytest.raises(fk.InvalidInputError, match="other settings or other data"):
            make(checkpoint_dir=tmp_path).fit(X, y, validation_data=given)


def test_a_run_of_another_loss_is_refused(data, tmp_path):
    make(loss=keras.losses.Huber(1.0), checkpoint_dir=tmp_path).fit(*data.train)
    with pytest.raises(fk.InvalidInputError, match="other settings"):
        make(loss=keras.losses.Huber(0.01), checkpoint_dir=tmp_path).fit(*data.train)


def test_of_two_runs_that_begin_at_once_the_second_hears_of_the_first(data, tmp_path):
    class Overtaken(keras.callbacks.Callback):
        def __init__(self, learning_rate):
            super().__init__()
            self.learning_rate = learning_rate

        def on_train_begin(self, logs=None):
            settings = {"learning_rate": self.learning_rate, "checkpoint_dir": tmp_path}
            make(**settings).fit(*data.train)

    settings = {"learning_rate": 0.01, "checkpoint_dir": tmp_path}
    with pytest.raises(fk.InvalidInputError, match=r"other settings .*learning_rate"):
        make(**settings).fit(*data.train, callbacks=[Overtaken(0.02)])
    first = make(learning_rate=0.02, checkpoint_dir=tmp_path, epochs=2).fit(*data.train)
    assert len(first.history_["loss"]) == 2  # its checkpoint is whole
    (tmp_path / "checkpoint.npz").unlink()
    make(**settings).fit(*data.train, callbacks=[Overtaken(0.01)])  # the same run twice


@pytest.mark.parametrize("ema_momentum", [0.999, 0.0])
def test_a_run_that_early_stopping_ended_is_finished(data, tmp_path, ema_momentum):
    labels = np.random.default_rng(0).permutation(data.validation.labels)

    def fit():
        stop = EarlyStopping("val_loss", patience=1, restore_best_weights=True)
        settings = {"epochs": 9, "learning_rate": 0.2, "ema_momentum": ema_momentum}
        return make(checkpoint_dir=tmp_path, **settings).fit(
            *data.train, validation_data=(data.validation.images, labels), callbacks=[stop]
        )

    first = fit()
    again = fit()
    assert len(first.history_["loss"]) < 9
    assert again.history_ == first.history_
    np.testing.assert_array_equal(
        again.predict_proba(data.test.images), first.predict_proba(data.test.images)
    )


def test_a_run_that_diverged_ends_alike_when_it_is_asked_for_again(data, tmp_path):
    class Spoil(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.set_weights([w * np.nan for w in self.model.get_weights()])

    fitted = []
    for _ in range(2):
        with pytest.warns(UserWarning, match="the weights of epoch 1 are kept"):
            fitted.append(make(checkpoint_dir=tmp_path).fit(*data.train, callbacks=[Spoil()]))
    one, other = (clf.predict_proba(data.test.images) for clf in fitted)
    np.testing.assert_array_equal(one, other)


# --- callbacks, losses, optimizers -------------------------------------------------------------


def test_callbacks_of_an_iterator_are_called(data):
    class Counter(keras.callbacks.Callback):
        epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1

    counter = Counter()
    make().fit(*data.train, callbacks=filter(None, [None, counter]))
    assert counter.epochs == 2


def test_keras_backup_is_refused(data, tmp_path):
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(fk.InvalidInputError, match="set checkpoint_dir, which resumes"):
        make().fit(*data.train, callbacks=[backup])


def unpickled(clf):
    return pickle.loads(pickle.dumps(clf))  # noqa: S301 - our own


@pytest.mark.parametrize("copied", [copy.deepcopy, unpickled])
def test_a_copy_trains_with_the_same_loss(data, copied):
    clf = make(loss=keras.losses.Huber(delta=0.05))
    X, y = data.train
    assert copied(clf).fit(X, y).history_["loss"] == clf.fit(X, y).history_["loss"]
    assert copied(clf).loss.get_config() == clf.loss.get_config()


@pytest.mark.parametrize("name", ["adamw", "lion", "adam", "sgd"])
def test_no_weight_decay_is_none_for_every_optimizer(data, name):
    settings = {"optimizer": name, "weight_decay": 0, "learning_rate": 1e-4}
    assert np.isfinite(make(**settings).fit(*data.train).history_["loss"]).all()


def test_of_errors_the_smallest_is_the_best(data):
    clf = make(metrics=["mse"], monitor="val_mse", restore_best_weights=True, epochs=4)
    labels = np.random.default_rng(0).permutation(data.validation.labels)
    clf.fit(*data.train, validation_data=(data.validation.images, labels))
    assert clf.best_epoch_ == np.argmin(clf.history_["val_mse"])


# --- settings that others switch off -----------------------------------------------------------

IDLE = {
    "focal_gamma=3.0 has no effect beside loss='crossentropy'": {"focal_gamma": 3.0},
    "label_smoothing=0.2 has no effect beside a loss of your own": {
        "loss": keras.losses.Huber(), "label_smoothing": 0.2,
    },
    "rotation=20, erasing=0.5 has no effect beside augment=False": {"rotation": 20, "erasing": 0.5},
    "calm_epochs=1 has no effect beside augment=False without mixup": {"calm_epochs": 1},
    "learning_rate=0.1, weight_decay=0.01 has no effect beside an optimizer": {
        "optimizer": keras.optimizers.SGD(0.01), "learning_rate": 0.1, "weight_decay": 0.01,
    },
    "warmup_epochs=0.5 has no effect beside learning_rate_schedule='constant'": {
        "warmup_epochs": 0.5, "learning_rate_schedule": "constant",
    },
}  # fmt: skip
USED = [
    {"loss": "focal", "focal_gamma": 3.0, "rotation": 0, "horizontal_flip": False},
    {"augment": True, "rotation": 20, "calm_epochs": 1},
    {"mixup": 0.2, "calm_epochs": 1},
    {"optimizer": "adam", "learning_rate": 0.001, "warmup_epochs": 0.5},
    {"warmup_epochs": 0, "learning_rate_schedule": "constant"},
    {"loss": keras.losses.Huber(), "label_smoothing": 0},
]


@pytest.mark.parametrize("said", IDLE)
def test_settings_without_effect_are_told(data, said):
    with pytest.warns(fk.Fer2013KitWarning) as told:
        idle = make(epochs=1, **IDLE[said]).fit(*data.train)
    (message,) = [str(one.message) for one in told if one.category is fk.Fer2013KitWarning]
    assert message.startswith(said)
    assert message.endswith("; leave out one of them")
    names = [part.split("=")[0] for part in said.split(" has ")[0].split(", ")]
    defaults = {name: fk.EmotionClassifier().get_params()[name] for name in names}
    plain = make(epochs=1, **{**IDLE[said], **defaults}).fit(*data.train)
    assert plain.history_["loss"] == idle.history_["loss"]  # as the message says


@pytest.mark.parametrize("settings", USED)
def test_settings_with_an_effect_are_not_doubted(data, settings):
    make(epochs=1, **settings).fit(*data.train)  # a warning would be an error


# --- weights, targets, classes -----------------------------------------------------------------


def test_a_series_of_class_weights_goes_by_its_index(data):
    words = np.array(fk.CLASS_NAMES)[data.train.labels]
    weights = pd.Series(range(1, 8), index=["sad", "neutral", *fk.CLASS_NAMES[:4], "surprise"])
    X = data.train.images
    one, other = (
        make(class_weight=given).fit(X, words).history_["loss"]
        for given in (weights, weights.to_dict())
    )
    assert one == other
    np.testing.assert_array_equal(
        fk.sample_weights(words, weights), fk.sample_weights(words, weights.to_dict())
    )


def test_columns_of_soft_targets_go_by_their_names(data):
    X, codes = data.train
    words = np.array(fk.CLASS_NAMES)[codes]
    table = pd.DataFrame(np.eye(7)[codes], columns=fk.CLASS_NAMES)
    plain = make().fit(X, words)
    taught = make().fit(
        X,
        words,
        soft_targets=table,
        validation_data=(X, table),
    )
    assert taught.history_["loss"] == plain.history_["loss"]
    assert taught.history_["val_accuracy"][-1] > 0.3
    by_code = make().fit(X, codes, soft_targets=table[["sad", *table.columns.drop("sad")]])
    assert by_code.history_["loss"] == make().fit(X, codes).history_["loss"]
    with pytest.raises(fk.InvalidInputError, match="the columns of soft_targets must be"):
        make().fit(X, codes, soft_targets=table.rename(columns={"sad": "bored"}))


def test_few_exchanged_columns_are_doubted(data):
    """Alphabetical order exchanges three of seven columns, less than half of FER-2013's rows."""
    X, codes = data.train
    columns = [0, 1, 2, 3, 6, 4, 5]
    exchanged = "sad for surprise, surprise for neutral, neutral for sad"
    with pytest.warns(fk.Fer2013KitWarning, match=rf"another class.*\({exchanged}\)"):
        make().fit(X, codes, soft_targets=np.eye(7)[codes][:, columns])


def test_a_batch_that_weighs_nothing_is_passed_over(data):
    X, y = data.train

    def batches(epoch):
        yield X[:32], y[:32], np.zeros(32)
        yield X[32:64], y[32:64], np.ones(32)

    clf = make(classes=range(7)).fit(batches, steps_per_epoch=2)
    assert np.isfinite(clf.history_["loss"]).all()


def test_a_batch_of_classes_that_weigh_nothing_is_passed_over(data):
    X, y = data.train
    angry, others = X[y == 0], X[y != 0]

    def batches(epoch):
        yield angry, np.zeros(len(angry), int)
        yield others, y[y != 0]

    weights = {code: float(code > 0) for code in range(7)}
    clf = make(classes=range(7), class_weight=weights).fit(batches, steps_per_epoch=2)
    assert np.isfinite(clf.history_["loss"]).all()
    with pytest.raises(fk.InvalidInputError, match="must not be zero for every row"):
        make().fit(X, y, np.zeros(len(y)))


def test_the_seven_codes_have_their_words_whoever_lists_them(data, tmp_path):
    clf = make(classes=range(7), class_names=None).fit(*data.train)
    assert clf.class_names_ == fk.CLASS_NAMES
    clf.save(tmp_path / "a.fer")
    assert fk.EmotionClassifier.load(tmp_path / "a.fer", model=tiny_network).classes == tuple(
        range(7)
    )


# --- networks ----------------------------------------------------------------------------------


def test_layers_from_outside_are_copied(data):
    backbone = keras.Sequential(
        [keras.Input((48, 48, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
         keras.layers.Dense(8, activation="relu")]
    )  # fmt: skip
    before = [w.copy() for w in backbone.get_weights()]

    def build(input_shape, num_classes):
        images = keras.Input(input_shape)
        head = keras.layers.Dense(num_classes, activation="softmax", dtype="float32")
        return keras.Model(images, head(backbone(images)))

    X, y = data.train
    first = make(build, learning_rate=0.1).fit(X, y)
    said = first.predict_proba(X)
    for one, other in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    make(build, learning_rate=0.1).fit(X, y[::-1])
    np.testing.assert_array_equal(first.predict_proba(X), said)
    again = make(build, learning_rate=0.1).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), said)


def test_warm_start_keeps_what_lies_in_a_nested_network(data):
    def build(input_shape, num_classes):
        body = keras.Sequential(
            [keras.Input(input_shape), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
             keras.layers.Dense(8, activation="relu", name="kept"),
             keras.layers.Dense(num_classes, activation="softmax", dtype="float32")],
            name="body",
        )  # fmt: skip
        images = keras.Input(input_shape)
        return keras.Model(images, body(images))

    X, y = data.train
    clf = make(build).fit(X, y)
    kept = clf.model_.get_layer("body").get_layer("kept").get_weights()
    clf.set_params(warm_start=True, learning_rate=1e-9, weight_decay=0.0, random_state=5)
    clf.fit(X, np.where(y == 3, "happy", "other"))
    for one, other in zip(
        kept, clf.model_.get_layer("body").get_layer("kept").get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_standardised_images_are_not_cut_off(data):
    X, y = data.train
    standard = (X / 255 - 0.5) / 0.25
    clf = fk.EmotionClassifier(
        value_range=None, rotation=0, zoom=0, shift=0, horizontal_flip=False, brightness=0,
        contrast=0.01, batch_size=len(X), random_state=0,
    )  # fmt: skip
    (images, _, _), *_ = fk.training_batches(standard, y, classifier=clf)
    assert images.min() < -100
    assert images.max() > 400


def test_explanation_is_of_the_class_that_is_predicted(data):
    clf = make("five_layer_cnn", model_params={"filters": (4, 4, 4), "dense_units": 8})
    X = data.test.images
    clf.fit(*data.train).calibrate(*data.train, method="vector")
    clf.calibrator_["shift"] = [5.0, 0, 0, 0, 0, 0, 0]  # which makes all of them angry
    assert set(clf.predict(X)) == {0}
    np.testing.assert_array_equal(fk.explain(clf, X), fk.explain(clf, X, emotion=0))


# --- labels and members ------------------------------------------------------------------------


def test_a_label_is_itself_before_it_is_a_name(data):
    """Words may be labels of one class and the name of another."""
    X, words = data.train.images, np.array(["left", "right"])[data.train.labels % 2]
    names = ("right", "left")
    clf = make(classes=("left", "right"), class_names=names).fit(X, words)
    both = fk.EnsembleClassifier([clf, clf])
    assert clf.class_names_ == both.class_names_ == names
    for one in (clf, both):
        expected = np.mean(one.predict(X) == words)
        assert one.evaluate(X, words).accuracy == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:y has a class 'sadd'")
@pytest.mark.parametrize(
    "spelt", [str.upper, "{} ".format, lambda word: word.replace("sad", "sadd")]
)
def test_names_in_another_order_than_the_labels_are_refused(data, spelt):
    """Sorted, neutral stands before sad and surprise, unlike in the order of the codes."""
    labels = [spelt(fk.CLASS_NAMES[code]) for code in data.train.labels]
    clf = make(class_names=fk.CLASS_NAMES)
    with pytest.raises(
        fk.InvalidInputError, match=r"by which '(NEUTRAL|neutral) ?' would be called 'sad'"
    ):
        clf.set_params(classes=None).fit(data.train.images, labels)
    clf.set_params(classes=[*map(spelt, fk.CLASS_NAMES)]).fit(data.train.images, labels)
    assert clf.class_names_ == tuple(sorted(fk.CLASS_NAMES))
    assert clf.classes_.tolist() == sorted(map(spelt, fk.CLASS_NAMES))


@pytest.mark.parametrize("other", ["Sad", "sad ", "sadness"])
def test_two_classes_of_one_word_are_doubted(data, other):
    labels = np.array(fk.CLASS_NAMES, object)[data.train.labels]
    labels[np.flatnonzero(labels == "sad")[::2]] = other
    with pytest.warns(fk.Fer2013KitWarning, match="two classes for one word, .*spell them alike"):
        clf = make().fit(data.train.images, labels)
    assert len(clf.classes_) == 8
    clf = make(classes=np.unique(labels)).fit(data.train.images, labels)  # asked for, no doubt
    assert len(clf.classes_) == 8


@pytest.mark.parametrize("missing", [np.nan, None, 3])
def test_what_is_no_word_does_not_become_one(data, missing):
    """NumPy makes "nan" of a NaN in a list of words."""
    X, codes = data.train
    words = [missing, *np.array(fk.CLASS_NAMES)[codes][1:].tolist()]
    with pytest.raises(fk.InvalidInputError, match=r"label for each image|Unknown label type"):
        make().fit(X, words)
    if missing != 3:
        with pytest.raises(fk.InvalidInputError, match="group for every row; received None or NaN"):
            make(validation_fraction=0.2, validation_groups=words).fit(X, codes)
        with pytest.raises(fk.InvalidInputError, match="a group for every sample; received None"):
            fk.evaluate_predictions(codes, np.eye(7)[codes], groups=words)


def test_words_of_every_type_of_text_train_alike(data):
    X, codes = data.train
    words = np.array(fk.CLASS_NAMES)[codes]
    losses = [
        make().fit(X, y).history_["loss"]
        for y in (words, words.tolist(), words.astype(np.dtypes.StringDType()), pd.Series(words))
    ]
    assert losses == losses[:1] * 4
    missing = pd.Series(words).astype("string").mask(np.arange(len(words)) == 2)
    with pytest.raises(fk.InvalidInputError, match="label for each image; received a missing one"):
        make().fit(X, missing)
    with pytest.warns(fk.Fer2013KitWarning, match="a class without a word, ''; leave out"):
        make().fit(X, np.where(words == "sad", "", words))


def test_a_label_has_one_weight(data):
    weights = pd.Series(np.arange(8.0), index=[0, 1, 2, 3, 4, 5, 6, 6])
    with pytest.raises(fk.InvalidInputError, match="must have one weight for each label"):
        make(class_weight=weights).fit(*data.train)
    with pytest.raises(fk.InvalidInputError, match="of one column take its ravel"):
        fk.sample_weights(data.train.labels[:, None])


def test_labels_that_are_no_class_are_told_by_score(data):
    X, codes = data.train
    words = np.array(fk.CLASS_NAMES)[codes]
    fitted = make().fit(X, words)
    for clf in (fitted, fk.EnsembleClassifier([fitted, fitted])):
        assert clf.score(X, words) == clf.evaluate(X, words).accuracy
        half = np.arange(len(X)) % 2
        expected = clf.evaluate(X, words, sample_weight=half).accuracy
        assert clf.score(X, words, half) == pytest.approx(expected)
        with pytest.warns(fk.Fer2013KitWarning, match="none of the classes.*count as wrong"):
            assert clf.score(X, np.char.upper(words)) == 0
    with pytest.raises(fk.InvalidInputError, match="received 'sadd'; did you mean 'sad'"):
        make().fit(X, words, validation_data=(X, np.where(words == "sad", "sadd", words)))
    with pytest.raises(fk.InvalidInputError, match="received 'sadd'; did you mean 'sad'"):
        make(classes=fk.CLASS_NAMES).fit(X, np.where(words == "sad", "sadd", words))


def test_an_export_of_members_reads_floats_as_all_of_them_do(data, tmp_path):
    bright, usual, standardised = (
        make(value_range=given).fit(*data.train) for given in ((0, 255), [0, 1], None)
    )
    for members, message in (
        ([bright, usual], "must read floats in one range"),
        ([usual, standardised], "must read floats in one range"),
        ([standardised, standardised], "numbers that are no grey levels"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            fk.EnsembleClassifier(members).export(tmp_path / "both.tflite")
    fk.EnsembleClassifier([usual, usual]).export(tmp_path / "both.tflite")  # a list is a range, too
