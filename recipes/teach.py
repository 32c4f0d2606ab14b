"""What trained networks say of augmented Training pictures, for others to learn from.

python -m recipes.teach NAME CSV RUN [RUN ...] draws augmented views of each Training picture, asks
the runs (recipes/work/RUN.fer) about each view, and writes recipes/work/NAME.npz, 0.8 GB.  A
student that sees the very views that its teachers judged learns their function and not a few fixed
answers (Beyer et al., "Knowledge distillation: a good teacher is patient and consistent", 2022).
The views come from a fixed seed: the same command makes the same file.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np

import fer2013kit as fk
from fer2013kit.augmentation import UNIFORMS_PER_IMAGE
from recipes.targets import WORK

if TYPE_CHECKING:
    from numpy.typing import NDArray

VIEWS: Final = 12
_AUGMENTATION: Final[dict[str, Any]] = {"rotation": 15.0, "zoom": 0.15, "shift": 0.1}
_BLOCK: Final = 2048


def main() -> None:
    """Draw the views and average the teachers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("data", help="FER-2013 as CSV")
    parser.add_argument("runs", nargs="+", help="names in recipes/work, without .fer")
    options = parser.parse_args()
    data = fk.load_fer2013(options.data)
    teachers = [fk.EmotionClassifier.load(WORK / f"{run}.fer") for run in options.runs]
    together = sum(one.predict_proba(data.validation.images) for one in teachers)
    accuracy = (together.argmax(axis=1) == data.validation.labels).mean()
    print(f"together on PublicTest, one pass: {accuracy:.4f}", flush=True)
    for teacher in teachers:
        teacher.temperature_ = 1.0  # one fitted on PublicTest has no part in training
    rng = np.random.default_rng(0)
    images, said = [], []
    for number in range(VIEWS):
        views = draw_views(data.train.images, rng)
        probabilities = np.mean([one.predict_proba(views) for one in teachers], axis=0)
        accuracy = (probabilities.argmax(axis=1) == data.train.labels).mean()
        print(f"view {number + 1} of {VIEWS}: on Training {accuracy:.4f}", flush=True)
        images.append(views)
        said.append(probabilities.astype(np.float16))
    np.savez(
        WORK / f"{options.name}.npz",
        images=np.concatenate(images),
        labels=np.tile(data.train.labels, VIEWS),
        probabilities=np.concatenate(said),
    )


def draw_views(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return one augmented view of each picture; mirroring is left to the student."""
    augment = fk.FaceAugmentation(**_AUGMENTATION, horizontal_flip=False)
    views = np.empty_like(images)
    for start in range(0, len(images), _BLOCK):
        block = slice(start, start + _BLOCK)
        uniform = rng.random((len(images[block]), UNIFORMS_PER_IMAGE), dtype=np.float32)
        views[block] = np.rint(
            keras.ops.convert_to_numpy(augment.transform(images[block], uniform))
        )
    return views


if __name__ == "__main__":
    main()
