"""Going on from a network that is trained already, all of it or its last layers alone."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer2013kit.classifier import EmotionClassifier

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork:
    """A network as an earlier ``fit``, or a file, left it."""

    model: Any
    classes: NDArray[Any]


def trained_network(classifier: EmotionClassifier) -> TrainedNetwork | None:
    """Return what ``warm_start`` begins with; None where a fit begins anew.

    Raises
    ------
    InvalidInputError
        If ``freeze`` is set where nothing is trained.
    """
    if classifier.warm_start and classifier.__sklearn_is_fitted__():
        return TrainedNetwork(model=classifier.model_, classes=classifier.classes_)
    if classifier.freeze is not None:
        raise InvalidInputError(
            f"freeze={classifier.freeze!r} keeps layers as they are, which needs trained ones: "
            "begin with from_pretrained or load, and set warm_start=True"
        )
    return None


def decide_classes(
    classifier: EmotionClassifier, labels: NDArray[Any], before: TrainedNetwork | None
) -> NDArray[Any]:
    """Return the sorted classes of a fit: those asked for, those known before, or those found."""
    if classifier.classes is not None:
        return np.unique(np.asarray(classifier.classes))
    if before is not None and np.isin(labels, before.classes).all():
        return before.classes
    return np.unique(labels)


def continue_from(classifier: EmotionClassifier, before: TrainedNetwork | None) -> None:
    """Give the classifier's new network the trained weights, and freeze what is to stay.

    With other classes, the last layer stays new.
    """
    if before is None:
        return
    layers = classifier.model_.layers
    last = next(layer for layer in reversed(layers) if layer.weights)
    same_classes = np.array_equal(before.classes, classifier.classes_)
    if not same_classes:
        logger.info(
            "other classes than before (%s): the last layer begins anew",
            ", ".join(str(one) for one in before.classes.tolist()),
        )
    try:
        for new, old in zip(layers, before.model.layers, strict=True):
            if same_classes or new is not last:
                new.set_weights(old.get_weights())
    except ValueError as error:
        raise InvalidInputError(
            "warm_start=True: model, model_params and image_shape must describe the network that "
            f"was trained; the weights of that one do not fit ({error})"
        ) from error
    if classifier.freeze == "convolutions":
        for layer in _before_first_dense(layers):
            layer.trainable = False


def thaw(model: Any) -> None:
    """Let every layer be trained again."""
    for layer in model.layers:
        layer.trainable = True


def _before_first_dense(layers: list[Any]) -> list[Any]:
    for index, layer in enumerate(layers):
        if isinstance(layer, keras.layers.Dense):
            return layers[:index]
    raise InvalidInputError(
        "freeze='convolutions' freezes the layers before the first fully-connected one, and the "
        "network has none"
    )
