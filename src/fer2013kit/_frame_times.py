"""A table of faces over time: its columns, and for how long each row stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BOX: Final = ("left", "top", "width", "height")
ANSWER: Final = (
    *("emotion", "score", "uncertain", "quality"),
    *("valence", "arousal", "roll", "yaw", "pitch"),
)
"""What stands before the columns of the classes, and behind them."""

LONGEST_GAP: Final = 3
"""In usual steps of time; after a longer one the face was away."""


def class_columns(columns: Sequence[str]) -> list[str]:
    """Return which columns are those of the classes: between the box and the answer."""
    if BOX[-1] in columns and ANSWER[0] in columns:
        return list(columns[columns.index(BOX[-1]) + 1 : columns.index(ANSWER[0])])
    return [name for name in columns if name not in {"time", "frame", "track", *BOX, *ANSWER}]


def check_rows(
    time: NDArray[Any], track: NDArray[Any], words: NDArray[Any], names: Sequence[str]
) -> None:
    """Raise InvalidInputError for a table of several videos, or words that are no classes."""
    others = set(words.tolist()) - set(names)
    if others:
        raise InvalidInputError(
            f"emotion must be one of the classes, {', '.join(names)}; received {shown(others)}"
        )
    check_once(time, track)


def check_once(time: NDArray[Any], track: NDArray[Any]) -> None:
    """Raise InvalidInputError where a track has two faces at one time."""
    if len(set(zip(track.tolist(), time.tolist(), strict=True))) < len(time):
        raise InvalidInputError(
            "a track has two faces at one time, so these are rows of several videos; take those of "
            "each by themselves"
        )


def usual_step(time: NDArray[np.float64]) -> float:
    """Return the usual number of seconds from one frame that was looked at to the next.

    Where there is but one frame, nobody knows: 1.
    """
    steps = np.diff(np.unique(time))
    return float(np.median(steps)) if len(steps) else 1.0


def seconds_of(time: NDArray[np.float64], usual: float) -> NDArray[np.float64]:
    """Return for how long each row of a track stands, from their sorted times.

    ``usual`` is the usual step of the whole video: a track of two rows, far apart, has another.
    """
    steps = np.diff(time)
    lasts: NDArray[np.float64] = np.append(
        np.where(steps > LONGEST_GAP * usual, usual, steps), usual
    )
    return lasts
