"""Building the classifier's network from a seed and in a compute dtype."""

from __future__ import annotations

import logging
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np

from fer2013kit._keras_settings import keras_settings
from fer2013kit._layers import walk_layers
from fer2013kit.classifier._callbacks import TorchSeeds
from fer2013kit.classifier._compute_dtype import (
    Format,
    compute_dtype_policy,
    resolve_compute_dtype,
)
from fer2013kit.exceptions import InvalidInputError, shortened, shown
from fer2013kit.models import (
    create_model,
    is_of_the_kit,
    resolve_builder,
    without_pretrained_weights,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fer2013kit.typing import ComputeDtype, ModelBuilder

logger = logging.getLogger(__name__)

_one_at_a_time: Final = threading.RLock()
"""Two threads would draw their first weights from the same random numbers."""


def build_network(
    model: str | ModelBuilder,
    params: Mapping[str, Any],
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    compute_dtype: ComputeDtype,
    output: str | None = None,
    seed: int = 0,
    pretrained: bool = False,
) -> tuple[Any, Format]:
    """Return a new network and the dtype it computes in.

    Unless ``pretrained``, its weights are set right afterwards: a backbone's are not looked for.

    A network whose last layer would return half-precision probabilities (one that was not
    written with mixed precision in mind), or whose activations are regularised (Keras cannot add
    that up in half precision), is built in float32 instead.  So is one with depthwise convolutions
    where the format is left to us.
    """

    def build(used: Format) -> Any:
        weights = nullcontext() if pretrained else without_pretrained_weights()
        with weights, _one_at_a_time, _seeded(seed), compute_dtype_policy(used):
            with _made_meanwhile() as made:
                network = create_model(
                    model, input_shape=input_shape, num_classes=num_classes, output=output, **params
                )
            own = is_of_the_kit(resolve_builder(model)[1])
            return network if own else _with_layers_of_its_own(network, made)

    wanted = resolve_compute_dtype(compute_dtype)
    network = build(wanted)
    if wanted == "float32":
        return network, wanted
    if obstacle := _obstacle(network):
        logger.warning("%s of %s: %s is not used", obstacle, network.name, wanted)
    elif compute_dtype == "auto" and _has_depthwise_convolutions(network):
        logger.info("depthwise convolutions of %s are faster in float32", network.name)
    else:
        return network, wanted
    return build("float32"), "float32"


def weight_shapes(
    model: str | ModelBuilder,
    params: Mapping[str, Any],
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
) -> list[tuple[int, ...]] | None:
    """Return the shapes of a network's weights, of which none is made.

    A file may ask for a network of any size, which its own weights have to fit.  None is for a
    network of the user's that cannot be made without its weights, and for one of several outputs,
    of which one is kept.
    """
    _, builder = resolve_builder(model)

    def build() -> list[tuple[int, ...]] | None:
        scope = keras.StatelessScope(initialize_variables=False)
        unset = without_pretrained_weights()
        with keras_settings(), _one_at_a_time, _seeded(0), unset, scope:
            network = builder(input_shape=input_shape, num_classes=num_classes, **params)
            whole = network.built and len(network.outputs) == 1
            return [tuple(one.shape) for one in network.weights] if whole else None

    # Keras would make the weights at the next occasion in this thread; that one ends.
    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(build).result()
        except Exception:
            if is_of_the_kit(builder):
                raise
            return None


@contextmanager
def _made_meanwhile() -> Iterator[list[Any]]:
    """Give the list of the layers that this thread makes, so that those from outside show.

    (To ask Python for all its objects would hold those of other threads, which LiteRT refuses.)
    """
    made: list[Any] = []
    me, begin = threading.get_ident(), keras.layers.Layer.__init__

    def noted(self: Any, *args: Any, **kwargs: Any) -> None:  # Keras looks for a "self"
        if threading.get_ident() == me:
            made.append(self)
        begin(self, *args, **kwargs)

    keras.layers.Layer.__init__ = noted
    try:
        yield made
    finally:
        keras.layers.Layer.__init__ = begin


def _with_layers_of_its_own(network: Any, made: Sequence[Any]) -> Any:
    """Return a network that shares no weights with others, with the values that it has.

    A builder may close over a backbone.  Trained itself, it would carry what one fit has learned
    into the next, and a later fit would change an earlier classifier.
    """
    own = set(map(id, made))
    layers = [one for one in walk_layers(network.layers) if not hasattr(one, "layers")]
    shared = [one.name for one in layers if id(one) not in own and one.weights]
    if not shared:
        return network
    try:
        copy = keras.models.clone_model(network)
        copy.set_weights(network.get_weights())
    except Exception as error:
        raise InvalidInputError(
            "a builder must make its layers anew at each call, and this one takes "
            f"{shown(shared[0])} from outside, which cannot be copied ({shortened(str(error))}); "
            "make it in the builder"
        ) from error
    return copy


def _obstacle(network: keras.Model) -> str:
    """Return what keeps a network from computing in half precision, else ``""``."""
    if network.outputs[0].dtype != "float32":
        return "the last layer lacks dtype='float32'"
    if any(getattr(layer, "activity_regularizer", None) for layer in walk_layers(network.layers)):
        return "activities are regularised in the layers"
    return ""


def _has_depthwise_convolutions(network: keras.Model) -> bool:
    kinds = (keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
    return any(isinstance(layer, kinds) for layer in walk_layers(network.layers))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed what Keras's layers (Python's generator) and people's own (NumPy's, torch's) draw from.

    The caller's states are given back.
    """
    python_state = random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002 - the global state is what is kept
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the same
    of_torch = TorchSeeds(seed)
    try:
        with of_torch.kept():
            of_torch.on_epoch_begin(0)
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002 - the same
