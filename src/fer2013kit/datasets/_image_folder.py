"""load_image_folder: any other set of faces, ``<class>/<picture>``, as images of one shape."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from fer2013kit._checks import check_choice, check_flags, is_shape
from fer2013kit._files import as_path
from fer2013kit._picture_files import MAX_BYTES, is_picture_name, passed_over
from fer2013kit.datasets._cache import cached_rows, listing_key
from fer2013kit.datasets._columns import SUBJECT
from fer2013kit.datasets._decode import decode_and_resize, decode_into
from fer2013kit.datasets._labels import LEFT_OUT, Labels, count_left_out
from fer2013kit.datasets._names import split_of_name
from fer2013kit.datasets._rows import Rows
from fer2013kit.datasets._trees import FolderTree, source_errors
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import (
    DatasetFormatError,
    DatasetNotFoundError,
    InvalidInputError,
    shown,
)
from fer2013kit.typing import Aspect

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._split import Split
    from fer2013kit.typing import LabelMap

_MAX_DEPTH: Final = 50  # of folders, in which each call of Python holds one open


def load_image_folder(
    path: str | os.PathLike[str],
    *,
    label_map: LabelMap | None = None,
    contempt: bool = False,
    aspect: Aspect = "crop",
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
    cache: bool = True,
) -> Split:
    """Load any set of faces that lies in one folder per emotion.

    The images, ``<path>/<class>/<picture>``, may be of any size and mode: colour, palette,
    transparency (over white), 16 bits; orientation tags are obeyed.  They become grey and are
    resized to 48x48 with antialiasing, or to another ``image_shape``.  Folders within a class
    folder are searched.  Faces are not looked for: cut them out before.

    Files that are no images by their names are skipped with a warning that counts and names them.
    HEIC is read where pillow-heif is installed (the extra ``heif``).  A JPEG that lacks nothing
    but its end marker is read with a warning.

    Parameters
    ----------
    path : path-like
        The folder that holds the class folders.
    label_map : str, or mapping of str or int to str, int or None, optional
        Folder name, in any letter case, to emotion (name or code), or to None to leave the folder
        out, which is logged with its number of images.  A key 3 stands for a folder ``3``.
        Folders that are not in it go by their own names: the seven of :class:`Emotion` or words
        such as ``anger``, ``fearful``, ``happiness``.  Or the name of a data set whose labels are
        known, one of :data:`fer2013kit.typing.LabelScheme`: the numbered folders of ``"raf-db"``
        and ``"affectnet"``, the file names of ``"kdef"`` and ``"jaffe"`` in any folders, words as
        ``"ck+"``, ``"expw"`` and ``"ferplus"`` have them.  Where file names tell the person, as in
        KDEF, JAFFE and CK+, ``columns["subject"]`` of the result holds it.
    contempt : bool, default False
        Keep contempt as an eighth class, code 7; otherwise `label_map` leaves it out and the log
        counts it.
    aspect : {"crop", "stretch", "pad"}, default "crop"
        What becomes of images that are not square: cut the longer side about the centre,
        distort, or add black.
    image_shape : tuple of int, default (48, 48, 1)
        Height, width and channels of the arrays: 1 for grey, 3 for colour.
    cache : bool, default True
        Keep the converted arrays in the cache folder; see :func:`load_fer2013`.

    Returns
    -------
    Split
        Ordered by class code, then by the image's path below `path` (by code points).

    Raises
    ------
    DatasetNotFoundError
        When there is no such folder.
    DatasetFormatError
        For a folder whose name is no emotion, a broken image, or no image at all.
    InvalidInputError
        For a value of `label_map` that is no emotion, two keys for one folder, or an unknown
        `aspect`.

    Warns
    -----
    Fer2013KitWarning
        For files that were skipped, JPEGs without their end marker, and keys of `label_map` that
        no folder has; at every load.

    See Also
    --------
    load_fer2013 : FER-2013 in any form.
    find_photos : Photographs without labels.

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
    check_flags(contempt=contempt, cache=cache)
    folder = as_path(path).expanduser()
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises for what no folder can be called
        file = os.path.isfile(folder)  # noqa: PTH113 - the same
        raise DatasetNotFoundError(
            f"there is no folder {shown(str(folder))}; expected one that holds a folder for each "
            + ("emotion; unpack it, or load a file with load_fer2013" if file else "emotion")
        )
    check_choice("aspect", aspect, Aspect)
    if not (is_shape(image_shape) and image_shape[2] in {1, 3}):
        raise InvalidInputError(
            "image_shape must be height, width and channels, 1 or 3 of them; received "
            f"{shown(image_shape)}"
        )
    height, width, channels = image_shape
    shape = (height, width, channels)
    labels = Labels(label_map, contempt=contempt)
    with source_errors(folder):
        tree = FolderTree(folder, depth=_MAX_DEPTH)
        listed = _list_pictures(tree, labels)
        build = partial(_read, tree, listed.places, aspect, shape)
        stamps = {name: tree.stamps[name] for _, name in listed.places}
        options = [str(aspect), shape, [code for code, _ in listed.places]]
        rows = cached_rows(listing_key(stamps, options) if cache else None, build)
    # Not from the cache: what lies beside the images may have changed.
    notes = [passed_over(listed.others)] if listed.others else []
    notes += tree.passed_over()
    notes += [*labels.unused(), *labels.doubts()]
    rows = replace(rows, notes=(*notes, *rows.notes), log=tuple(count_left_out(listed.left_out)))
    split = rows.to_data(str(folder)).train
    return replace(split, columns=_subjects(listed.places, labels))


class _Listed(NamedTuple):
    """What is in the folder."""

    places: list[tuple[int, str]]
    """Code and name of each image, in the order of the rows."""
    left_out: list[str]
    """The label of each image that is left out."""
    others: list[str]
    """Files that are no images by their names."""


def _list_pictures(tree: FolderTree, labels: Labels) -> _Listed:
    listed = _Listed([], [], [])
    for name, size in tree.sizes.items():
        if not is_picture_name(name):
            listed.others.append(name)
            continue
        word, code = _label_of(name, labels, tree.path / name)
        if size > MAX_BYTES:
            raise DatasetFormatError(
                f"expected at most {MAX_BYTES:,} bytes, received {size:,}", path=tree.path / name
            )
        if code == LEFT_OUT:
            listed.left_out.append(word)
        else:
            listed.places.append((code, name))
    if not listed.places:
        rest = f"; {passed_over(listed.others)}" if listed.others else ""
        raise DatasetFormatError(
            f"expected images in class folders, received none; {labels.expected(numbers=False)}"
            f"{rest}",
            path=tree.path,
        )
    listed.places.sort()
    return listed


def _label_of(name: str, labels: Labels, path: Path) -> tuple[str, int]:
    """Return the class folder of an image, or the label in its name, and the class code."""
    *folders, file_name = name.split("/")
    if labels.scheme is not None and labels.scheme.in_file_names:
        word = labels.scheme.told_by(file_name).get("label", "")
        if not word:
            raise DatasetFormatError(
                "the name of the image contains no label of that data set; take away what does "
                "not belong to it, or pass a label_map of folder names",
                path=path,
            )
        inner, where = folders, "the folders"
        way = "pass the folder of one split"
    else:
        word, *inner = folders or [""]
        where = f"the folders in {shown(word)}"
        way = "put <split>/<class>/ in place of <class>/<split>/, for load_fer2013"
    code = labels.code(word, numbers=False) if word else None
    if code is None:
        what = f"the folder {shown(word)} is" if word else "it lies in"
        raise DatasetFormatError(
            f"{what} no class folder; {labels.expected(numbers=False)}, or pass the folder that "
            "holds the class folders"
            + ("" if split_of_name(word) is None else "; load_fer2013 reads <split>/<class>/"),
            path=path,
        )
    if any(split_of_name(folder) is not None for folder in inner):
        raise DatasetFormatError(
            f"{where} tell splits, and all of it would be read as one set; {way}", path=path
        )
    return word, code


def _subjects(places: list[tuple[int, str]], labels: Labels) -> dict[str, NDArray[np.str_]]:
    """Return who is on each image, where the names of the images tell it."""
    if labels.scheme is None:
        return {}
    told = [labels.scheme.told_by(PurePosixPath(name).name) for _, name in places]
    subjects = [one.get("subject", "").upper() for one in told]
    return {SUBJECT: np.array(subjects, np.str_)} if any(subjects) else {}


def _read(
    tree: FolderTree,
    places: list[tuple[int, str]],
    aspect: Aspect,
    shape: tuple[int, int, int],
    new: NewImages,
) -> Rows:
    images = new.empty(len(places), shape)
    position = {name: row for row, (_, name) in enumerate(places)}
    _, notes = decode_into(images, position, tree, partial(decode_and_resize, aspect=aspect))
    labels = np.array([code for code, _ in places], np.int64)
    return Rows(images, labels, (len(places), 0, 0), notes=tuple(notes))
