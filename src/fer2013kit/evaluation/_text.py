"""An evaluation report as tables of strings, and as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit._metrics import average_scores
from fer2013kit.evaluation._tables import as_text, count_text

if TYPE_CHECKING:
    from fer2013kit.evaluation import EvaluationReport
    from fer2013kit.evaluation._tables import Rows

_WIDEST_LINE: Final = 100
_SAME_CONFIDENCE: Final = 0.005


def report_tables(report: EvaluationReport) -> dict[str, Rows]:
    """Return the figures, the classes, the confusion matrix, and the groups if there are some."""
    figures = [[name, f"{value:.3f}", remark] for name, value, remark in headline(report)]
    tables = {
        "figures": [["figure", "value", ""], *figures],
        "classes": class_rows(report),
        "confusion_matrix": _matrix_rows(report),
    }
    if report.groups:
        tables["groups"] = group_rows(report)
    return tables


def format_report(report: EvaluationReport) -> str:
    """Return headline figures, the table of the classes and the confusion matrix, aligned."""
    heading = f"Evaluation of {report.n_samples:,} samples in {len(report.class_names)} classes"
    figures = [f"{name:<18}{value:>7.3f}  {remark}" for name, value, remark in headline(report)]
    classes = as_text(class_rows(report)).splitlines()
    classes.insert(1 + len(report.class_names), "")
    blocks = [heading, *report.notes, "\n".join(figures), "\n".join(classes)]
    matrix = as_text(_matrix_rows(report))
    if max(map(len, matrix.splitlines())) <= _WIDEST_LINE:
        blocks.append(matrix)
    if report.groups:
        blocks += [as_text(group_rows(report)), describe_gap(report)]
    return "\n\n".join(filter(None, blocks))


def headline(report: EvaluationReport) -> list[tuple[str, float, str]]:
    """Return each headline figure with its name and a remark; without those that are NaN."""
    confidence = f"mean confidence {report.mean_confidence:.3f}, {describe_confidence(report)}"
    rows = [
        ("accuracy", report.accuracy, describe_interval(report, ".3f")),
        ("balanced accuracy", report.balanced_accuracy, "mean recall of the classes"),
        ("macro F1", report.f1_macro, "mean F1 of the classes"),
        ("top-2 accuracy", report.top2_accuracy, "true class among the two most probable"),
        ("expected accuracy", report.expected_accuracy, "mean share of votes for the answer"),
        ("loss", report.loss, "mean cross-entropy, nats"),
        ("KL divergence", report.kl_divergence, "loss without the entropy of the votes, nats"),
        ("calibration error", report.ece, confidence),
    ]
    return [row for row in rows if not np.isnan(row[1])]


def describe_interval(report: EvaluationReport, form: str) -> str:
    """Return the accuracy's interval in words, its ends in the form of a format string."""
    low, high = report.accuracy_interval
    clusters = "" if report.n_clusters is None else f", {report.n_clusters:,} clusters"
    level = f"{report.confidence_level * 100:g}%"
    return f"{level} Wilson interval {low:{form}} to {high:{form}}{clusters}"


def describe_confidence(report: EvaluationReport) -> str:
    """Say on which side of the accuracy the mean confidence is."""
    excess = report.mean_confidence - report.accuracy
    if abs(excess) < _SAME_CONFIDENCE:
        return "close to the accuracy"
    return "over-confident" if excess > 0 else "under-confident"


def describe_gap(report: EvaluationReport) -> str:
    """Say which groups are farthest apart; nothing where there is but one."""
    gap = report.largest_gap
    if gap is None:
        return ""
    low, high = (100 * end for end in gap.interval)
    return (
        f"largest gap: {100 * gap.difference:.1f} points of accuracy between {gap.best} and "
        f"{gap.worst} ({report.confidence_level * 100:g}% interval {low:.1f} to {high:.1f})"
    )


def class_rows(report: EvaluationReport) -> Rows:
    """Return the scores of the classes, then their averages."""
    scores = report.per_class
    averages = average_scores(report.confusion_matrix, scores)
    return [
        ["class", "precision", "recall", "F1", "support"],
        *(
            [
                name,
                f"{s['precision']:.3f}",
                f"{s['recall']:.3f}",
                f"{s['f1']:.3f}",
                count_text(s["support"]),
            ]
            for name, s in {**scores, **averages}.items()
        ),
    ]


def group_rows(report: EvaluationReport) -> Rows:
    """Return the figures of the groups."""
    level = f"{report.confidence_level * 100:g}%"
    rows = [["group", "samples", "accuracy", f"{level} interval", "balanced accuracy", "macro F1"]]
    for name, one in report.groups.items():
        low, high = one.accuracy_interval
        figures = (one.accuracy, one.balanced_accuracy, one.f1_macro)
        accuracy, *others = (f"{figure:.3f}" for figure in figures)
        rows.append([name, f"{one.n_samples:,}", accuracy, f"{low:.3f} to {high:.3f}", *others])
    return rows


def _matrix_rows(report: EvaluationReport) -> Rows:
    counts = report.confusion_matrix.tolist()
    return [
        ["true \\ predicted", *report.class_names],
        *(
            [name, *map(count_text, row)]
            for name, row in zip(report.class_names, counts, strict=True)
        ),
    ]
