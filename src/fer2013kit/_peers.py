"""Other packages that name emotions, each as a function from images to probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._optional import needed
from fer2013kit.emotions import CLASS_NAMES, emotion_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray


def _fer() -> Any:
    """Return the network of ``fer`` (Goodfellow's architecture of J. Shenk's package)."""
    with needed("the peer 'fer'", library="fer"):
        from fer.fer import FER

    detector = FER()

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        height, width = images.shape[1:3]
        whole = [(0, 0, width, height)]
        return _table(
            detector.detect_emotions(_in_colour(one), face_rectangles=whole)[0]["emotions"]
            for one in images
        )

    return predict


def _deepface() -> Any:
    """Return the emotion network of ``deepface`` (Serengil and Ozpinar)."""
    with needed("the peer 'deepface'", library="deepface"):
        from deepface import DeepFace

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        return _table(
            DeepFace.analyze(
                _in_colour(one),
                actions=["emotion"],
                detector_backend="skip",
                enforce_detection=False,
                silent=True,
            )[0]["emotion"]
            for one in images
        )

    return predict


def _emotiefflib() -> Any:
    """Return EmotiEffLib's EfficientNet-B0 of eight classes (Savchenko)."""
    with needed("the peer 'emotiefflib'", library="emotiefflib[onnx]"):
        from emotiefflib.facial_analysis import EmotiEffLibRecognizer

    network = EmotiEffLibRecognizer(engine="onnx", model_name="enet_b0_8_best_vgaf", device="cpu")
    names = [network.idx_to_emotion_class[place] for place in range(8)]

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        _, scores = network.predict_emotions([_in_colour(one) for one in images], logits=False)
        return _table(dict(zip(names, row, strict=True)) for row in np.asarray(scores))

    return predict


PEERS: Final[Mapping[str, Callable[[], Any]]] = {
    "fer": _fer,
    "deepface": _deepface,
    "emotiefflib": _emotiefflib,
}


def _in_colour(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(image.reshape(*image.shape[:2], -1)[..., :1], 3, axis=2)


def _table(rows: Any) -> NDArray[np.float64]:
    """Return probabilities of the seven emotions, in the order of their codes, from words."""
    table = []
    for row in rows:
        values = np.zeros(len(CLASS_NAMES))
        for word, value in row.items():
            code = emotion_code(word)
            if code is not None:  # contempt has no place among the seven
                values[code] = max(float(value), 0.0)
        table.append(values / values.sum() if values.sum() else np.full(len(values), 1 / 7))
    return np.array(table)
