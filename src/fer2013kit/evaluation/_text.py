"""An evaluation report as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer2013kit._metrics import average_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fer2013kit.evaluation import EvaluationReport

_WIDEST_LINE = 100
_SAME_CONFIDENCE = 0.005


def format_report(report: EvaluationReport) -> str:
    """Return headline figures, the table of the classes and the confusion matrix, aligned."""
    heading = f"Evaluation of {report.n_samples:,} samples in {len(report.class_names)} classes"
    blocks = [heading, _figures(report), _class_table(report)]
    matrix = _confusion_matrix(report)
    if max(map(len, matrix.splitlines())) <= _WIDEST_LINE:
        blocks.append(matrix)
    return "\n\n".join(blocks)


def describe_confidence(report: EvaluationReport) -> str:
    """Say on which side of the accuracy the mean confidence is."""
    excess = report.mean_confidence - report.accuracy
    if abs(excess) < _SAME_CONFIDENCE:
        return "close to the accuracy"
    return "over-confident" if excess > 0 else "under-confident"


def _figures(report: EvaluationReport) -> str:
    low, high = report.accuracy_interval
    level = f"{report.confidence_level * 100:g}%"
    rows = [
        ("accuracy", report.accuracy, f"{level} Wilson interval {low:.3f} to {high:.3f}"),
        ("balanced accuracy", report.balanced_accuracy, "mean recall of the classes"),
        ("macro F1", report.f1_macro, "mean F1 of the classes"),
        ("top-2 accuracy", report.top2_accuracy, "true class among the two most probable"),
        ("loss", report.loss, "mean cross-entropy, nats"),
        (
            "calibration error",
            report.ece,
            f"mean confidence {report.mean_confidence:.3f}, {describe_confidence(report)}",
        ),
    ]
    return "\n".join(f"{name:<18}{value:>7.3f}  {remark}" for name, value, remark in rows)


def _class_table(report: EvaluationReport) -> str:
    scores = report.per_class
    averages = average_scores(report.confusion_matrix, scores)
    rows = [
        [name, *(f"{s[key]:.3f}" for key in ("precision", "recall", "f1")), f"{s['support']:,}"]
        for name, s in {**scores, **averages}.items()
    ]
    lines = _align([["class", "precision", "recall", "F1", "support"], *rows]).splitlines()
    lines.insert(1 + len(scores), "")
    return "\n".join(lines)


def _confusion_matrix(report: EvaluationReport) -> str:
    counts = report.confusion_matrix.tolist()
    rows = [
        [name, *(f"{count:,}" for count in row)]
        for name, row in zip(report.class_names, counts, strict=True)
    ]
    return _align([["true \\ predicted", *report.class_names], *rows])


def _align(rows: Sequence[Sequence[str]]) -> str:
    """Set columns side by side: the first from the left, the others from the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
