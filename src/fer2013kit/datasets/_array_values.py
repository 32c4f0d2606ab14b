"""What arrays hold: pixels in any usual shape to images, answers and words to codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit.datasets._decode import as_faces
from fer2013kit.datasets._labels import LEFT_OUT, class_name
from fer2013kit.datasets._names import SplitColumn
from fer2013kit.emotions import IMAGE_SHAPE, IMAGE_SIZE, MAX_LEVEL, NUM_CLASSES
from fer2013kit.exceptions import DatasetFormatError, listed

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fer2013kit._checks import IntArray, UInt8Array
    from fer2013kit.datasets._labels import Labels


def as_images(images: NDArray[Any], path: Path, *, resize: bool) -> UInt8Array:
    """Return images as uint8 ``(n, 48, 48, 1)``.

    They may be flat, without an axis of channels, or with it before height and width; those of
    three channels become grey, and of other sizes only where they are to be resized.

    Raises
    ------
    DatasetFormatError
        For other numbers than 0 to 255, or another shape.
    """
    height, width, _ = IMAGE_SHAPE
    levels = _as_levels(images, path)
    match levels.shape:
        case n, size if size == IMAGE_SIZE:
            levels = levels.reshape(n, *IMAGE_SHAPE)
        case _, _, _:
            levels = levels[..., None]
        case _, 1 | 3, _, last if last not in {1, 3}:
            levels = np.moveaxis(levels, 1, 3)
    match levels.shape:
        case _, rows, columns, 1 | 3 if resize or (rows, columns) == (height, width):
            is_ready = levels.shape[1:] == IMAGE_SHAPE
            return np.ascontiguousarray(levels) if is_ready else as_faces(levels)
    raise DatasetFormatError(
        f"expected images of shape (n, {height}, {width}), received {images.shape}"
        + ("" if resize else "; load_fer2013(path, resize=True) reads other sizes"),
        path=path,
    )


def _as_levels(images: NDArray[Any], path: Path) -> UInt8Array:
    """Return grey levels as uint8; floats are such where they are whole, and not 0 and 1 alone."""
    kind = images.dtype.kind
    low, high = (images.min(), images.max()) if images.size and kind in "iuf" else (0, 0)
    in_range = 0 <= low <= high <= MAX_LEVEL
    are_whole = kind in "iu" or (
        in_range and high > 1 and all((image == np.rint(image)).all() for image in images)
    )
    if not are_whole:
        are_parts = kind == "f" and images.size and in_range and high <= 1
        raise DatasetFormatError(
            f"expected images of whole numbers from 0 to {MAX_LEVEL}, received dtype "
            f"{images.dtype}; save them as uint8"
            + (", (X * 255).round().astype('uint8')" if are_parts else " before they are rescaled"),
            path=path,
        )
    if not in_range:
        raise DatasetFormatError(
            f"expected numbers from 0 to {MAX_LEVEL}, received {low} to {high}", path=path
        )
    return images.astype(np.uint8, copy=False)


def is_one_hot(shape: tuple[int, ...]) -> bool:
    """Tell by their shape whether labels are rows with a column for each class."""
    return len(shape) == 2 and shape[1] < IMAGE_SIZE // 16  # noqa: PLR2004 - rows and classes


def as_codes(
    answers: NDArray[Any], names: list[str], labels: Labels, path: Path
) -> tuple[IntArray, list[str]]:
    """Return class codes, and the words of those that are left out.

    Numbers are places among the names of the classes, where the file has these.

    Raises
    ------
    DatasetFormatError
        For another shape, or labels that are not known.
    """
    match answers.shape:
        case _, 1:
            answers = answers[:, 0]
        case _, n_columns if answers.dtype.kind in "iufb":
            n_classes = len(names) or NUM_CLASSES
            if n_columns != n_classes or not ((answers == 1).sum(1) == 1).all():
                raise DatasetFormatError(
                    f"expected labels of shape (n,), or one-hot (n, {n_classes}); "
                    f"received {answers.shape}; labels.argmax(axis=1) makes numbers of them, and "
                    "an array class_names says of what",
                    path=path,
                )
            answers = answers.argmax(1)
    if answers.ndim != 1:
        raise DatasetFormatError(
            f"expected labels of shape (n,), received {answers.shape}", path=path
        )
    values, places = np.unique(answers, return_inverse=True)
    words = [class_name(as_word(value), names) for value in values]
    codes = [labels.code(word, numbers=True) for word in words]
    unknown = [word for word, code in zip(words, codes, strict=True) if code is None]
    if unknown:
        raise DatasetFormatError(
            f"unknown labels {listed(unknown)}; {labels.expected(numbers=True)}", path=path
        )
    known = np.array(codes, np.int64)[places]
    return known, [words[place] for place in places[known == LEFT_OUT]]


def as_splits(values: NDArray[Any], path: Path) -> IntArray:
    """Return the place in ``SPLIT_NAMES`` of each row.

    Raises
    ------
    DatasetFormatError
        For a word that names no split.
    """
    told, places = np.unique(values, return_inverse=True)
    column = SplitColumn("split")
    try:
        return np.array([column.code(as_word(value)) for value in told], np.int64)[places]
    except ValueError as error:
        raise DatasetFormatError(str(error), path=path) from None


def as_word(value: Any) -> str:
    """Return an entry of an array as a text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
