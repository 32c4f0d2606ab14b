"""evaluate and predict: what a saved classifier says."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import click

from fer2013kit._version import __version__
from fer2013kit.cli._data import drop_leaks
from fer2013kit.cli._models import load_classifier, load_predictor
from fer2013kit.cli._program import (
    FAILED,
    OUTPUT_FILE,
    PATH,
    faces_option,
    json_option,
    make_room,
    say,
    show,
    tta_option,
)
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from fer2013kit._arrays import UInt8Array
    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.datasets import FER2013, Split
    from fer2013kit.evaluation import EvaluationReport


@click.command()
@click.argument("model", type=PATH)
@click.argument("data", type=PATH)
@click.option(
    "--split",
    "split_name",
    type=click.Choice(["validation", "test", "train"]),
    help="What to measure on; by default validation, or test where there is none.",
)
@click.option(
    "--drop-leaks",
    "without_leaks",
    is_flag=True,
    help="Leave out pictures that the training split holds, too.",
)
@tta_option
@click.option("--report", type=OUTPUT_FILE, help="Write an HTML page with pictures.")
@faces_option
@json_option
def evaluate(
    *,
    model: Path,
    data: Path,
    split_name: str | None,
    without_leaks: bool,
    tta: str | None,
    report: Path | None,
    faces: bool,
    as_json: bool,
) -> None:
    """Measure a saved classifier on a data set.

    MODEL is a file that `fer2013kit train` wrote, or the name of a network that ships with the
    package. DATA is FER-2013 in any form, as for
    `fer2013kit info`.
    """
    from fer2013kit import load_fer2013

    make_room(report)
    loaded = load_fer2013(data)
    if without_leaks:
        loaded = drop_leaks(loaded, from_="evaluation")
    name, split = choose_split(loaded, split_name)
    classifier = load_classifier(model)
    evaluation = classifier.evaluate(*split, tta=tta)
    document = {
        "model": str(model),
        "data": str(data),
        "split": name,
        "without_leaks": without_leaks,
        "tta": tta,
        "report": None if report is None else str(report),
        **evaluation.as_dict(),
    }
    text = f"{model} on the {name} split of {data}\n\n{evaluation}"
    if report is not None:
        facts = {"data": data, "split": name, "classifier": model, "views": tta or "one"}
        facts["leaks"] = "left out" if without_leaks else "not looked for"
        write_report(report, evaluation, classifier, split if faces else None, tta=tta, facts=facts)
        text += f"\n\nreport: {report}"
    show(document, text, as_json=as_json)


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
    classifier: EmotionClassifier,
    split: Split | None,
    *,
    tta: str | None = None,
    facts: Mapping[str, object],
) -> None:
    """Write the page on an evaluation, with the training's curves and pictures of a split."""
    import numpy as np

    from fer2013kit import CLASS_NAMES

    samples = None
    if split is not None:
        images, labels = split
        names = np.array(CLASS_NAMES)[labels]
        samples = (images, names, classifier.predict_proba(images, tta=tta))
    evaluation.to_html(
        path,
        history=classifier,
        samples=samples,
        facts={**facts, "made by": f"fer2013kit {__version__}"},
    )


@click.command()
@click.argument("model", type=PATH)
@click.argument("pictures", type=PATH, nargs=-1, required=True)
@click.option(
    "--aspect",
    type=click.Choice(["crop", "stretch", "pad"]),
    default="crop",
    show_default=True,
    help="What becomes of pictures that are not square.",
)
@tta_option
@click.option("--csv", "csv_path", type=OUTPUT_FILE, help="Write all probabilities to this file.")
@json_option
def predict(
    *,
    model: Path,
    pictures: tuple[Path, ...],
    aspect: Any,
    tta: str | None,
    csv_path: Path | None,
    as_json: bool,
) -> None:
    """Name the emotion in pictures.

    MODEL is a file that `fer2013kit train` or `fer2013kit export` wrote (.tflite, .onnx), or the
    name of a network that ships with the package, such as five_layer_cnn. PICTURES are files or
    folders. They may be of any size and kind, but the face should fill them: no face is looked for.
    One that cannot be read is named and passed over, and the exit code is 1.
    """
    make_room(csv_path)
    files = find_pictures(pictures)
    classifier = load_predictor(model)
    faces, errors = read_faces(files, aspect)
    names = classifier.class_names_
    rows: list[dict[str, Any]] = []
    if faces:
        import numpy as np

        probabilities = classifier.predict_proba(np.stack(list(faces.values())), tta=tta)
        for path, row in zip(faces, probabilities.tolist(), strict=True):
            best = max(range(len(names)), key=row.__getitem__)
            rows.append(
                {
                    "picture": str(path),
                    "emotion": names[best],
                    "probability": row[best],
                    "probabilities": dict(zip(names, row, strict=True)),
                }
            )
    if csv_path is not None:
        write_csv(csv_path, names, rows)
    text = "\n".join(f"{r['picture']}: {r['emotion']} {r['probability']:.3f}" for r in rows)
    failures = [{"picture": str(path), "error": message} for path, message in errors.items()]
    show({"predictions": rows, "errors": failures}, text, as_json=as_json)
    for message in errors.values():
        say(f"fer2013kit: error: {message}")
    if errors:
        click.get_current_context().exit(FAILED)


def find_pictures(paths: Iterable[Path]) -> list[Path]:
    """Return the files, and the pictures in the folders, sorted and each once."""
    from fer2013kit.datasets._pictures import is_picture_name

    files: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            files[path] = None
            continue
        inside = sorted(
            one
            for one in path.rglob("*")
            if is_picture_name(one.name) and not one.name.startswith(".") and one.is_file()
        )
        if not inside:
            raise InvalidInputError(
                f"there is no picture in the folder {path}; name files one by one "
                "where their names do not end as those of pictures do"
            )
        files.update(dict.fromkeys(inside))
    return list(files)


def read_faces(
    files: Sequence[Path], aspect: Any
) -> tuple[dict[Path, UInt8Array], dict[Path, str]]:
    """Return the pictures as faces, and what is wrong with those that cannot be read."""
    import numpy as np
    from tqdm import tqdm

    from fer2013kit import IMAGE_SHAPE
    from fer2013kit.datasets._decode import decode_and_resize

    faces, errors = {}, {}
    for path in tqdm(files, desc="reading", unit="picture", disable=None, leave=False):
        face = np.empty(IMAGE_SHAPE, np.uint8)
        try:
            decode_and_resize(path.read_bytes(), face, aspect=aspect)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            errors[path] = f"{path}: {reason or error}"
        else:
            faces[path] = face
    return faces, errors


def write_csv(path: Path, names: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write a row for each picture: its path, emotion and the probability of each class."""
    from fer2013kit._files import write_atomically

    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["picture", "emotion", *names])
    for row in rows:
        writer.writerow([row["picture"], row["emotion"], *row["probabilities"].values()])
    write_atomically(path, table.getvalue().encode())
