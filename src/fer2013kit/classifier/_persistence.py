"""A fitted classifier as plain facts and arrays, and back."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import keras
import numpy as np

from fer2013kit._checks import check_choice
from fer2013kit._export_metadata import ExportMetadata
from fer2013kit._image_input import pixel_converter, read_pictures
from fer2013kit.classifier._compute_dtype import cpu_has_bfloat16
from fer2013kit.classifier._model_file import read_model_file, write_model_file
from fer2013kit.classifier._network import build_network
from fer2013kit.evaluation import EvaluationReport
from fer2013kit.exceptions import InvalidInputError, ModelFileError
from fer2013kit.models import resolve_builder
from fer2013kit.typing import ModelBuilder, Quantization, WeightsDtype

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from fer2013kit.classifier._storage import StoredClassifier
    from fer2013kit.export import ExportReport

logger = logging.getLogger(__name__)

_Classifier = TypeVar("_Classifier", bound="StoredClassifier")

_RUN_ONLY: Final = ("checkpoint_dir", "verbose", "model")
"""Settings that belong to a run or stand elsewhere in the file."""

_ASKED_FOR: Final = ("input_shape", "num_classes")
"""Arguments of a builder that the file tells elsewhere."""

_NOTE: Final = "not saved"
_PAIRS: Final = "pairs"  # of a mapping whose keys are not all strings, which JSON cannot hold


def save(
    classifier: StoredClassifier,
    path: Path,
    metrics: EvaluationReport | Mapping[str, Any] | None,
    weights_dtype: WeightsDtype = "float32",
) -> None:
    """Write a fitted classifier; see :meth:`EmotionClassifier.save`."""
    if isinstance(metrics, EvaluationReport):
        metrics = metrics.as_dict()
    kept = classifier.metrics_ if metrics is None else dict(metrics)
    params = classifier.get_params(deep=False)
    settings = {
        "architecture": {
            "name": resolve_builder(classifier.model)[0],
            "params": _architecture_params(classifier.model, classifier.model_params),
        },
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
        "compute_dtype": classifier.compute_dtype_,
        "temperature": classifier.temperature_,
        "history": classifier.history_,
        "best_epoch": classifier.best_epoch_,
        "metrics": kept,
    }
    weights = stored_weights(classifier.model_.get_weights(), weights_dtype)
    write_model_file(path, settings, weights)


def stored_weights(weights: Sequence[NDArray[Any]], dtype: WeightsDtype) -> list[NDArray[Any]]:
    """Return weights in the number format that they are stored in."""
    check_choice("weights_dtype", dtype, WeightsDtype)
    if dtype == "float32":
        return list(weights)
    largest = max(float(np.abs(weight).max(initial=0.0)) for weight in weights)
    if not largest <= float(np.finfo(np.float16).max):
        raise InvalidInputError(
            f"weights up to {largest:g} do not fit into float16; store them as 'float32'"
        )
    return [one.astype(np.float16) if one.dtype == np.float32 else one for one in weights]


def export(
    classifier: StoredClassifier,
    path: Path,
    quantization: Quantization | None,
    images: ArrayLike | None,
    tolerance: float | None,
) -> ExportReport:
    """Write the network for other programs; see :meth:`EmotionClassifier.export`."""
    from fer2013kit.export import export_network

    if classifier.value_range is None:
        raise InvalidInputError(
            "a classifier of value_range=None takes numbers that are no grey levels, but an "
            "exported network takes grey levels; standardise inside the network instead"
        )
    shape = classifier.image_shape_
    levels = None
    if images is not None:
        pictures = read_pictures(images, shape, classifier.value_range)
        levels = np.rint(pixel_converter(classifier.value_range)(pictures)).astype(np.uint8)
    network, _ = build_network(
        classifier.model,
        classifier.model_params or {},
        input_shape=shape,
        num_classes=len(classifier.classes_),
        compute_dtype="float32",
        seed=0,
    )
    network.set_weights(classifier.model_.get_weights())
    metadata = ExportMetadata(
        classes=classifier.classes_.tolist(),
        classes_dtype=classifier.classes_.dtype.str,
        class_names=list(classifier.class_names_),
        image_shape=list(shape),
        value_range=list(classifier.value_range),
        temperature=classifier.temperature_,
        quantization=quantization,
        metrics=classifier.metrics_,
    )
    return export_network(network, metadata, path, images=levels, tolerance=tolerance)


def load(cls: type[_Classifier], path: Path, model: str | ModelBuilder | None) -> _Classifier:
    """Read a fitted classifier; see :meth:`EmotionClassifier.load`."""
    settings, stored = read_model_file(path)
    weights = [one.astype(np.float32) if one.dtype == np.float16 else one for one in stored]
    try:
        name = settings["architecture"]["name"]
        builder = name if model is None else model
        resolve_builder(builder)
        known = cls._get_param_names()
        params = _without_notes(
            {key: value for key, value in settings["params"].items() if key in known}
        )
        # Defaults of a builder may change; the file's network stays what it was.
        built = settings["architecture"]["params"]
        if built != _architecture_params(builder, params["model_params"]):
            params["model_params"] = _without_notes(built)
        classifier = cls(model=builder, **params)
        classifier.classes_ = np.asarray(settings["classes"], settings["classes_dtype"])
        classifier.image_shape_ = tuple(settings["preprocessing"]["image_shape"])
        classifier.n_features_in_ = int(np.prod(classifier.image_shape_))
        classifier.history_ = settings["history"]
        classifier.best_epoch_ = settings["best_epoch"]
        classifier.metrics_ = settings["metrics"]
        classifier.compute_dtype_ = settings["compute_dtype"]
        temperature = float(settings["temperature"])
    except (KeyError, TypeError) as error:
        raise ModelFileError(f"{path}: classifier.json lacks or garbles {error}") from error
    if classifier.compute_dtype_ == "bfloat16" and not cpu_has_bfloat16():
        logger.info("this CPU has no bfloat16 instructions: predicting in float32")
        classifier.compute_dtype_ = "float32"
    try:
        classifier.__setstate__({**classifier.__dict__, "_weights": weights})
    except (ValueError, InvalidInputError) as error:
        raise ModelFileError(
            f"{path}: its weights do not fit the architecture {name!r} as it is built here "
            f"({error}); load it with the builder it was trained with"
        ) from error
    classifier.temperature_ = temperature
    return classifier


def _architecture_params(
    model: str | ModelBuilder, given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what a builder is called with, its defaults included, ready for JSON."""
    parameters = inspect.signature(resolve_builder(model)[1]).parameters
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not parameter.empty and name not in _ASKED_FOR
    }
    params: dict[str, Any] = as_json({**defaults, **(given or {})})
    return params


def _without_notes(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as they were, without those that are code or another library's objects.

    They take their defaults again.
    """
    return {
        key: _from_json(value)
        for key, value in stored.items()
        if not (isinstance(value, Mapping) and _NOTE in value)
    }


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
