"""Reader of WebDataset: in a tar, ``000001.jpg`` beside ``000001.cls``, which holds its class.

Classes are words, or numbers whose names stand line by line in a ``classnames.txt``.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from fer2013kit._picture_files import is_picture_name
from fer2013kit.datasets._labels import LEFT_OUT
from fer2013kit.datasets._listing import Found
from fer2013kit.datasets._names import NO_SPLIT, split_of_name, split_of_path
from fer2013kit.datasets._pictures import decode_all
from fer2013kit.datasets._rows import Part, join_parts
from fer2013kit.datasets._trees import read_in_chunks
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.exceptions import DatasetFormatError, counted, listed

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from fer2013kit.datasets._listing import Listing, Options
    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._rows import Rows

_CLASS: Final = ".cls"
_NAMES: Final = "classnames.txt"
_MAX_BYTES: Final = 2**16  # of a class, or of all classes' names


def find_webdataset(listing: Listing, _options: Options) -> Found | None:
    """Return that images and classes lie side by side, if they do."""
    classes = [name for name in listing.names if name.lower().endswith(_CLASS)]
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
    pictures = {_key(name): name for name in listing.names if is_picture_name(name)}
    classes = {_key(name): name for name in listing.names if name.lower().endswith(_CLASS)}
    _check_pairs(listing, pictures.keys() & classes.keys())
    words = _read_words(listing, set(classes.values()))
    class_names = _class_names(listing)
    home = split_of_name(listing.home) if listing.path.is_file() else None
    names, codes, splits, left_out = [], [], [], []
    numbers = False
    for key in sorted(pictures.keys() & classes.keys()):
        word = words[classes[key]]
        if class_names and word.isdecimal() and int(word[:9]) < len(class_names):
            word = class_names[int(word)]
        code = options.labels.code(word, numbers=not class_names)
        if code is None:
            raise DatasetFormatError(
                f"unknown class {word[:80]!r}; {options.labels.expected(numbers=not class_names)}",
                path=listing.path / classes[key],
            )
        if code == LEFT_OUT:
            left_out.append(word)
            continue
        numbers |= word.isdecimal() and options.labels.key is None
        told = split_of_path(pictures[key])
        told = home if told is None else told
        names.append(pictures[key])
        codes.append(code)
        splits.append(NO_SPLIT if told is None else told)
    images, _, notes = decode_all(listing.tree, names, options, new)
    if numbers:
        meaning = ", ".join(f"{code} {name}" for code, name in enumerate(CLASS_NAMES))
        notes.append(
            f"the classes are numbers, and no {_NAMES} says of what; they were taken for the codes "
            f"of fer2013.csv ({meaning}); if they are others, pass label_map"
        )
    single = [
        *(pictures[key] for key in sorted(pictures.keys() - classes.keys())),
        *(classes[key] for key in sorted(classes.keys() - pictures.keys())),
    ]
    if single:
        notes.append(f"left out {listed(single)}: images without a class, or the reverse")
    part = Part.of(images, codes, splits, left_out=left_out)
    return join_parts([("", part)], [NO_SPLIT], path=listing.path, notes=notes)


def _check_pairs(listing: Listing, keys: AbstractSet[str]) -> None:
    """Raise where of several images or classes nobody knows which belong together."""
    members: dict[str, list[str]] = {key: [] for key in keys}
    for name in listing.names:
        if is_picture_name(name) or name.lower().endswith(_CLASS):
            members.get(_key(name), []).append(name)
    for names in members.values():
        if len(names) > 2:  # noqa: PLR2004 - a pair
            raise DatasetFormatError(
                f"expected one image beside one {_CLASS}, received {listed(sorted(names))}; "
                "leave a pair of them",
                path=listing.path,
            )


def _key(name: str) -> str:
    """Return what an image and its class have in common: the path to the name's first dot."""
    path = PurePosixPath(name)
    return str(path.parent / path.name.partition(".")[0])


def _read_words(listing: Listing, names: set[str]) -> dict[str, str]:
    """Return the content of the class files."""
    large = [name for name in names if listing.tree.sizes[name] > _MAX_BYTES]
    if large:
        raise DatasetFormatError(
            f"expected a class, received a file of {listing.tree.sizes[large[0]]:,} bytes",
            path=listing.path / large[0],
        )
    return {
        name: content.decode(errors="replace").strip()
        for chunk in read_in_chunks(listing.tree, names)
        for name, content in chunk
    }


def _class_names(listing: Listing) -> list[str]:
    for name in listing.names:
        if PurePosixPath(name).name == _NAMES and listing.tree.sizes[name] <= _MAX_BYTES:
            text = listing.read(name).decode(errors="replace")
            return [line.strip() for line in text.rstrip().splitlines()]
    return []
