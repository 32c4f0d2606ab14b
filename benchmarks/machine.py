"""What the machine is, and whether it was quiet."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
from importlib import metadata
from pathlib import Path

from benchmarks.measuring import ROOT

_LIBRARIES = ("fer2013kit", "numpy", "tensorflow", "keras", "pillow", "simplejpeg", "pandas")
_QUIET = 0.05


def describe() -> dict[str, object]:
    """Return the machine, the versions and the commit, and no path."""
    cpuinfo = _read("/proc/cpuinfo").splitlines()
    names = [line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")]
    flags = next((line.split() for line in cpuinfo if line.startswith("flags")), [])
    formats = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    return {
        "processor": names[0] if names else platform.processor(),
        "instructions": [name for name in formats if name in flags],
        "cores": os.cpu_count(),
        "memory GB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in _LIBRARIES},
        "commit": _git("rev-parse", "--short", "HEAD"),
        "source changed since": bool(_git("status", "--porcelain", "--", "src")),
    }


class Quiet:
    """Watches, over a topic, what other processes take of the cores."""

    def __init__(self) -> None:
        self._load = os.getloadavg()[0]
        self._busy, self._all = _jiffies()
        self._own = _own_seconds()

    def as_dict(self) -> dict[str, object]:
        """Return the load before and after, and the share of the cores that others took."""
        busy, everything = _jiffies()
        figures: dict[str, object] = {
            "load average before": round(self._load, 2),
            "load average after": round(os.getloadavg()[0], 2),
        }
        if everything > self._all:
            own = (_own_seconds() - self._own) * os.sysconf("SC_CLK_TCK")
            others = max(0.0, busy - self._busy - own) / (everything - self._all)
            figures |= {"taken by others": round(others, 3), "quiet": others < _QUIET}
        return figures


def _own_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _jiffies() -> tuple[float, float]:
    """Return the cores' busy and whole time in clock ticks; zeros where it cannot be told."""
    words = _read("/proc/stat").partition("\n")[0].split()[1:9]
    if not words:
        return 0.0, 0.0
    ticks = [float(word) for word in words]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - fixed words
        ["git", *arguments],  # noqa: S607 - whichever git the checkout was made with
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()
