"""Architectures: a registry of builders, the five-layer CNN and deeper ones.

A builder is any callable ``(input_shape, num_classes, **params) -> uncompiled keras.Model`` that
takes images with values in [0, 255] and returns class probabilities.
"""

# Each registers its builder.
from fer2013kit.models import _deep_cnn as _deep_cnn
from fer2013kit.models import _five_layer_cnn as _five_layer_cnn
from fer2013kit.models import _preact_resnet as _preact_resnet
from fer2013kit.models import _residual_cnn as _residual_cnn
from fer2013kit.models import _vgg_10 as _vgg_10
from fer2013kit.models._registry import (
    create_model,
    is_of_the_kit,
    list_models,
    register_model,
    resolve_builder,
    unregister_model,
)
from fer2013kit.models._transfer import brings_weights, without_pretrained_weights

__all__ = [
    "brings_weights",
    "create_model",
    "is_of_the_kit",
    "list_models",
    "register_model",
    "resolve_builder",
    "unregister_model",
    "without_pretrained_weights",
]
