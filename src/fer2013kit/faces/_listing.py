"""Which image files paths, folders and patterns stand for."""

from __future__ import annotations

import glob
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fer2013kit._files import as_path, is_rubbish
from fer2013kit._picture_files import is_picture_name, passed_over
from fer2013kit.exceptions import MediaFileError, listed, warn

if TYPE_CHECKING:
    from collections.abc import Iterable


def find_photos(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the image files that paths, folders and patterns stand for.

    Parameters
    ----------
    paths : path or iterable of paths
        Files, which are taken as they are; folders, whose images are taken however deep they
        lie, by the ends of their names; and patterns such as ``"holiday/*.jpg"`` or
        ``"**/*.png"``.

    Returns
    -------
    list of Path
        Each file once; those of a folder or a pattern sorted.

    Raises
    ------
    MediaFileError
        For a folder without images, or a pattern that nothing matches.

    Warns
    -----
    Fer2013KitWarning
        For skipped files of a folder, which it counts and names, hidden ones apart; and for links
        to nothing.

    See Also
    --------
    analyze_photos : What takes them.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> folder = fk.sample_photos()[0].parent
    >>> fk.find_photos(folder / "*.jpg") == fk.sample_photos()
    True
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    files: list[Path] = []
    for one in paths:
        path = as_path(one)
        # Unlike Path's own, these take a name that no file can have for one that none has.
        if os.path.isdir(path):  # noqa: PTH112 - the same
            found = _pictures_in(path)
        elif glob.has_magic(str(one)) and not os.path.exists(path):  # noqa: PTH110 - the same
            found = _matches(str(one))
        else:
            found = [path]
        files += found
    return each_once(files)


def each_once(paths: Iterable[Path]) -> list[Path]:
    """Return files in their order, each once, however its path is written.

    Links to a file are files of their own.
    """
    real = cache(os.path.realpath)
    files: dict[tuple[str, str], Path] = {}
    for path in paths:
        files.setdefault((real(path.parent), path.name), path)
    return list(files.values())


def _matches(pattern: str) -> list[Path]:
    matches = sorted(map(Path, glob.iglob(pattern, recursive=True)))  # noqa: PTH207 - Path.glob wants a folder
    if broken := [str(path) for path in matches if _is_broken(path)]:
        warn(f"{pattern}: {_broken_links(broken)}")
    files = [path for path in matches if path.is_file()]
    if not files:
        raise MediaFileError("no file matches this pattern", path=pattern)
    folders = [str(path) for path in matches if path.is_dir()]
    if folders and "**" not in pattern:
        warn(f"{pattern}: folders that match were skipped: {listed(map(repr, folders))}")
    return files


def _is_broken(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _broken_links(names: list[str]) -> str:
    return f"links to nothing were skipped: {listed(map(repr, names))}"


def _pictures_in(folder: Path) -> list[Path]:
    """Return the images in a folder, however deep; warn of what else is there."""
    files: list[Path] = []
    closed: list[str] = []

    def note_closed(error: OSError) -> None:
        closed.append(str(error.filename))

    for where, inside, names in os.walk(folder, onerror=note_closed):
        inside[:] = sorted(name for name in inside if not is_rubbish(name))
        closed += [str(path) for name in inside if (path := Path(where, name)).is_symlink()]
        files += [Path(where, name) for name in sorted(names) if not is_rubbish(name)]
    broken = [str(path.relative_to(folder)) for path in files if _is_broken(path)]
    files = [path for path in files if path.is_file()]
    pictures = [path for path in files if is_picture_name(path.name)]
    others = [str(path.relative_to(folder)) for path in files if not is_picture_name(path.name)]
    notes = [passed_over(others)] if others else []
    if closed:
        notes.append(f"folders that are links or closed were skipped: {listed(map(repr, closed))}")
    if broken:
        notes.append(_broken_links(broken))
    if not pictures:
        problem = (
            "there is no image in this folder; name files one by one where their names do not "
            "end as those of images do"
        )
        raise MediaFileError("; ".join([problem, *notes]), path=folder)
    for note in notes:
        warn(f"{folder}: {note}")
    return sorted(pictures)
