"""What made a classifier: the facts that someone needs who wants the same result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_NOT_OF_THE_RESULT: Final = frozenset({"model", "model_params", "verbose", "checkpoint_dir"})
"""Settings that change nothing in the network, or that have an entry of their own."""


def classifier_facts(classifier: Any) -> dict[str, str]:
    """Return the facts about a classifier by their names, as far as it knows them.

    An :class:`EmotionClassifier` tells the architecture and its parameters, every setting that is
    not the default, the epochs, the number format, the temperature and what it was fitted on;
    another estimator of scikit-learn its settings, and an :class:`EmotionPredictor` its
    temperature.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> from fer2013kit.evaluation._facts import classifier_facts
    >>> classifier_facts(fk.EmotionClassifier(epochs=3, mixup=0.2))["settings"]
    'epochs=3, mixup=0.2; others as by default'
    """
    settings = classifier.get_params(deep=False) if hasattr(classifier, "get_params") else {}
    facts = {}
    if "model" in settings:
        facts["architecture"] = _architecture(classifier, settings)
    if settings:
        facts["settings"] = _changed(classifier, settings)
    history = getattr(classifier, "history_", None)
    if isinstance(history, Mapping) and history.get("loss"):
        facts["epochs trained"] = str(len(history["loss"]))
        if getattr(classifier, "best_epoch_", None) is not None:
            facts["epochs trained"] += f", the best was number {classifier.best_epoch_ + 1}"
    if hasattr(classifier, "compute_dtype_"):
        facts["number format"] = str(classifier.compute_dtype_)
    if hasattr(classifier, "temperature_"):
        facts["calibration"] = _calibration(classifier)
    return facts


def _architecture(classifier: Any, settings: Mapping[str, Any]) -> str:
    model, params = settings["model"], settings.get("model_params") or {}
    name = model if isinstance(model, str) else getattr(model, "__qualname__", repr(model))
    text = f"{name}({', '.join(f'{key}={value!r}' for key, value in params.items())})"
    network = getattr(classifier, "model_", None)
    return text if network is None else f"{text}, {network.count_params():,} weights"


def _changed(classifier: Any, settings: Mapping[str, Any]) -> str:
    try:
        defaults = type(classifier)().get_params(deep=False)
    except TypeError:  # a search has no classifier by default
        defaults = {}
    changed = [
        f"{name}={value!r}"
        for name, value in settings.items()
        if name not in _NOT_OF_THE_RESULT
        and not (name in defaults and _equal(value, defaults[name]))
    ]
    return f"{', '.join(changed)}; others as by default" if changed else "all as by default"


def _equal(first: Any, second: Any) -> bool:
    # Arrays compare element by element; their text stands for them, as it does on the page.
    return type(first) is type(second) and repr(first) == repr(second)


def _calibration(classifier: Any) -> str:
    calibrator = getattr(classifier, "calibrator_", None)
    if classifier.temperature_ == 1 and calibrator is None:
        return "none"
    source = getattr(classifier, "calibration_", None)
    fitted = f", fitted on {source['n_samples']:,} images" if source else ""
    temperature = f"temperature {classifier.temperature_:.3f}"
    return f"{temperature if calibrator is None else calibrator['method']}{fitted}"
