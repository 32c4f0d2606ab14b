"""What lies in a folder, an archive or a single file, and how each file begins."""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Final, cast

from fer2013kit._picture_files import is_picture_name
from fer2013kit._untrusted import LimitedStream
from fer2013kit.datasets._labels import Labels
from fer2013kit.datasets._trees import OPENERS, opener_of
from fer2013kit.exceptions import OTHER_MODELS, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from fer2013kit.datasets._trees import FileTree

HEAD_BYTES: Final = 4096

_TAR_MARK: Final = slice(257, 262)
_ZIP_START: Final = b"PK\x03\x04"
_SPREADSHEETS: Final = (b"[Content_Types].xml", b"mimetypeapplication/vnd.oasis.opendocument")

_PICKLE: Final = (
    "a pickle, which may run programs when opened; where you trust it, open it and save it as "
    ".npz, numpy.savez('fer.npz', X=images, y=labels), or as CSV"
)
_FOREIGN_STARTS: Final = {
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; run: git lfs pull",
    b"\xff\xfe": "a text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "a text in UTF-16; save it as UTF-8",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it",
    b"Rar!\x1a\x07": "a RAR archive; unpack it",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it",
    b"ARROW1": (
        "an Arrow file; save it as parquet: pandas.read_feather(path).to_parquet('fer.parquet')"
    ),
    b"\xff\xff\xff\xff": (
        "Hugging Face's Arrow; save each split as parquet: "
        "datasets.load_from_disk(folder)['train'].to_parquet('train.parquet')"
    ),
    b"SQLite format 3": "an SQLite database; save its table as CSV",
    b"MATLAB 5.0 MAT-file": (
        "a MATLAB file; of m = scipy.io.loadmat(path) numpy.savez('fer.npz', X=m[...], y=m[...]) "
        "keeps images and labels"
    ),
    b"\xd0\xcf\x11\xe0": "a spreadsheet; save it as CSV",
    **dict.fromkeys((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"), _PICKLE),
}
"""How files begin that people keep data in and that are not read, and what to do."""

_MODELS: Final = (
    *(".keras", ".onnx", ".tflite", ".fer", ".pt", ".pth", ".pb", ".safetensors"),
    *(".weights.h5", "weights.npz"),
)
# Beside the data lie a read-me and a submission form, not thousands of files to be looked into.
_MAX_LOOKS: Final = 1000
_NEVER_LOOKED_INTO: Final = (".cls", ".txt", ".json", ".xml", ".md", ".py", ".ipynb")


@dataclass(frozen=True)
class Options:
    """What the user said about the source.

    Attributes
    ----------
    labels : Labels
        What its labels mean.
    resize : bool
        Whether images of other sizes are made 48x48.
    """

    labels: Labels = field(default_factory=Labels)
    resize: bool = False

    @property
    def key(self) -> list[Any]:
        """What tells these options from others, for the cache."""
        return [self.labels.key, self.resize]


class Listing:
    """The files of a tree as the dialects see them; compressed ones are seen unpacked.

    The tree is a folder or an archive, which is called ``home``, or a single file in its folder.
    Each file is looked into where the user named it, ``whatever_name``.  ``names`` are all files,
    in the order in which reading is fastest.
    """

    def __init__(self, tree: FileTree, home: str, *, whatever_name: bool = False) -> None:
        self.whatever_name = whatever_name
        self.tree = tree
        self.home = home
        self.path = tree.path
        self.names = list(tree.sizes)
        self._openers: dict[str, Callable[[IO[bytes]], Any]] = {}

    @cached_property
    def heads(self) -> dict[str, bytes]:
        """How each file begins that is no image; the shallowest come first, then by name."""
        candidates = [
            name
            for name, size in self.tree.sizes.items()
            if size > 0 and (self.whatever_name or not _is_never_looked_into(name))
        ]
        if len(candidates) > _MAX_LOOKS:
            candidates = sorted(candidates, key=_depth_and_name)[:_MAX_LOOKS]
        heads = {name: self._look(name) for name in candidates}  # in the fast order
        return {name: heads[name] for name in sorted(heads, key=_depth_and_name)}

    def without(self, names: Iterable[str]) -> Listing:
        """Return the listing as if some files were not there."""
        rest = copy(self)
        rest.heads = {name: head for name, head in self.heads.items() if name not in names}
        return rest

    def _look(self, name: str) -> bytes:
        with self.tree.open(name) as stream:
            head = stream.read(HEAD_BYTES)
        opener = opener_of(head)
        if opener is None:
            return head
        try:
            with self.tree.open(name) as stream, opener(stream) as unpacked:
                inner = cast("bytes", unpacked.read(HEAD_BYTES))
        except Exception:  # noqa: BLE001 - whatever it makes its reader raise
            return head  # damaged: what opens it as an archive says so
        if not is_text(inner):
            return head  # a compressed tar, most likely
        self._openers[name] = opener
        return inner

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file, unpacked if it is a compressed one."""
        opener = self._openers.get(name)
        with self.tree.open(name) as stream:
            if opener is None:
                yield stream
                return
            with opener(stream) as unpacked:
                yield cast("IO[bytes]", LimitedStream(unpacked, self.tree.sizes[name]))

    def size(self, name: str) -> int | None:
        """Return the length of a file in bytes; None where only unpacking it would tell."""
        return None if name in self._openers else self.tree.sizes[name]


@dataclass(frozen=True)
class Found:
    """A data set within a listing.

    Attributes
    ----------
    names : tuple of str
        The files to read; of images, none.
    splits : tuple of int
        For each file, the place in ``SPLIT_NAMES`` that its name tells.
    root : str
        For images, the folder that holds the splits: empty, or ending in a slash.
    what : str
        What a message calls it, where it is another one that is read.
    notes : tuple of str
        What the user is warned about.
    beside_images : bool
        Whether the rows are also of files that these files list.
    """

    names: tuple[str, ...] = ()
    splits: tuple[int, ...] = ()
    root: str = ""
    what: str = ""
    notes: tuple[str, ...] = ()
    beside_images: bool = False

    @property
    def title(self) -> str:
        """What a message calls it."""
        return self.what or listed(self.names)


def _is_never_looked_into(name: str) -> bool:
    return name.lower().endswith(_NEVER_LOOKED_INTO) or is_picture_name(name)


def _depth_and_name(name: str) -> tuple[int, str]:
    """Sort the shallowest files first, then by name."""
    return name.count("/"), name


def is_text(head: bytes) -> bool:
    """Tell whether a file begins as a text does."""
    return bool(head) and b"\x00" not in head


def is_zip(head: bytes) -> bool:
    """Tell whether a file begins as a zip archive that is no ``.npz`` and no spreadsheet."""
    return head.startswith(_ZIP_START) and not (is_npz(head) or _is_spreadsheet(head))


def _is_spreadsheet(head: bytes) -> bool:
    return head.startswith(_ZIP_START) and head[30:].startswith(_SPREADSHEETS)


def is_npz(head: bytes) -> bool:
    """Tell whether a file begins as an ``.npz``: a zip whose first member is an array."""
    length = int.from_bytes(head[26:28], "little")
    return head.startswith(_ZIP_START) and head[30 : 30 + length].endswith(b".npy")


def is_tar(head: bytes) -> bool:
    """Tell whether a file begins as a tar archive, or as a compressed file that may be one."""
    return head[_TAR_MARK] == b"ustar" or head.startswith(tuple(OPENERS))


def is_model(name: str) -> bool:
    """Tell by its name whether a file is a model, or a part of one, and no data."""
    return name.lower().endswith(_MODELS)


def why_not(name: str, head: bytes) -> str | None:
    """Say why a file that looks like data is none that can be read; None where it does not."""
    if is_model(name):
        return f"a model, no data set; {OTHER_MODELS}"
    for start, reason in _FOREIGN_STARTS.items():
        if head.startswith(start):
            return reason
    if _is_spreadsheet(head):
        return "a spreadsheet; save it as CSV"
    return _foreign_text(name.lower(), head.split(b"\n")[0])


def _foreign_text(name: str, first: bytes) -> str | None:
    """Say the same of a file by its name in lower case and its first line."""
    if first.lower().lstrip(b"\xef\xbb\xbf \"'").startswith((b"<!doctype", b"<html")):
        return "a web page, not the file itself; download it again"
    if name.endswith((".json", ".jsonl")) and first.lstrip().startswith((b"{", b"[")):
        lines = ", lines=True" if name.endswith("l") else ""
        table = name.rpartition("/")[2].rpartition(".")[0] + ".csv"
        return (
            f"JSON; a CSV in its place is read: pandas.read_json(path{lines}).to_csv({table!r}, "
            "index=False)"
        )
    if ".tfrecord" in name:
        return (
            "a TFRecord; of the images and labels in it numpy.savez('fer.npz', X=images, y=labels) "
            "makes a file that is read"
        )
    return None


def sorted_by_split(names: Sequence[str], splits: Sequence[int]) -> list[tuple[str, int]]:
    """Return files with their splits: train first, each split's by name."""
    return sorted(zip(names, splits, strict=True), key=lambda pair: (pair[1], pair[0]))
