"""A fitted classifier as plain facts and arrays, and back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import keras
import numpy as np

from fer2013kit.classifier._model_file import read_model_file, write_model_file
from fer2013kit.classifier._precision import cpu_has_bfloat16
from fer2013kit.evaluation import EvaluationReport
from fer2013kit.exceptions import InvalidInputError, ModelFileError
from fer2013kit.models import ModelBuilder, resolve_builder

if TYPE_CHECKING:
    from pathlib import Path

    from fer2013kit.classifier import EmotionClassifier

logger = logging.getLogger(__name__)

_Classifier = TypeVar("_Classifier", bound="EmotionClassifier")

_RUN_ONLY: Final = ("checkpoint_dir", "verbose", "model")
"""Settings that belong to a run or stand elsewhere in the file."""

_NOTE: Final = "not saved"
_PAIRS: Final = "pairs"  # of a mapping whose keys are not all strings, which JSON cannot hold


def save(
    classifier: EmotionClassifier,
    path: Path,
    metrics: EvaluationReport | Mapping[str, Any] | None,
) -> None:
    """Write a fitted classifier; see :meth:`EmotionClassifier.save`."""
    if isinstance(metrics, EvaluationReport):
        metrics = metrics.as_dict()
    kept = getattr(classifier, "metrics_", None) if metrics is None else dict(metrics)
    params = classifier.get_params(deep=False)
    settings = {
        "architecture": {"name": resolve_builder(classifier.model)[0]},
        "keras": keras.__version__,
        "params": {k: as_json(v) for k, v in params.items() if k not in _RUN_ONLY},
        "preprocessing": {
            "image_shape": list(classifier.image_shape_),
            "value_range": as_json(classifier.value_range),
            "scaling": "the network takes grey levels in [0, 255] and scales them itself",
        },
        "classes": classifier.classes_.tolist(),
        "classes_dtype": classifier.classes_.dtype.str,
        "class_names": list(classifier.class_names_),
        "precision": classifier.precision_,
        "temperature": classifier.temperature_,
        "history": classifier.history_,
        "best_epoch": classifier.best_epoch_,
        "metrics": kept,
    }
    write_model_file(path, settings, classifier.model_.get_weights())


def load(cls: type[_Classifier], path: Path, model: str | ModelBuilder | None) -> _Classifier:
    """Read a fitted classifier; see :meth:`EmotionClassifier.load`."""
    settings, weights = read_model_file(path)
    try:
        name = settings["architecture"]["name"]
        builder = name if model is None else model
        resolve_builder(builder)
        known = cls._get_param_names()
        params = {
            key: _from_json(value)
            for key, value in settings["params"].items()
            # A setting that is code or an object of another library takes its default again.
            if key in known and not (isinstance(value, Mapping) and _NOTE in value)
        }
        classifier = cls(model=builder, **params)
        classifier.classes_ = np.asarray(settings["classes"], settings["classes_dtype"])
        classifier.image_shape_ = tuple(settings["preprocessing"]["image_shape"])
        classifier.n_features_in_ = int(np.prod(classifier.image_shape_))
        classifier.history_ = settings["history"]
        classifier.best_epoch_ = settings["best_epoch"]
        classifier.metrics_ = settings["metrics"]
        classifier.precision_ = settings["precision"]
        temperature = float(settings["temperature"])
    except (KeyError, TypeError) as error:
        raise ModelFileError(f"{path}: classifier.json lacks or garbles {error}") from error
    if classifier.precision_ == "bfloat16" and not cpu_has_bfloat16():
        logger.info("this CPU has no bfloat16 instructions: predicting in float32")
        classifier.precision_ = "float32"
    try:
        classifier.__setstate__({**classifier.__dict__, "_weights": weights})
    except (ValueError, InvalidInputError) as error:
        raise ModelFileError(
            f"{path}: its weights do not fit the architecture {name!r} as it is built here "
            f"({error}); load it with the builder it was trained with"
        ) from error
    classifier.temperature_ = temperature
    return classifier


def picklable_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return an estimator's state with the network replaced by its weights."""
    state = dict(state)
    network = state.pop("model_", None)
    state.pop("_inference", None)
    if network is not None:
        state["_weights"] = network.get_weights()
    return state


def as_json(value: Any) -> Any:
    """Return a JSON-ready form of a setting; what has none becomes a note of what it was."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    if isinstance(value, Mapping):
        pairs = [[as_json(key), as_json(one)] for key, one in value.items()]
        return dict(pairs) if all(isinstance(key, str) for key in value) else {_PAIRS: pairs}
    if value is None or isinstance(value, str | int | float):
        return value
    note = value.get_config() if isinstance(value, keras.optimizers.Optimizer) else value
    return {_NOTE: getattr(note, "__qualname__", repr(note))}


def _from_json(value: Any) -> Any:
    """Return a setting as it was; sequences come back as tuples."""
    if isinstance(value, list):
        return tuple(_from_json(one) for one in value)
    if isinstance(value, Mapping):
        if _PAIRS in value:
            return {_from_json(key): _from_json(one) for key, one in value[_PAIRS]}
        return {key: _from_json(one) for key, one in value.items()}
    return value
