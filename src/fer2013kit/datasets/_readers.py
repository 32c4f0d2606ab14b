"""From a path to rows: open what it names, find the data set in it, read that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fer2013kit.datasets._csv import read_csv
from fer2013kit.datasets._detect import (
    EXPECTED,
    HEAD_BYTES,
    Dialect,
    Form,
    Found,
    describe,
    file_form,
    find_data,
    sibling_test_csv,
)
from fer2013kit.datasets._parquet import read_parquet
from fer2013kit.datasets._pictures import read_pictures
from fer2013kit.datasets._rows import Rows
from fer2013kit.datasets._storage import content_key, listing_key
from fer2013kit.datasets._trees import FolderTree, TarTree, ZipTree, archive_errors, is_archive
from fer2013kit.exceptions import DatasetFormatError, DatasetNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._trees import FileTree

_FILE_DIALECTS = {
    Form.CSV: Dialect.CSV,
    Form.CHALLENGE_TRAIN: Dialect.CHALLENGE,
    Form.CHALLENGE_TEST: Dialect.CHALLENGE,
    Form.PARQUET: Dialect.PARQUET,
    Form.NPZ: Dialect.NPZ,
}
_ARCHIVE_TREES: dict[Form, Callable[[Path], FileTree]] = {Form.ZIP: ZipTree, Form.TAR: TarTree}


@dataclass(frozen=True)
class Source:
    """A data set that was found but not yet read.

    Attributes
    ----------
    path : Path
        The file or folder.
    dialect : Dialect
        How it will be read; ``ARCHIVE`` where only opening the archive will tell.
    key : callable
        Returns the key of its content for the cache, or None when it cannot be cached now.
    read : callable
        Reads it, into the array that it is given where it knows how.
    """

    path: Path
    dialect: Dialect
    key: Callable[[], str | None]
    read: Callable[[NewImages], Rows]


def find_source(path: Path) -> Source:
    """Recognise what a path names, reading as little as possible.

    Raises
    ------
    DatasetNotFoundError
        When there is nothing at this path.
    DatasetFormatError
        When it is nothing that can be read.
    """
    if path.is_dir():
        return _find_in_folder(path)
    if not path.is_file():
        raise DatasetNotFoundError(
            f"there is no file or folder {path}; expected {EXPECTED}. "
            "fetch_fer2013() says where to get the data"
        )
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    form = file_form(head)
    if form is None:
        beginning = head[:40].decode(errors="replace")
        received = f"a file that begins with {beginning!r}" if head else "an empty file"
        raise DatasetFormatError(f"expected {EXPECTED}; received {received}", path=path)
    if form in _ARCHIVE_TREES:
        return Source(
            path, Dialect.ARCHIVE, partial(content_key, [path]), partial(_read_archive, path, form)
        )
    names = [path.name]
    if form is Form.CHALLENGE_TRAIN and (sibling := sibling_test_csv(path)):
        names.append(sibling.name)
    return _folder_source(path, path.parent, Found(_FILE_DIALECTS[form], tuple(names)))


def _find_in_folder(path: Path) -> Source:
    tree = FolderTree(path)
    found = find_data(tree)
    if found is None:
        raise DatasetFormatError(f"expected {EXPECTED}; received {describe(tree)}", path=path)
    if found.dialect is Dialect.PICTURES:
        (root,) = found.names
        stamps = {name: stamp for name, stamp in tree.stamps.items() if name.startswith(root)}
        return Source(
            path, found.dialect, partial(listing_key, stamps), partial(read_pictures, tree, root)
        )
    if found.dialect is Dialect.ARCHIVE:
        # Of several, those that are compressed but no tar are none.
        archives = [name for name in found.names if is_archive(path / name)] or found.names
        if len(archives) > 1:
            raise DatasetFormatError(
                f"expected one archive, received {', '.join(archives)}; "
                "pass the path of the one to read",
                path=path,
            )
        return find_source(path / archives[0])
    return _folder_source(path / found.names[0], path, found)


def _folder_source(path: Path, folder: Path, found: Found) -> Source:
    """Return the source of a few files in a folder."""

    def read(new: NewImages) -> Rows:
        return _read_found(FolderTree(folder, names=found.names), found, new)

    key = partial(
        content_key,
        [folder / name for name in found.names],
        names_matter=found.dialect is Dialect.PARQUET,  # they tell the splits
    )
    return Source(path, found.dialect, key, read)


def _read_archive(path: Path, form: Form, new: NewImages) -> Rows:
    with archive_errors(path):
        tree = _ARCHIVE_TREES[form](path)
        try:
            found = find_data(tree)
            if found is None or found.dialect in {Dialect.ARCHIVE, Dialect.NPZ}:
                raise DatasetFormatError(
                    f"expected {EXPECTED}; received an archive with {describe(tree)}; "
                    "an archive or .npz within an archive must be taken out of it first",
                    path=path,
                )
            return _read_found(tree, found, new)
        finally:
            tree.close()


def _read_found(tree: FileTree, found: Found, new: NewImages) -> Rows:
    if found.dialect is Dialect.PICTURES:
        return read_pictures(tree, found.names[0], new)
    if found.dialect is Dialect.PARQUET:
        return read_parquet(tree, found.names)
    parts = []
    for name in found.names:
        with tree.open(name) as stream:
            parts.append(read_csv(stream, tree.sizes[name], new, path=tree.path / name))
    if len(parts) == 1:
        return parts[0]
    train, test = parts  # the challenge's two files
    return Rows(
        np.concatenate([train.images, test.images]),
        np.concatenate([train.labels, test.labels]),
        (train.sizes[0], 0, test.sizes[2]),
        None,
    )
