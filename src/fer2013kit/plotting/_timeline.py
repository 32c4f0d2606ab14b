"""Emotions of one face over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._class_names import class_colors
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.plotting._parts import DASHES, axes_or_new, open_frame, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

_LONGEST_GAP: Final = 3
"""In usual steps of time; a longer one breaks the lines."""


def plot_timeline(
    frame: Any,
    *,
    track: int | None = None,
    class_names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the probabilities of one face over time, a line for each class.

    The band below the lines has the colour of the most probable class.

    Parameters
    ----------
    frame : pandas.DataFrame or mapping of str to array_like, shape (n,)
        From :func:`analyze_video`: "time" in seconds, "track", and a column for each class.
    track : int, optional
        Whose face.  Default: the one seen most often.
    class_names : sequence of str, length k
        Columns of the probabilities.  Default: those between "height" and "emotion", as
        :func:`analyze_video` has them; where these are missing, all but "time" and "track".
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into.

    Raises
    ------
    InvalidInputError
        If a column is missing, there is no row, or the track is unknown.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> table = {"time": [0.0, 0.2], "track": [0, 0], "happy": [0.9, 0.2], "sad": [0.1, 0.8]}
    >>> ax = fk.plot_timeline(table)
    >>> ax.get_title()
    'Face 0: happy 50%, sad 50% of the time'
    """
    if class_names is None:
        class_names = _class_columns(frame) or CLASS_NAMES
    needed = ["time", "track", *class_names]
    try:
        columns = {name: np.asarray(frame[name]) for name in needed}
    except (KeyError, TypeError, IndexError) as error:
        raise InvalidInputError(
            f"expected a table from analyze_video with the columns {', '.join(needed)}; "
            f"received {type(frame).__name__} without {error}"
        ) from error
    tracks, counts = np.unique(columns["track"], return_counts=True)
    if not len(tracks):
        raise InvalidInputError("there is nothing to draw: no face was found")
    track = int(tracks[counts.argmax()]) if track is None else track
    rows = columns["track"] == track
    if not rows.any():
        known = ", ".join(map(str, tracks.tolist()))
        raise InvalidInputError(f"track must be one of {known}; received {shown(track)}")
    order = np.argsort(columns["time"][rows], kind="stable")
    time = columns["time"][rows][order].astype(np.float64)
    table = np.stack([columns[name][rows][order] for name in class_names], axis=1)

    ax = axes_or_new(ax, width=9, height=4)
    steps = np.diff(time)
    usual = float(np.median(steps)) if len(steps) else 1.0
    breaks = np.flatnonzero(steps > _LONGEST_GAP * usual) + 1
    marker = "." if len(time) < 60 else ""  # noqa: PLR2004 - more would run together
    pieces = np.split(np.arange(len(time)), breaks)
    colors = class_colors(class_names)
    for column, name in enumerate(class_names):
        color = colors[column]
        for number, piece in enumerate(pieces):
            ax.plot(
                time[piece],
                table[piece, column],
                color=color,
                linestyle=DASHES[column % len(DASHES)],
                marker=marker,
                linewidth=1.6,
                label=plain(name) if not number else None,
            )
    best = table.argmax(axis=1)
    for column in np.unique(best):
        spans = [(t - usual / 2, usual) for t in time[best == column]]
        ax.broken_barh(spans, (-0.09, 0.05), facecolors=colors[int(column)], linewidth=0)
    shares = np.bincount(best, minlength=len(class_names)) / len(best)
    most = np.argsort(-shares, kind="stable")[:3]
    most_seen = ", ".join(f"{class_names[i]} {shares[i]:.0%}" for i in most if shares[i] > 0)
    ax.set(
        xlabel="time (s)",
        ylabel="probability",
        ylim=(-0.1, 1.02),
        title=f"Face {track}: {most_seen} of the time",
    )
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    open_frame(ax)
    return ax


def _class_columns(frame: Any) -> list[str]:
    names = list(frame.keys()) if hasattr(frame, "keys") else []
    if "height" in names and "emotion" in names:
        return names[names.index("height") + 1 : names.index("emotion")]
    return [name for name in names if name not in {"time", "track"}]
