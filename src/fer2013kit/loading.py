"""A network by its name or its file, with the lightest reader that fits."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fer2013kit._export_metadata import PREDICTOR_ENDINGS
from fer2013kit._optional import needed
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.exceptions import (
    OTHER_MODELS,
    InvalidInputError,
    ModelFileError,
    did_you_mean,
    shown,
)
from fer2013kit.pretrained import PHOTO_NAME, list_pretrained

if TYPE_CHECKING:
    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.ensemble import EnsembleClassifier
    from fer2013kit.runtime import EmotionPredictor

_EXPORTED: Final = "Exported to .tflite or .onnx, the network needs no more than this package"


def load_predictor(
    name_or_path: str | PathLike[str] | None = None,
) -> EmotionPredictor | EmotionClassifier | EnsembleClassifier:
    """Load a bundled or saved network for prediction, in the lightest runtime that it has.

    Parameters
    ----------
    name_or_path : str or path, optional
        By default the network that names faces on photographs and videos, ``ferplus_cnn``, with
        the seven words of :class:`Emotion` alone; under its name it knows contempt, too.
        Else one of :func:`list_pretrained`, or a file of :meth:`EmotionClassifier.export`
        (``.tflite``, ``.onnx``), :meth:`EmotionClassifier.save` (``.fer``) or
        :meth:`EnsembleClassifier.save` (``.fers``).  A file of that name goes before the network
        that ships.

    Returns
    -------
    EmotionPredictor, EmotionClassifier or EnsembleClassifier
        The first, which needs no TensorFlow, for all but ``.fer`` and ``.fers``.

    Raises
    ------
    ModelFileError
        If there is neither such a file nor a network of that name, or the file is none of these.
    InvalidInputError
        For other than a name or a path.
    ChecksumError
        If a network that ships is not the one that was shipped.
    MissingDependencyError
        If what runs it is not installed.

    See Also
    --------
    EmotionClassifier.from_pretrained : A network that ships, to train it on or explain it.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.load_predictor().class_names_
    ('angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral')
    >>> fk.load_predictor("ferplus_cnn").class_names_[-1]
    'contempt'
    """
    if name_or_path is None:
        from fer2013kit.runtime import EmotionPredictor

        return EmotionPredictor.from_pretrained(PHOTO_NAME, classes=CLASS_NAMES)
    path = find_file(name_or_path)
    if path is not None and path.suffix.lower() == ".fers":
        with needed("a .fers file", otherwise=_EXPORTED):
            from fer2013kit.ensemble import EnsembleClassifier

        return EnsembleClassifier.load(path)
    if path is not None and path.suffix.lower() not in PREDICTOR_ENDINGS:
        with needed("a .fer file", otherwise=_EXPORTED):
            from fer2013kit.classifier import EmotionClassifier

        return EmotionClassifier.load(path)
    from fer2013kit.runtime import EmotionPredictor

    if path is None:
        return EmotionPredictor.from_pretrained(str(name_or_path))
    return EmotionPredictor.load(path)


def find_file(name_or_path: str | PathLike[str]) -> Path | None:
    """Return the file of that name, or None for the name of a network that ships.

    Raises
    ------
    InvalidInputError
        For other than text or a path, and for empty text, which is the folder one stands in.
    ModelFileError
        If it is neither.
    """
    if not isinstance(name_or_path, str | PathLike) or not str(name_or_path):
        raise InvalidInputError(
            f"expected a network's name or a path; received {shown(name_or_path)}"
            f"{f'; {OTHER_MODELS}' if callable(name_or_path) else ''}"
        )
    path = Path(name_or_path)
    if path.exists():
        return path
    names = list_pretrained()
    if str(name_or_path) in names:
        return None
    raise ModelFileError(
        f"{path}: no such file, and no network of that name ships with the package"
        f"{did_you_mean(path, names) or '.'} Those that do: {', '.join(names) or 'none'}"
    )
