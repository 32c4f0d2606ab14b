"""Each architecture under one budget: python -m recipes.architectures fer2013.csv [NAME ...].

All are trained from nothing by the same settings, the classifier's own, for as many epochs of all
Training images.  What each reaches on PublicTest stands beside its costs in
``benchmarks/results/architectures.csv``; ``recipes/results/architectures/`` keeps the runs.  A run
that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any, Final

from benchmarks import machine
from benchmarks.architectures import ACCURACIES, mini_xception, put_row

import fer2013kit as fk
from recipes.train import RESULTS, RUNS, VIEWS
from recipes.transfer import CpuTime

if TYPE_CHECKING:
    from collections.abc import Callable

_EPOCHS: Final = 8
# The cheapest first.
_NAMES: Final = (
    "five_layer_cnn", "residual_cnn", "mini_xception", "vgg_10", "deep_cnn", "preact_resnet",
)  # fmt: skip
_OTHERS: Final[dict[str, Callable[..., Any]]] = {"mini_xception": mini_xception}


def train(name: str, data: fk.FER2013, epochs: int, seed: int) -> dict[str, Any]:
    """Train one and return its figures."""
    folder = RUNS / "architectures" / f"{name}_{epochs}_{seed}"
    classifier = fk.EmotionClassifier(
        _OTHERS.get(name, name), epochs=epochs, random_state=seed, checkpoint_dir=folder, verbose=2
    )
    clock = CpuTime(folder / "seconds.json")
    classifier.fit(*data.train, callbacks=[clock])
    reached = {
        views or "one pass": round(classifier.evaluate(*data.validation, tta=views).accuracy, 4)
        for views in VIEWS
    }
    return {
        "epochs": epochs,
        "seed": seed,
        "CPU minutes": round(clock.seconds / 60, 1),
        "compute_dtype": classifier.compute_dtype_,
        "PublicTest": reached,
    }


def main() -> None:
    """Train one after the other, and write each down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="FER-2013 as CSV")
    parser.add_argument("names", nargs="*", default=_NAMES, help="all unless given")
    parser.add_argument("--epochs", type=int, default=_EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = fk.load_fer2013(options.data)
    folder = RESULTS / "architectures"
    folder.mkdir(parents=True, exist_ok=True)
    for name in options.names:
        figures = train(name, data, options.epochs, options.seed)
        print(name, json.dumps(figures), flush=True)
        text = json.dumps({"machine": machine.describe(), **figures}, indent=1)
        (folder / f"{name}_seed{options.seed}.json").write_text(text + "\n", encoding="utf-8")
        reached = figures["PublicTest"]
        shown = [f"{reached[views]:.3f}" for views in ("one pass", "ten_crop")]
        put_row(name, dict(zip(ACCURACIES, shown, strict=True)))


if __name__ == "__main__":
    main()
