"""How good a classifier is: the report, its forms, comparisons, and temperature scaling."""

from fer2013kit.evaluation._calibration import (
    apply_temperature,
    fit_temperature,
)
from fer2013kit.evaluation._calibrators import (
    Calibrator,
    apply_calibrator,
    fit_calibrator,
    read_calibrator,
    without_vector,
)
from fer2013kit.evaluation._comparison import PredictionComparison, compare_predictions
from fer2013kit.evaluation._predictions import evaluate_predictions
from fer2013kit.evaluation._refusal import risk_coverage_curve
from fer2013kit.evaluation._report import EvaluationReport
from fer2013kit.evaluation._summary import ReportSummary, summarize_reports

__all__ = [
    "Calibrator",
    "EvaluationReport",
    "PredictionComparison",
    "ReportSummary",
    "apply_calibrator",
    "apply_temperature",
    "compare_predictions",
    "evaluate_predictions",
    "fit_calibrator",
    "fit_temperature",
    "read_calibrator",
    "risk_coverage_curve",
    "summarize_reports",
    "without_vector",
]
