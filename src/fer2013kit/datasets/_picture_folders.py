"""Reader of ``train/<class>/*.jpg`` and ``test/<class>/*.jpg``, the layout of Kaggle."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from fer2013kit._picture_files import is_picture_name, passed_over
from fer2013kit.datasets._decode import decode_all
from fer2013kit.datasets._labels import LEFT_OUT, count_left_out
from fer2013kit.datasets._listing import Found
from fer2013kit.datasets._names import shard_key, split_of_name, split_of_word, start_of
from fer2013kit.datasets._rows import MAY_HOLD, TEST, VALIDATION, Rows
from fer2013kit.emotions import SPLIT_NAMES
from fer2013kit.exceptions import DatasetFormatError, counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fer2013kit.datasets._listing import Listing, Options
    from fer2013kit.datasets._new_images import NewImages

_NO_CLASSES: Final = frozenset({"images", "labels", "annotations"})
"""Folders in which YOLO and others keep the images of all classes, or files of their labels."""


class _Picture(NamedTuple):
    """Where an image belongs; images are read into the order of these fields."""

    split: int
    code: int
    file_name: str
    name: str


def find_pictures(listing: Listing, options: Options) -> Found | None:
    """Return the folder that holds ``train/<class>/...``, or None.

    Of several it is one with class folders that are known, then the shallowest, then by name.
    """
    roots: dict[str, bool] = {}
    for folder in {name.rpartition("/")[0] for name in listing.names if is_picture_name(name)}:
        *parts, split_folder, class_folder = ["", *folder.split("/")]
        is_class = split_of_name(class_folder) is None and class_folder.lower() not in _NO_CLASSES
        if split_of_name(split_folder) is not None and is_class:
            root = "/".join([*parts[1:], ""])
            known = options.labels.code(class_folder, numbers=False) is not None
            roots[root] = roots.get(root, False) or known
    if not roots:
        return None
    root = min(roots, key=lambda root: (not roots[root], root.count("/"), root))
    if len(roots) > 1 and split_of_name(PurePosixPath(root).name) is not None:
        raise DatasetFormatError(  # as archives of train/ and of test/ are unpacked
            f"the folders of the splits lie in several places, {listed(sorted(roots))}; put them "
            "side by side, as train/<class>/ and test/<class>/",
            path=listing.path,
        )
    count = sum(map(is_picture_name, listing.names))
    return Found(root=root, what=f"{counted(count, 'image')} in {root or 'its'} folders")


def read_pictures(listing: Listing, found: Found, options: Options, new: NewImages) -> Rows:
    """Read the images below the root that was found.

    The order of the rows is: split, class code, file name (by code points).  The folder decides the
    split; a ``test`` beside which no validation lies is divided by the words with which file names
    begin, ``PublicTest_`` and ``PrivateTest_``.  The numbers in the file names are no numbers of
    rows (on the real data they do not correlate with the rows of ``fer2013.csv``).

    Raises
    ------
    DatasetFormatError
        For an unknown class folder, two folders of one split, a file that is no image, or one
        that is not 48x48 and is not to be resized.
    """
    layout = _Layout(listing, found.root, options)
    pictures = sorted(layout.pictures)
    names = [picture.name for picture in pictures]
    images, kept, notes = decode_all(listing.tree, names, options, new)
    if skipped := [name for name, keep in zip(names, kept, strict=True) if not keep]:
        notes = [passed_over(skipped), *notes]
        pictures = [picture for picture, keep in zip(pictures, kept, strict=True) if keep]
    if not pictures:
        raise DatasetFormatError("expected images, received none", path=listing.path)
    labels = np.array([picture.code for picture in pictures], np.int64)
    counts = np.bincount([picture.split for picture in pictures], minlength=len(SPLIT_NAMES))
    train, validation, test = counts.tolist()
    return Rows(
        images,
        labels,
        (train, validation, test),
        notes=(*layout.notes(), *notes),
        log=tuple(count_left_out(layout.left_out)),
    )


class _Layout:
    """Which image belongs where, and what is left out.

    Attributes
    ----------
    pictures : list of _Picture
        The images that are read.
    left_out : list of str
        The class folder of each image that ``label_map`` leaves out.
    """

    def __init__(self, listing: Listing, root: str, options: Options) -> None:
        self.path, self.root, self.labels = listing.path, root, options.labels
        self.pictures: list[_Picture] = []
        self.left_out: list[str] = []
        self._outside: Counter[str] = Counter()  # images in no folder of a split, by folder
        self._contradictions: Counter[str] = Counter()
        self._codes: dict[str, int] = {}  # of the few class folders with many files
        self._splits = self._find_splits(listing.names)
        for name in listing.names:
            self._add(name)

    def _find_splits(self, names: Iterable[str]) -> dict[str, int]:
        """Return the folders below the root that tell a split and hold folders of images."""
        below = (name.removeprefix(self.root) for name in names if name.startswith(self.root))
        folders = (name.partition("/") for name in below if is_picture_name(name))
        tops = sorted({top for top, _, rest in folders if rest})
        splits = {top: code for top in tops if (code := split_of_name(top)) is not None}
        groups: dict[int, list[str]] = defaultdict(list)
        for top, code in splits.items():
            groups[code].append(top)
        for code, members in groups.items():
            if len({shard_key(top) for top in members}) > 1:
                raise DatasetFormatError(
                    f"the folders {listed(members)} each tell the split {SPLIT_NAMES[code]}; "
                    "keep one of them",
                    path=self.path / self.root,
                )
        return splits

    def _add(self, name: str) -> None:
        inside = name.startswith(self.root)
        folder, _, file_name = name.removeprefix(self.root).rpartition("/")
        top, _, class_folder = folder.partition("/")
        if not inside or top not in self._splits:
            if is_picture_name(name):
                self._outside[self.root + top if inside else name.rpartition("/")[0]] += 1
            return
        if "/" in class_folder or (not class_folder and is_picture_name(name)):
            raise DatasetFormatError(
                "expected images in <split>/<class>/ and nowhere else; move or delete this one",
                path=self.path / name,
            )
        if not class_folder:
            return
        code = self._code(class_folder, name)
        if code == LEFT_OUT:
            self.left_out.append(class_folder)
        else:
            self.pictures.append(_Picture(self._split(top, file_name), code, file_name, name))

    def _code(self, class_folder: str, name: str) -> int:
        if class_folder not in self._codes:
            try:
                code = self.labels.known_code(class_folder, "class folder", numbers=False)
            except ValueError as error:
                raise DatasetFormatError(str(error), path=self.path / name) from None
            self._codes[class_folder] = code
        return self._codes[class_folder]

    def _split(self, top: str, file_name: str) -> int:
        """Return the split of an image: its folder's, or what its name says of a whole test."""
        split, start = self._splits[top], start_of(file_name)
        told = split_of_word(start)
        if split == TEST and told == VALIDATION and VALIDATION not in self._splits.values():
            return VALIDATION
        if told is not None and told not in MAY_HOLD[split]:
            self._contradictions[f"{start} in {top}"] += 1
        return split

    def notes(self) -> list[str]:
        """Say what lies elsewhere, and which names contradict their folders."""
        notes = []
        if self._outside:
            counts = [f"{folder or '.'} ({count:,})" for folder, count in self._outside.items()]
            notes.append(
                f"left out {counted(self._outside.total(), 'image')} outside of the folders of the "
                f"splits: {listed(counts)}"
            )
        if self._contradictions:
            counts = [f"{count:,} {what}" for what, count in self._contradictions.items()]
            notes.append(
                "the folders decided, though file names contradict the folder they lie in: "
                f"{listed(counts)}"
            )
        return notes
