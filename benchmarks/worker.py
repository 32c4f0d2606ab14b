"""What runs in a case's own process, and the clocks it uses."""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_MEGABYTE = 1e6


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Do work once; return wall seconds, CPU seconds, and the process's memory at its peak.

    ``peak MB`` is that of the whole process, libraries included, during the work;
    ``added MB`` is what the work put on top of what was resident before.
    """
    _reset_peak()
    before = _status("VmRSS")
    cpu, start = time.process_time(), time.perf_counter()
    result = work()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    del result
    return {
        "seconds": seconds,
        "CPU seconds": cpu,
        "peak MB": peak / _MEGABYTE,
        "added MB": max(0.0, peak - before) / _MEGABYTE,
    }


def _reset_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def _status(name: str) -> int:
    """Return bytes from Linux's account of this process; 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    for line in lines.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    """Run ``module job folder arguments...`` and print its figures as the last line."""
    module, job, folder, *arguments = sys.argv[1:]
    figures = getattr(importlib.import_module(module), job)(Path(folder), *arguments)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
