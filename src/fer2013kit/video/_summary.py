"""What a table of faces over time says in short: shares of time, peaks, changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._frame_times import check_rows, class_columns, seconds_of, usual_step
from fer2013kit._optional import needed
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

_NEEDED: Final = ("time", "track", "height", "emotion")


@dataclass(frozen=True)
class VideoSummary:
    """What :func:`summarize_video` returns.

    Parameters
    ----------
    people : pandas.DataFrame
        A row for each track: ``begin`` and ``end`` (seconds since the first frame), ``seconds``
        seen, the share of these under each class's name, ``emotion`` (the longest one) and
        ``changes`` (how often the emotion changed).
    peaks : pandas.DataFrame
        A row for each track and each of its emotions: the ``time`` at which that class was most
        probable, and this ``probability``.
    transitions : pandas.DataFrame
        A row for each change of a track's emotion: ``track``, ``time``, ``before``, ``after``.

    See Also
    --------
    summarize_video : Makes it.

    Examples
    --------
    >>> import pandas as pd
    >>> import fer2013kit as fk
    >>> rows = {"time": [0.0, 0.2], "track": 0, "height": 90, "happy": 0.7, "sad": 0.3}
    >>> fk.summarize_video(pd.DataFrame({**rows, "emotion": "happy"})).peaks
       track emotion  time  probability
    0      0   happy   0.0          0.7
    """

    people: pd.DataFrame
    peaks: pd.DataFrame
    transitions: pd.DataFrame


def summarize_video(table: pd.DataFrame) -> VideoSummary:
    """Summarise who had which expression for how long in a video.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`analyze_video`.

    Returns
    -------
    VideoSummary
        Three tables: people, peaks and transitions.

    Raises
    ------
    InvalidInputError
        For a table without these columns, of several videos, or whose emotions are no columns.

    See Also
    --------
    plot_tracks : Draws all tracks.

    Notes
    -----
    A row counts for the time until the next row of its track; if that is longer than three of the
    table's usual steps, the face was away, and the row counts for one step, as the last one does.
    The summary uses the table's emotions: with `smoothing`, expressions shorter than about its
    time constant are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> import fer2013kit as fk
    >>> table = pd.DataFrame({"time": [0.0, 0.2, 0.4, 0.6], "track": 0, "height": 90,
    ...                       "happy": [0.2, 0.3, 0.9, 0.8], "sad": [0.8, 0.7, 0.1, 0.2],
    ...                       "emotion": ["sad", "sad", "happy", "happy"]})
    >>> summary = fk.summarize_video(table)
    >>> summary.people[["track", "seconds", "happy", "sad", "changes"]].round(2)
       track  seconds  happy  sad  changes
    0      0      0.8    0.5  0.5        1
    >>> summary.transitions
       track  time before  after
    0      0   0.4    sad  happy
    """
    missing = [name for name in _NEEDED if name not in getattr(table, "columns", ())]
    if missing:
        raise InvalidInputError(
            f"expected a table from analyze_video; received {type(table).__name__} without the "
            f"columns {', '.join(missing)}"
        )
    with needed("summarize_video", library="pandas"):
        import pandas as pd

    names = class_columns(list(table.columns))
    times, tracks, emotions = (table[name].to_numpy() for name in ("time", "track", "emotion"))
    check_rows(times, tracks, emotions, names)
    people: list[dict[str, Any]] = []
    peaks: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    usual = usual_step(times.astype(np.float64))
    for track, unsorted in table.groupby("track"):
        rows = unsorted.sort_values("time", kind="stable")
        time, words = rows["time"].to_numpy(np.float64), rows["emotion"].to_numpy(object)
        lasts = seconds_of(time, usual)
        shares = {name: float(lasts[words == name].sum() / lasts.sum()) for name in names}
        turns = np.flatnonzero(words[1:] != words[:-1]) + 1
        people.append(
            {
                "track": track,
                "begin": time[0],
                "end": time[-1],
                "seconds": lasts.sum(),
                **shares,
                "emotion": max(shares, key=lambda name: shares[name]),
                "changes": len(turns),
            }
        )
        for name in names:
            if (words == name).any():
                best = int(rows[name].to_numpy().argmax())
                peak = {"time": time[best], "probability": rows[name].iloc[best]}
                peaks.append({"track": track, "emotion": name, **peak})
        changes += [
            {"track": track, "time": time[one], "before": words[one - 1], "after": words[one]}
            for one in turns
        ]
    facts = ["track", "begin", "end", "seconds", *names, "emotion", "changes"]
    return VideoSummary(
        pd.DataFrame(people, columns=facts),
        pd.DataFrame(peaks, columns=["track", "emotion", "time", "probability"]),
        pd.DataFrame(changes, columns=["track", "time", "before", "after"]),
    )
