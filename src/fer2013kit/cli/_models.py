"""The networks that commands work with: a name of one that is shipped, or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fer2013kit.cli._program import import_keras, quiet_stderr
from fer2013kit.exceptions import ModelFileError, did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.runtime import EmotionPredictor

_EXPORTED: Final = (".onnx", ".tflite")


def load_classifier(model: Path) -> EmotionClassifier:
    """Return a shipped or saved classifier, without TensorFlow's messages."""
    shipped = _is_shipped(model)
    import_keras()
    from fer2013kit import EmotionClassifier

    if shipped:
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
    """Tell whether it is a network's name and no file; it has to be one of them."""
    from fer2013kit import list_pretrained

    if model.exists():
        return False
    names = list_pretrained()
    if str(model) in names:
        return True
    raise ModelFileError(
        f"{model}: no such file, and no network of that name ships with the package"
        f"{did_you_mean(str(model), names) or '.'} Those that do: {', '.join(names) or 'none'}"
    )
