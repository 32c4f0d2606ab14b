"""A quiet TensorFlow: its messages about drivers and CPUs are kept from the terminal."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG_LEVEL: Final = "TF_CPP_MIN_LOG_LEVEL"
_QUIET: Final = "3"  # level 2 still says on every machine without a GPU that it has none


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
