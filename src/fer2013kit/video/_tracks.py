"""Which faces of following frames are one person's, by the overlap of their boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit.faces._boxes import iou
from fer2013kit.faces._emotion import face_emotion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fer2013kit.faces import FaceEmotion

_LEAST_OVERLAP: Final = 0.3
_LONGEST_GAP: Final = 1.0
"""Seconds after which a face that is gone is forgotten."""


@dataclass
class _Track:
    number: int
    time: float
    box: Sequence[float]
    probabilities: NDArray[np.float32]


class Tracker:
    """Gives each face the number of its track, and smooths its probabilities over time.

    Parameters
    ----------
    smoothing : float, optional
        Time constant in seconds of an exponential average; None leaves every frame as it is.
    """

    def __init__(self, smoothing: float | None) -> None:
        self._smoothing = smoothing
        self._tracks: list[_Track] = []
        self._count = 0

    def update(self, faces: Sequence[FaceEmotion], time: float) -> list[tuple[int, FaceEmotion]]:
        """Return track and face of each face of the next frame."""
        self._tracks = [one for one in self._tracks if time - one.time <= _LONGEST_GAP]
        partner_of = self._match(faces)
        answers = []
        for index, face in enumerate(faces):
            track = partner_of.get(index)
            if track is None:
                track = _Track(self._count, time, face.box, face.probabilities)
                self._tracks.append(track)
                self._count += 1
            elif self._smoothing is not None:
                share = 1 - math.exp(-(time - track.time) / self._smoothing)
                average = share * face.probabilities + (1 - share) * track.probabilities
                face = face_emotion(face.box, average, face.class_names, face.crop, face.landmarks)  # noqa: PLW2901 - the same face, smoothed
            track.time, track.box, track.probabilities = time, face.box, face.probabilities
            answers.append((track.number, face))
        return answers

    def _match(self, faces: Sequence[FaceEmotion]) -> dict[int, _Track]:
        """Return the track of each face that has one: the largest overlap in all."""
        from scipy.optimize import linear_sum_assignment

        if not faces or not self._tracks:
            return {}
        boxes = np.array([face.box for face in faces], np.float64)
        overlap = iou(boxes, np.array([track.box for track in self._tracks], np.float64))
        # What may not be paired must not cost a pair that may.
        overlap[overlap < _LEAST_OVERLAP] = 0
        pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
        return {int(i): self._tracks[j] for i, j in pairs if overlap[i, j] > 0}
