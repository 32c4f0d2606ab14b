"""Architectures: a registry of builders, the five-layer CNN and a deeper one.

A builder is any callable ``(input_shape, num_classes, **params) -> uncompiled keras.Model`` that
takes pictures with values in [0, 255] and returns class probabilities.
"""

from fer2013kit.models import _five_layer_cnn as _five_layer_cnn  # registers its builder
from fer2013kit.models import _residual_cnn as _residual_cnn  # the same
from fer2013kit.models._registry import (
    create_model,
    list_models,
    register_model,
    resolve_builder,
    unregister_model,
)

__all__ = ["create_model", "list_models", "register_model", "resolve_builder", "unregister_model"]
