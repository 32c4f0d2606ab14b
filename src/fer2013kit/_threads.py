"""How many threads work is given, and work shared out to them."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")

_MOST_THREADS: Final = 4
"""More do not help networks, or files, as small as these."""


def usable_threads() -> int:
    """Return how many threads work is given: one for each processor that this process may use.

    Fewer where ``OMP_NUM_THREADS`` says so, by which Ray, Spark and Dask tell their workers, and
    :func:`~fer2013kit.score` its own, that there are others beside them.
    """
    most = [_MOST_THREADS, os.cpu_count() or 1]
    if hasattr(os, "sched_getaffinity"):  # fewer than the machine has, in a container
        most.append(len(os.sched_getaffinity(0)))
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal():
        most.append(max(1, int(asked)))
    return min(most)


def run_in_threads(work: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Call ``work`` on each item in threads; on a single one, without.

    Items are drawn only a few ahead, so that a long source is never held whole in memory.
    """
    source = iter(items)
    first = list(islice(source, 2))
    if len(first) < 2:  # noqa: PLR2004 - a thread would take longer than a few images
        for item in first:
            work(item)
        return
    # Work releases the interpreter lock only in part: more threads than cores cost switching.
    workers = usable_threads()
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[None]] = deque()
        try:
            for item in chain(first, source):
                pending.append(pool.submit(work, item))
                if len(pending) > 2 * workers:
                    pending.popleft().result()
            while pending:
                pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
