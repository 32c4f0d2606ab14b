"""Time the analysis of a video: at five frames a second, at all frames, without following faces.

    python recipes/photographs/video.py ../shared/data/talking.mp4
    python recipes/photographs/video.py ../shared/data/talking.mp4 --before OTHER_CHECKOUT/src
    python recipes/photographs/video.py ../shared/data/talking.mp4 --width 1280 --height 720

Each way is run in turn, seven times, so that all meet the same machine; printed are medians, in
seconds of the clock and of the processors, the rows, the tracks, how often a track changes its
word, and what share of rows has the same word as with all of every frame searched.  ``--before``
times another checkout beside this one, ``--width`` and ``--height`` enlarge the video first.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

REPEATS = 7
WAYS: dict[str, dict[str, Any]] = {
    "5 frames a second": {},
    "5, every one searched": {"search_interval": None},
    "all frames": {"sampling_rate": None},
    "all frames, every one searched": {"sampling_rate": None, "search_interval": None},
}


def main() -> None:
    """Print a line for each way, of this checkout and of the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--before", type=Path, help="the src of another checkout")
    parser.add_argument("--width", type=int)
    parser.add_argument("--height", type=int)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(options.video)))
        return
    with tempfile.TemporaryDirectory() as folder:
        video = options.video
        if options.width:
            video = enlarged(video, Path(folder, "large.mp4"), options.width, options.height)
        sources = {"": Path(__file__).parents[2] / "src", "before: ": options.before}
        runs: dict[str, list[dict[str, Any]]] = {}
        for _ in range(REPEATS):
            for prefix, source in sources.items():
                if source is None:
                    continue
                command = [sys.executable, __file__, str(video), "--worker"]
                done = subprocess.run(  # noqa: S603 - this very file
                    command, env={"PYTHONPATH": str(source)}, capture_output=True, check=True
                )
                for name, run in json.loads(done.stdout).items():
                    runs.setdefault(prefix + name, []).append(run)
    for name, some in runs.items():
        report(name, some, runs["all frames, every one searched"][0]["words"])


def measure(video: Path) -> dict[str, Any]:
    """Return times and answers of each way that this checkout knows."""
    import fer2013kit as fk

    fk.analyze_video(video, duration=0.5)  # loads the networks
    answers = {}
    for name, way in WAYS.items():
        clock, cpu = time.perf_counter(), time.process_time()
        try:
            table = fk.analyze_video(video, **way)
        except TypeError:  # the other checkout searches every frame
            continue
        clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
        words = dict(zip(table["frame"].tolist(), table["emotion"], strict=True))
        tracks = table.groupby("track")["emotion"]
        changes = sum(int((one != one.shift()).sum()) - 1 for _, one in tracks)
        answers[name] = {
            "clock": clock,
            "cpu": cpu,
            "rows": len(table),
            "tracks": int(table["track"].nunique()),
            "changes": changes,
            "words": words,
        }
    return answers


def report(name: str, runs: list[dict[str, Any]], every: dict[str, str]) -> None:
    """Print a line of medians."""
    clock, cpu = (median(run[what] for run in runs) for what in ("clock", "cpu"))
    first = runs[0]
    same = sum(every.get(frame) == word for frame, word in first["words"].items())
    print(
        f"{name:40} {clock:6.2f} s, {cpu:6.2f} s of processors; {first['rows']} rows, "
        f"{first['tracks']} tracks, {first['changes']} changes of a word; "
        f"same word in {same / max(1, first['rows']):.3f}",
        flush=True,
    )


def enlarged(video: Path, path: Path, width: int, height: int) -> Path:
    """Write a video again at another size."""
    import av

    with av.open(str(video)) as source, av.open(str(path), "w") as target:
        read = source.streams.video[0]
        stream = target.add_stream("libx264", rate=read.average_rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        for frame in source.decode(read):
            larger = frame.reformat(width=width, height=height)
            larger.time_base, larger.pts = Fraction(1, 90_000), round(frame.time * 90_000)
            target.mux(stream.encode(larger))
        target.mux(stream.encode(None))
    return path


if __name__ == "__main__":
    main()
