"""Batch normalisation folded into the layer before it, for prediction.

Once trained, batch normalisation is a factor and a term for each channel, and both can go into the
weights of the convolution or dense layer that it follows (Jacob et al., CVPR 2018, section 3.2).
What is left out is a pass or more over the activations, which on a CPU is a fifth of the time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

Affine = tuple[NDArray[np.float32], NDArray[np.float32]]
"""What a normalisation multiplies by and adds, for each channel."""

_PRODUCTS = (layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.Dense)
_NOTHING = {id(None), id(False)}
"""Arguments that say nothing; tensors are not to be asked whether they are false."""
_MAXIMA = (layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D)


def fold_normalization(model: Any) -> Any:
    """Return a layer that predicts as a network does, with its batch normalisation folded.

    It shares the network's variables and reads them at every call, except for those of the folded
    normalisations, whose values are those of now.  It is called with ``training=False``.  A network
    whose layers are run by code of its own is returned as it is.
    """
    graph = getattr(model, "_functional", model)  # what a Sequential runs
    keras_runs_it = type(model).__module__.startswith("keras.") and isinstance(
        graph, keras.Function
    )
    if not keras_runs_it or not hasattr(graph, "_run_through_graph"):
        return model
    affine = {
        id(layer): _affine(layer)
        for layer in graph.operations
        if type(layer) is layers.BatchNormalization
    }
    return _FoldedNetwork(model, graph, affine) if affine else model


def _affine(norm: Any) -> Affine:
    scale = 1.0 / np.sqrt(np.asarray(norm.moving_variance.numpy(), np.float32) + norm.epsilon)
    if norm.scale:
        scale = scale * norm.gamma.numpy()
    shift = -norm.moving_mean.numpy() * scale
    if norm.center:
        shift = shift + norm.beta.numpy()
    return scale.astype(np.float32), shift.astype(np.float32)


class _FoldedNetwork(layers.Layer):  # type: ignore[misc]  # Keras carries no types
    def __init__(self, model: Any, graph: Any, affine: dict[int, Affine]) -> None:
        super().__init__(dtype=model.dtype_policy, autocast=model.autocast, name=model.name)
        self._model = model
        # In a tuple, which Keras does not search, a Sequential's network is not found twice.
        self._graph = (graph,)
        self._affine = affine
        self.built = True

    def call(self, images: Any, training: bool | None = None) -> Any:
        del training  # goes on to the layers through Keras's context
        (graph,) = self._graph
        outputs = graph._run_through_graph(  # noqa: SLF001 - clone_model is its only public form, and makes new layers
            [images], call_fn=_Folding(self._affine)
        )
        return outputs[0] if isinstance(outputs, list) else outputs


@dataclass(frozen=True)
class _Product:
    """What a layer multiplied, and what has happened to the product since."""

    layer: Any
    inputs: Any
    output: Any
    """Kept so that its id stays its own while the network is run."""
    affine: Affine | None = None
    pool: Any = None

    def run(self, affine: Affine, activation: Any = None) -> Any:
        """Return the product with factors and terms in its weights, activated and pooled.

        A rising activation may come before max-pooling as well as after it; before it, it is part
        of the convolution's own loop.
        """
        scale, shift = affine
        layer = self.layer
        # As tensors: inside of a trace NumPy cannot multiply a variable from the left.
        kernel = ops.multiply(ops.convert_to_tensor(layer.kernel), scale)
        if layer.use_bias:
            shift = ops.add(ops.multiply(ops.convert_to_tensor(layer.bias), scale), shift)
        kernel, shift, inputs = (
            ops.cast(part, layer.compute_dtype) for part in (kernel, shift, self.inputs)
        )
        if isinstance(layer, layers.Dense):
            outputs = ops.matmul(inputs, kernel)
        else:
            outputs = layer.convolution_op(inputs, kernel)
        outputs = ops.add(outputs, shift)
        if activation is not None:
            outputs = activation(outputs)
        return outputs if self.pool is None else self.pool(outputs)


class _Folding:
    """Calls a network's operations one after another.

    A normalisation is replaced by the product before it with other weights; the product itself is
    computed as well, but in a compiled function nobody waits for it and it falls away.
    """

    def __init__(self, affine: dict[int, Affine]) -> None:
        self._affine = affine
        self._products: dict[int, _Product] = {}

    def __call__(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        if "training" in kwargs:
            kwargs["training"] = False
        if len(args) != 1 or not set(map(id, kwargs.values())) <= _NOTHING:
            return operation(*args, **kwargs)
        (inputs,) = args
        product = self._products.get(id(inputs))
        if product is None:
            outputs = operation(inputs, **kwargs)
            if _is_plain_product(operation):
                self._remember(_Product(operation, inputs, outputs))
            return outputs
        if (affine := self._foldable(operation, product)) is not None:
            return self._remember(replace(product, output=product.run(affine), affine=affine))
        if product.affine is not None and _is_plain_relu(operation, product.layer.compute_dtype):
            return product.run(product.affine, ops.relu)
        outputs = operation(inputs, **kwargs)
        if type(operation) in _MAXIMA and product.pool is None:
            self._remember(replace(product, output=outputs, pool=operation))
        elif _is_plain_product(operation):
            self._remember(_Product(operation, inputs, outputs))
        return outputs

    def _remember(self, product: _Product) -> Any:
        self._products[id(product.output)] = product
        return product.output

    def _foldable(self, operation: Any, product: _Product) -> Affine | None:
        """Return the factors and terms of a normalisation that goes into a product."""
        affine = self._affine.get(id(operation))
        if (
            affine is None
            or product.affine is not None
            or operation.axis not in (-1, len(product.output.shape) - 1)
            or operation.compute_dtype != product.layer.compute_dtype
        ):
            return None
        if product.pool is not None and (affine[0] < 0).any():
            return None  # the greatest of the products is then not the greatest of the outputs
        return affine


def _is_plain_product(operation: Any) -> bool:
    return (
        type(operation) in _PRODUCTS
        and operation.activation is keras.activations.linear
        and operation.quantization_mode is None
        and getattr(operation, "data_format", "channels_last") == "channels_last"
    )


def _is_plain_relu(operation: Any, dtype: str) -> bool:
    if type(operation) is layers.ReLU:
        settings = (operation.max_value, operation.negative_slope, operation.threshold)
        plain = settings == (None, 0, 0)
    else:
        plain = type(operation) is layers.Activation and (
            operation.activation is keras.activations.relu
        )
    return plain and operation.compute_dtype == dtype
