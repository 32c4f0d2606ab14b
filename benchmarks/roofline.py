"""The roofline of a training step (Williams, Waterman & Patterson, CACM 2009).

Work over bytes moved, against the rates at which the machine multiplies matrices and copies
memory: for each weight layer alone, and for the whole step.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_BATCH = 128
_REPEATS = 15
_FLOAT = 4
_WIDTH = {"float32": 4, "bfloat16": 2}
_OPTIMIZER_PASSES = 7  # weight, momentum and average read and written, gradient read


def measure_layers(folder: Path, compute_dtype: str) -> dict[str, float]:
    """Run each weight layer of the default network alone: output and both gradients."""
    del folder
    import fer2013kit as fk

    figures: dict[str, float] = {}
    for name, layer in _weight_layers(fk.create_model()):
        work, traffic = _layer_work(layer), _layer_bytes(layer, _WIDTH[compute_dtype])
        seconds = _seconds(layer, compute_dtype)
        figures[f"{name} GFLOP/s"] = _BATCH * work / seconds / 1e9
        figures[f"{name} FLOP/byte"] = _BATCH * work / traffic
    return figures


def step_bytes(model: Any, compute_dtype: str) -> float:
    """Return the bytes that one image's training step moves at least, layer by layer.

    Each layer reads its input and writes its output, and on the way back reads both and the
    output's gradient and writes the input's; each weight passes through the optimizer once.
    What a cache keeps from one layer to the next, or TensorFlow fuses, moves less.
    """
    activations = sum(
        3 * (math.prod(layer.input.shape[1:]) + math.prod(layer.output.shape[1:]))
        for layer in model.layers
        if type(layer).__name__ not in {"InputLayer", "Flatten", "Dropout"}
    )
    weights = model.count_params() * _FLOAT * _OPTIMIZER_PASSES / _BATCH
    return float(activations * _WIDTH[compute_dtype] + weights)


def _weight_layers(model: Any) -> list[tuple[str, Any]]:
    # The last layer is a thousandth of the work, in float32.
    return [(layer.name, layer) for layer in model.layers if hasattr(layer, "kernel")][:-1]


def _layer_work(layer: Any) -> float:
    """Return one image's floating-point operations: output and gradients."""
    places = math.prod(layer.output.shape[1:-1])
    return float(2 * (2 if _is_first(layer) else 3) * places * math.prod(layer.kernel.shape))


def _layer_bytes(layer: Any, width: int) -> float:
    pixels, outputs = (_BATCH * math.prod(one.shape[1:]) for one in (layer.input, layer.output))
    each = pixels + outputs + math.prod(layer.kernel.shape)
    return float((2 if _is_first(layer) else 3) * each * width)


def _is_first(layer: Any) -> bool:
    """Whether nobody asks for the gradient of the layer's input."""
    return bool(layer.input.shape[-1] == 1)


def _seconds(layer: Any, compute_dtype: str) -> float:
    import tensorflow as tf

    generator = tf.random.Generator.from_seed(0)
    images, kernel, gradient = (
        tf.cast(generator.normal(shape), compute_dtype)
        for shape in (
            (_BATCH, *layer.input.shape[1:]),
            layer.kernel.shape,
            (_BATCH, *layer.output.shape[1:]),
        )
    )
    watched = [kernel] if _is_first(layer) else [kernel, images]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def step(watched: list[Any], images: Any, gradient: Any) -> Any:
        kernel = watched[0]
        images = images if len(watched) == 1 else watched[1]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            convolution = len(kernel.shape) > 2
            outputs = (
                tf.nn.conv2d(images, kernel, 1, layer.padding.upper())
                if convolution
                else tf.matmul(images, kernel)
            )
        return outputs, tape.gradient(outputs, watched, gradient)

    seconds = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        step(watched, images, gradient)[0][0].numpy()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def draw(cases: dict[str, Any], path: Path) -> None:
    """Draw the image from the training topic's cases as they stand in the JSON file."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    bandwidth = _median(cases, "machine: memory", "GB/s")
    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log")
    left, right = 4.0, 2000.0
    for compute_dtype, colour in (("float32", "tab:blue"), ("bfloat16", "tab:orange")):
        roof = _median(cases, f"machine: GEMM {compute_dtype}", "GFLOP/s")
        ridge = roof / bandwidth
        axes.plot([left, ridge, right], [left * bandwidth, roof, roof], color=colour)
        axes.annotate(
            f"GEMM {compute_dtype}: {roof:.0f} GFLOP/s",
            (right, roof),
            (-2, 4),
            textcoords="offset points",
            ha="right",
            color=colour,
        )
        layers = cases.get(f"layers alone, {compute_dtype}", {})
        for name in [key.removesuffix(" FLOP/byte") for key in layers if "FLOP/byte" in key]:
            _mark(axes, layers, name, colour, "o")
    axes.plot([], [], "ko", label="a layer alone, output and gradients")
    steps = {n: c for n, c in cases.items() if "FLOP per byte" in c and "no augm" not in n}
    for marker, (name, figures) in zip("*PX", steps.items(), strict=False):
        x, images, work = (
            figures[key]["median"] for key in ("FLOP per byte", "images/s", "GFLOP per image")
        )
        axes.plot(
            x, images * work, marker, color="black", markersize=9, label=f"whole step: {name}"
        )
    axes.set(
        xlabel="floating-point operations per byte moved",
        ylabel="GFLOP/s",
        title=f"Roofline of a training step (memory {bandwidth:.0f} GB/s)",
        xlim=(left, right),
    )
    axes.set_ylim(100, 1.3 * axes.get_ylim()[1])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(which="both", alpha=0.2)
    axes.legend(loc="lower right")
    with mpl.rc_context({"svg.hashsalt": "roofline"}):
        figure.savefig(path, metadata={"Date": None})


def _mark(axes: Any, layers: dict[str, Any], name: str, colour: str, marker: str) -> None:
    x, y = (layers[f"{name} {unit}"]["median"] for unit in ("FLOP/byte", "GFLOP/s"))
    axes.plot(x, y, marker, color=colour)
    axes.annotate(name, (x, y), (5, -11), textcoords="offset points", fontsize=8, color=colour)


def _median(cases: dict[str, Any], case: str, figure: str) -> float:
    return float(cases[case][figure]["median"])
