"""Files: written so that a half-written one never carries the final name; rubbish told apart."""

from __future__ import annotations

import ctypes
import errno
import glob
import os
import re
import secrets
import shutil
import stat
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # None stands for "no locks"

_RUBBISH: Final = re.compile(
    r"(?:^|/)(?:\.|(?:__macosx|thumbs\.db|desktop\.ini|icon\r)(?:/|\Z))", re.IGNORECASE
)

_STALE_SECONDS: Final = 5
_STALE_UNLOCKED: Final = 3600
"""After so long without a write, a temporary file that nobody has locked is a killed writer's; of
folders, and where there are no locks, age alone tells."""

_WEB_ADDRESS: Final = re.compile(r"https?://[^\s]{,60}", re.IGNORECASE)

_EXCHANGE: Final = 2  # of Linux's renameat2
_THIS_FOLDER: Final = -100


def as_path(path: str | os.PathLike[str]) -> Path:
    """Return a path that a user gave, which is not empty and no web address."""
    check_not_empty(path)
    if isinstance(path, str) and (address := _WEB_ADDRESS.match(path)):
        raise InvalidInputError(
            "path must be a file or folder on this machine; received a web address, "
            f"{address[0]!r}: download it first, with urllib.request.urlretrieve(address, name)"
        )
    return Path(path)


def check_not_empty(path: str | os.PathLike[str]) -> None:
    """Refuse an empty path, which everybody else takes for the current folder.

    Raises
    ------
    InvalidInputError
        For an empty text, such as a variable that is not set.
    """
    if isinstance(path, str) and not path:
        raise InvalidInputError("path must not be empty; the current folder is '.'")


def is_rubbish(path: str) -> bool:
    """Tell whether a file or folder is hidden, or what operating systems leave lying about.

    So is what lies in such a folder; the path is relative, with forward slashes.
    """
    return _RUBBISH.search(path) is not None


def write_atomically(path: Path, content: bytes | Callable[[IO[bytes]], object]) -> None:
    """Write a temporary file in the same folder, which must exist, then rename it to ``path``.

    The content is bytes, or a function that writes it to a binary file.  It is on the disk, and not
    only on its way there, when this returns: a power cut after it leaves the new file, one before
    it the old one.  What killed writers of the same file left is removed.
    """
    with new_file(path) as file:
        if callable(content):
            content(file)
        else:
            file.write(content)


@contextmanager
def new_file(path: Path, *, only_first: bool = False) -> Iterator[IO[bytes]]:
    """Open a temporary file that becomes ``path`` at the end, as :func:`write_atomically` says.

    With ``only_first``, a file that is there by then stays: FileExistsError.  Where a file has one
    name only (FAT, some network drives), the last writer wins all the same.
    """
    check_replaceable(path)
    remove_leftovers(path)
    temporary = temporary_name(path)
    if not path.parent.is_dir():  # with the name that was asked for
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(path.parent))
    try:
        with temporary.open("xb") as file:
            lock(file)
            yield file
            flush(file)
        if not (only_first and _has_second_name(temporary, path)):
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    flush_folder(path.parent)


def check_replaceable(path: Path) -> None:
    """Refuse the name of a device or pipe, whose place a file would take.

    Raises
    ------
    FileExistsError
        For ``/dev/null``, for instance, which a file of that name would spoil for every program.
    """
    try:
        mode = path.lstat().st_mode
    except OSError:  # there is nothing, or the writing says what is wrong
        return
    if not any(kind(mode) for kind in (stat.S_ISREG, stat.S_ISLNK, stat.S_ISDIR)):
        raise FileExistsError(
            errno.EEXIST, "a device or pipe is no place for a file that appears whole", str(path)
        )


def _has_second_name(path: Path, name: Path) -> bool:
    """Give a file another name, which nothing has; False where a file system has no such names."""
    try:
        name.hardlink_to(path)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True


def replace_folder(path: Path, source: Path) -> None:
    """Copy a folder to ``path``, where it is whole at every moment and takes an older one's place.

    The latter is one moment on Linux alone; elsewhere there is, for the time of two renames, none
    of that name.  Otherwise as :func:`write_atomically`.
    """
    check_replaceable(path)
    remove_leftovers(path)
    room = temporary_name(path)
    try:
        fresh = shutil.copytree(source, room / "new")
        for one in fresh.rglob("*"):
            if one.is_file():
                with one.open("r+b") as file:
                    flush(file)
        if path.exists() and not exchange(fresh, path):
            path.replace(room / "old")
        if fresh.exists() and not path.exists():
            fresh.replace(path)
        flush_folder(path.parent)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def temporary_name(path: Path) -> Path:
    """Return a new name in the same folder, by which :func:`remove_leftovers` knows it."""
    if not path.name:
        raise InvalidInputError(f"path must name a file; received {str(path)!r}")
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")


def flush(file: IO[bytes]) -> None:
    """Wait until what was written to a file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Wait until a folder's names are on the disk, on systems where that can be asked for."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files and folders of this name whose writers were killed."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        with suppress(OSError):  # another process was faster, or it is not ours to remove
            if len(left.name) != len(path.name) + 18:  # two dots, 16 digits
                continue
            age = time.time() - left.stat().st_mtime
            if left.is_dir() and age > _STALE_UNLOCKED:
                shutil.rmtree(left)
            elif left.is_file() and age > _STALE_SECONDS and _is_abandoned(left, age):
                left.unlink()


def lock(file: IO[bytes]) -> None:
    """Mark a file as being written, for as long as this process has it open or mapped."""
    if fcntl:
        with suppress(OSError):  # a file system without locks; age alone tells there
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process is in such a block with this folder, where there are locks."""
    if not fcntl:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_abandoned(path: Path, age: float) -> bool:
    if fcntl:
        with path.open("rb") as file, suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True
    return age > _STALE_UNLOCKED


def exchange(one: Path, other: Path) -> bool:
    """Let two files or folders have each other's names, at one moment, where Linux can.

    Where it cannot, nothing is done, and False returned.
    """
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    done: int = rename(_THIS_FOLDER, names[0], _THIS_FOLDER, names[1], _EXCHANGE)
    return done == 0
