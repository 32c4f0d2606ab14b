"""Memory of training on 100,000 colour images from disk.

``python -m benchmarks.larger_than_memory`` writes a file of 2.8 GB into a temporary folder
(``TMPDIR`` names another), trains a tiny network for one epoch on it, predicts all of it, and
prints what memory the process took at most.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

import fer2013kit as fk

SHAPE = (96, 96, 3)
CHUNK = 1000


def tiny(input_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Return a network whose own memory and time are next to nothing."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 8, strides=8, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes, activation="softmax", dtype="float32"),
        ]
    )


def write_pictures(path: Path, count: int) -> None:
    """Write noise, some thousand images at a time."""
    rng = np.random.default_rng(0)
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *SHAPE)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, count, CHUNK):
            rows = min(CHUNK, count - start)
            file.write(rng.integers(0, 256, (rows, *SHAPE), np.uint8).tobytes())


def peak_gib() -> float:
    """Return the most memory that the process has had, pages of mapped files included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100_000)
    count = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pictures.npy")
        write_pictures(path, count)
        before = peak_gib()
        X = np.load(path, mmap_mode="r")
        y = np.random.default_rng(1).integers(0, 7, count)
        clf = fk.EmotionClassifier(
            tiny, image_shape=SHAPE, epochs=1, verbose=0, random_state=0, classes=range(7)
        )
        started = time.perf_counter()
        clf.fit(X, y)
        trained, fitted = time.perf_counter() - started, peak_gib()
        clf.predict(X)
        figures = {
            "pictures": count,
            "on disk, GiB": path.stat().st_size / 2**30,
            "peak before fit, GiB": before,
            "peak after fit, GiB": fitted,
            "peak after predict, GiB": peak_gib(),
            "fit, s": trained,
            "threads": clf.threads_,
            "cores": os.cpu_count(),
        }
    print(json.dumps({k: round(v, 2) for k, v in figures.items()}, indent=2))


if __name__ == "__main__":
    main()
