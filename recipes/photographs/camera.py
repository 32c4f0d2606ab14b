"""The emotion of whoever is before the camera, steady, as the page on webcams shows it.

python recipes/photographs/camera.py [VIDEO]

It needs OpenCV.
"""

from __future__ import annotations

# The page shows what follows.
import math
import sys
import time
from typing import Any

import cv2

import fer2013kit as fk


class Calm:
    """The emotion of the largest face, averaged over about so many seconds."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self.detector = fk.FaceDetector(turned=False, mirrored=False, max_side=640)
        self.mean: Any = None
        self.time = 0.0

    def __call__(self, frame: Any, now: float) -> str | None:
        """Return the word for a frame of OpenCV's, or None where there is no face."""
        faces = fk.analyze_photo(frame[..., ::-1], detector=self.detector)  # BGR to RGB
        if not faces:
            self.mean = None
            return None
        face = max(faces, key=lambda face: face.box.width * face.box.height)
        if self.mean is None:
            self.mean = face.probabilities
        share = 1 - math.exp((self.time - now) / self.seconds)
        self.mean = self.mean + share * (face.probabilities - self.mean)
        self.time = now
        return face.class_names[self.mean.argmax()]


def main(source: str | int = 0) -> None:
    """Print the emotion in each frame of a camera or a video."""
    calm, camera = Calm(), cv2.VideoCapture(source)
    while True:
        there, frame = camera.read()
        if not there:
            break
        print(calm(frame, time.monotonic()))


if __name__ == "__main__":
    main(*sys.argv[1:])
