import gc
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

import fer2013kit as fk
from fer2013kit.classifier._keras_objects import make_loss, make_optimizer
from fer2013kit.classifier._settings import TrainingSettings
from fits import Interrupt, assert_same_weights, make_classifier, weights_of
from networks import FORMS, Builder, tiny_network


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=210, random_state=0)


def make_tiny(**changes):
    """For what no network changes: this one is traced in a third of the time."""
    quick = {"model": tiny_network, "model_params": None, "epochs": 1, "augment": False}
    return make_classifier(**{**quick, **changes})


@pytest.fixture(scope="module")
def plain(data):
    return make_classifier().fit(*data.train)


@pytest.mark.slow
def test_fits_in_threads_give_the_models_of_their_seeds(data, plain):
    with ThreadPoolExecutor(2) as pool:
        fits = [pool.submit(make_classifier().fit, *data.train) for _ in range(2)]
        for one in fits:
            assert_same_weights(one.result(), plain)


def test_validation_changes_nothing_in_the_training(data, plain):
    assert_same_weights(plain, make_classifier().fit(*data.train, validation_data=data.validation))


def test_another_seed_is_another_model_and_the_global_one_is_given_back(data, plain):
    np.random.seed(11)  # noqa: NPY002 - the global state is what is tested
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(11)  # noqa: NPY002
    other = make_classifier(random_state=4).fit(*data.train)
    assert np.random.random() == expected  # noqa: NPY002
    assert not np.array_equal(weights_of(plain)[0], weights_of(other)[0])


def test_fits_leave_no_graphs_behind(data):
    def graphs():
        gc.collect()
        return sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())

    make_tiny().fit(*data.train)
    before = graphs()
    make_tiny().fit(*data.train)
    assert graphs() <= before


CHOICES = {"restore_best_weights": True, "mixup": 0.2}


@pytest.fixture(scope="module")
def unbroken(data):
    return make_classifier(**CHOICES).fit(*data.train, validation_data=data.validation)


@pytest.mark.slow
def test_resumed_run_ends_where_the_unbroken_one_does(data, unbroken, tmp_path):
    choices = {**CHOICES, "checkpoint_dir": tmp_path / "run"}
    for epoch in (0, 1, 3):
        with pytest.raises(KeyboardInterrupt):
            make_classifier(**choices).fit(
                *data.train, validation_data=data.validation, callbacks=[Interrupt(epoch)]
            )
    resumed = make_classifier(**choices).fit(*data.train, validation_data=data.validation)
    assert_same_weights(resumed, unbroken)
    assert resumed.history_ == unbroken.history_
    assert resumed.best_epoch_ == unbroken.best_epoch_


def test_a_run_goes_on_with_another_optimizer_of_the_same_settings(data, tmp_path):
    def fit():  # Keras gives each a name of its own
        return make_tiny(optimizer=keras.optimizers.Adam(1e-3), checkpoint_dir=tmp_path).fit(
            *data.train
        )

    assert fit().history_ == fit().history_


def test_one_hot_soft_targets_are_the_labels(data):
    one_hot = fk.to_one_hot(data.train.labels)
    soft = make_tiny().fit(*data.train, soft_targets=one_hot)
    assert_same_weights(soft, make_tiny().fit(*data.train))


def test_soft_targets_are_what_is_learned(data):
    X, y = data.train
    other = np.roll(fk.to_one_hot(y), 1, axis=1)
    classifier = make_tiny(epochs=20, batch_size=28, learning_rate=0.02)
    with pytest.warns(fk.Fer2013KitWarning, match=r"another class than y for 100% .* order 0, 1"):
        classifier.fit(X, y, soft_targets=other)
    assert (classifier.predict(X) == (y + 1) % 7).mean() > 0.7


def test_rows_without_votes_weigh_nothing(data):
    X, y = data.train
    votes = fk.to_one_hot(y)
    votes[::3] = 0
    known = votes.any(axis=1)
    soft = make_tiny().fit(X, y, soft_targets=votes, validation_data=(X, votes))
    plain = make_tiny().fit(X[known], y[known], validation_data=(X[known], y[known]))
    assert_same_weights(soft, plain)
    assert soft.history_ == plain.history_


def test_soft_validation(data):
    X, y = data.validation
    halves = np.full((len(X), 7), 0.5 / 6)
    halves[np.arange(len(X)), y] = 0.5
    clf = make_tiny(label_smoothing=0).fit(*data.train, validation_data=(X, halves))
    loss = -(halves * np.log(clf.predict_proba(X))).sum(axis=1).mean()
    assert clf.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-4)
    for wrong, message in ((halves * 2, "must sum to 1"), (halves * 0, "says nothing")):
        with pytest.raises(fk.InvalidInputError, match=f"y of validation_data.*{message}"):
            make_tiny().fit(*data.train, validation_data=(X, wrong))


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (np.ones((3, 7)) / 7, r"a row for each image .*received \(3, 7\)"),
        (np.ones((168, 7)), "must sum to 1, .* received sums from 7 to 7"),
        (np.zeros((168, 7)), "all rows are zero"),
        (np.full((168, 7), np.nan), "received NaN or a negative"),
        (np.tile([2.0, -1, 0, 0, 0, 0, 0], (168, 1)), "received NaN or a negative"),
    ],
)
def test_unusable_soft_targets_are_refused(data, targets, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        make_classifier().fit(*data.train, soft_targets=targets)


def test_finished_run_is_not_repeated(data, tmp_path):
    first = make_tiny(checkpoint_dir=tmp_path).fit(*data.train)
    again = make_tiny(checkpoint_dir=tmp_path).fit(*data.train, callbacks=[Interrupt(0)])
    assert_same_weights(first, again)


def test_a_checkpoint_dir_that_cannot_be_is_told_before_the_first_epoch(data, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    epochs = []
    count = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: epochs.append(epoch))
    with pytest.raises(OSError, match="file"):
        make_tiny(checkpoint_dir=tmp_path / "file").fit(*data.train, callbacks=[count])
    assert not epochs


def test_checkpoint_of_another_run_is_refused(data, tmp_path):
    make_tiny(checkpoint_dir=tmp_path).fit(*data.train)
    with pytest.raises(fk.InvalidInputError, match="other settings or other data"):
        make_tiny(checkpoint_dir=tmp_path, epochs=5).fit(*data.train)
    with pytest.raises(fk.InvalidInputError, match="other settings or other data"):
        make_tiny(checkpoint_dir=tmp_path).fit(*data.validation)


def test_refused_checkpoint_names_what_differs(data, tmp_path):
    X, y = data.train
    make_tiny(checkpoint_dir=tmp_path).fit(X, y)

    def refusal(X=X, y=y, given=None, **settings):
        with pytest.raises(fk.InvalidInputError) as caught:
            make_tiny(checkpoint_dir=tmp_path, **settings).fit(X, y, **given or {})
        return re.search(r"or other data: (.*); choose another folder", str(caught.value))[1]

    assert refusal(epochs=5) == "epochs (1 there, 5 here)"
    told = refusal(learning_rate=0.5, loss=keras.losses.Huber(0.5))
    assert told.startswith(f"learning_rate ({make_tiny().learning_rate} there, 0.5 here), loss (")
    assert "'crossentropy' there, Huber {'name'" in told
    assert "'delta': 0.5" in told
    shape = "x".join(map(str, X.shape))
    told = refusal(X=255 - X)
    assert re.fullmatch(
        rf"the training images \({shape}, SHA-256 (\w{{16}}) there, "
        rf"{shape}, SHA-256 (?!\1)\w{{16}} here\)",
        told,
    )
    assert refusal(y=y[::-1]).startswith(f"the training targets ({len(y)}x7, SHA-256 ")
    weighted = refusal(given={"sample_weight": np.arange(len(y)) + 1.0})
    assert weighted.startswith(f"the weights of the training images ({len(y)}, SHA-256 ")
    told = refusal(given={"validation_data": data.validation})
    assert "the validation images (none there, 21x48x48x1, SHA-256 " in told
    many = dict.fromkeys(
        ("mixup", "cutmix", "learning_rate", "weight_decay", "label_smoothing"), 0.19
    )
    told = refusal(**many, epochs=3)
    assert told.count(" there, ") == 5
    assert told.endswith(" here), 1 more")


@pytest.mark.parametrize("form", FORMS)
def test_a_run_goes_on_with_the_same_network_and_no_other(data, tmp_path, form):
    def fit(callbacks=(), **changes):
        clf = make_classifier(
            model=FORMS[form](Builder(**changes)), model_params=None, epochs=2,
            checkpoint_dir=tmp_path,
        )  # fmt: skip
        return clf.fit(*data.train, callbacks=callbacks)

    with pytest.raises(KeyboardInterrupt):
        fit([Interrupt(1)])
    fit()
    fit([Interrupt(0)])
    for changes in ({"activation": "tanh"}, {"dropout": 0.5}, {"units": 8}):
        message = r"the network \([\d,]+ parameters, SHA-256 \w+ there, [\d,]+ param"
        with pytest.raises(fk.InvalidInputError, match=message):
            fit(**changes)


def test_checkpoints_of_before_go_on_and_are_refused_without_names(data, tmp_path):
    first = make_tiny(checkpoint_dir=tmp_path).fit(*data.train)
    file = tmp_path / "checkpoint.npz"
    with np.load(file) as content:
        arrays = dict(content)
    facts = json.loads(str(arrays.pop("facts")))
    assert facts.pop("run")["epochs"] == 1
    np.savez(file, facts=np.array(json.dumps(facts)), **arrays)
    again = make_tiny(checkpoint_dir=tmp_path).fit(*data.train, callbacks=[Interrupt(0)])
    assert_same_weights(first, again)
    with pytest.raises(fk.InvalidInputError, match="or other data; choose another folder"):
        make_tiny(checkpoint_dir=tmp_path, epochs=5).fit(*data.train)


def test_checkpoint_needs_a_seed(data, tmp_path):
    with pytest.raises(fk.InvalidInputError, match="random_state"):
        make_classifier(checkpoint_dir=tmp_path, random_state=None).fit(*data.train)


def test_broken_checkpoint_says_what_to_do(data, tmp_path):
    (tmp_path / "checkpoint.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(fk.ModelFileError, match="delete it"):
        make_classifier(checkpoint_dir=tmp_path).fit(*data.train)


def test_checkpoint_is_one_file(data, tmp_path):
    make_tiny(checkpoint_dir=tmp_path / "a" / "b").fit(*data.train)
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["checkpoint.npz"]


def test_patience_waits_as_long_as_it_should(data):
    labels = np.random.default_rng(0).permutation(data.validation.labels)
    clf = make_tiny(
        epochs=40, patience=2, restore_best_weights=True, monitor="val_loss", learning_rate=0.5
    )
    clf.fit(*data.train, validation_data=(data.validation.images, labels))
    losses = clf.history_["val_loss"]
    assert len(losses) < 40
    assert clf.best_epoch_ == int(np.argmin(losses)) == len(losses) - 3
    targets = np.eye(7)[labels]
    smooth = 0.9 * targets + 0.1 / 7
    now = -(smooth * np.log(clf.predict_proba(data.validation.images))).sum(axis=1).mean()
    assert now == pytest.approx(min(losses), rel=1e-3)


def test_callbacks_see_the_true_model(data):
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            seen.append(self.model)

    clf = make_tiny().fit(*data.train, callbacks=[Spy()])
    assert seen == [clf.model_]


def make_settings(**changes):
    defaults = fk.EmotionClassifier().get_params()
    chosen = {k: v for k, v in defaults.items() if k in TrainingSettings.__dataclass_fields__}
    return TrainingSettings(**{**chosen, "verbose": 0, "compute_dtype": "float32", **changes})


def test_cosine_rises_then_falls_to_zero():
    schedule = make_optimizer(make_settings(epochs=10, learning_rate=0.5), 20)._learning_rate
    rates = [float(schedule(step)) for step in range(201)]
    assert rates[0] == 0
    assert rates[20] == pytest.approx(0.5)
    assert rates[-1] == pytest.approx(0, abs=1e-6)
    assert np.all(np.diff(rates[:21]) > 0)
    assert np.all(np.diff(rates[20:]) < 1e-9)


def test_constant_learning_rate():
    optimizer = make_optimizer(make_settings(learning_rate_schedule="constant"), 20)
    assert float(optimizer.learning_rate) == pytest.approx(0.05)


def test_the_average_ramps_up():
    optimizer = make_optimizer(make_settings(ema_momentum=0.9), 20)
    assert float(optimizer.ema_momentum) == pytest.approx(0.1)
    optimizer.iterations.assign(1000)
    assert float(optimizer.ema_momentum) == pytest.approx(0.9)


def test_a_given_optimizer_is_copied(data):
    mine = keras.optimizers.Adam(1e-3)
    clf = make_tiny(optimizer=mine).fit(*data.train)
    assert type(clf.model_.optimizer) is keras.optimizers.Adam
    assert clf.model_.optimizer is not mine
    assert not mine.built


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("sdg", r"optimizer must be .* received 'sdg'"),
        ("ftrl", "set learning_rate_schedule='constant'"),
    ],
)
def test_an_optimizer_that_cannot_train_is_refused(data, optimizer, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        make_tiny(optimizer=optimizer).fit(*data.train)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_focal_loss_follows_its_formula(gamma):
    loss = make_loss(make_settings(loss="focal", focal_gamma=gamma, label_smoothing=0.0), 7)
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], np.float32)
    y = np.eye(3, dtype=np.float32)[[0, 2]]
    chosen = np.array([0.7, 0.3])
    expected = ((1 - chosen) ** gamma * -np.log(chosen)).mean()
    assert float(loss(y, p)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_without_a_console_nothing_is_shown(data, monkeypatch, verbose):
    monkeypatch.setattr(sys, "stderr", None)
    assert make_tiny(epochs=1, verbose=verbose).fit(*data.train).history_["loss"]


@pytest.mark.parametrize("verbose", [1, 2])
def test_progress_goes_to_standard_error(data, capsys, verbose):
    make_tiny(epochs=2, verbose=verbose).fit(*data.train, validation_data=data.validation)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "training in" in shown.err
    assert "epoch 2/2" in shown.err
    assert "val_accuracy" in shown.err
