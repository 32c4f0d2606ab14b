"""Does a lever for speed cost accuracy?  Short fixed trainings, with it and without it.

``python -m benchmarks.accuracy`` trains on every third Training image for some epochs, with two
seeds and each way, and writes ``benchmarks/results/accuracy.md`` and ``.json``: PublicTest
accuracy of the kit's defaults beside that of the usual way for one lever at a time.
"""

from __future__ import annotations

import argparse
import csv
import functools
import json
import math
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.measuring import ROOT
from benchmarks.training import DENSE, FILTERS, KERNELS, random_layers

_EPOCHS = 8
_EVERY = 3
_SEEDS = (0, 1)


def plain_network(
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    pool_first: bool = True,
    stacked_layers: bool = False,
    fused: bool = True,
) -> Any:
    """Build the default network of plain Keras layers, with one lever or another left alone."""
    import keras
    from keras import layers

    class Unfused(layers.BatchNormalization):  # type: ignore[misc]  # Keras carries no types
        """The kit fuses Keras's own class alone."""

    normalization = layers.BatchNormalization if fused else Unfused
    x = inputs = keras.Input(input_shape)
    for layer in random_layers() if stacked_layers else ():
        x = layer(x)
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(layers.Cropping2D(3)(x))
    for width, side in zip(FILTERS, KERNELS, strict=True):
        x = layers.Conv2D(width, side, padding="same", use_bias=False)(x)
        pool = layers.MaxPooling2D(3, strides=2, padding="same")
        x = pool(x) if pool_first else x
        x = layers.ReLU()(normalization()(x))
        x = x if pool_first else pool(x)
    x = layers.Dense(DENSE, use_bias=False)(layers.Flatten()(x))
    x = layers.Dropout(0.4)(layers.ReLU()(normalization()(x)))
    outputs = layers.Dense(num_classes, activation="softmax", dtype="float32")(x)
    return keras.Model(inputs, outputs)


_KIT = "the kit's defaults"
_VARIANTS: dict[str, dict[str, Any]] = {
    _KIT: {},
    "float32 instead of bfloat16": {"compute_dtype": "float32"},
    "Keras's batch normalisation, not fused": {
        "model": functools.partial(plain_network, fused=False)
    },
    "normalisation and ReLU before the pool": {
        "model": functools.partial(plain_network, pool_first=False)
    },
    "stacked Random* layers instead of one warp": {
        "model": functools.partial(plain_network, stacked_layers=True),
        "augment": False,
    },
}


def main() -> None:
    """Train every variant with every seed, and write what was reached after each training."""
    import fer2013kit as fk

    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data" / "fer2013-kaggle.zip"
    )
    dataset = fk.load_fer2013(parser.parse_args().data)
    validation = dataset.validation
    if validation is None:
        parser.error("the data hold no PublicTest images")
    images, labels = dataset.train.images[::_EVERY], dataset.train.labels[::_EVERY]
    results: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "recipe": f"{len(images)} Training images (every {_EVERY}rd row), {_EPOCHS} epochs, "
        f"defaults otherwise; {len(validation.labels)} PublicTest images",
        "machine": machine.describe(),
        "accuracy": {name: [] for name in _VARIANTS},
    }
    for seed in _SEEDS:
        for name, settings in _VARIANTS.items():
            clf = fk.EmotionClassifier(
                epochs=_EPOCHS, random_state=seed, verbose=0, **settings
            ).fit(images, labels)
            accuracy = clf.score(validation.images, validation.labels)
            results["accuracy"][name].append(accuracy)
            print(f"seed {seed}, {name}: {accuracy:.4f}", file=sys.stderr, flush=True)
            _write(results, len(validation.labels))


def _write(results: dict[str, Any], pictures: int) -> None:
    stem = ROOT / "benchmarks" / "results" / "accuracy"
    stem.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    usual = results["accuracy"][_KIT]
    share = statistics.mean(usual)
    error = math.sqrt(share * (1 - share) / pictures)
    rows = [("what", *(f"seed {seed}" for seed in _SEEDS), "mean less the kit's")]
    for name, values in results["accuracy"].items():
        shown = [f"{value:.3f}" for value in values] + [""] * (len(_SEEDS) - len(values))
        done = min(len(values), len(usual))
        apart = statistics.mean(values[:done] or [0.0]) - statistics.mean(usual[:done] or [0.0])
        rows.append((name, *shown, f"{apart:+.3f}" if done else ""))
    with stem.with_suffix(".csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    heading, *body = (f"| {' | '.join(row)} |" for row in rows)
    lines = [
        f"PublicTest accuracy of short trainings: {results['recipe']}; one column a seed.",
        f"One such figure has a standard error of {error:.3f} from the number of images alone.",
        "",
        heading,
        "|---" * len(rows[0]) + "|",
        *body,
    ]
    stem.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
