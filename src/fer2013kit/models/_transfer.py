"""Transfer learning: a network that knows images from elsewhere, and a new end for faces."""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from fer2013kit._checks import check_choice
from fer2013kit.emotions import IMAGE_SHAPE, NUM_CLASSES
from fer2013kit.exceptions import (
    InvalidInputError,
    ModelFileError,
    did_you_mean,
    shortened,
    shown,
)
from fer2013kit.models._parts import classify
from fer2013kit.models._registry import is_of_the_kit, register_model, resolve_builder
from fer2013kit.typing import Preprocessing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import keras

    from fer2013kit.typing import ModelBuilder

IMAGENET: Final = "imagenet"
_SIZE: Final = 96
_COLOURS: Final = 3
_LEVELS: Final = 255.0
_MAP_AXES: Final = 4  # of (n, height, width, channels)

_wanted: ContextVar[bool] = ContextVar("pretrained weights are wanted", default=True)


@register_model("transfer")
def transfer(
    input_shape: tuple[int, int, int] = IMAGE_SHAPE,
    num_classes: int = NUM_CLASSES,
    *,
    backbone: str | Callable[..., keras.Model] | keras.Model = "MobileNetV2",
    weights: str | os.PathLike[str] | None = IMAGENET,
    size: int | None = None,
    preprocessing: Preprocessing = "auto",
    dropout: float = 0.2,
    backbone_params: Mapping[str, Any] | None = None,
) -> Any:
    """Build a network on a backbone that was trained on other images.

    Images are resized, grey becomes colour, and pixels are scaled as the backbone is used to, all
    inside; behind it stand global average pooling, dropout and one new layer.  The backbone is one
    layer, ``"backbone"``, so that ``freeze="backbone"`` trains the new end alone.

    Parameters
    ----------
    input_shape : tuple of int, default (48, 48, 1)
        Height, width and channels; values are expected in [0, 255].
    num_classes : int, default 7
        Width of the last layer.
    backbone : str, callable or keras.Model, default "MobileNetV2"
        A name in ``keras.applications``; a function ``(input_shape) -> keras.Model`` that returns
        maps or features; or such a network itself, which is copied.
    weights : str, Path or None, default "imagenet"
        What Keras downloads for a name; the path of a file of weights; or None for random ones.
        A function and a network bring their own, unless it is a path.
    size : int, optional
        Rows and columns of the images that the backbone sees: by default 96, or what a network
        itself was made for.
    preprocessing : {"auto", "none", "tf", "torch", "caffe"}, default "auto"
        What pixels in [0, 255] become: what ``keras.applications`` says of a name and nothing for
        what is no name, nothing, [-1, 1], ImageNet's mean 0 and deviation 1, or blue, green, red
        with ImageNet's mean 0.
    dropout : float in [0, 1), default 0.2
        Dropped before the last layer.
    backbone_params : dict, optional
        Passed on to the backbone, for instance ``{"alpha": 0.35}``.

    Returns
    -------
    keras.Model
        Uncompiled; probabilities in float32.

    Raises
    ------
    InvalidInputError
        For an unknown name, a backbone of another shape, or one that refuses its arguments.
    ModelFileError
        Where the weights cannot be downloaded or read; the message says what to fetch.
    """
    import keras
    from keras import layers

    check_choice("preprocessing", preprocessing, Preprocessing)
    network, modes = _make_backbone(backbone, weights, size, dict(backbone_params or {}))
    if preprocessing != "auto":
        modes = preprocessing
    height, width, channels = network.input_shape[1:]
    height, width = height or size or _SIZE, width or size or _SIZE

    inputs = x = keras.Input(input_shape, name="images")
    if (height, width) != tuple(input_shape[:2]):
        x = layers.Resizing(height, width, name="resize")(x)
    if channels == _COLOURS and input_shape[2] == 1:
        x = layers.Concatenate(name="colour")([x, x, x])
    elif channels != input_shape[2]:
        raise InvalidInputError(
            f"the backbone takes images of {channels} channels; received {input_shape}"
        )
    x = _preprocess(x, modes)
    x = keras.Model(network.inputs, network.outputs[0], name="backbone")(x)
    if len(x.shape) == _MAP_AXES:
        x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, classify(x, num_classes, "dense"), name="transfer")


@contextmanager
def without_pretrained_weights() -> Iterator[None]:
    """Build networks whose weights are set right afterwards: nothing is downloaded or read."""
    token = _wanted.set(False)
    try:
        yield
    finally:
        _wanted.reset(token)


def brings_weights(model: str | ModelBuilder, params: Mapping[str, Any]) -> bool:
    """Tell whether a new network may know something: by a backbone, or its user's builder."""
    _, builder = resolve_builder(model)
    if builder is transfer:
        is_named = isinstance(params.get("backbone", ""), str)
        return not is_named or params.get("weights", IMAGENET) is not None
    return not is_of_the_kit(builder)


def _make_backbone(
    backbone: Any, weights: Any, size: int | None, params: dict[str, Any]
) -> tuple[Any, str]:
    """Return a backbone with its weights, and how its pixels are to be scaled."""
    import keras

    name, shape = _name(backbone), (size or _SIZE, size or _SIZE, _COLOURS)
    modes = "none"
    if isinstance(backbone, str):
        make = _application(backbone)
        source = IMAGENET if weights == IMAGENET and _wanted.get() else None
        network = _call(
            lambda: make(include_top=False, weights=source, input_shape=shape, **params), name
        )
        modes = str(make.__module__)
    elif isinstance(backbone, keras.Model):
        network = _copy(backbone)
        if size is not None and network.input_shape[1] not in (None, size):
            raise InvalidInputError(
                f"size={size} cannot be had: the backbone was made for {network.input_shape[1:]}"
            )
    elif callable(backbone):
        network = _call(lambda: backbone(input_shape=shape, **params), name)
    else:
        raise InvalidInputError(
            "backbone must be a name in keras.applications, a function (input_shape) -> "
            f"keras.Model or a keras.Model; received {shown(backbone)}"
        )
    if not isinstance(network, keras.Model) or len(network.outputs[0].shape) not in (2, _MAP_AXES):
        raise InvalidInputError(
            f"the backbone {name!r} must be a keras.Model that returns maps (n, height, "
            f"width, channels) or features (n, k); received {shown(network)}"
        )
    if weights not in (None, IMAGENET) and _wanted.get():
        _read_weights(network, Path(os.fspath(weights)), name)
    return network, modes


def _application(name: str) -> Any:
    import keras

    known = [one for one in dir(keras.applications) if one[0].isupper()]
    if name not in known:
        raise InvalidInputError(
            f"backbone must be a name in keras.applications; received {shown(name)}"
            f"{did_you_mean(name, known) or '; there are ' + ', '.join(known)}"
        )
    return getattr(keras.applications, name)


def _call(make: Callable[[], Any], name: str) -> Any:
    """Return what a backbone's function makes, its errors in the kit's words."""
    try:
        return make()
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"the backbone {name!r} refuses its arguments: {shortened(str(error))}"
        ) from error
    except Exception as error:
        address = re.search(r"URL fetch failure on (\S+?):? ", str(error))
        if address is None:
            raise
        raise ModelFileError(_what_to_fetch(name, address[1], str(error))) from error


def _what_to_fetch(name: str, address: str, reason: str) -> str:
    file = address.rpartition("/")[2]
    cache = Path(os.environ.get("KERAS_HOME", "~/.keras"))
    return (
        f"the ImageNet weights of {name} could not be downloaded ({reason.rpartition(' -- ')[2]}); "
        f"fetch {address} where there is a network and pass weights='FOLDER/{file}', or put it "
        f"into {cache / 'models'}, where Keras looks first; weights=None begins with random ones"
    )


def _copy(network: Any) -> Any:
    import keras

    try:
        copy = keras.models.clone_model(network)
    except Exception as error:
        raise InvalidInputError(
            f"the backbone {network.name!r} cannot be copied, as each fit needs it anew "
            f"({shortened(str(error))}); pass a function that makes it"
        ) from error
    if _wanted.get():
        copy.set_weights(network.get_weights())
    return copy


def _read_weights(network: Any, path: Path, name: str) -> None:
    if not path.is_file():
        raise ModelFileError(
            f"{path}: there is no such file with the weights of {name}; weights must be "
            "'imagenet', None or the path of a file that Keras wrote (.weights.h5, .h5, .keras)"
        )
    try:
        network.load_weights(path)
    except Exception as error:
        raise ModelFileError(
            f"{path}: not the weights of {name} without its top ({shortened(str(error))})"
        ) from error


def _name(backbone: Any) -> str:
    if isinstance(backbone, str):
        return backbone
    return str(getattr(backbone, "name", None) or getattr(backbone, "__name__", backbone))


def _preprocess(x: Any, modes: str) -> Any:
    """Scale pixels in [0, 255]: ``modes`` is one of Keras's words, or the module that knows."""
    import numpy as np
    from keras import applications, layers, ops

    if modes == "none":
        return x
    if modes in get_args(Preprocessing):
        function = applications.imagenet_utils.preprocess_input
        arguments = {"mode": modes, "data_format": "channels_last"}
    else:
        function = sys.modules[modes].preprocess_input
        arguments = {"data_format": "channels_last"}
    # What it does to no light and to each colour alone says all: it scales, shifts and reorders.
    lights = np.zeros((_COLOURS + 1, 1, 1, _COLOURS), np.float32)
    for colour in range(_COLOURS):
        lights[colour + 1, 0, 0, colour] = _LEVELS
    dark, *colours = np.array(function(lights.copy(), **arguments), np.float64)[:, 0, 0]
    change = (np.array(colours) - dark) / _LEVELS
    if change[0, 0] == 0:  # red comes last
        x, change = ops.flip(x, axis=-1), change[::-1]
    scale = np.diagonal(change)
    if (scale == 1).all() and not dark.any():
        return x
    return layers.Rescaling(scale.tolist(), offset=dark.tolist(), name="scale")(x)
