"""What the figures share: colours, Axes, and the forms in which they take their data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import IntArray, as_array, check_same_length
from fer2013kit._labels import columns_in_order, read_codes
from fer2013kit._metrics import check_probabilities
from fer2013kit._optional import needed
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from fer2013kit._metrics import Float64Array

# Of the palette of Okabe and Ito (2008), which people with any colour vision can tell apart.
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
GREY: Final = "#8A8F98"
SERIES: Final = (
    *(BLUE, "#E69F00", "#009E73", "#CC79A7", VERMILION, "#56B4E9", "#F0E442"),
    GREY,
)
DASHES: Final = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)))
"""Neighbouring lines differ in these, too, for whoever cannot tell their colours."""


def axes_or_new(ax: Axes | None, *, width: float, height: float) -> Axes:
    """Return ``ax``, or the Axes of a new pyplot figure of so many inches.

    Raises
    ------
    InvalidInputError
        For other than Axes, such as what ``plt.subplots()`` returns, and for polar ones and those
        of three dimensions.
    """
    if ax is not None:
        if not hasattr(ax, "get_xlim") or getattr(ax, "name", "rectilinear") != "rectilinear":
            raise InvalidInputError(
                "ax must be a matplotlib Axes of two dimensions, right and up; received "
                f"{shown(ax)}"
            )
        return ax
    with needed("a figure"):
        import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def open_frame(ax: Axes) -> None:
    """Leave the left and lower spines, and faint lines across to read values by."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)


def ink_on(color: ArrayLike) -> str:
    """Return "black" or "white", whichever is read better on an RGB colour in [0, 1]."""
    # Relative luminance of WCAG 2, and the one at which both contrasts are equal.
    linear_end, equal_contrast = 0.04045, 0.179
    rgb = np.asarray(color, dtype=np.float64)[:3]
    linear = np.where(rgb <= linear_end, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return "black" if linear @ [0.2126, 0.7152, 0.0722] > equal_contrast else "white"


def series(place: int) -> tuple[str, Any]:
    """Return colour and dashes of one of several networks."""
    return SERIES[place % len(SERIES)], DASHES[place % len(DASHES)]


def network_name(name: str | None) -> str:
    """Return what the legend calls a network; nothing where it has no name.

    Raises
    ------
    InvalidInputError
        For a name that is no text.
    """
    if not isinstance(name, str | None):
        raise InvalidInputError(f"name must be a text; received {shown(name)}")
    return plain(name or "")


def named(name: str | None, figure: str) -> str:
    """Return what the legend says of a network: its name and a figure, as in scikit-learn."""
    network = network_name(name)
    return f"{network} ({figure})" if network else figure


def history_of(history: Any) -> dict[str, Sequence[float]]:
    """Return the values of each epoch by name, from a mapping or from what holds one."""
    for name in ("history_", "history"):
        history = getattr(history, name, history)
    if not isinstance(history, Mapping):
        raise InvalidInputError(
            "history must be a mapping of metrics to their values of each epoch, or a fitted "
            f"object with history_; received {type(history).__name__}"
        )
    return dict(history)


def labels_by_split(data: Any) -> dict[str, Any]:
    """Return labels by the name of their split; labels without splits have the name ''."""
    if isinstance(data, Mapping):
        return dict(data)
    if hasattr(data, "splits"):
        return {name: split.labels for name, split in data.splits.items()}
    return {"": getattr(data, "labels", data)}


def plain(text: str) -> str:
    """Return a text that Matplotlib draws as it is.

    Between dollars it would see mathematics, and a legend lacks what begins with an underscore.
    """
    without_width = "\u200b"
    text = str(text).replace("$", r"\$")
    return without_width + text if text.startswith("_") else text


def read_probabilities(table: Any, class_names: Sequence[str]) -> Float64Array:
    """Return checked probabilities (m, k); the columns of a data frame go by their names."""
    array = as_array(columns_in_order(table, class_names, name="probabilities"), "probabilities")
    if array.ndim != 2 or array.shape[1] != len(class_names):  # noqa: PLR2004 - a table
        raise InvalidInputError(
            f"probabilities must have shape (m, {len(class_names)}), a column for each of the "
            f"class names; received {array.shape}"
        )
    return check_probabilities(array)


def class_codes(
    labels: ArrayLike | None,
    class_names: Sequence[str],
    *,
    name: str = "labels",
    images: Any = None,
) -> IntArray | None:
    """Return the codes of classes given by code or by name, as many as the images; None stays."""
    if labels is None:
        return None
    if images is not None:
        check_same_length(images, as_array(labels, name), names=("images", name))
    return read_codes(labels, class_names, name=name)
