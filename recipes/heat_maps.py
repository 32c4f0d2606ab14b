"""How much do heat maps say?  python -m recipes.heat_maps CSV, with the network that ships.

For every ninth PublicTest image, the quarter that a map calls hottest, or coldest, is blurred,
and the fall of the predicted class's probability is averaged over the maps that have heat.  A map
of random cells stands beside the methods.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final, get_args

import numpy as np
from PIL import Image, ImageFilter

import fer2013kit as fk
from fer2013kit.typing import ExplanationMethod

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EVERY: Final = 9
_RADIUS: Final = 4
_CELLS: Final = 6


def main() -> None:
    """Measure every method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="FER-2013 in any form")
    images = fk.load_fer2013(parser.parse_args().data).validation.images[::_EVERY]
    classifier = fk.EmotionClassifier.from_pretrained()
    before = classifier.predict_proba(images)
    said = before.argmax(axis=1)
    blurred = np.stack([_blur(image) for image in images])
    rows = np.arange(len(images))
    maps = {
        method: fk.explain(classifier, images, method=method)
        for method in get_args(ExplanationMethod)
    }
    for method, heat in {**maps, "random": _random_maps(images)}.items():
        some = heat.max(axis=(1, 2)) > 0
        line = f"{method:10} of {len(images)} maps {(~some).mean():.3f} without heat"
        for name, order in (("hottest", -heat), ("coldest", heat)):
            changed = np.where(_first_quarter(order)[..., None], blurred, images)
            fall = before[rows, said] - classifier.predict_proba(changed)[rows, said]
            line += f", {name} quarter blurred: {fall[some].mean():.3f}"
        print(line)


def _blur(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    soft = Image.fromarray(image[..., 0]).filter(ImageFilter.GaussianBlur(_RADIUS))
    return np.asarray(soft)[..., None]


def _first_quarter(order: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return where the least quarter of each image's values is, ties broken by chance."""
    n, height, width = order.shape
    shuffled = np.random.default_rng(0).permutation(height * width)
    ranks = order.reshape(n, -1)[:, shuffled].argsort(axis=1, kind="stable")
    chosen = np.zeros((n, height * width), np.bool_)
    np.put_along_axis(chosen, shuffled[ranks[:, : height * width // 4]], values=True, axis=1)
    return chosen.reshape(n, height, width)


def _random_maps(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    cells = np.random.default_rng(0).random((len(images), _CELLS, _CELLS), dtype=np.float32)
    side = images.shape[1:3]
    return np.stack([Image.fromarray(one).resize(side, Image.Resampling.BILINEAR) for one in cells])


if __name__ == "__main__":
    main()
