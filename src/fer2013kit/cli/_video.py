"""video: the emotions of faces in a video or before a camera, over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from fer2013kit.cli._models import load_predictor
from fer2013kit.cli._program import (
    OUTPUT_FILE,
    PATH,
    json_option,
    make_room,
    quiet_stderr,
    say,
    show,
)

if TYPE_CHECKING:
    import pandas as pd

_ENDINGS: Final = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv")


@click.command()
@click.argument("source", metavar="VIDEO")
@click.option(
    "--model",
    type=PATH,
    default="five_layer_cnn",
    show_default=True,
    help="A network that ships with the package, or a file of `train` or `export`.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="Frames a second that are looked at.",
)
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds after which to stop.",
)
@click.option(
    "--smoothing",
    type=click.FloatRange(min=0, min_open=True),
    help="Average along each face's track, with this time constant in seconds.",
)
@click.option("--csv", "csv_path", type=OUTPUT_FILE, help="Write a row for each face and frame.")
@click.option("--save-annotated", "annotated", type=OUTPUT_FILE, help="Write a video with boxes.")
@click.option("--plot", "plot_path", type=OUTPUT_FILE, help="Write a figure of the longest track.")
@json_option
def video(
    *,
    source: str,
    model: Path,
    rate: float,
    duration: float | None,
    smoothing: float | None,
    csv_path: Path | None,
    annotated: Path | None,
    plot_path: Path | None,
    as_json: bool,
) -> None:
    """Follow faces and their emotions through a video.

    VIDEO is a file, or the number of a camera (0 for the first), which Ctrl-C stops.
    """
    make_room(plot_path)
    table = follow(
        int(source) if source.isdecimal() and not Path(source).exists() else Path(source),
        load_video_model(model),
        csv_path,
        annotated,
        as_json=as_json,
        sampling_rate=rate,
        duration=duration,
        smoothing=smoothing,
    )
    if plot_path is None:
        return
    if table.empty:
        say(f"fer2013kit: no face, so no figure {plot_path}")
        return
    _plot(table, plot_path)


def is_video(path: Path) -> bool:
    """Tell a video by the end of its name."""
    return path.suffix.lower() in _ENDINGS


def follow(
    source: Path | int,
    classifier: Any,
    csv_path: Path | None,
    annotated: Path | None,
    *,
    as_json: bool,
    **settings: Any,
) -> pd.DataFrame:
    """Analyse a video, write and show the answer."""
    from fer2013kit import analyze_video
    from fer2013kit._files import write_atomically

    make_room(csv_path, annotated)
    table = analyze_video(
        source, classifier=classifier, annotated=annotated, progress=True, **settings
    )
    if csv_path is not None:
        write_atomically(csv_path, table.to_csv(index=False, lineterminator="\n").encode())
    document = {
        "video": str(source),
        "annotated": None if annotated is None else str(annotated),
        "rows": table.to_dict(orient="records"),
    }
    lines = [_summary(str(source), track, rows) for track, rows in table.groupby("track")]
    show(document, "\n".join(lines) or f"{source}: no face", as_json=as_json)
    return table


def load_video_model(model: Path) -> Any:
    """Return what predicts, with the detector loaded, too, without LiteRT's messages."""
    from fer2013kit.faces import FaceDetector

    classifier = load_predictor(model)
    with quiet_stderr():
        FaceDetector().load()
    return classifier


def _summary(name: str, track: int, rows: pd.DataFrame) -> str:
    begin, end = rows["time"].iloc[0], rows["time"].iloc[-1]
    shares = rows["emotion"].value_counts(normalize=True)
    told = ", ".join(f"{emotion} {share:.0%}" for emotion, share in shares.items())
    return f"{name}: face {track}, {begin:.1f} to {end:.1f} s: {told}"


def _plot(table: pd.DataFrame, path: Path) -> None:
    import io

    from matplotlib.figure import Figure

    from fer2013kit import plot_timeline
    from fer2013kit._files import write_atomically

    figure = Figure(figsize=(9, 4), layout="constrained")
    names = list(table.columns[7:-3])
    plot_timeline(table, class_names=names, ax=figure.subplots())
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix.removeprefix(".") or "png", dpi=150)
    write_atomically(path, content.getvalue())
