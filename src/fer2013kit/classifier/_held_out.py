"""Which rows of a training set are held out to validate on: of each class alike, groups whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._checks import as_array, check_ids, is_missing
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer2013kit._checks import IntArray
    from fer2013kit._image_input import Pixels, StoredPictures


def validation_groups(given: Any, X: Any, n_samples: int) -> NDArray[Any] | None:
    """Return the group of each row, of an array or of what a function of ``X`` returns."""
    if given is None:
        return None
    groups = as_array(given(X) if callable(given) else given, "validation_groups")
    if groups.shape != (n_samples,):
        raise InvalidInputError(
            f"validation_groups must have an entry for each row of X, ({n_samples},); received "
            f"{groups.shape}. In a search, where X is a part of the rows, pass a function of X"
        )
    check_ids(groups, "validation_groups")
    if any(map(is_missing, groups.tolist())):
        raise InvalidInputError(
            "validation_groups must name a group for every row; received None or NaN"
        )
    return groups


def rows_to_hold_out(
    images: Pixels | StoredPictures,
    codes: IntArray,
    fraction: float,
    seed: int,
    groups: NDArray[Any] | None = None,
) -> NDArray[np.bool_]:
    """Return which rows validate: a fraction of every class, each group on one side.

    Without ``groups``, copies of an image are one.  Groups are whole people or films, of several
    classes, so no more than near the fraction can be reached.

    Raises
    ------
    InvalidInputError
        If that leaves no rows on one of the sides.
    """
    keys = groups
    if keys is None:
        digests = [
            hashlib.blake2b(images[row : row + 1].tobytes(), digest_size=8).digest()
            for row in range(len(images))
        ]
        keys = np.frombuffer(b"".join(digests), np.uint64)
    _, first, group, sizes = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.random.default_rng([seed, 1]).permutation(len(first))
    if groups is not None:
        held = _groups_to_hold_out(order, group, codes, fraction)
    else:
        held = np.zeros(len(first), bool)
        for code in np.unique(codes):
            mine = order[codes[first[order]] == code]
            before = np.cumsum(sizes[mine]) - sizes[mine]
            held[mine[before < round(fraction * int((codes == code).sum()))]] = True
    rows: NDArray[np.bool_] = held[group]
    if not 0 < rows.sum() < len(rows):
        raise InvalidInputError(
            f"validation_fraction={fraction:g} of {len(rows)} images leaves "
            f"{rows.sum()} to validate and {len(rows) - rows.sum()} to train; pass more images, "
            "another fraction, or validation_data"
        )
    return rows


def _groups_to_hold_out(
    order: NDArray[np.intp], group: NDArray[np.intp], codes: IntArray, fraction: float
) -> NDArray[np.bool_]:
    """Return which groups validate: in random order, each that brings the classes' shares nearer.

    At least one does.
    """
    counts = np.zeros((len(order), int(codes.max()) + 1))
    np.add.at(counts, (group, codes), 1)
    counts /= np.maximum(counts.sum(axis=0), 1)  # of each class, the share that a group holds
    wanted = np.full(counts.shape[1], fraction) * counts.any(axis=0)
    held = np.zeros(len(order), bool)
    for place in order:
        left = wanted - counts[place]
        if left @ left < wanted @ wanted:
            held[place], wanted = True, left
    if not held.any():
        held[np.square(wanted - counts).sum(axis=1).argmin()] = True
    return held
