"""The networks that commands work with: a name of one that is shipped, or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fer2013kit.cli._program import import_keras, quiet_stderr

if TYPE_CHECKING:
    from pathlib import Path

    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.runtime import EmotionPredictor

_EXPORTED: Final = (".onnx", ".tflite")


def load_classifier(model: Path) -> EmotionClassifier:
    """Return a shipped or saved classifier, without TensorFlow's messages."""
    import_keras()
    from fer2013kit import EmotionClassifier

    if _is_shipped(model):
        return EmotionClassifier.from_pretrained(str(model))
    return EmotionClassifier.load(model)


def load_predictor(model: Path) -> EmotionClassifier | EmotionPredictor:
    """Return what predicts with a shipped, exported or saved network, the lightest there is."""
    from fer2013kit import EmotionPredictor

    with quiet_stderr():
        if _is_shipped(model):
            return EmotionPredictor.from_pretrained(str(model))
        if model.suffix.lower() in _EXPORTED:
            return EmotionPredictor.load(model)
    return load_classifier(model)


def _is_shipped(model: Path) -> bool:
    from fer2013kit import list_pretrained

    return not model.exists() and str(model) in list_pretrained()
