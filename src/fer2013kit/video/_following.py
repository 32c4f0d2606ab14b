"""Where the faces of following frames are: all of a frame is searched now and then only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit.faces._boxes import nms, square
from fer2013kit.faces._detector import find_in_patch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fer2013kit.faces import FaceDetector

_SIDE: Final = 64
"""Of a face, in pixels, where it is looked for again."""

_AROUND: Final = 2.4
"""Side of what is searched about a face, in sides of its square: it may move by half of them."""

_ENLARGED: Final = 2.0

_LEAST_SCORE: Final = 0.5
"""A face that was found for certain is one as long as the detector is so sure of it."""

_OVERLAP: Final = 0.4
"""Faces that share so much, of their union, have become one."""

_LEAST_SIZE: Final = 0.6
"""A face whose side changes by more, or by one over it, is another."""

_WAITING: Final = 0.2
"""Seconds between two searches where no face is known."""


class FaceFollower:
    """Finds the faces of a video's frames; a detector of `analyze_photo`, told the time.

    All of a frame is searched first, after a cut, every `interval` seconds, and where a face is
    lost.  In between, the same network looks around each face alone, at a small size.
    """

    def __init__(self, detector: FaceDetector, interval: float) -> None:
        self._detector = detector
        self._interval = interval
        self._known = np.empty((0, 14))
        self._searched: float | None = None
        self._is_due = True
        self._time = 0.0

    def begin(self, time: float, *, is_cut: bool) -> bool:
        """Take the time of the frame that comes next, and return whether all of it is searched."""
        wait = self._interval if len(self._known) else min(self._interval, _WAITING)
        # Half a thousandth of a second, lest rounding puts off a search by a frame.
        self._is_due = is_cut or self._searched is None or time - self._searched >= wait - 5e-4
        self._time = time
        return self._is_due

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return boxes and points of the faces on a frame, (n, 14)."""
        found = None if self._is_due else self._follow(image)
        if found is None:
            self._searched = self._time
            found = self._detector.locate(image)
        self._known = found
        return found

    def _follow(self, image: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Return where the known faces are now, or None if one of them is lost."""
        rows = []
        for known in self._known:
            row = _find_again(image, known[:4])
            if row is None:
                return None
            change = (known[2:4] - row[3:5]) / 2  # its size is the mean of both, which is calmer
            row[1:5] += np.concatenate([-change / 2, change])
            rows.append(row)
        if not rows:
            return self._known
        found = np.array(rows)
        if len(nms(found[:, 1:5], found[:, 0], _OVERLAP)) < len(found):
            return None
        return found[:, 1:]


def _find_again(
    image: NDArray[np.uint8], box: Sequence[float] | NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return score, box and points, (15,), of the face that is nearest to where one was."""
    left, top, side = square(box, 0.0)
    middle = np.array([left + side / 2, top + side / 2])
    height, width = image.shape[:2]
    begin = np.clip(np.floor(middle - side * _AROUND / 2), 0, None).astype(int)
    end = np.clip(np.ceil(middle + side * _AROUND / 2), None, [width, height]).astype(int)
    patch = image[begin[1] : end[1], begin[0] : end[0]]
    if not patch.size:
        return None
    rows = find_in_patch(patch, min(_ENLARGED, _SIDE / side), _LEAST_SCORE)
    sides = np.sqrt(rows[:, 3] * rows[:, 4])
    centers = rows[:, 1:3] + rows[:, 3:5] / 2 + begin
    away = np.linalg.norm(centers - middle, axis=1)
    fits = (away < side) & (sides > _LEAST_SIZE * side) & (sides < side / _LEAST_SIZE)
    if not fits.any():
        return None
    row: NDArray[np.float64] = rows[np.where(fits, away, np.inf).argmin()]
    row[1:3] += begin
    row[5:] += np.tile(begin, 5)
    return row
