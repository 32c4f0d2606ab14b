"""Does ImageNet help?  python -m recipes.transfer CSV WEIGHTS [--rows N] [--seed N].

The same Training images teach ``five_layer_cnn`` from nothing, and EfficientNet-Lite0 from its
ImageNet weights (``recipes.efficientnet_lite``): its new end alone, or that first and then all of
it.  What each reached on PublicTest, and the CPU time it took, goes to
``recipes/results/transfer/``; a run that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING, Any, Final

import keras
from benchmarks import machine

import fer2013kit as fk
from recipes.efficientnet_lite import efficientnet_lite0
from recipes.train import RESULTS, RUNS, VIEWS

if TYPE_CHECKING:
    from pathlib import Path

WAYS: Final[dict[str, list[dict[str, Any]]]] = {
    "five_layer_cnn from nothing": [
        {"model": "five_layer_cnn", "epochs": 60, "learning_rate": 0.03}
    ],
    "EfficientNet-Lite0, the end alone": [
        {"model": "transfer", "epochs": 4, "freeze": "backbone", "learning_rate": 0.1}
    ],
    "EfficientNet-Lite0, the end, then all": [
        {"model": "transfer", "epochs": 1, "freeze": "backbone", "learning_rate": 0.1},
        {"model": "transfer", "epochs": 6, "learning_rate": 0.03},
    ],
    "EfficientNet-Lite0, the end, then all for longer": [
        {"model": "transfer", "epochs": 1, "freeze": "backbone", "learning_rate": 0.1},
        {"model": "transfer", "epochs": 25, "learning_rate": 0.03},
    ],
}


class CpuTime(keras.callbacks.Callback):  # type: ignore[misc]  # Keras carries no types
    """Adds up the CPU seconds of epochs in a file, so that those of an earlier sitting count."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.seconds = json.loads(path.read_text()) if path.exists() else 0.0
        self.last = time.process_time()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write what the epoch took down."""
        del epoch, logs
        now = time.process_time()
        self.seconds += now - self.last
        self.last = now
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.seconds), encoding="utf-8")


def train(name: str, data: fk.FER2013, rows: int, seed: int, weights: str) -> dict[str, Any]:
    """Train in one way and return its figures."""
    folder = RUNS / f"transfer_{rows}_{seed}" / name.replace(" ", "_").replace(",", "")
    X, y = data.train.images[:rows], data.train.labels[:rows]
    classifier = fk.EmotionClassifier(batch_size=32, random_state=seed, verbose=2)
    seconds = 0.0
    for number, settings in enumerate(WAYS[name]):
        params = None
        if settings["model"] == "transfer":
            params = {"backbone": efficientnet_lite0, "weights": weights}
        classifier.set_params(
            **{"freeze": None, **settings},
            model_params=params,
            warm_start=number > 0,
            checkpoint_dir=folder / str(number),
        )
        clock = CpuTime(folder / f"{number}.json")
        classifier.fit(X, y, callbacks=[clock])
        seconds += clock.seconds
    reached = {
        views or "one pass": round(classifier.evaluate(*data.validation, tta=views).accuracy, 4)
        for views in VIEWS[:2]
    }
    return {
        "epochs": [settings["epochs"] for settings in WAYS[name]],
        "CPU minutes": round(seconds / 60, 1),
        "parameters": classifier.model_.count_params(),
        "PublicTest": reached,
    }


def main() -> None:
    """Train in every way, and write the table after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="FER-2013 as CSV")
    parser.add_argument("weights", help="what recipes.efficientnet_lite wrote")
    parser.add_argument("--rows", type=int, default=4000, help="Training images, from the first")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = fk.load_fer2013(options.data)
    results: dict[str, Any] = {"machine": machine.describe(), "rows": options.rows, "ways": {}}
    path = RESULTS / "transfer" / f"{options.rows}_seed{options.seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in WAYS:
        results["ways"][name] = train(name, data, options.rows, options.seed, options.weights)
        print(name, json.dumps(results["ways"][name]), flush=True)
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
