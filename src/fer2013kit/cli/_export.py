"""export: a classifier as a file for other programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fer2013kit.cli._models import load_classifier
from fer2013kit.cli._program import PATH, json_option, make_room, quiet_stderr, show

if TYPE_CHECKING:
    from pathlib import Path

    from fer2013kit.typing import Quantization

_REPRESENTATIVE = 500


@click.command()
@click.argument("model", type=PATH)
@click.argument("output", type=PATH)
@click.option(
    "--quantization",
    type=click.Choice(["dynamic", "int8"]),
    help="8-bit weights, for .tflite: a quarter of the size, and faster. int8 needs --data.",
)
@click.option(
    "--data", type=PATH, help="FER-2013 in any form: pictures of its training split for the check."
)
@click.option("--tolerance", type=float, help="Largest difference of a probability let through.")
@json_option
def export(
    *,
    model: Path,
    output: Path,
    quantization: Quantization | None,
    data: Path | None,
    tolerance: float | None,
    as_json: bool,
) -> None:
    """Write a classifier for ONNX Runtime, LiteRT or Keras.

    MODEL is a file that `fer2013kit train` wrote, or the name of a network that ships with the
    package. OUTPUT ends in .onnx, .tflite or .keras; without an ending it becomes the folder of
    a TensorFlow SavedModel. What is written is compared with the classifier first.
    """
    make_room(output)
    images = None
    if data is not None:
        from fer2013kit import load_fer2013

        pictures = load_fer2013(data).train.images
        images = pictures[:: max(1, len(pictures) // _REPRESENTATIVE)]
    classifier = load_classifier(model)
    with quiet_stderr():
        report = classifier.export(
            output, quantization=quantization, images=images, tolerance=tolerance
        )
    show({**asdict(report), "path": str(report.path)}, str(report), as_json=as_json)
