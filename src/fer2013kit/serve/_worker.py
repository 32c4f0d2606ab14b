"""The thread that works on photos, one after the other, and keeps no process from ending."""

from __future__ import annotations

from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    _Job = tuple[Future[Any], Callable[[bytes], Any], bytes]


class Worker:
    """A single thread: the networks use all processors for one photo as it is.

    Python waits at its end for the threads of a ``ThreadPoolExecutor``, whatever they are at.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._thread: Thread | None = None
        self.is_busy = False

    def submit(self, work: Callable[[bytes], Any], content: bytes) -> Future[Any]:
        """Return what `work` will make of a photo; it can be cancelled until it begins."""
        if self._thread is None:  # the first photo begins it: the application may be forked before
            self._thread = Thread(target=self._run, name="fer2013kit", daemon=True)
            self._thread.start()
        future: Future[Any] = Future()
        self._jobs.put((future, work, content))
        return future

    def _run(self) -> None:
        while True:
            future, work, content = self._jobs.get()
            if not future.set_running_or_notify_cancel():
                continue
            self.is_busy = True
            try:
                answer = work(content)
            except BaseException as error:  # noqa: BLE001 - for whoever waits
                future.set_exception(error)
            else:
                future.set_result(answer)
            self.is_busy = False
            del future, work, content
