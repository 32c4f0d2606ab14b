"""demo: the whole way on drawn faces, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fer2013kit._quiet import quiet_stderr
from fer2013kit.cli._evaluate import write_report
from fer2013kit.cli._options import OUTPUT_FOLDER, json_option, seed_option
from fer2013kit.cli._output import print_note, print_result
from fer2013kit.cli._predict import as_lines, save_annotated
from fer2013kit.cli._program import Command
from fer2013kit.cli._quiet import import_keras, start_litert

if TYPE_CHECKING:
    from pathlib import Path

    from fer2013kit.faces import FaceEmotion

# Enough for four in five right.
N_SAMPLES = 2100
EPOCHS = 8
_NEXT = """
Next:
  {report} in a browser: the evaluation, with figures
  fer2013kit predict party.jpg --save-annotated drawn    a photograph of yours
  fer2013kit serve                                       the same in the browser, with the camera
  fer2013kit train archive.zip -o emotions.fer           on FER-2013, which you download from
      https://www.kaggle.com/datasets/msambare/fer2013 and leave zipped"""


@click.command(cls=Command, example="demo -o tried")
@click.option(
    "-o",
    "--output",
    type=OUTPUT_FOLDER,
    default="fer2013kit-demo",
    show_default=True,
    help="Folder for the classifier and the report.",
)
@seed_option
@json_option
def demo(*, output: Path, seed: int, as_json: bool) -> None:
    """Train and evaluate on drawn faces, offline.

    Trains a little, evaluates, and writes a report page with images. Needs no download, no
    network, and one to three minutes on two cores. Ends with two photographs, whose faces it
    finds and names with the network that ships with the package.
    """
    output.mkdir(parents=True, exist_ok=True)
    print_note("importing Keras ...")
    import_keras()
    from fer2013kit import EmotionClassifier, make_fer2013

    data = make_fer2013(n_samples=N_SAMPLES, random_state=seed)
    print_note(f"drew {data!r}")
    classifier = EmotionClassifier(epochs=EPOCHS, batch_size=32, random_state=seed)
    start_litert()
    classifier.fit(*data.train, validation_data=data.validation)
    assert data.test is not None  # noqa: S101 - make_fer2013 draws all three splits
    evaluation = classifier.evaluate(*data.test)
    model, report = output / "emotions.fer", output / "report.html"
    classifier.save(model, metrics=evaluation)
    facts = {"data": data, "split": "test", "seed": seed, "classifier": model}
    write_report(report, evaluation, classifier, data.test, facts=facts)
    found = _analyze_photographs()
    drawn = save_annotated(output / "photographs", found)
    document = {
        "test": evaluation.as_dict(),
        "photographs": [
            {
                "picture": str(path),
                "annotated": str(drawn[path]),
                "faces": [face.as_dict() for face in faces],
            }
            for path, faces in found.items()
        ],
    }
    lines = [line for path, faces in found.items() for line in as_lines(drawn[path], faces)]
    photographs = "photographs, by the network that ships:\n" + "\n".join(lines)
    text = f"{evaluation}\n\n{photographs}\n"
    files = {"classifier": model, "report": report}
    print_result(document, text, as_json=as_json, files=files)
    if not as_json:
        print_note(_NEXT.format(report=report))


def _analyze_photographs() -> dict[Path, list[FaceEmotion]]:
    """Return the faces on the photographs that ship with the package."""
    from fer2013kit import analyze_photos, sample_photos

    paths = sample_photos()
    with quiet_stderr():
        return dict(zip(paths, analyze_photos(paths), strict=True))
