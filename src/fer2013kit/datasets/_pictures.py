"""Reader of ``train/<class>/*.jpg`` and ``test/<class>/*.jpg``, the layout of Kaggle."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from fer2013kit._picture_files import is_picture_name
from fer2013kit.datasets._decode import decode_face, lacking_ends
from fer2013kit.datasets._rows import SPLIT_NAMES, USAGE_SPLITS, Rows, run_in_threads
from fer2013kit.datasets._trees import read_in_chunks
from fer2013kit.emotions import CLASS_NAMES, emotion_code
from fer2013kit.exceptions import DatasetFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._trees import FileTree

_logger = logging.getLogger(__name__)

FOLDER_SPLITS: Final = {
    "train": 0,
    "training": 0,
    "validation": 1,
    "valid": 1,
    "val": 1,
    "publictest": 1,
    "test": 2,
    "privatetest": 2,
}

# A picture of 48x48 takes two kilobytes; one of megabytes is none of ours.
_MAX_PICTURE_BYTES: Final = 4 * 2**20


class _Picture(NamedTuple):
    """Where a picture belongs; pictures are read into the order of these fields."""

    split: int
    code: int
    file_name: str
    name: str


def find_picture_root(names: list[str]) -> str | None:
    """Return the folder that holds ``train/<class>/...``, the shallowest one, or None.

    Parameters
    ----------
    names : list of str
        Files, relative and with forward slashes.

    Returns
    -------
    str or None
        ``""`` or a prefix that ends in a slash.
    """
    roots = set()
    for folder in {name.rpartition("/")[0] for name in names}:
        *parts, split_folder, class_folder = ["", *folder.split("/")]
        if split_folder.lower() in FOLDER_SPLITS and emotion_code(class_folder) is not None:
            roots.add("/".join([*parts[1:], ""]))
    return min(roots, key=lambda root: (root.count("/"), root), default=None)


def read_pictures(tree: FileTree, root: str, new: NewImages) -> Rows:
    """Read the pictures below ``root``.

    The order of the rows is: split, class code, file name (by code points).  A file name that
    starts with ``Training_``, ``PublicTest_`` or ``PrivateTest_`` tells the split; where there
    is no such prefix the folder does.

    Parameters
    ----------
    tree : FileTree
        The folder or archive.
    root : str
        From :func:`find_picture_root`.
    new : NewImages
        Gives the array to read into.

    Returns
    -------
    Rows
        Without row numbers: the numbers in the file names are none (on the real data they do
        not correlate with the rows of ``fer2013.csv``).

    Raises
    ------
    DatasetFormatError
        For an unknown class folder, a file that is no picture, or one that is not 48x48.
    """
    pictures = sorted(_list_pictures(tree, root))
    position = {picture.name: row for row, picture in enumerate(pictures)}
    images = new.empty(len(pictures))
    without_end: list[str] = []

    def decode(chunk: list[tuple[str, bytes]]) -> None:
        for name, content in chunk:
            try:
                if decode_face(content, images[position[name]]):
                    without_end.append(name)
            except ValueError as error:
                raise DatasetFormatError(str(error), path=tree.path / name) from error

    run_in_threads(decode, read_in_chunks(tree, position))
    notes = (lacking_ends(sorted(without_end)),) if without_end else ()
    labels = np.array([picture.code for picture in pictures], np.int64)
    counts = np.bincount([picture.split for picture in pictures], minlength=len(SPLIT_NAMES))
    train, validation, test = counts.tolist()
    return Rows(images, labels, (train, validation, test), None, notes)


def _list_pictures(tree: FileTree, root: str) -> Iterator[_Picture]:
    contradictions = 0
    places: dict[str, tuple[int, int]] = {}  # of the few folders in which thousands of files lie
    for name, size in tree.sizes.items():
        if not name.startswith(root):
            continue
        folder, _, file_name = name[len(root) :].rpartition("/")
        if folder not in places:
            found = _find_place(tree.path, name, folder)
            if found is None:
                continue
            places[folder] = found
        folder_split, code = places[folder]
        if size > _MAX_PICTURE_BYTES:
            raise DatasetFormatError(
                f"expected a picture of 48x48 pixels, received a file of {size:,} bytes; "
                "larger pictures are read by load_image_folder",
                path=tree.path / name,
            )
        usage_split = USAGE_SPLITS.get(file_name.partition("_")[0].lower())
        split = folder_split if usage_split is None else usage_split
        contradictions += (split == 0) != (folder_split == 0)
        yield _Picture(split, code, file_name, name)
    if contradictions:
        _logger.warning(
            "%s: %d file names contradict the folder they lie in (Training_ outside of train, or "
            "a test picture in train); the official usage in the name was followed",
            tree.path,
            contradictions,
        )


def _find_place(path: Path, name: str, folder: str) -> tuple[int, int] | None:
    """Return split and class code of the files in a folder, given one of them.

    None is returned for what does not belong to the data set; a picture that lies where none
    belongs is an error.
    """
    split_folder, _, class_folder = folder.partition("/")
    split = FOLDER_SPLITS.get(split_folder.lower())
    if split is None or (not class_folder and not is_picture_name(name)):
        return None  # the latter is a list or a note beside the class folders
    if not class_folder or "/" in class_folder:
        raise DatasetFormatError(
            "expected pictures in <split>/<class>/ and nowhere else; move or delete this one",
            path=path / name,
        )
    code = emotion_code(class_folder)
    if code is None:
        raise DatasetFormatError(
            f"unknown class folder {class_folder!r}; expected {', '.join(CLASS_NAMES)}; "
            "rename or remove it, or read the set with load_image_folder(path, label_map=...)",
            path=path / name,
        )
    return split, code
