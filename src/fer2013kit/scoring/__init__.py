"""Bulk scoring: any number of images in, parquet out, on one core or on many machines."""

from fer2013kit.scoring._report import ScoreReport
from fer2013kit.scoring._score import score
from fer2013kit.scoring._scorer import PhotoScorer

__all__ = ["PhotoScorer", "ScoreReport", "score"]
