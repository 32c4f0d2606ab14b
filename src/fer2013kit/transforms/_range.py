"""Numbers to another range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._checks import as_array
from fer2013kit._pictures import check_pixels
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.transforms._layout import as_batch, in_chunks

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Range = tuple[float, float]


def rescale(
    images: ArrayLike,
    output_range: Range = (0.0, 1.0),
    *,
    input_range: Range | None = None,
) -> NDArray[np.float32]:
    """Map grey levels linearly to another range.

    Parameters
    ----------
    images : array_like
        Numbers of any shape.
    output_range : tuple of float, default (0.0, 1.0)
        What the ends of `input_range` become.
    input_range : tuple of float, optional
        What black and white are in `images`; by default [0, 255] for uint8 and [0, 65535] for
        uint16.  Floats do not tell their range, so it must be given for them.

    Returns
    -------
    ndarray of float32, of the same shape
        Numbers in `output_range`.

    Raises
    ------
    InvalidInputError
        For floats without `input_range`, numbers outside of it, NaN, a range that is not two
        different finite numbers, or another type.

    See Also
    --------
    standardize : Zero mean and unit variance.

    Notes
    -----
    The models of this kit scale their input themselves: they take grey levels in [0, 255].

    Examples
    --------
    >>> import numpy as np
    >>> import fer2013kit as fk
    >>> levels = np.array([0, 51, 255], np.uint8)
    >>> fk.rescale(levels)
    array([0. , 0.2, 1. ], dtype=float32)
    >>> fk.rescale(fk.rescale(levels), (0, 255), input_range=(0, 1)).round()
    array([  0.,  51., 255.], dtype=float32)
    """
    array = check_pixels(as_array(images, "images"))
    if input_range is None:
        if array.dtype.kind == "f":
            raise InvalidInputError(
                "floats do not tell their range; say input_range=(0, 1), (0, 255) or what it is"
            )
        input_range = (0, np.iinfo(array.dtype).max)
    low, high = check_range(input_range, "input_range")
    new_low, new_high = check_range(output_range, "output_range")
    if array.size and (array.min() < min(low, high) or array.max() > max(low, high)):
        raise InvalidInputError(
            f"images must be in input_range [{low:g}, {high:g}]; "
            f"received {array.min()} to {array.max()}"
        )

    def map_linearly(numbers: NDArray[Any]) -> NDArray[np.float64]:
        share = (numbers.astype(np.float64) - low) / (high - low)
        # Both ends are met exactly, and rounding never passes them.
        return new_low * (1 - share) + new_high * share

    return in_chunks(map_linearly, array.ravel(), np.float32).reshape(array.shape)


def check_range(bounds: Range, name: str) -> Range:
    """Return two different finite numbers as floats, or raise InvalidInputError."""
    try:
        low, high = (float(bound) for bound in bounds)
        valid = bool(np.isfinite([low, high]).all()) and low != high
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise InvalidInputError(
            f"{name} must be two different finite numbers; received {shown(bounds)}"
        )
    return low, high


def standardize(images: ArrayLike) -> NDArray[np.float32]:
    """Give every image zero mean and unit variance.

    Parameters
    ----------
    images : array_like
        One image or a batch, of 1 to 4 channels and any range; the mean is that of all its
        pixels and channels.

    Returns
    -------
    ndarray of float32, of the same shape
        ``(picture - mean) / standard deviation``; an image of one level becomes zeros.

    Raises
    ------
    InvalidInputError
        For another shape or type, or NaN.

    See Also
    --------
    rescale : To a fixed range, such as [0, 1].

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=70, random_state=0)
    >>> first = fk.standardize(data.train.images)[0]
    >>> bool(abs(first.mean()) < 1e-4), bool(abs(first.std() - 1) < 1e-4)
    (True, True)
    """
    batch = as_batch(images)
    return batch.restore(in_chunks(_standardize, batch.pictures, np.float32))


def _standardize(pictures: NDArray[Any]) -> NDArray[np.float64]:
    axes = (1, 2, 3)
    centered = pictures.astype(np.float64)
    # Rounding gives the mean of equal floats a last digit of its own, which would be blown up.
    constant = centered.min(axes, keepdims=True) == centered.max(axes, keepdims=True)
    centered -= centered.mean(axes, keepdims=True)
    deviation = np.sqrt(np.square(centered).mean(axes, keepdims=True))
    constant |= deviation == 0
    standardized: NDArray[np.float64] = np.divide(
        centered, deviation, out=np.zeros_like(centered), where=~constant
    )
    return standardized
