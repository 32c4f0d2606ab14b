"""evaluate: how good a classifier is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from fer2013kit._version import __version__
from fer2013kit.cli._data import drop_leaks
from fer2013kit.cli._datasets import DataOptions, data_options
from fer2013kit.cli._models import load_evaluated
from fer2013kit.cli._options import (
    OUTPUT_FILE,
    PATH,
    clusters_option,
    faces_option,
    json_option,
    model_option,
    tta_option,
)
from fer2013kit.cli._output import create_parents, print_result, refuse_to_overwrite
from fer2013kit.cli._program import Command
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.typing import SplitName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fer2013kit._prediction import ProbabilisticClassifier
    from fer2013kit.datasets import FER2013, Split
    from fer2013kit.evaluation import EvaluationReport
    from fer2013kit.typing import TestTimeAugmentation


@click.command(cls=Command, example="evaluate archive.zip --model emotions.fer --report page.html")
@click.argument("data", type=PATH)
@model_option
@click.option(
    "--split",
    "split_name",
    type=click.Choice(get_args(SplitName)),
    help="What to measure on; by default validation, or test where there is none.",
)
@click.option(
    "--drop-leaks",
    "without_leaks",
    is_flag=True,
    help="Leave out images that the training split holds, too.",
)
@clusters_option
@tta_option
@click.option("--report", type=OUTPUT_FILE, help="Write an HTML page with images.")
@faces_option
@data_options
@json_option
def evaluate(
    *,
    data: Path,
    model: str,
    split_name: str | None,
    without_leaks: bool,
    clusters: tuple[str, ...],
    tta: TestTimeAugmentation | None,
    report: Path | None,
    faces: bool,
    options: DataOptions,
    as_json: bool,
) -> None:
    """Measure a classifier on a data set.

    DATA is FER-2013 in any form, as for `fer2013kit info`.
    """
    refuse_to_overwrite([data, Path(model)], report=report)
    create_parents(report)
    loaded = options.read(data)
    leaks = "not looked for"
    if without_leaks:
        loaded, leaks = drop_leaks(loaded, side="evaluation")
    name, split = choose_split(loaded, split_name)
    together = split.groups(*clusters) if clusters else None
    classifier = load_evaluated(model)
    evaluation = classifier.evaluate(*split, tta=tta, clusters=together)
    document = {
        "model": model,
        "data": str(data),
        "split": name,
        "without_leaks": without_leaks,
        "clusters": clusters or None,
        "tta": tta,
        **evaluation.as_dict(),
    }
    text = f"{model} on the {name} split of {data}\n\n{evaluation}\n"
    if report is not None:
        facts = {"data": data, "split": name, "classifier": model, "views": tta or "one"}
        facts |= {"leaks": leaks, **options.as_facts()}
        facts |= {"clusters": ", ".join(clusters)} if clusters else {}
        write_report(report, evaluation, classifier, split if faces else None, tta=tta, facts=facts)
    print_result(document, text, as_json=as_json, files={"report": report})


def choose_split(data: FER2013, name: str | None) -> tuple[str, Split]:
    """Return the split of that name, or by default the one that evaluation is meant for."""
    names = ("validation", "test") if name is None else (name,)
    for one in names:
        if one in data.splits:
            return one, data.splits[one]
    raise InvalidInputError(
        f"{data.source} has no {' or '.join(names)} split; it has {', '.join(data.splits)}; "
        "choose one with --split"
    )


def write_report(
    path: Path,
    evaluation: EvaluationReport,
    classifier: ProbabilisticClassifier,
    split: Split | None,
    *,
    tta: TestTimeAugmentation | None = None,
    facts: Mapping[str, object],
) -> None:
    """Write the page on an evaluation: what made it, the training's curves, images of a split."""
    import numpy as np

    from fer2013kit.emotions import FERPLUS_CLASS_NAMES

    samples = None
    if split is not None:
        images, labels = split
        names = np.array(FERPLUS_CLASS_NAMES)[labels]
        samples = (images, names, classifier.predict_proba(images, tta=tta))
    evaluation.to_html(
        path,
        classifier=classifier,
        samples=samples,
        facts={**facts, "made by": f"fer2013kit {__version__}"},
    )
