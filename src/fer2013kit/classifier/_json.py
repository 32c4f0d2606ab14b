"""Settings and figures as JSON, and back; what has no form there becomes a note of what it was."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from types import CodeType, FunctionType
from typing import Any, Final

import keras

from fer2013kit.exceptions import shortened, shown

_KERAS_OBJECTS: Final = (keras.optimizers.Optimizer, keras.losses.Loss, keras.metrics.Metric)
_MOST_DIFFERENCES: Final = 5
_NOTE: Final = "not saved"
_FLOAT: Final = "float"  # infinity and NaN, which JSON has not
_PAIRS: Final = "pairs"  # of a mapping whose keys are not all strings, which JSON cannot hold
_ADDRESS: Final = re.compile(" at 0x[0-9a-fA-F]+")
_OF_THIS_PROCESS: Final = "_api_export_"  # what Keras notes on its functions: a place in memory


def as_json(value: Any) -> Any:
    """Return a JSON-ready form of a setting; what has none becomes a note of what it was."""
    if hasattr(value, "tolist"):  # of NumPy, pandas and the like
        value = value.tolist()
    if isinstance(value, list | tuple | range):
        return [as_json(one) for one in value]
    if isinstance(value, Mapping):
        pairs = [[as_json(key), as_json(one)] for key, one in value.items()]
        return dict(pairs) if all(isinstance(key, str) for key in value) else {_PAIRS: pairs}
    if isinstance(value, float) and not math.isfinite(value):
        return {_FLOAT: repr(value)}
    if value is None or isinstance(value, str | int | float):
        return value
    return {_NOTE: _note(value)}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Say which of two runs' settings and data differ, and how; of many, the first few.

    Examples
    --------
    >>> from fer2013kit.classifier._json import differences
    >>> differences({"epochs": 3, "loss": "focal"}, {"epochs": 5, "loss": "focal"})
    'epochs (3 there, 5 here)'
    """
    names = [name for name in {**now, **before} if before.get(name) != now.get(name)]
    told = [
        f"{name} ({_in_words(before, name)} there, {_in_words(now, name)} here)"
        for name in names[:_MOST_DIFFERENCES]
    ]
    if len(names) > len(told):
        told.append(f"{len(names) - len(told)} more")
    return ", ".join(told)


def _in_words(settings: Mapping[str, Any], name: str) -> str:
    if name not in settings:
        return "none"
    value = settings[name]
    if " " in name:  # of data, which is told in words
        return shortened(str(value))
    if isinstance(value, Mapping) and list(value) in ([_NOTE], [_FLOAT]):
        (value,) = value.values()
        return shortened(str(value))
    return shown(value)


def _note(value: Any) -> str:
    """Return what tells code or another library's object from others, without its address."""
    if not isinstance(value, _KERAS_OBJECTS):
        text = getattr(value, "__qualname__", repr(value))
        name = _ADDRESS.sub("", text)
        if code := _code(value):
            name += f", code {code}"
        state = {
            key: one
            for key, one in getattr(value, "__dict__", {}).items()
            if _is_plain(one) and not key.startswith(_OF_THIS_PROCESS)
        }
        return f"{name} {state!r}" if name != text and state else name
    config = value.get_config()
    if isinstance(value, keras.optimizers.Optimizer):
        config.pop("name", None)  # Keras counts them, so that no two of a process have one name
    if isinstance(value, keras.losses.Loss):  # of which the configuration is not all
        config |= {name: one for name, one in vars(value).items() if _is_plain(one)}
    return f"{type(value).__qualname__} {config!r}"


def _code(value: Any) -> str:
    """Return what tells functions of one name apart, "" for other objects.

    It is a digest of the instructions, constants and defaults of a function, and of the function
    inside of a ``partial`` or a scorer; of what a function holds from outside, numbers, words and
    the instructions of functions count.
    """
    inner = [value, getattr(value, "func", None), *getattr(value, "__dict__", {}).values()]
    functions = [getattr(one, "__func__", one) for one in inner]
    functions = [one for one in functions if isinstance(one, FunctionType)]
    if not functions:
        return ""
    told = []
    for one in functions:
        told.append([_instructions(one.__code__), repr(one.__defaults__), repr(one.__kwdefaults__)])
        for cell in one.__closure__ or ():
            held = cell.cell_contents
            if isinstance(held, FunctionType):
                told.append(_instructions(held.__code__))
            elif _is_plain(held):
                told.append([repr(held)])
    text = _ADDRESS.sub("", repr(told))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _instructions(code: CodeType) -> list[Any]:
    constants = [
        _instructions(one)
        if isinstance(one, CodeType)
        else sorted(map(repr, one))  # the order of a set changes from process to process
        if isinstance(one, frozenset)
        else repr(one)
        for one in code.co_consts
    ]
    return [code.co_code.hex(), code.co_names, constants]


def _is_plain(value: Any) -> bool:
    """Tell whether the text of a value says what it is."""
    if isinstance(value, Mapping):
        return all(map(_is_plain, value.values()))
    return value is None or isinstance(value, str | int | float | list | tuple)


def digest_of_facts(facts: Any) -> str:
    """Return the SHA-256 of what is ready for JSON."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def from_json(value: Any) -> Any:
    """Return a setting as it was; sequences come back as tuples."""
    if isinstance(value, list):
        return tuple(from_json(one) for one in value)
    if isinstance(value, Mapping):
        if _PAIRS in value:
            return {from_json(key): from_json(one) for key, one in value[_PAIRS]}
        if _FLOAT in value:
            return float(value[_FLOAT])
        return {key: from_json(one) for key, one in value.items()}
    return value


def without_nan(figures: Any) -> Any:
    """Return figures ready for JSON, None in place of what is no number there."""
    if hasattr(figures, "tolist"):
        figures = figures.tolist()
    if isinstance(figures, Mapping):
        return {str(key): without_nan(value) for key, value in figures.items()}
    if isinstance(figures, list | tuple):
        return [without_nan(value) for value in figures]
    if isinstance(figures, float) and not math.isfinite(figures):
        return None
    return as_json(figures)


def with_nan(history: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return a history that :func:`without_nan` made ready for JSON as it was."""
    return {
        name: [math.nan if value is None else float(value) for value in values]
        for name, values in history.items()
    }


def without_notes(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as they were, without those that are code or another library's objects.

    They take their defaults again.
    """
    return {
        key: from_json(value)
        for key, value in stored.items()
        if not any(
            isinstance(one, Mapping) and _NOTE in one
            for one in (value if isinstance(value, list) else [value])
        )
    }
