"""Train a recipe and write down what came of it: python -m recipes.train NAME CSV [--seed N].

A run that was cut off goes on where it stopped when the same command is given again.  The trained
classifier stays in recipes/runs (not committed), the figures go to recipes/results.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from benchmarks import machine

import fer2013kit as fk
from recipes.definitions import RECIPES, Recipe
from recipes.targets import mix_targets, rows_to_learn

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE: Final = Path(__file__).parent
RUNS: Final = HERE / "runs"
RESULTS: Final = HERE / "results"
VIEWS: Final = (None, "flip", "ten_crop")


def main() -> None:
    """Train one recipe with one seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("data", help="FER-2013 as CSV")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    run(RECIPES[options.recipe], fk.load_fer2013(options.data), options.seed)


def run(recipe: Recipe, data: fk.FER2013, seed: int) -> None:
    """Train, measure on PublicTest and write the results of one seed."""
    name = f"{recipe.name}_seed{seed}"
    stopwatch = Stopwatch(RUNS / name / "seconds.json")
    if recipe.start is None:
        classifier, temperature = fk.EmotionClassifier(), 1.0
    else:
        classifier = fk.EmotionClassifier.load(RUNS / f"{recipe.start}_seed{seed}.fer")
        classifier.set_params(warm_start=True)
        temperature = classifier.temperature_
    classifier.set_params(
        **recipe.settings, random_state=seed, checkpoint_dir=RUNS / name, verbose=2
    )
    rows = rows_to_learn(data, both=recipe.both)
    classifier.fit(
        *rows,
        soft_targets=mix_targets(recipe.targets, rows),
        validation_data=None if recipe.both else data.validation,
        callbacks=[stopwatch],
    )
    results = {
        "recipe": recipe.name,
        "changed": recipe.changed,
        "seed": seed,
        "settings": {key: str(value) for key, value in recipe.settings.items()},
        "targets": dict(recipe.targets),
        "parameters": classifier.model_.count_params(),
        "minutes": round(stopwatch.seconds / 60, 1),
        "machine": machine.describe(),
        "Training": {"one pass": _figures(classifier, data.train, None)},
        "history": classifier.history_,
    }
    if recipe.both:
        classifier.temperature_, metrics = temperature, None
    else:
        results |= _measured(classifier, data)
        classifier.calibrate(*data.validation)
        metrics = classifier.evaluate(*data.validation)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(results) + "\n", encoding="utf-8")
    classifier.save(RUNS / f"{name}.fer", metrics=metrics)
    for views, figures in results.get("PublicTest", {}).items():
        print(views, json.dumps(figures))


def _measured(classifier: fk.EmotionClassifier, data: fk.FER2013) -> dict[str, Any]:
    """Return what a classifier that has not seen PublicTest reaches there."""
    return {
        "PublicTest": _measure(classifier, data.validation),
        "PublicTest without rows of Training": _measure(classifier, without_leaks(data)),
        "ece after temperature scaling": scaled_calibration_error(classifier, *data.validation),
        "report": classifier.evaluate(*data.validation).as_dict(),
    }


def headline(report: fk.EvaluationReport) -> dict[str, float]:
    """Return the figures of a report that are written down of every network."""
    wanted = ("n_samples", "accuracy", "balanced_accuracy", "f1_macro", "loss", "ece")
    return {key: round(float(getattr(report, key)), 4) for key in wanted}


def scaled_calibration_error(classifier: fk.EmotionClassifier, X: Any, y: Any) -> float:
    """Return the calibration error with a temperature fitted on the other half of the rows."""
    errors = []
    for half in (0, 1):
        classifier.calibrate(X[half::2], y[half::2])
        report = classifier.evaluate(X[1 - half :: 2], y[1 - half :: 2])
        errors.append(report.ece)
    classifier.temperature_ = 1.0
    return round(float(np.mean(errors)), 4)


def without_leaks(data: fk.FER2013) -> fk.Split:
    """Return the PublicTest rows whose image does not stand in Training."""
    return fk.audit_dataset(data).drop_leaks(side="evaluation").validation


def _measure(classifier: fk.EmotionClassifier, split: fk.Split) -> dict[str, Any]:
    return {views or "one pass": _figures(classifier, split, views) for views in VIEWS}


def _figures(
    classifier: fk.EmotionClassifier, split: fk.Split, views: str | None
) -> Mapping[str, Any]:
    report = classifier.evaluate(*split, tta=views)
    figures = headline(report)
    recall = {name: round(row["recall"], 3) for name, row in report.per_class.items()}
    return {**figures, "recall": recall}


class Stopwatch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras carries no types
    """Adds up the time of the epochs, those before a resume included."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._begun = 0.0

    @property
    def seconds(self) -> float:
        """Time so far."""
        if not self._path.exists():
            return 0.0
        return float(json.loads(self._path.read_text(encoding="utf-8")))

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Start the epoch's time."""
        del epoch, logs
        self._begun = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Add it."""
        del epoch, logs
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.seconds + time.monotonic() - self._begun))


if __name__ == "__main__":
    main()
