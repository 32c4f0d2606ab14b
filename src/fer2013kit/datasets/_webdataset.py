"""Reader of WebDataset: in a tar, ``000001.jpg`` beside ``000001.cls``, which holds its class.

Classes are words, or numbers whose names stand line by line in a ``classnames.txt``.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from fer2013kit._picture_files import is_picture_name
from fer2013kit.datasets._decode import decode_all
from fer2013kit.datasets._labels import LEFT_OUT, class_name
from fer2013kit.datasets._listing import Found
from fer2013kit.datasets._names import NO_SPLIT, split_of_name, split_of_path
from fer2013kit.datasets._rows import Part, join_parts
from fer2013kit.datasets._trees import read_in_chunks
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.exceptions import DatasetFormatError, counted, listed

if TYPE_CHECKING:
    from fer2013kit.datasets._listing import Listing, Options
    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._rows import Rows

_CLASS: Final = ".cls"
_NAMES: Final = "classnames.txt"
_MAX_BYTES: Final = 2**16  # of a class, or of all classes' names


def find_webdataset(listing: Listing, _options: Options) -> Found | None:
    """Return that images and classes lie side by side, if they do."""
    classes = [*filter(_is_class, listing.names)]
    if not classes or not any(map(is_picture_name, listing.names)):
        return None
    return Found(what=f"{counted(len(classes), 'image')} with .cls files")


def read_webdataset(listing: Listing, _found: Found, options: Options, new: NewImages) -> Rows:
    """Read the images that have a class: train, validation, test, each in the order of the names.

    Raises
    ------
    DatasetFormatError
        For a class that is not understood, a class of several images or the reverse, or an image
        that is not 48x48 and not to be resized.
    """
    pairs, single = _pairs(listing)
    words = _read_words(listing, {class_file for _, class_file in pairs})
    class_names = _class_names(listing)
    names, codes, splits, left_out = [], [], [], []
    numbers = False
    for picture, class_file in pairs:
        word = class_name(words[class_file], class_names)
        try:
            code = options.labels.known_code(word, "class", numbers=not class_names)
        except ValueError as error:
            raise DatasetFormatError(str(error), path=listing.path / class_file) from None
        if code == LEFT_OUT:
            left_out.append(word)
            continue
        numbers |= word.isdecimal() and not options.labels.is_mapped
        told = split_of_path(picture)
        names.append(picture)
        codes.append(code)
        splits.append(NO_SPLIT if told is None else told)
    images, _, notes = decode_all(listing.tree, names, options, new)
    if numbers:
        meaning = ", ".join(f"{code} {name}" for code, name in enumerate(CLASS_NAMES))
        notes.append(
            f"the classes are numbers, and no {_NAMES} says of what; they were taken for the codes "
            f"of fer2013.csv ({meaning}); if they are others, pass label_map"
        )
    if single:
        notes.append(f"left out {listed(single)}: images without a class, or the reverse")
    part = Part.of(images, codes, splits, left_out=left_out)
    told = split_of_name(listing.home) if listing.path.is_file() else None
    home = NO_SPLIT if told is None else told
    return join_parts([("", part)], [home], path=listing.path, notes=notes)


def _is_class(name: str) -> bool:
    return name.lower().endswith(_CLASS)


def _pairs(listing: Listing) -> tuple[list[tuple[str, str]], list[str]]:
    """Return each image with its class, in the order of their names, and what has no other."""
    files: dict[str, list[str]] = defaultdict(list)
    for name in listing.names:
        if is_picture_name(name) or _is_class(name):
            path = PurePosixPath(name)  # to the first dot, an image and its class have one name
            files[str(path.parent / path.name.partition(".")[0])].append(name)
    pairs: list[tuple[str, str]] = []
    single: list[str] = []
    for _, names in sorted(files.items()):
        names.sort(key=_is_class)  # the image first
        if sum(map(_is_class, names)) in {0, len(names)}:
            single += names
        elif len(names) == 2:  # noqa: PLR2004 - a pair
            pairs.append((names[0], names[1]))
        else:
            raise DatasetFormatError(
                f"expected one image beside one {_CLASS}, received {listed(sorted(names))}; "
                "leave a pair of them",
                path=listing.path,
            )
    return pairs, single


def _read_words(listing: Listing, names: set[str]) -> dict[str, str]:
    """Return the content of the class files."""
    for name in names:
        _check_size(listing, name, "a class")
    return {
        name: content.decode(errors="replace").strip()
        for chunk in read_in_chunks(listing.tree, names)
        for name, content in chunk
    }


def _class_names(listing: Listing) -> list[str]:
    """Return the classes' names in the order of their numbers; none where no file has them."""
    files = [name for name in listing.names if PurePosixPath(name).name == _NAMES]
    for name in files:
        _check_size(listing, name, "the classes' names")
    texts = [listing.tree.read(name).decode(errors="replace").rstrip() for name in files]
    found = [[line.strip() for line in text.splitlines()] for text in texts]
    if any(names != found[0] for names in found):
        raise DatasetFormatError(
            f"{listed(files)} name the classes differently; leave one of them", path=listing.path
        )
    return found[0] if found else []


def _check_size(listing: Listing, name: str, what: str) -> None:
    if (size := listing.tree.sizes[name]) > _MAX_BYTES:
        raise DatasetFormatError(
            f"expected {what}, received a file of {size:,} bytes",
            path=listing.path / name,
        )
