"""A search for settings with Optuna, pruned on validation and resumable."""

from fer2013kit.tuning._tune import TuningResult, tune

__all__ = ["TuningResult", "tune"]
