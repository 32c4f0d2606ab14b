"""Options and types of options that several commands share."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click
from click.shell_completion import CompletionItem

from fer2013kit.exceptions import InvalidInputError, ModelFileError
from fer2013kit.pretrained import DEFAULT_NAME, PHOTO_NAME
from fer2013kit.typing import DetectorName, PhotoViews, TestTimeAugmentation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from click.decorators import FC

PICTURE_ENDINGS: Final = (".jpg", ".jpeg", ".png", ".webp")
FIGURE_ENDINGS: Final = (*PICTURE_ENDINGS, ".svg", ".pdf")
VIDEO_ENDINGS: Final = (".mp4", ".mkv", ".mov")


class Number(click.FloatRange):
    """A number in a range, and neither infinite nor NaN."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number.", param, ctx)
        return number


class LocalPath(click.Path):
    """A path on this machine; an empty one, as of a variable that is not set, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        from fer2013kit._files import as_path

        try:
            as_path(value)
        except InvalidInputError as error:
            self.fail(f"{error}.", param, ctx)
        return super().convert(value, param, ctx)


PATH: Final = LocalPath(path_type=Path)
OUTPUT_FILE: Final = LocalPath(path_type=Path, dir_okay=False, writable=True)
OUTPUT_FOLDER: Final = LocalPath(path_type=Path, file_okay=False)


class _ClassifierFile(LocalPath):
    """A file for a classifier, which is not named as another format's is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        from fer2013kit._export_metadata import OTHER_FORMATS

        path = Path(super().convert(value, param, ctx))
        if path.suffix.lower() in OTHER_FORMATS:
            self.fail(
                f"'{path}' is named as another format's file; name a .fer, of which "
                "`fer2013kit export` makes others.",
                param,
                ctx,
            )
        return path


CLASSIFIER_FILE: Final = _ClassifierFile(path_type=Path, dir_okay=False, writable=True)


class OutputFile(LocalPath):
    """A file to write, whose ending says how; or a folder where its name has no ending."""

    def __init__(self, endings: Sequence[str], *, or_folder: bool = False) -> None:
        super().__init__(path_type=Path, dir_okay=or_folder, writable=True)
        self.endings, self.or_folder = tuple(endings), or_folder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; nothing is created yet."""
        path = Path(super().convert(value, param, ctx))
        if self.or_folder and (path.is_dir() or not path.suffix):
            if path.is_file():
                self.fail(f"'{path}' is a file; name a folder.", param, ctx)
        elif path.suffix.lower() not in self.endings:
            folder = ", or be a folder's name" if self.or_folder else ""
            self.fail(f"'{path}' must end in {', '.join(self.endings)}{folder}.", param, ctx)
        return path


CSV_FILE: Final = OutputFile((".csv", ".txt"))
"""A shell makes photographs of ``--csv *.jpg``, the first of which is not to be written over."""


def is_one_file(path: Path) -> bool:
    """Tell a file to write from a folder: by what is there, or else by its name's ending."""
    return bool(path.suffix) and not path.is_dir()


class Assignment(click.ParamType):  # type: ignore[type-arg]  # generic in new versions alone
    """``NAME=VALUE``: a value of Python's (a number, a tuple, None), or else a word."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name and the value."""
        if isinstance(value, tuple):
            return value
        name, equals, text = value.partition("=")
        if not name.isidentifier() or not equals:
            self.fail(f"'{value}' must be NAME=VALUE, for instance units=(1, 1).", param, ctx)
        try:
            return name, ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return name, text


class Network(click.ParamType):  # type: ignore[type-arg]  # generic in new versions alone
    """The name of a network that ships with the package, or a file."""

    name = "network"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name or the path as it was given."""
        from fer2013kit.loading import find_file

        try:
            find_file(value)
        except (InvalidInputError, ModelFileError) as error:
            self.fail(str(error), param, ctx)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the networks that ship, and files."""
        return offer_networks(ctx, param, incomplete)


def offer_networks(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the networks that ship, and files."""
    from fer2013kit.pretrained import list_pretrained

    names = offer(list_pretrained())(ctx, param, incomplete)
    return [*names, CompletionItem(incomplete, type="file")]


def offer(
    names: Iterable[str],
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return how the shell completes one of some names."""
    return lambda _ctx, _param, incomplete: [
        CompletionItem(name) for name in names if name.startswith(incomplete)
    ]


def _model_option(text: str, **settings: Any) -> Callable[[FC], FC]:
    text = f"A network that ships with the package, or a file of `train`{text}"
    return click.option("--model", type=Network(), metavar="NAME|FILE", help=text, **settings)


_FOR_PHOTOS: Final = (
    f"; by default {PHOTO_NAME} with the seven words of FER-2013 (under its name it says contempt, "
    "too)."
)
model_option = _model_option(" or `export`.", default=DEFAULT_NAME, show_default=True)
trained_model_option = _model_option(".", default=DEFAULT_NAME, show_default=True)
photo_model_option = _model_option(f" or `export`{_FOR_PHOTOS}")
explained_model_option = _model_option(_FOR_PHOTOS)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of text."
)
tta_option = click.option(
    "--tta",
    type=click.Choice(get_args(TestTimeAugmentation)),
    help="Average over mirrored or shifted views: 2 or 10 times the work, a little more accurate.",
)
photo_tta_option = click.option(
    "--tta",
    type=click.Choice([*get_args(PhotoViews), "none"]),
    default="auto",
    show_default=True,
    callback=lambda _, __, value: None if value == "none" else value,
    help="Average over mirrored or shifted views of a face; auto: the default network sees the "
    "mirror image, too.",
)
detector_option = click.option(
    "--detector",
    type=click.Choice(get_args(DetectorName)),
    default="yunet",
    show_default=True,
    help="What finds faces; all but the first are extras.",
)
clusters_option = click.option(
    "--clusters",
    metavar="COLUMN",
    multiple=True,
    help="A column of the data, such as subject, whose entries say which images belong together, "
    "for the intervals and tests. May be given more than once.",
)
faces_option = click.option(
    "--faces/--no-faces",
    default=True,
    show_default=True,
    help="Show images in the report; those of FER-2013 may not be passed on.",
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="The same seed gives the same model.",
)
