"""The networks that commands work with: a name of one that is shipped, or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from fer2013kit._quiet import quiet_stderr
from fer2013kit.cli._options import json_option
from fer2013kit.cli._output import print_result
from fer2013kit.cli._program import Command
from fer2013kit.cli._quiet import import_keras

if TYPE_CHECKING:
    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.ensemble import EnsembleClassifier
    from fer2013kit.runtime import EmotionPredictor
    from fer2013kit.typing import DetectorName

_COLUMNS: Final = {
    "name": "",
    "labels": "labels",
    "parameters": "parameters",
    "megabytes": "MB",
    "accuracy": "accuracy",
    "accuracy_ten_crops": "ten crops",
    "f1_macro": "macro F1",
    "default_of": "default of",
}


@click.command(cls=Command, example="models")
@json_option
def models(*, as_json: bool) -> None:
    """List the trained networks that ship with the package.

    Accuracy, with one pass and with ten crops, and macro F1 are those on PublicTest, by the labels
    that the network was taught; MB is the size of the file for the light runtime. Give the name to
    --model of any command.
    """
    rows = _describe_shipped()
    cells = [[*_COLUMNS.values()], *([_as_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    print_result({"models": rows}, "\n".join(lines), as_json=as_json)


def _describe_shipped() -> list[dict[str, Any]]:
    from fer2013kit.pretrained import DEFAULT_NAME, PHOTO_NAME, read_manifest

    uses = {DEFAULT_NAME: "data sets", PHOTO_NAME: "photographs"}
    rows = []
    for name, entry in sorted(read_manifest().items()):
        figures = entry["PublicTest"]
        values = (
            name,
            "FER+" if "FER+" in entry["labels"] else entry["labels"],
            entry["parameters"],
            round(entry["files"]["predictor"]["bytes"] / 1e6, 1),
            figures["one pass"]["accuracy"],
            figures["ten_crop"]["accuracy"],
            figures["one pass"]["f1_macro"],
            uses.get(name),
        )
        rows.append(dict(zip(_COLUMNS, values, strict=True)))
    return rows


def _as_cell(value: Any) -> str:
    if isinstance(value, float) and value < 1:
        return f"{value:.3f}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


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


def load_evaluated(model: str) -> EmotionClassifier | EmotionPredictor | EnsembleClassifier:
    """Return what is measured: a shipped network in its full precision, a file as it is."""
    from fer2013kit.loading import find_file

    return load_classifier(model) if find_file(model) is None else load_predictor(model)


def load_detector(name: DetectorName) -> None:
    """Load the bundled detector, without LiteRT's messages; the others load when they are used."""
    from fer2013kit.faces import FaceDetector

    if name == "yunet":
        with quiet_stderr():
            FaceDetector().load()


def load_predictor(
    model: str | None,
) -> EmotionClassifier | EmotionPredictor | EnsembleClassifier:
    """Return what predicts with a shipped, exported or saved network, without its messages."""
    import fer2013kit as fk

    with quiet_stderr():
        return fk.load_predictor(model)
