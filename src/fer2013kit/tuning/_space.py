"""What a search tries: ranges and choices of settings, and what a study calls them."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import as_float
from fer2013kit.classifier._json import as_json
from fer2013kit.classifier._settings import switched_off
from fer2013kit.exceptions import InvalidInputError, did_you_mean, shortened, shown

if TYPE_CHECKING:
    from fer2013kit.classifier import EmotionClassifier

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
_PLAIN: Final = (str, bool, int, float, type(None))
"""What Optuna keeps as it is."""


def check_space(space: Any, classifier: EmotionClassifier) -> dict[str, Any]:
    """Return what is to be tried, a range or a list of choices for each setting.

    Raises
    ------
    InvalidInputError
        For another kind of space or values, or a setting that is unknown or does nothing here.
    """
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


def choices_of(values: list[Any]) -> dict[Any, Any]:
    """Return what a study calls each value, and the value: Optuna keeps numbers and words alone."""
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    names = [value if isinstance(value, _PLAIN) else _named(value) for value in values]
    if len(set(names)) < len(names):  # True and 1 are one, too
        names = [f"{place}: {name}" for place, name in enumerate(names)]
    return dict(zip(names, values, strict=True))


def draw(
    trial: Any, ranges: Mapping[str, Any], choices: Mapping[str, Mapping[Any, Any]]
) -> dict[str, Any]:
    """Return a trial's settings in the classifier's terms."""
    drawn = {
        name: _suggest(trial, name, choices.get(name, values)) for name, values in ranges.items()
    }
    return settings_of(drawn, choices)


def settings_of(
    drawn: Mapping[str, Any], choices: Mapping[str, Mapping[Any, Any]]
) -> dict[str, Any]:
    """Return what a study calls its settings in the classifier's terms."""
    return {name: choices[name][v] if name in choices else v for name, v in drawn.items()}


def _is_range(values: Any) -> bool:
    if not (isinstance(values, tuple) and len(values) in {2, 3} and values[2:] in ((), ("log",))):
        return False
    low, high = map(as_float, values[:2])
    return -math.inf < low < high < math.inf and (len(values) == 2 or low > 0)  # noqa: PLR2004 - without "log"


def _named(value: Any) -> str:
    if isinstance(value, list | tuple | Mapping):
        return shortened(json.dumps(as_json(value)))
    return str(getattr(value, "__qualname__", type(value).__name__))


def _suggest(trial: Any, name: str, values: Any) -> Any:
    if isinstance(values, Mapping):
        return trial.suggest_categorical(name, list(values))
    low, high = values[:2]
    whole = isinstance(low, numbers.Integral) and isinstance(high, numbers.Integral)
    suggest = trial.suggest_int if whole else trial.suggest_float
    return suggest(name, low, high, log=len(values) == 3)  # noqa: PLR2004 - with "log"
