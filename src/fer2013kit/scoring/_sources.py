"""The images of folders, archives and parquet files, in parts that are always the same."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from fer2013kit._files import is_rubbish
from fer2013kit._optional import needed
from fer2013kit._picture_files import MAX_BYTES, is_picture_name
from fer2013kit._untrusted import errors_as
from fer2013kit.datasets._csv_header import comparable
from fer2013kit.datasets._csv_pixels import parse_row
from fer2013kit.datasets._parquet import (
    PICTURE_COLUMNS,
    check_rows,
    declared_features,
    file_or_pixels,
)
from fer2013kit.datasets._parquet_pages import check_pages
from fer2013kit.datasets._trees import TarTree, ZipTree, archive_errors
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import DatasetFormatError, Fer2013KitError, MediaFileError, listed
from fer2013kit.scoring._place import file_system, reaching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from fer2013kit.typing import Photo

_ZIP: Final = (".zip",)
_TAR: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_PARQUET: Final = (".parquet",)
CONTAINERS: Final = (*_ZIP, *_TAR, *_PARQUET)
_VERSION_KEYS: Final = (
    *("ETag", "etag", "md5Hash", "mtime"),
    *("LastModified", "last_modified", "Last-Modified"),
)
_LISTED_APART: Final = frozenset({"name", "size", "type"})
_GONE: Final = frozenset({401, 403, 404, 410})
"""What a web server answers of a file that it will not give later, either."""
_ROWS_AT_ONCE: Final = 64

Item = tuple[str, "Photo | Fer2013KitError"]


@dataclass(frozen=True)
class Part:
    """Some images: of a folder those that are named, or of one file all or a range of them."""

    number: int
    names: tuple[str, ...] = ()
    container: str = ""
    start: int = 0
    stop: int | None = None


@dataclass
class Source:
    """A folder or a file on any file system that fsspec knows."""

    url: str
    storage_options: dict[str, Any]

    def __post_init__(self) -> None:
        self.fs, self.root, self.is_local = file_system(self.url, self.storage_options)

    def look(self) -> Listing:
        """Look at all names, in an order that is always the same."""
        with reaching(self.url):
            self.fs.invalidate_cache()  # what was there the last time
            if not self.fs.exists(self.root):
                raise MediaFileError(
                    "there is no such file or folder"
                    + ("" if self.is_local else ", or it cannot be reached"),
                    path=self.url,
                )
            # Folders of this disk that may not be read are no error to fsspec.
            found = self.fs.find(self.root, detail=True, withdirs=self.is_local)
            if list(found.values()) == [{}]:  # as of a file on the web
                found = {path: self.fs.info(path) for path in found}
        listing = Listing(closed=_closed(found, self.root))
        state = hashlib.sha256()
        for path, info in sorted(found.items()):
            name = path.removeprefix(self.root).lstrip("/") or PurePosixPath(path).name
            if is_rubbish(name) or info["type"] == "directory":
                continue
            if info["type"] == "other" and Path(path).exists() and not Path(path).is_file():
                listing.others.append(name)  # a pipe, which would be waited for
                continue
            if name.lower().endswith(CONTAINERS):
                listing.containers.append(name)
            elif is_picture_name(name):
                listing.images.append(name)
            else:
                listing.others.append(name)
                continue
            entry = f"{name}\0{info.get('size')}\0{_version_of(info)}\n"
            state.update(entry.encode("utf-8", "surrogateescape"))
        listing.state = state.hexdigest()
        if not (listing.images or listing.containers):
            raise MediaFileError(
                "there is no image here, and no archive or parquet file "
                f"({', '.join(CONTAINERS)}), by their names"
                + (f"; closed to you: {listed(listing.closed)}" if listing.closed else ""),
                path=self.url,
            )
        return listing

    def parts(self, listing: Listing, size: int) -> list[Part]:
        """Cut the work into parts of about so many images.

        A tar, which has no list of what it holds, and a container on another machine are one part.
        """
        pieces: list[dict[str, Any]] = [
            {"names": tuple(listing.images[start : start + size])}
            for start in range(0, len(listing.images), size)
        ]
        for name in listing.containers:
            try:
                ends = self._ends(name, size) if self.is_local else [None]
            except Fer2013KitError:  # told when it is read
                ends = [None]
            starts = [0, *ends[:-1]]
            pieces += [
                {"container": name, "start": start, "stop": stop}
                for start, stop in zip(starts, ends, strict=True)
            ]
        return [Part(number, **piece) for number, piece in enumerate(pieces)]

    def _ends(self, name: str, size: int) -> list[Any]:
        """Return where the parts of a container end: after so many images or rows, None for all."""
        if name.lower().endswith(_TAR):
            return [None]
        if name.lower().endswith(_PARQUET):
            with self._parquet(name) as (file, _):
                ends: list[Any] = [0]
                row = 0
                for number in range(file.num_row_groups):
                    row += file.metadata.row_group(number).num_rows
                    if row - ends[-1] >= size:
                        ends.append(row)
                return [*(end for end in ends[1:] if end < row), None]
        with self._tree(name) as (images, _, _):
            return [*range(size, len(images), size), None]

    def read(self, part: Part, others: list[str]) -> Iterator[Item]:
        """Yield the images of a part with their names; an error stands for one that is broken.

        What the disk or the network does not give is raised: the part can be done later.  Names
        of what is no image in an archive are added to ``others``.
        """
        if not part.container:
            for name in part.names:
                yield name, self._file(name)
            return
        reader = self._rows if part.container.lower().endswith(_PARQUET) else self._members
        try:
            yield from reader(part, others)
        except DatasetFormatError as error:
            yield part.container, error

    def _path(self, name: str) -> str:
        is_file = PurePosixPath(self.root).name == name and not self.fs.isdir(self.root)
        return self.root if is_file else f"{self.root.rstrip('/')}/{name}"

    def _file(self, name: str) -> bytes | Fer2013KitError:
        try:
            with reaching(self.url), self.fs.open(self._path(name), "rb") as file:
                content: bytes = file.read(MAX_BYTES + 1)
        except (FileNotFoundError, PermissionError) as error:
            if not (self.is_local or self._is_of_the_file(error)):
                raise
            return MediaFileError(error.strerror or "it cannot be opened", path=name)
        return content

    def _is_of_the_file(self, error: OSError) -> bool:
        """Tell a file that is gone from a server that is, or from a right to it that has ended."""
        status = getattr(error.__cause__, "status", None)
        if isinstance(status, int):
            return status in _GONE
        self.fs.invalidate_cache()
        try:
            return bool(self.fs.exists(self.root))
        except Exception:  # noqa: BLE001 - of any library; the error in hand says what happened
            return False

    @contextmanager
    def _local(self, name: str) -> Iterator[Path]:
        """Give a file of this disk: the container itself, or a copy for as long as it is read."""
        if self.is_local:
            yield Path(self._path(name))
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, PurePosixPath(name).name)
            with reaching(self.url):
                self.fs.get_file(self._path(name), str(path))
            yield path

    @contextmanager
    def _tree(self, name: str) -> Iterator[tuple[list[str], list[str], Callable[[str], bytes]]]:
        """Open an archive: names of images, names of all else, and what reads one."""
        with self._local(name) as path, archive_errors(Path(name)):
            is_zip = name.lower().endswith(_ZIP)
            tree = ZipTree(path) if is_zip else TarTree(path)
            try:
                images = [one for one in tree.sizes if is_picture_name(one)]
                others = [one for one in tree.sizes if not is_picture_name(one)]
                yield images, others, tree.read
            finally:
                tree.close()

    def _members(self, part: Part, others: list[str]) -> Iterator[Item]:
        with self._tree(part.container) as (images, rest, read):
            if not part.start:
                others += [f"{part.container}/{name}" for name in rest]
            for name in images[part.start : part.stop]:
                yield f"{part.container}/{name}", read(name)

    @contextmanager
    def _parquet(self, name: str) -> Iterator[tuple[Any, int]]:
        """Open a parquet file; yield it and how many of its rows may be read at a time."""
        with needed("reading parquet", extra="score"):
            from pyarrow import parquet

        def damaged(why: str) -> DatasetFormatError:
            return DatasetFormatError(f"the file is damaged ({why}); get it again", path=name)

        with self._local(name) as path, path.open("rb") as stream, errors_as(damaged):
            file = parquet.ParquetFile(stream)
            size = path.stat().st_size
            check_rows(file.metadata.num_rows, size)
            yield file, min(_ROWS_AT_ONCE, check_pages(stream, size))

    def _rows(self, part: Part, _others: list[str]) -> Iterator[Item]:
        with self._parquet(part.container) as (file, chunk):
            column = _picture_column(file.schema_arrow, part.container)
            row, groups = 0, []
            for number in range(file.num_row_groups):
                if part.start <= row and (part.stop is None or row < part.stop):
                    groups.append(number)
                row += file.metadata.row_group(number).num_rows
            row = part.start
            for batch in file.iter_batches(chunk, row_groups=groups, columns=[column]):
                for value in batch.column(0).to_pylist():
                    yield f"{part.container}/row {row}", _photo_of(value)
                    row += 1


@dataclass
class Listing:
    """What there is, by name: images, files that hold some, others, and folders that are closed.

    ``state`` is a checksum of it.
    """

    images: list[str] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    state: str = ""


def _closed(found: dict[str, dict[str, Any]], root: str) -> list[str]:
    """Return the folders that may not be read, of those that are listed."""
    return sorted(
        path
        for path, info in found.items()
        if info["type"] == "directory"
        and not is_rubbish(path.removeprefix(root).lstrip("/"))
        and not os.access(path, os.R_OK | os.X_OK)
    )


def _version_of(info: dict[str, Any]) -> object:
    """Return what changes with a file's content; of a store unknown here, all that it tells."""
    known = next((info[key] for key in _VERSION_KEYS if key in info), None)
    if known is not None:
        return known
    plain = (str, int, float, bytes, tuple, datetime)
    return sorted(
        (key, str(value))
        for key, value in info.items()
        if key not in _LISTED_APART and isinstance(value, plain)
    )


def _picture_column(schema: Any, name: str) -> str:
    features = declared_features(schema.metadata or {})
    typed = [name for name, about in features.items() if about.get("_type") == "Image"]
    known = {"bytes", "content", *PICTURE_COLUMNS}
    found = typed or [name for name in schema.names if comparable(name) in known]
    if len(found) != 1:
        raise DatasetFormatError(
            f"expected one column of images, named {', '.join(sorted(known))}; received "
            f"{', '.join(schema.names)}",
            path=name,
        )
    return str(found[0])


def _photo_of(cell: Any) -> bytes | np.ndarray[Any, Any] | Fer2013KitError:
    """Return the bytes of an image file, or an array of the pixels that stand in a row."""
    try:
        content = file_or_pixels(cell)
        if isinstance(content, bytes):
            return content
        return parse_row(content.encode()).reshape(IMAGE_SHAPE)
    except ValueError as error:
        return MediaFileError(str(error))
