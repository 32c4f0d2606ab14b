"""Where the time of a training step goes: ``python -m benchmarks.step``.

Each layer of the default network alone, forwards and back, beside the least time that the machine
needs for it: its multiplications at the rate of large matrix products, or its bytes at the rate of
copying memory, whichever takes longer (Williams, Waterman & Patterson, CACM 2009).
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import limits
from benchmarks.training import BATCH, make_clock, training_flops

if TYPE_CHECKING:
    from collections.abc import Callable

_WIDTH = {"float32": 4, "bfloat16": 2}
_OPTIMIZER_PASSES = 7  # weight, momentum and average read and written, gradient read
_NOTHING_TO_DO = {"InputLayer", "Flatten"}


class Part(NamedTuple):
    """One part of a step."""

    name: str
    seconds: float
    work: float
    least: float


def main() -> None:
    """Measure and print."""
    from fer2013kit.classifier._compute_dtype import resolve_compute_dtype

    parser = argparse.ArgumentParser(prog="python -m benchmarks.step", description=__doc__)
    parser.add_argument("--compute-dtype", default="auto", choices=["auto", *_WIDTH])
    parser.add_argument("--repeats", type=int, default=15, help="of each layer; the least counts")
    options = parser.parse_args()
    compute_dtype = resolve_compute_dtype(options.compute_dtype)
    here = Path()
    rate = 1e9 * limits.gemm(here, compute_dtype)["GFLOP/s"]
    bandwidth = 1e9 * limits.copy_memory(here)["GB/s"]
    seconds, model = _whole_step(compute_dtype)
    parts = _parts(model, compute_dtype, rate, bandwidth, options.repeats)

    print(f"{compute_dtype}, batches of {BATCH}: GEMM {rate / 1e9:.0f} GFLOP/s, ", end="")
    print(f"memory {bandwidth / 1e9:.1f} GB/s\n")
    print(f"{'':14}{'ms':>8}{'least ms':>10}{'GFLOP/s':>9}")
    for part in parts:
        speed = f"{part.work / part.seconds / 1e9:9.0f}" if part.work else ""
        print(f"{part.name:14}{1e3 * part.seconds:8.2f}{1e3 * part.least:10.2f}{speed}")
    work = BATCH * training_flops(model)
    alone, least = sum(part.seconds for part in parts), sum(part.least for part in parts)
    print(f"{'together':14}{1e3 * alone:8.2f}{1e3 * least:10.2f}")
    print(f"{'whole step':14}{1e3 * seconds:8.2f}\n")
    print(f"multiplications alone, at the rate of GEMM: {1e3 * work / rate:.2f} ms")
    for name, one in (("reached", seconds), ("layers one after another", alone), ("limit", least)):
        print(f"share of the GEMM rate, {name}: {work / one / rate:.2f}")


def _whole_step(compute_dtype: str) -> tuple[float, Any]:
    """Return the seconds of a step in ``fit``, augmentation included, and the network."""
    import numpy as np

    import fer2013kit as fk

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50 * BATCH, 48, 48, 1), np.uint8)
    labels = rng.integers(0, 7, len(images))
    clock = make_clock()
    clf = fk.EmotionClassifier(epochs=1, verbose=0, random_state=0, compute_dtype=compute_dtype)
    clf.fit(images, labels, callbacks=[clock])
    return BATCH / clock.figures()["images/s"], clf.model_


def _parts(
    model: Any, compute_dtype: str, rate: float, bandwidth: float, repeats: int
) -> list[Part]:
    import tensorflow as tf

    import fer2013kit as fk
    from fer2013kit.classifier._normalization import fused_normalization

    parts = []
    pictures = tf.random.stateless_uniform((BATCH, 48, 48, 1), (0, 0), 0, 256)
    augment = tf.function(fk.FaceAugmentation(seed=0))
    moved = 2 * BATCH * 48 * 48 * _WIDTH["float32"]
    parts.append(
        Part(
            "augmentation",
            _least_seconds(lambda: augment(pictures, training=True), repeats),
            0.0,
            moved / bandwidth,
        )
    )
    with fused_normalization(model):
        for layer in model.layers:
            if type(layer).__name__ in _NOTHING_TO_DO:
                continue
            work = BATCH * _work(layer)
            least = max(work / rate, BATCH * _bytes(layer, compute_dtype) / bandwidth)
            parts.append(Part(layer.name, _layer_seconds(layer, repeats), work, least))
    weights = model.count_params() * _WIDTH["float32"] * _OPTIMIZER_PASSES
    optimizer = model.optimizer
    gradients = [tf.zeros(one.shape) for one in model.trainable_variables]

    @tf.function
    def update() -> None:
        optimizer.apply(gradients)

    parts.append(Part("optimizer", _least_seconds(update, repeats), 0.0, weights / bandwidth))
    return parts


def _layer_seconds(layer: Any, repeats: int) -> float:
    """Return the seconds that a layer takes forwards, and back to its input and its weights."""
    import tensorflow as tf

    images, gradient = (
        tf.cast(tf.random.stateless_normal((BATCH, *one.shape[1:]), (0, 0)), one.dtype)
        for one in (layer.input, layer.output)
    )
    weights = [one.value for one in layer.trainable_weights]
    watched = weights if _is_first(layer) else [images, *weights]

    @tf.function(autograph=False)
    def run() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(watched)
            outputs = layer(images, training=True)
        return outputs, tape.gradient(outputs, watched, gradient) if watched else None

    return _least_seconds(run, repeats)


def _least_seconds(run: Callable[[], Any], repeats: int) -> float:
    seconds = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds[2:])


def _work(layer: Any) -> float:
    """Return one image's floating-point operations, forwards and back."""
    if not hasattr(layer, "kernel"):
        return 0.0
    places = math.prod(layer.output.shape[1:-1])
    return float(2 * (2 if _is_first(layer) else 3) * places * math.prod(layer.kernel.shape))


def _bytes(layer: Any, compute_dtype: str) -> float:
    """Return what one image moves at least: input and output read and written, and back."""
    passes = 2 if _is_first(layer) else 3
    both = math.prod(layer.input.shape[1:]) + math.prod(layer.output.shape[1:])
    return float(passes * both * _WIDTH[compute_dtype])


def _is_first(layer: Any) -> bool:
    """Whether nobody asks for the gradient of the layer's input, which is the image."""
    return bool(layer.input.shape[-1] == 1)


if __name__ == "__main__":
    main()
