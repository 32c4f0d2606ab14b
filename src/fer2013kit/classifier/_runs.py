"""A training run: its batches, its choices, and what tells it from others."""

from __future__ import annotations

import hashlib
import math
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from sklearn.utils import check_random_state

from fer2013kit.augmentation import STRENGTHS, FaceAugmentation
from fer2013kit.classifier._json import as_json, digest_of_facts
from fer2013kit.classifier._processes import current_processes
from fer2013kit.classifier._progress import resolve_verbose
from fer2013kit.classifier._settings import TrainingSettings
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.pipeline import StreamedBatches, TrainingBatches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

_CHECKPOINT_NAME: Final = "checkpoint.npz"
_NO_CHOICE: Final = {"verbose", "checkpoint_dir", "warm_start", "class_names"}
"""Settings that do not change what a run learns, or not by themselves."""

_CHUNK: Final = 4096  # rows that are read at once


def seed_of_run(random_state: int | np.random.RandomState | None) -> int:
    """Return what everything random in a run follows from; a RandomState gives a new one each."""
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def batch_settings(params: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return what training batches do to their images, as the classifier's settings say."""
    augmentation, processes = None, current_processes()
    if params["augment"]:
        # With a seed, it takes none from Python's global generator, which another thread may be
        # building its network with.
        strengths = {name: params[name] for name in STRENGTHS}
        clip = params["value_range"] is not None  # then 0 and 255 are black and white
        augmentation = FaceAugmentation(**strengths, clip=clip, seed=seed)
    return {
        "seed": seed,
        "augmentation": augmentation,
        "mixup": params["mixup"],
        "cutmix": params["cutmix"],
        "part": processes.index,
        "parts": processes.count,
        "calm_from": params["epochs"] - params["calm_epochs"]
        if params["calm_epochs"]
        else math.inf,
    }


def describe_run(
    params: Mapping[str, Any],
    batches: TrainingBatches | StreamedBatches,
    network: keras.Model,
    *,
    compute_dtype: str,
    validation: Any = None,
    first_weights: Sequence[NDArray[Any]] = (),
) -> TrainingSettings:
    """Return the settings of a run of a network on ``batches``.

    ``first_weights`` are those that the network begins with where the seed does not decide them.
    """
    shared = {one.name for one in fields(TrainingSettings)} & params.keys()
    folder, processes = params["checkpoint_dir"], current_processes()
    run = {}
    if folder is not None or processes.count > 1:
        run = _facts(params, batches, validation, compute_dtype, first_weights)
        run["the network"] = described_network(network)
    return TrainingSettings(
        **{name: params[name] for name in shared - {"verbose", "compute_dtype"}},
        verbose=0 if processes.index else resolve_verbose(params["verbose"]),
        compute_dtype=compute_dtype,
        checkpoint_path=None if folder is None else Path(folder) / _CHECKPOINT_NAME,
        fingerprint=digest_of_facts(run) if run else "",
        run=run,
        processes=processes,
    )


def _facts(
    params: Mapping[str, Any],
    batches: TrainingBatches | StreamedBatches,
    validation: Any,
    compute_dtype: str,
    first_weights: Sequence[NDArray[Any]],
) -> dict[str, Any]:
    """Return what tells a run from others, by its name: settings, data and first weights.

    Of what is read batch by batch, the shape of the images and the number of steps alone, and of
    such validation data that there are some.
    """
    if not isinstance(params["random_state"], int | np.integer):
        raise InvalidInputError(
            "checkpoint_dir needs an int as random_state, else a resumed run could not end "
            "where the unbroken one would have, and so do several processes, who draw the same; "
            f"received {shown(params['random_state'])}"
        )
    facts = {name: as_json(value) for name, value in params.items() if name not in _NO_CHOICE}
    facts["compute_dtype"] = compute_dtype
    if first_weights:
        facts["the first weights"] = digest_of(first_weights)
    facts["the steps of an epoch"] = batches.steps_per_epoch
    if isinstance(batches, TrainingBatches):
        arrays = {
            "the training images": batches.images,
            "the training targets": batches.targets,
            "the weights of the training images": batches.weights,
        }
    else:
        arrays = {"the training images": batches.some[:0]}  # shuffled anew, it has others
    if isinstance(validation, tuple):
        names = ("the validation images", "the validation targets", "the validation weights")
        arrays |= zip(names, validation, strict=False)
    elif validation is not None:
        facts["the validation images"] = "read batch by batch"
    return facts | {name: described(array) for name, array in arrays.items()}


def described_network(network: keras.Model) -> str:
    """Return what tells a network from others: its parameters, and the digest of its layers.

    The function that builds it may have changed under the same name.
    """
    # Keras counts the names of layers, and draws seeds that are not given.
    layers = list(network._flatten_layers())  # noqa: SLF001 - that of a Sequential's input, too
    names = {layer.name: place for place, layer in enumerate(layers)}

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items() if key != "seed"}
        if isinstance(value, list | tuple):
            return [plain(one) for one in value]
        return names.get(value, value) if isinstance(value, str) else as_json(value)

    try:
        config = plain(keras.saving.serialize_keras_object(network))
    except Exception:  # noqa: BLE001 - a class without get_config, or whatever that raises
        config = [type(layer).__qualname__ for layer in layers]
    shapes = [list(one.shape) for one in network.weights]
    digest = digest_of_facts([config, shapes])
    return f"{network.count_params():,} parameters, SHA-256 {digest[:16]}"


def described(array: Any) -> str:
    """Return what tells an array from others: its shape and its digest."""
    return f"{'x'.join(map(str, array.shape))}, SHA-256 {digest_of([array])[:16]}"


def digest_of(arrays: Iterable[Any]) -> str:
    """Return the SHA-256 of arrays, read part by part."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(repr(array.shape).encode())
        for start in range(0, len(array) if array.shape else 1, _CHUNK):
            part = array[start : start + _CHUNK] if array.shape else array
            digest.update(repr(part.dtype.str).encode())
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()
