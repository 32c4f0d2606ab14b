"""A quiet TensorFlow: its messages about drivers and CPUs are kept from the terminal."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fer2013kit._quiet import LOG_LEVEL, QUIET, quiet_stderr

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quiet_tensorflow(*, enabled: bool) -> Iterator[None]:
    """Keep TensorFlow from its messages about drivers and CPUs, unless the user set their level."""
    if not enabled or LOG_LEVEL in os.environ:
        yield
        return
    os.environ[LOG_LEVEL] = QUIET
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
