"""From a video to a table of faces and their emotions."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from fer2013kit._checks import check_flags, check_number
from fer2013kit._frame_times import ANSWER, BOX
from fer2013kit._optional import needed
from fer2013kit._quiet import no_bar
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.faces import annotate
from fer2013kit.video._face_tracker import FaceTracker
from fer2013kit.video._reading import open_video
from fer2013kit.video._writing import video_writer

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import pandas as pd

    from fer2013kit.faces import FaceEmotion
    from fer2013kit.typing import Classifier, Detector, DetectorName, PhotoViews
    from fer2013kit.video._reading import Source, Video


def analyze_video(
    video: Source,
    *,
    classifier: Classifier | None = None,
    detector: DetectorName | Detector | None = None,
    smoothing: float | None = 1.5,
    search_interval: float | None = 1.0,
    align: bool = False,
    tta: PhotoViews | None = "auto",
    sampling_rate: float | None = 5.0,
    duration: float | None = None,
    annotated: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Find the faces in a video or from a camera and name their emotions over time.

    Frames are read, analysed and forgotten one by one, so apart from the returned rows, memory does
    not grow with the length of the video.

    Parameters
    ----------
    video : path or int
        A file that FFmpeg reads, or the number of a camera (Linux and macOS), 0 for the first. A
        file's rotation, mirroring and pixel aspect ratio are applied; a cover image does not count
        as a video.
    classifier, detector, smoothing, search_interval, align, tta : optional
        As for :class:`FaceTracker`.
    sampling_rate : float, optional, default 5.0
        Largest number of frames a second to analyse; None for all.
    duration : float, optional
        Seconds after which to stop.  By default a video is read to its end, and a camera until
        Ctrl-C, which then ends the recording and not the program.
    annotated : path, optional
        Also write the analysed frames, with what :func:`annotate` draws, to this file
        (``.mp4``, ``.mkv``, ``.mov``), all in the size of the first, and the sound of a file.
    progress : bool, default False
        Show a progress bar with the time left.

    Returns
    -------
    pandas.DataFrame
        A row for each face of each analysed frame: ``time`` (seconds since the first frame, by
        the video's own clock, and on from there where that goes back), ``frame`` (its number, from
        0), ``track``, the box ``left``, ``top``, ``width``, ``height`` in pixels, the probability
        of each class under its name, ``emotion``, ``score`` (its probability), ``uncertain``,
        ``quality``, ``valence``, ``arousal``, ``roll``, ``yaw`` and ``pitch`` as in
        :meth:`FaceEmotion.as_row`.  No row where there is no face.

    Raises
    ------
    MediaFileError
        For a file or camera that is missing, not a video, or broken from the start.
    InvalidInputError
        For another argument; a classifier whose classes are neither names nor FER codes, or bear
        the name of another column.
    MissingDependencyError
        Where PyAV (the extra ``video``), pandas or SciPy is not installed.

    Warns
    -----
    Fer2013KitWarning
        For a video that is damaged or cut off: where it cannot be read on, the rows up to there are
        returned; of damaged frames, the first is named.  Where the clock goes back, as in joined
        recordings, and where the frames change their size: both begin new tracks.

    See Also
    --------
    FaceTracker : The same for frames of your own.
    plot_timeline : Draws the answer.

    Notes
    -----
    Tracks are those of :class:`FaceTracker`.  A cut is where most of the image changes between two
    frames.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.analyze_video("no-such-file.mp4")
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.MediaFileError: no-such-file.mp4: cannot be opened ...
    """
    check_flags(progress=progress)
    for name, value in (("sampling_rate", sampling_rate), ("duration", duration)):
        if value is not None:
            check_number(name, value, "(0, inf)")
    with needed("analyze_video", extra="video"):
        import pandas as pd

    tracker = FaceTracker(
        classifier=classifier,
        detector=detector,
        smoothing=smoothing,
        search_interval=search_interval,
        align=align,
        tta=tta,
    )
    columns = _columns(tracker.class_names)
    rows: list[tuple[Any, ...]] = []
    with ExitStack() as stack:
        opened = stack.enter_context(open_video(video))
        bar = stack.enter_context(_progress_bar(opened, duration, enabled=progress))
        write = None
        if annotated is not None:
            rate = sampling_rate or float(opened.stream.average_rate or 25)
            write = stack.enter_context(video_writer(annotated, rate, opened.path, duration))
        try:
            for frame in opened.frames(sampling_rate, duration):
                faces = tracker.update(frame.rgb, frame.time, is_cut=frame.is_cut)
                rows += [_row(frame.time, frame.number, *one) for one in faces.items()]
                if write is not None:
                    write(annotate(frame.rgb, list(faces.values())), frame)
                bar.update(round(frame.time, 1) - bar.n)
        except KeyboardInterrupt:
            if opened.path is not None:
                raise
    kinds = {
        **dict.fromkeys(columns, "float64"),
        **dict.fromkeys(("frame", "track", *BOX), "int64"),
        "emotion": "str",
        "uncertain": "bool",
        "quality": "str",
    }
    return pd.DataFrame(rows, columns=columns).astype(kinds)


def _columns(names: Sequence[str]) -> list[str]:
    columns = ["time", "frame", "track", *BOX, *names, *ANSWER]
    if len(set(columns)) < len(columns):
        raise InvalidInputError(
            f"a class must not have the name of another column, {', '.join(columns[:7])}, "
            f"{', '.join(ANSWER)}; received the classes {', '.join(names):.200}"
        )
    return columns


def _row(time: float, number: int, track: int, face: FaceEmotion) -> tuple[Any, ...]:
    row = face.as_row()
    answer = (row[name] for name in ANSWER)
    return (time, number, track, *face.box, *face.probabilities.tolist(), *answer)


def _progress_bar(video: Video, duration: float | None, *, enabled: bool) -> Any:
    from tqdm import tqdm

    lengths = [one for one in (video.duration, duration) if one is not None]
    return tqdm(
        total=round(min(lengths), 1) if lengths else None,
        desc="video",
        unit="s",
        disable=no_bar(wanted=enabled),
        leave=False,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {n:.1f}/{total:.1f} s, {remaining} left"
        if lengths
        else "{desc}: {n:.1f} s",
    )
