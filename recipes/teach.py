"""What trained networks say of the Training images, for others to learn from.

python -m recipes.teach NAME CSV RUN [RUN ...] [--both] averages the runs (recipes/runs/RUN.fer)
over augmented views of each image, as a student will see them, and writes
recipes/soft_targets/NAME.npz (distillation, Hinton et al., 2015); with --both, of the PublicTest
images, too, which the teachers have not seen.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

import keras
import numpy as np

import fer2013kit as fk
from fer2013kit.augmentation import UNIFORMS_PER_IMAGE
from recipes.targets import rows_to_learn, write_targets
from recipes.train import RUNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VIEWS: Final = 8
_BLOCK: Final = 2048


def main() -> None:
    """Average the teachers, and say how good they are together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("data", help="FER-2013 as CSV")
    parser.add_argument("runs", nargs="+", help="names in recipes/runs, without .fer")
    parser.add_argument("--both", action="store_true", help="PublicTest, too")
    options = parser.parse_args()
    data = fk.load_fer2013(options.data)
    teachers = [fk.EmotionClassifier.load(RUNS / f"{run}.fer") for run in options.runs]
    for views in (None, "flip", "ten_crop"):
        together = sum(one.predict_proba(data.validation.images, tta=views) for one in teachers)
        accuracy = (together.argmax(axis=1) == data.validation.labels).mean()
        print(f"together on PublicTest, {views or 'one pass'}: {accuracy:.4f}", flush=True)
    rows = rows_to_learn(data, both=options.both)
    said = np.mean([predict_views(one, rows.images) for one in teachers], axis=0)
    accuracy = (said.argmax(axis=1) == rows.labels).mean()
    print(f"on these {len(rows)} rows, {_VIEWS} augmented views: {accuracy:.4f}")
    write_targets(options.name, said, rows.labels)


def predict_views(teacher: fk.EmotionClassifier, images: NDArray[np.uint8]) -> NDArray[np.floating]:
    """Return a teacher's probabilities, averaged over augmented views."""
    augment = fk.FaceAugmentation()
    rng = np.random.default_rng(0)
    teacher.temperature_ = 1.0  # a temperature fitted on PublicTest has no part in training
    total = np.zeros((len(images), len(teacher.classes_)))
    for _ in range(_VIEWS):
        for start in range(0, len(images), _BLOCK):
            block = slice(start, start + _BLOCK)
            uniform = rng.random((len(images[block]), UNIFORMS_PER_IMAGE), dtype=np.float32)
            views = keras.ops.convert_to_numpy(augment.transform(images[block], uniform))
            total[block] += teacher.predict_proba(views.round().astype(np.uint8))
    return total / _VIEWS


if __name__ == "__main__":
    main()
