"""What libraries write by themselves: kept from the terminal, or at least from the results."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from fer2013kit._quiet import LOG_LEVEL, QUIET, quiet_stderr
from fer2013kit.exceptions import MissingDependencyError

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


@contextmanager
def own_stdout() -> Iterator[None]:
    """Keep standard output for results: what libraries write to file descriptor 1 goes to 2.

    Not where standard output is something else, as in a notebook, or either is closed.
    """
    usual = sys.stdout
    try:
        is_replaced = usual.fileno() != 1
        os.fstat(2)
    except (AttributeError, OSError, ValueError):
        is_replaced = True
    if is_replaced:
        yield
        return
    usual.flush()
    results = os.dup(1)
    os.dup2(2, 1)
    try:
        with open(results, "w", encoding=usual.encoding, errors=usual.errors, closefd=False) as own:
            sys.stdout = own
            yield
    finally:
        sys.stdout = usual
        os.dup2(results, 1)
        os.close(results)


def import_keras() -> None:
    """Import Keras and its backend.

    While it is imported, TensorFlow 2.21 writes messages straight to file descriptor 2, whatever
    level is set: where the user wants none, they are kept from the terminal, but shown when the
    import fails.
    """
    if "keras" in sys.modules:
        return
    with quiet_stderr():
        try:
            import keras  # noqa: F401 - for its effect
        except ValueError as error:
            raise MissingDependencyError(
                f"{error}; KERAS_BACKEND, or else keras.json, names tensorflow, jax or torch"
            ) from error


def start_litert() -> None:
    """Start a network, so that LiteRT names its delegate, as it does once, where nobody sees it.

    ``fit`` starts one between its own lines.
    """
    from fer2013kit import EmotionPredictor

    with quiet_stderr(), suppress(MissingDependencyError):
        EmotionPredictor.from_pretrained()
