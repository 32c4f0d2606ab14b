"""Several trained classifiers as one: their mean answer, or the mean of their weights."""

from fer2013kit.ensemble._averaging import average_weights
from fer2013kit.ensemble._ensemble import EnsembleClassifier

__all__ = ["EnsembleClassifier", "average_weights"]
