"""The settings of ``EmotionClassifier``: what they may be, alone and together; those of a run."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np

from fer2013kit._checks import (
    MOST_SEED,
    as_float,
    is_flag,
    is_listing,
    is_number,
    is_shape,
    or_none,
    wrong_choice,
)
from fer2013kit.augmentation import LIMITS, STRENGTHS
from fer2013kit.classifier._processes import ALONE, Processes
from fer2013kit.exceptions import InvalidInputError, did_you_mean, listed, shown, warn
from fer2013kit.typing import ComputeDtype, LearningRateSchedule, Loss, Verbose

if TYPE_CHECKING:
    from pathlib import Path

_VOCABULARIES: Final[Mapping[str, Any]] = {
    "learning_rate_schedule": LearningRateSchedule,
    "compute_dtype": ComputeDtype,
    "verbose": Verbose,
}
_GIVEN: Final = ("model", "input_shape", "num_classes", "output")  # to each builder
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "epochs": (1, 1_000_000),
    "batch_size": (1, 1_000_000),
    "patience": (1, np.inf),
    "learning_rate": (0, 1e38),  # float32 ends there
    "warmup_epochs": (0, np.inf),
    "weight_decay": (0, np.inf),
    "ema_momentum": (0, 0.999999),
    "focal_gamma": (0, np.inf),
    "label_smoothing": (0, 0.999),
    "validation_fraction": (0, 0.999),
    **{name: (0, limit) for name, limit in LIMITS.items()},
    "mixup": (0, 1_000_000),
    "cutmix": (0, 1_000_000),
    "calm_epochs": (0, np.inf),
}
_WHOLE: Final = ("epochs", "batch_size", "patience", "calm_epochs")
_MAY_BE_NONE: Final = ("patience",)
_DEFAULT_MONITOR: Final = "val_accuracy"
_OF_OPTIMIZER: Final = (
    "learning_rate", "learning_rate_schedule", "warmup_epochs", "weight_decay", "ema_momentum",
)  # fmt: skip
_OF_LOSS: Final = ("label_smoothing", "focal_gamma")
_MIXING: Final = ("mixup", "cutmix")
_BY_THEMSELVES: Final = ("loss", "accuracy", "learning_rate")
"""Figures that every run records."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """The choices of a run; the classifier's docstring explains each."""

    epochs: int
    optimizer: Any
    learning_rate: float
    learning_rate_schedule: LearningRateSchedule
    warmup_epochs: float
    weight_decay: float
    ema_momentum: float
    loss: Loss | Any
    focal_gamma: float
    label_smoothing: float
    metrics: Sequence[Any]
    monitor: str
    patience: int | None
    restore_best_weights: bool
    verbose: int
    compute_dtype: str
    checkpoint_path: Path | None = None
    fingerprint: str = ""
    run: Mapping[str, Any] = field(default_factory=dict)
    """What the fingerprint is made of, in words."""
    processes: Processes = ALONE


def is_optimizer_name(value: Any) -> bool:
    """Tell whether Keras has an optimizer of that name."""
    try:
        return isinstance(value, str) and bool(keras.optimizers.get(value))
    except ValueError:
        return False


def check_settings(params: Mapping[str, Any]) -> None:
    """Raise one :class:`InvalidInputError` that names every setting which cannot be used."""
    wrong = [
        *_wrong_words(params),
        *_wrong_numbers(params),
        *_wrong_objects(params),
        *_wrong_metrics(params["metrics"]),
    ]
    if wrong:
        raise InvalidInputError("; ".join(wrong))


def switched_off(params: Mapping[str, Any], varied: Container[str] = ()) -> dict[str, str]:
    """Return the settings that do nothing beside others, and what switches them off.

    What is ``varied``, as in a search, switches nothing off.

    Examples
    --------
    >>> from fer2013kit import EmotionClassifier
    >>> from fer2013kit.classifier._settings import switched_off
    >>> switched_off(EmotionClassifier(augment=True).get_params())
    {'focal_gamma': "loss='crossentropy'"}
    """
    off: dict[str, str] = {}
    mixed = any(params[name] or name in varied for name in _MIXING)
    if not params["augment"] and "augment" not in varied:
        off |= dict.fromkeys(STRENGTHS, "augment=False")
        if not mixed:
            off["calm_epochs"] = "augment=False without mixup and cutmix"
    if isinstance(params["optimizer"], keras.optimizers.Optimizer) and "optimizer" not in varied:
        off |= dict.fromkeys(_OF_OPTIMIZER, "an optimizer that brings its own")
    elif params["learning_rate_schedule"] == "constant" and "learning_rate_schedule" not in varied:
        off["warmup_epochs"] = "learning_rate_schedule='constant'"
    if "loss" not in varied:
        if not isinstance(params["loss"], str):
            off |= dict.fromkeys(_OF_LOSS, "a loss of your own")
        elif params["loss"] != "focal":
            off["focal_gamma"] = f"loss={params['loss']!r}"
    return off


def warn_of_idle_settings(params: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Warn of settings that were changed and do nothing; 0 and False ask for nothing."""
    idle: dict[str, list[str]] = {}
    for name, reason in switched_off(params).items():
        if params[name] and params[name] != defaults[name]:
            idle.setdefault(reason, []).append(f"{name}={shown(params[name])}")
    for reason, settings in idle.items():
        warn(f"{listed(settings)} has no effect beside {reason}; leave out one of them")


def check_monitor(
    params: Mapping[str, Any], *, validated: bool, callbacks: Sequence[Any] = ()
) -> None:
    """Raise :class:`InvalidInputError` where a figure is waited for that no epoch will bring.

    The settings are usable each by itself.  The user's own callbacks may bring other figures, which
    is seen after the first epoch.
    """
    monitor = params["monitor"]
    used = [name for name in ("patience", "restore_best_weights") if params[name]]
    if not used and monitor == _DEFAULT_MONITOR:
        return
    who = f"{' and '.join(used) or 'monitor'} needs"
    known = _known_figures(params["metrics"])
    if monitor in known and monitor.startswith("val_") and not validated:
        raise InvalidInputError(
            f"{who} validation_data in fit, for monitor={monitor!r}; pass it, set "
            "validation_fraction, or watch 'accuracy' or 'loss' of the training set"
        )
    if monitor not in known and not callbacks:
        raise InvalidInputError(unknown_monitor(monitor, known))


def _known_figures(metrics: Sequence[Any]) -> list[str]:
    """Return the names in ``history_`` of a run with these extra metrics that is validated."""
    names = [*_BY_THEMSELVES, *map(_metric_name, metrics)]
    return names + [f"val_{name}" for name in names if name != "learning_rate"]


def _metric_name(metric: Any) -> str:
    """Return what Keras calls a metric in the history."""
    return str(getattr(metric, "name", metric))


def unknown_monitor(monitor: str, known: Sequence[str]) -> str:
    """Return what is said of a monitor that no epoch brings."""
    return (
        f"monitor must be a figure of history_, one of {', '.join(known)}; "
        f"received {shown(monitor)}{did_you_mean(monitor, known)}"
    )


def _wrong_words(params: Mapping[str, Any]) -> list[str]:
    wrong = [
        message
        for name, vocabulary in _VOCABULARIES.items()
        if (message := wrong_choice(name, params[name], vocabulary))
    ]
    loss = params["loss"]
    if not isinstance(loss, keras.losses.Loss) and (message := wrong_choice("loss", loss, Loss)):
        way = ""
        if callable(loss):
            way = "; a function becomes one as the method call(self, y_true, y_pred) of a subclass"
        wrong.append(message.replace(";", " or a keras.losses.Loss;", 1) + way)
    return wrong


def _wrong_numbers(params: Mapping[str, Any]) -> list[str]:
    wrong = []
    for name, (low, high) in _RANGES.items():
        value = params[name]
        if value is None and name in _MAY_BE_NONE:
            continue
        kind: Any = numbers.Integral if name in _WHOLE else numbers.Real
        if not (is_number(value, kind) and low <= as_float(value) <= high and value < np.inf):
            number = "a whole number" if name in _WHOLE else "a number"
            nothing = "None or " if name in _MAY_BE_NONE else ""
            end = f"{high:g}]" if high < np.inf else "inf)"
            way = ""
            if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
                way = "; a schedule of Keras goes into an optimizer, optimizer=SGD(schedule)"
            wrong.append(
                f"{name} must be {nothing}{number} in [{low:g}, {end}; received {shown(value)}{way}"
            )
    return wrong


def _wrong_objects(params: Mapping[str, Any]) -> list[str]:
    wrong = [
        f"{name} must be {what}; received {shown(params[name])}"
        for name, (fits, what) in _OBJECTS.items()
        if not fits(params[name])
    ]
    inner = params["model_params"]
    wrong += [
        f"model_params must hold no {name!r}, which each builder is given anyway"
        for name in _GIVEN
        if isinstance(inner, Mapping) and name in inner
    ]
    if params["validation_groups"] is not None and not params["validation_fraction"]:
        wrong.append("validation_groups needs a validation_fraction; received 0")
    return wrong


def _wrong_metrics(metrics: Any) -> list[str]:
    if isinstance(metrics, str) or not isinstance(metrics, Sequence):
        return [f"metrics must be a sequence of keras.metrics.Metric; received {shown(metrics)}"]
    wrong = [
        f"metrics must hold names or keras.metrics.Metric; received {shown(one)}"
        for one in metrics
        if not isinstance(one, str | keras.metrics.Metric)
    ]
    # "accuracy", which people list by habit, is there by itself.
    names = [*_BY_THEMSELVES, *(_metric_name(one) for one in metrics if one != "accuracy")]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice and not wrong:
        wrong.append(
            f"metrics must have names of their own in history_; {twice[0]!r} is there twice"
        )
    return wrong


def _of_kind(kinds: Any) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _is_seed(value: Any) -> bool:
    if isinstance(value, np.random.RandomState):
        return True
    return is_number(value, numbers.Integral) and bool(0 <= value <= MOST_SEED)


def _is_range(value: Any) -> bool:
    if isinstance(value, Iterator | Mapping | AbstractSet):  # read once, or of no order
        return False
    try:
        low, high = value
        return all(map(is_number, value)) and bool(-np.inf < low < high < np.inf)
    except (TypeError, ValueError):
        return False


def _says_what_to_freeze(value: Any) -> bool:
    return isinstance(value, str) or callable(value) or is_number(value, numbers.Integral)


def _are_labels(value: Any) -> bool:
    labels = _listed(value)
    return any(
        bool(labels) and all(isinstance(one, kind) for one in labels)
        for kind in (str, (int, float, np.number, np.bool_))
    )


def _are_words(value: Any) -> bool:
    return all(isinstance(one, str) for one in _listed(value))


def _listed(value: Any) -> list[Any]:
    """Return what a list or an array holds; of a set, which has no order, the set itself."""
    return np.asarray(value, object).ravel().tolist() if is_listing(value) else [None]


_OBJECTS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    **dict.fromkeys(
        ("augment", "horizontal_flip", "restore_best_weights", "warm_start"),
        (is_flag, "True or False"),
    ),
    "checkpoint_dir": (_of_kind(str | PathLike | None), "None or a path"),
    "model_params": (_of_kind(Mapping | None), "None or a mapping"),
    "monitor": (_of_kind(str), "a name"),
    "output": (_of_kind(str | None), "None or an output's name"),
    "random_state": (
        or_none(_is_seed),
        "None, a whole number from 0 to 2**32 - 1 or a RandomState",
    ),
    "image_shape": (
        or_none(is_shape),
        "None or three whole numbers from 1, (height, width, channels)",
    ),
    "value_range": (or_none(_is_range), "None or (low, high)"),
    "freeze": (
        or_none(_says_what_to_freeze),
        "one of None, 'convolutions', a layer's name, a number of layers or a function of a layer",
    ),
    "classes": (or_none(_are_labels), "labels, numbers or words"),
    "class_names": (or_none(_are_words), "a sequence of words"),
}
"""What each setting that is neither a word nor a number may be, and how an error says so."""
