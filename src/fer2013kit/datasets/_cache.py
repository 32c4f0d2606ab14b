"""The cache on disk: parsed rows as ``.npy`` files, found again by their source's content.

::

    <home>/datasets/<key>/images.npy, labels.npy, (csv_rows, votes, column0, ...).npy, entry.json
    <home>/datasets/.images.<random>            pixels while a source is being read
    <home>/sources/<digest of a path>.json      what the content of that file hashes to

``<home>`` is the platform's cache folder, moved by the environment variable FER2013KIT_HOME.
The key is made of SHA-256 of the source's content, so that a changed source never gives old rows.
Hashing 300 MB at each load would cost more than the load: a file whose size, times and inode are
still those of the last hashing is not hashed again.  The same stamp tells whether a cached array
is as it was written; where it differs (a copied or damaged cache) its checksum decides.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import platformdirs

from fer2013kit._files import write_atomically
from fer2013kit._threads import run_in_threads
from fer2013kit.datasets._new_images import NewImages
from fer2013kit.datasets._rows import Rows
from fer2013kit.datasets._trees import Stamp, stamp_of
from fer2013kit.emotions import SPLIT_NAMES
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

_logger = logging.getLogger(__name__)

HOME_VARIABLE: Final = "FER2013KIT_HOME"

# Part of every key: raise it whenever a reader gives other rows or an entry looks different.
_FORMAT_VERSION: Final = 8

# Files are hashed in pieces of so many bytes, on all cores, and then the pieces' hashes.
_PIECE: Final = 2**22

# A file changed twice within one tick of its file system's clock keeps its stamp, so a stamp is
# trusted only when it is older than a tick: 2 s where times are whole seconds, else 20 ms.
_COARSE_TICK: Final = 2.0
_FINE_TICK: Final = 0.02


def cache_home() -> Path:
    """Return the folder of all that the package keeps on disk; it need not exist.

    Raises
    ------
    InvalidInputError
        For a user without a home folder.
    """
    try:
        moved = os.environ.get(HOME_VARIABLE) or platformdirs.user_cache_dir("fer2013kit")
    except RuntimeError:  # later versions say so themselves
        moved = "~"
    path = os.path.expanduser(moved)  # noqa: PTH111 - Path's own raises
    if path.startswith("~"):
        raise InvalidInputError(
            f"you have no home folder for a cache; set {HOME_VARIABLE} to a folder of yours"
        )
    return Path(path)


def content_key(files: Iterable[Path], facts: object = None) -> str:
    """Return a key of the content of files in their order, and of all else that rows depend on."""
    return _digest([[_hash_file(path) for path in files], facts])


def listing_key(stamps: Mapping[str, Stamp], facts: object = None) -> str | None:
    """Return a key of the names and stamps of a folder's files; None when they cannot be trusted.

    They cannot within a clock tick of the last change: another one would leave no trace.
    """
    if not all(map(_is_settled, stamps.values())):
        return None
    return _digest([stamps, facts])


def cached_rows(key: str | None, build: Callable[[NewImages], Rows]) -> Rows:
    """Return the rows from the cache, mapped read-only if possible, or build and cache them.

    A missing, old or damaged entry is built anew; a cache that cannot be written is warned about in
    the log and otherwise no matter.  A key is from :func:`content_key` or :func:`listing_key`; None
    does without the cache.
    """
    if key is None:
        return build(NewImages(None))
    try:
        folder = cache_home() / "datasets" / key
    except InvalidInputError as error:
        _warn_of_home("your home", error)
        return build(NewImages(None))
    rows = _read_entry(folder)
    if rows is not None:
        return rows
    with NewImages(folder.parent) as new:
        built = build(new)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write_entry(folder, built, new)
        except OSError as error:
            _warn_of_home(str(folder.parent.parent), error)
            return built
    return _read_entry(folder) or built


def _warn_of_home(where: str, error: Exception) -> None:
    _logger.warning(
        "the cache in %s cannot be written (%s); the data will be parsed again next time. "
        "Set %s to a folder that can be written.",
        where,
        error,
        HOME_VARIABLE,
    )


def _digest(value: object) -> str:
    text = json.dumps([_FORMAT_VERSION, value])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _is_settled(stamp: Stamp) -> bool:
    _, modified, changed, _ = stamp
    tick = _COARSE_TICK if modified % 10**9 == 0 else _FINE_TICK
    return time.time() - max(modified, changed) / 1e9 > tick


def _hash_file(path: Path) -> str:
    """Return a file's hash, from the note of the last hashing where the stamp is the same."""
    place = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    stamp = stamp_of(path.stat())
    try:
        note_path = cache_home() / "sources" / f"{place}.json"
    except InvalidInputError:  # cached_rows warns aloud
        return _hash_content(path, size=stamp[0])
    note = _read_json(note_path)
    if note.get("stamp") == list(stamp) and isinstance(note.get("hash"), str):
        return str(note["hash"])
    settled = _is_settled(stamp)
    content_hash = _hash_content(path, size=stamp[0])
    if settled and stamp == stamp_of(path.stat()):
        note = {"path": str(path), "stamp": stamp, "hash": content_hash}
        try:
            note_path.parent.mkdir(parents=True, exist_ok=True)
            _write_json(note_path, note)
        except OSError as error:  # cached_rows warns aloud
            _logger.debug("%s was not written: %s", note_path, error)
    return content_hash


def _hash_content(path: Path, *, size: int) -> str:
    """Return the SHA-256 of the SHA-256 of a file's pieces."""
    starts = range(0, size, _PIECE)
    hashes = [b""] * len(starts)

    def hash_piece(number: int) -> None:
        with path.open("rb") as stream:
            stream.seek(starts[number])
            hashes[number] = hashlib.sha256(stream.read(_PIECE)).digest()

    run_in_threads(hash_piece, range(len(starts)))
    return hashlib.sha256(b"".join(hashes)).hexdigest()


def _write_entry(folder: Path, rows: Rows, new: NewImages) -> None:
    arrays: dict[str, NDArray[Any]] = {"images": rows.images, "labels": rows.labels}
    for name in ("csv_rows", "votes"):
        if (array := getattr(rows, name)) is not None:
            arrays[name] = array
    arrays |= {f"column{place}": array for place, array in enumerate(rows.columns.values())}
    entry: dict[str, Any] = {
        "sizes": list(rows.sizes),
        "notes": list(rows.notes),
        "log": list(rows.log),
        "columns": list(rows.columns),
        "arrays": {},
    }
    for name, array in arrays.items():
        path = folder / f"{name}.npy"
        contiguous = np.ascontiguousarray(array)
        if not new.move(contiguous, path):  # which are in a file already
            write_atomically(path, partial(np.save, arr=contiguous))
        entry["arrays"][name] = {"crc32": _checksum(contiguous), "stamp": stamp_of(path.stat())}
    _write_json(folder / "entry.json", entry)  # last: without it there is no entry


def _read_entry(folder: Path) -> Rows | None:
    """Return a cached entry, or None where there is none that can be trusted."""
    entry_path = folder / "entry.json"
    if not os.path.exists(entry_path):  # noqa: PTH110 - Path's own raises for some names and folders
        return None
    try:
        entry = _read_json(entry_path)
        arrays = {name: _read_array(folder, name, entry) for name in entry["arrays"]}
        rows = Rows(
            arrays["images"],
            arrays["labels"],
            tuple(entry["sizes"]),
            arrays.get("csv_rows"),
            arrays.get("votes"),
            tuple(map(str, entry["notes"])),
            tuple(map(str, entry["log"])),
            {
                (str(split), str(name)): arrays[f"column{place}"]
                for place, (split, name) in enumerate(entry["columns"])
            },
        )
        _check_entry(rows)
    except Exception as error:  # noqa: BLE001 - whatever there can stand in a damaged file
        _logger.warning("the cache entry %s is damaged and is built anew: %s", folder, error)
        return None
    return rows


def _read_array(folder: Path, name: str, entry: dict[str, Any]) -> NDArray[Any]:
    path = folder / f"{name}.npy"
    facts = entry["arrays"][name]
    array = np.load(path, mmap_mode="r" if name == "images" else None, allow_pickle=False)
    if facts["stamp"] != list(stamp_of(path.stat())) and facts["crc32"] != _checksum(array):
        raise ValueError(f"{path} has another checksum than was recorded")
    return np.asarray(array)


def _checksum(array: NDArray[Any]) -> int:
    return zlib.crc32(array.data)


def _check_entry(rows: Rows) -> None:
    count = sum(rows.sizes)
    numbers = [one for one in (rows.labels, rows.csv_rows, rows.votes) if one is not None]
    fit = len(rows.images) == count and rows.images.dtype == np.uint8 and rows.labels.ndim == 1
    fit &= all(len(one) == count and one.dtype == np.int64 for one in numbers)
    if not fit or len(rows.sizes) != len(SPLIT_NAMES):
        raise ValueError(
            f"expected {count} images and labels, received {rows.images.dtype} "
            f"{rows.images.shape} and {rows.labels.dtype} {rows.labels.shape}"
        )
    # Which checks what the splits hold.
    replace(rows, notes=(), log=()).to_data("cache")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _write_json(path: Path, value: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(value).encode())
