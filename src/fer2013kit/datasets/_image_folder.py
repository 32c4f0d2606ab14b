"""load_image_folder: any other set of faces, ``<class>/<picture>``, as 48x48 grey pictures."""

from __future__ import annotations

import logging
from collections import Counter
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._checks import check_choice, is_number
from fer2013kit._picture_files import MAX_BYTES, is_picture_name, passed_over
from fer2013kit.datasets._decode import decode_and_resize, lacking_ends
from fer2013kit.datasets._rows import Rows, run_in_threads
from fer2013kit.datasets._storage import cached_rows, listing_key
from fer2013kit.datasets._trees import FolderTree, read_in_chunks
from fer2013kit.emotions import CLASS_NAMES, NUM_CLASSES, emotion_code
from fer2013kit.exceptions import (
    DatasetFormatError,
    DatasetNotFoundError,
    InvalidInputError,
    shown,
    warn,
)
from fer2013kit.typing import Aspect

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._split import Split

_logger = logging.getLogger(__name__)


def load_image_folder(
    path: str | os.PathLike[str],
    *,
    label_map: Mapping[str | int, str | int | None] | None = None,
    aspect: Aspect = "crop",
    cache: bool = True,
) -> Split:
    """Load any set of faces that lies in one folder per emotion.

    The pictures, ``<path>/<class>/<picture>``, may be of any size and mode: colour, palette,
    transparency (over white), 16 bits; orientation tags are obeyed.  They become grey and are
    resized to 48x48 with antialiasing.  Folders within a class folder are searched.  Faces are
    not looked for: cut them out before.

    Files that are no pictures by their names are passed over with a warning that counts and names
    them.  HEIC is read where pillow-heif is installed (the extra ``heif``).  A JPEG that lacks
    nothing but its end marker is read with a warning.

    Parameters
    ----------
    path : path-like
        The folder that holds the class folders.
    label_map : mapping of str or int to str, int or None, optional
        Folder name to emotion (name or code), or to None to leave the folder out, which is logged
        with its number of pictures.  A key 3 stands for a folder ``3``.  Folders that are not in
        it go by their own names: the seven of :class:`Emotion` or words such as ``anger``,
        ``fearful``, ``happiness``, in any letter case.
    aspect : {"crop", "stretch", "pad"}
        What becomes of pictures that are not square: cut the longer side about the centre,
        distort, or add black.
    cache : bool, default True
        Keep the converted arrays in the cache folder; see :func:`load_fer2013`.

    Returns
    -------
    Split
        Ordered by class code, then by the picture's path below `path` (by code points).

    Raises
    ------
    DatasetNotFoundError
        When there is no such folder.
    DatasetFormatError
        For a folder whose name is no emotion, a broken picture, or no picture at all.
    InvalidInputError
        For a key or a value of `label_map` that is none, or an unknown `aspect`.

    Warns
    -----
    Fer2013KitWarning
        For files that were passed over, and JPEGs without their end marker; at every load.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> import fer2013kit as fk
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("joy", "Sadness", "contempt"):
    ...         (Path(folder) / name).mkdir()
    ...         Image.new("RGB", (300, 200)).save(f"{folder}/{name}/face.png")
    ...     faces = fk.load_image_folder(folder, label_map={"joy": "happy", "contempt": None})
    >>> faces.images.shape, faces.labels
    ((2, 48, 48, 1), array([3, 4]))
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise DatasetNotFoundError(
            f"there is no folder {folder}; expected one that holds a folder for each emotion"
        )
    check_choice("aspect", aspect, Aspect)
    mapped = _read_map(label_map or {})
    tree = FolderTree(folder)
    places = sorted(_list_pictures(tree, mapped))
    if not places:
        raise DatasetFormatError(
            "expected pictures in folders named "
            f"{', '.join([*CLASS_NAMES, *mapped])}; received none",
            path=folder,
        )
    build = partial(_read, tree, places, aspect)
    stamps = {name: tree.stamps[name] for _, name in places}
    key = listing_key(stamps, [str(aspect), [code for code, _ in places]]) if cache else None
    return cached_rows(key, build).to_data(str(folder)).train


def _read_map(label_map: Mapping[Any, Any]) -> dict[str, int | None]:
    """Return folder name to code, or to None for folders to be left out."""
    mapped: dict[str, int | None] = {}
    for key, value in label_map.items():
        if not (isinstance(key, str) or is_number(key, Integral)):
            raise InvalidInputError(
                f"label_map must have folder names as keys; received {shown(key)}"
            )
        code = _mapped_code(key, value)
        if mapped.setdefault(str(key), code) != code:
            raise InvalidInputError(f"label_map says two things of the folder '{key}'")
    return mapped


def _mapped_code(key: Any, value: Any) -> int | None:
    if value is None:
        return None
    code = emotion_code(value) if isinstance(value, str) else None
    if is_number(value, Integral) and 0 <= value < NUM_CLASSES:
        code = int(value)
    if code is None:
        raise InvalidInputError(
            f"label_map must lead to None, a code from 0 to {NUM_CLASSES - 1} or one of "
            f"{', '.join(CLASS_NAMES)}; received {shown(value)} for {shown(key)}"
        )
    return code


def _list_pictures(tree: FolderTree, mapped: Mapping[str, int | None]) -> list[tuple[int, str]]:
    """Return code and name of each picture; say what was passed over and left out."""
    pictures, others = [], []
    left_out: Counter[str] = Counter()
    for name, size in tree.sizes.items():
        if not is_picture_name(name):
            others.append(name)
            continue
        class_folder, _, rest = name.partition("/")
        code = mapped[class_folder] if class_folder in mapped else emotion_code(class_folder)
        if not rest or (code is None and class_folder not in mapped):
            where = f"the folder {class_folder!r} is" if rest else "a picture without a folder is"
            raise DatasetFormatError(
                f"{where} none of {', '.join([*CLASS_NAMES, *mapped])}; map it with "
                "label_map={folder name: emotion, or None to leave it out}, "
                "or pass the folder that holds the class folders",
                path=tree.path / name,
            )
        if code is None:
            left_out[class_folder] += 1
            continue
        if size > MAX_BYTES:
            raise DatasetFormatError(
                f"expected at most {MAX_BYTES:,} bytes, received {size:,}", path=tree.path / name
            )
        pictures.append((code, name))
    if others:
        warn(f"{tree.path}: {passed_over(others)}")
    for class_folder, count in left_out.items():
        _logger.warning(
            "%s: the %d pictures of the folder %r were left out, as label_map says",
            tree.path,
            count,
            class_folder,
        )
    return pictures


def _read(tree: FolderTree, places: list[tuple[int, str]], aspect: Aspect, new: NewImages) -> Rows:
    images = new.empty(len(places))
    position = {name: row for row, (_, name) in enumerate(places)}
    without_end: list[str] = []

    def decode(chunk: list[tuple[str, bytes]]) -> None:
        for name, content in chunk:
            try:
                if decode_and_resize(content, images[position[name]], aspect=aspect):
                    without_end.append(name)
            except ValueError as error:
                raise DatasetFormatError(str(error), path=tree.path / name) from error

    run_in_threads(decode, read_in_chunks(tree, position))
    labels = np.array([code for code, _ in places], np.int64)
    notes = (lacking_ends(sorted(without_end)),) if without_end else ()
    return Rows(images, labels, (len(places), 0, 0), notes=notes)
