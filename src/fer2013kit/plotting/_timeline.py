"""Emotions of faces over time: one in full, or all in short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._checks import is_listing
from fer2013kit._class_names import class_colors
from fer2013kit._frame_times import (
    LONGEST_GAP,
    check_once,
    check_rows,
    class_columns,
    seconds_of,
    usual_step,
)
from fer2013kit._labels import check_class_names
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.exceptions import InvalidInputError, shortened, shown
from fer2013kit.plotting._parts import DASHES, axes_or_new, open_frame, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray


def plot_timeline(
    frame: Any,
    *,
    track: int | None = None,
    class_names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the probabilities of one face over time, a line for each class.

    The band below the lines has the colour of the face's word, of the most probable class where
    the table has no "emotion".

    Parameters
    ----------
    frame : pandas.DataFrame or mapping of str to array_like, shape (n,)
        From :func:`analyze_video`: "time" in seconds, "track", and a column for each class.
    track : int, optional
        Whose face.  Default: the one seen most often.
    class_names : sequence of str, length k
        Columns of the probabilities.  Default: those between "height" and "emotion", as
        :func:`analyze_video` has them; where these are missing, all but its other columns.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into.

    Raises
    ------
    InvalidInputError
        If a column is missing, there is no row or class, the track is unknown, rows are of several
        videos, or ``ax`` is no Axes.

    See Also
    --------
    analyze_video : Makes the rows.
    plot_tracks : One face at a time.

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
    if not (class_names := check_class_names(class_names)):
        raise InvalidInputError("there is nothing to draw: no class_names")
    needed = ["time", "track", *class_names]
    try:
        columns = {name: np.asarray(frame[name]) for name in needed}
    except (KeyError, TypeError, IndexError) as error:
        raise InvalidInputError(
            f"expected a table from analyze_video with the columns {shortened(', '.join(needed))}; "
            f"received {type(frame).__name__} without {shortened(str(error))}"
        ) from error
    tracks, counts = np.unique(columns["track"], return_counts=True)
    if not len(tracks):
        raise InvalidInputError("there is nothing to draw: no face was found")
    track = int(tracks[counts.argmax()]) if track is None else track
    rows = columns["track"] == (np.nan if is_listing(track) else track)
    if not rows.any():
        known = ", ".join(map(str, tracks.tolist()))
        raise InvalidInputError(f"track must be one of {known}; received {shown(track)}")
    order = np.argsort(columns["time"][rows], kind="stable")
    time = columns["time"][rows][order].astype(np.float64)
    check_once(time, columns["track"][rows])
    table = np.stack([columns[name][rows][order] for name in class_names], axis=1)

    ax = axes_or_new(ax, width=9, height=4)
    usual = usual_step(columns["time"].astype(np.float64))
    breaks = np.flatnonzero(np.diff(time) > LONGEST_GAP * usual) + 1
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
    best = _words(frame, class_names, rows, order, table)
    for column in np.unique(best):
        spans = [(t - usual / 2, usual) for t in time[best == column]]
        ax.broken_barh(spans, (-0.09, 0.05), facecolors=colors[int(column)], linewidth=0)
    lasts = seconds_of(time, usual)
    shares = np.bincount(best, lasts, len(class_names)) / lasts.sum()
    most = np.argsort(-shares, kind="stable")[:3]
    most_seen = ", ".join(f"{plain(class_names[i])} {shares[i]:.0%}" for i in most if shares[i] > 0)
    ax.set(
        xlabel="time (s)",
        ylabel="probability",
        ylim=(-0.1, 1.02),
        title=f"Face {track}: {most_seen} of the time",
    )
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    open_frame(ax)
    return ax


def plot_tracks(frame: Any, *, ax: Axes | None = None) -> Axes:
    """Draw who was seen when in a video, and with which emotion.

    A band for each track has the colour of its word; a mark stands where each of its words was most
    probable.

    Parameters
    ----------
    frame : pandas.DataFrame or mapping of str to array_like, shape (n,)
        From :func:`analyze_video`.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into.

    Raises
    ------
    InvalidInputError
        If a column is missing, there is no row, rows are of several videos, an emotion is no
        column, or ``ax`` is no Axes.

    See Also
    --------
    summarize_video : The same as tables.
    plot_timeline : One face, with all probabilities.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> table = {"time": [0.0, 0.2, 0.0, 0.2], "track": [0, 0, 1, 1], "height": [90] * 4,
    ...          "happy": [0.9, 0.2, 0.8, 0.7], "sad": [0.1, 0.8, 0.2, 0.3],
    ...          "emotion": ["happy", "sad", "happy", "happy"]}
    >>> [label.get_text() for label in fk.plot_tracks(table).get_yticklabels()]
    ['face 0', 'face 1']
    """
    names = _class_columns(frame)
    try:
        time, track, word = (np.asarray(frame[name]) for name in ("time", "track", "emotion"))
        table = np.stack([np.asarray(frame[name], np.float64) for name in names], axis=1)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise InvalidInputError(
            "expected a table from analyze_video with the columns time, track, height, emotion "
            f"and those of the classes; received {type(frame).__name__} without "
            f"{shortened(str(error))}"
        ) from error
    tracks = np.unique(track)
    if not len(tracks):
        raise InvalidInputError("there is nothing to draw: no face was found")
    check_rows(time, track, word, names)
    ax = axes_or_new(ax, width=9, height=1.2 + 0.5 * len(tracks))
    from matplotlib.patches import Patch

    colors = dict(zip(names, class_colors(names), strict=True))
    usual = usual_step(time)
    for place, one in enumerate(tracks):
        rows = np.flatnonzero(track == one)
        rows = rows[np.argsort(time[rows], kind="stable")]
        lasts = seconds_of(time[rows], usual)
        for name in names:
            here = word[rows] == name
            if not here.any():
                continue
            spans = list(zip(time[rows][here], lasts[here], strict=True))
            ax.broken_barh(spans, (place - 0.35, 0.7), facecolors=colors[name], linewidth=0)
            peak = rows[table[rows, names.index(name)].argmax()]
            ax.plot(time[peak], place, marker="v", color=colors[name], markeredgecolor="black")
    seen = [name for name in names if (word == name).any()]
    handles = [Patch(color=colors[name], label=plain(name)) for name in seen]
    ax.legend(handles=handles, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    ax.set_yticks(range(len(tracks)), [f"face {one}" for one in tracks.tolist()])
    ax.set(xlabel="time (s)", ylim=(len(tracks) - 0.5, -0.5))
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _words(
    frame: Any,
    class_names: Sequence[str],
    rows: NDArray[np.bool_],
    order: NDArray[np.int64],
    table: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return the class of each row that is drawn: its word, or without words the best one."""
    if "emotion" in getattr(frame, "keys", list)():
        words = np.asarray(frame["emotion"])[rows][order]
        if set(words.tolist()) <= set(class_names):
            return np.array([list(class_names).index(word) for word in words.tolist()], np.int64)
    best: NDArray[np.int64] = table.argmax(axis=1)
    return best


def _class_columns(frame: Any) -> list[str]:
    return class_columns(list(frame.keys()) if hasattr(frame, "keys") else [])
