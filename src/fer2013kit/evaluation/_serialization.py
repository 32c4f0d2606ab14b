"""An evaluation report as built-in types, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._metrics import ReliabilityBins
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fer2013kit._metrics import Counts, Float64Array
    from fer2013kit.evaluation import EvaluationReport


def report_as_dict(report: EvaluationReport) -> dict[str, Any]:
    """Return what :meth:`EvaluationReport.as_dict` returns."""
    bins = report.reliability
    return {
        "n_samples": report.n_samples,
        "n_effective": report.n_effective,
        "n_clusters": report.n_clusters,
        "loss": _number(report.loss),
        "kl_divergence": _number(report.kl_divergence),
        "expected_accuracy": _number(report.expected_accuracy),
        "accuracy": report.accuracy,
        "accuracy_interval": list(report.accuracy_interval),
        "confidence_level": report.confidence_level,
        "balanced_accuracy": report.balanced_accuracy,
        "f1_macro": report.f1_macro,
        "top2_accuracy": _number(report.top2_accuracy),
        "ece": _number(report.ece),
        "mean_confidence": _number(report.mean_confidence),
        "class_names": list(report.class_names),
        "per_class": {name: dict(scores) for name, scores in report.per_class.items()},
        "confusion_matrix": report.confusion_matrix.tolist(),
        "reliability": {
            "confidence": list(map(_number, bins["confidence"].tolist())),
            "accuracy": list(map(_number, bins["accuracy"].tolist())),
            "count": bins["count"].tolist(),
        },
        "groups": {name: report_as_dict(group) for name, group in report.groups.items()},
        "notes": list(report.notes),
    }


def fields_from_dict(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the report that :func:`report_as_dict` was called on.

    The groups stay as they are: each is such a mapping.

    Raises
    ------
    InvalidInputError
        If a value is missing, is not what it writes, or contradicts another.
    """
    try:
        bins = values["reliability"]
        size, clusters = values.get("n_effective"), values.get("n_clusters")
        fields: dict[str, Any] = {
            "confusion_matrix": _counts(values["confusion_matrix"]),
            "loss": _float(values["loss"]),
            "top2_accuracy": _float(values["top2_accuracy"]),
            "reliability": ReliabilityBins(
                confidence=_floats(bins["confidence"]),
                accuracy=_floats(bins["accuracy"]),
                count=_counts(bins["count"]),
            ),
            "class_names": tuple(values["class_names"]),
            "confidence_level": float(values["confidence_level"]),
            "n_effective": None if size is None else float(size),
            "n_clusters": None if clusters is None else int(clusters),
            "kl_divergence": _float(values.get("kl_divergence")),
            "expected_accuracy": _float(values.get("expected_accuracy")),
            "notes": tuple(map(str, values.get("notes", ()))),
            "groups": dict(values.get("groups", {})),
        }
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            "this is no evaluation report; expected the mapping that as_dict returns, "
            f"received {type(values).__name__}: {type(error).__name__} {error}"
        ) from error
    _check(fields)
    return fields


def _check(fields: Mapping[str, Any]) -> None:
    k = len(fields["class_names"])
    matrix, bins = fields["confusion_matrix"], fields["reliability"]
    count = bins["count"]
    same_bins = count.shape == bins["accuracy"].shape == bins["confidence"].shape
    # Hard labels have no bins.
    same_samples = not len(count) or np.isclose(matrix.sum(), count.sum())
    if matrix.shape != (k, k) or not (same_bins and same_samples and matrix.sum() > 0):
        raise InvalidInputError(
            f"this evaluation report contradicts itself: {k} class names, a confusion matrix "
            f"of shape {matrix.shape} that counts {matrix.sum()} samples, "
            f"and {len(count)} bins that count {count.sum()}"
        )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _floats(values: Any) -> Float64Array:
    return np.array(values, dtype=np.float64)


def _counts(values: Any) -> Counts:
    """Return whole numbers as int64, as they were counted, and weights as float64."""
    array = np.array(values, dtype=np.float64)
    weighted = any(isinstance(value, float) for value in np.array(values, dtype=object).flat)
    return array if weighted else array.astype(np.int64)
