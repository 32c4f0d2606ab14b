"""A fitted classifier as a file of plain facts and arrays, and back."""

from __future__ import annotations

import inspect
import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

import keras
import numpy as np

from fer2013kit._calibration_source import read_calibration_source
from fer2013kit._checks import check_choice, or_none
from fer2013kit._export_metadata import check_own_ending
from fer2013kit._keras_settings import check_not_forked
from fer2013kit._untrusted import (
    are_labels,
    are_words,
    check_facts,
    errors_as,
    is_count,
    is_image_shape,
    is_mapping,
    is_positive,
    is_text,
    read_labels,
)
from fer2013kit.classifier._compute_dtype import Format, cpu_has_bfloat16
from fer2013kit.classifier._fitted import Architecture, Fitted
from fer2013kit.classifier._json import as_json, with_nan, without_nan, without_notes
from fer2013kit.classifier._model_file import read_model_file, write_model_file
from fer2013kit.classifier._network import weight_shapes
from fer2013kit.classifier._settings import check_settings, is_optimizer_name
from fer2013kit.evaluation import read_calibrator
from fer2013kit.exceptions import (
    InvalidInputError,
    ModelFileError,
    listed,
    shortened,
    shown,
    warn,
)
from fer2013kit.models import resolve_builder
from fer2013kit.typing import ComputeDtype, ModelBuilder, WeightsDtype

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


logger = logging.getLogger(__name__)

_RUN_ONLY: Final = ("checkpoint_dir", "validation_groups", "verbose", "model")
"""Settings that belong to a run or stand elsewhere in the file."""

_ASKED_FOR: Final = ("input_shape", "num_classes")
"""Arguments of a builder that the file tells elsewhere."""

_FACTS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "architecture": is_mapping,
    "params": is_mapping,
    "preprocessing": is_mapping,
    "classes": are_labels,
    "classes_dtype": is_text,
    "class_names": are_words,
    "compute_dtype": lambda value: value in get_args(Format),
    "temperature": is_positive,
    "history": is_mapping,
    "threads": or_none(is_count),
    "best_epoch": or_none(is_count),
    "metrics": or_none(is_mapping),
}

_ARCHITECTURE_FACTS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "name": is_text,
    "params": is_mapping,
    "output": or_none(is_text),
}


def save(
    path: Path,
    fitted: Fitted,
    *,
    params: Mapping[str, Any],
    architecture: Architecture,
    weights: Sequence[NDArray[Any]],
) -> None:
    """Write a fitted classifier; see :meth:`EmotionClassifier.save`."""
    check_own_ending(path, ".fer")
    settings = {
        "architecture": {
            "name": resolve_builder(architecture.model)[0],
            "params": _architecture_params(architecture.model, architecture.params),
            "output": architecture.output,
        },
        "keras": keras.__version__,
        "params": {k: as_json(v) for k, v in params.items() if k not in _RUN_ONLY},
        "preprocessing": {
            "image_shape": list(fitted.image_shape),
            "value_range": as_json(params["value_range"]),
            "scaling": "the network takes grey levels in [0, 255] and scales them itself",
        },
        "classes": fitted.classes.tolist(),
        "classes_dtype": fitted.classes.dtype.str,
        "class_names": list(fitted.class_names),
        "compute_dtype": fitted.compute_dtype,
        "threads": fitted.threads,
        "temperature": fitted.temperature,
        "calibration": fitted.calibration,
        "calibrator": fitted.calibrator,
        "history": without_nan(fitted.history),
        "best_epoch": fitted.best_epoch,
        "metrics": without_nan(fitted.metrics),
    }
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


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What a file holds of a classifier."""

    params: Mapping[str, Any]
    architecture: Architecture
    fitted: Fitted
    compute_dtype: ComputeDtype
    """To predict in, which need not be what ``fitted`` was trained in."""
    weights: list[NDArray[Any]]


def load(
    path: Path,
    *,
    content: bytes | None = None,
    model: str | ModelBuilder | None,
    compute_dtype: ComputeDtype | None,
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> Stored:
    """Read a fitted classifier; see :meth:`EmotionClassifier.load`.

    ``content`` is the file's, where it was read before; ``given`` are settings that replace those
    of the file; ``defaults`` are all there are.
    """
    settings, stored = read_model_file(path, content)
    with errors_as(lambda why: ModelFileError(f"{path}: classifier.json lacks or garbles {why}")):
        settings = {"threads": None, **settings}  # older files lack it, and the output below
        check_facts(settings, _FACTS)
        built = {"output": None, **settings["architecture"]}
        check_facts(built, _ARCHITECTURE_FACTS)
        check_facts(settings["preprocessing"], {"image_shape": is_image_shape})
        builder = built["name"] if model is None else model
        params = _read_params(path, settings["params"], set(defaults))
        params["model_params"] = _read_model_params(
            path, builder, built["params"], settings["params"]["model_params"]
        )
        fitted = _read_fitted(path, settings)
    architecture = Architecture(
        model=builder, params=params["model_params"] or {}, output=built["output"]
    )
    _check_weights(path, stored, architecture, fitted)
    params = {**defaults, **params, "model": builder}
    try:
        check_settings(params)
    except InvalidInputError as error:
        raise ModelFileError(f"{path}: {error}") from error
    params |= given
    check_settings(params)  # what the caller gave is no fault of the file
    if compute_dtype is not None:
        check_choice("compute_dtype", compute_dtype, ComputeDtype)
    return Stored(
        params=params,
        architecture=architecture,
        fitted=fitted,
        compute_dtype=compute_dtype or fitted.compute_dtype,
        weights=[one.astype(np.float32) if one.dtype == np.float16 else one for one in stored],
    )


def _read_params(path: Path, stored: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    """Return a file's settings; which of them are left aside is told.

    Whoever made the file does not decide where a later fit writes, or what it runs.
    """
    for names, why in (
        (stored.keys() - known, "this version does not know"),
        (stored.keys() & set(_RUN_ONLY), "no file decides, and which were left out"),
    ):
        if names:
            warn(f"{path}: settings that {why}: {shortened(', '.join(sorted(names)))}")
    usable = known - set(_RUN_ONLY)
    params = without_notes({name: value for name, value in stored.items() if name in usable})
    check_facts({"optimizer": "sgd", **params}, {"optimizer": is_optimizer_name})
    return params


def _read_model_params(
    path: Path, builder: str | ModelBuilder, built: Mapping[str, Any], given: Any
) -> dict[str, Any] | None:
    """Return what the builder of a file's network is to be given, as it was or all of it.

    Defaults of a builder may change; the file's network stays what it was.
    """
    params = None if given is None else without_notes(given)
    if _architecture_params(builder, params) == built:
        return params
    params = without_notes(built)
    now = _architecture_params(builder, params)
    code = [name for name in given or () if name not in params]
    if lost := [name for name in code if now.get(name, built[name]) != built[name]]:
        raise ModelFileError(
            f"{path}: model_params held code, which no file keeps: {listed(lost)}; load it with a "
            f"builder that brings it, model=functools.partial(builder, {lost[0]}=...)"
        )
    return params


def _read_fitted(path: Path, settings: Mapping[str, Any]) -> Fitted:
    compute_dtype = settings["compute_dtype"]
    if compute_dtype == "bfloat16" and not cpu_has_bfloat16():
        logger.info("this CPU has no bfloat16 instructions: predicting in float32")
        compute_dtype = "float32"
    fitted = Fitted(
        classes=read_labels(settings["classes"], settings["classes_dtype"]),
        class_names=tuple(settings["class_names"]),
        image_shape=tuple(settings["preprocessing"]["image_shape"]),
        compute_dtype=compute_dtype,
        history=with_nan(settings["history"]),
        best_epoch=settings["best_epoch"],
        temperature=float(settings["temperature"]),
        calibration=read_calibration_source(settings.get("calibration")),
        calibrator=read_calibrator(settings.get("calibrator"), n_classes=len(settings["classes"])),
        metrics=settings["metrics"],
        threads=settings["threads"],
    )
    if len(fitted.classes) != len(fitted.class_names):
        raise ModelFileError(
            f"{path}: classifier.json has {len(fitted.class_names)} class_names for "
            f"{len(fitted.classes)} classes"
        )
    return fitted


def _check_weights(
    path: Path, weights: Sequence[NDArray[Any]], architecture: Architecture, fitted: Fitted
) -> None:
    """Raise unless weights fit a network, before that is built, which may be larger by far."""
    given = [weight.shape for weight in weights]
    # A builder may refuse what stands in a file in any way.
    check_not_forked()
    with misfit_as_error(path, architecture, Exception):
        expected = weight_shapes(
            architecture.model,
            architecture.params,
            input_shape=fitted.image_shape,
            num_classes=len(fitted.classes),
        )
        if expected not in (None, given):
            raise ValueError(f"received weights of shapes {shown(given)}")


@contextmanager
def misfit_as_error(
    path: Path, architecture: Architecture, errors: type[Exception] = ValueError
) -> Iterator[None]:
    """Say of errors in building a file's network that the weights and the builder do not fit."""
    try:
        yield
    except errors as error:
        name, _ = resolve_builder(architecture.model)
        raise ModelFileError(
            f"{path}: its weights do not fit the architecture {name!r} as it is built here "
            f"({shortened(str(error))}); load it with the builder it was trained with"
        ) from error


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


def picklable_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return an estimator's state with the network replaced by its weights.

    Keras pickles a loss by its configuration, which it does not keep whole (Huber's lacks delta);
    its class and attributes are kept instead.
    """
    state = dict(state)
    if isinstance(state.get("loss"), keras.losses.Loss):
        state["_loss"] = type(state["loss"]), dict(vars(state.pop("loss")))
    network = state.pop("model_", None)
    for compiled in ("_inference", "_features"):
        state.pop(compiled, None)
    if network is not None:
        state["_weights"] = network.get_weights()
    return state


def unpickled_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return what :func:`picklable_state` was given, but for the network."""
    state = dict(state)
    if "_loss" in state:
        kind, attributes = state.pop("_loss")
        state["loss"] = object.__new__(kind)
        vars(state["loss"]).update(attributes)
    return state
