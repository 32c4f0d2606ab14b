"""LiteRT, which runs the networks that ship: starting it, and on how many threads."""

from __future__ import annotations

import os
from typing import Any, Final

from fer2013kit._optional import needed

_MOST_THREADS: Final = 4
"""More do not help networks, or files, as small as these."""


def start_interpreter(
    content: bytes, what: str, *, num_threads: int | None = None, otherwise: str = ""
) -> Any:
    """Return an ``Interpreter`` of a ``.tflite`` file, by default on :func:`usable_threads`.

    Raises
    ------
    MissingDependencyError
        If LiteRT is not installed: ``what`` needs it, and ``otherwise`` is what can be done
        without.
    """
    with needed(what, library="ai-edge-litert", otherwise=otherwise):
        from ai_edge_litert.interpreter import Interpreter
    return Interpreter(model_content=content, num_threads=num_threads or usable_threads())


def usable_threads() -> int:
    """Return how many threads work is given: one for each processor that this process may use.

    Fewer where ``OMP_NUM_THREADS`` says so, by which Ray, Spark and Dask tell their workers, and
    :func:`~fer2013kit.score` its own, that there are others beside them.
    """
    most = [_MOST_THREADS, os.cpu_count() or 1]
    if hasattr(os, "sched_getaffinity"):  # fewer than the machine has, in a container
        most.append(len(os.sched_getaffinity(0)))
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal():
        most.append(max(1, int(asked)))
    return min(most)
