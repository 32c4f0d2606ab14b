"""tune: a search for settings with Optuna, pruned on validation and resumable."""

from __future__ import annotations

import copy
import hashlib
import json
import numbers
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import get_scorer, get_scorer_names

from fer2013kit._checks import check_number, check_whole, is_number
from fer2013kit._files import alone_in
from fer2013kit._optional import needed
from fer2013kit.classifier import EmotionClassifier
from fer2013kit.classifier._json import as_json, differences
from fer2013kit.classifier._network import build_network
from fer2013kit.classifier._runs import described, described_network, digest_of
from fer2013kit.classifier._settings import switched_off
from fer2013kit.classifier._warm_start import warn_of_unused_weights
from fer2013kit.datasets import FER2013
from fer2013kit.exceptions import (
    Fer2013KitWarning,
    InvalidInputError,
    TrainingDivergedError,
    did_you_mean,
    shortened,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

_DEFAULT_SPACE: Final[Mapping[str, Any]] = {
    "learning_rate": (0.005, 0.2, "log"),
    "weight_decay": (1e-5, 1e-2, "log"),
    "label_smoothing": (0.0, 0.2),
    "batch_size": [64, 128, 256],
    "rotation": (0.0, 20.0),
    "zoom": (0.0, 0.2),
    "shift": (0.0, 0.15),
    "mixup": [0.0, 0.1, 0.2, 0.4],
}
_FACTS: Final = "facts"
"""Where a study keeps what it searches, in words."""

_MONITOR: Final = "val_accuracy"
_NO_CHOICE: Final = {"verbose"}
"""Settings that no trial depends on."""
_PLAIN: Final = (str, bool, int, float, type(None))
"""What Optuna keeps as it is."""


@dataclass(frozen=True, eq=False)
class TuningResult:
    """What a search found; :func:`tune` makes it.

    Parameters
    ----------
    study : optuna.Study
        All trials, for Optuna's own tools and plots.
    classifier : EmotionClassifier
        With the best settings; unfitted, or trained as before where ``warm_start`` goes on.
    choices : mapping of str to mapping, optional
        Of each setting that is a choice, what the study's words for the values stand for.

    See Also
    --------
    tune : Makes it.

    Examples
    --------
    ``fk.tune(clf, data).classifier.fit(*data.train)`` trains with the best settings.
    """

    study: Any
    classifier: EmotionClassifier
    choices: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)

    @property
    def best_params(self) -> dict[str, Any]:
        """The settings of the best trial."""
        return _settings(self.study.best_params, self.choices)

    @property
    def best_value(self) -> float:
        """Its score on the validation split, which chose it: measure on the test."""
        return float(self.study.best_value)

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each trial.

        Returns
        -------
        pandas.DataFrame
            As Optuna's ``Study.trials_dataframe``.

        See Also
        --------
        tune : Where the trials come from.
        """
        frame: pd.DataFrame = self.study.trials_dataframe()
        return frame


def tune(
    classifier: EmotionClassifier,
    data: FER2013,
    *,
    space: str | Mapping[str, Any] = "default",
    scoring: str | Callable[[Any, Any, Any], float] = "accuracy",
    n_trials: int = 20,
    timeout: float | None = None,
    storage: str | Path | None = None,
    random_state: int | None = None,
) -> TuningResult:
    """Search for better settings with Optuna (needs the extra ``tune``).

    Each trial trains a copy of the classifier on ``train`` and is measured on ``validation``, by
    its accuracy or another `scoring`; one whose accuracy lags behind the median of the others is
    stopped early, and one that diverges is skipped.

    Parameters
    ----------
    classifier : EmotionClassifier
        Its settings hold where the space does not say otherwise.  It stays as it is, and has no
        ``checkpoint_dir``: one folder is one run's.  With ``warm_start``, every trial begins with
        its trained weights.
    data : FER2013
        With ``train`` and ``validation``.
    space : "default" or mapping of str to tuple or list
        Settings to try: ``(low, high)`` of whole numbers or floats, ``(low, high, "log")``, or a
        list of choices; ``"model_params__filters"`` is a parameter of the architecture.  By default
        learning rate, weight decay, label smoothing, batch size and augmentation, without those
        that the classifier's other settings switch off.
    scoring : str or callable, default "accuracy"
        What is to be as large as possible, in the vocabulary of scikit-learn: "f1_macro",
        "balanced_accuracy", "neg_log_loss" and the others of
        :func:`sklearn.metrics.get_scorer_names`, or a function ``(classifier, X, y) -> float``,
        such as :func:`sklearn.metrics.make_scorer` makes.  A trial is then measured at its end,
        with the weights that it keeps; for other figures than the accuracy, none is stopped early.
    n_trials : int, default 20
        Total number of trials, including earlier calls with the same `storage`.
    timeout : float, optional
        Start no new trial after this many seconds.
    storage : str or Path, optional
        An SQLite file, or a URL that Optuna takes, which keeps the trials: the same call goes on
        after an interruption.  Another space, other data, another classifier, network or scoring is
        refused, and the error names what differs.
    random_state : int, optional
        Seed of the search; the classifier's own decides what a trial gives.

    Returns
    -------
    TuningResult
        The best settings and the study.

    Raises
    ------
    InvalidInputError
        For another estimator, an unknown setting, one that another setting switches off, a range
        that cannot be used, data without validation, a scoring that scikit-learn does not know or
        that cannot measure these classes, or a ``storage`` that cannot be opened or holds another
        search.
    TrainingDivergedError
        Where no trial came to its end.
    MissingDependencyError
        Without Optuna.

    See Also
    --------
    EmotionClassifier : What is tuned.
    sklearn.model_selection.GridSearchCV : Takes the same scoring.

    References
    ----------
    T. Akiba, S. Sano, T. Yanase, T. Ohta and M. Koyama, "Optuna: A Next-generation Hyperparameter
    Optimization Framework", KDD 2019.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=70, random_state=0)
    >>> clf = fk.EmotionClassifier(
    ...     model_params={"filters": (4, 4, 4), "dense_units": 8}, epochs=1, verbose=0
    ... )
    >>> found = fk.tune(clf, data, space={"learning_rate": (0.01, 0.1, "log")}, n_trials=1)
    >>> 0.01 <= found.classifier.learning_rate <= 0.1
    True
    """
    with needed("tune", extra="tune"):
        import optuna

    _check_classifier_and_data(classifier, data)
    ranges = _check_space(space, classifier)
    choices = {
        name: _choices(values) for name, values in ranges.items() if isinstance(values, list)
    }
    scorer = _check_scoring(scoring, classifier, data)
    n_trials = check_whole("n_trials", n_trials)
    if timeout is not None:
        check_number("timeout", timeout, "[0, inf)")
    if random_state is not None:
        random_state = check_whole("random_state", random_state, least=0, most=2**32 - 1)
    with _one_at_a_time(storage):
        study = _study(storage)
        _check_same_search(study, classifier, data, ranges, as_json(scoring))
    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    done = len(study.get_trials(states=ended))
    # Gone on with, a search does not draw what it drew before.
    seed = None if random_state is None else (random_state + len(study.trials)) % 2**32
    study.sampler = optuna.samplers.TPESampler(seed=seed)

    class Report(keras.callbacks.Callback):  # type: ignore[misc]  # Keras carries no types
        def __init__(self, trial: Any) -> None:
            super().__init__()
            self.trial = trial

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.trial.report(float((logs or {})[_MONITOR]), epoch)
            if self.trial.should_prune():
                raise optuna.TrialPruned

    def measure(trial: Any) -> float:
        drawn = {
            name: _suggest(trial, name, choices.get(name, values))
            for name, values in ranges.items()
        }
        clf = _copy_of(classifier).set_params(**_settings(drawn, choices))
        callbacks = [Report(trial)] if scoring == "accuracy" else []
        clf.fit(*data.train, validation_data=data.validation, callbacks=callbacks)
        if scoring != "accuracy":
            return float(scorer(clf, *data.validation))
        figures = clf.history_[_MONITOR]
        place = clf.best_epoch_ if clf.restore_best_weights else -1
        return float(figures[place])

    if n_trials > done:
        with warnings.catch_warnings():  # of a draw, one setting may switch off another
            warnings.filterwarnings("ignore", ".* has no effect beside", Fer2013KitWarning)
            study.optimize(
                measure, n_trials=n_trials - done, timeout=timeout, catch=(TrainingDivergedError,)
            )
    if not study.get_trials(states=ended[:1]):
        raise TrainingDivergedError(
            f"no trial of {len(study.trials)} came to its end; try smaller learning rates, or more "
            "trials"
        )
    best = _settings(study.best_params, choices)
    return TuningResult(study, _copy_of(classifier).set_params(**best), choices)


def _copy_of(classifier: EmotionClassifier) -> Any:
    """Return a copy to be trained: with the weights that ``warm_start`` begins with."""
    return (copy.deepcopy if _begins_trained(classifier) else clone)(classifier)


def _begins_trained(classifier: EmotionClassifier) -> bool:
    return classifier.warm_start and classifier.__sklearn_is_fitted__()


def _check_classifier_and_data(classifier: Any, data: Any) -> None:
    if not isinstance(classifier, EmotionClassifier):
        raise InvalidInputError(
            f"classifier must be an EmotionClassifier; received {shown(classifier)}"
        )
    if classifier.checkpoint_dir is not None:
        raise InvalidInputError(
            "checkpoint_dir is one run's, and a search trains many networks; leave it out, and "
            "pass storage, which keeps the trials"
        )
    warn_of_unused_weights(classifier)
    if not isinstance(data, FER2013) or data.validation is None:
        raise InvalidInputError(
            "data must be a FER2013 with a validation split, for instance from "
            f"split_validation(0.1); received {shown(data)}"
        )


class _Answers(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """Probabilities in the place of the classifier that a scorer asks for them."""

    def __init__(self, classes: Any, probabilities: Any) -> None:
        self.classes_ = classes
        self.probabilities = probabilities

    def predict_proba(self, X: Any) -> Any:
        """Return them, whatever is asked."""
        del X
        return self.probabilities

    def predict(self, X: Any) -> Any:
        """Return the most probable classes."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _check_scoring(scoring: Any, classifier: EmotionClassifier, data: FER2013) -> Any:
    """Return scikit-learn's scorer, tried on faultless answers before anything is trained."""
    known = isinstance(scoring, str) and scoring in get_scorer_names()
    if not known and not callable(scoring):
        raise InvalidInputError(
            "scoring must be a name that scikit-learn knows, such as 'f1_macro', or a function of "
            f"classifier, X and y; received {shown(scoring)}"
            f"{did_you_mean(scoring, get_scorer_names())}"
        )
    scorer = get_scorer(scoring)
    X, y = data.validation
    asked = classifier.classes
    classes = np.unique(data.train.labels if asked is None else np.asarray(asked))
    refusal = (
        f"scoring={shown(scoring)} cannot measure answers to the validation split in "
        f"{len(classes)} classes"
    )
    try:
        value = scorer(_Answers(classes, (y[:, None] == classes).astype(np.float64)), X, y)
    except Exception as error:
        raise InvalidInputError(f"{refusal}: {shortened(str(error))}") from error
    if not is_number(value) or not np.isfinite(value):
        raise InvalidInputError(f"{refusal}: it gave {shown(value)} for faultless ones")
    return scorer


@contextmanager
def _one_at_a_time(storage: str | Path | None) -> Iterator[None]:
    """Let the second of two searches that begin at once on one file see what the first noted."""
    is_file = isinstance(storage, str | PathLike) and "://" not in str(storage)
    if is_file and (folder := Path(str(storage)).parent).is_dir():
        with alone_in(folder):
            yield
    else:  # a database sees to it, and what is no place is told where it is opened
        yield


def _study(storage: str | Path | None) -> Any:
    """Return the study that is stored there, or a new one."""
    import optuna

    if not isinstance(storage, str | PathLike | None) or storage == "":
        raise InvalidInputError(f"storage must be None, a path or a URL; received {shown(storage)}")
    is_file = storage is not None and "://" not in str(storage)
    try:
        return optuna.create_study(
            study_name="fer2013kit",
            storage=_file(storage) if is_file else storage,
            load_if_exists=True,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1),
        )
    except ImportError:
        raise  # of what the database of a URL needs
    except Exception as error:  # a URL, which may hold a password, is not shown
        file = f" {storage}" if is_file else ""
        why = shortened(str(error).partition("\n")[0])  # SQLAlchemy goes on with SQL
        raise InvalidInputError(f"storage{file} cannot be used: {why}") from error


def _file(path: Any) -> Any:
    """Return the storage in a file, which is open only while something is read or written."""
    from optuna.storages import RDBStorage
    from sqlalchemy.pool import NullPool

    return RDBStorage(f"sqlite:///{path}", engine_kwargs={"poolclass": NullPool})


def _check_same_search(
    study: Any,
    classifier: EmotionClassifier,
    data: FER2013,
    ranges: Mapping[str, Any],
    scoring: Any,
) -> None:
    """Note on a new study what it searches; refuse trials of another search."""
    settings = {
        name: as_json(value)
        for name, value in classifier.get_params(deep=False).items()
        if name not in {*_NO_CHOICE, *ranges}
    }
    if not isinstance(classifier.random_state, int | np.integer):
        del settings["random_state"]  # which no two processes could have alike
    own = {  # by what a difference is called
        "another scoring": scoring,
        "another space": _digest(as_json(ranges)),
        "other settings of the classifier": _digest(settings),
        "other data": digest_of([*data.train, *data.validation]),
        "another network": _network_of(classifier, data),
    }
    facts = {
        "scoring": scoring,
        **{f"the space of {name}": as_json(values) for name, values in ranges.items()},
        **settings,
        "the network": own["another network"],
        "the training images": described(data.train.images),
        "the training labels": described(data.train.labels),
        "the validation images": described(data.validation.images),
        "the validation labels": described(data.validation.labels),
    }
    # The first files were all by accuracy, and do not tell the network.
    before = {"another scoring": "accuracy", "another network": own["another network"]}
    known = {**before, **study.user_attrs}
    if not study.trials and _FACTS not in study.user_attrs:
        for name, value in {**own, _FACTS: facts}.items():
            study.set_user_attr(name, value)
    elif differing := [name for name, value in own.items() if known.get(name) != value]:
        told = f": {differences(known[_FACTS], facts)}" if _FACTS in known else ""
        raise InvalidInputError(
            f"storage holds another search, with {' and '.join(differing)}; give each search a "
            f"storage of its own{told}"
        )


def _network_of(classifier: EmotionClassifier, data: FER2013) -> str | None:
    """Return what tells the classifier's network from others; None where the space completes it."""
    asked = classifier.classes
    try:
        network, _ = build_network(
            classifier.model,
            classifier.model_params or {},
            input_shape=classifier.image_shape or data.train.images.shape[1:],
            num_classes=len(np.unique(data.train.labels if asked is None else np.asarray(asked))),
            compute_dtype="float32",
            output=classifier.output,
        )
    except Exception:  # noqa: BLE001 - of the user's own code; a trial will tell
        return None
    told = described_network(network)
    if _begins_trained(classifier):
        told += f", begun with weights of SHA-256 {digest_of(classifier.model_.get_weights())[:16]}"
    return told


def _digest(settings: Any) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _check_space(space: Any, classifier: EmotionClassifier) -> dict[str, Any]:
    known = classifier.get_params(deep=False)
    if isinstance(space, str) and space == "default":
        off = switched_off(known, _DEFAULT_SPACE)
        return {name: values for name, values in _DEFAULT_SPACE.items() if name not in off}
    if not isinstance(space, Mapping) or not space:
        raise InvalidInputError(
            f"space must be 'default' or a mapping of settings; received {shown(space)}"
        )
    off = switched_off(known, space)
    for name, values in space.items():
        if name not in known and not str(name).startswith("model_params__"):
            raise InvalidInputError(
                f"space must name settings of the classifier; received {shown(name)}"
                f"{did_you_mean(name, known)}"
            )
        if name in off:
            raise InvalidInputError(
                f"space must name settings that change something; received {shown(name)} beside "
                f"{off[name]}"
            )
        if not (_is_range(values) or (isinstance(values, list) and values)):
            raise InvalidInputError(
                f"space must hold (low, high), (low, high, 'log') or lists of choices; received "
                f"{shown(values)} for {shown(name)}"
            )
    return dict(space)


def _is_range(values: Any) -> bool:
    if not (isinstance(values, tuple) and len(values) in {2, 3} and values[2:] in {(), ("log",)}):
        return False
    low, high = values[:2]
    return is_number(low) and is_number(high) and low < high and (len(values) == 2 or low > 0)  # noqa: PLR2004 - without "log"


def _choices(values: list[Any]) -> dict[Any, Any]:
    """Return what a study calls each value, and the value: Optuna keeps numbers and words alone."""
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    names = [value if isinstance(value, _PLAIN) else _named(value) for value in values]
    if len(set(names)) < len(names):  # True and 1 are one, too
        names = [f"{place}: {name}" for place, name in enumerate(names)]
    return dict(zip(names, values, strict=True))


def _named(value: Any) -> str:
    if isinstance(value, list | tuple | Mapping):
        return shortened(json.dumps(as_json(value)))
    return str(getattr(value, "__qualname__", type(value).__name__))


def _settings(drawn: Mapping[str, Any], choices: Mapping[str, Mapping[Any, Any]]) -> dict[str, Any]:
    """Return what was drawn in the classifier's terms."""
    return {name: choices[name][v] if name in choices else v for name, v in drawn.items()}


def _suggest(trial: Any, name: str, values: Any) -> Any:
    if isinstance(values, Mapping):
        return trial.suggest_categorical(name, list(values))
    low, high = values[:2]
    whole = isinstance(low, numbers.Integral) and isinstance(high, numbers.Integral)
    suggest = trial.suggest_int if whole else trial.suggest_float
    return suggest(name, low, high, log=len(values) == 3)  # noqa: PLR2004 - with "log"
