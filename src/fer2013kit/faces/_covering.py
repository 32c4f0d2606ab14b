"""Whether something covers a face: a mask, a hand, sunglasses."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CELLS: Final = 8
"""Down and across; each is six pixels of a crop of 48."""

_ANGLES: Final = 6
"""Directions of gradients that are told apart."""


def covering(crop: NDArray[np.uint8]) -> float:
    """Return how likely something covers a face, (48, 48), in [0, 1]."""
    into, shift, out, least = _network()
    hidden = np.maximum(covering_features(crop[None]) @ into + shift, 0)
    logit = float((hidden @ out + least)[0])
    return float(1 / (1 + np.exp(-np.clip(logit, -50, 50))))


def covering_features(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the network sees of crops (n, 48, 48): (n, 448).

    For each cell, how strong gradients of each direction are, against the rest of the face, and how
    bright it is.
    """
    levels = crops.astype(np.float32)
    down, across = np.zeros_like(levels), np.zeros_like(levels)
    down[:, 1:-1, 1:-1] = levels[:, 2:, 1:-1] - levels[:, :-2, 1:-1]
    across[:, 1:-1, 1:-1] = levels[:, 1:-1, 2:] - levels[:, 1:-1, :-2]
    strength = np.hypot(across, down)
    angle = np.arctan2(down, across) % np.pi / np.pi * _ANGLES
    direction = np.minimum(angle.astype(np.int64), _ANGLES - 1)
    shares = np.stack(
        [_cell_means(np.where(direction == one, strength, 0)) for one in range(_ANGLES)], axis=-1
    )
    usual = np.sqrt((shares**2).mean(axis=(1, 2, 3), keepdims=True)) + 1e-3
    light = _cell_means(levels)
    light = light - light.mean(axis=(1, 2), keepdims=True)
    light /= light.std(axis=(1, 2), keepdims=True) + 1
    n = len(crops)
    seen = [np.log1p(4 * shares / usual).reshape(n, -1), light.reshape(n, -1)]
    return np.concatenate(seen, axis=1)


def _cell_means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    n, height, width = values.shape
    cells = values.reshape(n, _CELLS, height // _CELLS, _CELLS, width // _CELLS)
    means: NDArray[np.float32] = cells.mean(axis=(2, 4), dtype=np.float32)
    return means


@cache
def _network() -> tuple[NDArray[np.float32], ...]:
    """Return weights and biases of both layers (recipes/photographs/covering.py)."""
    path = resources.files("fer2013kit.faces").joinpath("covering.npz")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return tuple(arrays[name].astype(np.float32) for name in ("into", "shift", "out", "least"))
