"""What a classifier accepts as images: the same with Keras and without."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fer2013kit._checks import no_numbers
from fer2013kit.emotions import MAX_LEVEL
from fer2013kit.exceptions import InvalidInputError, shortened, warn

if TYPE_CHECKING:
    from collections.abc import Callable

Shape = tuple[int, int, int]
Pixels = NDArray[Any]
_FLAT, _GREY = 2, 3  # dimensions of (n, pixels) and (n, height, width)
_COLORS: Final = (3, 4)  # channels
_PIXELS: Final = re.compile(r"\W*\w+(\.0*)?(\s|[,;]\s*\d)")  # 70 80, or [70,80, or 70.0 80.0
_KINDS_OF_TEXT: Final = "OSUT"  # of NumPy's types: those that may hold texts
_KINDS_OF_NO_NUMBERS: Final = "bmMSUV"
_ROUNDING: Final = 1e-6  # of the range: what arithmetic in float32 may exceed it by


def read_pictures(
    X: Any, image_shape: Shape, value_range: tuple[float, float] | None = (0.0, 1.0)
) -> Pixels:
    """Return images ``(n, *image_shape)`` in the caller's own range, checked, without a copy.

    They may lack the single channel, or be flat; integers are in [0, 255], floats in
    ``value_range``, whose None leaves them unchecked.

    Raises
    ------
    InvalidInputError
        For no images, another shape or range, NaN, infinity, or what are no numbers.
    """
    array = with_shape(X)
    if not isinstance(array, np.ndarray):
        array = np.asarray(array)
    flat = flatten(array, image_shape)
    if flat.ndim != _FLAT or flat.shape[1] != np.prod(image_shape):
        raise wrong_shape(array, image_shape)
    if not len(flat):
        raise InvalidInputError(
            f"Found array with 0 sample(s) (shape={flat.shape}) while a minimum of 1 is required."
        )
    if flat.dtype.kind == "c":
        raise no_numbers(flat, "X")
    if flat.dtype.kind not in "biuf":
        try:
            flat = flat.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidInputError(f"X must hold numbers: {shortened(str(error))}") from error
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        problem = "NaN" if np.isnan(flat).any() else "infinity"
        raise InvalidInputError(f"Input X contains {problem}.")
    check_range(flat, value_range)
    pictures: Pixels = flat.reshape(len(flat), *image_shape)
    return pictures


def with_shape(X: Any) -> Any:
    """Return arrays, frames and sparse matrices as they are, everything else as an array.

    Raises
    ------
    InvalidInputError
        For images of several sizes, and for a column of pixel texts, which say themselves that
        they are no table of numbers.
    """
    if not hasattr(X, "shape"):
        try:
            X = np.asarray(X)
        except ValueError as error:
            raise InvalidInputError(
                f"X must be images of one size: {shortened(str(error))}"
            ) from error
    is_column = X.dtype.kind in _KINDS_OF_TEXT if isinstance(X, np.ndarray) else hasattr(X, "iloc")
    if is_column:
        first = np.asarray(X[:1] if X.shape else X).ravel()
        text = next((one for one in first if isinstance(one, str) and _PIXELS.match(one)), None)
        if text is not None:
            raise InvalidInputError(
                f"X holds texts such as {text[:20]!r}...; turn a column of pixels, as "
                "fer2013.csv has it, to images with "
                "numpy.stack([fer2013kit.to_face(text) for text in column])"
            )
        if len(X.shape) == 1 and any(isinstance(one, np.ndarray | list) for one in first):
            raise InvalidInputError(
                "X holds an array for each image; make one array of them with "
                "numpy.stack(list(column))"
            )
    if isinstance(X, np.ndarray) and X.dtype.kind in _KINDS_OF_NO_NUMBERS:
        raise no_numbers(X, "X")
    return X


def flatten(X: Any, image_shape: Shape | None) -> Any:
    """Return images as rows of pixels; what has no image's shape is returned as it is."""
    if len(X.shape) <= _FLAT:
        return X
    if image_shape is not None:
        height, width, channels = image_shape
        if X.shape[1:] != image_shape and not (channels == 1 and X.shape[1:] == (height, width)):
            raise wrong_shape(X, image_shape)
    return np.asarray(X).reshape(len(X), int(np.prod(X.shape[1:])))


def shape_of_images(shape: tuple[int, ...], name: str) -> Shape:
    """Return height, width and channels of images of any size; errors call them by ``name``."""
    if len(shape) not in {_GREY, _GREY + 1}:
        raise InvalidInputError(
            f"{name} must have shape (n, height, width, channels); received {shape}"
        )
    height, width, channels = (*shape[1:], 1)[:3]
    return height, width, channels


def wrong_shape(X: Any, image_shape: Shape) -> InvalidInputError:
    """Return the error that says which shapes there may be and which came."""
    height, width, channels = image_shape
    forms = [f"(n, {height}, {width}, {channels})", f"(n, {height * width * channels})"]
    if channels == 1:
        forms.insert(0, f"(n, {height}, {width})")
    return InvalidInputError(
        f"X must have shape {' or '.join(forms)}; received {tuple(X.shape)}. "
        f"{_way_to(image_shape, tuple(X.shape))}"
    )


def _way_to(image_shape: Shape, shape: tuple[int, ...]) -> str:
    """Return what to do with images of another shape."""
    others = "Bring images of other sizes there with fer2013kit.to_face or resize"
    if shape in {image_shape, image_shape[:2]} or (len(shape) == _GREY and shape[2] in _COLORS):
        return "One image is passed as X[None]"
    if len(shape) not in {_GREY, _GREY + 1}:
        return others
    height, width, channels = (*shape[1:], 1)[:3]
    if height in {1, *_COLORS} and channels > max(_COLORS):
        return "Channels come last: numpy.moveaxis(X, 1, -1)"
    way = others
    if (height, width) == image_shape[:2]:
        way = "Make colour images grey with fer2013kit.to_grayscale"
        if channels == 1:
            way = "Give grey images three channels with fer2013kit.grayscale_to_rgb"
    return f"{way}; EmotionClassifier(image_shape={(height, width, channels)}) trains on such"


def check_range(pixels: NDArray[Any], value_range: tuple[float, float] | None) -> None:
    """Raise :class:`InvalidInputError` for pixels outside the range their dtype promises.

    True and False promise none: a data frame of them comes here as an array.
    """
    if pixels.dtype.kind == "b":
        raise no_numbers(pixels, "X")
    if pixels.dtype.kind in "iu" and pixels.size and pixels.max() == 1:
        warn(
            "X of integers holds 0 and 1 alone, black where 255 is white; pass fractions in [0, 1] "
            "as floats"
        )
    if value_range is None or pixels.dtype == np.uint8 or not pixels.size:
        return
    low, high = (0, MAX_LEVEL) if pixels.dtype.kind in "iu" else value_range
    least, most = pixels.min(), pixels.max()
    rounding = _ROUNDING * (high - low)  # MinMaxScaler gives 1.0000000000000002
    if least < low - rounding or most > high + rounding:
        kind = "integers" if pixels.dtype.kind in "iu" else "floats"
        raise InvalidInputError(
            f"X of {kind} must be in [{low:g}, {high:g}]; received {least:.7g} to {most:.7g}. "
            "Integers mean 0 to 255; floats mean value_range, (0.0, 1.0) by default: divide by "
            "255, convert with .astype('uint8'), or set value_range"
        )


def pixel_converter(
    value_range: tuple[float, float] | None,
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return the function that brings a batch to [0, 255]: uint8 as it is, others as float32."""
    low, high = (0.0, 1.0) if value_range is None else value_range

    def to_pixels(batch: NDArray[Any]) -> NDArray[Any]:
        if batch.dtype == np.uint8:
            return batch
        if batch.dtype.kind in "iu":
            return batch.astype(np.float32)
        return ((batch.astype(np.float32) - low) * (MAX_LEVEL / (high - low))).astype(np.float32)

    return to_pixels


class StoredPictures:
    """Images that stay where they are, brought to [0, 255] as rows of them are asked for.

    They are in the caller's own range, for instance mapped from a file; ``to_pixels`` brings some
    of them to [0, 255], and ``rows`` says which of them there are, by default all.
    """

    def __init__(
        self,
        pictures: NDArray[Any],
        to_pixels: Callable[[NDArray[Any]], NDArray[Any]],
        rows: NDArray[Any] | None = None,
    ) -> None:
        self._pictures, self._to_pixels = pictures, to_pixels
        self._rows = np.arange(len(pictures)) if rows is None else rows

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all the images."""
        return (len(self), *self._pictures.shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: NDArray[Any] | slice) -> NDArray[Any]:
        return self._to_pixels(self._pictures[self._rows[index]])

    def subset(self, rows: NDArray[Any]) -> StoredPictures:
        """Return some of the images, which stay where they are, too."""
        return StoredPictures(self._pictures, self._to_pixels, self._rows[rows])
