"""score: the faces of any number of images, into parquet."""

from __future__ import annotations

from dataclasses import asdict
from typing import get_args

import click

from fer2013kit.cli._options import json_option, photo_model_option, photo_tta_option
from fer2013kit.cli._output import print_result
from fer2013kit.cli._program import Command
from fer2013kit.typing import PhotoViews, ScoreEngine


@click.command(cls=Command, example="score photos/ scores/ --workers 8")
@click.argument("src")
@click.argument("dst")
@photo_model_option
@click.option("--crops", is_flag=True, help="The images are faces already: look for none.")
@photo_tta_option
@click.option(
    "--part-size",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Images in a part, which is one file of DST.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes, or Ray actors, that run in parallel.",
)
@click.option(
    "--engine",
    type=click.Choice(get_args(ScoreEngine)),
    default="processes",
    show_default=True,
    help="What runs the work: processes on this machine, or a Ray cluster.",
)
@json_option
def score(
    *,
    src: str,
    dst: str,
    model: str | None,
    crops: bool,
    tta: PhotoViews | None,
    part_size: int,
    workers: int,
    engine: ScoreEngine,
    as_json: bool,
) -> None:
    """Name the emotions of any number of images.

    SRC is a folder or one file: images, zips, tars, parquet; DST a folder for parquet files. Both
    may be any path that fsspec knows, such as s3://bucket/photos. The same command resumes one that
    was stopped. An image that cannot be read becomes a row with an error.
    """
    import fer2013kit as fk

    report = fk.score(
        src,
        dst,
        classifier=model,
        crops=crops,
        tta=tta,
        part_size=part_size,
        workers=workers,
        engine=engine,
        progress=True,
    )
    document = asdict(report)
    print_result(document, f"{report}\nscores: {dst}", as_json=as_json)
