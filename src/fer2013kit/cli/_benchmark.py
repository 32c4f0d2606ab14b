"""benchmark: several networks on the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from fer2013kit._quiet import quiet_stderr
from fer2013kit.cli._datasets import DataOptions, data_options
from fer2013kit.cli._evaluate import choose_split
from fer2013kit.cli._options import (
    FIGURE_ENDINGS,
    PATH,
    OutputFile,
    clusters_option,
    json_option,
    offer_networks,
)
from fer2013kit.cli._output import create_parents, print_result, write_figure
from fer2013kit.cli._program import Command
from fer2013kit.cli._quiet import import_keras
from fer2013kit.typing import SplitName

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    cls=Command,
    example="benchmark archive.zip --model five_layer_cnn --model mine.onnx --plot figure.png",
)
@click.argument("data", type=PATH)
@click.option(
    "--model",
    "models",
    required=True,
    multiple=True,
    metavar="NAME|FILE",
    shell_complete=offer_networks,
    help="A shipped network, a .fer, .fers, .tflite, .onnx or .keras file, or fer, deepface, "
    "emotiefflib where they are installed. May be given more than once.",
)
@click.option(
    "--split",
    "split_name",
    type=click.Choice(get_args(SplitName)),
    default="test",
    help="What to measure on.",
)
@click.option(
    "--drop-leaks/--keep-leaks",
    "without_leaks",
    default=True,
    help="Leave out images that the training split holds, too.",
)
@clusters_option
@click.option("--latency/--no-latency", default=True, help="Time one face on one core.")
@click.option(
    "--plot", type=OutputFile(FIGURE_ENDINGS), help="Draw accuracies and intervals into an image."
)
@data_options
@json_option
def benchmark(
    *,
    data: Path,
    models: tuple[str, ...],
    split_name: SplitName,
    without_leaks: bool,
    clusters: tuple[str, ...],
    latency: bool,
    plot: Path | None,
    options: DataOptions,
    as_json: bool,
) -> None:
    """Compare networks on the same images, by one protocol.

    DATA is FER-2013 in any form, as for `fer2013kit info`.
    """
    create_parents(plot)
    loaded = options.read(data)
    together = choose_split(loaded, split_name)[1].groups(*clusters) if clusters else None
    import_keras()
    import fer2013kit as fk

    with quiet_stderr():
        report = fk.benchmark(
            models,
            loaded,
            split=split_name,
            drop_leaks=without_leaks,
            latency=latency,
            clusters=together,
        )
    if plot is not None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.4, 1.4 + 0.4 * len(models)), layout="constrained")
        report.plot(ax=figure.add_subplot())
        write_figure(plot, figure)
    document = {"data": str(data), **report.as_dict()}
    print_result(document, f"{data}: {report}\n", as_json=as_json, files={"plot": plot})
