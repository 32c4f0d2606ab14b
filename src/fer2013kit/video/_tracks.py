"""Which faces of following frames are one person's, and what that person's word is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit.faces._emotion import face_emotion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fer2013kit.faces import FaceEmotion

_LONGEST_GAP: Final = 2.0
"""Seconds after which a face that is gone is forgotten."""

_REACH: Final = (1.0, 0.5)
"""How far a face may be from where it was, in its sides: at once, and more for each second."""

_LEAST_RATIO: Final = 0.5
"""Of two sides, the smaller by the larger: less is another face."""

_LEAD: Final = 0.1
"""A track keeps its word until the smoothed probability of another is so much higher."""


@dataclass
class _Track:
    number: int
    time: float
    box: Sequence[float]
    probabilities: NDArray[np.float32]
    word: int


class Tracks:
    """Gives each face the number of its track, and smooths its probabilities over time.

    ``smoothing`` is the time constant in seconds of an exponential average; None leaves every frame
    as it is.
    """

    def __init__(self, smoothing: float | None) -> None:
        self._smoothing = smoothing
        self._tracks: list[_Track] = []
        self._count = 0

    def update(
        self, faces: Sequence[FaceEmotion], time: float, *, is_cut: bool = False
    ) -> dict[int, FaceEmotion]:
        """Return the faces of the next frame by their tracks; none goes on over a cut."""
        self._tracks = [
            one for one in self._tracks if not is_cut and time - one.time <= _LONGEST_GAP
        ]
        partner_of = self._match(faces, time)
        answers = {}
        for index, face in enumerate(faces):
            track = partner_of.get(index)
            if track is None:
                word = int(face.probabilities.argmax())
                track = _Track(self._count, time, face.box, face.probabilities, word)
                self._tracks.append(track)
                self._count += 1
            elif self._smoothing is not None:
                face = _smoothed(face, track, 1 - math.exp((track.time - time) / self._smoothing))  # noqa: PLW2901 - the same face, smoothed
                track.word = face.class_names.index(face.emotion)
            track.time, track.box, track.probabilities = time, face.box, face.probabilities
            answers[track.number] = face
        return answers

    def _match(self, faces: Sequence[FaceEmotion], time: float) -> dict[int, _Track]:
        """Return the track of each face that has one, so that all are as near as can be."""
        from scipy.optimize import linear_sum_assignment

        if not faces or not self._tracks:
            return {}
        middles, sides = _places([face.box for face in faces])
        before, sides_before = _places([track.box for track in self._tracks])
        gaps = np.array([time - track.time for track in self._tracks])
        away = np.linalg.norm(middles[:, None] - before, axis=2)
        usual = np.sqrt(sides[:, None] * sides_before)
        nearness = 1 - away / ((_REACH[0] + _REACH[1] * gaps) * usual)
        # What may not be paired must not cost a pair that may.
        smaller = np.minimum(sides[:, None], sides_before)
        nearness[smaller < _LEAST_RATIO * np.maximum(sides[:, None], sides_before)] = 0
        nearness = np.clip(nearness, 0, None)
        pairs = zip(*linear_sum_assignment(nearness, maximize=True), strict=True)
        return {int(i): self._tracks[j] for i, j in pairs if nearness[i, j] > 0}


def _smoothed(face: FaceEmotion, track: _Track, share: float) -> FaceEmotion:
    """Return a face whose probabilities are averaged with its track's, and calm in its word."""
    average = share * face.probabilities + (1 - share) * track.probabilities
    best = int(average.argmax())
    word = best if average[best] > average[track.word] + _LEAD else track.word
    return face_emotion(face.box, average, face.class_names, face.crop, face.landmarks, word=word)


def _places(boxes: Sequence[Sequence[float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return middles (n, 2) and sides (n,) of boxes."""
    array = np.array(boxes, np.float64)
    return array[:, :2] + array[:, 2:] / 2, np.sqrt(array[:, 2] * array[:, 3])
