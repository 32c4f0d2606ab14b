"""What all commands share: errors, exit codes, output, and a quiet TensorFlow."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from fer2013kit._optional import missing_library
from fer2013kit.exceptions import Fer2013KitError, Fer2013KitWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FAILED: Final = 1
INTERRUPTED: Final = 130  # 128 and the number of SIGINT, as shells count

LOG_LEVEL: Final = "TF_CPP_MIN_LOG_LEVEL"
_QUIET: Final = "3"  # level 2 still says on every machine without a GPU that it has none

PATH: Final = click.Path(path_type=Path)
OUTPUT_FILE: Final = click.Path(path_type=Path, dir_okay=False, writable=True)
OUTPUT_FOLDER: Final = click.Path(path_type=Path, file_okay=False)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of text."
)
tta_option = click.option(
    "--tta",
    type=click.Choice(["flip", "ten_crop"]),
    help="Average over mirrored or shifted views: 2 or 10 times the work, a little more accurate.",
)
faces_option = click.option(
    "--faces/--no-faces",
    default=True,
    show_default=True,
    help="Show pictures in the report; those of FER-2013 may not be passed on.",
)
seed_option = click.option(
    "--seed", type=int, default=0, show_default=True, help="The same seed gives the same model."
)


class Program(click.Group):
    """A group of commands whose failures are said in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and turn what it raises into a line and an exit code."""
        debug = ctx.params["debug"]
        try:
            with quiet_tensorflow(enabled=not debug), plain_warnings(enabled=not debug):
                return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            _complain(f"interrupted{'; ' if interrupt.args else ''}{interrupt}")
            ctx.exit(INTERRUPTED)
        except ModuleNotFoundError as error:
            if debug:
                raise
            _complain(f"error: {missing_library(error, f'fer2013kit {ctx.invoked_subcommand}')}")
            ctx.exit(FAILED)
        except (Fer2013KitError, OSError) as error:
            # The reader of our output went away: click knows what to do.
            if debug or getattr(error, "errno", None) == errno.EPIPE:
                raise
            _complain(f"error: {error}")
            ctx.exit(FAILED)


@contextmanager
def plain_warnings(*, enabled: bool) -> Iterator[None]:
    """Show warnings in a line each, without the place in the code that they come from."""
    with warnings.catch_warnings():
        if enabled:
            # What is passed over is named, however Python was told to treat warnings.
            warnings.simplefilter("always", Fer2013KitWarning)
            warnings.showwarning = lambda message, *_, **__: _complain(f"warning: {message}")
        yield


def _complain(message: str) -> None:
    click.echo(f"fer2013kit: {' '.join(message.split())}", err=True)


def make_output_safe() -> None:
    """Write what the terminal cannot show as an escape, rather than fail on a file name."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def show(document: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print the result: the document as JSON, or the text."""
    if as_json:
        text = json.dumps(document, indent=2, allow_nan=False)
    if text:
        click.echo(text)


def say(message: str) -> None:
    """Tell what is going on, on standard error."""
    click.echo(message, err=True)


def make_room(*paths: Path | None) -> None:
    """Create the folders of files that are written later, so that a long job fails at once."""
    for path in paths:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def quiet_tensorflow(*, enabled: bool) -> Iterator[None]:
    """Keep TensorFlow from its messages about drivers and CPUs, unless the user set their level."""
    if not enabled or LOG_LEVEL in os.environ:
        yield
        return
    os.environ[LOG_LEVEL] = _QUIET
    try:
        yield
    finally:
        del os.environ[LOG_LEVEL]


def import_keras() -> None:
    """Import Keras and its backend.

    While it is imported, TensorFlow 2.21 writes messages straight to file descriptor 2, whatever
    level is set: where the user wants none, they are kept from the terminal, but shown when the
    import fails.
    """
    if "keras" in sys.modules:
        return
    with quiet_stderr():
        import keras  # noqa: F401 - for its effect


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep from the terminal what libraries write to file descriptor 2, unless they fail.

    Only where the user wants no messages of TensorFlow.
    """
    if os.environ.get(LOG_LEVEL) != _QUIET:
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(terminal, 2)
            messages.seek(0)
            shutil.copyfileobj(messages, sys.stderr.buffer)
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
