"""Validation rows that a fit holds out by itself, and settings inside a grid search."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, KFold

import fer2013kit as fk
from fer2013kit.classifier._held_out import rows_to_hold_out
from networks import tiny_network


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=210, random_state=0)


def make_classifier(**changes):
    settings = {"epochs": 2, "batch_size": 64, "augment": False, "verbose": 0, "random_state": 0}
    return fk.EmotionClassifier(tiny_network, **{**settings, **changes})


def test_a_part_of_every_class_and_no_copy_on_the_other_side():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [300, 100, 20])
    images = rng.integers(0, 256, (420, 4, 4, 1), np.uint8)
    images[50:100] = images[:50]
    held = rows_to_hold_out(images, codes, 0.2, seed=3)
    np.testing.assert_array_equal(held, rows_to_hold_out(images, codes, 0.2, seed=3))
    assert not np.array_equal(held, rows_to_hold_out(images, codes, 0.2, seed=4))
    np.testing.assert_array_equal(held[50:100], held[:50])
    share = np.bincount(codes[held]) / np.bincount(codes)
    np.testing.assert_allclose(share, 0.2, atol=0.05)


def test_it_is_the_fit_with_these_rows_as_validation_data(data):
    X, y = data.train
    own = make_classifier(validation_fraction=0.25).fit(X, y)
    seed = int(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
    held = rows_to_hold_out(X, y, 0.25, seed)
    given = make_classifier().fit(X[~held], y[~held], validation_data=(X[held], y[held]))
    assert own.history_ == given.history_
    np.testing.assert_array_equal(own.predict_proba(X), given.predict_proba(X))


def test_early_stopping_works_inside_a_grid_search(data):
    clf = make_classifier(epochs=3, patience=1, validation_fraction=0.2, restore_best_weights=True)
    search = GridSearchCV(clf, {"model_params__units": [2, 3]}, cv=2, error_score="raise")
    best = search.fit(*data.train).best_estimator_
    assert best.model_params == search_params(search)
    assert best.best_epoch_ is not None
    assert best.model_.layers[2].units == search.best_params_["model_params__units"]


def search_params(search):
    return {"units": search.best_params_["model_params__units"]}


def test_a_fraction_that_leaves_nothing_is_refused(data):
    some = np.concatenate([np.flatnonzero(data.train.labels == code)[:1] for code in range(7)])
    with pytest.raises(fk.InvalidInputError, match="leaves 0 to validate and 7 to train"):
        make_classifier(validation_fraction=0.1).fit(
            data.train.images[some], data.train.labels[some]
        )
    with pytest.raises(fk.InvalidInputError, match="validation_fraction must"):
        make_classifier(validation_fraction=1.0).fit(*data.train)


def test_weights_of_rows_that_are_held_out_train_nothing(data):
    seen = np.arange(len(data.train)) == 0
    held = fk.EmotionClassifier(tiny_network, validation_fraction=0.9, random_state=0, verbose=0)
    with pytest.raises(fk.InvalidInputError, match="zero for every row that is trained on"):
        held.fit(*data.train, sample_weight=seen)
    votes = np.eye(7)[data.train.labels] * seen[:, None]
    with pytest.raises(fk.InvalidInputError, match=r"soft_targets must not .* trained on"):
        held.fit(*data.train, soft_targets=votes)


def test_loading_in_another_format_and_with_the_loss_that_was(data, tmp_path, monkeypatch, caplog):
    import keras

    caplog.set_level("INFO", "fer2013kit")
    loss = keras.losses.KLDivergence()
    make_classifier(compute_dtype="float32", loss=loss).fit(*data.train).save(tmp_path / "a.fer")
    load = fk.EmotionClassifier.load
    monkeypatch.setattr("fer2013kit.classifier._compute_dtype.cpu_has_bfloat16", lambda: True)
    plain = load(tmp_path / "a.fer", model=tiny_network)
    fast = load(tmp_path / "a.fer", model=tiny_network, compute_dtype="auto", loss=loss)
    assert (plain.compute_dtype_, fast.compute_dtype_) == ("float32", "bfloat16")
    assert (plain.loss, fast.loss) == ("crossentropy", loss)
    X = data.test.images
    np.testing.assert_allclose(fast.predict_proba(X), plain.predict_proba(X), atol=0.02)
    assert fk.EmotionClassifier.from_pretrained().compute_dtype_ == "bfloat16"
    assert "predicting in bfloat16" in caplog.text
    with pytest.raises(fk.InvalidInputError, match="compute_dtype must be one of"):
        load(tmp_path / "a.fer", model=tiny_network, compute_dtype="half")


def test_groups_are_held_out_whole():
    codes, groups = np.arange(60) % 3, np.arange(60) // 6
    held = rows_to_hold_out(np.zeros((60, 2, 2, 1)), codes, 0.3, seed=0, groups=groups)
    assert 0 < held.sum() < 60
    assert all(len(set(held[groups == one])) == 1 for one in range(10))


def test_a_search_holds_out_groups_and_tries_parameters_of_the_builder():
    X, y = fk.make_fer2013(n_samples=35, random_state=0).train
    table = pd.DataFrame(X.reshape(len(X), -1))
    people = pd.Series(np.arange(len(X)) // 2)
    seen = []

    def groups(rows):
        seen.append(len(rows))
        return people[rows.index]

    clf = fk.EmotionClassifier(
        tiny_network, epochs=1, augment=False, verbose=0, validation_fraction=0.3,
        validation_groups=groups, monitor="val_loss", patience=1, classes=range(7),
    )  # fmt: skip
    table.columns = table.columns.astype(str)
    search = GridSearchCV(clf, {"model_params__units": [2, 3]}, cv=KFold(2)).fit(table, y)
    units = search.best_params_["model_params__units"]
    assert search.best_estimator_.model_.layers[2].units == units
    assert seen == [len(X) // 2, len(X) - len(X) // 2] * 2 + [len(X)]
    with pytest.raises(fk.InvalidInputError, match="an entry for each row of X"):
        clf.set_params(validation_groups=[1, 2]).fit(X, y)
    with pytest.raises(fk.InvalidInputError, match="needs a validation_fraction"):
        clf.set_params(validation_fraction=0).fit(X, y)


@pytest.mark.parametrize("shuffled", [False, True])
def test_groups_of_every_class_are_held_out_by_the_fraction(shuffled):
    """A person shows every emotion; sorted person by person, each begins with the same one."""
    people, codes = np.repeat(np.arange(100), 7), np.tile(np.arange(7), 100)
    if shuffled:
        order = np.random.default_rng(0).permutation(700)
        people, codes = people[order], codes[order]
    held = rows_to_hold_out(np.zeros((700, 1)), codes, 0.2, seed=0, groups=people)
    assert np.bincount(codes[held]).tolist() == [20] * 7
    assert not set(people[held]) & set(people[~held])


def test_groups_of_one_class_and_of_many_sizes():
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 40, 300)
    groups = np.repeat(np.arange(300), sizes)
    codes = np.repeat(rng.integers(0, 5, 300), sizes)
    held = rows_to_hold_out(np.zeros((len(codes), 1)), codes, 0.3, seed=1, groups=groups)
    share = np.bincount(codes[held], minlength=5) / np.bincount(codes)
    np.testing.assert_allclose(share, 0.3, atol=0.04)


def test_few_large_groups_still_validate_with_one():
    codes = np.tile(np.arange(7), 4)
    held = rows_to_hold_out(np.zeros((28, 1)), codes, 0.01, seed=0, groups=np.repeat([*"abcd"], 7))
    assert held.sum() == 7
