"""explain: what in a face speaks for its emotion."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import click

from fer2013kit.cli._models import load_classifier
from fer2013kit.cli._predict import free_name
from fer2013kit.cli._program import PATH, json_option, make_room, quiet_stderr, say, show
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fer2013kit.typing import ExplanationMethod


@click.command()
@click.argument("classifier", type=PATH)
@click.argument("pictures", type=PATH, nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=PATH,
    required=True,
    help="A file that ends in .png for one figure of all, or a folder for a figure of each.",
)
@click.option("--emotion", help="The emotion to explain; by default the predicted one.")
@click.option("--layer", help="Name of the layer that is looked at; by default the last map.")
@click.option(
    "--method",
    type=click.Choice(["hires_cam", "grad_cam"]),
    default="hires_cam",
    show_default=True,
    help="How the channels of the layer are weighted.",
)
@json_option
def explain(
    *,
    classifier: Path,
    pictures: tuple[Path, ...],
    output: Path,
    emotion: str | None,
    layer: str | None,
    method: ExplanationMethod,
    as_json: bool,
) -> None:
    """Draw what in a face speaks for its emotion (Grad-CAM).

    CLASSIFIER is a network that ships with the package, or a file that `fer2013kit train` wrote.
    PICTURES are photographs, folders of them, or patterns; a crop of a face is taken as it is.
    """
    from fer2013kit import find_photos

    files = find_photos(pictures)
    make_room(output)
    network = load_classifier(classifier)
    owners, faces = _cut_faces(files, network.image_shape_)
    from fer2013kit import explain

    probabilities = network.predict_proba(faces)
    names = network.class_names_
    asked = [emotion or names[best] for best in probabilities.argmax(axis=1)]
    heat = explain(network, faces, emotion=asked, layer=layer, method=method)
    answers: list[dict[str, Any]] = []
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
    text = "\n".join(
        f"{one['picture']}: {one['emotion']} {one['probability']:.3f}, {one['figure']}"
        for one in answers
    )
    show({"explanations": answers}, text, as_json=as_json)


def _cut_faces(
    files: Sequence[Path], shape: tuple[int, int, int]
) -> tuple[list[Path], NDArray[np.uint8]]:
    """Return the faces of all photographs, ``(n, height, width, channels)``, and whose each is."""
    import numpy as np

    from fer2013kit.faces import FaceDetector
    from fer2013kit.faces._finding import find_faces
    from fer2013kit.faces._photos import read_photo

    height, width, channels = shape
    detector = FaceDetector()
    with quiet_stderr():
        detector.load()
    owners: list[Path] = []
    faces: list[NDArray[np.uint8]] = []
    for file in files:
        _, crops = find_faces(read_photo(file), None, detector, None, (height, width))
        owners += [file] * len(crops)
        faces += crops
        if not crops:
            say(f"fer2013kit: {file}: no face")
    if not faces:
        raise InvalidInputError("there is no face in the pictures, so nothing to explain")
    return owners, np.repeat(np.stack(faces)[..., None], channels, axis=-1)


def _figures(files: Sequence[Path], output: Path) -> dict[Path, list[Path]]:
    """Return which pictures go into which figure; no two figures have one name."""
    if output.suffix.lower() == ".png":
        return {output: list(files)}
    taken: set[str] = set()
    return {output / f"{free_name(file.stem, taken)}.png": [file] for file in files}


def _draw(path: Path, faces: NDArray[Any], heat: NDArray[Any], **captions: Any) -> None:
    """Write a figure; `captions` are those of `plot_explanation`."""
    from matplotlib.figure import Figure

    from fer2013kit import plot_explanation
    from fer2013kit._files import write_atomically

    figure = Figure(figsize=(9, 1.6) if len(faces) == 1 else (9, 9), layout="constrained")
    plot_explanation(faces, heat, ax=figure.subplots(), **captions)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150, bbox_inches="tight")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue())
