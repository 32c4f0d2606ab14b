"""Measure, print, and write ``benchmarks/results/<name>.md`` and ``.json``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import (
    auditing,
    loading,
    machine,
    predicting,
    report,
    starting,
    switches,
    training,
    workspace,
)
from benchmarks.measuring import ROOT, Topic, judge, run_in_turn, summarise

TOPICS = {
    module.TOPIC.name: module.TOPIC
    for module in (starting, loading, auditing, training, predicting, switches)
}


def main() -> None:
    """Read the command line and run the topics one after another."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("topics", nargs="*", help=f"of {', '.join(TOPICS)}; all unless given")
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default 5)")
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT.parent / "shared" / "data",
        help="the Kaggle zip or the folder that holds it; faces are drawn where there is none",
    )
    parser.add_argument("--name", default="latest", help="of the results (default latest)")
    options = parser.parse_args()
    if unknown := set(options.topics) - TOPICS.keys():
        parser.error(f"unknown topics: {', '.join(sorted(unknown))}; there are {', '.join(TOPICS)}")
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")

    data = options.data.resolve() if options.data.exists() else None
    real = data is not None and workspace.find_zip(data) is not None
    results: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "repeats": options.repeats,
        "pictures": "FER-2013, Training and PublicTest"
        if real
        else "drawn by fer2013kit.make_fer2013, since no FER-2013 was found",
        "machine": machine.describe(),
        "topics": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in options.topics or TOPICS:
            results["topics"].append(
                _measure(TOPICS[name], Path(folder), data if real else None, options.repeats)
            )
            report.write(results, ROOT / "benchmarks" / "results" / options.name)
    print(report.as_markdown(results))


def _measure(topic: Topic, folder: Path, data: Path | None, repeats: int) -> dict[str, Any]:
    _say(f"{topic.title}: preparing")
    for name in topic.needs:
        getattr(workspace, name)(folder, data)
    quiet = machine.Quiet()
    rounds, failures = run_in_turn(topic, folder, repeats, _say)
    judged = [judge(target, rounds) for target in topic.targets]
    return {
        "title": topic.title,
        "machine": quiet.as_dict(),
        "targets": [one for one in judged if one is not None],
        "cases": summarise(rounds),
        "failures": failures,
    }


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
