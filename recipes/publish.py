"""Write what the results page of the docs shows: python -m recipes.publish.

From recipes/results it makes the table of all runs (docs/results/runs.csv) and the pictures of one
run, the confusion matrix, the learning curves and the reliability diagram.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

import fer2013kit as fk
from recipes.definitions import RECIPES
from recipes.train import RESULTS

_DOCS: Final = Path(__file__).parents[1] / "docs" / "results"
_COLUMNS: Final = (
    "run",
    "what was changed",
    "parameters",
    "minutes",
    "one pass",
    "flip",
    "ten-crop",
    "without leaks",
    "macro-F1",
    "balanced accuracy",
    "calibration error",
    "after scaling",
    "Training",
)


def main() -> None:
    """Write the table and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="whose pictures are shown, e.g. plain_seed0")
    options = parser.parse_args()
    mpl.use("agg")
    _DOCS.mkdir(exist_ok=True)
    with (_DOCS / "runs.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for path in sorted(RESULTS.glob("*.json")):
            writer.writerow(_row(path.stem, json.loads(path.read_text(encoding="utf-8"))))
    shown = json.loads((RESULTS / f"{options.run}.json").read_text(encoding="utf-8"))
    report = fk.EvaluationReport.from_dict(shown["report"])
    for name, axes in (
        ("confusion_matrix", fk.plot_confusion_matrix(report)),
        ("learning_curves", fk.plot_history(_history(shown))),
        ("reliability", fk.plot_reliability(report)),
    ):
        axes.figure.savefig(_DOCS / f"{name}.png", dpi=90, bbox_inches="tight")


def _history(results: dict[str, Any]) -> dict[str, list[float]]:
    """Return a run's history, with that of the run it went on from before it."""
    history: dict[str, list[float]] = results["history"]
    start = RECIPES[results["recipe"]].start
    if start is None:
        return history
    path = RESULTS / f"{start}_seed{results['seed']}.json"
    before = _history(json.loads(path.read_text(encoding="utf-8")))
    return {name: [*before[name], *values] for name, values in history.items()}


def _row(run: str, results: dict[str, Any]) -> list[str]:
    known = [
        run,
        RECIPES[results["recipe"]].changed if results["recipe"] in RECIPES else results["changed"],
        f"{results['parameters']:,}",
        f"{results['minutes']:.0f}",
    ]
    if "PublicTest" not in results:  # it was trained on
        return known
    public = results["PublicTest"]
    one = public["one pass"]
    return [
        *known,
        *(f"{public[views]['accuracy']:.3f}" for views in ("one pass", "flip", "ten_crop")),
        f"{results['PublicTest without rows of Training']['one pass']['accuracy']:.3f}",
        f"{one['f1_macro']:.3f}",
        f"{one['balanced_accuracy']:.3f}",
        f"{one['ece']:.3f}",
        f"{results['ece after temperature scaling']:.3f}",
        f"{results['Training']['one pass']['accuracy']:.3f}",
    ]


if __name__ == "__main__":
    main()
