"""The networks that commands work with: a name of one that is shipped, or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer2013kit.cli._program import import_keras, quiet_stderr

if TYPE_CHECKING:
    from pathlib import Path

    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.runtime import EmotionPredictor


def load_classifier(model: Path) -> EmotionClassifier:
    """Return a shipped or saved classifier, without TensorFlow's messages."""
    from fer2013kit.loading import find_file

    path = find_file(model)
    import_keras()
    from fer2013kit import EmotionClassifier

    return (
        EmotionClassifier.from_pretrained(str(model))
        if path is None
        else (EmotionClassifier.load(path))
    )


def load_predictor(model: Path) -> EmotionClassifier | EmotionPredictor:
    """Return what predicts with a shipped, exported or saved network, without its messages."""
    import fer2013kit as fk

    with quiet_stderr():
        return fk.load_predictor(model)
