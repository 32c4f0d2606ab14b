"""Which image files paths, folders and patterns stand for."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fer2013kit._files import as_path, is_rubbish
from fer2013kit._picture_files import first_names, is_picture_name, passed_over
from fer2013kit.exceptions import MediaFileError, warn

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
        For files in a folder that were passed over: it counts and names them.  Hidden ones are no
        matter.

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
    files: dict[Path, None] = {}
    for one in paths:
        path = as_path(one)
        # Unlike Path's own, these take a name that no file can have for one that none has.
        if os.path.isdir(path):  # noqa: PTH112 - the same
            found = _pictures_in(path)
        elif glob.has_magic(str(one)) and not os.path.exists(path):  # noqa: PTH110 - the same
            found = _matches(str(one))
        else:
            found = [path]
        files.update(dict.fromkeys(found))
    return list(files)


def _matches(pattern: str) -> list[Path]:
    matches = sorted(map(Path, glob.iglob(pattern, recursive=True)))  # noqa: PTH207 - Path.glob wants a folder
    files = [path for path in matches if path.is_file()]
    if not files:
        raise MediaFileError("no file matches this pattern", path=pattern)
    folders = [str(path) for path in matches if path.is_dir()]
    if folders and "**" not in pattern:
        warn(f"{pattern}: folders that match were skipped: {first_names(folders)}")
    return files


def _pictures_in(folder: Path) -> list[Path]:
    """Return the images in a folder, however deep; warn of what else is there."""
    pictures: list[Path] = []
    others: list[str] = []
    closed: list[str] = []

    def note_closed(error: OSError) -> None:
        closed.append(str(error.filename))

    for where, inside, names in os.walk(folder, onerror=note_closed):
        inside[:] = sorted(name for name in inside if not is_rubbish(name))
        closed += [str(path) for name in inside if (path := Path(where, name)).is_symlink()]
        for name in sorted(names):
            path = Path(where, name)
            if is_rubbish(name) or not path.is_file():
                continue
            if is_picture_name(name):
                pictures.append(path)
            else:
                others.append(str(path.relative_to(folder)))
    notes = [passed_over(others)] if others else []
    if closed:
        notes.append(f"folders that are links or closed were skipped: {first_names(closed)}")
    if not pictures:
        problem = (
            "there is no image in this folder; name files one by one where their names do not "
            "end as those of images do"
        )
        raise MediaFileError("; ".join([problem, *notes]), path=folder)
    for note in notes:
        warn(f"{folder}: {note}")
    return sorted(pictures)
