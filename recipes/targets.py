"""What the loss aims at: labels, and what was written of each Training image beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import fer2013kit as fk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SOFT_TARGETS: Final = Path(__file__).with_name("soft_targets")


def rows_to_learn(data: fk.FER2013, *, both: bool) -> fk.Split:
    """Return the rows of Training, or those of Training and then of PublicTest."""
    if not both:
        return data.train
    splits = (data.train, data.validation)
    return fk.Split(*(np.concatenate(part) for part in zip(*splits, strict=True)))


def mix_targets(shares: Mapping[str, float], split: fk.Split) -> NDArray[np.float32]:
    """Return the weighted mean of the named targets for the rows of Training.

    Parameters
    ----------
    shares : mapping of str to float
        As in :class:`recipes.definitions.Recipe`.
    split : Split
        From :func:`rows_to_learn`, in the order of ``fer2013.csv`` unless labels are all there is.

    Returns
    -------
    ndarray of float32, shape (n, 7)
        Rows sum to 1.
    """
    total: Any = 0.0
    for name, share in shares.items():
        total = total + share * _target(name, split.labels)
    mixed: NDArray[np.float32] = (total / total.sum(axis=1, keepdims=True)).astype(np.float32)
    return mixed


def _target(name: str, labels: NDArray[np.int64]) -> NDArray[Any]:
    if name == "labels":
        return fk.to_one_hot(labels)
    with np.load(SOFT_TARGETS / f"{name}.npz") as file:
        if not np.array_equal(file["labels"], labels):
            raise SystemExit("soft targets follow fer2013.csv; give the CSV rather than the zip")
        return file["probabilities"].astype(np.float64)


def write_targets(
    name: str, probabilities: NDArray[np.floating], labels: NDArray[np.int64]
) -> None:
    """Keep soft targets, and the labels by which their rows are known again."""
    np.savez_compressed(
        SOFT_TARGETS / f"{name}.npz",
        probabilities=probabilities.astype(np.float16),
        labels=labels.astype(np.uint8),
    )
