"""Reader of arrays: ``.npz``, ``.npy`` and HDF5 files, our own ``.npz`` among them.

Arrays go by their names, in whatever order of words: ``X_train``, ``y_train``; ``train/images``,
``train/labels``; ``Training_pixel``, ``Training_label``.  Nothing is unpickled.
"""

from __future__ import annotations

import io
import re
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._optional import needed
from fer2013kit._untrusted import check_unpacked, errors_as, read_npy, read_npz
from fer2013kit.datasets._array_values import (
    as_codes,
    as_images,
    as_splits,
    as_word,
    is_one_hot,
)
from fer2013kit.datasets._csv_header import SPLIT_COLUMNS, split_fault
from fer2013kit.datasets._labels import LEFT_OUT
from fer2013kit.datasets._listing import Found, is_model, is_npz
from fer2013kit.datasets._names import (
    NO_SPLIT,
    missing_shards,
    shard_key,
    shard_numbers,
    split_of_path,
    words_of,
)
from fer2013kit.datasets._npz import is_own, read_own
from fer2013kit.datasets._rows import NO_LABEL, Part, join_parts
from fer2013kit.exceptions import OTHER_MODELS, DatasetFormatError, InvalidInputError, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from fer2013kit.datasets._listing import Listing, Options
    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._rows import Rows

_NPY: Final = b"\x93NUMPY"
_HDF5: Final = b"\x89HDF"
_IMAGE_WORDS: Final = frozenset(
    (
        *("x", "image", "images", "img", "imgs", "pixel", "pixels", "picture", "pictures"),
        *("face", "faces", "data", "features", "feature", "input", "inputs"),
    )
)
_LABEL_WORDS: Final = frozenset(
    ("y", "label", "labels", "emotion", "emotions", "target", "targets", "class", "classes")
)
_OTHER_WORDS: Final = frozenset({"name", "names", "weight", "weights", "map", "index", "indices"})
# Xtrain, as notebooks call it, is two words.
_JOINED: Final = re.compile(
    r"(?<![a-z])([xy])(?=train|val|test|dev|eval|public|private)", re.IGNORECASE
)


@dataclass
class _Array:
    """An array that is not yet read, and what its name tells."""

    name: str
    shape: tuple[int, ...]
    read: Callable[[], NDArray[Any]]

    def __post_init__(self) -> None:
        name = _JOINED.sub(r"\1_", self.name)
        split = split_of_path(name)
        self.split = NO_SPLIT if split is None else split
        self.words = {*words_of(PurePosixPath(name).name)}


def find_arrays(listing: Listing, _options: Options) -> Found | None:
    """Return the files of arrays; what they are called inside tells the splits, too."""
    names = [
        name
        for name, head in listing.heads.items()
        if (is_npz(head) or head.startswith((_NPY, _HDF5))) and not is_model(name)
    ]
    return Found(tuple(names), notes=tuple(missing_shards(names))) if names else None


def read_arrays(listing: Listing, found: Found, options: Options, _new: NewImages) -> Rows:
    """Read arrays of images and labels: train, validation, test, in the order of the arrays.

    Raises
    ------
    DatasetFormatError
        For arrays whose names or shapes are not understood, other numbers than 0 to 255, or
        damaged files.
    MissingDependencyError
        For HDF5 without h5py.
    InvalidInputError
        For a ``label_map`` where :meth:`FER2013.save` wrote the file.
    """
    arrays: list[_Array] = []
    for name in found.names:
        path = listing.path / name
        with _file_errors(path):
            content = listing.tree.read(name)
            archive = read_npz(content) if is_npz(content) else {}
            is_saved = is_own(archive)
            if content.startswith(_NPY):
                arrays.append(_from_npy(name, content))
            elif content.startswith(_HDF5):
                arrays += _from_hdf5(name, content, path)
        if is_saved:
            return _read_saved(archive, listing, found, options)
        arrays += _from_npz(name, archive)
    alone = len(found.names) == 1
    return _join(arrays, options, listing.path / found.names[0] if alone else listing.path)


def _read_saved(
    archive: dict[str, NDArray[Any]], listing: Listing, found: Found, options: Options
) -> Rows:
    """Return the rows of what :meth:`FER2013.save` wrote."""
    if len(found.names) > 1:
        raise DatasetFormatError(
            f"expected one file of arrays, received {listed(found.names)}; pass the path of one",
            path=listing.path,
        )
    path = listing.path / found.names[0]
    if options.labels.is_mapped:  # no fault of the file's
        raise InvalidInputError(
            f"label_map must be None for {path}: FER2013.save wrote it, and its labels are codes "
            "of emotions already; FER2013.subset takes classes out of it"
        )
    with _file_errors(path):
        return read_own(archive, options, path)


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    """Turn what a damaged file makes its library raise into one clear error."""

    def damaged(why: str) -> DatasetFormatError:
        return DatasetFormatError(f"the file is damaged ({why}); save it again", path=path)

    try:
        with errors_as(damaged):
            yield
    except InvalidInputError as error:  # of our own classes, made of what the file holds
        raise damaged(str(error)) from error


def _inner(file_name: str, key: str) -> str:
    return f"{PurePosixPath(file_name).with_suffix('')}/{key}"


def _from_npz(name: str, archive: dict[str, NDArray[Any]]) -> list[_Array]:
    return [
        _Array(_inner(name, key), array.shape, partial(np.asarray, array))
        for key, array in archive.items()
    ]


def _from_npy(name: str, content: bytes) -> _Array:
    array = read_npy(content)
    return _Array(str(PurePosixPath(name).with_suffix("")), array.shape, lambda: array)


def _from_hdf5(name: str, content: bytes, path: Path) -> list[_Array]:
    with needed("reading HDF5", library="h5py"):
        import h5py
    file = h5py.File(io.BytesIO(content), "r")
    if "model_weights" in file or "layer_names" in file.attrs or "model_config" in file.attrs:
        raise DatasetFormatError(
            f"expected arrays of images and labels, received a Keras model; {OTHER_MODELS}",
            path=path,
        )
    found: list[_Array] = []

    def visit(key: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise DatasetFormatError(
                    f"expected the array {key[:80]!r} in the file itself", path=path
                )
            check_unpacked(item.nbytes, len(content))
            found.append(_Array(_inner(name, key), item.shape or (), partial(item.__getitem__, ())))

    file.visititems(visit)
    return found


def _join(arrays: list[_Array], options: Options, path: Path) -> Rows:
    """Return the rows of arrays that belong together by their names."""
    kinds: dict[str, list[_Array]] = defaultdict(list)
    for array in arrays:
        kinds[_kind(array)].append(array)
    images, labels = _by_split(kinds["images"]), _by_split(kinds["labels"])
    pairs = {split: _pairs(images[split], labels.get(split, [])) for split in sorted(images)}
    are_clear = images and all(pairs.values()) and labels.keys() <= images.keys()
    if len(images) > 1:  # each name tells its split, and no array does
        are_clear = are_clear and NO_SPLIT not in images and not kinds["splits"]
    if not are_clear or len(kinds["splits"]) > 1:
        # A list names the first few: those that tell no split, where others do, are at fault.
        first = sorted(arrays, key=lambda array: array.split != NO_SPLIT)
        raise DatasetFormatError(
            "expected arrays X and y, or images and labels, once for each split (X_train, "
            f"y_train, ...); received {listed(f'{a.name} {a.shape}' for a in first) or 'none'}",
            path=path,
        )
    class_names = _class_names(kinds["names"], path)
    names = next(iter(class_names.values()), [])
    splits = next(iter(kinds["splits"]), None)
    parts, told = [], []
    for pictures, answers in chain.from_iterable(pairs.values()):
        with _file_errors(path):
            _check_strange(kinds["strange"], pictures, path, labelled=bool(answers))
            part = _part(pictures, answers, splits, options, path / pictures.name, names=names)
        parts.append((pictures.name, part))
        told.append(pictures.split)
    left = [a.name for a in kinds["names"] + kinds["strange"] if a.name not in class_names]
    notes = [f"the arrays {listed(left)} were left out"] if left else []
    return join_parts(parts, told, path=path, notes=notes)


def _kind(array: _Array) -> str:
    """Return what an array holds by its name and shape: images, labels, splits or names."""
    is_column = len(array.shape) == 1
    if array.words & _OTHER_WORDS:
        return "names"
    if array.words & _LABEL_WORDS and (is_column or is_one_hot(array.shape)):
        return "labels"  # image_labels, too
    if array.words & _IMAGE_WORDS and len(array.shape) > 1:
        return "images"
    if array.words & {*SPLIT_COLUMNS} and array.split == NO_SPLIT and is_column:
        return "splits"
    return "strange"


def _by_split(arrays: list[_Array]) -> dict[int, list[_Array]]:
    groups: dict[int, list[_Array]] = defaultdict(list)
    for array in arrays:
        groups[array.split].append(array)
    return groups


def _pairs(images: list[_Array], labels: list[_Array]) -> list[tuple[_Array, _Array | None]]:
    """Return the images of one split with their labels, part by part; nothing if by a guess."""
    if len(images) == 1 and len(labels) < 2:  # noqa: PLR2004 - one or none
        return [(images[0], labels[0] if labels else None)]
    if any(len({shard_key(array.name) for array in group}) > 1 for group in (images, labels)):
        return []
    pictures = {shard_numbers(array.name): array for array in images}
    answers = {shard_numbers(array.name): array for array in labels}
    if len(pictures) < len(images) or (answers and answers.keys() != pictures.keys()):
        return []
    return [(pictures[number], answers.get(number)) for number in sorted(pictures)]


def _check_strange(strange: list[_Array], pictures: _Array, path: Path, *, labelled: bool) -> None:
    """Raise where an array of another name may hold the labels or splits of the images."""
    for array in strange:
        if array.shape[:1] != pictures.shape[:1] or len(array.shape) > 2:  # noqa: PLR2004 - columns, one-hot
            continue
        fault = None
        if not labelled:
            fault = f"the array {array.name} may hold the labels; call it y or labels, or remove it"
        elif pictures.split == NO_SPLIT and len(array.shape) == 1:
            value = str(array.read()[0]) if array.shape[0] else ""
            fault = split_fault(PurePosixPath(array.name).name, value)
        if fault:
            raise DatasetFormatError(fault, path=path)


def _part(
    pictures: _Array,
    answers: _Array | None,
    told: _Array | None,
    options: Options,
    path: Path,
    *,
    names: list[str],
) -> Part:
    images = pictures.read()
    words: list[str] = []
    labels, splits = np.full(len(images), NO_LABEL), np.full(len(images), NO_SPLIT)
    if answers is not None:
        labels, words = as_codes(answers.read(), names, options.labels, path)
    if told is not None:
        splits = as_splits(told.read(), path)
    for what, values in (("labels", labels), ("splits", splits)):
        if len(values) != len(images):
            raise DatasetFormatError(
                f"expected as many {what} as images ({len(images):,}), received {len(values):,}",
                path=path,
            )
    kept = labels != LEFT_OUT
    pixels = as_images(images if kept.all() else images[kept], path, resize=options.resize)
    part = Part.of(pixels, labels[kept], splits[kept], left_out=words)
    if pixels.size and pixels.max() == 1:
        part.notes.append(
            "the images hold 0 and 1 alone, black where 255 is white; fractions of white become "
            "levels by (X * 255).round().astype('uint8')"
        )
    return part


def _class_names(named: list[_Array], path: Path) -> dict[str, list[str]]:
    """Return the array that says which class each number is, by its name; nothing without one."""
    found = {}
    for array in named:
        if array.words & _LABEL_WORDS and array.words & {"name", "names"} and len(array.shape) == 1:
            with _file_errors(path):
                names = [*map(as_word, array.read().tolist())]
            found[array.name] = names
    if len({tuple(names) for names in found.values()}) > 1:
        raise DatasetFormatError(
            f"expected one array of the names of classes, received {listed(found)}; remove all "
            "but one",
            path=path,
        )
    return found
