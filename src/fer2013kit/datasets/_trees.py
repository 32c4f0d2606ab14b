"""Folders, zip and tar archives, all seen as names and bytes; nothing is ever unpacked to disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, cast

from fer2013kit._files import is_rubbish
from fer2013kit._untrusted import LimitedStream, check_member, check_unpacked, errors_as
from fer2013kit.exceptions import DatasetFormatError, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator
    from contextlib import AbstractContextManager

# Deep enough for folder/train/class/picture one folder deeper; a home folder is not searched whole.
_MAX_FOLDER_DEPTH: Final = 5
_CHUNK_BYTES: Final = 2**18  # some 150 images of 48x48
_LOCAL_HEADER: Final = struct.Struct("<26x2H")  # in a zip, before each file: lengths of name, extra
_MAX_PAX_HEADERS: Final = 100
"""Each file of an archive has those of all archive, copied."""

OPENERS: Final[dict[bytes, Callable[..., Any]]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
"""What unpacks files that begin so."""
_LONGEST_START: Final = max(map(len, OPENERS))


def opener_of(start: bytes) -> Callable[..., Any] | None:
    """Return what unpacks a file that begins so; None where nothing has to."""
    return next((opener for mark, opener in OPENERS.items() if start.startswith(mark)), None)


Stamp = tuple[int, int, int, int]


def stamp_of(stat: os.stat_result) -> Stamp:
    """Return what changes when a file's content does: size, modification and change time, inode."""
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


class FileTree(Protocol):
    """Files by name, wherever they are kept.

    Attributes
    ----------
    path : Path
        The folder or the archive.
    sizes : dict of str to int
        Name, relative and with forward slashes, to size in bytes, in the order in which
        reading is fastest.  Rubbish such as ``.DS_Store`` is left out.
    """

    path: Path
    sizes: dict[str, int]

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading; files of an archive one at a time."""

    def read(self, name: str) -> bytes:
        """Return the whole content of a file."""


class FolderTree:
    """The files of a folder, a few levels deep; or only those that are named.

    Attributes
    ----------
    unread : list of str
        What was not looked into: folders below the last level or closed to the user, links that
        lead nowhere or back to a folder above.
    """

    def __init__(
        self, path: Path, *, names: Iterable[str] | None = None, depth: int = _MAX_FOLDER_DEPTH
    ) -> None:
        self.path = path
        self.sizes: dict[str, int] = {}
        self.stamps: dict[str, Stamp] = {}
        self.unread: list[str] = []
        if names is None:
            self._scan(path, "", depth, frozenset())
        else:
            for name in names:
                self._add(name, (path / name).stat())

    def _scan(
        self, folder: Path, prefix: str, depth: int, above: frozenset[tuple[int, int]]
    ) -> None:
        stat = folder.stat()
        here = stat.st_dev, stat.st_ino
        if not depth or here in above:
            self.unread.append(prefix)
            return
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if is_rubbish(entry.name):
                    continue
                name = prefix + entry.name
                try:
                    if entry.is_file():
                        self._add(name, entry.stat())
                    elif entry.is_dir():
                        self._scan(Path(entry.path), f"{name}/", depth - 1, above | {here})
                    else:
                        self.unread.append(name)
                except OSError:  # closed to the user, or gone
                    self.unread.append(name)

    def _add(self, name: str, stat: os.stat_result) -> None:
        self.sizes[name] = stat.st_size
        self.stamps[name] = stamp_of(stat)

    def passed_over(self) -> tuple[str, ...]:
        """Say what was not looked into."""
        if not self.unread:
            return ()
        what = "what is closed, too many folders deep, leads nowhere or leads back"
        deeper = "the path of an inner folder has what is below it read"
        return (f"{what} was skipped: {listed(map(repr, self.unread))}; {deeper}",)

    def open(self, name: str) -> IO[bytes]:
        return (self.path / name).open("rb")

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()


class ZipTree:
    """The files of a zip archive."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = path.open("rb")
        self._ahead, self._ahead_at = b"", 0
        try:
            self._length = self._stream.seek(0, os.SEEK_END)
            # A disk's error would be "no zip file" to zipfile.
            self._bytes(max(0, self._length - _CHUNK_BYTES), 1)
            self._archive = zipfile.ZipFile(self._stream)
            self._members = {
                name: info
                for info in sorted(self._archive.infolist(), key=lambda info: info.header_offset)
                if not info.is_dir()
                and not is_rubbish(name := info.filename.replace("\\", "/").removeprefix("./"))
            }
            self.sizes = {name: info.file_size for name, info in self._members.items()}
            check_unpacked(sum(self.sizes.values()), self._length)
        except BaseException:
            self._stream.close()
            raise

    def open(self, name: str) -> IO[bytes]:
        check_member(self._members[name])
        return self._archive.open(self._members[name])

    def read(self, name: str) -> bytes:
        """Return the whole content of a file, for which ``zipfile`` takes as long as decoding."""
        info = self._members[name]
        check_member(info)
        header = self._bytes(info.header_offset, _LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size:
            raise zipfile.BadZipFile(f"no file at byte {info.header_offset:,}")
        name_length, extra_length = _LOCAL_HEADER.unpack(header)
        start = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        content = self._bytes(start, info.compress_size)
        if info.compress_type == zipfile.ZIP_DEFLATED:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, info.file_size + 1)
        if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
            raise zipfile.BadZipFile(f"bad CRC-32 for file {name!r}")
        return content

    def _bytes(self, start: int, length: int) -> bytes:
        """Return a part of the archive, which is read in large pieces.

        Each turn to the disk hands the interpreter lock over to the decoding threads and waits for
        it to come back.  A memory map needs no turns, but a disk's error there ends the process.
        """
        if start < 0:  # which a seek would take for a fault of the disk
            raise zipfile.BadZipFile(f"no file at byte {start:,}")
        length = min(length, self._length)
        at = start - self._ahead_at
        if not 0 <= at <= len(self._ahead) - length:
            self._stream.seek(start)
            self._ahead, self._ahead_at = self._stream.read(max(length, _CHUNK_BYTES)), start
            at = 0
        return self._ahead[at : at + length]

    def close(self) -> None:
        self._archive.close()
        self._stream.close()


class TarTree:
    """The files of a tar archive, compressed or not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = _unpacked(path)
        try:
            self._archive = tarfile.open(fileobj=self._stream, mode="r:")  # noqa: SIM115 - the same
            self._members = {
                name: member
                for member in map(_checked, self._archive)
                if member.isfile() and not is_rubbish(name := member.name.removeprefix("./"))
            }
            _check_whole(self._members.values(), path)
            _check_end(self._archive)
        except BaseException:
            self._stream.close()
            raise
        self.sizes = {name: member.size for name, member in self._members.items()}

    def open(self, name: str) -> IO[bytes]:
        stream = self._archive.extractfile(self._members[name])
        return cast("IO[bytes]", stream)  # None is for what is no file, and files alone are listed

    def read(self, name: str) -> bytes:
        with self.open(name) as stream:
            return stream.read()

    def close(self) -> None:
        self._archive.close()
        self._stream.close()


def _unpacked(path: Path) -> IO[bytes]:
    """Open a tar, compressed or not; of what it unpacks to, no more is read than is allowed."""
    stream = path.open("rb")
    start = stream.read(_LONGEST_START)
    stream.seek(0)
    opener = opener_of(start)
    if opener is None:
        return stream
    stream.close()
    return cast("IO[bytes]", LimitedStream(opener(path), path.stat().st_size))


def _checked(member: tarfile.TarInfo) -> tarfile.TarInfo:
    if len(member.pax_headers) > _MAX_PAX_HEADERS:
        raise tarfile.ReadError(f"more than {_MAX_PAX_HEADERS} pax headers for one file")
    return member


def _check_whole(members: Iterable[tarfile.TarInfo], path: Path) -> None:
    """Raise for sparse files: of a few bytes they make any number."""
    if any(member.issparse() for member in members):
        raise DatasetFormatError(
            "expected an archive of whole files, received sparse ones; pack it without --sparse",
            path=path,
        )


def _check_end(archive: tarfile.TarFile) -> None:
    """Raise unless all of an archive was listed and its compression's checksum holds.

    ``tarfile`` takes the first header that it cannot read, or that a bad disk made zero, for the
    end; and a compressed file tells its checksum only to who reads it to its own end.
    """
    stream = cast("IO[bytes]", archive.fileobj)
    stream.seek(archive.offset)
    length = 0
    while rest := stream.read(_CHUNK_BYTES):
        length += len(rest)
        if rest.count(0) < len(rest):
            raise tarfile.ReadError(f"no file and no end at byte {archive.offset:,}")
    if length < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("its end is missing")


def read_in_chunks(tree: FileTree, names: Container[str]) -> Iterator[list[tuple[str, bytes]]]:
    """Yield names and contents of files, some hundred kilobytes at a time, fastest order first."""
    chunk: list[tuple[str, bytes]] = []
    chunk_bytes = 0
    for name, size in tree.sizes.items():
        if name not in names:
            continue
        chunk.append((name, tree.read(name)))
        chunk_bytes += size
        if chunk_bytes > _CHUNK_BYTES:
            yield chunk
            chunk, chunk_bytes = [], 0
    if chunk:
        yield chunk


def source_errors(path: Path) -> AbstractContextManager[None]:
    """Turn what no reader foresaw, such as a disk's errors, into one clear error."""
    return errors_as(
        lambda why: DatasetFormatError(f"it cannot be read ({why})", path=path), disk=True
    )


def archive_errors(path: Path) -> AbstractContextManager[None]:
    """Turn whatever a damaged archive makes its library raise into one clear error."""
    return errors_as(
        lambda why: DatasetFormatError(
            f"the archive is damaged or incomplete, or no data set ({why}); download it again",
            path=path,
        )
    )


def is_archive(path: Path) -> bool:
    """Tell whether a file can be opened as a zip or tar archive."""
    if zipfile.is_zipfile(path):
        return True
    try:
        with _unpacked(path) as stream:
            tarfile.open(fileobj=stream, mode="r:").close()
    except Exception as error:  # whatever a damaged file makes their readers raise
        if getattr(error, "errno", None) is not None:  # it is the disk
            raise
        return False
    return True
