"""The images that commands work on, and what is wrong with some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fer2013kit.cli._models import load_detector
from fer2013kit.cli._output import print_error
from fer2013kit.cli._program import FAILED
from fer2013kit.exceptions import MediaFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fer2013kit.faces import PhotoFaces
    from fer2013kit.typing import Aspect, DetectorName, TestTimeAugmentation

_VIDEOS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv")


def check_pictures(paths: Sequence[Path]) -> None:
    """Raise click.UsageError for what goes another way: a video, or a classifier."""
    for path in paths:
        if path.suffix.lower() in _VIDEOS:
            raise click.UsageError(f"{path} is a video: fer2013kit video {path}")
        if path.suffix.lower() in {".fer", ".fers"}:
            raise click.UsageError(f"{path} is a classifier: name it with --model {path}")


def find_pictures(paths: Sequence[Path]) -> tuple[list[Path], dict[Path, str]]:
    """Return the files that paths, folders and patterns stand for, and what stands for none."""
    from fer2013kit.faces import find_photos
    from fer2013kit.faces._listing import each_once

    files: list[Path] = []
    errors: dict[Path, str] = {}
    for path in paths:
        try:
            files += find_photos(path)
        except MediaFileError as error:
            errors[path] = str(error)
    return each_once(files), errors


def analyze(
    files: Sequence[Path],
    classifier: Any,
    *,
    tta: TestTimeAugmentation | None = None,
    detector: DetectorName = "yunet",
    aspect: Aspect | None = None,
) -> tuple[dict[Path, PhotoFaces], dict[Path, str]]:
    """Return the faces of each file, and what is wrong with those that cannot be read.

    With an `aspect`, the images are faces already.
    """
    from fer2013kit.faces import analyze_crops, analyze_photos

    if aspect is not None:
        answers = analyze_crops(files, classifier=classifier, aspect=aspect, tta=tta, progress=True)
    else:
        load_detector(detector)
        answers = analyze_photos(
            files,
            classifier=classifier,
            detector=detector,
            tta=tta,
            progress=True,
            return_errors=True,
        )
    found: dict[Path, PhotoFaces] = {}
    errors: dict[Path, str] = {}
    for path, answer in zip(files, answers, strict=True):
        if isinstance(answer, Exception):
            errors[path] = str(answer)
        else:
            found[path] = answer
    return found, errors


def describe_errors(errors: Mapping[Path, str]) -> list[dict[str, str]]:
    """Return the errors for a JSON document."""
    return [{"picture": str(path), "error": error} for path, error in errors.items()]


def exit_with(errors: Mapping[Path, str]) -> None:
    """Print the errors, if there are any, and end the command with the code of a failed job."""
    for error in errors.values():
        print_error(f"error: {error}")
    if errors:
        click.get_current_context().exit(FAILED)
