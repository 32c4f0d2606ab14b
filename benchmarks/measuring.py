"""One case in a process of its own, cases in turn, and what several rounds say."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

Figures = dict[str, float]
Round = Mapping[str, Figures]
"""What one round measured: figures by the name of the case."""


@dataclass(frozen=True)
class Case:
    """One thing to measure.

    Either ``job``, a function that measures itself in a fresh process (in the topic's module if
    it names no other), or ``command``, arguments for Python whose whole process is timed from
    outside.
    """

    name: str
    job: str = ""
    arguments: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """A figure of a round that must be at least or at most a limit."""

    what: str
    value: Callable[[Round], float]
    limit: float
    at_least: bool = True
    unit: str = ""


@dataclass(frozen=True)
class Topic:
    """Cases that are measured in turn, and what is asked of them."""

    name: str
    title: str
    cases: Sequence[Case]
    targets: Sequence[Target]
    needs: Sequence[str] = ()
    """What of the workspace must be there: names of functions in ``workspace``."""


@dataclass
class Spread:
    """Median, least and greatest of some values, and the values."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    def as_dict(self) -> dict[str, object]:
        """Return what goes into the JSON file."""
        return {
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "values": self.values,
        }


def run_in_turn(
    topic: Topic, folder: Path, repeats: int, say: Callable[[str], None]
) -> tuple[list[dict[str, Figures]], dict[str, str]]:
    """Measure every case once a round; each round begins with another case.

    Returns the rounds, and for each case that failed the last line of what it said.
    """
    rounds: list[dict[str, Figures]] = []
    failures: dict[str, str] = {}
    for number in range(repeats):
        measured: dict[str, Figures] = {}
        start = number % len(topic.cases)
        for case in [*topic.cases[start:], *topic.cases[:start]]:
            if case.name in failures:
                continue
            try:
                measured[case.name] = run_case(topic, case, folder)
            except subprocess.CalledProcessError as error:
                failures[case.name] = (error.stderr.strip().splitlines() or ["no message"])[-1]
                say(f"  {case.name}: failed: {failures[case.name]}")
                continue
            shown = ", ".join(f"{key} {value:.4g}" for key, value in measured[case.name].items())
            say(f"  round {number + 1}, {case.name}: {shown}")
        rounds.append(measured)
    return rounds, failures


def run_case(topic: Topic, case: Case, folder: Path) -> Figures:
    """Measure one case in a new process."""
    environment = {
        **os.environ,
        "FER2013KIT_HOME": str(folder / "home"),
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(ROOT),
    }
    if case.command:
        arguments = [word.replace("{folder}", str(folder)) for word in case.command]
    else:
        module, _, job = case.job.rpartition(".")
        module = module or f"benchmarks.{topic.name}"
        arguments = ["-m", "benchmarks.worker", module, job, str(folder), *case.arguments]
    start = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own Python and our own words
        [sys.executable, *arguments],
        env=environment,
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    if case.command:
        return {"seconds": seconds}
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def judge(target: Target, rounds: Sequence[Round]) -> dict[str, object] | None:
    """Return the target's figure over the rounds and whether its median reaches the limit."""
    spread = Spread()
    for one in rounds:
        try:
            spread.values.append(target.value(one))
        except KeyError:  # a case of this round failed
            continue
    if not spread.values:
        return None
    met = spread.median >= target.limit if target.at_least else spread.median <= target.limit
    return {
        "what": target.what,
        "unit": target.unit,
        "asked": f"{'at least' if target.at_least else 'at most'} {target.limit:g}",
        "met": met,
        **spread.as_dict(),
    }


def summarise(rounds: Sequence[Round]) -> dict[str, dict[str, dict[str, object]]]:
    """Return the spread of every figure of every case over the rounds."""
    spreads: dict[str, dict[str, Spread]] = {}
    for one in rounds:
        for name, figures in one.items():
            for figure, value in figures.items():
                spreads.setdefault(name, {}).setdefault(figure, Spread()).values.append(value)
    return {
        name: {figure: spread.as_dict() for figure, spread in figures.items()}
        for name, figures in spreads.items()
    }
