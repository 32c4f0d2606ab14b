"""Train on the FER+ votes: python -m recipes.ferplus NAME CSV VOTES [--seed N].

What ten people said of each image is the target, eight classes with contempt; FER-2013's own
labels have no part.  A run that was cut off goes on where it stopped when the same command is
given again.  The trained classifier stays in recipes/runs, the figures go to recipes/results.
"""

from __future__ import annotations

import argparse
import json
import logging
from typing import TYPE_CHECKING, Any, Final

from benchmarks import machine

import fer2013kit as fk
from fer2013kit.emotions import FERPLUS_CLASS_NAMES
from recipes.train import RESULTS, RUNS, VIEWS, Stopwatch, headline

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

RECIPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "ferplus_five": {
        "changed": "from the shipped five_layer_cnn, 12 epochs more on the shares of the votes",
        "start": "five_layer_cnn",
        "settings": {
            "epochs": 12,
            "learning_rate": 0.03,
            "label_smoothing": 0.0,
            "rotation": 10.0,
            "zoom": 0.1,
            "shift": 0.06,
            "brightness": 0.1,
            "contrast": 0.2,
        },
    },
}


def main() -> None:
    """Train one recipe with one seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("data", help="fer2013.csv")
    parser.add_argument("votes", help="fer2013new.csv")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    run(options.recipe, fk.load_fer2013(options.data, ferplus=options.votes), options.seed)


def run(recipe: str, data: fk.FER2013, seed: int) -> None:
    """Train, measure on PublicTest and write the results of one seed."""
    name = f"{recipe}_seed{seed}"
    wanted = RECIPES[recipe]
    stopwatch = Stopwatch(RUNS / name / "seconds.json")
    classifier = fk.EmotionClassifier.from_pretrained(wanted["start"])
    classifier.set_params(
        **wanted["settings"],
        class_names=FERPLUS_CLASS_NAMES,
        warm_start=True,
        random_state=seed,
        checkpoint_dir=RUNS / name,
        verbose=2,
    )
    images, labels, shares = rows_with_votes(data.train)
    classifier.fit(
        images,
        labels,
        soft_targets=shares,
        validation_data=rows_with_majority(data.validation),
        callbacks=[stopwatch],
    )
    X, y = rows_with_majority(data.validation)
    results = {
        "recipe": recipe,
        "changed": wanted["changed"],
        "seed": seed,
        "settings": {key: str(value) for key, value in wanted["settings"].items()},
        "parameters": classifier.model_.count_params(),
        "minutes": round(stopwatch.seconds / 60, 1),
        "machine": machine.describe(),
        "PublicTest, majority of the votes": {
            views or "one pass": headline(classifier.evaluate(X, y, tta=views)) for views in VIEWS
        },
        "history": classifier.history_,
    }
    classifier.calibrate(X, y)
    metrics = classifier.evaluate(X, y)
    (RESULTS / f"{name}.json").write_text(json.dumps(results) + "\n", encoding="utf-8")
    classifier.save(RUNS / f"{name}.fer", metrics=metrics)
    print(json.dumps(results["PublicTest, majority of the votes"]))


def rows_with_votes(
    split: fk.Split,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.float64]]:
    """Return images, the class that most people chose, and the shares of the votes."""
    shares = split.ferplus.probabilities()
    known = shares.sum(axis=1) > 0
    return split.images[known], shares[known].argmax(axis=1), shares[known]


def rows_with_majority(split: fk.Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images that Barsoum et al. (2016) count, and their classes."""
    codes = split.ferplus.majority()
    return split.images[codes >= 0], codes[codes >= 0]


if __name__ == "__main__":
    main()
