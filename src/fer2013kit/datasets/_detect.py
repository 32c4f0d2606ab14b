"""Recognise what form of FER-2013 a file, folder or archive holds, by its content alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from fer2013kit._picture_files import is_picture_name
from fer2013kit.datasets._csv import parse_header
from fer2013kit.datasets._pictures import find_picture_root

if TYPE_CHECKING:
    from fer2013kit.datasets._trees import FileTree

EXPECTED: Final = (
    "a folder train/<class>/ and test/<class>/ of pictures, fer2013.csv, icml_face_data.csv, "
    "the challenge's train.csv and test.csv, a Hugging Face parquet, a .zip or .tar.gz of one of "
    "these, or an .npz written by FER2013.save"
)

_ZIP_START: Final = b"PK\x03\x04"
_COMPRESSED_STARTS: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
_TAR_MARK: Final = slice(257, 262)
HEAD_BYTES: Final = 512

# Beside the data lie a read-me and a submission form, not thousands of files to be looked into.
_MAX_LOOKS: Final = 1000


class Form(Enum):
    """What a single file can be."""

    CSV = "CSV with a column Usage"
    CHALLENGE_TRAIN = "train.csv of the challenge"
    CHALLENGE_TEST = "test.csv of the challenge"
    PARQUET = "parquet"
    NPZ = "npz"
    ZIP = "zip archive"
    TAR = "tar archive"


class Dialect(Enum):
    """What a whole data set can be, in the order of preference."""

    CSV = "csv"
    PICTURES = "pictures"
    PARQUET = "parquet"
    NPZ = "npz"
    CHALLENGE = "challenge"
    ARCHIVE = "archive"


@dataclass(frozen=True)
class Found:
    """A data set within a tree.

    Attributes
    ----------
    dialect : Dialect
        Which reader reads it.
    names : tuple of str
        The files to read, for the challenge train first; for pictures the root folder alone.
    """

    dialect: Dialect
    names: tuple[str, ...]


def file_form(head: bytes) -> Form | None:
    """Tell what a file is from its first 512 bytes, or None for none of ours."""
    if head.startswith(b"PAR1"):
        return Form.PARQUET
    if head.startswith(_ZIP_START):
        (length,) = struct.unpack_from("<H", head.ljust(30), 26)
        return Form.NPZ if head[30 : 30 + length].endswith(b".npy") else Form.ZIP
    if head.startswith(_COMPRESSED_STARTS) or head[_TAR_MARK] == b"ustar":
        return Form.TAR
    header = parse_header(head.split(b"\n")[0])
    if header is None:
        return None
    if header.usage is not None:
        return Form.CSV
    return Form.CHALLENGE_TEST if header.emotion is None else Form.CHALLENGE_TRAIN


def find_data(tree: FileTree) -> Found | None:
    """Return the data set that a tree holds; of several the first in ``Dialect``'s order.

    Of several of one dialect it is the one in the shallowest folder, then the first by name.

    Parameters
    ----------
    tree : FileTree
        A folder or an archive.

    Returns
    -------
    Found or None
        None where nothing is recognised.
    """
    root = find_picture_root(list(tree.sizes))
    forms = _file_forms(tree)
    first = {form: name for name, form in reversed(forms.items())}
    if Form.CSV in first:
        return Found(Dialect.CSV, (first[Form.CSV],))
    if root is not None:
        return Found(Dialect.PICTURES, (root,))
    if Form.PARQUET in first:
        folder = PurePosixPath(first[Form.PARQUET]).parent
        return Found(
            Dialect.PARQUET,
            tuple(
                name
                for name, form in forms.items()
                if form is Form.PARQUET and PurePosixPath(name).parent == folder
            ),
        )
    if Form.NPZ in first:
        return Found(Dialect.NPZ, (first[Form.NPZ],))
    challenge = [
        first[form] for form in (Form.CHALLENGE_TRAIN, Form.CHALLENGE_TEST) if form in first
    ]
    if challenge:
        return Found(Dialect.CHALLENGE, tuple(challenge))
    archives = [name for name, form in forms.items() if form in {Form.ZIP, Form.TAR}]
    return Found(Dialect.ARCHIVE, tuple(archives)) if archives else None


def _file_forms(tree: FileTree) -> dict[str, Form]:
    """Look into the files that are no pictures; the shallowest come first, then by name."""
    candidates = [
        name for name, size in tree.sizes.items() if size > 0 and not is_picture_name(name)
    ]
    if len(candidates) > _MAX_LOOKS:
        candidates = sorted(candidates, key=_depth_and_name)[:_MAX_LOOKS]
    forms = {}
    for name in candidates:  # in the archive's order, which alone is fast to read
        with tree.open(name) as stream:
            form = file_form(stream.read(HEAD_BYTES))
        if form is not None:
            forms[name] = form
    return {name: forms[name] for name in sorted(forms, key=_depth_and_name)}


def _depth_and_name(name: str) -> tuple[int, str]:
    return name.count("/"), name


def describe(tree: FileTree) -> str:
    """Say what a tree holds, for the error that nothing was recognised."""
    names = list(tree.sizes)
    if not names:
        return "no files"
    if any(map(is_picture_name, names)):
        return (
            f"{len(names)} files such as {names[0]!r}; "
            "pictures in <class>/ folders of their own are read by load_image_folder"
        )
    return f"{len(names)} files such as {names[0]!r}"


def sibling_test_csv(path: Path) -> Path | None:
    """Return the challenge's ``test.csv`` that lies beside its ``train.csv``, if any."""
    sibling = path.with_name("test.csv")
    if sibling == path or not sibling.is_file():
        return None
    with sibling.open("rb") as stream:
        form = file_form(stream.read(HEAD_BYTES))
    return sibling if form is Form.CHALLENGE_TEST else None
