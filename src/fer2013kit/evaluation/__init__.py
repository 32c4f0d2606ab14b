"""How good a classifier is: the report, its forms, and temperature scaling."""

from fer2013kit.evaluation._calibration import apply_temperature, fit_temperature
from fer2013kit.evaluation._report import EvaluationReport, evaluate_predictions

__all__ = ["EvaluationReport", "apply_temperature", "evaluate_predictions", "fit_temperature"]
