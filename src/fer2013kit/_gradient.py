"""Gradients, on the Keras backends that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable


def gradient_of(function: Callable[[Any], tuple[Any, Any]], at: Any) -> tuple[Any, Any]:
    """Return the gradient of a function of one tensor.

    Parameters
    ----------
    function : callable
        From a tensor to a scalar and to whatever else came out on the way, in Keras operations.
    at : tensor
        Where the gradient is taken.

    Returns
    -------
    gradient : tensor
        Of the shape of ``at``.
    rest : Any
        The function's second result.

    Raises
    ------
    InvalidInputError
        On a Keras backend other than TensorFlow and JAX.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        gradient, rest = jax.grad(function, has_aux=True)(at)
        return gradient, rest
    if backend != "tensorflow":
        raise InvalidInputError(
            "gradients need Keras's backend to be 'tensorflow' or 'jax' (KERAS_BACKEND in the "
            f"environment, before Keras is imported); received {backend!r}"
        )
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(at)
        value, rest = function(at)
    return tape.gradient(value, at), rest
