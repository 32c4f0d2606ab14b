"""One part from its images to its file, and those who do many: processes, or Ray."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._optional import needed
from fer2013kit._quiet import quiet_stderr
from fer2013kit.exceptions import Fer2013KitError, Fer2013KitWarning, printable, shown, warn
from fer2013kit.scoring._place import COUNTS, WORDS, Place
from fer2013kit.scoring._report import NAMED
from fer2013kit.scoring._scorer import PhotoScorer
from fer2013kit.scoring._sources import Part, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection

    import pyarrow as pa

    from fer2013kit.scoring._sources import Item
    from fer2013kit.typing import PhotoViews

_IMAGES_AT_ONCE: Final = 64
_BYTES_AT_ONCE: Final = 2**26
_BLANK: Final = np.zeros((48, 48), np.uint8)
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


@dataclass(frozen=True)
class Job:
    """What every worker is told, in plain values: where from and to, and by which network."""

    src: str
    dst: str
    classifier: str | None
    crops: bool
    tta: PhotoViews | None
    storage_options: dict[str, Any]


class PartWorker:
    """Does parts, one after another; it loads the networks once."""

    def __init__(self, job: Job) -> None:
        self._source = Source(job.src, job.storage_options)
        self._place = Place(job.dst, job.storage_options)
        self._scorer = PhotoScorer(job.classifier, crops=job.crops, tta=job.tta)
        with quiet_stderr():  # LiteRT names its delegate when the first network starts
            self._scorer.rows([("", _BLANK)])

    def __call__(self, part: Part) -> int:
        """Write a part's file; return its number."""
        facts: dict[str, Any] = {**dict.fromkeys(COUNTS, 0), **{name: [] for name in WORDS}}
        others: list[str] = []

        def tables() -> Iterator[pa.Table]:
            for items in _batches(self._source.read(part, others)):
                with warnings.catch_warnings(record=True) as told:
                    warnings.simplefilter("always", Fer2013KitWarning)
                    table = self._scorer.rows(items)
                facts["n_images"] += len(items)
                _count(facts, table, [str(one.message) for one in told])
                yield table
            facts.update(n_passed_over=len(others), passed_over=others[:NAMED])

        self._place.write(file_name(part.number), self._scorer.schema, tables(), facts)
        return part.number


def file_name(number: int) -> str:
    """Return the name of a part's file."""
    return f"part-{number:06}.parquet"


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield some images at a time, so few that their bytes fit in memory."""
    batch: list[Item] = []
    size = 0
    for name, photo in items:
        batch.append((name, photo))
        size += len(photo) if isinstance(photo, bytes) else 0
        if len(batch) == _IMAGES_AT_ONCE or size > _BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _count(facts: dict[str, Any], table: pa.Table, notes: list[str]) -> None:
    names, errors = table["image"].to_pylist(), table["error"].to_pylist()
    facts["n_faces"] += len(names) - table["emotion"].null_count
    told = [
        error if (named := printable(name)) in error else f"{named}: {error}"
        for name, error in zip(names, errors, strict=True)
        if error is not None
    ]
    facts["n_errors"] += len(told)
    facts["first_errors"] += told[: NAMED - len(facts["first_errors"])]
    facts["n_notes"] += len(notes)
    facts["notes"] += notes[: NAMED - len(facts["notes"])]


def run_here(job: Job, parts: Iterable[Part]) -> Iterator[int]:
    """Do all parts in this process."""
    return map(PartWorker(job), parts)


def run_in_processes(job: Job, parts: Sequence[Part], workers: int) -> Iterator[int]:
    """Do parts in processes of their own, which end when this one does, however it ends.

    Ctrl-C ends them in the midst of their parts, which are done anew when the call is made again.
    """
    context = multiprocessing.get_context("spawn")  # a fork has no threads of the networks
    stopped, stop = context.Pipe(duplex=False)  # its other end is closed, and nothing ever sent
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start_worker, initargs=(job, stopped)
    )
    try:
        for done in as_completed([pool.submit(_work, part) for part in parts]):
            yield done.result()
    except BrokenProcessPool as error:
        raise Fer2013KitError(
            "a process was killed while it scored images, perhaps for its memory; what is done "
            "stays: the same call goes on from there, with fewer workers if need be"
        ) from error
    except (KeyboardInterrupt, GeneratorExit):
        stop.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        stop.close()
        stopped.close()


_worker: PartWorker | None = None


def _start_worker(job: Job, stopped: Connection) -> None:
    global _worker  # noqa: PLW0603 - what a process does many parts with
    for name in _ONE_THREAD:  # there are others beside it
        os.environ[name] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C, too, and tells
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel, stopped), daemon=True).start()
    _worker = PartWorker(job)


def _end_with(parent: int, stopped: Connection) -> None:
    """Wait for the parent's word, or its end: killed, it tells nobody, and its workers lived on."""
    wait([parent, stopped])
    os._exit(1)


def _work(part: Part) -> int:
    if _worker is None:
        raise Fer2013KitError("a worker was not started by _start_worker")
    return _worker(part)


class _RayWorker:
    """A `PartWorker` for Ray Data, whose rows are dicts of plain values."""

    def __init__(self, job: Job) -> None:
        self._work = PartWorker(job)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        row["names"] = tuple(row["names"])
        return {"number": self._work(Part(**row))}


def run_in_ray(job: Job, parts: Sequence[Part], workers: int) -> Iterator[int]:
    """Do parts by actors of Ray Data, on all machines of its cluster."""
    with needed("engine='ray'", extra="distributed"):
        import ray.data

    done = ray.data.from_items(list(map(asdict, parts)), override_num_blocks=len(parts)).map(
        _RayWorker,
        fn_constructor_args=(job,),
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
    )
    for row in done.iter_rows():
        yield row["number"]


def tell(url: str, facts: Sequence[dict[str, Any]], others: Sequence[str]) -> None:
    """Warn of what was passed over and assumed, in all parts together."""
    names = [*others[:NAMED], *(name for one in facts for name in one["passed_over"])]
    count = len(others) + sum(one["n_passed_over"] for one in facts)
    if count:
        files = "1 file that is no image by its name was"
        if count > 1:
            files = f"{count:,} files that are no images by their names were"
        warn(f"{url}: {files} skipped: {', '.join(map(shown, names[:NAMED]))}")
    notes = [note for one in facts for note in one["notes"]]
    if notes:
        warn(f"{url}: {sum(one['n_notes'] for one in facts):,} notes, first {notes[0]}")
