"""demo: the whole way on drawn faces, offline."""

from __future__ import annotations

from pathlib import Path

import click

from fer2013kit.cli._model import write_report
from fer2013kit.cli._program import import_keras, json_option, say, seed_option, show

# Enough for four in five right, and half a minute on two cores.
N_SAMPLES = 2100
EPOCHS = 8


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("fer2013kit-demo"),
    show_default=True,
    help="Folder for the classifier and the report.",
)
@seed_option
@json_option
def demo(*, output: Path, seed: int, as_json: bool) -> None:
    """Train and evaluate on drawn faces, offline.

    Trains a little, evaluates, and writes a report page with pictures. Needs no download, no
    network, and less than two minutes on two cores.
    """
    output.mkdir(parents=True, exist_ok=True)
    say("importing Keras ...")
    import_keras()
    from fer2013kit import EmotionClassifier, make_fer2013

    data = make_fer2013(n_samples=N_SAMPLES, random_state=seed)
    say(f"drew {data!r}")
    classifier = EmotionClassifier(epochs=EPOCHS, batch_size=32, random_state=seed)
    classifier.fit(*data.train, validation_data=data.validation)
    assert data.test is not None  # noqa: S101 - make_fer2013 draws all three splits
    evaluation = classifier.evaluate(*data.test)
    model, report = output / "emotions.fer", output / "report.html"
    classifier.save(model, metrics=evaluation)
    facts = {"data": data, "split": "test", "seed": seed, "classifier": model}
    write_report(report, evaluation, classifier, data.test, facts=facts)
    document = {"model": str(model), "report": str(report), "test": evaluation.as_dict()}
    text = f"{evaluation}\n\nclassifier: {model}\nreport: {report}"
    show(document, text, as_json=as_json)
