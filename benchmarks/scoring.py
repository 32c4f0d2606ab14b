"""Throughput of `score` on one process and on several, and its memory.

``python -m benchmarks.scoring`` scores copies of the photographs that ship, few and many, with one
worker and with two, in turn.  What the additional images took tells the rate without the start.
Printed are medians as one JSON object: images a second by the clock; processor seconds for an
image, which mind less what else the machine does; the ratios that both tell, the second one for
cores that are free; and the most memory that a process had after few images and after many.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import fer2013kit as fk

COMMAND = "from fer2013kit.cli import main; main()"


def write_images(folder: Path, count: int) -> None:
    """Write so many copies of the photographs that ship."""
    folder.mkdir()
    contents = [photo.read_bytes() for photo in fk.sample_photos()]
    for number in range(count):
        (folder / f"{number:06}.jpg").write_bytes(contents[number % len(contents)])


def measure(src: Path, dst: Path, workers: int, part_size: int) -> tuple[float, float, float]:
    """Return seconds by the clock, of the processors, and the MiB of the largest process."""
    words = ("score", src, dst, "--workers", workers, "--part-size", part_size)
    peak = "import resource; print(*(resource.getrusage(who).ru_maxrss for who in (0, -1)))"
    program = f"try:\n    {COMMAND}\nfinally:\n    {peak}"
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, *map(str, words)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # one worker is one core
    )
    clock, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return clock, cpu, max(map(int, done.stdout.split()[-2:])) / 1024


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=40)
    parser.add_argument("--many", type=int, default=240)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    rows: dict[int, list[tuple[float, float, float, float]]] = {1: [], options.workers: []}
    loads: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in (options.few, options.many):
            write_images(folder / str(size), size)
        for turn in range(options.repeats):
            for workers, measured in rows.items():
                few, many = (
                    measure(folder / str(size), folder / f"{size}-{workers}-{turn}", workers, 10)
                    for size in (options.few, options.many)
                )
                images = options.many - options.few
                rate, cpu = images / (many[0] - few[0]), (many[1] - few[1]) / images
                measured.append((rate, cpu, few[2], many[2]))
                loads.append(os.getloadavg()[0])
    figures = {
        f"{workers} worker{'s' if workers > 1 else ''}": {
            "images a second": median(row[0] for row in measured),
            "CPU seconds an image": median(row[1] for row in measured),
            f"peak MiB, {options.few} images": median(row[2] for row in measured),
            f"peak MiB, {options.many} images": median(row[3] for row in measured),
        }
        for workers, measured in rows.items()
    }
    clock, cpu = (
        [median(row[n] for row in measured) for measured in rows.values()] for n in (0, 1)
    )
    facts = {
        "ratio by the clock": clock[1] / clock[0],
        "ratio by processor seconds": options.workers * cpu[0] / cpu[1],
        "cores": os.cpu_count(),
        "load": median(loads),
    }
    print(json.dumps({**figures, **facts}, indent=2))


if __name__ == "__main__":
    main()
