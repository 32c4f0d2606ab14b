"""What all commands share: errors, warnings and exit codes."""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from fer2013kit._optional import missing_library
from fer2013kit.cli._output import print_error
from fer2013kit.cli._quiet import own_stdout, quiet_tensorflow
from fer2013kit.cli._wording import in_options, option_names
from fer2013kit.exceptions import Fer2013KitError, Fer2013KitWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FAILED: Final = 1
INTERRUPTED: Final = 130  # 128 and the number of SIGINT, as shells count
_LAST_STREAM: Final = 2  # standard error
_OUT_OF_MEMORY: Final = re.compile(
    "OOM when allocating|RESOURCE_EXHAUSTED|out of memory|can't allocate memory", re.IGNORECASE
)
"""What Keras's backends say in errors of their own."""


class Command(click.Command):
    """A command with an example, a line that a user would type; its errors speak of its options.

    ``names`` is what the API's parameters are called here, where neither the name of a parameter of
    the command nor :func:`in_options` tells.
    """

    def __init__(
        self, *args: Any, example: str, names: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.epilog = f"\b\nExample: fer2013kit {example}"
        self.names = {**option_names(self), **(names or {})}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; an option of the program is told where it belongs."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            program = ctx.find_root().command
            if any(error.option_name in parameter.opts for parameter in program.params):
                raise click.UsageError(
                    f"{error.option_name} stands before the command: "
                    f"fer2013kit {error.option_name} ... {ctx.info_name} ...",
                    ctx,
                ) from None
            raise


class _Lines(logging.Handler):
    """Hands on the text of what is logged as a warning or worse."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.show = show

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on a message."""
        self.show(record.getMessage())


class Program(click.Group):
    """A group of commands whose failures are said in one line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; ``--help`` prints at once, perhaps to a full disk."""
        try:
            return super().parse_args(ctx, args)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            print_error(f"error: {error}")
            ctx.exit(FAILED)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and turn what it raises into a line and an exit code."""
        debug = ctx.params["debug"]
        _fill_closed_streams()
        try:
            with (
                own_stdout(),
                quiet_tensorflow(enabled=not debug),
                self._plain_messages(ctx, enabled=not debug),
            ):
                return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            print_error(f"interrupted{'; ' if interrupt.args else ''}{interrupt}")
            ctx.exit(INTERRUPTED)
        except ModuleNotFoundError as error:
            if debug:
                raise
            print_error(f"error: {missing_library(error, f'fer2013kit {ctx.invoked_subcommand}')}")
            ctx.exit(FAILED)
        except (Fer2013KitError, OSError) as error:
            # The reader of our output went away: click knows what to do.
            if debug or getattr(error, "errno", None) == errno.EPIPE:
                raise
            print_error(f"error: {self._in_options(ctx, error)}")
            ctx.exit(FAILED)
        except MemoryError as error:
            if debug:
                raise
            print_error(f"error: not enough memory{': ' if error.args else ''}{error}")
            ctx.exit(FAILED)
        except Exception as error:
            if debug or not _OUT_OF_MEMORY.search(str(error)):
                raise
            print_error("error: not enough memory")
            ctx.exit(FAILED)

    @contextmanager
    def _plain_messages(self, ctx: click.Context, *, enabled: bool) -> Iterator[None]:
        """Show warnings and what is logged in a line each, without the place in the code."""

        def show(message: object, *_: object, **__: object) -> None:
            print_error(f"warning: {self._in_options(ctx, message)}")

        handler = _Lines(lambda message: print_error(self._in_options(ctx, message)))
        with warnings.catch_warnings():
            if enabled:
                # What is passed over is named, however Python was told to treat warnings.
                warnings.simplefilter("always", Fer2013KitWarning)
                warnings.showwarning = show
                logging.root.addHandler(handler)
            try:
                yield
            finally:
                logging.root.removeHandler(handler)

    def _in_options(self, ctx: click.Context, message: object) -> str:
        command = self.commands.get(ctx.invoked_subcommand or "")
        names = command.names if isinstance(command, Command) else {}
        return in_options(str(message), names)


def _fill_closed_streams() -> None:
    """Let what is written to a standard stream that was closed go nowhere.

    Libraries write their messages to descriptors 1 and 2, whatever file these are by then.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _LAST_STREAM:
        pass
    os.close(descriptor)
    if sys.stderr is None:
        sys.stderr = open(_LAST_STREAM, "w", closefd=False)  # noqa: SIM115 - to the program's end


def make_output_safe() -> None:
    """Write what the terminal cannot show as an escape, rather than fail on a file name."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
