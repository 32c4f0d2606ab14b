"""Where the parts are written, each whole or not at all, and what is there already."""

from __future__ import annotations

import json
import re
import secrets
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING, Any, Final

from fer2013kit._files import check_not_empty, new_file
from fer2013kit._optional import needed
from fer2013kit._untrusted import are_words, check_facts, errors_as, is_count, read_facts
from fer2013kit.exceptions import Fer2013KitError, InvalidInputError, shortened, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    import pyarrow as pa

_PLAN: Final = "_plan.json"
"""Spark and Arrow pass over what begins so."""
_KEY: Final = b"fer2013kit"
_UNFINISHED: Final = re.compile(r"\.(_plan\.json|part-\d+\.parquet)\.[0-9a-f]{16}")
"""What a file is called on a store until it is whole."""

COUNTS: Final = ("n_images", "n_faces", "n_errors", "n_passed_over", "n_notes")
WORDS: Final = ("first_errors", "passed_over", "notes")
"""The facts of a part, which stand in its file's metadata."""

_FACTS: Final = {**dict.fromkeys(COUNTS, is_count), **dict.fromkeys(WORDS, are_words)}


class _DamagedError(Fer2013KitError):
    """A part that another run left cannot be read."""


def file_system(url: str, options: dict[str, Any]) -> tuple[Any, str, bool]:
    """Return fsspec's file system for a path, the path as it is named there, and if it is local."""
    check_not_empty(url)
    with needed("score", extra="score"):
        import fsspec
    try:
        fs, root = fsspec.core.url_to_fs(url, **options)
    except (ValueError, ImportError) as error:  # no such protocol, or without its library
        raise InvalidInputError(f"{shown(url)} cannot be opened by fsspec: {error}") from error
    protocols = (fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol
    return fs, root, "file" in protocols


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turn what a file system's library raises into an OSError, as its name promises no type."""
    try:
        yield
    except (Fer2013KitError, OSError, Warning):
        raise
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise OSError(f"{shown(url)} cannot be reached: {shortened(why)}") from error


@dataclass
class Place:
    """A folder on any file system that fsspec knows."""

    url: str
    storage_options: dict[str, Any]

    def __post_init__(self) -> None:
        self.fs, self.root, self.is_local = file_system(self.url, self.storage_options)

    def check_apart(self, fs: Any, root: str) -> None:
        """Raise where the parts would be read as images the next time."""
        if fs.protocol != self.fs.protocol:
            return
        # Local paths may hold "..", which fsspec leaves; a whole file system has no name.
        ours, theirs = (normpath(f"/{one.lstrip('/')}").rstrip("/") for one in (self.root, root))
        if f"{ours}/".startswith(f"{theirs}/"):
            raise InvalidInputError(
                f"dst must lie outside of src, or the next run would read it; received {self.url}"
            )

    def begin(self, plan: dict[str, Any]) -> set[str]:
        """Write what is to be done; or return the names of parts that are there already.

        Raises
        ------
        InvalidInputError
            If something else was begun here, or nothing can be written.
        """
        names = self._names()
        if _PLAN not in names:
            if left := sorted(name for name in names if name.endswith(".parquet")):
                raise InvalidInputError(
                    f"{self.url} holds parquet files of something else, {left[0]} for instance; "
                    "name an empty folder"
                )
            with suppress(FileExistsError):  # another run was faster: is it the same?
                with self._new_file(_PLAN, only_first=True) as file:
                    file.write(json.dumps(plan, indent=1).encode())
                return set()
        with reaching(self.url):
            text = self.fs.cat_file(f"{self.root}/{_PLAN}")
        with errors_as(self._damaged):
            begun = read_facts(text)
        other = [name for name in plan if begun.get(name) != plan[name]]
        if other:
            was = ", ".join(f"{name} {begun.get(name)!r}, now {plan[name]!r}" for name in other)
            raise InvalidInputError(
                f"{self.url} was begun with other images or settings ({was}): name another "
                "folder, or delete this one to begin again"
            )
        return names

    def _names(self) -> set[str]:
        """Make the folder; return the names in it."""
        with reaching(self.url):
            self.fs.makedirs(self.root, exist_ok=True)
            self.fs.invalidate_cache()  # others write, too
            try:
                paths = self.fs.ls(self.root, detail=False)
            except FileNotFoundError:  # an object store has no empty folders
                return set()
        return {path.rpartition("/")[2] for path in paths}

    def write(
        self, name: str, schema: pa.Schema, tables: Iterable[pa.Table], facts: dict[str, Any]
    ) -> None:
        """Write a part; ``facts`` are those that hold when the last table was taken."""
        from pyarrow import parquet

        with (
            self._new_file(name) as file,
            parquet.ParquetWriter(file, schema, compression="zstd") as writer,
        ):
            for table in tables:
                writer.write_table(table)
            writer.add_key_value_metadata({_KEY: json.dumps(facts).encode()})

    def tidy(self) -> None:
        """Take away what writers left that were killed, once every part is there.

        Whoever still writes by then writes what is there already.  On a local disk, the next
        writer sees to it.
        """
        if self.is_local:
            return
        left = [f"{self.root}/{name}" for name in self._names() if _UNFINISHED.fullmatch(name)]
        with suppress(FileNotFoundError), reaching(self.url):  # another run has been here
            if left:
                self.fs.rm(left)

    def facts(self, name: str) -> dict[str, Any] | None:
        """Return the facts of a part that is there; None where it is damaged, to be done anew."""
        from pyarrow import parquet

        with (
            reaching(self.url),
            self.fs.open(f"{self.root}/{name}", "rb") as file,
            suppress(_DamagedError),
            errors_as(_DamagedError),
        ):
            facts = read_facts(parquet.read_metadata(file).metadata[_KEY])
            check_facts(facts, _FACTS)
            return facts
        return None

    def _damaged(self, why: str) -> InvalidInputError:
        return InvalidInputError(
            f"{self.url}/{_PLAN}, which says what was begun there, is damaged ({why}): name "
            "another folder, or delete this one to begin again"
        )

    @contextmanager
    def _new_file(self, name: str, *, only_first: bool = False) -> Iterator[IO[bytes]]:
        """Open a file that appears whole; ``only_first`` is for local disks alone."""
        if self.is_local:
            with new_file(Path(self.root, name), only_first=only_first) as file:
                yield file
            return
        temporary = f"{self.root}/.{name}.{secrets.token_hex(8)}"
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            with reaching(self.url), self._writable(), self.fs.open(temporary, "wb") as remote:
                while piece := file.read(2**22):
                    remote.write(piece)
        with reaching(self.url):
            self.fs.mv(temporary, f"{self.root}/{name}")

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except NotImplementedError as error:
            raise InvalidInputError(
                "dst must be a folder on a file system that can be written to; received "
                f"{shown(self.url)}"
            ) from error
