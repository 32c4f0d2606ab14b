"""A training step, and augmentation alone, against the usual notebook.

The notebook is what tutorials on FER-2013 do, at the kit's widths: stacked ``Random*`` layers in
the model, float32, convolution, batch normalisation, ReLU, pooling, dropout, Adam, ``model.fit``.
"""

from __future__ import annotations

import itertools
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Case, Round, Target, Topic
from benchmarks.roofline import step_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 128
_WARM_UP = 10
_STEPS = 40
_SIDE = 48
FILTERS = (64, 128, 256)
KERNELS = (5, 3, 3)
DENSE = 256
_BLOCKS = 80

_SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "48x48": {"model_params": {"crop": 0}},
    "48x48 float32": {"model_params": {"crop": 0}, "compute_dtype": "float32"},
    "plain": {"augment": False},
    "float32": {"compute_dtype": "float32"},
    "batches of 32": {"batch_size": 32},
}


def fit_kit(folder: Path, settings: str) -> dict[str, float]:
    """Train the kit's classifier for some steps."""
    import fer2013kit as fk

    images, labels = _rows(folder)
    clf = fk.EmotionClassifier(epochs=1, verbose=0, random_state=0, **_SETTINGS[settings])
    clock = make_clock(batch=clf.batch_size)
    clf.fit(images, labels, callbacks=[clock])
    work = training_flops(clf.model_)
    return {
        **clock.figures(),
        "GFLOP per image": work / 1e9,
        "FLOP per byte": work / step_bytes(clf.model_, clf.compute_dtype_),
    }


def fit_notebook(folder: Path) -> dict[str, float]:
    """Train the notebook's model for as many steps."""
    import keras

    images, labels = _rows(folder)
    clock = make_clock()
    model = _notebook_model()
    model.compile(
        keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(images, labels, batch_size=BATCH, epochs=1, verbose=0, callbacks=[clock])
    return {**clock.figures(), "GFLOP per image": training_flops(model) / 1e9}


def augment_fused(folder: Path) -> dict[str, float]:
    """Run the kit's augmentation alone."""
    import fer2013kit as fk

    return _augment(folder, fk.FaceAugmentation(seed=0))


def augment_stacked(folder: Path) -> dict[str, float]:
    """Run the same changes as stacked Keras layers."""
    import keras

    return _augment(folder, keras.Sequential(random_layers()))


def training_flops(model: Any) -> float:
    """Return the floating-point operations of one image's training step, two to a multiply-add.

    Each weight layer multiplies for its output and for the gradient of its weights, and, unless
    it is the first, for the gradient of its input.
    """
    counts = multiply_adds(model)
    return 2.0 * (3 * sum(counts) - counts[0])


def multiply_adds(model: Any) -> list[int]:
    """Return the multiply-adds of one image's way through each weight layer, in order."""
    import keras

    from fer2013kit._layers import walk_layers

    layers, counts = keras.layers, []
    for layer in walk_layers(model.layers):
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
            counts.append(math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape))
        elif isinstance(layer, layers.SeparableConv2D):  # in two steps
            kernels = (layer.depthwise_kernel, layer.pointwise_kernel)
            work = sum(math.prod(kernel.shape) for kernel in kernels)
            counts.append(math.prod(layer.output.shape[1:3]) * work)
        elif isinstance(layer, layers.Dense):
            counts.append(math.prod(layer.kernel.shape))
    return counts


def _rows(folder: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    import numpy as np

    rows = slice(BATCH * (_WARM_UP + _STEPS))
    return np.load(folder / "images.npy")[rows], np.load(folder / "labels.npy")[rows]


def make_clock(warm_up: int = _WARM_UP, batch: int = BATCH) -> Any:
    """Return a callback that clocks the steps, of so many images, after so many."""
    import keras

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras carries no types
        """Clocks the steps after the warm-up, and the CPU time of all threads in them."""

        def __init__(self) -> None:
            super().__init__()
            self.stamps: list[tuple[float, float]] = []

        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            del step, logs
            self.stamps.append((time.perf_counter(), time.process_time()))

        def figures(self) -> dict[str, float]:
            stamps = self.stamps[warm_up - 1 :]
            images = batch * (len(stamps) - 1)
            seconds, cpu = (stamps[-1][k] - stamps[0][k] for k in range(2))
            return {"images/s": images / seconds, "CPU ms per image": 1e3 * cpu / images}

    return Clock()


def random_layers() -> list[Any]:
    """Return the usual stacked layers for about the changes that the kit makes in one warp."""
    from keras import layers

    return [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(12 / 360),
        layers.RandomTranslation(0.08, 0.08),
        layers.RandomZoom(0.12),
        layers.RandomBrightness(0.1, value_range=(0, 255)),
        layers.RandomContrast(0.2, value_range=(0, 255)),
    ]


def _notebook_model() -> Any:
    import keras
    from keras import layers

    blocks = [
        [
            layers.Conv2D(width, side, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
        ]
        for width, side in zip(FILTERS, KERNELS, strict=True)
    ]
    return keras.Sequential(
        [
            keras.Input((_SIDE, _SIDE, 1)),
            *random_layers(),
            layers.Rescaling(1 / 255),
            *itertools.chain.from_iterable(blocks),
            layers.Flatten(),
            layers.Dense(DENSE),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.5),
            layers.Dense(7, activation="softmax"),
        ]
    )


def _augment(folder: Path, layer: Any) -> dict[str, float]:
    import numpy as np
    import tensorflow as tf

    batch = tf.constant(_rows(folder)[0][:BATCH].astype(np.float32))
    run = tf.function(lambda images: layer(images, training=True))
    for _ in range(3):
        run(batch)
    cpu, start = time.process_time(), time.perf_counter()
    for _ in range(_BLOCKS):
        run(batch).numpy()
    images = BATCH * _BLOCKS
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {
        "images/s": images / seconds,
        "images per CPU second": images / cpu,
        "CPU ms per image": 1e3 * cpu / images,
    }


_KIT, _KIT_48 = "kit, defaults", "kit, crop=0"
_KIT_48_FLOAT = "kit, crop=0, float32"
_NOTEBOOK = "notebook"
_GEMM = {name: f"machine: GEMM {name}" for name in ("float32", "bfloat16")}
_FUSED, _STACKED = "augmentation alone: kit", "augmentation alone: stacked Keras layers"


def _share(one: Round, case: str) -> float:
    """Return the case's share of the GEMM rate of the dtype that it computes in."""
    compute_dtype = "float32" if "float32" in case or case == _NOTEBOOK else _auto_compute_dtype()
    done = one[case]["images/s"] * one[case]["GFLOP per image"]
    return done / one[_GEMM[compute_dtype]]["GFLOP/s"]


def _auto_compute_dtype() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    return "bfloat16" if {"avx512_bf16", "amx_bf16"} & set(text.split()) else "float32"


def _speed_up(one: Round, case: str) -> float:
    return one[case]["images/s"] / one[_NOTEBOOK]["images/s"]


TOPIC = Topic(
    name="training",
    title="Training, default five-layer CNN, 48x48 images from memory, batch 128",
    needs=("arrays",),
    cases=[
        Case(_KIT, "fit_kit", ("default",)),
        Case(_NOTEBOOK, "fit_notebook"),
        Case(_KIT_48, "fit_kit", ("48x48",)),
        Case(_KIT_48_FLOAT, "fit_kit", ("48x48 float32",)),
        Case("kit, no augmentation", "fit_kit", ("plain",)),
        Case(_FUSED, "augment_fused"),
        Case(_STACKED, "augment_stacked"),
        *(Case(_GEMM[name], "benchmarks.limits.gemm", (name,)) for name in _GEMM),
        Case("machine: memory", "benchmarks.limits.copy_memory"),
        *(
            Case(f"layers alone, {name}", "benchmarks.roofline.measure_layers", (name,))
            for name in _GEMM
        ),
    ],
    targets=[
        Target(
            "images/s at the same input size and widths (crop=0) / notebook's",
            lambda one: _speed_up(one, _KIT_48),
            2.5,
        ),
        Target(
            "images/s with defaults (cropped to 42x42 inside) / notebook's",
            lambda one: _speed_up(one, _KIT),
            2.5,
        ),
        Target("share of the GEMM rate, defaults", lambda one: _share(one, _KIT), 0.70),
        Target("share of the GEMM rate, crop=0", lambda one: _share(one, _KIT_48), 0.70),
        Target(
            "share of the GEMM rate, crop=0, float32",
            lambda one: _share(one, _KIT_48_FLOAT),
            0.70,
        ),
        Target(
            "augmentation, images per CPU-second / stacked layers'",
            lambda one: (
                one[_FUSED]["images per CPU second"] / one[_STACKED]["images per CPU second"]
            ),
            2.0,
        ),
        Target(
            "augmentation's share of a training step's CPU time, defaults",
            lambda one: one[_FUSED]["CPU ms per image"] / one[_KIT]["CPU ms per image"],
            0.08,
            at_least=False,
        ),
    ],
)
