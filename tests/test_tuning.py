import builtins
import gc
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import keras
import numpy as np
import optuna
import pytest
from sklearn import metrics
from sklearn.base import clone

import fer2013kit as fk
from command_line import run_json
from fer2013kit.classifier._json import as_json
from fer2013kit.models import _registry
from networks import FORMS, Builder, tiny_network

SPACE = {
    "learning_rate": (0.001, 0.1, "log"),
    "batch_size": [16, 32],
    "model_params__units": (4, 9),
}


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=70, random_state=0)


@pytest.fixture
def classifier():
    return fk.EmotionClassifier(
        tiny_network, epochs=2, augment=False, compute_dtype="float32", verbose=0, random_state=0
    )


def test_search_goes_on_from_its_file(data, classifier, tmp_path):
    options = {"space": SPACE, "storage": tmp_path / "search.db", "random_state": 0}
    first = fk.tune(classifier, data, n_trials=1, **options)
    found = fk.tune(classifier, data, n_trials=2, **options)
    again = fk.tune(classifier, data, n_trials=2, **options)
    assert len(first.study.trials) == 2  # the study reads its file
    assert len(found.study.trials) == len(again.study.trials) == 2
    one, other = (trial.params for trial in found.study.trials)
    assert one != other
    assert set(found.best_params) == set(SPACE)
    assert found.best_value == max(trial.value for trial in found.study.trials)
    assert found.classifier.batch_size == found.best_params["batch_size"]
    assert found.classifier.model_params == {"units": found.best_params["model_params__units"]}
    assert classifier.model_params is None
    assert len(found.to_frame()) == 2
    fitted = fk.EmotionClassifier(**found.classifier.get_params(deep=False))
    fitted.fit(*data.train, validation_data=data.validation)
    assert fitted.history_["val_accuracy"][-1] == pytest.approx(found.best_value)


def test_the_file_is_open_no_longer_than_it_is_used(data, classifier, tmp_path):
    found = fk.tune(classifier, data, space=SPACE, n_trials=1, storage=tmp_path / "search.db")
    assert len(found.study.trials) == 1
    opened = [one for one in gc.get_objects() if type(one) is sqlite3.Connection]
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.total_changes  # noqa: B018 - asks whether it is open


@pytest.mark.parametrize(
    "scoring", ["f1_macro", "neg_log_loss", metrics.make_scorer(metrics.cohen_kappa_score)]
)
def test_another_figure_chooses(data, classifier, scoring):
    found = fk.tune(classifier, data, space=SPACE, scoring=scoring, n_trials=2, random_state=0)
    X, y = data.validation
    values = [trial.value for trial in found.study.trials]
    assert found.best_value == max(values)
    fitted = clone(found.classifier).fit(*data.train, validation_data=data.validation)
    expected = {
        "f1_macro": lambda: metrics.f1_score(y, fitted.predict(X), average="macro"),
        "neg_log_loss": lambda: -metrics.log_loss(y, fitted.predict_proba(X), labels=range(7)),
    }.get(scoring, lambda: metrics.cohen_kappa_score(y, fitted.predict(X)))
    assert found.best_value == pytest.approx(expected(), rel=1e-4)
    assert not any(trial.intermediate_values for trial in found.study.trials)


def test_own_function_scores(data, classifier):
    seen = []

    def share_of_happy(clf, X, y):
        seen.append(len(X))
        return float(np.mean(clf.predict(X) == fk.Emotion.HAPPY))

    found = fk.tune(classifier, data, space=SPACE, scoring=share_of_happy, n_trials=1)
    assert seen == [len(data.validation)] * 2  # the first time, before anything is trained
    assert 0 <= found.best_value <= 1


def test_scoring_that_cannot_measure_is_refused_before_training(data, classifier, monkeypatch):
    monkeypatch.setattr(fk.EmotionClassifier, "fit", None)
    few = fk.FER2013(data.train, data.validation.subset(data.validation.labels != 3))
    for given, scoring, message in (
        (data, "f1_macr", "received 'f1_macr'.*did you mean 'f1_macro'"),
        (data, ["accuracy"], "a name that scikit-learn knows"),
        (data, None, "received None"),
        (data, "roc_auc", "scoring='roc_auc' cannot measure answers .* in 7 classes: multi_class"),
        (few, "neg_log_loss", "'neg_log_loss' cannot measure"),
        (data, lambda clf, X, y: None, "gave None for faultless ones"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            fk.tune(classifier, given, space=SPACE, scoring=scoring, n_trials=1)


def test_classes_without_images_are_measured_too(data, classifier, tmp_path):
    classifier.set_params(class_names=[*fk.CLASS_NAMES, "contempt"])
    with pytest.raises(fk.InvalidInputError, match=r"'neg_log_loss' cannot .* in 8 classes"):
        fk.tune(classifier, data, space=SPACE, scoring="neg_log_loss", n_trials=1)
    found = fk.tune(classifier, data, space=SPACE, n_trials=1, storage=tmp_path / "search.db")
    plain = fk.create_model(tiny_network, num_classes=8)
    network = found.study.user_attrs["another network"]
    assert network.startswith(f"{plain.count_params():,} parameters")


def test_another_scoring_has_no_trials_in_this_file(data, classifier, tmp_path):
    options = {"space": SPACE, "storage": tmp_path / "search.db"}
    fk.tune(classifier, data, scoring="f1_macro", n_trials=1, **options)
    with pytest.raises(
        fk.InvalidInputError, match=r"with another scoring; .* own: scoring"
    ) as told:
        fk.tune(classifier, data, n_trials=2, **options)
    assert str(told.value).endswith("scoring ('f1_macro' there, 'accuracy' here)")
    changed = clone(classifier).set_params(epochs=3)
    other = fk.FER2013(data.train, data.test)
    with pytest.raises(fk.InvalidInputError) as told:
        fk.tune(changed, other, scoring="f1_macro", n_trials=2, **options)
    assert "epochs (2 there, 3 here), the validation images (7x48x48x1, " in str(told.value)
    again = fk.tune(classifier, data, scoring="f1_macro", n_trials=2, **options)
    assert len(again.study.trials) == 2


def accuracy_of(share):
    def score(clf, X, y):
        return share * float(np.mean(clf.predict(X) == y))

    return score


def builder_of(units):
    def build(input_shape, num_classes):
        return tiny_network(input_shape, num_classes, units)

    return build


def test_functions_of_one_name_are_not_one(data, classifier, tmp_path):
    def search(path, n_trials, *, share=1.0, units=4):
        space = {"model": [builder_of(units), builder_of(9)], "learning_rate": (0.001, 0.1)}
        options = {"storage": tmp_path / path, "scoring": accuracy_of(share)}
        return fk.tune(classifier, data, space=space, n_trials=n_trials, **options)

    search("one.db", 1)
    assert len(search("one.db", 2).study.trials) == 2
    with pytest.raises(fk.InvalidInputError, match="holds another search, with another scoring"):
        search("one.db", 3, share=0.5)
    with pytest.raises(fk.InvalidInputError, match="holds another search, with another space"):
        search("one.db", 3, units=5)


def test_functions_are_told_apart_by_what_they_do():
    def notes(*values):
        return [str(as_json(value)) for value in values]

    first, again, other = notes(accuracy_of(1), accuracy_of(1), accuracy_of(2))
    assert first == again != other
    assert len({*notes(lambda x: x + 1, lambda x: x + 2, lambda x: x in {1, 2}, builder_of)}) == 4
    one, two = notes(partial(tiny_network, units=2), partial(sorted, key=2))
    assert one != two
    score = metrics.make_scorer(lambda y, said: 1.0), metrics.make_scorer(lambda y, said: 2.0)
    assert len({*notes(*score)}) == 2

    def run(n):
        return sum(number for number in range(n))

    before = notes(run)
    run(10_000)  # Python rewrites the instructions of what runs often
    assert notes(run) == before

    def calls_itself(n):
        return n and calls_itself(n - 1)

    assert notes(calls_itself) == notes(calls_itself)


def test_files_of_before_are_searches_by_accuracy(data, classifier, tmp_path, monkeypatch):
    options = {"space": SPACE, "storage": tmp_path / "search.db"}
    plain = optuna.Study.set_user_attr

    def keep(study, name, value):
        if name not in {"another scoring", "facts"}:
            plain(study, name, value)

    with monkeypatch.context() as patched:
        patched.setattr(optuna.Study, "set_user_attr", keep)
        fk.tune(classifier, data, n_trials=1, **options)
    assert len(fk.tune(classifier, data, n_trials=2, **options).study.trials) == 2
    with pytest.raises(fk.InvalidInputError, match=r"another scoring; .* a storage of its own$"):
        fk.tune(classifier, data, scoring="f1_macro", n_trials=2, **options)


def test_trials_that_lag_are_stopped(data, classifier, monkeypatch):
    monkeypatch.setattr(optuna.trial.Trial, "should_prune", lambda trial: trial.number == 0)
    found = fk.tune(classifier, data, space=SPACE, n_trials=2)
    assert [trial.state.name for trial in found.study.trials] == ["PRUNED", "COMPLETE"]
    assert found.best_params == found.study.trials[1].params


def test_trials_that_diverge_are_passed_over(data, classifier):
    space = {"learning_rate": [1e38], "warmup_epochs": [0]}
    with pytest.raises(fk.TrainingDivergedError, match="no trial of 1 came to its end"):
        fk.tune(classifier, data, space=space, n_trials=1)


def test_what_cannot_be_searched(data, classifier, monkeypatch):
    for space, message in (
        ("all", "space must be 'default' or a mapping"),
        ({"learning_rat": (0, 1)}, "mean 'learning_rate'"),
        ({"learning_rate": (1, 0)}, r"\(low, high\)"),
        ({"learning_rate": (0, 1, "log")}, r"\(low, high\)"),
        ({"learning_rate": (0.1, 0.2, ["log"])}, r"\(low, high\)"),
        ({"learning_rate": (0.1, np.inf)}, r"\(low, high\)"),
        ({"learning_rate": (0.1, 10**400)}, r"\(low, high\)"),
        ({"learning_rate": []}, "lists of choices"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            fk.tune(classifier, data, space=space)
    with pytest.raises(fk.InvalidInputError, match="with a validation split"):
        fk.tune(classifier, fk.FER2013(data.train))
    with pytest.raises(fk.InvalidInputError, match="n_trials must be"):
        fk.tune(classifier, data, n_trials=0)
    plain = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "optuna":
            raise ModuleNotFoundError("No module named 'optuna'", name="optuna")
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(fk.MissingDependencyError, match=r"fer2013kit\[tune\]"):
        fk.tune(classifier, data)


def test_command(data, tmp_path, monkeypatch):
    monkeypatch.setitem(_registry._builders, "tiny", tiny_network)
    fk.FER2013(data.train).save(tmp_path / "faces.npz")
    document = run_json(
        *("tune", tmp_path / "faces.npz", "--architecture", "tiny", "--epochs", "1"),
        *("--n-trials", "1", "--storage", tmp_path / "search.db"),
    )
    assert document["n_trials"] == 1
    assert document["scoring"] == "accuracy"
    assert "learning_rate" in document["best_params"]


def test_another_search_has_no_trials_in_this_file(data, classifier, tmp_path):
    file = tmp_path / "search.db"
    space = {"learning_rate": (0.01, 0.1)}
    fk.tune(classifier, data, space=space, n_trials=1, storage=file)
    other = fk.make_fer2013(n_samples=70, random_state=1)
    for changed, part in (
        ({"space": {"learning_rate": (0.5, 0.9)}}, "another space;"),
        ({"space": {"label_smoothing": [0.0, 0.1]}}, "another space and other settings"),
        (
            {"classifier": clone(classifier).set_params(epochs=3)},
            "other settings of the classifier;",
        ),
        ({"data": other}, "other data;"),
    ):
        given = {"classifier": classifier, "data": data, "space": space, **changed}
        with pytest.raises(fk.InvalidInputError, match=f"another search, with {part}"):
            fk.tune(**given, n_trials=2, storage=file)
    quiet = clone(classifier).set_params(verbose=2)
    assert len(fk.tune(quiet, data, space=space, n_trials=2, storage=file).study.trials) == 2


@pytest.mark.parametrize("form", FORMS)
def test_a_search_is_its_networks_alone(data, classifier, tmp_path, form):
    """A function changed under the same name; what is built anew with every start."""

    def search(n_trials, **changes):
        clf = clone(classifier).set_params(model=FORMS[form](Builder(**changes)), epochs=1)
        file = tmp_path / "search.db"
        space = {"learning_rate": (0.01, 0.1)}
        return fk.tune(clf, data, space=space, n_trials=n_trials, storage=file).study.trials

    search(1)
    assert len(search(2)) == 2
    with pytest.raises(
        fk.InvalidInputError, match=r"another network; .*the network \([\d,]+ param"
    ):
        search(3, activation="tanh")


def test_trials_go_on_from_trained_weights(data, classifier, tmp_path):
    """With steps too small to see, each trial is as good as the network was before."""
    trained = clone(classifier).set_params(epochs=30, learning_rate=0.003).fit(*data.train)
    accuracy = trained.score(*data.validation)
    other = clone(classifier).set_params(random_state=1).fit(*data.train)
    options = {"space": {"learning_rate": (1e-9, 1e-8)}, "storage": tmp_path / "search.db"}
    for clf in (trained, other):
        clf.set_params(warm_start=True, epochs=1, weight_decay=0, random_state=0)
    found = fk.tune(trained, data, n_trials=2, **options)
    assert [trial.value for trial in found.study.trials] == pytest.approx([accuracy] * 2)
    assert accuracy > other.score(*data.validation)
    before = [weight.copy() for weight in trained.model_.get_weights()]
    found.classifier.fit(*data.train)
    after = found.classifier.model_.get_weights(), trained.model_.get_weights()
    for weights in after:
        assert all(np.allclose(*pair, atol=1e-5) for pair in zip(weights, before, strict=True))
    with pytest.raises(fk.InvalidInputError, match=r"another network; .*begun with weights"):
        fk.tune(other, data, n_trials=3, **options)


def test_choices_of_any_kind_go_on_from_a_file(data, classifier, tmp_path):
    slow, fast = keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.02)
    space = {
        "optimizer": [slow, fast],
        "model_params__units": [np.int64(3), np.int64(4)],
        "image_shape": [(48, 48, 1), None],
    }
    options = {"space": space, "storage": tmp_path / "search.db", "random_state": 2**32 - 1}
    fk.tune(classifier, data, n_trials=1, **options)
    found = fk.tune(classifier, data, n_trials=2, **options)
    assert found.best_params["optimizer"] in (slow, fast)
    assert found.best_params["image_shape"] in ((48, 48, 1), None)
    assert found.classifier.image_shape == found.best_params["image_shape"]
    assert found.best_params["model_params__units"] in (3, 4)


def test_settings_that_do_nothing_are_not_searched(data, classifier):
    brought = clone(classifier).set_params(optimizer=keras.optimizers.Adam(1e-3))
    for clf, space, message in (
        (classifier, {"rotation": (0, 20)}, "received 'rotation' beside augment=False"),
        (brought, {"learning_rate": (0.1, 0.2)}, "'learning_rate' beside an optimizer"),
        (classifier, {"focal_gamma": (1, 2)}, "beside loss='crossentropy'"),
        (clone(classifier).set_params(checkpoint_dir="."), {"mixup": [0.1]}, "checkpoint_dir"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            fk.tune(clf, data, space=space, n_trials=1)
    both = {"rotation": (0, 20), "augment": [True, False]}
    assert set(fk.tune(classifier, data, space=both, n_trials=1).best_params) == set(both)
    found = fk.tune(classifier, data, n_trials=1)
    assert "mixup" in found.best_params
    assert "zoom" not in found.best_params


def test_a_search_that_has_begun_no_trial_keeps_its_file(data, classifier, tmp_path):
    options = {"space": SPACE, "storage": tmp_path / "search.db"}
    with pytest.raises(fk.TrainingDivergedError, match="no trial of 0"):
        fk.tune(clone(classifier), data, timeout=0, n_trials=1, **options)
    with pytest.raises(fk.InvalidInputError, match="another search, with another scoring"):
        fk.tune(clone(classifier), data, scoring="f1_macro", n_trials=1, **options)
    assert len(fk.tune(clone(classifier), data, n_trials=1, **options).study.trials) == 1


def test_searches_that_begin_at_once_on_one_file_are_one(data, classifier, tmp_path):
    def search(scoring):
        options = {"space": SPACE, "storage": tmp_path / "search.db", "scoring": scoring}
        try:
            return fk.tune(clone(classifier), data, n_trials=1, **options).best_value
        except fk.InvalidInputError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        values = list(pool.map(search, ["accuracy", "neg_log_loss"]))
    (refusal,) = (one for one in values if isinstance(one, str))
    assert "another search, with another scoring" in refusal
