"""What the machine can do at most: matrix products, and bytes from the page cache."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SIDE = 4096
_PRODUCTS = 3
_BLOCK = 1 << 20


def gemm(folder: Path, dtype: str) -> dict[str, float]:
    """Multiply square matrices through TensorFlow on all cores."""
    del folder
    import tensorflow as tf

    generator = tf.random.Generator.from_seed(0)
    left, right = (tf.cast(generator.normal((_SIDE, _SIDE)), dtype) for _ in range(2))
    multiply = tf.function(tf.matmul)
    multiply(left, right).numpy()
    seconds = []
    for _ in range(_PRODUCTS):
        start = time.perf_counter()
        multiply(left, right).numpy()
        seconds.append(time.perf_counter() - start)
    return {"GFLOP/s": 2 * _SIDE**3 / min(seconds) / 1e9}


def read_bytes(folder: Path, name: str) -> dict[str, float]:
    """Read a file that the page cache holds, block by block."""
    block = memoryview(bytearray(_BLOCK))
    seconds, size = [], (folder / name).stat().st_size
    for _ in range(3):
        start = time.perf_counter()
        with (folder / name).open("rb", buffering=0) as file:
            while file.readinto(block):
                pass
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds), "GB/s": size / min(seconds) / 1e9}
