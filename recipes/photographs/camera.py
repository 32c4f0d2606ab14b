"""Print the emotions of those before the camera, as the page on webcams shows it.

python recipes/photographs/camera.py [VIDEO]

It needs OpenCV.
"""

from __future__ import annotations

# The page shows what follows.
import sys

import cv2

import fer2013kit as fk


def main(source: str | int = 0) -> None:
    """Print the number and the emotion of each face, frame by frame."""
    tracker, camera = fk.FaceTracker(), cv2.VideoCapture(source)
    while True:
        there, frame = camera.read()
        if not there:
            break
        faces = tracker.update(frame[..., ::-1])  # OpenCV's frames are BGR
        print(*(f"{number} {face.emotion}" for number, face in faces.items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
