"""A training run: its batches, the classifier's choices, and what tells it from others."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit.classifier._persistence import as_json
from fer2013kit.classifier._progress import resolve_verbose
from fer2013kit.classifier._training import TrainingSettings
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.pipeline import TrainingBatches

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from fer2013kit.classifier import EmotionClassifier

_CHECKPOINT_NAME: Final = "checkpoint.npz"
_NO_CHOICE: Final = {"verbose", "checkpoint_dir", "warm_start"}
"""Settings that do not change what a run learns, or not by themselves."""


def make_batches(
    classifier: EmotionClassifier,
    images: NDArray[Any],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    seed: int,
) -> TrainingBatches:
    """Return the training set, shuffled and augmented as the classifier's settings say."""
    return TrainingBatches(
        images=images,
        targets=targets,
        weights=weights,
        batch_size=classifier.batch_size,
        seed=seed,
        augmentation=classifier.make_augmentation(),
        mixup=classifier.mixup,
        cutmix=classifier.cutmix,
    )


def describe_run(
    classifier: EmotionClassifier, batches: TrainingBatches, *, continues: bool
) -> TrainingSettings:
    """Return the settings of a run of ``classifier`` on ``batches``.

    ``continues`` says that the network begins with weights that the seed does not decide.
    """
    params = classifier.get_params(deep=False)
    shared = {one.name for one in fields(TrainingSettings)} & params.keys()
    folder = classifier.checkpoint_dir
    return TrainingSettings(
        **{name: params[name] for name in shared - {"verbose", "compute_dtype"}},
        verbose=resolve_verbose(classifier.verbose),
        compute_dtype=classifier.compute_dtype_,
        checkpoint_path=None if folder is None else Path(folder) / _CHECKPOINT_NAME,
        fingerprint="" if folder is None else _fingerprint(classifier, batches, continues),
    )


def _fingerprint(classifier: EmotionClassifier, batches: TrainingBatches, continues: bool) -> str:
    """Return what tells a run from others: settings, data and first weights, as a digest."""
    params = classifier.get_params(deep=False)
    if not isinstance(params["random_state"], int | np.integer):
        raise InvalidInputError(
            "checkpoint_dir needs an int as random_state, else a resumed run could not end "
            f"where the unbroken one would have; received {params['random_state']!r}"
        )
    settings = {name: as_json(value) for name, value in params.items() if name not in _NO_CHOICE}
    settings["compute_dtype"] = classifier.compute_dtype_
    if classifier.freeze is None:
        del settings["freeze"]  # runs that were begun before it existed go on
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    begin = classifier.model_.get_weights() if continues else ()
    for array in (batches.images, batches.targets, batches.weights, *begin):
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
