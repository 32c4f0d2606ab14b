"""explain: which parts of a face support the prediction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from fer2013kit.cli._models import load_classifier, load_predictor
from fer2013kit.cli._options import (
    FIGURE_ENDINGS,
    PATH,
    OutputFile,
    explained_model_option,
    is_one_file,
    json_option,
    offer,
)
from fer2013kit.cli._output import (
    create_parents,
    free_name,
    one_line,
    print_error,
    print_result,
    refuse_to_overwrite,
    write_figure,
)
from fer2013kit.cli._pictures import (
    analyze,
    check_pictures,
    describe_errors,
    exit_with,
    find_pictures,
)
from fer2013kit.cli._program import Command
from fer2013kit.emotions import FERPLUS_CLASS_NAMES
from fer2013kit.exceptions import InvalidInputError, did_you_mean
from fer2013kit.typing import ExplanationMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.faces import FaceEmotion


@click.command(cls=Command, example="explain party.jpg -o why.png")
@click.argument("pictures", type=PATH, nargs=-1, required=True)
@explained_model_option
@click.option(
    "-o",
    "--output",
    type=OutputFile(FIGURE_ENDINGS, or_folder=True),
    required=True,
    help="A file such as .png or .svg for one figure of all, or a folder for one of each.",
)
@click.option(
    "--emotion",
    shell_complete=offer(FERPLUS_CLASS_NAMES),
    help="The emotion to explain; by default the predicted one.",
)
@click.option("--layer", help="Name of the layer to explain; by default the last feature map.")
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
    model: str | None,
    output: Path,
    emotion: str | None,
    layer: str | None,
    method: ExplanationMethod,
    as_json: bool,
) -> None:
    """Draw which parts of a face support the prediction.

    PICTURES are photographs, folders of them, or patterns; a crop of a face is taken as it is.
    Emotions and scores are those of `fer2013kit predict`.
    """
    check_pictures(pictures)
    from fer2013kit._export_metadata import PREDICTOR_ENDINGS
    from fer2013kit.faces import photo_views

    if model and Path(model).suffix.lower() in PREDICTOR_ENDINGS:
        raise click.UsageError(
            f"--model {model}: an exported network has no gradients; name the file of `train` "
            "that it was made of, or a network that ships"
        )
    files, errors = find_pictures(pictures)
    refuse_to_overwrite(files, output=output)
    create_parents(output)
    # The classifier has the gradients; the scores are those of what `predict` asks, which for
    # a network that ships is its 8-bit twin.
    classifier, predictor = load_classifier(model), load_predictor(model)
    names = predictor.class_names_
    if emotion is not None and emotion not in names:
        raise click.BadParameter(
            f"{emotion!r} is none of {', '.join(names)}{did_you_mean(emotion, names)}",
            param_hint="'--emotion'",
        )
    views = photo_views("auto", is_default=model is None)
    found, unreadable = analyze(files, predictor, tta=views)
    errors |= unreadable
    for path, on_it in found.items():
        if not on_it:
            print_error(f"{path}: no face")
    faces = [(path, face) for path, on_it in found.items() for face in on_it]
    if not (faces or errors):
        raise InvalidInputError("there is no face in the images, so nothing to explain")
    asked = [emotion or face.emotion for _, face in faces]
    heat = _heat(classifier, [face.crop for _, face in faces], asked, layer=layer, method=method)
    answers: list[dict[str, Any]] = []
    for figure, rows in _figures([path for path, _ in faces], output).items():
        _draw(figure, [faces[row][1] for row in rows], heat[rows], [asked[row] for row in rows])
        answers += [
            {
                "picture": str(faces[row][0]),
                "emotion": asked[row],
                "probability": float(faces[row][1].probabilities[names.index(asked[row])]),
                "figure": str(figure),
            }
            for row in rows
        ]
    text = "\n".join(
        f"{one_line(one['picture'])}: {one['emotion']} {one['probability']:.3f}, "
        f"{one_line(one['figure'])}"
        for one in answers
    )
    document = {"explanations": answers, "errors": describe_errors(errors)}
    print_result(document, text, as_json=as_json)
    exit_with(errors)


def _heat(
    classifier: EmotionClassifier,
    crops: Sequence[NDArray[np.uint8]],
    asked: Sequence[str],
    **settings: Any,
) -> NDArray[np.float32]:
    """Return the heat (n, height, width) of faces (height, width)."""
    import numpy as np

    from fer2013kit import explain

    if not crops:
        return np.empty((0, *classifier.image_shape_[:2]), np.float32)
    channels = classifier.image_shape_[2]
    faces = np.repeat(np.stack(crops)[..., np.newaxis], channels, axis=-1)
    return explain(classifier, faces, emotion=asked, **settings)


def _figures(owners: Sequence[Path], output: Path) -> dict[Path, list[int]]:
    """Return which faces, whose images are given, go into which figure; no two have one name."""
    if is_one_file(output):
        return {output: list(range(len(owners)))} if owners else {}
    taken: set[str] = set()
    figures: dict[Path, list[int]] = {}
    for picture in dict.fromkeys(owners):
        rows = [row for row, owner in enumerate(owners) if owner == picture]
        figures[output / f"{free_name(picture.stem, taken)}.png"] = rows
    return figures


def _draw(
    path: Path, faces: Sequence[FaceEmotion], heat: NDArray[np.float32], asked: Sequence[str]
) -> None:
    """Write a figure of some faces and of what supports the emotions that are asked."""
    import numpy as np
    from matplotlib.figure import Figure

    from fer2013kit import plot_explanation

    figure = Figure(figsize=(9, 1.6) if len(faces) == 1 else (9, 9), layout="constrained")
    plot_explanation(
        np.stack([face.crop for face in faces]),
        heat,
        emotion=asked,
        probabilities=np.stack([face.probabilities for face in faces]),
        class_names=faces[0].class_names,
        ax=figure.subplots(),
    )
    write_figure(path, figure)
