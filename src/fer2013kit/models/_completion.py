"""What a builder returned, made into one network from images to probabilities."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any, Final

import keras
import numpy as np

from fer2013kit.exceptions import InvalidInputError, did_you_mean, shortened, shown

logger = logging.getLogger(__name__)

_TOLERANCE: Final = 0.05
"""How far a row's sum may be from 1: what half precision misses, and more."""


def complete_network(
    network: keras.Model,
    *,
    name: str,
    input_shape: tuple[int, int, int],
    num_classes: int,
    output: str | None = None,
) -> keras.Model:
    """Return a network with one output of probabilities, the same one where it has that.

    A network without an input is built, of several outputs the one named, else the first one of
    fitting shape, is the answer, and logits are given a softmax.  Messages call it by ``name``, its
    builder's.

    Raises
    ------
    InvalidInputError
        If it cannot be called with such images, no output has the shape, or the answer is
        neither probabilities nor logits.
    """
    if network.compiled:
        _say_once(
            f"the network of {name} is compiled, but its optimizer, loss and metrics are not used: "
            "EmotionClassifier takes them as optimizer=, loss= and metrics="
        )
    network = _with_input(network, name, input_shape)
    answer = _answer(network, name, num_classes, output)
    if _is_softmax(answer, name) or _sums_to_one(network, answer, input_shape):
        probabilities = answer
    else:
        _check_logits(answer, name)
        _say_once(f"the network of {name} gives no probabilities: a softmax is added")
        probabilities = keras.layers.Softmax(dtype="float32", name="added_softmax")(answer)
    if len(network.outputs) == 1 and probabilities is answer:
        return network
    return keras.Model(network.inputs[0], probabilities, name=network.name)


@cache
def _say_once(message: str) -> None:
    """Log a message; a network is built again whenever it is loaded, copied or exported."""
    logger.warning(message)


def _with_input(network: Any, name: str, input_shape: tuple[int, int, int]) -> Any:
    inputs = getattr(network, "inputs", None) or []
    if len(inputs) == 1:
        _check_input(inputs[0], name, input_shape)
        return network
    if inputs:
        raise InvalidInputError(
            f"the network of {name!r} must take images alone; received {len(inputs)} inputs"
        )
    try:
        if isinstance(network, keras.Sequential):
            network.build((None, *input_shape))
            if getattr(network, "outputs", None):
                return network
            network = _as_it_runs(network, input_shape)
        images = keras.Input(input_shape, name="images")
        return keras.Model(images, network(images), name=network.name)
    except Exception as error:
        raise InvalidInputError(
            f"the network of {name!r} cannot be called with images (n, "
            f"{', '.join(map(str, input_shape))}): {shortened(str(error))}"
        ) from error


def _check_input(images: Any, name: str, input_shape: tuple[int, int, int]) -> None:
    taken = tuple(images.shape)[1:]
    fits = (length in {None, here} for length, here in zip(taken, input_shape, strict=False))
    if len(taken) != len(input_shape) or not all(fits):
        raise InvalidInputError(
            f"the network of {name!r} takes images {taken}, and they are {input_shape}: begin it "
            "with keras.Input(input_shape), and let layers make of that what it needs, such as "
            "Resizing, Permute or Concatenate([grey, grey, grey])"
        )


def _as_it_runs(network: Any, input_shape: tuple[int, int, int]) -> Any:
    """Return a network whose output Keras cannot tell beforehand, as of a torch module, told."""
    answers = network(np.zeros((2, *input_shape), np.float32), training=False)

    class AsItRuns(keras.Model):  # type: ignore[misc]  # Keras carries no types
        def __init__(self) -> None:
            super().__init__(name=network.name)
            self.network = network

        def call(self, images: Any, training: bool | None = None) -> Any:
            return self.network(images, training=training)

        def compute_output_shape(self, shape: Any) -> Any:
            return (shape[0], *answers.shape[1:])

    return AsItRuns()


def _answer(network: Any, name: str, num_classes: int, asked: str | None) -> Any:
    """Return the output that is the answer."""
    outputs = network.outputs if asked is None else [_named(network, name, asked)]
    fitting = [one for one in outputs if tuple(one.shape) == (None, num_classes)]
    if not fitting:
        shapes = [tuple(one.shape) for one in outputs]
        raise InvalidInputError(
            f"the network of {name!r} must return (n, {num_classes}) probabilities; "
            f"received output shape {shapes[0] if len(shapes) == 1 else shapes}"
        )
    if len(outputs) > 1:
        _say_once(
            f"the network of {name} has {len(network.outputs)} outputs: that of "
            f"{_last_operation(fitting[0]).name} is trained and predicts, the others are left out; "
            "output= names another"
        )
    return fitting[0]


def _named(network: Any, name: str, asked: str) -> Any:
    """Return the output of a name: that of its layer, or its key where they are a dict."""
    known = {_last_operation(one).name: one for one in network.outputs}
    structure = getattr(network, "_outputs_struct", None)  # Keras has no public way
    if isinstance(structure, dict):
        known |= structure
    if asked not in known:
        raise InvalidInputError(
            f"output must be one of the outputs of {name!r}, {', '.join(known)}; received "
            f"{shown(asked)}{did_you_mean(asked, list(known))}"
        )
    return known[asked]


def _last_operation(output: Any) -> Any:
    return output._keras_history.operation  # noqa: SLF001 - Keras has no public way


def _is_softmax(answer: Any, name: str) -> bool:
    last = _last_operation(answer)
    if isinstance(last, keras.layers.Softmax):
        if not {*np.atleast_1d(last.axis).tolist()} <= {-1, 1}:
            raise InvalidInputError(
                f"the network of {name!r} must end in probabilities whose rows sum to 1; received "
                f"a Softmax over axis {last.axis}: leave its axis out"
            )
        return True
    return getattr(last, "activation", None) is keras.activations.softmax


def _sums_to_one(network: Any, answer: Any, input_shape: tuple[int, int, int]) -> bool:
    """Tell whether two images of noise get rows of probabilities."""
    position = next(number for number, one in enumerate(network.outputs) if one is answer)
    noise = np.random.default_rng(0).integers(0, 256, (2, *input_shape)).astype(np.float32)
    outputs = keras.tree.flatten(network(noise, training=False))
    rows = keras.ops.convert_to_numpy(keras.ops.cast(outputs[position], "float32"))
    sums = rows.sum(axis=1)
    return bool((rows >= 0).all() and (np.abs(sums - 1) < _TOLERANCE).all())


def _check_logits(answer: Any, name: str) -> None:
    activation = getattr(_last_operation(answer), "activation", None)
    of_logits = {None, keras.activations.linear, keras.activations.log_softmax}
    if activation not in of_logits:
        raise InvalidInputError(
            f"the network of {name!r} must end in probabilities whose rows sum to 1; received "
            f"an end in {getattr(activation, '__name__', activation)!r}: end it in "
            "Dense(num_classes, activation='softmax', dtype='float32')"
        )
