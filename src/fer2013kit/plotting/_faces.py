"""Faces in a grid, with what they are and what they were taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fer2013kit._checks import (
    FloatArray,
    IntArray,
    UInt8Array,
    as_array,
    check_same_length,
    check_whole,
    random_generator,
)
from fer2013kit._labels import check_class_names
from fer2013kit.emotions import CLASS_NAMES, IMAGE_SHAPE, IMAGE_SIZE, MAX_LEVEL
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.plotting._parts import (
    BLUE,
    VERMILION,
    axes_or_new,
    class_codes,
    plain,
    read_probabilities,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

_TILE_INCHES = 1.3
_HEAT = "plasma"  # even steps for any colour vision, and no grey in it


def plot_samples(
    images: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    predictions: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
    n: int = 16,
    class_names: Sequence[str] = CLASS_NAMES,
    random_state: int | np.random.Generator | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a grid of faces with their true and predicted classes.

    Parameters
    ----------
    images : array_like, shape (m, height, width), (m, height, width, 1 or 3) or (m, 2304)
        Grey or RGB images: integers in [0, 255], or floats in [0, 1] or [0, 255]; floats of
        any other range (standardised ones) are stretched between each image's extremes.
    labels : array_like of int or str, shape (m,), optional
        True classes, by code or by name.
    predictions : array_like of int or str, shape (m,), optional
        Predicted classes.  Default: the most probable ones where there are probabilities.
    probabilities : array_like or data frame of float, shape (m, k), optional
        Of each class; that of the prediction is written.
    n : int, default 16
        How many to draw: all, in their order, where there are no more than that, otherwise
        as many at random.
    class_names : sequence of str, length k
        Names in the order of the codes.  Default: the seven emotions.
    random_state : int, Generator or None
        Seed of the choice.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into.

    Raises
    ------
    InvalidInputError
        For zero images, arrays of other shapes or lengths, an unknown class, what is no
        probability, or an ``ax`` that is no Axes.

    See Also
    --------
    audit_dataset : Finds what is wrong with images.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).train
    >>> ax = fk.plot_samples(X, y, n=12, random_state=0)
    >>> len(ax.images)
    12
    """
    class_names = check_class_names(class_names)
    total = len(as_array(images, "images"))
    truth = class_codes(labels, class_names, images=images)
    confidence = None
    if probabilities is not None:
        table = read_probabilities(probabilities, class_names)
        check_same_length(images, table, names=("images", "probabilities"))
        predictions = table.argmax(axis=1) if predictions is None else predictions
        predicted = class_codes(predictions, class_names, name="predictions", images=images)
        confidence = table[np.arange(total), predicted]
    else:
        predicted = class_codes(predictions, class_names, name="predictions", images=images)
    n = check_whole("n", n)
    if not total:
        raise InvalidInputError("there is nothing to draw: no images")
    chosen = np.arange(total)
    if n < total:
        chosen = random_generator(random_state).choice(total, size=n, replace=False)
    pictures = as_pictures(images, chosen)

    captions: list[str] = []
    colors: list[str | None] = []
    for row in chosen:
        certainty = "" if confidence is None else f" {100 * confidence[row]:.0f}%"
        if predicted is None:
            captions.append("" if truth is None else class_names[truth[row]])
            colors.append(None)
        elif truth is None:
            captions.append(f"{class_names[predicted[row]]}{certainty}")
            colors.append(None)
        else:
            right = truth[row] == predicted[row]
            guess = f"{'✓' if right else '✗'} {class_names[predicted[row]]}{certainty}"
            captions.append(guess if right else f"{guess}\nis {class_names[truth[row]]}")
            colors.append(BLUE if right else VERMILION)
    return draw_grid(pictures, [*map(plain, captions)], colors, ax)


def draw_grid(
    pictures: UInt8Array,
    captions: Sequence[str],
    colors: Sequence[str | None],
    ax: Axes | None,
    *,
    heat: FloatArray | None = None,
) -> Axes:
    """Draw images in rows, each in a cell with its caption below; beside it with its heat."""
    wide = 1 if heat is None else 2
    # The width that leaves the fewest empty cells, of those that make the grid wider than high.
    least = int(np.ceil(np.sqrt(1.2 * len(pictures) / wide)))
    columns = min(range(least, least + 3), key=lambda width: (-len(pictures) % width, width))
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    lines = max(1 + caption.count("\n") if caption else 0 for caption in captions)
    pitch = 1.02 + 0.16 * lines
    width, height = columns * wide, pitch * rows
    tile, is_new = _TILE_INCHES, ax is None
    ax = axes_or_new(ax, width=tile * width, height=tile * height)
    if not is_new:
        box = ax.get_window_extent()
        tile = min(box.width / width, box.height / height) / ax.figure.get_dpi()
    longest = max(len(line) for caption in captions for line in caption.split("\n"))
    points_a_letter = 72 * tile * wide / max(longest, 1)
    size = min(max(points_a_letter / 0.6, 4), 10)
    for index, (picture, caption, color) in enumerate(zip(pictures, captions, colors, strict=True)):
        row, column = divmod(index, columns)
        top = row * pitch
        for place in range(wide):
            left = column * wide + place + 0.03
            extent = (left, left + 0.94, top + 0.94, top)
            ax.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=extent)
        if heat is not None:
            # What is cold stays the face that it is.
            ax.imshow(
                heat[index], cmap=_HEAT, vmin=0, vmax=1, alpha=0.7 * heat[index], extent=extent
            )
        middle = (column + 0.5) * wide
        text = ax.text(middle, top + 0.98, caption, ha="center", va="top", fontsize=size)
        if color is not None:
            text.set_color(color)
    ax.set(xlim=(0, columns * wide), ylim=(rows * pitch, 0), aspect="equal")
    ax.set_axis_off()
    return ax


def as_pictures(images: ArrayLike, chosen: IntArray | None = None) -> UInt8Array:
    """Return images of any usual form as uint8 to look at, ``(n, height, width[, 3])``.

    The range of values is that of all images, also where some are chosen by their rows.
    """
    array = as_array(images, "images")
    if array.ndim == 2 and array.shape[1] == IMAGE_SIZE:  # noqa: PLR2004 - flattened images
        array = array.reshape(-1, *IMAGE_SHAPE)
    if array.ndim == 4 and array.shape[3] == 1:  # noqa: PLR2004 - one grey channel
        array = array[..., 0]
    gray = array.ndim == 3  # noqa: PLR2004 - n, height, width
    if not gray and not (array.ndim == 4 and array.shape[3] == 3):  # noqa: PLR2004 - n, h, w, RGB
        raise InvalidInputError(
            "images must have shape (n, height, width), (n, height, width, 1 or 3) or "
            f"(n, {IMAGE_SIZE}); received {array.shape}"
        )
    if array.dtype.kind not in "uif" or not np.isfinite(array).all():
        raise InvalidInputError(f"images must be finite numbers; received dtype {array.dtype}")
    some = array if chosen is None else array[chosen]
    if array.dtype == np.uint8 or not array.size:
        return some.astype(np.uint8, copy=False)
    lowest, highest = array.min(), array.max()
    values = some.astype(np.float64)
    if lowest >= 0 and highest <= 1 and array.dtype.kind == "f":
        values *= MAX_LEVEL
    elif lowest < 0 or highest > MAX_LEVEL:
        axes = tuple(range(1, values.ndim))
        low, high = values.min(axis=axes, keepdims=True), values.max(axis=axes, keepdims=True)
        values = MAX_LEVEL * (values - low) / np.where(high > low, high - low, 1)
    return np.rint(values).astype(np.uint8)
