"""The names under which architectures are known."""

from __future__ import annotations

import re
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from fer2013kit._checks import check_flags, check_whole, is_flag, is_shape
from fer2013kit._optional import needed
from fer2013kit.emotions import IMAGE_SHAPE, NUM_CLASSES
from fer2013kit.exceptions import (
    Fer2013KitError,
    InvalidInputError,
    UnknownModelError,
    shortened,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import keras

    from fer2013kit.typing import ModelBuilder

_Builder = TypeVar("_Builder", bound="ModelBuilder")

_builders: dict[str, ModelBuilder] = {}
_PLACE: Final = re.compile(r"^\{\{function_node .*?\}\} ")
"""What TensorFlow says before it says what is wrong."""


@overload
def register_model(name: str, *, overwrite: bool = False) -> Callable[[_Builder], _Builder]: ...
@overload
def register_model(name: str, builder: _Builder, *, overwrite: bool = False) -> _Builder: ...
def register_model(
    name: str, builder: ModelBuilder | None = None, *, overwrite: bool = False
) -> Any:
    """Make an architecture known under a name.

    Parameters
    ----------
    name : str
        The name for :func:`create_model` and ``EmotionClassifier(model=name)``.
    builder : callable, optional
        ``(input_shape, num_classes, **params) -> uncompiled keras.Model``.  The network takes
        images with values in [0, 255] and returns probabilities ``(n, num_classes)``.
        Left out, a decorator is returned.
    overwrite : bool, default False
        Take the place of another builder of that name.  A function that is defined again, as when
        a notebook's cell runs twice, takes its own place without.

    Returns
    -------
    callable
        The builder itself, or the decorator that registers one.

    Raises
    ------
    InvalidInputError
        If the name is taken by another builder, or the builder cannot be called.

    See Also
    --------
    unregister_model : Removes it.
    list_models : The names there are.

    Examples
    --------
    >>> import keras
    >>> import fer2013kit as fk
    >>> @fk.register_model("tiny_net")
    ... def tiny_net(input_shape=(48, 48, 1), num_classes=7, units=8):
    ...     return keras.Sequential([
    ...         keras.Input(input_shape),
    ...         keras.layers.Rescaling(1 / 255),
    ...         keras.layers.Flatten(),
    ...         keras.layers.Dense(units, activation="relu"),
    ...         keras.layers.Dense(num_classes, activation="softmax", dtype="float32"),
    ...     ])
    >>> fk.create_model("tiny_net").output_shape
    (None, 7)
    """
    check_flags(overwrite=overwrite)
    if not isinstance(name, str):
        raise InvalidInputError(f"name must be a word; received {shown(name)}")
    if builder is None:
        return lambda function: register_model(name, function, overwrite=overwrite)
    if not callable(builder):
        raise InvalidInputError(f"builder must be callable; received {shown(builder)}")
    before = _builders.get(name, builder)
    if not overwrite and _origin(before) != _origin(builder):
        raise InvalidInputError(
            f"a model named {name!r} is registered already, by {'.'.join(_origin(before))}; choose "
            "another name, or set overwrite=True"
        )
    _builders[name] = builder
    return builder


def unregister_model(name: str) -> None:
    """Remove an architecture that :func:`register_model` added.

    Parameters
    ----------
    name : str
        Its name.

    Raises
    ------
    UnknownModelError
        For a name that is not registered.

    See Also
    --------
    register_model : Adds it.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> _ = fk.register_model("mine", lambda input_shape, num_classes: ...)
    >>> fk.unregister_model("mine")
    >>> "mine" in fk.list_models()
    False
    """
    if name not in _builders:
        raise UnknownModelError(name, known=_builders)
    del _builders[name]


def _origin(builder: ModelBuilder) -> tuple[str, str]:
    """Return the module and the name that a builder was defined under."""
    kind = builder if hasattr(builder, "__qualname__") else type(builder)
    return kind.__module__, kind.__qualname__


def list_models() -> list[str]:
    """Return the names of all registered architectures, sorted.

    Returns
    -------
    list of str
        Names that :func:`create_model` takes.

    See Also
    --------
    create_model : Builds one.
    list_pretrained : Those that come trained.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> "five_layer_cnn" in fk.list_models()
    True
    """
    return sorted(_builders)


def resolve_builder(model: str | ModelBuilder) -> tuple[str, ModelBuilder]:
    """Return the name and the builder of a model given as either.

    A builder that is not registered has its ``__qualname__`` for a name.

    Raises
    ------
    UnknownModelError
        For a name that is not registered.
    InvalidInputError
        For neither a name nor a callable.

    Examples
    --------
    >>> from fer2013kit.models import resolve_builder
    >>> resolve_builder("five_layer_cnn")[0]
    'five_layer_cnn'
    """
    if isinstance(model, str):
        if model not in _builders:
            raise UnknownModelError(model, known=_builders)
        return model, _builders[model]
    if hasattr(model, "get_weights") and not isinstance(model, type):
        raise InvalidInputError(
            "model must be a function that builds the network, so that every fit begins anew; "
            f"received the network {getattr(model, 'name', model)!r} itself: pass "
            "lambda input_shape, num_classes: keras.models.clone_model(network), which begins with "
            "new weights, or lambda input_shape, num_classes: network, which keeps its own"
        )
    if not callable(model):
        raise InvalidInputError(
            f"model must be a registered name ({', '.join(list_models())}) or a callable "
            f"(input_shape, num_classes, **params) -> keras.Model; received {shown(model)}"
        )
    for name, builder in _builders.items():
        if builder is model:
            return name, builder
    return getattr(model, "__qualname__", type(model).__qualname__), model


def is_of_the_kit(builder: ModelBuilder) -> bool:
    """Tell whether an architecture is one of this package's own."""
    return builder.__module__.startswith("fer2013kit.")


def create_model(
    model: str | ModelBuilder = "five_layer_cnn",
    *,
    input_shape: tuple[int, int, int] = IMAGE_SHAPE,
    num_classes: int = NUM_CLASSES,
    output: str | None = None,
    **params: Any,
) -> keras.Model:
    """Build an architecture by its name.

    Parameters
    ----------
    model : str or callable, default "five_layer_cnn"
        A registered name (see :func:`list_models`) or a builder.
    input_shape : tuple of int, default (48, 48, 1)
        Height, width and channels.
    num_classes : int, default 7
        Number of classes.
    output : str, optional
        Of several outputs, the name of the one that is the answer: its key, or its layer's name.
        By default the first one of fitting shape.
    **params
        Passed on to the builder, for instance ``filters=(32, 64, 128)``.

    Returns
    -------
    keras.Model
        Uncompiled; takes images ``(n, height, width, channels)`` with values in [0, 255]
        (scaling is its own layer) and returns probabilities ``(n, num_classes)``.  Logits were
        given a softmax, an unbuilt network its input, and of several outputs one is the
        answer; a log record says so.

    Raises
    ------
    UnknownModelError
        For an unknown name.
    InvalidInputError
        For parameters that the builder refuses, or a result that is no Keras model of that shape.

    See Also
    --------
    list_models : The names there are.
    register_model : Adds one.
    EmotionClassifier : Trains them.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> model = fk.create_model("five_layer_cnn", filters=(8, 16, 32), dense_units=32)
    >>> model.output_shape
    (None, 7)
    """
    with needed("create_model"):
        import keras

        from fer2013kit._keras_settings import keras_settings
        from fer2013kit.models._completion import complete_network

    name, builder = resolve_builder(model)
    num_classes = check_whole("num_classes", num_classes)
    if not is_shape(input_shape):
        raise InvalidInputError(
            "input_shape must be height, width and channels, whole numbers from 1; received "
            f"{shown(input_shape)}"
        )
    # Images have their channels last, whatever keras.json says.
    with keras_settings(keras.config.dtype_policy()):
        network = _call(name, builder, params, input_shape=input_shape, num_classes=num_classes)
        return complete_network(
            network, name=name, input_shape=input_shape, num_classes=num_classes, output=output
        )


def _call(name: str, builder: ModelBuilder, params: Mapping[str, Any], **sizes: Any) -> keras.Model:
    """Return what a builder makes; what it refuses becomes an error of this package."""
    import keras

    is_ours = is_of_the_kit(builder)
    for key, value in params.items() if is_ours else ():  # no parameter of the kit's own is a flag
        if any(map(is_flag, value if isinstance(value, list | tuple) else [value])):
            raise InvalidInputError(f"{key} must be no flag; received {shown(value)}")
    try:
        network = builder(**sizes, **params)
    except Fer2013KitError:
        raise
    except Exception as error:
        if keras.backend.backend() != "torch" and _is_of_torch(error):
            raise InvalidInputError(
                f"the builder of {name!r} wraps a module of torch, which needs Keras's backend to "
                "be 'torch': KERAS_BACKEND=torch in the environment, before Keras is imported; "
                f"received {keras.backend.backend()!r}"
            ) from error
        if not _is_refusal(error, is_ours=is_ours):
            raise
        why = shortened(_PLACE.sub("", str(error)))
        raise InvalidInputError(
            f"the builder of {name!r} refuses its arguments {shown(params)}: {why}"
            f"{_way_to_call(builder, error)}"
        ) from error
    if not isinstance(network, keras.Model):
        raise InvalidInputError(
            f"the builder of {name!r} must return a keras.Model; received {type(network).__name__}"
        )
    return network


def _is_refusal(error: Exception, *, is_ours: bool) -> bool:
    """Tell whether an error is about a builder's arguments; of people's own, any other may be.

    For sizes beyond all memory, TensorFlow raises an error of its own, and JAX and torch
    RuntimeError.
    """
    if isinstance(error, TypeError):
        return True
    of_backend = type(error).__module__.startswith("tensorflow.")
    return is_ours and (of_backend or isinstance(error, ValueError | RuntimeError))


def _way_to_call(builder: ModelBuilder, error: Exception) -> str:
    if isinstance(builder, type):
        return (
            "; a class is called as a builder is: pass a function that makes its object, "
            f"lambda input_shape, num_classes: {builder.__name__}(...)"
        )
    if "input_shape" in str(error) or "num_classes" in str(error):
        return "; it is called with input_shape=, num_classes= and model_params by their names"
    return ""


def _is_of_torch(error: Exception) -> bool:
    """Tell whether it was raised where Keras wraps a module of torch."""
    import keras

    where = keras.layers.TorchModuleWrapper.__module__
    return any(frame.f_globals["__name__"] == where for frame, _ in walk_tb(error.__traceback__))
