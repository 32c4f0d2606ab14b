"""For how long each row of a table of faces over time stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_GAP: Final = 3
"""In usual steps of time; after a longer one the face was away."""


def usual_step(time: NDArray[np.float64]) -> float:
    """Return the usual number of seconds from one frame that was looked at to the next.

    Where there is but one frame, nobody knows: 1.
    """
    steps = np.diff(np.unique(time))
    return float(np.median(steps)) if len(steps) else 1.0


def seconds_of(time: NDArray[np.float64], otherwise: float) -> NDArray[np.float64]:
    """Return for how long each row of a track stands, from their sorted times.

    ``otherwise`` is the usual step where a track of one row does not say it.
    """
    steps = np.diff(time)
    usual = usual_step(time) if len(np.unique(time)) > 1 else otherwise
    lasts: NDArray[np.float64] = np.append(
        np.where(steps > LONGEST_GAP * usual, usual, steps), usual
    )
    return lasts
