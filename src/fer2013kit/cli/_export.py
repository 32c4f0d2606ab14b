"""export: a classifier as a file for other programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, get_args

import click

from fer2013kit._quiet import quiet_stderr
from fer2013kit.cli._datasets import DataOptions, data_options
from fer2013kit.cli._models import load_classifier
from fer2013kit.cli._options import PATH, Number, json_option, trained_model_option
from fer2013kit.cli._output import create_parents, print_result
from fer2013kit.cli._program import Command
from fer2013kit.typing import Quantization

if TYPE_CHECKING:
    from pathlib import Path


_REPRESENTATIVE = 500
_QUANTIZED = ".tflite"


@click.command(
    cls=Command,
    example="export emotions.onnx --model emotions.fer",
    names={
        "path": "OUTPUT",
        "Leave quantization out, pass images of the kind it is for as images, "
        "or allow more with tolerance": "Leave out --quantization, pass images of the kind it "
        "is for with --data, or allow more with --tolerance",
    },
)
@click.argument("output", type=PATH)
@trained_model_option
@click.option(
    "--quantization",
    type=click.Choice(get_args(Quantization)),
    help="8-bit weights, for .tflite: a quarter of the size, and faster. int8 needs --data.",
)
@click.option(
    "--data", type=PATH, help="FER-2013 in any form: images of its training split for the check."
)
@click.option(
    "--tolerance", type=Number(min=0), help="Largest difference allowed in a probability."
)
@data_options
@json_option
def export(
    *,
    output: Path,
    model: str,
    quantization: Quantization | None,
    data: Path | None,
    tolerance: float | None,
    options: DataOptions,
    as_json: bool,
) -> None:
    """Write a classifier for ONNX Runtime, LiteRT or Keras.

    OUTPUT ends in .onnx, .tflite or .keras; without an ending it becomes the folder of a
    TensorFlow SavedModel. What is written is compared with the classifier first.
    """
    _check_output(output, quantization, has_data=data is not None)
    create_parents(output)
    images = None
    if data is not None:
        pictures = options.read(data).train.images
        images = pictures[:: max(1, len(pictures) // _REPRESENTATIVE)]
    classifier = load_classifier(model)
    with quiet_stderr():
        report = classifier.export(
            output, quantization=quantization, images=images, tolerance=tolerance
        )
    document = asdict(report)
    del document["path"]
    text = f"{model} as {report}"  # the network is the default where none was asked for
    print_result(document, text, as_json=as_json, files={"network": report.path})


def _check_output(output: Path, quantization: Quantization | None, *, has_data: bool) -> None:
    from fer2013kit._export_metadata import ENDINGS_IN_WORDS, EXPORT_ENDINGS

    suffix = output.suffix.lower()
    if suffix not in EXPORT_ENDINGS:
        raise click.BadParameter(f"'{output}' must {ENDINGS_IN_WORDS}.", param_hint="'OUTPUT'")
    if quantization is not None and suffix != _QUANTIZED:
        raise click.UsageError(f"--quantization is for {_QUANTIZED} alone; received '{output}'")
    if quantization == "int8" and not has_data:
        raise click.UsageError("--quantization int8 needs --data, images to fit its ranges to")
