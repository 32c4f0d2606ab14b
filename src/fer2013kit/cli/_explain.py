"""explain: what in a face speaks for its emotion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from fer2013kit.cli._models import load_classifier, load_predictor
from fer2013kit.cli._options import (
    FIGURE_ENDINGS,
    PATH,
    OutputFile,
    is_one_file,
    json_option,
    model_option,
)
from fer2013kit.cli._output import (
    create_parents,
    free_name,
    print_note,
    print_result,
    write_figure,
)
from fer2013kit.cli._pictures import check_pictures, describe_errors, exit_with, find_pictures
from fer2013kit.cli._program import Command
from fer2013kit.cli._quiet import quiet_stderr
from fer2013kit.exceptions import InvalidInputError, MediaFileError, did_you_mean
from fer2013kit.typing import ExplanationMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_EXPORTED = (".onnx", ".tflite")


@click.command(cls=Command, example="explain party.jpg -o why.png")
@click.argument("pictures", type=PATH, nargs=-1, required=True)
@model_option
@click.option(
    "-o",
    "--output",
    type=OutputFile(FIGURE_ENDINGS, or_folder=True),
    required=True,
    help="A file such as .png or .svg for one figure of all, or a folder for one of each.",
)
@click.option("--emotion", help="The emotion to explain; by default the predicted one.")
@click.option("--layer", help="Name of the layer that is looked at; by default the last map.")
@click.option(
    "--method",
    type=click.Choice(get_args(ExplanationMethod)),
    default="hires_cam",
    show_default=True,
    help="How the channels of the layer are weighted.",
)
@json_option
def explain(
    *,
    pictures: tuple[Path, ...],
    model: str,
    output: Path,
    emotion: str | None,
    layer: str | None,
    method: ExplanationMethod,
    as_json: bool,
) -> None:
    """Draw what in a face speaks for its emotion (Grad-CAM).

    PICTURES are photographs, folders of them, or patterns; a crop of a face is taken as it is.
    Emotions and scores are those of `fer2013kit predict`.
    """
    check_pictures(pictures)
    if Path(model).suffix.lower() in _EXPORTED:
        raise click.UsageError(
            f"--model {model}: an exported network has no gradients; name the file of `train` "
            "that it was made of, or a network that ships"
        )
    files, errors = find_pictures(pictures)
    create_parents(output)
    # The classifier has the gradients; the scores are those of what `predict` asks, which for
    # a network that ships is its 8-bit twin.
    classifier, predictor = load_classifier(model), load_predictor(model)
    names = classifier.class_names_
    if emotion is not None and emotion not in names:
        raise click.BadParameter(
            f"{emotion!r} is none of {', '.join(names)}{did_you_mean(emotion, names)}",
            param_hint="'--emotion'",
        )
    owners, faces, unreadable = _cut_faces(files, classifier.image_shape_)
    errors |= unreadable
    if not (owners or errors):
        raise InvalidInputError("there is no face in the pictures, so nothing to explain")
    answers: list[dict[str, Any]] = []
    if owners:
        from fer2013kit import explain

        probabilities = predictor.predict_proba(faces)
        asked = [emotion or names[best] for best in probabilities.argmax(axis=1)]
        heat = explain(classifier, faces, emotion=asked, layer=layer, method=method)
        answers = _draw_all(owners, faces, heat, asked, probabilities, names, output)
    text = "\n".join(
        f"{one['picture']}: {one['emotion']} {one['probability']:.3f}, {one['figure']}"
        for one in answers
    )
    document = {"explanations": answers, "errors": describe_errors(errors)}
    print_result(document, text, as_json=as_json)
    exit_with(errors)


def _cut_faces(
    files: Sequence[Path], shape: tuple[int, int, int]
) -> tuple[list[Path], NDArray[np.uint8], dict[Path, str]]:
    """Return whose each face is, the faces ``(n, height, width, channels)``, and what failed."""
    import numpy as np

    from fer2013kit.faces import FaceDetector
    from fer2013kit.faces._finding import find_faces
    from fer2013kit.faces._photos import read_photo

    height, width, channels = shape
    detector = FaceDetector()
    with quiet_stderr():
        detector.load()
    owners: list[Path] = []
    faces: list[NDArray[np.uint8]] = [np.empty((0, height, width), np.uint8)]
    errors: dict[Path, str] = {}
    for file in files:
        try:
            _, crops = find_faces(read_photo(file), None, detector, None, (height, width))
        except (MediaFileError, InvalidInputError) as error:
            errors[file] = str(error)
            continue
        if not crops:
            print_note(f"fer2013kit: {file}: no face")
            continue
        owners += [file] * len(crops)
        faces.append(np.stack(crops))
    return owners, np.repeat(np.concatenate(faces)[..., None], channels, axis=-1), errors


def _draw_all(  # noqa: PLR0917 - what is drawn
    owners: Sequence[Path],
    faces: NDArray[Any],
    heat: NDArray[Any],
    asked: Sequence[str],
    probabilities: NDArray[Any],
    names: tuple[str, ...],
    output: Path,
) -> list[dict[str, Any]]:
    """Write the figures; return the answer for each face."""
    answers = []
    for path, owned in _figures(list(dict.fromkeys(owners)), output).items():
        rows = [row for row, owner in enumerate(owners) if owner in owned]
        _draw(
            path,
            faces[rows],
            heat[rows],
            emotion=[asked[row] for row in rows],
            probabilities=probabilities[rows],
            class_names=names,
        )
        answers += [
            {
                "picture": str(owners[row]),
                "emotion": asked[row],
                "probability": float(probabilities[row, names.index(asked[row])]),
                "figure": str(path),
            }
            for row in rows
        ]
    return answers


def _figures(files: Sequence[Path], output: Path) -> dict[Path, list[Path]]:
    """Return which pictures go into which figure; no two figures have one name."""
    if is_one_file(output):
        return {output: list(files)}
    taken: set[str] = set()
    return {output / f"{free_name(file.stem, taken)}.png": [file] for file in files}


def _draw(path: Path, faces: NDArray[Any], heat: NDArray[Any], **captions: Any) -> None:
    """Write a figure; `captions` are those of `plot_explanation`."""
    from matplotlib.figure import Figure

    from fer2013kit import plot_explanation

    figure = Figure(figsize=(9, 1.6) if len(faces) == 1 else (9, 9), layout="constrained")
    plot_explanation(faces, heat, ax=figure.subplots(), **captions)
    write_figure(path, figure)
