"""The Keras configuration that the kit builds and runs networks under, whatever the user's is."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import keras

from fer2013kit.exceptions import Fer2013KitError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATA_FORMAT: Final = "channels_last"
_FLOATX: Final = "float32"
_WITH_GRADIENTS: Final = ("tensorflow", "jax", "torch")


class _Shared:
    """Settings of all threads: the first that needs them sets them, the last gives them back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before = (_DATA_FORMAT, _FLOATX)

    def take(self) -> None:
        with self._lock:
            if not self._users:
                self._before = (keras.config.image_data_format(), keras.config.floatx())
                _set(_DATA_FORMAT, _FLOATX)
            self._users += 1

    def give_back(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                _set(*self._before)


_shared: Final = _Shared()
_lost_threads: Final[list[str]] = []
"""What ran in the process that forked this one, and cannot go on here."""


def _note_fork() -> None:
    # TensorFlow has no public way to ask whether it ran; its import alone starts no threads.
    context = getattr(sys.modules.get("tensorflow.python.eager.context"), "_context", None)
    if getattr(context, "_initialized", False):
        _lost_threads.append("tensorflow")


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_note_fork)


def check_not_forked() -> None:
    """Refuse to run TensorFlow in a process that was forked after it ran: it would wait for ever.

    The threads that it waits for stay with the parent.

    Raises
    ------
    Fer2013KitError
        In such a process.
    """
    if keras.backend.backend() in _lost_threads:
        raise Fer2013KitError(
            "this process was forked from one where TensorFlow had run, whose threads are missing "
            "here: it would hang. Start processes with multiprocessing.get_context('spawn') or "
            "joblib's 'loky', or predict with EmotionPredictor, which survives a fork"
        )


@contextmanager
def keras_settings(dtype_policy: Any = _FLOATX) -> Iterator[None]:
    """Run a block with channels last, float32 and a dtype policy, then give the user's back.

    Layers and operations that do not say their data format or dtype take Keras's, which
    ``keras.json`` and ``keras.config`` change; arrays of images have their channels last.
    """
    check_not_forked()
    before = keras.config.dtype_policy()  # each thread has its own
    _shared.take()
    keras.config.set_dtype_policy(dtype_policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
        _shared.give_back()


def check_gradients(what: str) -> None:
    """Raise :class:`InvalidInputError` on a backend of Keras without gradients, such as NumPy."""
    backend = keras.backend.backend()
    if backend not in _WITH_GRADIENTS:
        raise InvalidInputError(
            f"{what} needs Keras's backend to be tensorflow, jax or torch (KERAS_BACKEND in the "
            f"environment, before Keras is imported); received {backend!r}"
        )


def _set(data_format: str, floatx: str) -> None:
    keras.config.set_image_data_format(data_format)
    keras.config.set_floatx(floatx)
