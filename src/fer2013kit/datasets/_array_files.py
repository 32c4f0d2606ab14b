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
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._optional import needed
from fer2013kit._untrusted import check_unpacked, errors_as, read_npy, read_npz
from fer2013kit.datasets._csv_header import SPLIT_COLUMNS, split_fault
from fer2013kit.datasets._decode import as_faces
from fer2013kit.datasets._labels import LEFT_OUT
from fer2013kit.datasets._listing import Found, is_model, is_npz
from fer2013kit.datasets._names import (
    NO_SPLIT,
    SplitColumn,
    missing_shards,
    shard_key,
    shard_numbers,
    split_of_path,
    words_of,
)
from fer2013kit.datasets._npz import is_own, read_own
from fer2013kit.datasets._rows import NO_LABEL, Part, join_parts
from fer2013kit.emotions import IMAGE_SHAPE, IMAGE_SIZE, MAX_LEVEL, NUM_CLASSES
from fer2013kit.exceptions import OTHER_MODELS, DatasetFormatError, InvalidInputError, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from fer2013kit._checks import IntArray, UInt8Array
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
_GRAY, _COLOUR = 1, 3
_MAX_DIMENSIONS: Final = 4


@dataclass
class _Array:
    """An array that is not yet read."""

    name: str
    shape: tuple[int, ...]
    read: Callable[[], NDArray[Any]]


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
            content = listing.read(name)
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
    images: dict[int, list[_Array]] = defaultdict(list)
    labels: dict[int, list[_Array]] = defaultdict(list)
    usages: list[_Array] = []
    strange: list[_Array] = []
    named: list[_Array] = []
    for array in arrays:
        name = _JOINED.sub(r"\1_", array.name)
        code = split_of_path(name)
        split = NO_SPLIT if code is None else code
        words = set(words_of(PurePosixPath(name).name))
        is_image = words & _IMAGE_WORDS and len(array.shape) > 1
        if words & _OTHER_WORDS:
            named.append(array)
        elif words & _LABEL_WORDS and (len(array.shape) == 1 or _is_one_hot(array.shape)):
            labels[split].append(array)  # image_labels, too
        elif is_image:
            images[split].append(array)
        elif words & {*SPLIT_COLUMNS} and code is None and len(array.shape) == 1:
            usages.append(array)
        else:
            strange.append(array)
    pairs = {split: _pairs(images[split], labels.get(split, [])) for split in sorted(images)}
    alone = {*labels} - {*images}
    mixed = (NO_SPLIT in images or usages) and len(images) > 1
    if not all(pairs.values()) or not images or alone or mixed or len(usages) > 1:
        # A list names the first few: those that tell no split, where others do, are at fault.
        first = sorted(arrays, key=lambda array: split_of_path(array.name) is not None)
        raise DatasetFormatError(
            "expected arrays X and y, or images and labels, once for each split (X_train, "
            f"y_train, ...); received {listed(f'{a.name} {a.shape}' for a in first) or 'none'}",
            path=path,
        )
    class_names = _class_names(named, path)
    names = next(iter(class_names.values()), [])
    parts, told = [], []
    for split, arrays_of_split in pairs.items():
        for pictures, answers in arrays_of_split:
            with _file_errors(path):
                _check_strange(strange, pictures, path, labelled=bool(answers), split=split)
                part = _part(pictures, answers, usages, options, path / pictures.name, names=names)
            parts.append((pictures.name, part))
            told.append(split)
    left = [array.name for array in [*named, *strange] if array.name not in class_names]
    notes = [f"the arrays {listed(left)} were left out"] if left else []
    return join_parts(parts, told, path=path, notes=notes)


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


def _check_strange(
    strange: list[_Array], pictures: _Array, path: Path, *, labelled: bool, split: int
) -> None:
    """Raise where an array of another name may hold the labels or splits of the images."""
    for array in strange:
        if array.shape[:1] != pictures.shape[:1] or len(array.shape) > 2:  # noqa: PLR2004 - columns, one-hot
            continue
        fault = None
        if not labelled:
            fault = f"the array {array.name} may hold the labels; call it y or labels, or remove it"
        elif split == NO_SPLIT and len(array.shape) == 1:
            value = str(array.read()[0]) if array.shape[0] else ""
            fault = split_fault(PurePosixPath(array.name).name, value)
        if fault:
            raise DatasetFormatError(fault, path=path)


def _part(
    pictures: _Array,
    answers: _Array | None,
    usages: list[_Array],
    options: Options,
    path: Path,
    *,
    names: list[str],
) -> Part:
    images = pictures.read()
    words: list[str] = []
    labels, splits = np.full(len(images), NO_LABEL), np.full(len(images), NO_SPLIT)
    if answers is not None:
        labels, words = _codes(answers.read(), names, options, path)
    if usages:
        splits = _splits(usages[0].read(), path)
    for what, values in (("labels", labels), ("splits", splits)):
        if len(values) != len(images):
            raise DatasetFormatError(
                f"expected as many {what} as images ({len(images):,}), received {len(values):,}",
                path=path,
            )
    kept = labels != LEFT_OUT
    pixels = _pixels(images if kept.all() else images[kept], options, path)
    part = Part.of(pixels, labels[kept], splits[kept], left_out=words)
    if pixels.size and pixels.max() == 1:
        part.notes.append(
            "the images hold 0 and 1 alone, black where 255 is white; fractions of white become "
            "levels by (X * 255).round().astype('uint8')"
        )
    return part


def _is_one_hot(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[1] < IMAGE_SIZE // 16  # noqa: PLR2004 - rows and classes


def _class_names(named: list[_Array], path: Path) -> dict[str, list[str]]:
    """Return the array that says which class each number is, by its name; nothing without one."""
    found = {}
    for array in named:
        words = set(words_of(PurePosixPath(array.name).name))
        if words & _LABEL_WORDS and words & {"name", "names"} and len(array.shape) == 1:
            with _file_errors(path):
                names = [*map(_word, array.read().tolist())]
            found[array.name] = names
    if len({tuple(names) for names in found.values()}) > 1:
        raise DatasetFormatError(
            f"expected one array of the names of classes, received {listed(found)}; remove all "
            "but one",
            path=path,
        )
    return found


def _splits(values: NDArray[Any], path: Path) -> IntArray:
    """Return the place in ``SPLIT_NAMES`` of each row."""
    told, places = np.unique(values, return_inverse=True)
    column = SplitColumn("split")
    try:
        return np.array([column.code(_word(value)) for value in told], np.int64)[places]
    except ValueError as error:
        raise DatasetFormatError(str(error), path=path) from None


def _word(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _codes(
    answers: NDArray[Any], names: list[str], options: Options, path: Path
) -> tuple[IntArray, list[str]]:
    """Return class codes, and the words of those that are left out.

    Numbers are places among the names of the classes, where the file has these.
    """
    if answers.ndim == 2 and answers.shape[1] == 1:  # noqa: PLR2004 - a column
        answers = answers[:, 0]
    if answers.ndim == 2 and answers.dtype.kind in "iufb":  # noqa: PLR2004 - one-hot
        n_classes = len(names) or NUM_CLASSES
        if answers.shape[1] != n_classes or not ((answers == 1).sum(1) == 1).all():
            raise DatasetFormatError(
                f"expected labels of shape (n,), or one-hot (n, {n_classes}); "
                f"received {answers.shape}; labels.argmax(axis=1) makes numbers of them, and an "
                "array class_names says of what",
                path=path,
            )
        answers = answers.argmax(1)
    if answers.ndim != 1:
        raise DatasetFormatError(
            f"expected labels of shape (n,), received {answers.shape}", path=path
        )
    values, places = np.unique(answers, return_inverse=True)
    words = [_named(_word(value), names) for value in values]
    codes = [options.labels.code(word, numbers=True) for word in words]
    unknown = [word for word, code in zip(words, codes, strict=True) if code is None]
    if unknown:
        raise DatasetFormatError(
            f"unknown labels {listed(unknown)}; {options.labels.expected(numbers=True)}", path=path
        )
    known = np.array([code for code in codes if code is not None], np.int64)
    left_out = [words[place] for place in places[known[places] == LEFT_OUT]]
    return known[places], left_out


def _are_levels(images: NDArray[Any]) -> bool:
    """Tell whether floats are grey levels: whole, and not 0 and 1 alone."""
    if not images.size or not (images.min() >= 0 and 1 < images.max() <= MAX_LEVEL):
        return False
    return all((part == np.rint(part)).all() for part in images)


def _named(word: str, names: list[str]) -> str:
    """Return the name of a class that is given as a number."""
    number = word.removesuffix(".0")
    is_place = number.isdecimal() and int(number[:9]) < len(names)
    return names[int(number)] if is_place else word


def _pixels(images: NDArray[Any], options: Options, path: Path) -> UInt8Array:
    """Return images as uint8 ``(n, 48, 48, 1)``."""
    height, width, _ = IMAGE_SHAPE
    if images.dtype.kind == "f" and _are_levels(images):
        images = images.astype(np.uint8)
    if images.dtype.kind not in "iu":
        is_part = (
            images.dtype.kind == "f" and images.size and 0 <= images.min() <= images.max() <= 1
        )
        raise DatasetFormatError(
            f"expected images of whole numbers from 0 to {MAX_LEVEL}, received dtype "
            f"{images.dtype}; save them as uint8"
            + (", (X * 255).round().astype('uint8')" if is_part else " before they are rescaled"),
            path=path,
        )
    if images.size and (images.min() < 0 or images.max() > MAX_LEVEL):
        raise DatasetFormatError(
            f"expected numbers from 0 to {MAX_LEVEL}, received {images.min()} to {images.max()}",
            path=path,
        )
    images = images.astype(np.uint8, copy=False)
    if images.ndim == 2 and images.shape[1] == height * width:  # noqa: PLR2004 - flat images
        images = images.reshape(-1, height, width)
    channels = {_GRAY, _COLOUR}
    first = images.ndim == _MAX_DIMENSIONS and images.shape[1] in channels
    if first and images.shape[3] not in channels:
        images = np.moveaxis(images, 1, 3)
    if images.ndim == _MAX_DIMENSIONS and images.shape[3] == _GRAY:
        images = images[..., 0]
    colour = images.ndim == _MAX_DIMENSIONS and images.shape[3] == _COLOUR
    fits = images.shape[1:3] == (height, width)
    if (images.ndim != 3 and not colour) or not (fits or options.resize):  # noqa: PLR2004 - no channel axis
        raise DatasetFormatError(
            f"expected images of shape (n, {height}, {width}), received {images.shape}"
            + ("" if options.resize else "; load_fer2013(path, resize=True) reads other sizes"),
            path=path,
        )
    if not colour and fits:
        return np.ascontiguousarray(images).reshape(-1, *IMAGE_SHAPE)
    return as_faces(images if colour else images[..., None])
