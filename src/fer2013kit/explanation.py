"""Which part of an image speaks for a class: HiResCAM and Grad-CAM."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from keras import ops
from sklearn.utils.validation import check_is_fitted

from fer2013kit._checks import check_choice
from fer2013kit._gradient import gradient_of
from fer2013kit._image_input import pixel_converter
from fer2013kit._keras_settings import check_gradients, keras_settings
from fer2013kit._labels import codes_in
from fer2013kit._layers import MAP_AXES, replaced_call, walk_layers
from fer2013kit.classifier import EmotionClassifier
from fer2013kit.classifier._inputs import read_images
from fer2013kit.exceptions import InvalidInputError, did_you_mean, shown
from fer2013kit.typing import ExplanationMethod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from fer2013kit._checks import IntArray

_BATCH: Final = 64
_SMALLEST: Final = 1e-30
"""Probabilities below count as this much: float32 rounds them to 0, which has no logarithm."""
_one_at_a_time: Final = threading.Lock()


@dataclass(frozen=True)
class _Call:
    """One layer's call, met on the way through a network."""

    layer: Any
    number: int
    shape: tuple[int, ...]
    dtype: str


def explain(
    classifier: EmotionClassifier,
    X: ArrayLike,
    *,
    emotion: Any = None,
    layer: str | None = None,
    method: ExplanationMethod = "hires_cam",
) -> NDArray[np.float32]:
    """Return heat maps of what supports a class: HiResCAM or Grad-CAM.

    A map is the sum of a layer's channels, each weighted by the gradient of the class's score;
    negative values are set to 0, and the map is resized to the image, or to what is left of it
    where the network begins with a ``Cropping2D``, as the kit's do.  Grad-CAM [1]_ uses each
    channel's mean gradient; HiResCAM [2]_ uses the gradient of every cell.  Both are the same if
    the network averages over the map; if a dense layer reads it cell by cell, as in the five-layer
    CNN, only HiResCAM is faithful to what the network computes.

    The score is the class's log-probability minus the mean log-probability of all classes: the
    logit, up to a constant that the softmax cancels.

    Parameters
    ----------
    classifier : EmotionClassifier or GridSearchCV or the like over one
        Fitted, with a network of any architecture that has a layer with a spatial map, on the
        TensorFlow, JAX or torch backend of Keras.
    X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
        Images, as for :meth:`EmotionClassifier.predict_proba`.
    emotion : int, str, or array_like of them, shape (n,), optional
        The class to explain, for all images or for each: a label of ``classes_`` or a name of
        ``class_names_``.  Default: the predicted class of each image.
    layer : str, optional
        Name of the layer whose map to use, including layers of nested models.  Default: the last
        one with a map of more than one cell.
    method : {"hires_cam", "grad_cam"}, default "hires_cam"
        How channels are weighted.

    Returns
    -------
    ndarray of float32, shape (n, 48, 48)
        Heat in [0, 1]: 1 at the hottest point of each image; 0 everywhere if nothing supports the
        class.

    Raises
    ------
    InvalidInputError
        For another kind of classifier, images of another shape or range, an unknown class,
        layer or method, a layer without a spatial map, a network that has none, or another
        Keras backend.
    sklearn.exceptions.NotFittedError
        Before ``fit``.

    See Also
    --------
    plot_explanation : Draws the heat.

    Notes
    -----
    A map has the resolution of its layer: 6x6 cells of 7 pixels in the five-layer CNN.

    References
    ----------
    .. [1] R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh and D. Batra, "Grad-CAM:
       Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017.
    .. [2] R. L. Draelos and L. Carin, "Use HiResCAM instead of Grad-CAM for faithful
       explanations of convolutional neural networks", arXiv:2011.08891, 2020.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> clf = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
    >>> X = fk.make_fer2013(n_samples=14, random_state=0).train.images
    >>> fk.explain(clf, X[:2], emotion="happy").shape
    (2, 48, 48)
    """
    searched: Any = classifier
    classifier = getattr(searched, "best_estimator_", searched)
    if not isinstance(classifier, EmotionClassifier):
        raise InvalidInputError(
            "explain needs the gradients of a Keras network: classifier must be an "
            f"EmotionClassifier; received {type(classifier).__name__}"
        )
    check_gradients("explain")
    check_choice("method", method, ExplanationMethod)
    check_is_fitted(classifier)
    images = read_images(classifier, X)
    if emotion is None and classifier.calibrator_ is not None:  # which may change the answer
        emotion = classifier.predict(X)
    to_pixels = pixel_converter(classifier.value_range)
    columns = None if emotion is None else _columns(classifier, emotion, len(images))
    network, shape = classifier.model_, classifier.image_shape_
    maps: NDArray[np.float32] = np.zeros((len(images), *shape[:2]), np.float32)
    with _one_at_a_time, keras_settings():
        calls = _calls(network, shape)
        call = _choose(calls, layer)
        seen = maps[:, *_inside_of_border(calls, shape)]
        for start in range(0, len(images), _BATCH):
            rows = slice(start, start + _BATCH)
            batch = np.asarray(to_pixels(images[rows]), np.float32)
            wanted = None if columns is None else columns[rows]
            heat = _heat(*_gradient(network, call, batch, wanted), method)
            stretched = ops.image.resize(heat, seen.shape[1:], data_format="channels_last")
            seen[rows] = ops.convert_to_numpy(stretched)[..., 0]
    highest = maps.max(axis=(1, 2), keepdims=True)
    np.divide(maps, highest, out=maps, where=highest > 0)
    return maps


def _heat(
    channels: NDArray[np.float32], gradient: NDArray[np.float32], method: ExplanationMethod
) -> NDArray[np.float32]:
    """Return what a layer's channels say for the class, (n, height, width, 1)."""
    if method == "grad_cam":
        gradient = gradient.mean(axis=(1, 2), keepdims=True)
    heat: NDArray[np.float32] = np.maximum((gradient * channels).sum(axis=3, keepdims=True), 0)
    return heat


def _inside_of_border(calls: Sequence[_Call], shape: tuple[int, int, int]) -> tuple[slice, slice]:
    """Return which rows and columns of an image a network sees that cuts off a border first."""
    first = calls[0].layer
    if not isinstance(first, keras.layers.Cropping2D):
        return slice(None), slice(None)
    (top, bottom), (left, right) = first.cropping
    return slice(top, shape[0] - bottom), slice(left, shape[1] - right)


def _columns(classifier: EmotionClassifier, emotion: Any, n_samples: int) -> IntArray:
    """Return the column of ``predict_proba`` that is asked for in each row."""
    asked = np.asarray(emotion, dtype=object)
    if asked.ndim and asked.shape != (n_samples,):
        raise InvalidInputError(
            f"emotion must be one class or one for each of {n_samples} images; "
            f"received shape {asked.shape}"
        )
    labels, names = classifier.classes_, classifier.class_names_
    # One by one: labels and names may stand side by side.
    columns = [codes_in([one], labels, names, name="emotion") for one in asked.ravel()]
    return np.broadcast_to(np.concatenate(columns), n_samples)


def _gradient(
    network: Any, call: _Call, batch: NDArray[np.float32], columns: IntArray | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a layer's output and the gradient of the score by it, (n, height, width, channels).

    The gradient by a layer's output is the gradient by zeros that are added to it, which every
    backend can tell, whatever kind of model the layer stands in.
    """

    def score(added: Any) -> tuple[Any, Any]:
        maps: list[Any] = []

        def add(outputs: Any) -> Any:
            maps.append(outputs)
            return outputs + added if len(maps) == call.number else outputs

        with _watched(call.layer, add):
            probabilities = network(batch, training=False)
        wanted = ops.argmax(probabilities, axis=1) if columns is None else columns
        logs = ops.log(ops.maximum(ops.cast(probabilities, "float32"), _SMALLEST))
        centered = logs - ops.mean(logs, axis=1, keepdims=True)
        return ops.sum(centered * ops.one_hot(wanted, logs.shape[1])), maps[call.number - 1]

    zeros = ops.zeros((len(batch), *call.shape[1:]), call.dtype)
    gradient, channels = gradient_of(score, zeros)
    return _to_float32(channels), _to_float32(gradient)


def _to_float32(tensor: Any) -> NDArray[np.float32]:
    array: NDArray[np.float32] = ops.convert_to_numpy(ops.cast(tensor, "float32"))
    return array


def _calls(network: Any, image_shape: tuple[int, int, int]) -> list[_Call]:
    """Return the calls of layers whose output is a spatial map, in the order they are made."""
    calls: list[_Call] = []
    times: dict[int, int] = {}
    with ExitStack() as stack:
        for layer in walk_layers(network.layers):

            def record(outputs: Any, layer: Any = layer) -> Any:
                times[id(layer)] = times.get(id(layer), 0) + 1
                shape = tuple(getattr(outputs, "shape", ()))
                if len(shape) == MAP_AXES and shape[1] * shape[2] > 1:
                    dtype = keras.backend.standardize_dtype(outputs.dtype)
                    calls.append(_Call(layer, times[id(layer)], shape, dtype))
                return outputs

            stack.enter_context(_watched(layer, record))
        network(np.zeros((1, *image_shape), np.float32), training=False)
    return calls


def _choose(calls: Sequence[_Call], name: str | None) -> _Call:
    """Return the last call of the layer of that name, or of the last layer behind weights."""
    if name is not None:
        if not isinstance(name, str):
            raise InvalidInputError(f"layer must be a layer's name; received {shown(name)}")
        known = list(dict.fromkeys(call.layer.name for call in calls))
        for call in reversed(calls):
            if call.layer.name == name:
                return call
        raise InvalidInputError(
            f"layer must be one with a spatial map{did_you_mean(name, known)}; "
            f"there are: {', '.join(known) or 'none'}; received {shown(name)}"
        )
    # Before the first weights there is only the image itself, rescaled or cropped.
    if not any(call.layer.weights for call in calls):
        raise InvalidInputError(
            "explain needs a layer with a spatial map, (n, height, width, channels) with more "
            "than one cell, as convolutions have it; this network has none"
        )
    return calls[-1]


@contextmanager
def _watched(layer: Any, observe: Callable[[Any], Any]) -> Iterator[None]:
    """Let a function see, and replace, what a layer returns to this thread."""
    me, call = threading.get_ident(), layer.call

    def watched(*args: Any, **kwargs: Any) -> Any:
        outputs = call(*args, **kwargs)
        return observe(outputs) if threading.get_ident() == me else outputs

    with replaced_call(layer, watched):
        yield
