"""Groups of pictures that are the same, byte for byte or nearly so.

Near-duplicates are found in three steps, none of which looks at all pairs.  Each picture gets a
perceptual hash of 64 bits, the signs of its lowest cosine frequencies, which recoding, contrast
and small marks hardly change.  Pictures that share two of their hash's eight bytes meet in a
bucket; by the pigeonhole principle, hashes that differ in up to six bits share two bytes.  Those
that meet, and whose hashes differ in few bits, are compared by the correlation of their pixels at
half resolution.

The least correlation was chosen on Training and PublicTest of FER-2013, where all 473 million pairs
of different pictures were compared.  Pairs were then looked at, 96 drawn from each of the ranges
that begin at 0.92, 0.93, 0.94, 0.95, 0.96 and 0.98: some 14, 3, 0, 0, 0 and 0 of them were two
different photographs.
"""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit.emotions import IMAGE_SHAPE, IMAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from fer2013kit._arrays import IntArray, UInt8Array

    HashArray = NDArray[np.uint64]
    BoolArray = NDArray[np.bool_]

_HASH_BITS: Final = 64

_MAX_DISTANCE: Final = 12
"""Hashes that differ in more bits are not compared further."""

_NEIGHBOURS: Final = 16
"""A picture meets so many of its bucket: this is what keeps large buckets from growing costly."""

_CHUNK: Final = 1024


def group_identical(images: Iterable[UInt8Array]) -> IntArray:
    """Return a number for each different picture, in the order of their first appearance.

    Parameters
    ----------
    images : iterable of ndarray of uint8, each of shape (n, 48, 48, 1)
        Pictures, for instance those of each split.

    Returns
    -------
    ndarray of int64
        For each row of all arrays, one after the other, the number of its picture; rows with
        byte-identical pictures have the same number.
    """
    numbers: dict[bytes, int] = {}
    return np.array(
        [
            numbers.setdefault(hashlib.blake2b(row, digest_size=16).digest(), len(numbers))
            for rows in _chunks(images)
            for row in rows
        ],
        dtype=np.int64,
    )


def find_blank(images: Iterable[UInt8Array], *, limit: float) -> BoolArray:
    """Return which pictures' pixels have a standard deviation below ``limit``."""
    found = [rows.std(axis=1, dtype=np.float64) < limit for rows in _chunks(images)]
    return np.concatenate([np.empty(0, bool), *found])


def half_size(images: Iterable[UInt8Array]) -> NDArray[np.float32]:
    """Return the pictures at half resolution, shape (n, 24, 24), each pixel the mean of four."""
    height, width, _ = IMAGE_SHAPE
    small = [np.empty((0, height // 2, width // 2), np.float32)]
    for rows in _chunks(images):
        pictures = rows.reshape(-1, height, width).astype(np.uint16)
        pairs = pictures[:, ::2] + pictures[:, 1::2]
        small.append((pairs[:, :, ::2] + pairs[:, :, 1::2]).astype(np.float32) / np.float32(4))
    return np.concatenate(small)


def group_similar(pictures: NDArray[np.float32], *, min_correlation: float) -> IntArray:
    """Find groups of near-duplicates.

    Parameters
    ----------
    pictures : ndarray of float32, shape (n, 24, 24)
        Different pictures at half resolution.
    min_correlation : float
        Least correlation of the pixels of a pair.

    Returns
    -------
    ndarray of int64, shape (n,)
        The least row number of the group of each row, which is its own for most.
    """
    groups = np.arange(len(pictures), dtype=np.int64)
    rows = _standardize(pictures)
    for first, second in _candidates(perceptual_hash(pictures)):
        # Rows that are in one group already need no more comparing, or a thousand copies of one
        # picture would cost a thousand times a thousand comparisons.
        apart = groups[first] != groups[second]
        one, other = first[apart], second[apart]
        similar = np.einsum("ij,ij->i", rows[one], rows[other]) >= min_correlation
        if similar.any():
            groups = _unite(groups, one[similar], other[similar])
    return groups


def perceptual_hash(pictures: NDArray[np.float32]) -> HashArray:
    """Return a hash of 64 bits that similar pictures share for the most part.

    Bit by bit it is the sign of a coefficient of the two-dimensional discrete cosine transform,
    from low to high frequencies, without the mean.

    Parameters
    ----------
    pictures : ndarray of float32, shape (n, size, size)
        Pictures.

    Returns
    -------
    ndarray of uint64, shape (n,)
        The hashes.
    """
    size = pictures.shape[1]
    # So many frequencies each way hold the 64 with the least sum of both.
    wanted = 11
    place = 2 * np.arange(size) + 1
    waves = np.cos(np.pi / (2 * size) * np.outer(np.arange(wanted), place)).astype(np.float32)
    vertical, horizontal = np.indices((wanted, wanted)).reshape(2, -1)
    order = np.lexsort((vertical, vertical + horizontal))[1 : _HASH_BITS + 1]
    coefficients = (waves @ pictures @ waves.T).reshape(len(pictures), wanted * wanted)
    bits = np.packbits(coefficients[:, order] > 0, axis=1)
    return np.ascontiguousarray(bits).view(np.uint64).reshape(-1)


def _candidates(hashes: HashArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield pairs of rows whose hashes share two bytes and differ in few bits."""
    pieces = hashes.view(np.uint8).reshape(-1, 8)
    for one, other in itertools.combinations(range(8), 2):
        bucket = pieces[:, one].astype(np.uint16) * np.uint16(256) + pieces[:, other]
        order = np.lexsort((hashes, bucket))
        bucket, ordered = bucket[order], hashes[order]
        for step in range(1, _NEIGHBOURS + 1):
            together = bucket[step:] == bucket[:-step]
            if not together.any():
                break
            near = np.bitwise_count(ordered[step:] ^ ordered[:-step]) <= _MAX_DISTANCE
            found = np.flatnonzero(together & near)
            if len(found):
                yield order[found], order[found + step]


def _standardize(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows whose products are the pictures' correlations; 0 for an even picture."""
    flat = pictures.reshape(len(pictures), pictures.shape[1] * pictures.shape[2])
    rows: NDArray[np.float32] = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(length > 0, length, 1)
    return rows


def _unite(groups: IntArray, first: IntArray, second: IntArray) -> IntArray:
    """Join the groups of each pair of rows; the least number of a group names it."""
    parents = groups.tolist()

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        low, high = sorted((root(one), root(other)))
        parents[high] = low
    joined = np.array(parents, dtype=np.int64)
    while not np.array_equal(above := joined[joined], joined):
        joined = above
    return joined


def _chunks(images: Iterable[UInt8Array]) -> Iterator[UInt8Array]:
    """Yield the pictures of all arrays as rows of 2304 pixels that lie together in memory."""
    for array in images:
        for start in range(0, len(array), _CHUNK):
            part = array[start : start + _CHUNK]
            yield np.ascontiguousarray(part).reshape(len(part), IMAGE_SIZE)
