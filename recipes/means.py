"""What the mean of networks knows of PublicTest: python -m recipes.means FOLDER CSV [NAME ...].

FOLDER is the ``--out`` of recipes.deep, whose ``*_said.npz`` hold what each network says; NAME are
shipped networks beside them.  Every group of up to four is printed, with both views and with ten
crops.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

import fer2013kit as fk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_VIEWS: Final = {"flip": "fer_flip", "ten_crop": "fer_ten_crop_1"}
_LARGEST: Final = 4


def answers(
    folder: Path, X: NDArray[np.uint8], names: Sequence[str]
) -> dict[str, dict[str, NDArray[np.floating]]]:
    """Return what each network says of PublicTest, by its name and the views."""
    said: dict[str, dict[str, NDArray[np.floating]]] = {}
    for path in sorted(folder.glob("*_said.npz")):
        with np.load(path) as file:
            if set(_VIEWS.values()) <= set(file.files):
                said[path.name.removesuffix("_said.npz")] = {
                    view: file[key].astype(float) for view, key in _VIEWS.items()
                }
    for name in names:
        classifier = fk.EmotionClassifier.from_pretrained(name)
        said[name] = {view: classifier.predict_proba(X, tta=view) for view in _VIEWS}
    return said


def main() -> None:
    """Print the accuracy of each group."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", help="fer2013.csv")
    parser.add_argument("names", nargs="*", help="shipped networks")
    options = parser.parse_args()
    data = fk.load_fer2013(options.data).validation
    said, y = answers(options.folder, data.images, options.names), data.labels
    for count in range(1, min(_LARGEST, len(said)) + 1):
        for names in combinations(said, count):
            right = {
                view: np.mean(np.mean([said[name][view] for name in names], axis=0).argmax(1) == y)
                for view in _VIEWS
            }
            figures = ", ".join(f"{view} {share:.4f}" for view, share in right.items())
            print(f"{' + '.join(names)}: {figures}")


if __name__ == "__main__":
    main()
