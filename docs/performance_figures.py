"""The summary of the performance page, from the benchmarks' results when the site is built."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KERAS: Final = "``model.predict``"
_MANY: Final = "36000 faces: "
_CSV: Final = "CSV, first load: "
_ROWS: Final = (
    (
        "Name the faces of a photograph, starting Python included",
        "faces and emotions of a photograph, without TensorFlow",
        *("", "", "seconds"),
    ),
    (
        "Name the emotion of a crop, starting Python included",
        "the same without TensorFlow: EmotionPredictor",
        *("TensorFlow", "first prediction with pretrained weights", "seconds"),
    ),
    (
        "Name the emotion of a crop, once loaded",
        "one face: kit's EmotionPredictor (LiteRT), float32",
        *(_KERAS, "one face: model.predict", "ms"),
    ),
    (
        "36,000 crops, :class:`EmotionClassifier`, bfloat16",
        f"{_MANY}kit's predict_proba",
        *(_KERAS, f"{_MANY}model.predict", "seconds"),
    ),
    (
        "36,000 crops, :class:`EmotionPredictor`, 8 bits",
        f"{_MANY}kit's EmotionPredictor, weights of 8 bits, as those that ship",
        *(f"{_KERAS}, float32", f"{_MANY}model.predict, float32", "seconds"),
    ),
    ("Train, images a second", "kit, defaults", "the usual notebook", "notebook", "images/s"),
    (
        "Augment, images a second on one core",
        "augmentation alone: kit",
        *(
            "stacked Keras layers",
            "augmentation alone: stacked Keras layers",
            "images per CPU second",
        ),
    ),
    (
        "Read Kaggle's zip, the first time",
        "zip, first load: kit, 16x rows",
        *("Keras, from folders", "zip, first load: Keras from directory", "seconds"),
    ),
    (
        "Read ``fer2013.csv``, the first time",
        f"{_CSV}kit, 16x rows",
        *("pandas", f"{_CSV}pandas and a split per row", "seconds"),
    ),
    (
        "Read a data set again",
        "later load: kit",
        *("``numpy.load``", "later load: numpy.load", "seconds"),
    ),
    ("Audit all images", "audit, 16x rows", "", "", "seconds"),
)
"""What is done, the kit's case, the usual way and its case, and the figure of both."""

_UNITS: Final = {"seconds": "s", "ms": "ms", "images/s": "", "images per CPU second": ""}


def write(results: Path, page: Path) -> None:
    """Write the table, whose cases are those of ``benchmarks/results/latest.json``."""
    topics = json.loads(results.read_text(encoding="utf-8"))["topics"]
    cases = {name: case for topic in topics for name, case in topic["cases"].items()}
    head = ("What", "Here", "Elsewhere", "What that is")
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 42 14 16 28", ""]
    for row in (head, *_cells(cases)):
        first, *others = row
        lines += [f"   * - {first}", *(f"     - {one}" for one in others)]
    page.parent.mkdir(exist_ok=True)
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cells(cases: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for what, ours, usual, theirs, figure in _ROWS:
        here = cases[ours][figure]["median"]
        there = cases[theirs][figure]["median"] if theirs else None
        elsewhere = "" if there is None else _told(there, figure)
        yield (what, _told(here, figure), elsewhere, usual)


def _told(value: float, figure: str) -> str:
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
    return f"{shown} {_UNITS[figure]}".strip()
