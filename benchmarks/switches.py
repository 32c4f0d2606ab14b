"""What one setting alone changes: of a training step, and of the search for faces."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Case, Round, Target, Topic
from benchmarks.training import fit_kit

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 3.0
_DETECTORS: dict[str, dict[str, Any]] = {
    "upright": {"turned": False, "mirrored": False},
    "upright, max_side=640": {"turned": False, "mirrored": False, "max_side": 640},
    "turned": {"turned": True, "mirrored": False},
    "mirrored": {"turned": False, "mirrored": True},
    "turned and mirrored": {"turned": True, "mirrored": True},
}


def fit_one_at_a_time(folder: Path) -> dict[str, float]:
    """Train with one operation of TensorFlow at a time, each on all cores."""
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    return fit_kit(folder, "default")


def locate(folder: Path, search: str) -> dict[str, float]:
    """Search one photograph of 2048x2048 pixels again and again, warm."""
    del folder
    import numpy as np
    from PIL import Image

    import fer2013kit as fk

    with Image.open(fk.sample_photos()[0]) as picture:
        photo = np.asarray(picture.convert("RGB").resize((2048, 2048)))
    detector = fk.FaceDetector(**_DETECTORS[search])
    detector.locate(photo)
    times, cpu, end = [], time.process_time(), time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        detector.locate(photo)
        times.append(time.perf_counter() - start)
    return {
        "ms": 1e3 * sorted(times)[len(times) // 2],
        "CPU ms": 1e3 * (time.process_time() - cpu) / len(times),
    }


def _slower(name: str) -> Target:
    def ratio(one: Round) -> float:
        return one["kit, defaults"]["images/s"] / one[f"kit, {name}"]["images/s"]

    return Target(f"images/s, defaults / {name}", ratio, 1.0)


def _longer(name: str) -> Target:
    def ratio(one: Round) -> float:
        return one[f"faces: {name}"]["CPU ms"] / one["faces: upright"]["CPU ms"]

    return Target(f"CPU time of a search, {name} / upright", ratio, 1.0)


_FITS = {
    "float32": Case("kit, float32", "benchmarks.training.fit_kit", ("float32",)),
    "crop=0": Case("kit, crop=0", "benchmarks.training.fit_kit", ("48x48",)),
    "batch_size=32": Case("kit, batch_size=32", "benchmarks.training.fit_kit", ("batches of 32",)),
    "one operation at a time": Case("kit, one operation at a time", "fit_one_at_a_time"),
}
TOPIC = Topic(
    name="switches",
    title="One setting changed: training, and searching a photograph of 2048x2048 pixels",
    needs=("arrays",),
    cases=[
        Case("kit, defaults", "benchmarks.training.fit_kit", ("default",)),
        *_FITS.values(),
        *(Case(f"faces: {search}", "locate", (search,)) for search in _DETECTORS),
    ],
    targets=[
        *map(_slower, _FITS),
        *(_longer(search) for search in _DETECTORS if search.startswith(("turned", "mirrored"))),
    ],
)
