"""tune: trials of settings, each trained and measured, and the best of them."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import get_scorer, get_scorer_names

from fer2013kit._checks import MOST_SEED, check_number, check_whole, is_number
from fer2013kit._optional import needed
from fer2013kit.classifier import EmotionClassifier
from fer2013kit.classifier._warm_start import begins_trained, warn_of_unused_weights
from fer2013kit.datasets import FER2013
from fer2013kit.exceptions import (
    Fer2013KitWarning,
    InvalidInputError,
    TrainingDivergedError,
    did_you_mean,
    shortened,
    shown,
)
from fer2013kit.tuning._space import check_space, choices_of, draw, settings_of
from fer2013kit.tuning._study import classes_of, open_study

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd

_MONITOR: Final = "val_accuracy"


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
        return settings_of(self.study.best_params, self.choices)

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
    space : "default" or mapping of str to tuple or list, default "default"
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
    ranges = check_space(space, classifier)
    choices = {
        name: choices_of(values) for name, values in ranges.items() if isinstance(values, list)
    }
    scorer = _check_scoring(scoring, classifier, data)
    n_trials = check_whole("n_trials", n_trials)
    if timeout is not None:
        check_number("timeout", timeout, "[0, inf)")
    if random_state is not None:
        random_state = check_whole("random_state", random_state, least=0, most=MOST_SEED)
    study = open_study(storage, classifier, data, ranges=ranges, scoring=scoring)
    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    done = len(study.get_trials(states=ended))
    # Gone on with, a search does not draw what it drew before.
    seed = None if random_state is None else (random_state + len(study.trials)) % (MOST_SEED + 1)
    study.sampler = optuna.samplers.TPESampler(seed=seed)

    def measure(trial: Any) -> float:
        clf = _copy_of(classifier).set_params(**draw(trial, ranges, choices))
        by_accuracy = scoring == "accuracy"
        clf.fit(
            *data.train,
            validation_data=data.validation,
            callbacks=[_Report(trial)] if by_accuracy else [],
        )
        if not by_accuracy:
            return float(scorer(clf, *data.validation))
        place = clf.best_epoch_ if clf.restore_best_weights else -1
        return float(clf.history_[_MONITOR][place])

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
    best = settings_of(study.best_params, choices)
    return TuningResult(study, _copy_of(classifier).set_params(**best), choices)


def _copy_of(classifier: EmotionClassifier) -> Any:
    """Return a copy to be trained: with the weights that ``warm_start`` begins with."""
    return (copy.deepcopy if begins_trained(classifier) else clone)(classifier)


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


class _Report(keras.callbacks.Callback):  # type: ignore[misc]  # Keras carries no types
    """Tell a trial its accuracy after each epoch, and end it where that lags behind."""

    def __init__(self, trial: Any) -> None:
        super().__init__()
        self._trial = trial

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Let the study judge the epoch."""
        from optuna import TrialPruned

        self._trial.report(float((logs or {})[_MONITOR]), epoch)
        if self._trial.should_prune():
            raise TrialPruned


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
    classes = classes_of(classifier, data)
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
