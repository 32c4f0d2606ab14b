"""Write what trained recipes say of the Training pictures, for others to learn from.

python -m recipes.teach NAME RUN [RUN ...] CSV: the mean over runs (recipes/work/RUN.fer) and over
augmented views of each picture, as recipes/soft_targets/NAME.npy (half precision, 400 kB).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

import keras
import numpy as np

import fer2013kit as fk
from recipes.targets import SOFT_TARGETS
from recipes.train import WORK

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VIEWS: Final = 8


def main() -> None:
    """Average the teachers and report how well they do on PublicTest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("runs", nargs="+", help="names in recipes/work, without .fer")
    parser.add_argument("--data", required=True, help="FER-2013 as CSV")
    options = parser.parse_args()
    data = fk.load_fer2013(options.data)
    teachers = [fk.EmotionClassifier.load(WORK / f"{run}.fer") for run in options.runs]
    ensemble = np.mean([one.predict_proba(data.validation.images) for one in teachers], axis=0)
    accuracy = (ensemble.argmax(axis=1) == data.validation.labels).mean()
    print(f"{' + '.join(options.runs)}: PublicTest {accuracy:.4f} in one pass")
    said = np.mean([predict_views(one, data.train.images) for one in teachers], axis=0)
    print(f"Training, {_VIEWS} views: {(said.argmax(axis=1) == data.train.labels).mean():.4f}")
    np.save(SOFT_TARGETS / f"{options.name}.npy", said.astype(np.float16))


def predict_views(teacher: fk.EmotionClassifier, images: NDArray[np.uint8]) -> NDArray[np.floating]:
    """Return a teacher's probabilities, averaged over views as a student will see them."""
    teacher.temperature_ = 1.0
    augment = teacher.make_augmentation()
    total = np.zeros((len(images), len(teacher.classes_)))
    rng = np.random.default_rng(0)
    for _ in range(_VIEWS):
        for start in range(0, len(images), 2048):
            batch = slice(start, start + 2048)
            uniform = rng.random((len(images[batch]), 13), dtype=np.float32)
            views = keras.ops.convert_to_numpy(augment.transform(images[batch], uniform))
            total[batch] += teacher.predict_proba(views.round().astype(np.uint8))
    return total / _VIEWS


if __name__ == "__main__":
    main()
