"""What the machine can do at most: matrix products, bytes of memory, bytes from the page cache."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SIDE = 4096
_PRODUCTS = 3
_BLOCK = 1 << 20
_COPIED = 1 << 28  # beyond any cache
_COPIES = 5


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


def copy_memory(folder: Path) -> dict[str, float]:
    """Copy arrays from memory to memory on all cores; what is read counts, and what is written."""
    del folder
    import numpy as np

    cores = os.cpu_count() or 1
    blocks = [np.ones((2, _COPIED // cores), np.uint8) for _ in range(cores)]
    seconds = []
    with ThreadPoolExecutor(cores) as pool:
        for _ in range(_COPIES):
            start = time.perf_counter()
            list(pool.map(lambda pair: np.copyto(pair[0], pair[1]), blocks))
            seconds.append(time.perf_counter() - start)
    return {"GB/s": 2 * _COPIED / min(seconds) / 1e9}


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
