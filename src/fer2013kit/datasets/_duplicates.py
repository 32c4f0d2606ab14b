"""Groups of images that are the same, byte for byte or nearly so.

Near-duplicates are found in three steps, none of which looks at all pairs.  Each image gets a
perceptual hash of 64 bits, the signs of its lowest cosine frequencies, which recoding, contrast
and small marks hardly change.  Images that share two of their hash's eight bytes meet in a
bucket; by the pigeonhole principle, hashes that differ in up to six bits share two bytes.  Those
that meet, and whose hashes differ in few bits, are compared by the correlation of their pixels at
half resolution.

The least correlation was chosen on Training and PublicTest of FER-2013, where all 473 million pairs
of different images were compared.  Pairs were then looked at, 96 drawn from each of the ranges
that begin at 0.92, 0.93, 0.94, 0.95, 0.96 and 0.98: some 14, 3, 0, 0, 0 and 0 of them were two
different photographs.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit.emotions import IMAGE_SHAPE, IMAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from fer2013kit._checks import IntArray, UInt8Array

    HashArray = NDArray[np.uint64]
    BoolArray = NDArray[np.bool_]

_HASH_BITS: Final = 64

_MAX_DISTANCE: Final = 12
"""Hashes that differ in more bits are not compared further."""

_NEIGHBOURS: Final = 16
"""An image meets so many of its bucket: this is what keeps large buckets from growing costly."""

_CHUNK: Final = 256
"""Images looked at together: few enough to stay in the processor's cache."""

_MOST_SPREAD: Final = (2 * IMAGE_SIZE) ** 0.5
"""Times the standard deviation, an image's range of values is at most this."""


def group_identical(images: Iterable[UInt8Array]) -> IntArray:
    """Return a number for each different image, in the order of their first appearance.

    There is one for each row of all arrays, for instance those of each split, one after the other;
    rows with byte-identical images have the same number.
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
    """Return which images' pixels have a standard deviation below ``limit``."""
    found = [np.empty(0, bool)]
    for rows in _chunks(images):
        # The range, which costs a tenth, rules most images out.
        blank = np.ptp(rows, axis=1) < limit * _MOST_SPREAD
        blank[blank] = rows[blank].std(axis=1, dtype=np.float64) < limit
        found.append(blank)
    return np.concatenate(found)


def half_size(images: Iterable[UInt8Array]) -> NDArray[np.uint16]:
    """Return the images at half resolution, shape (n, 24, 24), each pixel the sum of four."""
    height, width, _ = IMAGE_SHAPE
    images = list(images)
    small = np.empty((sum(map(len, images)), height // 2, width // 2), np.uint16)
    end = 0
    for rows in _chunks(images):
        start, end = end, end + len(rows)
        pictures = rows.reshape(-1, height, width).astype(np.uint16)
        pairs = pictures[:, ::2] + pictures[:, 1::2]
        np.add(pairs[:, :, ::2], pairs[:, :, 1::2], out=small[start:end])
    return small


def group_similar(
    pictures: NDArray[np.uint16], rows: IntArray, *, min_correlation: float
) -> IntArray:
    """Find groups of near-duplicates among the rows of different images, at half resolution.

    Each row gets the least place in ``rows`` of its group, which is its own for most.
    ``min_correlation`` is the least correlation of the pixels of a pair.
    """
    groups = np.arange(len(rows), dtype=np.int64)
    correlation = _Correlation(pictures)
    hashes = [
        perceptual_hash(pictures[rows[start : start + _CHUNK]])
        for start in range(0, len(rows), _CHUNK)
    ]
    for first, second in _candidates(np.concatenate([np.empty(0, np.uint64), *hashes])):
        # Rows that are in one group already need no more comparing, or a thousand copies of one
        # image would cost a thousand times a thousand comparisons.
        apart = groups[first] != groups[second]
        one, other = first[apart], second[apart]
        similar = correlation(rows[one], rows[other]) >= min_correlation
        if similar.any():
            groups = _unite(groups, one[similar], other[similar])
    return groups


def perceptual_hash(pictures: NDArray[np.uint16]) -> HashArray:
    """Return a hash of 64 bits that similar square images share for the most part.

    Bit by bit it is the sign of a coefficient of the two-dimensional discrete cosine transform,
    from low to high frequencies, without the mean.
    """
    size = pictures.shape[1]
    # So many frequencies each way hold the 64 with the least sum of both.
    wanted = 11
    place = 2 * np.arange(size) + 1
    waves = np.cos(np.pi / (2 * size) * np.outer(np.arange(wanted), place)).astype(np.float32)
    vertical, horizontal = np.indices((wanted, wanted)).reshape(2, -1)
    order = np.lexsort((vertical, vertical + horizontal))[1 : _HASH_BITS + 1]
    coefficients = (waves @ pictures.astype(np.float32) @ waves.T).reshape(
        len(pictures), wanted * wanted
    )
    bits = np.packbits(coefficients[:, order] > 0, axis=1)
    return np.ascontiguousarray(bits).view(np.uint64).reshape(-1)


def _candidates(hashes: HashArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield pairs of rows whose hashes share two bytes and differ in few bits."""
    by_hash = np.argsort(hashes, kind="stable")
    pieces = hashes[by_hash].view(np.uint8).reshape(-1, 8)
    for one, other in itertools.combinations(range(8), 2):
        bucket = pieces[:, one].astype(np.uint16) * np.uint16(256) + pieces[:, other]
        place = np.argsort(bucket, kind="stable")  # in each bucket by hash: like ones stand near
        order, bucket = by_hash[place], bucket[place]
        ordered = hashes[order]
        first, second = [], []
        met = np.arange(len(order))
        for step in range(1, _NEIGHBOURS + 1):
            met = met[: np.searchsorted(met, len(order) - step)]
            met = met[bucket[met + step] == bucket[met]]
            found = met[np.bitwise_count(ordered[met + step] ^ ordered[met]) <= _MAX_DISTANCE]
            first.append(order[found])
            second.append(order[found + step])
        yield np.concatenate(first), np.concatenate(second)


class _Correlation:
    """The correlation of the pixels of pairs of images, from sums in exact whole numbers."""

    def __init__(self, pictures: NDArray[np.uint16]) -> None:
        self._rows = pictures.reshape(len(pictures), pictures.shape[1] * pictures.shape[2])
        self._sums = np.einsum("ij->i", self._rows, dtype=np.int32).astype(np.int64)
        self._scale = np.sqrt(self._covariance(self._rows, self._rows, self._sums, self._sums))

    def __call__(self, first: IntArray, second: IntArray) -> NDArray[np.float64]:
        """Return one number for each pair of rows; 0 where one of them is an even image."""
        found = [np.empty(0)]
        for start in range(0, len(first), _CHUNK):
            one, other = first[start : start + _CHUNK], second[start : start + _CHUNK]
            covariance = self._covariance(
                self._rows[one], self._rows[other], self._sums[one], self._sums[other]
            )
            found.append(covariance / np.maximum(self._scale[one] * self._scale[other], 1))
        return np.concatenate(found)

    @staticmethod
    def _covariance(
        one: NDArray[np.uint16], other: NDArray[np.uint16], sums: IntArray, other_sums: IntArray
    ) -> IntArray:
        """Return the covariance times the square of the number of pixels."""
        # 576 products of at most 1020 x 1020 stay below 2**31.
        products = np.einsum("ij,ij->i", one, other, dtype=np.int32).astype(np.int64)
        scaled: IntArray = one.shape[1] * products - sums * other_sums
        return scaled


def _unite(groups: IntArray, first: IntArray, second: IntArray) -> IntArray:
    """Join the groups of each pair of rows; the least number of a group names it."""
    parents: dict[int, int] = {}

    def root(group: int) -> int:
        while (parent := parents.get(group, group)) != group:
            parents[group] = group = parents.get(parent, parent)
        return group

    for one, other in zip(groups[first].tolist(), groups[second].tolist(), strict=True):
        low, high = sorted((root(one), root(other)))
        parents[high] = low
    names = np.arange(len(groups), dtype=np.int64)
    names[list(parents)] = [root(group) for group in list(parents)]
    return names[groups]


def _chunks(images: Iterable[UInt8Array]) -> Iterator[UInt8Array]:
    """Yield the images of all arrays as rows of pixels that lie together in memory."""
    for array in images:
        size = math.prod(array.shape[1:])
        for start in range(0, len(array), _CHUNK):
            part = array[start : start + _CHUNK]
            yield np.ascontiguousarray(part).reshape(len(part), size)
