"""Data sets as arguments of commands, own labels and sizes included."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from fer2013kit.cli._output import print_error
from fer2013kit.exceptions import DatasetFormatError, did_you_mean
from fer2013kit.typing import LabelScheme

if TYPE_CHECKING:
    from collections.abc import Callable

    from fer2013kit.datasets import FER2013
    from fer2013kit.typing import LabelMap


class _Labels(click.ParamType):  # type: ignore[type-arg]  # generic in new versions alone
    """The name of a data set, NAME=EMOTION, or a JSON file of them."""

    name = "labels"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a dictionary, or the name of a data set."""
        if value in get_args(LabelScheme):
            return value
        label, is_pair, emotion = str(value).rpartition("=")
        labels = {label: emotion or None} if is_pair else self._read(Path(value), param, ctx)
        try:
            return {label: _emotion(word) for label, word in labels.items()}
        except ValueError as error:
            self.fail(f"{value}: {error}", param, ctx)

    def _read(
        self, path: Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any]:
        try:
            labels = json.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            self.fail(
                f"'{path}': expected NAME=EMOTION, a JSON file ({error.strerror}) or one of "
                f"{', '.join(get_args(LabelScheme))}.",
                param,
                ctx,
            )
        except ValueError as error:
            self.fail(f"'{path}' is no JSON file: {error}.", param, ctx)
        if not isinstance(labels, dict):
            self.fail(f"""'{path}' must hold an object such as {{"joy": "happy"}}.""", param, ctx)
        return labels


def _emotion(word: object) -> str | int | None:
    """Return what a label is mapped to: a name, a code, or None; ValueError for anything else."""
    from fer2013kit.emotions import CLASS_NAMES, FERPLUS_CLASS_NAMES, emotion_code

    if word is None:
        return None
    text = str(word)
    if not isinstance(word, bool) and text.isdecimal() and int(text) < len(CLASS_NAMES):
        return int(text)
    if isinstance(word, str) and (word in FERPLUS_CLASS_NAMES or emotion_code(word) is not None):
        return word
    raise ValueError(
        f"{text[:80]!r} is no emotion{did_you_mean(text, FERPLUS_CLASS_NAMES) or '.'} Expected one "
        f"of {', '.join(FERPLUS_CLASS_NAMES)}, a code from 0 to {len(CLASS_NAMES) - 1}, or nothing "
        "to leave the class out."
    )


def _merge(ctx: click.Context, param: click.Parameter, values: tuple[Any, ...]) -> LabelMap | None:
    if any(isinstance(labels, str) for labels in values):
        if len(values) > 1:
            raise click.BadParameter("the name of a data set stands alone.", ctx, param)
        scheme: LabelScheme = values[0]
        return scheme
    merged: dict[str | int, str | int | None] = {}
    for labels in values:
        for label, emotion in labels.items():
            if merged.setdefault(label, emotion) != emotion:
                raise click.BadParameter(f"{label!r} is mapped to two emotions.", ctx, param)
    return merged or None


@dataclass(frozen=True)
class DataOptions:
    """What the options of data sets say."""

    label_map: LabelMap | None
    resize: bool
    contempt: bool

    def read(self, path: Path) -> FER2013:
        """Return a data set in any form; folders of classes without splits are for training."""
        from fer2013kit import FER2013, load_fer2013, load_image_folder

        labels: Any = {"label_map": self.label_map, "contempt": self.contempt}
        try:
            return load_fer2013(path, **labels, resize=self.resize)
        except DatasetFormatError:
            if not self._has_class_folders(path):
                raise
        faces = load_image_folder(path, **labels)
        print_error(f"note: {path} has no splits: all {len(faces):,} images are for training")
        return FER2013(train=faces, source=str(path))

    def as_facts(self) -> dict[str, object]:
        """Return what a report says of them."""
        return {
            "label map": self.label_map or "none",
            "contempt": "an eighth class" if self.contempt else "left out",
            "resize": self.resize,
        }

    def _has_class_folders(self, path: Path) -> bool:
        from fer2013kit.emotions import FERPLUS_CLASS_NAMES, emotion_code

        if isinstance(self.label_map, str):  # the names of the images may tell the class
            return path.is_dir()
        known = {*(self.label_map or {}), *(FERPLUS_CLASS_NAMES[-1:] if self.contempt else ())}
        return path.is_dir() and any(
            folder.is_dir() and (folder.name in known or emotion_code(folder.name) is not None)
            for folder in path.iterdir()
        )


def class_settings(data: FER2013) -> dict[str, Any]:
    """Return the classifier's settings for a data set's classes; without contempt it finds them."""
    from fer2013kit.emotions import NUM_CLASSES

    names = data.class_names
    return {"class_names": names} if len(names) > NUM_CLASSES else {}


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for data sets with labels and sizes of their own.

    It takes them as one argument, ``options``.
    """

    @functools.wraps(command)
    def with_options(
        *, label_map: LabelMap | None, resize: bool, contempt: bool, **others: Any
    ) -> Any:
        return command(options=DataOptions(label_map, resize, contempt), **others)

    decorators = (
        click.option(
            "--label-map",
            type=_Labels(),
            metavar="NAME=EMOTION|JSON|SET",
            multiple=True,
            callback=_merge,
            help="What a class of the data means, such as joy=happy or 0=angry; NAME= leaves it "
            "out. May be given more than once, or be a JSON file, or the name of a data set: "
            f"{', '.join(get_args(LabelScheme))}.",
        ),
        click.option(
            "--contempt", is_flag=True, help="Keep contempt as an eighth class; else leave it out."
        ),
        click.option(
            "--resize", is_flag=True, help="Read images of any size, and make them 48x48."
        ),
    )
    decorated: Callable[..., Any] = with_options
    for decorator in reversed(decorators):
        decorated = decorator(decorated)
    return decorated
