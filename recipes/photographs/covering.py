"""Teach the small network that tells covered faces, ``covering.npz``.

    python recipes/photographs/covering.py ../shared/data/fer2013-kaggle.zip \
        src/fer2013kit/faces/covering.npz

The faces are the crops of PublicTest, enlarged, each as it is and covered in each way of
``worse.py``: with a mask, a hand, sunglasses and something of any kind, at the places that the
detector's landmarks tell.  Every fourth takes no part in the training.  Printed is what share of
covered ones is told, kind by kind, where 1, 2, 3 and 5 % of the crops as they are count as covered;
and the same for a kind that the network was not taught.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from sklearn.neural_network import MLPClassifier
from worse import COVERINGS

import fer2013kit as fk
from fer2013kit.faces._covering import covering_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HIDDEN = 12
_SIDE = 144
_BORDER = 24


def main(data: str, path: str) -> None:
    """Teach it, write it, and print what it tells."""
    images = fk.load_fer2013(data).validation.images[..., 0]
    located = [(image, points) for image in images if (points := landmarks_of(image)) is not None]
    plain, covered = make_crops(located)
    teach(plain, covered, path)


def make_crops(
    located: list[tuple[NDArray[np.uint8], NDArray[np.float64]]],
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Return the features of crops as they are, and covered in each way."""
    rng = np.random.default_rng(0)
    large = [_enlarge(image) for image, _ in located]
    plain = covering_features(np.stack([_shrink(one) for one in large]))
    covered = {
        name: covering_features(
            np.stack(
                [_shrink(cover(one, at, rng)) for one, (_, at) in zip(large, located, strict=True)]
            )
        )
        for name, cover in COVERINGS.items()
    }
    return plain, covered


def teach(plain: NDArray[np.float32], covered: dict[str, NDArray[np.float32]], path: str) -> None:
    """Teach the network with all kinds, and without each; write the former."""
    held_out = np.arange(len(plain)) % 4 == 0
    mean, spread = plain.mean(axis=0), plain.std(axis=0) + 1e-3
    for left_out in (*covered, ""):
        kinds = [one for name, one in covered.items() if name != left_out]
        X = np.concatenate([plain[~held_out], *(one[~held_out] for one in kinds)])
        y = np.repeat([0, 1], [(~held_out).sum(), (~held_out).sum() * len(kinds)])
        network = MLPClassifier(
            (_HIDDEN,),
            alpha=0.05,
            max_iter=25,
            batch_size=128,
            learning_rate_init=2e-3,
            random_state=0,
        )
        network.fit((X - mean) / spread, y)

        def score(
            rows: NDArray[np.float32], network: MLPClassifier = network
        ) -> NDArray[np.float64]:
            answer: NDArray[np.float64] = network.predict_proba((rows - mean) / spread)[:, 1]
            return answer

        before = score(plain[held_out])
        for share in (0.01, 0.02, 0.03, 0.05):
            least = np.quantile(before, 1 - share)
            told = {
                name: round(float(np.mean(score(rows[held_out]) > least)), 2)
                for name, rows in covered.items()
            }
            print(
                f"without {left_out or 'none'}, {share:.0%} as they are (from {least:.3f}): {told}"
            )
    (first, last), (shift, end) = network.coefs_, network.intercepts_
    into = first / spread[:, None]
    np.savez(
        path,
        into=into.astype(np.float16),
        shift=(shift - mean @ into).astype(np.float32),
        out=last[:, 0].astype(np.float32),
        least=np.float32(end[0]),
    )


def landmarks_of(image: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """Return the five points of a crop's face, in pixels of the enlarged crop."""
    border = np.pad(_enlarge(image), ((_BORDER, _BORDER), (_BORDER, _BORDER), (0, 0)), mode="edge")
    rows = fk.FaceDetector(min_score=0.4, turned=False, mirrored=False).locate(border)
    return None if not len(rows) else rows[0, 4:].reshape(5, 2) - _BORDER


def _enlarge(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    return np.asarray(picture.convert("RGB"))


def _shrink(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = fk.IMAGE_SHAPE[:2]
    return np.asarray(Image.fromarray(rgb).convert("L").resize(size, Image.Resampling.LANCZOS))


if __name__ == "__main__":
    main(*sys.argv[1:])
