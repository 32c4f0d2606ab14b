"""The layers of a network, one by one, and a layer that computes otherwise for a while."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import keras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAP_AXES: Final = 4
"""Dimensions of maps and of batches of images, (n, height, width, channels)."""


def walk_layers(layers: Iterable[Any]) -> Iterator[Any]:
    """Yield layers, and behind each network among them its own, each once."""
    seen: set[int] = set()

    def walk(some: Iterable[Any]) -> Iterator[Any]:
        for layer in some:
            if id(layer) not in seen:
                seen.add(id(layer))
                yield layer
                if isinstance(layer, keras.Model):
                    yield from walk(layer.layers)

    return walk(layers)


@contextmanager
def replaced_call(layer: Any, call: Callable[..., Any]) -> Iterator[None]:
    """Let a layer compute with another function than its own; saving it never sees this."""
    before = vars(layer).get("call")
    layer.call = call
    try:
        yield
    finally:
        if before is None:
            del layer.call  # the class's own again
        else:
            layer.call = before
