"""predict: the emotions of the faces in photographs and crops."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, get_args

import click
from click.core import ParameterSource

from fer2013kit.cli._models import load_predictor
from fer2013kit.cli._options import (
    CSV_FILE,
    PATH,
    PICTURE_ENDINGS,
    OutputFile,
    detector_option,
    is_one_file,
    json_option,
    photo_model_option,
    photo_tta_option,
)
from fer2013kit.cli._output import (
    create_parents,
    free_name,
    one_line,
    plain_cell,
    print_note,
    print_result,
    refuse_to_overwrite,
)
from fer2013kit.cli._pictures import (
    analyze,
    check_pictures,
    describe_errors,
    exit_with,
    find_pictures,
)
from fer2013kit.cli._program import Command
from fer2013kit.typing import Aspect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fer2013kit.faces import FaceEmotion
    from fer2013kit.typing import DetectorName, PhotoViews


@click.command(cls=Command, example="predict party.jpg holiday/ --csv faces.csv")
@click.argument("pictures", type=PATH, nargs=-1)
@photo_model_option
@click.option("--sample", is_flag=True, help="Take the photographs that ship with the package.")
@click.option("--crops", is_flag=True, help="The images are faces already: look for none.")
@click.option(
    "--aspect",
    type=click.Choice(get_args(Aspect)),
    default="crop",
    show_default=True,
    help="With --crops: what becomes of images that are not square.",
)
@photo_tta_option
@detector_option
@click.option("--csv", "csv_path", type=CSV_FILE, help="Write a row for each face to this file.")
@click.option(
    "--save-annotated",
    "annotated",
    type=OutputFile(PICTURE_ENDINGS, or_folder=True),
    help="Write the photographs with boxes and bars into this folder, or one to a .jpg or .png.",
)
@json_option
def predict(
    *,
    pictures: tuple[Path, ...],
    model: str | None,
    sample: bool,
    crops: bool,
    aspect: Aspect,
    tta: PhotoViews | None,
    detector: DetectorName,
    csv_path: Path | None,
    annotated: Path | None,
    as_json: bool,
) -> None:
    """Find faces in photographs and name their emotions.

    PICTURES are photographs of any size and kind, folders of them, or patterns such as
    "holiday/*.jpg". An image of 48x48 pixels is taken for a face as it is. One that cannot be
    read, or a pattern that nothing matches, is named and skipped, and the exit code is then 1.
    """
    if not pictures and not sample:
        raise click.UsageError("name PICTURES, or take those that ship with --sample")
    check_pictures(pictures)
    _refuse_what_has_no_effect(crops=crops)
    from fer2013kit import sample_photos
    from fer2013kit.faces import photo_views

    files, errors = find_pictures([*pictures, *(sample_photos() if sample else [])])
    if annotated is not None and is_one_file(annotated) and len(files) > 1:
        raise click.UsageError(
            f"--save-annotated '{annotated}' is one file for {len(files)} images; name a folder"
        )
    refuse_to_overwrite(files, csv=csv_path, save_annotated=annotated)
    create_parents(csv_path, annotated)
    classifier = load_predictor(model)
    found, unreadable = analyze(
        files,
        classifier,
        tta=photo_views(tta, is_default=model is None),
        detector=detector,
        aspect=aspect if crops else None,
    )
    errors |= unreadable
    saved = {} if annotated is None else save_annotated(annotated, found)
    if csv_path is not None:
        _write_csv(csv_path, classifier.class_names_, found)
    document = {
        "pictures": [
            {"picture": str(path), "faces": [face.as_dict() for face in faces]}
            | ({"annotated": str(saved[path])} if path in saved else {})
            for path, faces in found.items()
        ],
        "errors": describe_errors(errors),
    }
    lines = [line for path, faces in found.items() for line in as_lines(path, faces)]
    files_written = {"csv": csv_path, "annotated": annotated if saved else None}
    print_result(document, "\n".join(lines), as_json=as_json, files=files_written)
    if found and not as_json:
        print_note(_summary(list(found.values())))
    exit_with(errors)


def _refuse_what_has_no_effect(*, crops: bool) -> None:
    """Raise a usage error for an option that the others leave without an effect."""
    name, why = ("detector", "with") if crops else ("aspect", "without")
    if click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE:
        raise click.UsageError(f"--{name} has no effect {why} --crops")


def _summary(found: Sequence[Sequence[FaceEmotion]]) -> str:
    """Say how much was found, and what the question mark behind an emotion means."""
    from fer2013kit.exceptions import counted
    from fer2013kit.faces._emotion import CERTAIN_PROBABILITY

    faces = [face for photo in found for face in photo]
    without = sum(not photo for photo in found)
    counts = [counted(len(found), "image"), counted(len(faces), "face")]
    if without:
        counts.append(f"{without} without a face")
    if uncertain := sum(face.uncertain for face in faces):
        counts.append(
            f"{uncertain} uncertain (?: less than {CERTAIN_PROBABILITY:.0%} sure, or a face that "
            "is hard to see)"
        )
    return ", ".join(counts)


def as_lines(path: Path, faces: Sequence[FaceEmotion]) -> list[str]:
    """Return a line for each face, or one that says that there is none."""
    if not faces:
        return [f"{one_line(path)}: no face"]
    return [
        f"{one_line(path)}: {face.emotion}{'?' if face.uncertain else ''} {face.score:.3f} "
        f"(left {face.box.left}, top {face.box.top}, {face.box.width}x{face.box.height})"
        f"{': ' if face.quality else ''}{', '.join(face.quality)}"
        for face in faces
    ]


def _write_csv(
    path: Path, names: Sequence[str], found: Mapping[Path, Sequence[FaceEmotion]]
) -> None:
    """Write a row for each face: its image, box and emotion, and all probabilities."""
    from fer2013kit._files import write_atomically
    from fer2013kit._frame_times import BOX

    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(
        ["picture", "face", *BOX, "emotion", "score", "uncertain", *map(plain_cell, names)]
    )
    for picture, faces in found.items():
        for number, face in enumerate(faces):
            answer = [face.emotion, face.score, face.uncertain]
            row = [str(picture), number, *face.box, *answer, *face.probabilities.tolist()]
            writer.writerow(map(plain_cell, row))
    write_atomically(path, table.getvalue().encode(errors="replace"))


def save_annotated(output: Path, found: Mapping[Path, Sequence[FaceEmotion]]) -> dict[Path, Path]:
    """Write the photographs with what was found: into a folder, or the only one to a file."""
    from PIL import Image

    from fer2013kit import annotate
    from fer2013kit._files import write_atomically

    saved: dict[Path, Path] = {}
    taken: set[str] = set()  # no two of a folder have one name
    for path, faces in found.items():
        target = output if is_one_file(output) else output / f"{free_name(path.stem, taken)}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture = annotate(path, faces)
        content = io.BytesIO()
        picture.save(content, Image.registered_extensions()[target.suffix.lower()], quality=90)
        write_atomically(target, content.getvalue())
        saved[path] = target
    return saved
