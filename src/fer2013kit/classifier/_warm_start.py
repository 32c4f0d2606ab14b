"""Going on from a network that is trained already, all of it or its last layers alone."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from fer2013kit._checks import is_number
from fer2013kit._layers import MAP_AXES, walk_layers
from fer2013kit.exceptions import InvalidInputError, did_you_mean, shown, warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from fer2013kit.classifier._classifier import EmotionClassifier

logger = logging.getLogger(__name__)

Flags = list[tuple[Any, bool]]
"""Layers, each with whether it can be trained; a model stands before its parts."""


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork:
    """A network as an earlier ``fit``, or a file, left it."""

    model: Any
    classes: NDArray[Any]
    class_names: tuple[str, ...]


def begins_trained(classifier: EmotionClassifier) -> bool:
    """Tell whether a fit goes on from the weights that the classifier has."""
    return classifier.warm_start and classifier.__sklearn_is_fitted__()


def warn_of_unused_weights(classifier: EmotionClassifier) -> None:
    """Warn that weights of a file, which somebody loaded, are not what a training begins with."""
    if classifier.warm_start or not classifier.__sklearn_is_fitted__():
        return
    if file := classifier._file:  # noqa: SLF001 - the package's own
        warn(
            f"the weights of {file} are not used: without warm_start=True, a new network is trained"
        )


def take_over_weights(network: Any, before: TrainedNetwork, classes: NDArray[Any]) -> None:
    """Give a new network the trained weights; with other classes, its last layer stays new."""
    layers = [*_in_order(network.layers)]
    last = next(layer for layer in reversed(layers) if layer.weights)
    same_classes = np.array_equal(before.classes, classes)
    if not same_classes:
        logger.info(
            "other classes than before (%s): the last layer begins anew",
            ", ".join(str(one) for one in before.classes.tolist()),
        )
        if isinstance(last, keras.Model):
            raise InvalidInputError(
                f"warm_start=True with other classes than before keeps all layers but the last, "
                f"and {shown(last.name)} calls its layers by code of its own; build it of layers, "
                "or set warm_start=False"
            )
    try:
        for new, old in zip(layers, _in_order(before.model.layers), strict=True):
            if same_classes or new is not last:
                new.set_weights(old.get_weights())
    except ValueError as error:
        raise InvalidInputError(
            "warm_start=True: model, model_params and image_shape must describe the network that "
            f"was trained; the weights of that one do not fit ({error})"
        ) from error


def freeze_layers(network: Any, freeze: Any) -> Flags:
    """Let layers stay as they are in training, and return which could be trained before.

    What stays is everything before the fully-connected end ("convolutions"), everything up to a
    layer, of the network or of one in it, so many layers, or those that a function of a layer says
    True of.

    Raises
    ------
    InvalidInputError
        For an unknown layer, more layers than there are, or nothing that could be frozen.
    """
    chosen = _chosen_layers(network.layers, freeze)
    before = [(layer, layer.trainable) for layer in walk_layers(chosen)]
    for layer in chosen:
        layer.trainable = False
    return before


def unfreeze_layers(before: Flags) -> None:
    """Let the layers that :func:`freeze_layers` froze be trained again as before."""
    for layer, trainable in before:
        layer.trainable = trainable


def _chosen_layers(layers: list[Any], freeze: Any) -> list[Any]:
    if freeze is None:
        return []
    if callable(freeze):
        return [layer for layer in walk_layers(layers) if freeze(layer)]
    if is_number(freeze):
        if not 0 < freeze < len(layers):
            raise InvalidInputError(
                f"freeze must leave a layer to be trained: a number from 1 to {len(layers) - 1} "
                f"for this network; received {shown(freeze)}"
            )
        return layers[:freeze]
    inner = list(_in_order(layers))
    for some in (layers, inner):
        names = [layer.name for layer in some]
        if freeze in names:
            return some[: names.index(freeze) + 1]
    if freeze == "convolutions":
        return _before_the_dense_end(inner)
    raise InvalidInputError(
        "freeze must be 'convolutions', a layer's name, a number of layers or a function of a "
        f"layer; received {shown(freeze)}{did_you_mean(freeze, ['convolutions', *names])}"
    )


def _in_order(layers: Iterable[Any]) -> Iterator[Any]:
    """Yield layers, and in place of a network among them its own.

    Not those of a class that calls them by code of its own: nobody knows in which order.
    """
    for layer in layers:
        if isinstance(layer, keras.Sequential | keras.Function):
            yield from _in_order(layer.layers)
        else:
            yield layer


def _before_the_dense_end(layers: list[Any]) -> list[Any]:
    """Return the layers before the first fully-connected one behind the last map.

    A dense layer further in front, as in squeeze-and-excite blocks, belongs to the convolutions.
    """
    with_map = [number for number, layer in enumerate(layers) if _gives_a_map(layer)]
    start = with_map[-1] + 1 if with_map else 0
    for number in range(start, len(layers)):
        if isinstance(layers[number], keras.layers.Dense):
            return layers[:number]
    raise InvalidInputError(
        "freeze='convolutions' freezes the layers before the first fully-connected one, and the "
        "network has none; pass a layer's name, a number of layers, or a function of a layer"
    )


def _gives_a_map(layer: Any) -> bool:
    try:
        return len(layer.output.shape) == MAP_AXES
    except (AttributeError, ValueError):  # called several times, or by a model's own code
        return False
