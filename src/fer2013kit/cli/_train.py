"""train: from a data set to a saved, evaluated classifier."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import click

from fer2013kit.cli._data import drop_leaks
from fer2013kit.cli._datasets import DataOptions, class_settings, data_options
from fer2013kit.cli._evaluate import write_report
from fer2013kit.cli._models import load_classifier
from fer2013kit.cli._options import (
    CLASSIFIER_FILE,
    OUTPUT_FILE,
    OUTPUT_FOLDER,
    PATH,
    Assignment,
    Network,
    Number,
    faces_option,
    json_option,
    offer,
    seed_option,
)
from fer2013kit.cli._output import (
    create_parents,
    print_note,
    print_result,
    refuse_to_overwrite,
)
from fer2013kit.cli._program import Command
from fer2013kit.cli._quiet import import_keras, start_litert
from fer2013kit.exceptions import did_you_mean
from fer2013kit.typing import ClassWeightMethod, ComputeDtype, Loss

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.datasets import FER2013

_DEFAULT = "five_layer_cnn"


def _offer_architectures(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from fer2013kit.models import list_models

    return offer(list_models())(ctx, param, incomplete)


@click.command(
    cls=Command,
    example="train archive.zip -o emotions.fer --report page.html",
    names={
        "model": "--architecture",
        "model_params": "--param",
        "restore_best_weights": "--keep-best",
        "random_state": "--seed",
        "fraction": "--validation-fraction",
    },
    context_settings={"show_default": True},
)
@click.argument("data", type=PATH)
@click.option(
    "-o", "--output", type=CLASSIFIER_FILE, required=True, help="Where to save it, usually .fer."
)
@click.option("--report", type=OUTPUT_FILE, help="Write an HTML page on the validation split.")
@faces_option
@click.option(
    "--architecture",
    default=_DEFAULT,
    shell_complete=_offer_architectures,
    help="A name that `fer2013kit info` lists.",
)
@click.option(
    "--param",
    "model_params",
    type=Assignment(),
    multiple=True,
    help="A parameter of the architecture, for instance dense_units=64; may be given again.",
)
@click.option(
    "--start",
    type=Network(),
    metavar="NAME|FILE",
    help="Continue from a trained classifier, with its architecture.",
)
@click.option(
    "--freeze", help="Layers that stay as they are: convolutions, or up to a layer's name."
)
@click.option(
    "--epochs", type=click.IntRange(min=1), default=60, help="Passes over the training set."
)
@click.option("--batch-size", type=click.IntRange(min=1), default=128, help="Images per step.")
@click.option("--learning-rate", type=Number(min=0), default=0.05, help="Its peak value.")
@click.option(
    "--loss", type=click.Choice(get_args(Loss)), default="crossentropy", help="Loss function."
)
@click.option(
    "--label-smoothing", type=Number(0, 0.999), default=0.1, help="Share given to all classes."
)
@click.option(
    "--class-weight",
    type=click.Choice(get_args(ClassWeightMethod)),
    help="Weight classes by their rarity.",
)
@click.option("--augment/--no-augment", default=True, help="Turn, shift, zoom, mirror images.")
@click.option("--mixup", type=Number(min=0), default=0.0, help="Alpha of mixup; 0 for none.")
@click.option("--cutmix", type=Number(min=0), default=0.0, help="Alpha of CutMix; 0 for none.")
@click.option(
    "--calm-epochs", type=click.IntRange(min=0), default=0, help="Last epochs at half augmentation."
)
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    help="Stop after so many epochs without a better one.",
)
@click.option("--keep-best", is_flag=True, help="Keep the best epoch's weights, not the last's.")
@click.option("--calibrate", is_flag=True, help="Fit a temperature on the validation split.")
@click.option(
    "--compute-dtype",
    type=click.Choice(get_args(ComputeDtype)),
    default="auto",
    help="auto takes bfloat16 where the CPU is faster with it.",
)
@click.option(
    "--checkpoint-dir",
    type=OUTPUT_FOLDER,
    help="Keep the state of every epoch here; the same command then resumes from it.",
)
@click.option(
    "--drop-leaks",
    "without_leaks",
    is_flag=True,
    help="Leave out training images that validation or test hold, too.",
)
@click.option(
    "--validation-fraction",
    type=Number(0, 1, max_open=True),
    default=0.1,
    help="Part of the training split to hold out where there is no validation split; 0 for none.",
)
@data_options
@seed_option
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@json_option
def train(
    *,
    data: Path,
    output: Path,
    report: Path | None,
    faces: bool,
    architecture: str,
    model_params: tuple[tuple[str, Any], ...],
    start: str | None,
    without_leaks: bool,
    validation_fraction: float,
    options: DataOptions,
    calibrate: bool,
    keep_best: bool,
    seed: int,
    quiet: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train, evaluate and save a classifier.

    It trains on the training split of DATA and is evaluated on the validation split. DATA is
    FER-2013 in any form, as for `fer2013kit info`.
    """
    check_architecture(architecture)
    if start is not None and (architecture != _DEFAULT or model_params):
        raise click.UsageError("--start brings its architecture; leave --architecture and --param")
    refuse_to_overwrite([data], output=output)
    refuse_to_overwrite([data, output], report=report)
    create_parents(output, report)
    loaded = options.read(data)
    prepared, preparation = _prepare(
        loaded, without_leaks=without_leaks, fraction=validation_fraction, seed=seed
    )
    if prepared.validation is None and (calibrate or report is not None):
        raise click.UsageError(
            "--calibrate and --report need a validation split; set --validation-fraction"
        )
    classifier = _untrained(architecture, model_params) if start is None else load_classifier(start)
    classifier.set_params(
        **settings,
        **class_settings(loaded),
        warm_start=start is not None,
        restore_best_weights=keep_best,
        random_state=seed,
        verbose=0 if quiet else "auto",
    )
    start_litert()
    try:
        classifier.fit(*prepared.train, validation_data=prepared.validation)
    except KeyboardInterrupt:
        if settings["checkpoint_dir"] is None:
            raise
        raise KeyboardInterrupt("run the same command again to resume") from None
    classifier.save(output)  # before anything else can go wrong
    document: dict[str, Any] = {
        "compute_dtype": classifier.compute_dtype_,
        "history": classifier.history_,
        "validation": None,
    }
    text = ""
    if prepared.validation is not None:
        if calibrate:
            classifier.calibrate(*prepared.validation)
        evaluation = classifier.evaluate(*prepared.validation)
        classifier.save(output, metrics=evaluation)
        document["validation"] = evaluation.as_dict()
        text = f"{evaluation}\n"
        if report is not None:
            facts = {"data": data, "split": "validation", "seed": seed, "classifier": output}
            facts |= {**preparation, **options.as_facts()}
            shown = prepared.validation if faces else None
            write_report(report, evaluation, classifier, shown, facts=facts)
    files = {"classifier": output, "report": report}
    print_result(document, text, as_json=as_json, files=files)


def _untrained(architecture: str, model_params: tuple[tuple[str, Any], ...]) -> EmotionClassifier:
    import_keras()
    from fer2013kit import EmotionClassifier

    return EmotionClassifier(architecture, model_params=dict(model_params) or None)


def check_architecture(name: str) -> None:
    """Raise a usage error for the name of an architecture that is not registered."""
    if name == _DEFAULT:
        return
    import_keras()
    from fer2013kit import list_models

    known = list_models()
    if name not in known:
        raise click.BadParameter(
            f"unknown architecture {name!r}{did_you_mean(name, known) or '.'} "
            f"Known: {', '.join(known)}. One of your own is registered by a module that "
            "`fer2013kit --plugin MODULE train` imports.",
            param_hint="'--architecture'",
        )


def _prepare(
    data: FER2013, *, without_leaks: bool, fraction: float, seed: int
) -> tuple[FER2013, dict[str, str]]:
    """Return the data to train on, with a validation split where one can be had, and how."""
    facts = {"leaks": "not looked for", "validation split": "that of the data"}
    if data.validation is None and fraction:
        data = data.split_validation(fraction, random_state=seed)
        facts["validation split"] = f"{fraction:g} of train, by the seed"
        print_note(f"no validation split: held out {fraction:g} of the training split")
    if without_leaks:
        data, facts["leaks"] = drop_leaks(data, side="train")
    if data.validation is not None and data.validation.labels is None:
        data = replace(data, validation=None)
    return data, facts
