"""What libraries write straight to the terminal, kept from it where the user wants none of it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from fer2013kit.exceptions import Fer2013KitError, Fer2013KitWarning

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG_LEVEL: Final = "TF_CPP_MIN_LOG_LEVEL"
QUIET: Final = "3"  # level 2 still says on every machine without a GPU that it has none


def no_bar(*, wanted: bool = True) -> bool | None:
    """Return what tells tqdm to show no bar; None leaves it to whether there is a terminal.

    A program without a console has no standard error at all, where tqdm fails.
    """
    return None if wanted and sys.stderr is not None else True


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep from the terminal what libraries write to file descriptor 2, unless they fail.

    An error of the kit says itself what is wrong, and its warnings follow.  Only where the user
    wants no messages of TensorFlow.
    """
    if os.environ.get(LOG_LEVEL) != QUIET or sys.stderr is None:
        yield
        return
    try:
        kept = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
    except OSError:  # nothing can be written on this machine: the messages are shown
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with _own_warnings_afterwards(), kept as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except Fer2013KitError:
            raise
        except BaseException:
            os.dup2(terminal, 2)
            messages.seek(0)
            shutil.copyfileobj(messages, sys.stderr.buffer)
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


@contextmanager
def _own_warnings_afterwards() -> Iterator[None]:
    """Show the kit's warnings at the end, and those of libraries not at all."""
    said: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as said:
            yield
    finally:
        for one in said:
            if issubclass(one.category, Fer2013KitWarning):
                warnings.showwarning(one.message, one.category, one.filename, one.lineno)
