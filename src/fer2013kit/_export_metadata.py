"""What an exported file knows about itself, and where each format keeps it.

``.tflite`` and ``.keras`` carry a zip of two members, ``fer2013kit.json`` and ``labels.txt``; in a
``.tflite`` it stands behind the network, where LiteRT's own tools look for associated files, so
``unzip -p emotions.tflite labels.txt`` works.  ``.onnx`` holds the same JSON in its
``metadata_props``, and a SavedModel in the folder ``assets.extra``.

What EmotionPredictor reads carries a seal, the SHA-256 of all bytes before it: a damaged network
makes its runtime crash, where Python catches nothing.  It is no signature: who makes such a file
can make its seal.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from fer2013kit._calibration_source import read_calibration_source
from fer2013kit._checks import or_none
from fer2013kit._untrusted import (
    are_labels,
    are_words,
    check_facts,
    errors_as,
    is_count,
    is_image_shape,
    is_mapping,
    is_positive,
    is_range,
    is_text,
    read_facts,
    read_labels,
    read_member,
)
from fer2013kit._version import __version__
from fer2013kit.exceptions import OTHER_MODELS, InvalidInputError, ModelFileError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from fer2013kit._calibration_source import CalibrationSource
    from fer2013kit.evaluation import Calibrator
    from fer2013kit.typing import Quantization

FORMAT_VERSION: Final = 1
METADATA_NAME: Final = "fer2013kit.json"
LABELS_NAME: Final = "labels.txt"
INPUT_NAME: Final = "images"

_DIGEST: Final = 64
_ZIP_SEAL: Final = b"sha256 "
_ONNX_SEAL: Final = b"\x72\x4a" + b"\x0a\x06sha256" + b"\x12\x40"
"""Field 14 of an ONNX model, one of its ``metadata_props``: a key, and a value of 64 bytes."""

EXPORT_ENDINGS: Final = (".onnx", ".tflite", ".keras", "")
"""Of the paths that a classifier is exported to; without one, it becomes a SavedModel's folder."""

OTHER_FORMATS: Final = (".keras", ".h5", ".hdf5", ".onnx", ".tflite")
"""What other programs would take for their own is no name of a ``.fer`` or ``.fers``."""

PREDICTOR_ENDINGS: Final = (".tflite", ".onnx")
"""Of the exported files that EmotionPredictor reads."""

ENDINGS_IN_WORDS: Final = (
    f"end in {', '.join(EXPORT_ENDINGS[:-2])} or {EXPORT_ENDINGS[-2]}, or have no ending for the "
    "folder of a SavedModel"
)


def check_own_ending(path: Path, ending: str) -> None:
    """Raise :class:`InvalidInputError` where other programs would take what is saved for theirs."""
    if path.suffix.lower() in OTHER_FORMATS:
        raise InvalidInputError(
            f"path must not end in {path.suffix!r}, which other programs would take for their own "
            f"format; received {str(path)!r}: save writes a {ending}, export writes .keras, .onnx "
            "and .tflite"
        )


@dataclass(frozen=True, kw_only=True)
class ExportMetadata:
    """What is needed beside the network to read its answers.

    Classes and their words stand in the order of its columns; ``value_range`` is that of images
    given as floats; the temperature, or the ``calibrator`` instead of it, is part of the network
    already, and ``calibration`` is what it was fitted on.  ``format`` is the version of this list,
    ``fer2013kit`` that of the package that wrote it; input and output are said for people.
    """

    classes: list[Any]
    classes_dtype: str
    class_names: list[str]
    image_shape: list[int]
    value_range: list[float]
    temperature: float
    quantization: Quantization | None
    metrics: Mapping[str, Any] | None
    calibration: CalibrationSource | None
    calibrator: Calibrator | None = None
    format: int = FORMAT_VERSION
    fer2013kit: str = __version__
    input: str = "uint8 grey levels 0 to 255, (n, height, width, channels)"
    output: str = "calibrated probabilities, (n, classes)"

    def labels(self) -> NDArray[Any]:
        """Return the labels as the classifier's ``classes_``."""
        return read_labels(self.classes, self.classes_dtype)

    def members(self) -> dict[str, str]:
        """Return the two texts that go with the network, by their names."""
        return {
            METADATA_NAME: json.dumps(asdict(self), indent=2, sort_keys=True, allow_nan=False),
            LABELS_NAME: "".join(f"{name}\n" for name in self.class_names),
        }


_FACTS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "classes": are_labels,
    "classes_dtype": is_text,
    "class_names": are_words,
    "image_shape": is_image_shape,
    "value_range": is_range,
    "temperature": is_positive,
    "metrics": or_none(is_mapping),
}


def parse_metadata(text: str | bytes, source: object) -> ExportMetadata:
    """Read what :meth:`ExportMetadata.members` wrote.

    Raises
    ------
    ModelFileError
        If it is of a newer format or lacks something.
    """
    with errors_as(
        lambda why: ModelFileError(f"{source}: its {METADATA_NAME} lacks or garbles {why}")
    ):
        found = read_facts(text)
        check_facts(found, {"format": is_count})
        if found["format"] > FORMAT_VERSION:
            raise ModelFileError(
                f"{source} was exported by fer2013kit {shown(found.get('fer2013kit'))} in format "
                f"{found['format']}; this version reads format {FORMAT_VERSION}: upgrade it"
            )
        check_facts(found, _FACTS)
        found["calibration"] = read_calibration_source(found.get("calibration"))
        found.setdefault("calibrator", None)
        metadata = ExportMetadata(
            **{field.name: found[field.name] for field in fields(ExportMetadata)}
        )
        if len(metadata.labels()) != len(metadata.class_names):
            raise ValueError("class_names, of which there is not one for each class")
    return metadata


def append_members(network: bytes, metadata: ExportMetadata) -> bytes:
    """Return a file's content with the zip of the metadata behind it, or in it if it is a zip."""
    content = io.BytesIO(network)
    with zipfile.ZipFile(content, "a") as archive:
        for name, text in metadata.members().items():
            # A fixed date: the same classifier gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name), text)
    return content.getvalue()


def seal(content: bytes, suffix: str) -> bytes:
    """Return a network with its metadata, and the seal behind them that its ending asks for."""
    digest = hashlib.sha256(content).hexdigest().encode()
    if suffix == ".onnx":  # read by others as one more of its metadata_props
        return content + _ONNX_SEAL + digest
    with_seal = io.BytesIO(content)
    with zipfile.ZipFile(with_seal, "a") as archive:
        archive.comment = _ZIP_SEAL + digest
    return with_seal.getvalue()


def check_seal(content: bytes, source: object) -> None:
    """Raise :class:`ModelFileError` unless a file is as :func:`seal` left it."""
    body, digest = content[:-_DIGEST], content[-_DIGEST:]
    if body.endswith(_ONNX_SEAL):
        body = body.removesuffix(_ONNX_SEAL)
    elif body.endswith(_ZIP_SEAL):  # an archive's comment, and its length before it
        body = body.removesuffix(_ZIP_SEAL)[:-2] + b"\0\0"
    else:
        raise not_exported(source)
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ModelFileError(
            f"{source} is damaged, or was changed after EmotionClassifier.export wrote it: its "
            "SHA-256 does not fit. Export the classifier again"
        )


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
    with (
        errors_as(lambda _: not_exported(source)),
        zipfile.ZipFile(io.BytesIO(content)) as archive,
    ):
        text = read_member(archive, METADATA_NAME)
    return parse_metadata(text, source)


def not_exported(source: object) -> ModelFileError:
    """Return the error for a network that says nothing about itself."""
    return ModelFileError(
        f"{source} is damaged or was not written by EmotionClassifier.export: it does not say "
        "which images it takes and which classes it knows. Export the classifier again; "
        f"{OTHER_MODELS}"
    )
