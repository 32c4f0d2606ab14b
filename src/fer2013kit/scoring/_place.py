"""Where the parts are written, each whole or not at all, and what is there already."""

from __future__ import annotations

import json
import secrets
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fer2013kit._files import new_file
from fer2013kit._optional import needed
from fer2013kit._untrusted import read_facts
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    import pyarrow as pa

_PLAN: Final = "_plan.json"
"""Spark and Arrow pass over what begins so."""
_KEY: Final = b"fer2013kit"


@dataclass
class Place:
    """A folder on any file system that fsspec knows."""

    url: str
    storage_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with needed("score", extra="score"):
            import fsspec

        self.fs, self.root = fsspec.core.url_to_fs(self.url, **self.storage_options)
        self.is_local = self.fs.protocol == "file" or "file" in self.fs.protocol

    def check_apart(self, fs: Any, root: str) -> None:
        """Raise where the parts would be read as images the next time."""
        inside = f"{self.root.rstrip('/')}/".startswith(f"{root.rstrip('/')}/")
        if inside and fs.protocol == self.fs.protocol:
            raise InvalidInputError(
                f"dst must lie outside of src, or the next run would read it; received {self.url}"
            )

    def begin(self, plan: dict[str, Any]) -> set[str]:
        """Write what is to be done; or return the names of parts that are there already.

        Raises
        ------
        InvalidInputError
            If something else was begun here.
        """
        self.fs.makedirs(self.root, exist_ok=True)
        names = {path.rpartition("/")[2] for path in self.fs.ls(self.root, detail=False)}
        if _PLAN not in names:
            if left := sorted(name for name in names if name.endswith(".parquet")):
                raise InvalidInputError(
                    f"{self.url} holds parquet files of something else, {left[0]} for instance; "
                    "name an empty folder"
                )
            with self._new_file(_PLAN) as file:
                file.write(json.dumps(plan, indent=1).encode())
            return set()
        begun = read_facts(self.fs.cat_file(f"{self.root}/{_PLAN}"))
        other = [name for name in plan if begun.get(name) != plan[name]]
        if other:
            was = ", ".join(f"{name} {begun.get(name)!r}, now {plan[name]!r}" for name in other)
            raise InvalidInputError(
                f"{self.url} was begun with other images or settings ({was}): name another "
                "folder, or delete this one to begin again"
            )
        return names

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

    def facts(self, name: str) -> dict[str, Any]:
        """Return the facts of a part that is there."""
        from pyarrow import parquet

        with self.fs.open(f"{self.root}/{name}", "rb") as file:
            return read_facts(parquet.read_metadata(file).metadata[_KEY])

    @contextmanager
    def _new_file(self, name: str) -> Iterator[IO[bytes]]:
        if self.is_local:
            with new_file(Path(self.root, name)) as file:
                yield file
            return
        temporary = f"{self.root}/.{name}.{secrets.token_hex(8)}"
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            with self.fs.open(temporary, "wb") as remote:
                while piece := file.read(2**22):
                    remote.write(piece)
        self.fs.mv(temporary, f"{self.root}/{name}")
