"""A fit, from settings and images to a trained network and what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import keras

from fer2013kit._compilation import threads_of_arithmetic
from fer2013kit._keras_settings import check_gradients
from fer2013kit.classifier._class_labels import name_classes
from fer2013kit.classifier._fitted import Architecture, Fitted, rebuild_network
from fer2013kit.classifier._network import build_network
from fer2013kit.classifier._processes import undistributed
from fer2013kit.classifier._runs import describe_run, seed_of_run
from fer2013kit.classifier._settings import check_monitor, check_settings, warn_of_idle_settings
from fer2013kit.classifier._training import train
from fer2013kit.classifier._training_set import read_training_set
from fer2013kit.classifier._warm_start import (
    TrainedNetwork,
    begins_trained,
    freeze_layers,
    take_over_weights,
    unfreeze_layers,
    warn_of_unused_weights,
)
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.models import brings_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from fer2013kit.classifier import EmotionClassifier


def fit_network(
    classifier: EmotionClassifier,
    X: Any,
    y: ArrayLike | None,
    *,
    validation_data: Any,
    callbacks: Sequence[Any],
    **given: Any,
) -> tuple[Fitted, Architecture, keras.Model]:
    """Train a network as a classifier's settings say; see :meth:`EmotionClassifier.fit`."""
    check_gradients("fit")
    params = classifier.get_params(deep=False)
    check_settings(params)
    warn_of_idle_settings(params, {one.name: one.default for one in fields(classifier)})
    if isinstance(callbacks, Iterable):
        callbacks = list(callbacks)  # an iterator would be empty when they are called
    validated = validation_data is not None or classifier.validation_fraction > 0
    check_monitor(params, validated=validated, callbacks=callbacks)
    before = _trained_network(classifier)
    seed = seed_of_run(classifier.random_state)
    data = read_training_set(
        classifier, X, y, validation_data=validation_data, before=before, seed=seed, **given
    )
    architecture = Architecture(
        model=classifier.model, params=classifier.model_params or {}, output=classifier.output
    )
    network, compute_dtype = build_network(
        architecture.model,
        architecture.params,
        input_shape=data.shape,
        num_classes=len(data.classes),
        compute_dtype=classifier.compute_dtype,
        output=architecture.output,
        seed=seed,
        pretrained=before is None,
    )
    if before is not None:
        take_over_weights(network, before, data.classes)
    warn_of_unused_weights(classifier)
    run = describe_run(
        params,
        data.batches,
        network,
        compute_dtype=compute_dtype,
        validation=data.validation,
        first_weights=() if before is None else network.get_weights(),
    )
    frozen = freeze_layers(network, classifier.freeze)
    history, best_epoch = train(
        network, data.batches, run, validation=data.validation, callbacks=callbacks
    )
    unfreeze_layers(frozen)
    fitted = Fitted(
        classes=data.classes,
        class_names=_names_of(data.classes, classifier, before),
        image_shape=data.shape,
        compute_dtype=compute_dtype,
        history=history,
        best_epoch=best_epoch,
        threads=threads_of_arithmetic(),
    )
    if keras.distribution.distribution() is not None:  # Keras would predict on all devices together
        with undistributed():
            network, _ = rebuild_network(
                fitted, architecture, network.get_weights(), compute_dtype=compute_dtype
            )
    return fitted, architecture, network


def _trained_network(classifier: EmotionClassifier) -> TrainedNetwork | None:
    """Return what ``warm_start`` begins with; None where a fit begins anew."""
    if begins_trained(classifier):
        return TrainedNetwork(
            model=classifier.model_,
            classes=classifier.classes_,
            class_names=classifier.class_names_,
        )
    freeze, params = classifier.freeze, classifier.model_params or {}
    if freeze is not None and not brings_weights(classifier.model, params):
        raise InvalidInputError(
            f"freeze={freeze!r} keeps layers as they are, which needs trained ones: "
            "begin with from_pretrained or load and set warm_start=True, or take a backbone's "
            "weights: model='transfer'; a clone, as cross_val_score makes, has none, and "
            "copy.deepcopy(classifier) has"
        )
    return None


def _names_of(
    classes: NDArray[Any], classifier: EmotionClassifier, before: TrainedNetwork | None
) -> tuple[str, ...]:
    if before is not None and classifier.class_names is None and classes is before.classes:
        return before.class_names
    return name_classes(classes, asked=classifier.classes, class_names=classifier.class_names)
