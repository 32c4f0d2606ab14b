"""One table of all architectures: ``python -m benchmarks.architectures [NAME ...]``.

Parameters, multiply-adds, images a CPU second in training and in use (so that other work on the
machine counts less), and the time of one face as the 8-bit LiteRT file on one thread.  Each is
measured in a process of its own.  Beside the registered ones stand mini-Xception (Arriaga et al.,
2017) and two backbones.  Rows are put into ``benchmarks/results/architectures.csv``, in the place
of older ones; ``recipes.architectures`` adds what each reaches on PublicTest.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks import machine
from benchmarks.measuring import ROOT
from benchmarks.training import BATCH, make_clock, multiply_adds

_WARM_UP: Final = 1
_STEPS: Final = 3
_FACES: Final = 256
_OUT: Final = ROOT / "benchmarks" / "results" / "architectures.csv"

OTHERS: Final[dict[str, tuple[Any, dict[str, Any]]]] = {
    "mini_xception": ("mini_xception", {}),
    "transfer, MobileNetV2 at 96": ("transfer", {"weights": None}),
    "transfer, EfficientNet-Lite0 at 96": ("transfer", {"backbone": "lite0"}),
}
COLUMNS: Final = (
    "parameters", "M multiply-adds", "images per CPU second, training",
    "images per CPU second, in use", "ms a face, 8 bits",
)  # fmt: skip
ACCURACIES: Final = ("PublicTest, one pass", "PublicTest, ten crops")
"""Columns that ``recipes.architectures`` fills."""


def mini_xception(input_shape: tuple[int, int, int], num_classes: int) -> Any:
    """Build mini-Xception: depthwise separable convolutions with shortcuts, 58,000 parameters."""
    import keras
    from keras import layers

    def norm(x: Any) -> Any:
        return layers.BatchNormalization()(x)

    images = keras.Input(input_shape)
    x = layers.Rescaling(1 / 127.5, offset=-1)(images)
    for _ in range(2):
        x = layers.ReLU()(norm(layers.Conv2D(8, 3, use_bias=False)(x)))
    for width in (16, 32, 64, 128):
        shortcut = norm(layers.Conv2D(width, 1, 2, padding="same", use_bias=False)(x))
        x = layers.SeparableConv2D(width, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(norm(x))
        x = norm(layers.SeparableConv2D(width, 3, padding="same", use_bias=False)(x))
        x = layers.MaxPooling2D(3, 2, padding="same")(x)
        x = layers.Add()([x, shortcut])
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(num_classes, 3, padding="same")(x))
    return keras.Model(images, layers.Softmax(dtype="float32")(x))


def measure(name: str) -> dict[str, Any]:
    """Return the row of one architecture, measured in this process."""
    import numpy as np

    import fer2013kit as fk

    model, params = OTHERS.get(name, (name, {}))
    if model == "mini_xception":
        model = mini_xception
    if params.get("backbone") == "lite0":
        from recipes.efficientnet_lite import efficientnet_lite0

        params = {"backbone": efficientnet_lite0}
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCH * (_WARM_UP + _STEPS), 48, 48), np.uint8)
    labels = np.resize(np.arange(7), len(images))
    clock = make_clock(_WARM_UP)
    clf = fk.EmotionClassifier(model, model_params=params, epochs=1, verbose=0, random_state=0)
    clf.fit(images, labels, callbacks=[clock])
    faces = np.resize(images, (_FACES, 48, 48))
    row = {
        "parameters": clf.model_.count_params(),
        "M multiply-adds": round(sum(multiply_adds(clf.model_)) / 1e6, 1),
        COLUMNS[2]: round(1e3 / clock.figures()["CPU ms per image"], 1),
        COLUMNS[3]: round(_FACES / _seconds(lambda: clf.predict_proba(faces)), 1),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.tflite")
        clf.export(path, quantization="dynamic", tolerance=1.0)  # untrained: nothing to agree on
        predictor = fk.EmotionPredictor.load(path, num_threads=1)
        seconds = [_seconds(lambda: predictor.predict_proba(faces[:1])) for _ in range(20)]
    row["ms a face, 8 bits"] = round(1e3 * min(seconds), 2)
    return row


def _seconds(work: Any) -> float:
    work()
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Measure each architecture, print the table and write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.architectures", description=__doc__)
    parser.add_argument("names", nargs="*", help="all unless given")
    parser.add_argument("--row", action="store_true", help="print one as JSON, in this process")
    options = parser.parse_args()
    if options.row:
        print(json.dumps(measure(options.names[0])))
        return
    import fer2013kit as fk

    every = [*(name for name in fk.list_models() if name != "transfer"), *OTHERS]
    for name in options.names or every:
        command = [sys.executable, "-m", "benchmarks.architectures", "--row", name]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own words
        row = json.loads(done.stdout.splitlines()[-1])
        print(name, json.dumps(row), file=sys.stderr, flush=True)
        rows = put_row(name, row)
    print(f"| architecture | {' | '.join(COLUMNS)} |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(str(row.get(one, '')) for one in COLUMNS)} |")
    facts = machine.describe()
    print(f"{facts['processor']}, {facts['instructions']}, {facts['cores']} cores")


def put_row(name: str, figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Put figures of one architecture into the table, beside its others, and return all rows."""
    with _OUT.open(newline="", encoding="utf-8") as file:
        rows: dict[str, Any] = {row.pop("architecture"): row for row in csv.DictReader(file)}
    rows[name] = {**rows.get(name, {}), **figures}
    columns = (*COLUMNS, *ACCURACIES)
    ordered = sorted(rows.items(), key=lambda one: float(one[1].get("M multiply-adds", "inf")))
    with _OUT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("architecture", *columns))
        writer.writerows([name, *(row.get(one, "") for one in columns)] for name, row in ordered)
    return rows


if __name__ == "__main__":
    main()
