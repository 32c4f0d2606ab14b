"""EmotionClassifier and its inner parts."""

from fer2013kit.classifier._classifier import EmotionClassifier

__all__ = ["EmotionClassifier"]
