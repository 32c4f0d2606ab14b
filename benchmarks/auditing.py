"""The audit, and how it grows, against reading the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.loading import growth
from benchmarks.measuring import Case, Target, Topic
from benchmarks.worker import timed

if TYPE_CHECKING:
    from pathlib import Path


def audit(folder: Path, name: str) -> dict[str, float]:
    """Audit a data set that is loaded already."""
    from fer2013kit import audit_dataset, load_fer2013

    data = load_fer2013(folder / name)
    return timed(lambda: audit_dataset(data))


_PARTS = {"1": "faces_1.zip", "4": "faces_4.zip", "16": "faces.zip"}
_AUDIT = {name: f"audit, {name}x rows" for name in _PARTS}

TOPIC = Topic(
    name="auditing",
    title="Audit",
    needs=("archive", "arrays"),
    cases=[
        *(Case(_AUDIT[name], "audit", (part,)) for name, part in _PARTS.items()),
        Case("reading it: first load of the zip", "benchmarks.loading.first_load", ("faces.zip",)),
        Case("reading it: later load, every pixel", "benchmarks.loading.later_load", ("touch",)),
    ],
    targets=[
        Target(
            "audit of all rows",
            lambda one: one[_AUDIT["16"]]["seconds"],
            10.0,
            at_least=False,
            unit="s",
        ),
        *growth("", _AUDIT),
    ],
)
