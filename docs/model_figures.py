"""Figures of the models, written from the package's manifest when the site is built."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from fer2013kit.pretrained import read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_SHOWN_CONFUSIONS = 5
_VIEWS = {"one pass": "one pass", "flip": "with flips", "ten_crop": "ten crops"}


def write(path: Path) -> None:
    """Write the sections of all networks that ship with the package."""
    path.parent.mkdir(exist_ok=True)
    sections = [_section(name, entry) for name, entry in sorted(read_manifest().items())]
    path.write_text("\n".join(sections) or "None is shipped.\n", encoding="utf-8")


def write_table(path: Path, exports: Path) -> None:
    """Write one table of all networks that ship; ``exports`` has the time of a face."""
    path.parent.mkdir(exist_ok=True)
    with exports.open(encoding="utf-8", newline="") as table:
        times = {row["file"]: row["one face"] for row in csv.DictReader(table)}
    head = ("model", "labels", *_SUMMARY, "one face", "size", "parameters")
    rows = [_summary(name, entry, times) for name, entry in sorted(read_manifest().items())]
    lines = _table(head, rows)
    lines.insert(1, "   :class: sortable wide")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


_LAYERS_OF = {"ferplus_cnn": "five_layer_cnn", "deep_ferplus_cnn": "deep_cnn"}
_SUMMARY = ("accuracy", "ten crops", "without leaks", "macro F1")


def _summary(name: str, entry: dict[str, Any], times: Mapping[str, str]) -> Sequence[str]:
    figures, clean = entry["PublicTest"], entry["PublicTest without rows of Training"]
    scores = (
        figures["one pass"]["accuracy"],
        figures["ten_crop"]["accuracy"],
        clean["one pass"]["accuracy"],
        figures["one pass"]["f1_macro"],
    )
    size = f"{entry['files']['predictor']['bytes'] / 1e6:.1f} MB"
    truth = "FER+" if "FER+" in entry["labels"] else entry["labels"]
    shown = (f"{score:.3f}" for score in scores)
    time = times[f'``{_LAYERS_OF.get(name, name)}``, ``"dynamic"``']
    card = f":ref:`{name} <card-{name}>`"
    return (card, truth, *shown, time, size, f"{entry['parameters']:,}")


def _section(name: str, entry: dict[str, Any]) -> str:
    report, ece, light = entry["report"], entry["ece"], entry["light"]
    low, high = report["accuracy_interval"]
    sizes = {kind: file["bytes"] / 1e6 for kind, file in entry["files"].items()}
    recipe = f"  Trained by {entry['recipe']}." if entry["recipe"] else ""
    size = (
        f"{entry['parameters']:,} parameters; {sizes['classifier']:.1f} MB as a classifier, "
        f"{sizes['predictor']:.1f} MB for the light runtime.{recipe}"
    )
    rows = f"{report['n_samples']:,} images of PublicTest, labelled by {entry['labels']}"
    accuracy = (
        f"Measured on {rows}.  Accuracy {report['accuracy']:.3f}, with 95 % confidence between "
        f"{low:.3f} and {high:.3f}; the true class is among the first two in "
        f"{report['top2_accuracy']:.3f}.  The light runtime's file "
        f"({light['quantization'] or 'float32'}) reaches {light['accuracy']:.3f}; its "
        f"probabilities differ by at most {light['largest_difference']:.3f}."
    )
    failures = "Taken most often for another class: " + ", ".join(_confusions(report)) + "."
    calibration = (
        f"Calibration: temperature {entry['temperature']:.3f}, fitted on PublicTest.  The "
        f"calibration error is {ece['before']:.3f} before, and "
        f"{ece['after, fitted on the other half']:.3f} after when each half of PublicTest is "
        "measured with the temperature of the other."
    )
    return "\n".join(
        [
            f".. _card-{name}:",
            "",
            f"``{name}``",
            "~" * (len(name) + 4),
            "",
            size,
            "",
            accuracy,
            "",
            *_table(("PublicTest", *_NAMES), _views(entry["PublicTest"])),
            "",
            *_table(
                ("without rows of Training", *_NAMES),
                _views(entry["PublicTest without rows of Training"]),
            ),
            "",
            *_table(
                ("class", "precision", "recall", "F1", "images"),
                _classes(report),
            ),
            "",
            failures,
            "",
            calibration,
            "",
        ]
    )


_NAMES = ("accuracy", "balanced accuracy", "macro F1", "cross-entropy")
_KEYS = ("accuracy", "balanced_accuracy", "f1_macro", "loss")


def _views(figures: dict[str, dict[str, float]]) -> Iterable[Sequence[str]]:
    for view, words in _VIEWS.items():
        yield (words, *(f"{figures[view][key]:.3f}" for key in _KEYS))


def _classes(report: dict[str, Any]) -> Iterable[Sequence[str]]:
    for name in report["class_names"]:
        row = report["per_class"][name]
        scores = (f"{row[key]:.3f}" for key in ("precision", "recall", "f1"))
        yield (name, *scores, str(row["support"]))


def _confusions(report: dict[str, Any]) -> Iterable[str]:
    """Tell the classes that are taken for another the most often."""
    names = report["class_names"]
    shares = [
        (count / sum(row), names[true], names[taken])
        for true, row in enumerate(report["confusion_matrix"])
        for taken, count in enumerate(row)
        if taken != true
    ]
    for share, true, taken in sorted(shares, reverse=True)[:_SHOWN_CONFUSIONS]:
        yield f"{true} for {taken} ({100 * share:.0f} %)"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *rows):
        first, *others = row
        lines += [f"   * - {first}", *(f"     - {one}" for one in others)]
    return lines
