"""How good a classifier is: the report, its forms, comparisons, and temperature scaling."""

from fer2013kit.evaluation._calibration import (
    SAME_PICTURES,
    CalibrationSource,
    apply_temperature,
    calibration_source,
    fit_temperature,
)
from fer2013kit.evaluation._comparison import PredictionComparison, compare_predictions
from fer2013kit.evaluation._predictions import evaluate_predictions
from fer2013kit.evaluation._refusal import risk_coverage_curve
from fer2013kit.evaluation._report import EvaluationReport
from fer2013kit.evaluation._summary import ReportSummary, summarize_reports

__all__ = [
    "SAME_PICTURES",
    "CalibrationSource",
    "EvaluationReport",
    "PredictionComparison",
    "ReportSummary",
    "apply_temperature",
    "calibration_source",
    "compare_predictions",
    "evaluate_predictions",
    "fit_temperature",
    "risk_coverage_curve",
    "summarize_reports",
]
