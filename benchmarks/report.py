"""The results as Markdown and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks import roofline

if TYPE_CHECKING:
    from pathlib import Path


def write(results: dict[str, Any], stem: Path) -> None:
    """Write ``stem.json``, ``stem.md`` and the roofline's image.

    The docs show a summary of ``stem.json`` and, where training was measured, ``roofline.svg``.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1)
    stem.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    stem.with_suffix(".md").write_text(as_markdown(results), encoding="utf-8")
    for topic in results["topics"]:
        if {"machine: memory", "machine: GEMM float32"} <= topic["cases"].keys():
            roofline.draw(topic["cases"], stem.with_name("roofline.svg"))


def _figures(figures: dict[str, Any]) -> str:
    return ", ".join(f"{figure} {_spread(spread)}" for figure, spread in figures.items())


def as_markdown(results: dict[str, Any]) -> str:
    """Return the page for people."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    changed = " with changes not committed" if machine["source changed since"] else ""
    instructions = ", ".join(machine["instructions"])
    how = (
        f"`python -m benchmarks`, {results['date']}, {results['repeats']} rounds: every case once "
        "a round in a process of its own, each round beginning with another case. Figures are "
        "medians, with the least and the greatest in brackets; ratios are taken within a round."
    )
    facts = (
        f"- Machine: {machine['processor']}, {machine['cores']} cores ({instructions}), "
        f"{machine['memory GB']} GB, {machine['system']}"
    )
    lines = [
        "# Benchmarks",
        "",
        how,
        "",
        facts,
        f"- Python {machine['python']}, {versions}, commit {machine['commit']}{changed}",
        f"- Images: {results['pictures']}",
        "",
    ]
    for topic in results["topics"]:
        lines += [f"## {topic['title']}", "", _quiet(topic["machine"]), ""]
        lines += _targets(topic["targets"])
        lines += _cases(topic["cases"])
        lines += [f"- not measured: {name}: {why}" for name, why in topic["failures"].items()]
        lines += [""] if topic["failures"] else []
    return "\n".join(lines).rstrip() + "\n"


def _quiet(machine: dict[str, Any]) -> str:
    text = (
        f"Load average {machine['load average before']} before, "
        f"{machine['load average after']} after"
    )
    if "quiet" not in machine:
        return f"{text}; whether the machine was quiet could not be told."
    verdict = "quiet" if machine["quiet"] else "NOT quiet, read with care"
    return f"{text}; other processes took {machine['taken by others']:.1%} of the cores: {verdict}."


def _targets(targets: list[dict[str, Any]]) -> list[str]:
    lines = ["| asked | limit | measured | met |", "|---|---|---|---|"]
    for target in targets:
        unit = f" {target['unit']}" if target["unit"] else ""
        verdict = "yes" if target["met"] else "**no**"
        lines.append(
            f"| {target['what']} | {target['asked']}{unit} | {_spread(target)}{unit} | {verdict} |"
        )
    return [*lines, ""]


def _cases(cases: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    lines = ["| case | figures |", "|---|---|"]
    for name, figures in cases.items():
        lines.append(f"| {name} | {_figures(figures)} |")
    return [*lines, ""]


def _spread(spread: dict[str, Any]) -> str:
    median, low, high = (_round(spread[key]) for key in ("median", "min", "max"))
    return median if low == high else f"{median} ({low} to {high})"


def _round(value: float) -> str:
    """Return three significant figures, without an exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
