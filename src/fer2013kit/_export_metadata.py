"""What an exported file knows about itself, and where each format keeps it.

``.tflite`` and ``.keras`` carry a zip of two members, ``fer2013kit.json`` and ``labels.txt``; in a
``.tflite`` it stands behind the network, where LiteRT's own tools look for associated files, so
``unzip -p emotions.tflite labels.txt`` works.  ``.onnx`` holds the same JSON in its
``metadata_props``, and a SavedModel in the folder ``assets.extra``.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._version import __version__
from fer2013kit.exceptions import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from fer2013kit.typing import Quantization

FORMAT_VERSION: Final = 1
METADATA_NAME: Final = "fer2013kit.json"
LABELS_NAME: Final = "labels.txt"
INPUT_NAME: Final = "images"

EXPORT_ENDINGS: Final = (".onnx", ".tflite", ".keras", "")
"""Of the paths that a classifier is exported to; without one, it becomes a SavedModel's folder."""

PREDICTOR_ENDINGS: Final = (".tflite", ".onnx")
"""Of the exported files that EmotionPredictor reads."""

ENDINGS_IN_WORDS: Final = (
    f"end in {', '.join(EXPORT_ENDINGS[:-2])} or {EXPORT_ENDINGS[-2]}, or have no ending for the "
    "folder of a SavedModel"
)


@dataclass(frozen=True, kw_only=True)
class ExportMetadata:
    """What is needed beside the network to read its answers.

    Parameters
    ----------
    classes : list
        Labels in the order of the network's columns.
    classes_dtype : str
        Their NumPy dtype.
    class_names : list of str
        The same for people.
    image_shape : list of int
        Height, width and channels.
    value_range : list of float
        Range of pictures given as floats.
    temperature : float
        The calibration that is already part of the network.
    quantization : str or None
        How the weights are stored.
    metrics : dict or None
        Figures that were kept with the classifier.
    format : int
        Version of this list.
    fer2013kit : str
        Version of the package that wrote it.
    input : str
        What the network takes, for people.
    output : str
        What it gives.
    """

    classes: list[Any]
    classes_dtype: str
    class_names: list[str]
    image_shape: list[int]
    value_range: list[float]
    temperature: float
    quantization: Quantization | None
    metrics: Mapping[str, Any] | None
    format: int = FORMAT_VERSION
    fer2013kit: str = __version__
    input: str = "uint8 grey levels 0 to 255, (n, height, width, channels)"
    output: str = "calibrated probabilities, (n, classes)"

    def labels(self) -> NDArray[Any]:
        """Return the labels as the classifier's ``classes_``."""
        return np.asarray(self.classes, self.classes_dtype)

    def members(self) -> dict[str, str]:
        """Return the two texts that go with the network, by their names."""
        return {
            METADATA_NAME: json.dumps(asdict(self), indent=2, sort_keys=True, allow_nan=False),
            LABELS_NAME: "".join(f"{name}\n" for name in self.class_names),
        }


def parse_metadata(text: str | bytes, source: object) -> ExportMetadata:
    """Read what :meth:`ExportMetadata.members` wrote.

    Raises
    ------
    ModelFileError
        If it is of a newer format or lacks something.
    """
    try:
        found = json.loads(text)
        if found["format"] > FORMAT_VERSION:
            raise ModelFileError(
                f"{source} was exported by fer2013kit {found['fer2013kit']} in format "
                f"{found['format']}; this version reads format {FORMAT_VERSION}: upgrade it"
            )
        return ExportMetadata(**{field.name: found[field.name] for field in fields(ExportMetadata)})
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{source}: its {METADATA_NAME} lacks or garbles {error}") from error


def append_members(network: bytes, metadata: ExportMetadata) -> bytes:
    """Return a file's content with the zip of the metadata behind it, or in it if it is a zip."""
    content = io.BytesIO(network)
    with zipfile.ZipFile(content, "a") as archive:
        for name, text in metadata.members().items():
            # A fixed date: the same classifier gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name), text)
    return content.getvalue()


def write_members(folder: Path, metadata: ExportMetadata) -> None:
    """Write the metadata into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in metadata.members().items():
        (folder / name).write_text(text, encoding="utf-8")


def metadata_of_tflite(content: bytes, source: object) -> ExportMetadata:
    """Read the metadata behind the network of a ``.tflite``.

    Raises
    ------
    ModelFileError
        If there is none.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            text = archive.read(METADATA_NAME)
    except (zipfile.BadZipFile, KeyError) as error:
        raise not_exported(source) from error
    return parse_metadata(text, source)


def not_exported(source: object) -> ModelFileError:
    """Return the error for a network that says nothing about itself."""
    return ModelFileError(
        f"{source} is damaged or was not written by EmotionClassifier.export: it does not say "
        "which pictures it takes and which classes it knows. Export the classifier again"
    )
