"""average_weights: one network in the middle of several of the same architecture."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from fer2013kit._checks import check_whole
from fer2013kit._image_input import pixel_converter, read_pictures
from fer2013kit._keras_settings import keras_settings
from fer2013kit._layers import walk_layers
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from fer2013kit.classifier import EmotionClassifier


def average_weights(
    classifiers: Sequence[EmotionClassifier], X: ArrayLike, *, batch_size: int = 256
) -> EmotionClassifier:
    """Return a classifier whose weights are the mean of several, as large as one of them.

    They must be on one way: fitted from the same weights (``warm_start``), or epochs of one run.
    Of networks that were trained from different beginnings, the mean knows nothing; average their
    answers with an :class:`EnsembleClassifier`.  Batch normalisation is measured anew on `X`, since
    the mean network has other activations than any of them.

    Parameters
    ----------
    classifiers : sequence of EmotionClassifier
        Fitted, with the same architecture and classes.  They stay as they are.
    X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
        Images of the training set, some thousands; labels are not needed.
    batch_size : int, default 256
        Images of a measurement.

    Returns
    -------
    EmotionClassifier
        With the settings of the first one, and not calibrated.

    Raises
    ------
    InvalidInputError
        For fewer than two, classifiers that are not fitted or differ in shape or classes, or a
        batch size below 1.

    See Also
    --------
    EnsembleClassifier : Averages probabilities instead.

    References
    ----------
    P. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI
    2018.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).train
    >>> clf = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
    >>> fk.average_weights([clf, clf], X).predict(X).shape
    (56,)
    """
    batch_size = check_whole("batch_size", batch_size)
    classifiers = list(classifiers) if isinstance(classifiers, Iterable) else [classifiers]
    if len(classifiers) < 2:  # noqa: PLR2004 - a mean of one is that one
        raise InvalidInputError(
            f"there must be at least two classifiers; received {len(classifiers)}"
        )
    for place, one in enumerate(classifiers):
        if not hasattr(one, "model_"):
            raise InvalidInputError(
                f"classifiers must be fitted EmotionClassifiers; received {shown(one)} as number "
                f"{place}"
            )
    every = [one.model_.get_weights() for one in classifiers]
    first = classifiers[0]
    for place, (one, weights) in enumerate(zip(classifiers, every, strict=True)):
        same = [weight.shape for weight in weights] == [weight.shape for weight in every[0]]
        same_classes = np.array_equal(one.classes_, first.classes_)
        if not (same and same_classes and one.class_names_ == first.class_names_):
            raise InvalidInputError(
                "classifiers must have one architecture and the same classes with the same names; "
                f"number {place} has others than the first"
            )
    mean = copy.deepcopy(first)
    mean.temperature_, mean.calibrator_, mean.calibration_ = 1.0, None, None
    mean.metrics_, mean.history_, mean.best_epoch_ = None, {}, None
    mean.model_.set_weights([np.mean(same, axis=0) for same in zip(*every, strict=True)])
    images = read_pictures(X, mean.image_shape_, mean.value_range)
    with keras_settings():
        _measure_normalization(mean.model_, images, pixel_converter(mean.value_range), batch_size)
    # Compiled for its weights, which are others now.
    mean._take(mean._fitted(), mean._architecture, mean.model_)  # noqa: SLF001 - of this package
    return mean


def _measure_normalization(network: Any, images: Any, to_pixels: Any, batch_size: int) -> None:
    """Let every batch normalisation take the mean over all batches for its statistics."""
    layers = [
        layer
        for layer in walk_layers(network.layers)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    try:
        for number, start in enumerate(range(0, len(images), batch_size)):
            for layer in layers:
                layer.momentum = number / (number + 1)
            batch = to_pixels(images[start : start + batch_size])
            network(ops.convert_to_tensor(batch, "float32"), training=True)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
