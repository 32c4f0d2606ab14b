"""A network compiled for prediction, with the weights that it has at the time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fer2013kit._folding import fold_normalization
from fer2013kit._keras_settings import check_not_forked, keras_settings

Inference = Callable[[NDArray[Any]], NDArray[np.float32]]


def compile_inference(model: Any, input_shape: tuple[int, int, int]) -> Inference:
    """Return a function from images to probabilities, compiled when it is first called.

    It takes ``(n, height, width, channels)`` with values in [0, 255] and returns float32 ``(n,
    k)``.  Where TensorFlow runs on the CPU, the weights are built into the compiled function,
    already in the precision that the network computes in, and the batch normalisation is built into
    the weights.  When they are changed later, the next call notices and compiles anew.
    """
    if keras.backend.backend() != "tensorflow":

        def predict(images: NDArray[Any]) -> NDArray[np.float32]:
            with keras_settings():
                return np.asarray(
                    model.predict_on_batch(np.asarray(images, np.float32)), np.float32
                )

        return predict

    import tensorflow as tf

    if {device.device_type for device in tf.config.list_logical_devices()} == {"CPU"}:
        return _FrozenNetwork(model, input_shape)

    # Whether weights on a GPU have changed could only be told by copying them from there.
    return compile_function(lambda images: model(images, training=False), input_shape)


def compile_function(
    function: Callable[[Any], Any], input_shape: tuple[int, int, int]
) -> Inference:
    """Return a function of images, in Keras operations, compiled at its first call."""
    if keras.backend.backend() != "tensorflow":

        def run(images: NDArray[Any]) -> NDArray[np.float32]:
            with keras_settings():
                outputs = function(keras.ops.convert_to_tensor(np.asarray(images, np.float32)))
            return np.asarray(keras.ops.convert_to_numpy(outputs), np.float32)

        return run

    import tensorflow as tf

    @cache
    def compiled() -> Any:
        return _compile(function, (None, *input_shape))

    def run_compiled(images: NDArray[Any]) -> NDArray[np.float32]:
        check_not_forked()
        return np.asarray(compiled()(tf.constant(np.asarray(images, np.float32))), np.float32)

    return run_compiled


def frozen_function(
    model: Any, shape: tuple[int | None, ...], dtype: str, name: str
) -> tuple[list[Any], Any]:
    """Return a signature, and a function of TensorFlow that holds weights and constants itself.

    Converters take what a function refers to outside of it for another input; layers such as
    ``Normalization`` refer to their means.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    signature = [tf.TensorSpec(shape, dtype, name=name)]
    traced = tf.function(
        lambda images: model(images, training=False), input_signature=signature, autograph=False
    )
    frozen = convert_variables_to_constants_v2(
        traced.get_concrete_function(), lower_control_flow=False, aggressive_inlining=True
    )
    return signature, tf.function(
        lambda images: frozen(images)[0], input_signature=signature, autograph=False
    )


def threads_of_arithmetic() -> int:
    """Return how many threads compute one operation, on which sums of floats depend."""
    asked = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if chosen := tf.config.threading.get_intra_op_parallelism_threads():
            return int(chosen)
        if asked.isdecimal() and int(asked):
            return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _FrozenNetwork:
    """Compiles a network with its weights, and again when they are others."""

    def __init__(self, model: Any, input_shape: tuple[int, int, int]) -> None:
        self._model = model
        self._input_shape = input_shape
        self._frozen: _Frozen | None = None

    def __call__(self, images: NDArray[Any]) -> NDArray[np.float32]:
        import tensorflow as tf

        check_not_forked()
        batch = tf.constant(np.asarray(images, np.float32))
        frozen = self._frozen
        if frozen is not None:
            probabilities, *weights = frozen.predict(batch)
        if frozen is None or not frozen.holds(weights):
            frozen = self._frozen = _Frozen(self._model, self._input_shape)
            probabilities, *_ = frozen.predict(batch)
        result: NDArray[np.float32] = probabilities.numpy()
        return result


class _Frozen:
    """A network's weights at one time, and what was compiled with them.

    The tensors that its variables held then are kept.  TensorFlow does not write into a tensor
    that somebody else holds, so a variable that was changed since has its value at another address.
    """

    def __init__(self, model: Any, input_shape: tuple[int, int, int]) -> None:
        self._model = model
        self._input_shape = input_shape
        self._weights = _values_of(model.weights)
        self._addresses = _addresses(self._weights)
        self._variables = list(zip(model.variables, _values_of(model.variables), strict=True))
        self._folded = fold_normalization(model)
        self._compiled: dict[int | None, Any] = {}

    def predict(self, images: Any) -> Sequence[Any]:
        """Return the probabilities, and the weights that the network's variables now hold.

        Libraries arrange constant weights once, as the first batch wants them.  One image wants
        them otherwise than many, and would have them rearranged at every call: it has a function
        of its own.
        """
        rows = 1 if len(images) == 1 else None
        if rows not in self._compiled:
            self._compiled[rows] = _compile(self._trace, (rows, *self._input_shape))
        outputs: Sequence[Any] = self._compiled[rows](images)
        return outputs

    def holds(self, weights: Sequence[Any]) -> bool:
        """Tell whether the weights that were just read are those of the compiled functions."""
        if _addresses(weights) == self._addresses:
            return True
        # A variable may have been given the value that it had.
        return all(
            np.asarray(one).tobytes() == np.asarray(other).tobytes()
            for one, other in zip(weights, self._weights, strict=True)
        )

    def _trace(self, images: Any) -> list[Any]:
        import tensorflow as tf

        constants = [(variable, tf.constant(value.numpy())) for variable, value in self._variables]
        with keras.StatelessScope(state_mapping=constants) as scope:
            probabilities = self._folded(images, training=False)
        if any(scope.get_current_value(variable) is not value for variable, value in constants):
            # It draws random numbers or counts while it predicts, and must go on doing so, with
            # the weights that it has.
            self._weights, self._addresses = [], []
            return [tf.cast(self._model(images, training=False), tf.float32)]
        return [tf.cast(probabilities, tf.float32), *_values_of(self._model.weights)]


def _values_of(variables: Sequence[Any]) -> list[Any]:
    return [variable.value.read_value() for variable in variables]


def _addresses(tensors: Sequence[Any]) -> list[int]:
    return [np.asarray(tensor).__array_interface__["data"][0] for tensor in tensors]


def _compile(function: Callable[[Any], Any], shape: tuple[int | None, ...]) -> Any:
    """Return TensorFlow's compiled form; a concrete one is spared the look for others."""
    import tensorflow as tf

    with keras_settings():
        return tf.function(
            function, input_signature=[tf.TensorSpec(shape, tf.float32)], autograph=False
        ).get_concrete_function()
