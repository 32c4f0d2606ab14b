"""Gradients, on each Keras backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from collections.abc import Callable


def gradient_of(function: Callable[[Any], tuple[Any, Any]], at: Any) -> tuple[Any, Any]:
    """Return the gradient of a function of one tensor, and the function's second result.

    The function is in Keras operations; its first result, a scalar, is what the gradient is of.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        gradient, rest = jax.grad(function, has_aux=True)(at)
        return gradient, rest
    if backend == "torch":
        import torch

        at = at.detach().requires_grad_()
        with torch.enable_grad():
            value, rest = function(at)
        return torch.autograd.grad(value, at)[0], rest
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(at)
        value, rest = function(at)
    return tape.gradient(value, at), rest
