"""Write what the diary and the results page of the docs show: python -m recipes.publish.

From recipes/results it makes the tables beside them: what each recipe changes (recipes.csv), what
each run reached (runs.csv), mean and spread of the recipes that were run with several seeds
(seeds.csv).  In docs/results it draws the confusion matrix and the reliability of the bundled
``five_layer_cnn``, how the networks of recipes.deep learned, and accuracy over time of the files
that recipes.exports measured.
"""

from __future__ import annotations

import csv
import itertools
import json
import operator
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl

import fer2013kit as fk
from fer2013kit.plotting._parts import GREY, SERIES, open_frame
from fer2013kit.pretrained import read_manifest
from recipes.definitions import RECIPES
from recipes.networks import STUDENTS, TEACHERS
from recipes.train import RESULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

_DOCS: Final = Path(__file__).parents[1] / "docs" / "results"
_COST: Final = ("recipe", "what was changed", "parameters", "minutes")
_MARKERS: Final = {"dynamic": "o", "int8": "s", "float32": "^", "ONNX, float32": "v"}
_COLORS: Final = dict(
    zip(
        ("five_layer_cnn", "five_layer_cnn_small", "five_layer_cnn_balanced", "deep_cnn"),
        SERIES,
        strict=False,
    )
)
_STUDENTS: Final = [network for network in STUDENTS if network.name[-1].isalpha()]
"""The first seeds."""
_LINES: Final = {
    network.name: (color, dashes)
    for networks, dashes in ((TEACHERS, "--"), (_STUDENTS, "-"))
    for network, color in zip(networks, SERIES, strict=False)
}
_LATEST: Final = "deep_4"
_LOGS: Final = {"five_fer": "deep_2", "small_fer": "deep_2", "five_ferplus": "deep"}
"""The sitting of recipes.deep that what ships comes from; of the others, the latest."""
_FIGURES: Final = (
    "one pass",
    "flip",
    "ten-crop",
    "without leaks",
    "macro-F1",
    "balanced accuracy",
    "ECE",
    "ECE, scaled",
    "Training",
)


def main() -> None:
    """Write the tables and the images."""
    mpl.use("agg")
    _DOCS.mkdir(exist_ok=True)
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")]
    runs.sort(key=operator.itemgetter("recipe", "seed"))
    measured = [results for results in runs if "PublicTest" in results]  # else it was trained on
    _write_table("recipes.csv", _COST, _cost(runs))
    _write_table("runs.csv", ("recipe, seed", *_FIGURES), [_row(results) for results in measured])
    _write_table("seeds.csv", *_spread(measured))
    report = fk.EvaluationReport.from_dict(read_manifest()["five_layer_cnn"]["report"])
    for name, axes in (
        ("confusion_matrix", fk.plot_confusion_matrix(report)),
        ("reliability", fk.plot_reliability(report)),
    ):
        axes.figure.savefig(_DOCS / f"{name}.png", dpi=90, bbox_inches="tight")
    _draw_learning()
    _draw_accuracy_and_time()


def _draw_accuracy_and_time() -> None:
    """Draw each exported file: its accuracy over the time that a face takes."""
    import matplotlib.pyplot as plt

    ax = plt.figure(figsize=(7, 4.2), layout="constrained").subplots()
    with (_DOCS / "exports.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        words = row["file"].replace("`", "").replace('"', "")
        model, _, form = words.partition(", ")
        point = float(row["one face"].split()[0]), float(row["accuracy"])
        ax.plot(*point, _MARKERS.get(form, "D"), color=_COLORS.get(model, GREY), markersize=8)
        if form in {"", "dynamic"}:
            beside = {"xytext": (12, 0), "textcoords": "offset points"}
            ax.annotate(model, point, va="center", **beside)
    for form, marker in _MARKERS.items():
        ax.plot([], [], marker, color=GREY, label=form)
    ax.set(xlabel="milliseconds a face", ylabel="accuracy on PublicTest", xscale="log")
    ax.set_xticks([0.3, 0.5, 1, 2, 5], ["0.3", "0.5", "1", "2", "5"])
    ax.minorticks_off()
    ax.margins(x=0.05, y=0.15)
    ax.legend(frameon=False, loc="lower right")
    open_frame(ax)
    ax.figure.savefig(_DOCS / "accuracy_time.png", dpi=90)


def _draw_learning() -> None:
    """Draw what recipes.deep printed: accuracy on PublicTest over the epochs of each network."""
    import matplotlib.pyplot as plt

    lines = {}
    for log in {*_LOGS.values(), _LATEST}:
        text = (RESULTS.parent / "logs" / f"{log}.log").read_text(encoding="utf-8")
        lines[log] = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    figure = plt.figure(figsize=(9, 4.2), layout="constrained")
    parts = (("FER-2013", "fer, one pass", 0.62), ("FER+", "ferplus, one pass", 0.82))
    for (title, part, lowest), ax in zip(parts, figure.subplots(1, 2), strict=True):
        for name, (color, dashes) in _LINES.items():
            printed = lines[_LOGS.get(name, _LATEST)]
            of_it = [line for line in printed if line["network"] == name and part in line]
            if not of_it:
                continue
            x, y = [line["epoch"] for line in of_it], [line[part] for line in of_it]
            ax.plot(x, y, dashes, color=color, label=name)
        ax.set(title=title, xlabel="epoch", ylabel="accuracy on PublicTest")
        ax.set_ylim(bottom=lowest)
        ax.legend(frameon=False, loc="lower right")
        open_frame(ax)
    figure.savefig(_DOCS / "learning_curves.png", dpi=90)


def _write_table(name: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with (RESULTS / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def _by_recipe(runs: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups = itertools.groupby(runs, key=operator.itemgetter("recipe"))
    return {recipe: list(group) for recipe, group in groups}


def _cost(runs: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return what each recipe changes, and what it costs; of several seeds the quickest counts."""
    return [
        [
            recipe,
            RECIPES[recipe].changed if recipe in RECIPES else group[0]["changed"],
            f"{group[0]['parameters']:,}",
            f"{min(results['minutes'] for results in group):.0f}",
        ]
        for recipe, group in _by_recipe(runs).items()
    ]


def _row(results: dict[str, Any]) -> list[str]:
    name = f"{results['recipe']}, {results['seed']}"
    return [name, *(f"{figure:.3f}" for figure in _figures(results))]


def _spread(runs: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return mean and standard deviation of each figure, a column for each recipe with seeds."""
    header, columns = [""], [list(_FIGURES)]
    for recipe, group in _by_recipe(runs).items():
        if len(group) > 1:
            header.append(f"{recipe} ({len(group)} seeds)")
            figures = zip(*map(_figures, group), strict=True)
            columns.append([f"{mean(seeds):.3f} ± {stdev(seeds):.3f}" for seeds in figures])
    return header, [list(row) for row in zip(*columns, strict=True)]


def _figures(results: dict[str, Any]) -> list[float]:
    """Return what was measured, in the order of ``_FIGURES``."""
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
