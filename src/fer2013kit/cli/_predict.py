"""predict: the emotions of the faces in photographs and crops."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import click

from fer2013kit.cli._models import load_predictor
from fer2013kit.cli._program import (
    FAILED,
    OUTPUT_FILE,
    OUTPUT_FOLDER,
    PATH,
    json_option,
    make_room,
    quiet_stderr,
    say,
    show,
    tta_option,
)
from fer2013kit.cli._video import follow, is_video, load_video_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fer2013kit.exceptions import Fer2013KitError
    from fer2013kit.faces import FaceEmotion
    from fer2013kit.typing import TestTimeAugmentation

_BOX = ("left", "top", "width", "height")


@click.command()
@click.argument("pictures", type=PATH, nargs=-1)
@click.option(
    "--model",
    type=PATH,
    default="five_layer_cnn",
    show_default=True,
    help="A network that ships with the package, or a file of `train` or `export`.",
)
@click.option("--sample", is_flag=True, help="Take the photographs that ship with the package.")
@click.option("--crops", is_flag=True, help="The pictures are faces already: look for none.")
@click.option(
    "--aspect",
    type=click.Choice(["crop", "stretch", "pad"]),
    default="crop",
    show_default=True,
    help="With --crops: what becomes of pictures that are not square.",
)
@tta_option
@click.option("--csv", "csv_path", type=OUTPUT_FILE, help="Write a row for each face to this file.")
@click.option(
    "--save-annotated",
    "annotated",
    type=OUTPUT_FOLDER,
    help="Write the photographs with boxes and bars into this folder.",
)
@json_option
def predict(
    *,
    pictures: tuple[Path, ...],
    model: Path,
    sample: bool,
    crops: bool,
    aspect: Any,
    tta: TestTimeAugmentation | None,
    csv_path: Path | None,
    annotated: Path | None,
    as_json: bool,
) -> None:
    """Find faces in photographs and name their emotions.

    PICTURES are photographs of any size and kind, folders of them, or patterns such as
    "holiday/*.jpg". A picture of 48x48 pixels is taken for a face as it is. One that cannot be
    read is named and passed over, and the exit code is then 1. Or one video, as for
    `fer2013kit video`.
    """
    if not pictures and not sample:
        raise click.UsageError("name PICTURES, or take those that ship with --sample")
    for path in pictures:
        if path.suffix.lower() == ".fer":
            raise click.UsageError(f"{path} is a classifier: name it with --model {path}")
    if any(map(is_video, pictures)):
        if len(pictures) > 1 or sample or crops or tta:
            raise click.UsageError(
                "a video is analysed alone, without --sample, --crops and --tta; "
                "see `fer2013kit video` for what there is"
            )
        (path,) = pictures
        copy = None if annotated is None else annotated / f"{path.stem}.mp4"
        follow(path, load_video_model(model), csv_path, copy, as_json=as_json)
        return
    make_room(csv_path)
    from fer2013kit import find_photos, sample_photos

    files = find_photos(pictures) + (sample_photos() if sample else [])
    classifier = load_predictor(model)
    answers = _analyze(files, _WithViews(classifier, tta), aspect=aspect if crops else None)
    errors = {path: str(one) for path, one in answers.items() if not isinstance(one, list)}
    found = {path: one for path, one in answers.items() if isinstance(one, list)}
    saved = {} if annotated is None else save_annotated(annotated, found)
    if csv_path is not None:
        _write_csv(csv_path, classifier.class_names_, found)
    document = {
        "pictures": [
            {"picture": str(path), "faces": [face.as_dict() for face in faces]}
            | ({"annotated": str(saved[path])} if path in saved else {})
            for path, faces in found.items()
        ],
        "errors": [{"picture": str(path), "error": error} for path, error in errors.items()],
    }
    lines = [line for path, faces in found.items() for line in as_lines(path, faces)]
    show(document, "\n".join(lines), as_json=as_json)
    for error in errors.values():
        say(f"fer2013kit: error: {error}")
    if errors:
        click.get_current_context().exit(FAILED)


class _WithViews:
    """A classifier that averages over mirrored or shifted views."""

    def __init__(self, classifier: Any, tta: TestTimeAugmentation | None) -> None:
        self.classifier, self.tta = classifier, tta
        self.class_names_: tuple[str, ...] = classifier.class_names_
        self.image_shape_: tuple[int, int, int] = classifier.image_shape_

    def predict_proba(self, X: Any, /) -> Any:
        """Return the average."""
        return self.classifier.predict_proba(X, tta=self.tta)


def _analyze(
    files: Sequence[Path], classifier: _WithViews, *, aspect: Any
) -> dict[Path, list[FaceEmotion] | Fer2013KitError]:
    """Return the faces of each file, or what is wrong with it; `aspect` is for crops alone."""
    from fer2013kit.faces import FaceDetector, analyze_crops, analyze_photos

    if aspect is not None:
        answers = analyze_crops(files, classifier=classifier, aspect=aspect, progress=True)
    else:
        detector = FaceDetector()
        with quiet_stderr():
            detector.load()
        answers = analyze_photos(
            files, classifier=classifier, detector=detector, progress=True, return_errors=True
        )
    return dict(zip(files, answers, strict=True))


def as_lines(path: Path, faces: Sequence[FaceEmotion]) -> list[str]:
    """Return a line for each face, or one that says that there is none."""
    if not faces:
        return [f"{path}: no face"]
    return [
        f"{path}: {face.emotion}{'?' if face.uncertain else ''} {face.score:.3f} "
        f"(left {face.box.left}, top {face.box.top}, {face.box.width}x{face.box.height})"
        for face in faces
    ]


def _write_csv(
    path: Path, names: Sequence[str], found: Mapping[Path, Sequence[FaceEmotion]]
) -> None:
    """Write a row for each face: its picture, box and emotion, and all probabilities."""
    from fer2013kit._files import write_atomically

    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["picture", "face", *_BOX, "emotion", "score", "uncertain", *names])
    for picture, faces in found.items():
        for number, face in enumerate(faces):
            answer = [face.emotion, face.score, face.uncertain]
            writer.writerow([picture, number, *face.box, *answer, *face.probabilities.tolist()])
    write_atomically(path, table.getvalue().encode())


def save_annotated(folder: Path, found: Mapping[Path, Sequence[FaceEmotion]]) -> dict[Path, Path]:
    """Write the photographs with what was found; none under a name that another has."""
    from fer2013kit import annotate
    from fer2013kit._files import write_atomically

    folder.mkdir(parents=True, exist_ok=True)
    saved: dict[Path, Path] = {}
    taken: set[str] = set()
    for path, faces in found.items():
        name = free_name(path.stem, taken)
        saved[path] = folder / f"{name}.jpg"
        content = io.BytesIO()
        annotate(path, faces).save(content, "JPEG", quality=90)
        write_atomically(saved[path], content.getvalue())
    return saved


def free_name(stem: str, taken: set[str]) -> str:
    """Return the stem, with a number where that name is taken, and take it."""
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.casefold())
    return name
