"""video: the emotions of faces in a video or before a camera, over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer2013kit.cli._models import load_detector, load_predictor
from fer2013kit.cli._options import (
    CSV_FILE,
    FIGURE_ENDINGS,
    VIDEO_ENDINGS,
    Number,
    OutputFile,
    detector_option,
    json_option,
    photo_model_option,
)
from fer2013kit.cli._output import (
    create_parents,
    print_note,
    print_result,
    refuse_to_overwrite,
    write_figure,
    write_table,
)
from fer2013kit.cli._program import Command

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from fer2013kit.typing import DetectorName

_POSITIVE = Number(min=0, min_open=True)


@click.command(
    cls=Command,
    example="video talk.mp4 --csv rows.csv --plot timeline.png",
    names={"sampling_rate": "--rate"},
)
@click.argument("source", metavar="VIDEO")
@photo_model_option
@detector_option
@click.option(
    "--rate",
    type=_POSITIVE,
    default=5.0,
    show_default=True,
    help="Frames per second to analyse.",
)
@click.option(
    "--duration",
    type=_POSITIVE,
    help="Seconds after which to stop.",
)
@click.option(
    "--smoothing",
    type=Number(min=0),
    default=1.5,
    show_default=True,
    help="Average along each face's track, with this time constant in seconds; 0 for none.",
)
@click.option("--csv", "csv_path", type=CSV_FILE, help="Write a row for each face and frame.")
@click.option(
    "--save-annotated",
    "annotated",
    type=OutputFile(VIDEO_ENDINGS),
    help="Write a video with boxes.",
)
@click.option(
    "--plot", "plot_path", type=OutputFile(FIGURE_ENDINGS), help="Plot the longest track."
)
@json_option
def video(
    *,
    source: str,
    model: str | None,
    detector: DetectorName,
    rate: float,
    duration: float | None,
    smoothing: float,
    csv_path: Path | None,
    annotated: Path | None,
    plot_path: Path | None,
    as_json: bool,
) -> None:
    """Follow faces and their emotions through a video.

    VIDEO is a file, or the number of a camera (0 for the first), which Ctrl-C stops.
    """
    refuse_to_overwrite([Path(source)], csv=csv_path, save_annotated=annotated, plot=plot_path)
    create_parents(csv_path, annotated, plot_path)
    from fer2013kit import analyze_video, summarize_video
    from fer2013kit.faces import photo_views

    classifier = load_predictor(model)
    load_detector(detector)
    table = analyze_video(
        int(source) if source.isdecimal() and not Path(source).exists() else Path(source),
        classifier=classifier,
        detector=detector,
        tta=photo_views("auto", is_default=model is None),
        sampling_rate=rate,
        duration=duration,
        smoothing=smoothing or None,
        annotated=annotated,
        progress=True,
    )
    if csv_path is not None:
        write_table(csv_path, table)
    if plot_path is not None and table.empty:
        print_note(f"fer2013kit: no face, so no figure {plot_path}")
        plot_path = None
    if plot_path is not None:
        _plot(table, plot_path)
    people = summarize_video(table).people.to_dict(orient="records")
    classes = table["emotion"].unique()
    document = {"video": source, "people": people, "rows": table.to_dict(orient="records")}
    lines = [_summary(source, one, classes) for one in people]
    print_result(
        document,
        "\n".join(lines) or f"{source}: no face",
        as_json=as_json,
        files={"csv": csv_path, "annotated": annotated, "plot": plot_path},
    )


def _summary(name: str, person: dict[str, Any], classes: Iterable[str]) -> str:
    shares = sorted(((person[one], one) for one in classes if person[one] > 0), reverse=True)
    emotions = ", ".join(f"{emotion} {share:.0%}" for share, emotion in shares)
    begin, end = person["begin"], person["end"]
    return f"{name}: face {person['track']}, {begin:.1f} to {end:.1f} s: {emotions}"


def _plot(table: pd.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    from fer2013kit import plot_timeline

    figure = Figure(figsize=(9, 4), layout="constrained")
    plot_timeline(table, ax=figure.subplots())
    write_figure(path, figure)
