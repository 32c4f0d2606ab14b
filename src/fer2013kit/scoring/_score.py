"""score: all images of a place, to parquet files in another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer2013kit._checks import check_choice, check_flags, check_whole
from fer2013kit._quiet import no_bar
from fer2013kit._version import __version__
from fer2013kit.exceptions import InvalidInputError, listed, shown, warn
from fer2013kit.loading import find_file
from fer2013kit.scoring._place import Place
from fer2013kit.scoring._report import ScoreReport
from fer2013kit.scoring._sources import Source
from fer2013kit.scoring._work import (
    Job,
    file_name,
    run_here,
    run_in_processes,
    run_in_ray,
    tell,
)
from fer2013kit.typing import PhotoViews, ScoreEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fer2013kit.scoring._sources import Part


def score(
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    *,
    classifier: str | os.PathLike[str] | None = None,
    crops: bool = False,
    tta: PhotoViews | None = "auto",
    part_size: int = 1000,
    workers: int = 1,
    engine: ScoreEngine = "processes",
    storage_options: Mapping[str, Any] | None = None,
    progress: bool = False,
) -> ScoreReport:
    """Name the emotions of any number of images, into parquet files.

    The work is divided into parts; each part becomes one file, written atomically.  Existing parts
    are skipped: after an interruption, a kill or a crash, the same call does the rest, with the
    same result as an uninterrupted run.

    Parameters
    ----------
    src : str or path
        A folder, however deep, or one file: images, ``.zip``, ``.tar`` (``.gz``, ``.bz2``,
        ``.xz``) and ``.parquet`` with a column of image files' bytes or of FER-2013's pixels.  Any
        path that fsspec knows, such as ``s3://bucket/photos``.
    dst : str or path
        A folder, not inside of `src`, on any such path.
    classifier : str or path, optional
        What :func:`load_predictor` takes.
    crops : bool, default False
        The images are already faces: skip detection; images that are not square are cropped.
    tta : {"auto", None, "flip", "ten_crop"}, default "auto"
        As for :func:`analyze_photo`.
    part_size : int, default 1000
        Approximate number of images in a part; a tar, or a container that is not on a local disk,
        is one part.
    workers : int, default 1
        Number of processes, with one thread each; 1 means this process.  A script that uses more
        needs the guard ``if __name__ == "__main__":``.
    engine : {"processes", "ray"}, default "processes"
        Processes on this machine, or Ray Data actors on all machines of the cluster that Ray finds,
        or that you connected to with ``ray.init``.  All of them must see `src`, `dst` and the
        classifier's file under the same paths.
    storage_options : mapping, optional
        Options for fsspec, for instance credentials.
    progress : bool, default False
        Show a progress bar of the parts.

    Returns
    -------
    ScoreReport
        Counts over all parts.

    Raises
    ------
    MediaFileError
        If there is no `src`, or no image in it.
    InvalidInputError
        If `dst` was begun with other images or settings, or lies inside of `src`.
    MissingDependencyError
        Without fsspec and pyarrow, the extra ``score``; or Ray, the extra ``distributed``.
    OSError
        If a disk or the network fails; no image counts as broken because of it.

    Warns
    -----
    Fer2013KitWarning
        For files whose names are not those of images, and folders that may not be read; it counts
        and names them.

    See Also
    --------
    PhotoScorer : The same for tables that another engine reads and writes; its Notes say which
        columns there are.

    Notes
    -----
    Files with other names, and clutter of operating systems, are skipped.  An unreadable image
    becomes a row with an error, and so does a damaged archive; its images before the damage have
    their rows.  The page ``trust`` lists the limits of unpacking.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import fer2013kit as fk
    >>> folder = tempfile.mkdtemp()
    >>> report = fk.score(fk.sample_photos()[0], folder)
    >>> report.n_images, report.n_errors
    (1, 0)
    >>> pd.read_parquet(folder)[["image", "left", "emotion"]]
                   image  left emotion
    0  eileen_collins.jpg   179   happy
    """
    check_flags(crops=crops, progress=progress)
    check_choice("tta", tta, PhotoViews | None)
    check_choice("engine", engine, ScoreEngine)
    part_size, workers = check_whole("part_size", part_size), check_whole("workers", workers)
    if not isinstance(classifier, str | os.PathLike | None):
        raise InvalidInputError(
            f"classifier must be a network's name or file; received {shown(classifier)}; "
            "PhotoScorer takes a classifier itself"
        )
    if not isinstance(storage_options, Mapping | None):
        raise InvalidInputError(
            f"storage_options must be a mapping for fsspec; received {shown(storage_options)}"
        )
    job = Job(
        src=os.fspath(src),
        dst=os.fspath(dst),
        classifier=None if classifier is None else os.fspath(classifier),
        crops=bool(crops),
        tta=tta,
        storage_options=dict(storage_options or {}),
    )
    source, place = Source(job.src, job.storage_options), Place(job.dst, job.storage_options)
    place.check_apart(source.fs, source.root)
    listing = source.look()
    parts = source.parts(listing, part_size)
    there = place.begin({
        "fer2013kit": __version__,
        "images": listing.state,
        "parts": len(parts),
        "part_size": part_size,
        "classifier": _identity(job.classifier),
        "crops": job.crops,
        "tta": tta,
    })  # fmt: skip
    names = [file_name(part.number) for part in parts]
    done = {name: place.facts(name) for name in names if name in there}
    left = [part for part, name in zip(parts, names, strict=True) if not done.get(name)]
    for _ in _with_progress(_run(job, left, workers, engine), len(left), enabled=progress):
        pass
    done |= {name: place.facts(name) for name in map(file_name, (one.number for one in left))}
    place.tidy()
    facts = [found for name in names if (found := done[name])]
    tell(job.src, facts, listing.others)
    if listing.closed:
        warn(f"{job.src}: folders that may not be read were skipped: {listed(listing.closed)}")
    return ScoreReport.of(
        job.dst,
        facts,
        n_passed_over=len(listing.others) + len(listing.closed),
        n_done_before=len(parts) - len(left),
    )


def _run(job: Job, parts: list[Part], workers: int, engine: ScoreEngine) -> Iterator[int]:
    """Do parts, and yield the number of each that is done."""
    if not parts:
        return iter(())
    if engine == "ray":
        return run_in_ray(job, parts, workers)
    if workers == 1:
        return run_here(job, parts)
    return run_in_processes(job, parts, min(workers, len(parts)))


def _identity(classifier: str | None) -> str | None:
    """Return what tells a network from another: the name of one that ships, or a checksum."""
    path = None if classifier is None else find_file(classifier)
    return classifier if path is None else sha256(Path(path).read_bytes()).hexdigest()


def _with_progress(numbers: Any, total: int, *, enabled: bool) -> Any:
    if not enabled:
        return numbers
    from tqdm import tqdm

    return tqdm(numbers, desc="parts", unit="part", total=total, disable=no_bar(), leave=False)
