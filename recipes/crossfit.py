"""Expected labels: what FER-2013 would call each Training image, without its own label's noise.

python -m recipes.crossfit CSV --ferplus CSV trains a network three times, each time without a
third of Training, lets it judge that third, and joins its judgement with the FER+ votes by gradient
boosting, again fold by fold.  No row's own label has a part in its own expectation.  Identical
images share a fold.  Writes recipes/soft_targets/expected.npz (half precision, 400 kB); a run
that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

import fer2013kit as fk
from recipes.targets import write_targets
from recipes.train import RUNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FOLDS: Final = 3
_SETTINGS: Final = {"model": "residual_cnn", "epochs": 25}


def main() -> None:
    """Train the folds, join them with the votes, and say how good each is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="FER-2013 as CSV")
    parser.add_argument("--ferplus", required=True, help="fer2013new.csv")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    data = fk.load_fer2013(options.data, ferplus=options.ferplus)
    labels, votes = data.train.labels, data.train.ferplus.votes / 10.0
    pictures = np.unique(data.train.images.reshape(len(labels), -1), axis=0, return_inverse=True)[1]
    folds = list(
        StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0).split(votes, labels, pictures)
    )
    judged = judge(data, folds)
    _say("network on images that it was not trained on", labels, judged)
    known = np.hstack([np.log(np.maximum(judged, 1e-4)), votes])
    booster = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=10, min_samples_leaf=40, random_state=0
    )
    cv = StratifiedGroupKFold(10, shuffle=True, random_state=1).split(known, labels, pictures)
    expected = cross_val_predict(booster, known, labels, cv=list(cv), method="predict_proba")
    _say("joined with the votes", labels, expected)
    write_targets("expected", expected, labels)


def judge(
    data: fk.FER2013, folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]]
) -> NDArray[np.float32]:
    """Return the probabilities of each Training row from a network that has not seen it."""
    judged = np.zeros((len(data.train), 7), np.float32)
    ensemble = np.zeros((len(data.validation), 7), np.float32)
    for number, (seen, held_out) in enumerate(folds):
        classifier = fk.EmotionClassifier(
            **_SETTINGS, random_state=number, checkpoint_dir=RUNS / f"fold{number}", verbose=2
        )
        classifier.fit(*data.train.subset(seen), validation_data=data.validation)
        judged[held_out] = classifier.predict_proba(data.train.images[held_out], tta="flip")
        ensemble += classifier.predict_proba(data.validation.images, tta="flip") / _FOLDS
    _say("mean of the networks on PublicTest", data.validation.labels, ensemble)
    return judged


def _say(what: str, labels: NDArray[np.int64], probabilities: NDArray[np.floating]) -> None:
    accuracy = (probabilities.argmax(axis=1) == labels).mean()
    print(
        f"{what}: accuracy {accuracy:.4f}, loss {log_loss(labels, probabilities):.4f}", flush=True
    )


if __name__ == "__main__":
    main()
