"""tune: a search for better settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fer2013kit.cli._datasets import DataOptions, class_settings, data_options
from fer2013kit.cli._options import OUTPUT_FILE, PATH, Number, json_option, seed_option
from fer2013kit.cli._output import create_parents, print_result
from fer2013kit.cli._program import Command
from fer2013kit.cli._quiet import import_keras, start_litert
from fer2013kit.cli._train import check_architecture

if TYPE_CHECKING:
    from pathlib import Path


@click.command(cls=Command, example="tune archive.zip --storage search.db --n-trials 30")
@click.argument("data", type=PATH)
@click.option("--architecture", default="five_layer_cnn", help="A registered network.")
@click.option("--epochs", type=click.IntRange(min=1), default=20, help="Epochs of a trial.")
@click.option(
    "--scoring",
    default="accuracy",
    show_default=True,
    help="What to maximise: a score of scikit-learn, such as f1_macro or neg_log_loss.",
)
@click.option("--n-trials", type=click.IntRange(min=1), default=20, help="Trials in all.")
@click.option("--timeout", type=Number(min=0), help="Seconds after which no trial starts.")
@click.option(
    "--storage",
    type=OUTPUT_FILE,
    help="An SQLite file that keeps the trials; the same command then resumes from it.",
)
@seed_option
@data_options
@json_option
def tune(
    *,
    data: Path,
    architecture: str,
    epochs: int,
    scoring: str,
    n_trials: int,
    timeout: float | None,
    storage: Path | None,
    seed: int,
    options: DataOptions,
    as_json: bool,
) -> None:
    """Search for better settings, with Optuna.

    DATA is FER-2013 in any form, as for `fer2013kit info`; without a validation split, a tenth of
    the training split is held out.
    """
    check_architecture(architecture)
    create_parents(storage)
    loaded = options.read(data)
    import_keras()
    import fer2013kit as fk

    if loaded.validation is None:
        loaded = loaded.split_validation(0.1, random_state=seed)
    start_litert()
    found = fk.tune(
        fk.EmotionClassifier(
            architecture,
            epochs=epochs,
            verbose=0,
            random_state=seed,
            **class_settings(loaded),
        ),
        loaded,
        scoring=scoring,
        n_trials=n_trials,
        timeout=timeout,
        storage=storage,
        random_state=seed,
    )
    document = {
        "best_params": found.best_params,
        "best_value": found.best_value,
        "scoring": scoring,
        "n_trials": len(found.study.trials),
    }
    lines = [f"{name}={value!r}" for name, value in found.best_params.items()]
    text = f"validation {scoring} {found.best_value:.3f} with {', '.join(lines)}\n"
    print_result(document, text, as_json=as_json, files={"storage": storage})
