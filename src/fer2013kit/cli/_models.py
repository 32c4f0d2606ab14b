"""The networks that commands work with: a name of one that is shipped, or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer2013kit.cli._quiet import import_keras, quiet_stderr

if TYPE_CHECKING:
    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.runtime import EmotionPredictor


def load_classifier(model: str | None) -> EmotionClassifier:
    """Return a shipped or saved classifier, by default that for photographs.

    TensorFlow's messages are left out.
    """
    from fer2013kit.loading import find_file
    from fer2013kit.pretrained import PHOTO_NAME

    model = model or PHOTO_NAME
    path = find_file(model)
    import_keras()
    from fer2013kit import EmotionClassifier

    return EmotionClassifier.load(path) if path else EmotionClassifier.from_pretrained(model)


def load_predictor(model: str | None) -> EmotionClassifier | EmotionPredictor:
    """Return what predicts with a shipped, exported or saved network, without its messages."""
    import fer2013kit as fk

    with quiet_stderr():
        return fk.load_predictor(model)
