"""Write what the results page of the docs shows: python -m recipes.publish.

From recipes/results it makes the table of all runs (docs/results/runs.csv), that of the recipes
that were run with several seeds (seeds.csv), and the pictures of one run: the confusion matrix, the
learning curves and the reliability diagram.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import operator
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl

import fer2013kit as fk
from recipes.definitions import RECIPES
from recipes.train import RESULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_MEASURED_FROM: Final = _COLUMNS.index("one pass")


def main() -> None:
    """Write the table and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="whose pictures are shown, e.g. plain_seed0")
    options = parser.parse_args()
    mpl.use("agg")
    _DOCS.mkdir(exist_ok=True)
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))]
    _write_table("runs.csv", _COLUMNS, [_row(run) for run in runs])
    _write_table("seeds.csv", ("recipe", "seeds", *_COLUMNS[_MEASURED_FROM:]), _spread(runs))
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


def _write_table(name: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with (_DOCS / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def _row(results: dict[str, Any]) -> list[str]:
    recipe = results["recipe"]
    known = [
        f"{recipe}_seed{results['seed']}",
        RECIPES[recipe].changed if recipe in RECIPES else results["changed"],
        f"{results['parameters']:,}",
        f"{results['minutes']:.0f}",
    ]
    if "PublicTest" not in results:  # it was trained on
        return known
    return [*known, *(f"{figure:.3f}" for figure in _figures(results))]


def _spread(runs: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return mean and standard deviation over the seeds of each recipe that has several."""
    rows = []
    for recipe, group in itertools.groupby(runs, key=operator.itemgetter("recipe")):
        seeds = [_figures(results) for results in group if "PublicTest" in results]
        if len(seeds) > 1:
            cells = [
                f"{statistics.mean(figures):.3f} ± {statistics.stdev(figures):.3f}"
                for figures in zip(*seeds, strict=True)
            ]
            rows.append([recipe, str(len(seeds)), *cells])
    return rows


def _figures(results: dict[str, Any]) -> list[float]:
    """Return what was measured, in the order of the columns."""
    public = results["PublicTest"]
    one = public["one pass"]
    return [
        *(public[views]["accuracy"] for views in ("one pass", "flip", "ten_crop")),
        results["PublicTest without rows of Training"]["one pass"]["accuracy"],
        one["f1_macro"],
        one["balanced_accuracy"],
        one["ece"],
        results["ece after temperature scaling"],
        results["Training"]["one pass"]["accuracy"],
    ]


if __name__ == "__main__":
    main()
