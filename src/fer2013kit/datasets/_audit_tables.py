"""The findings of an audit as figures, as text and as a pandas data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._optional import needed
from fer2013kit.emotions import FERPLUS_CLASS_NAMES, NUM_CLASSES
from fer2013kit.exceptions import counted

if TYPE_CHECKING:
    import pandas as pd

    from fer2013kit._checks import IntArray
    from fer2013kit.datasets._audit_report import AuditReport


def audit_figures(report: AuditReport) -> dict[str, Any]:
    """Return the figures of an audit (see :meth:`AuditReport.as_dict`)."""
    identical, similar = report.duplicate_groups, report.near_duplicate_groups
    splits, conflicts = report.data.splits, report.conflicts
    conflicting = _count_groups({name: identical[name][rows] for name, rows in conflicts.items()})
    return {
        "rows": {name: len(split) for name, split in splits.items()},
        "duplicates": _count_groups(identical),
        "near_duplicates": None if similar is None else _count_groups(similar),
        "leaks": {name: len(rows) for name, rows in report.leaks.items()},
        "near_leaks": {name: len(rows) for name, rows in report.near_leaks.items()},
        "conflicts": {name: conflicting[name] for name in ("groups", "rows")},
        "blank": {name: int(rows.sum()) for name, rows in report.blank.items()},
        "class_counts": {name: _count_classes(split.labels) for name, split in splits.items()},
    }


def audit_text(report: AuditReport) -> str:
    """Return the figures of an audit as text (see :meth:`AuditReport.summary`)."""
    figures = report.as_dict()
    splits = list(figures["rows"])

    def row(heading: str, counts: dict[str, int]) -> str:
        cells = (f"{counts[name]:,}" if name in counts else "-" for name in splits)
        return f"{heading:<36}" + "".join(f"{cell:>12}" for cell in cells)

    def sizes(rows_by_split: dict[str, IntArray]) -> dict[str, int]:
        return {name: len(rows) for name, rows in rows_by_split.items()}

    similar = report.near_duplicate_groups
    lines = [
        f"Audit of {report.data!r}",
        f"{'':<36}" + "".join(f"{name:>12}" for name in splits),
        row("rows", figures["rows"]),
        row("leaks: identical to one in train", figures["leaks"]),
    ]
    if similar is not None:
        lines.append(row("near-leaks: similar to one in train", figures["near_leaks"]))
    lines.append(row("rows with identical others", sizes(_members(report.duplicate_groups))))
    if similar is not None:
        lines.append(row("rows with similar others", sizes(_members(similar))))
    conflicts = figures["conflicts"]["groups"]
    lines += [
        row("identical others, another label", sizes(report.conflicts)),
        row("blank", figures["blank"]),
        "",
        _groups_line("identical images", figures["duplicates"])
        + f"; {counted(conflicts, 'group')} {'has' if conflicts == 1 else 'have'} "
        "conflicting labels",
    ]
    if similar is not None:
        lines.append(_groups_line("similar images", figures["near_duplicates"]))
    lines += [_balance_line(name, counts) for name, counts in figures["class_counts"].items()]
    return "\n".join(lines)


def audit_frame(report: AuditReport) -> pd.DataFrame:
    """Return the findings of an audit row by row (see :meth:`AuditReport.to_frame`)."""
    with needed("to_frame"):
        import pandas as pd

    identical, similar = report.duplicate_groups, report.near_duplicate_groups
    blank = {name: np.flatnonzero(rows) for name, rows in report.blank.items()}
    findings = [
        ("leak", report.leaks, identical),
        ("near_leak", report.near_leaks, similar),
        ("conflict", report.conflicts, identical),
        ("duplicate", _members(identical), identical),
        ("near_duplicate", {} if similar is None else _members(similar), similar),
        ("blank", blank, None),
    ]
    frames = []
    for finding, rows_by_split, groups in findings:
        for name, rows in rows_by_split.items():
            labels = report.data.splits[name].labels
            codes = [None] * len(rows) if labels is None else labels[rows].tolist()
            names = [None if code is None else FERPLUS_CLASS_NAMES[code] for code in codes]
            numbers = [None] * len(rows) if groups is None else groups[name][rows].tolist()
            columns = {
                "split": pd.Series([name] * len(rows), dtype=object),
                "index": rows,
                "emotion": pd.array(codes, "Int64"),
                "emotion_name": pd.Series(names, dtype=object),
                "finding": pd.Series([finding] * len(rows), dtype=object),
                "group": pd.array(numbers, "Int64"),
            }
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def _count_groups(groups: dict[str, IntArray]) -> dict[str, int]:
    rows = np.concatenate(list(groups.values()))
    rows = rows[rows >= 0]
    n_groups = len(np.unique(rows))
    return {"groups": n_groups, "rows": len(rows), "extra_rows": len(rows) - n_groups}


def _count_classes(labels: IntArray | None) -> dict[str, int] | None:
    if labels is None:
        return None
    counts = np.bincount(labels, minlength=NUM_CLASSES).tolist()
    return dict(zip(FERPLUS_CLASS_NAMES, counts, strict=False))  # contempt where there is any


def _members(groups: dict[str, IntArray]) -> dict[str, IntArray]:
    """Return for each split the row numbers that are in a group."""
    return {name: np.flatnonzero(rows >= 0) for name, rows in groups.items()}


def _groups_line(what: str, counts: dict[str, int]) -> str:
    return (
        f"{counted(counts['groups'], 'group')} of {what}: {counted(counts['rows'], 'row')}, "
        f"{counts['extra_rows']:,} beyond the first of each"
    )


def _balance_line(name: str, counts: dict[str, int] | None) -> str:
    if counts is None:
        return f"{name}: no labels"
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if counts[least] == 0:
        missing = ", ".join(label for label, count in counts.items() if count == 0)
        return f"{name}: no images of {missing}"
    if counts[most] == counts[least]:
        return f"{name}: {counts[most]:,} images of each class"
    return (
        f"{name}: {counts[most] / counts[least]:.1f} times as many {most} ({counts[most]:,}) "
        f"as {least} ({counts[least]:,})"
    )
