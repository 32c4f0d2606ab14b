"""LiteRT, which runs the networks that ship, started."""

from __future__ import annotations

from typing import Any

from fer2013kit._optional import needed
from fer2013kit._threads import usable_threads


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
