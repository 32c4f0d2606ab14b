"""The networks that commands work with: a name of one that is shipped, or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer2013kit.cli._quiet import import_keras, quiet_stderr

if TYPE_CHECKING:
    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.runtime import EmotionPredictor


def load_classifier(model: str) -> EmotionClassifier:
    """Return a shipped or saved classifier, without TensorFlow's messages."""
    from fer2013kit.loading import find_file

    path = find_file(model)
    import_keras()
    from fer2013kit import EmotionClassifier

    return EmotionClassifier.load(path) if path else EmotionClassifier.from_pretrained(model)


def load_predictor(model: str) -> EmotionClassifier | EmotionPredictor:
    """Return what predicts with a shipped, exported or saved network, without its messages."""
    import fer2013kit as fk

    with quiet_stderr():
        return fk.load_predictor(model)
