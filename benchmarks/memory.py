"""Memory over a long life: ``python -m benchmarks.memory`` prints MiB after each tenth of the work.

10,000 predictions, 500 uploads to ``fer2013kit serve``, 50 fits, and the frames that a camera gives
in an hour at five a second, each in a process of its own; names of some of them choose those, and
``--share 0.1`` does a tenth of the work.  Linux alone tells how much memory a process has now.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

import fer2013kit as fk

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

COUNTS = {"predictions": 10_000, "uploads": 500, "fits": 50, "camera": 18_000}
FRAMES_A_SECOND = 5
_PAGE = os.sysconf("SC_PAGE_SIZE")


def predictions() -> Generator[int, None, None]:
    """Name one image after another."""
    images = fk.make_fer2013(n_samples=70, random_state=0).train.images
    predictor = fk.load_predictor()
    while True:
        predictor.predict_proba(images[:1])
        yield os.getpid()


def uploads() -> Generator[int, None, None]:
    """Send the page one photograph after another, each on a connection of its own."""
    photo = fk.sample_photos()[0].read_bytes()
    program = "from fer2013kit.cli import main; main()"
    command = [sys.executable, "-c", program, "serve", "--port", "0", "--no-open-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - ours
        try:
            assert server.stdout is not None  # noqa: S101 - a pipe was asked for
            port = urlsplit(server.stdout.readline()).port
            while True:
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request("POST", "/analyze", photo)
                answer = json.loads(connection.getresponse().read())
                connection.close()
                if len(answer["faces"]) != 1:
                    raise SystemExit(f"the page said {answer}")
                yield server.pid
        finally:
            server.terminate()


def fits() -> Generator[int, None, None]:
    """Train one small classifier after another, every other one with augmentation."""
    images, labels = fk.make_fer2013(n_samples=140, random_state=0).train
    small = {"filters": (2, 2, 2), "dense_units": 4}
    seed = 0
    while True:
        fk.EmotionClassifier(
            epochs=1, verbose=0, random_state=seed, augment=bool(seed % 2), model_params=small
        ).fit(images, labels)
        seed += 1
        gc.collect()
        yield os.getpid()


class Counting:
    """A predictor that says when it was asked."""

    def __init__(self, predictor: Any, tell: Callable[[], None]) -> None:
        self._predictor, self._tell = predictor, tell
        self.classes_ = predictor.classes_

    def predict_proba(self, faces: Any) -> Any:
        """Answer as the predictor does."""
        self._tell()
        return self._predictor.predict_proba(faces)


def camera(count: int, tell: Callable[[], None]) -> None:
    """Analyse the frames of an hour, as a file of small ones; a camera's go the same way."""
    import av

    with Image.open(fk.sample_photos()[0]) as opened:
        face = np.asarray(opened.convert("RGB").resize((192, 192)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "hour.mp4")
        with av.open(str(path), "w") as container:
            track = container.add_stream("mpeg4", rate=FRAMES_A_SECOND)
            track.width = track.height = 160
            track.pix_fmt = "yuv420p"
            for number in range(count):
                left, top = (round(16 + 15 * wave(number / 40)) for wave in (np.sin, np.cos))
                cut = np.ascontiguousarray(face[top : top + 160, left : left + 160])
                container.mux(track.encode(av.VideoFrame.from_ndarray(cut, format="rgb24")))
            container.mux(track.encode())
        table = fk.analyze_video(path, classifier=Counting(fk.load_predictor(), tell))
    sys.stdout.write(f"  {len(table):,} rows of faces\n")


def resident(pid: int) -> float:
    """Return the MiB that a process has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE / 2**20


class Tenths:
    """Notes the memory after each tenth."""

    def __init__(self, name: str, count: int) -> None:
        self._name, self._count, self._done = name, count, 0
        self._figures: list[str] = []

    def __call__(self, pid: int | None = None) -> None:
        """Count one more; the process that did it is this one unless it is another."""
        self._done += 1
        if self._done * 10 // self._count > (self._done - 1) * 10 // self._count:
            self._figures.append(f"{resident(pid or os.getpid()):.0f}")

    def print(self) -> None:
        """Print what was noted."""
        sys.stdout.write(f"{self._name}, {self._done:,}: {' '.join(self._figures)} MiB\n")


def main() -> None:
    """Measure what was asked for, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(COUNTS)}; all unless given")
    parser.add_argument("--share", type=float, default=1.0, help="of the work")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.here:
        for name in options.names or COUNTS:
            command = ["-m", "benchmarks.memory", name, "--here", "--share", str(options.share)]
            subprocess.run([sys.executable, *command], check=True)  # noqa: S603 - this very program
        return
    (name,) = options.names
    count = max(10, round(COUNTS[name] * options.share))
    tenths = Tenths(name, count)
    if name == "camera":
        camera(count, tenths)
    else:
        work = {"predictions": predictions, "uploads": uploads, "fits": fits}[name]()
        for _ in range(count):
            tenths(next(work))
        work.close()
    tenths.print()


if __name__ == "__main__":
    main()
