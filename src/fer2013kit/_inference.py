"""Probabilities from images: batches of constant size, views of test-time augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import check_choice
from fer2013kit.typing import TestTimeAugmentation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

_BATCH: Final = 256
_CROP_SHIFT: Final = 48
"""Ten-crop windows are moved by this part of the side: a pixel of 48.

Of 1, 2 and 3 pixels, this gives each network that ships the lowest cross-entropy on
PublicTest."""


def predict_in_batches(
    infer: Callable[[NDArray[Any]], NDArray[np.float32]],
    images: NDArray[Any],
    *,
    to_pixels: Callable[[NDArray[Any]], NDArray[Any]],
    n_classes: int,
    tta: TestTimeAugmentation | None,
) -> NDArray[np.float32]:
    """Predict any number of images, in the caller's own range, in constant memory.

    ``to_pixels`` brings a batch to [0, 255], from which ``infer`` gets probabilities.  Views that
    are averaged are the image alone; with its mirror image (``"flip"``); or the five windows in
    the middle and the corners, each with its mirror image (``"ten_crop"``, Krizhevsky et al.,
    2012).
    """
    check_choice("tta", tta, TestTimeAugmentation | None)
    probabilities = np.empty((len(images), n_classes), np.float32)
    for start in range(0, len(images), _BATCH):
        batch = to_pixels(images[start : start + _BATCH])
        answers = [infer(view) for view in views(batch, tta)]
        probabilities[start : start + _BATCH] = (
            answers[0] if len(answers) == 1 else np.mean(answers, axis=0)
        )
    return probabilities


def in_batches(
    infer: Callable[[NDArray[Any]], NDArray[np.float32]], images: NDArray[Any]
) -> NDArray[np.float32]:
    """Return the rows that a network gives for any number of images, as they are."""
    starts = range(0, len(images), _BATCH)
    return np.concatenate([infer(images[start : start + _BATCH]) for start in starts])


def normalize_rows(table: NDArray[Any]) -> NDArray[Any]:
    """Return rows with a sum of 1: of some classes' probabilities, as if there were no others.

    Where all of a row is 0, the others had everything, and these get the same.
    """
    sums = table.sum(axis=1, keepdims=True)
    return np.where(sums > 0, table / np.where(sums > 0, sums, 1), 1 / table.shape[1])


def views(batch: NDArray[Any], tta: TestTimeAugmentation | None) -> Iterator[NDArray[Any]]:
    """Yield what is averaged of a batch (n, height, width, channels): itself, and moved copies."""
    if tta != "ten_crop":
        windows = [batch]
    else:
        height, width = batch.shape[1:3]
        shift = max(1, min(height, width) // _CROP_SHIFT)
        padded = np.pad(batch, ((0, 0), (shift, shift), (shift, shift), (0, 0)), mode="edge")
        corners = [(shift, shift), (0, 0), (0, 2 * shift), (2 * shift, 0), (2 * shift, 2 * shift)]
        windows = [padded[:, top : top + height, left : left + width] for top, left in corners]
    for window in windows:
        yield window
        if tta is not None:
            yield window[:, :, ::-1]
