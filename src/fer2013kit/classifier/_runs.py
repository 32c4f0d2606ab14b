"""A training run: its batches, its choices, and what tells it from others."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit.augmentation import FaceAugmentation
from fer2013kit.classifier._persistence import as_json
from fer2013kit.classifier._progress import resolve_verbose
from fer2013kit.classifier._training import TrainingSettings
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.pipeline import TrainingBatches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_CHECKPOINT_NAME: Final = "checkpoint.npz"
_NO_CHOICE: Final = {"verbose", "checkpoint_dir", "warm_start", "class_names"}
"""Settings that do not change what a run learns, or not by themselves."""

_STRENGTHS: Final = (
    "rotation", "zoom", "shift", "horizontal_flip", "brightness", "contrast", "erasing",
)  # fmt: skip


def make_batches(
    params: Mapping[str, Any],
    images: NDArray[Any],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    seed: int,
) -> TrainingBatches:
    """Return the training set, shuffled and augmented as the classifier's settings say."""
    augmentation = None
    if params["augment"]:
        # With a seed, it takes none from Python's global generator, which another thread may be
        # building its network with.
        augmentation = FaceAugmentation(**{name: params[name] for name in _STRENGTHS}, seed=seed)
    return TrainingBatches(
        images=images,
        targets=targets,
        weights=weights,
        batch_size=params["batch_size"],
        seed=seed,
        augmentation=augmentation,
        mixup=params["mixup"],
        cutmix=params["cutmix"],
    )


def describe_run(
    params: Mapping[str, Any],
    batches: TrainingBatches,
    *,
    compute_dtype: str,
    first_weights: Sequence[NDArray[Any]] = (),
) -> TrainingSettings:
    """Return the settings of a run on ``batches``.

    ``first_weights`` are those that the network begins with where the seed does not decide them.
    """
    shared = {one.name for one in fields(TrainingSettings)} & params.keys()
    folder = params["checkpoint_dir"]
    path, fingerprint = None, ""
    if folder is not None:
        path = Path(folder) / _CHECKPOINT_NAME
        fingerprint = _fingerprint(params, batches, compute_dtype, first_weights)
    return TrainingSettings(
        **{name: params[name] for name in shared - {"verbose", "compute_dtype"}},
        verbose=resolve_verbose(params["verbose"]),
        compute_dtype=compute_dtype,
        checkpoint_path=path,
        fingerprint=fingerprint,
    )


def _fingerprint(
    params: Mapping[str, Any],
    batches: TrainingBatches,
    compute_dtype: str,
    first_weights: Sequence[NDArray[Any]],
) -> str:
    """Return what tells a run from others: settings, data and first weights, as a digest."""
    if not isinstance(params["random_state"], int | np.integer):
        raise InvalidInputError(
            "checkpoint_dir needs an int as random_state, else a resumed run could not end "
            f"where the unbroken one would have; received {shown(params['random_state'])}"
        )
    settings = {name: as_json(value) for name, value in params.items() if name not in _NO_CHOICE}
    settings["compute_dtype"] = compute_dtype
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for array in (batches.images, batches.targets, batches.weights, *first_weights):
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
