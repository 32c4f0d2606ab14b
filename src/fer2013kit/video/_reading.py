"""Videos and cameras to upright images with their times."""

from __future__ import annotations

import math
import os
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._optional import needed
from fer2013kit._picture_files import MAX_PIXELS
from fer2013kit.exceptions import InvalidInputError, MediaFileError, shortened, shown, warn
from fer2013kit.video._cuts import CutFinder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Source = str | os.PathLike[str] | int

_CUT_OFF: Final = 0.5
"""Seconds that may be missing at the end before a video is called cut off."""

_MOST_STRETCHED: Final = 8
"""What says that its pixels are more stretched than this is not believed."""

_EXPECTED: Final = "expected a video that FFmpeg reads, such as MP4, MKV, MOV or WebM"


class Clock:
    """Seconds by a file's clock, which go on where it goes back: where recordings were joined."""

    def __init__(self) -> None:
        self.shift = 0.0
        self._last = -math.inf

    def read(self, stamp: float, step: float) -> float:
        """Return the time of a stamp; where that goes back, it is a step after the one before."""
        if stamp + self.shift < self._last:
            self.shift = self._last + step - stamp
        self._last = stamp + self.shift
        return self._last


@dataclass(frozen=True)
class Frame:
    """An image of a video.

    Attributes
    ----------
    number : int
        Its place among all frames of the video, from 0.
    time : float
        In seconds since the first frame.
    begin : float
        Where that one is by the file's clock, which its sound has, too.
    rgb : ndarray of uint8, shape (height, width, 3)
        Upright, with square pixels.
    is_cut : bool
        Whether the image was cut since the frame that was returned before.
    """

    number: int
    time: float
    begin: float
    rgb: NDArray[np.uint8]
    is_cut: bool


@dataclass(frozen=True)
class Video:
    """An opened video or camera."""

    name: str
    path: Path | None
    container: Any
    stream: Any

    @property
    def duration(self) -> float | None:
        """Seconds, as far as the file says so."""
        if self.stream.duration:
            return float(self.stream.duration * self.stream.time_base)
        if (told := _seconds_in(self.stream.metadata.get("DURATION", ""))) is not None:
            return told  # of Matroska; that of the file is its sound's, where it is longer
        if self.path is not None and self.container.duration:
            return float(self.container.duration) / 1_000_000  # FFmpeg counts microseconds
        return None

    def frames(self, sampling_rate: float | None, duration: float | None) -> Iterator[Frame]:
        """Return the frames, at most `sampling_rate` a second, of the first `duration` seconds.

        Raises
        ------
        MediaFileError
            Where not one frame can be decoded.  Of a video that breaks off later the frames
            before are returned, and a warning says so; another one tells the first of the frames
            that are damaged, which FFmpeg mends as well as it can.
        """
        from av.video.reformatter import VideoReformatter

        number, time, first, due = -1, 0.0, None, 0
        problem, is_whole = None, True
        reformatter = VideoReformatter()
        cuts, is_cut, clock, size = CutFinder(), False, Clock(), None
        decoded = self.container.decode(self.stream)
        while True:
            try:
                frame = next(decoded, None)
                if frame is None:
                    break
                shift = clock.shift
                stamp = clock.read(self._stamp(frame, number + 1), 1 / self._rate)
                goes_back = clock.shift != shift
                first = stamp if first is None else first
                if duration is not None and stamp - first >= duration:
                    return
                # Half a thousandth of a period, lest rounding drops every other frame.
                wanted = sampling_rate is None or (stamp - first) * sampling_rate >= due - 5e-4
                rgb = _upright(frame, self._pixel_aspect, reformatter) if wanted else None
                is_cut |= cuts.is_cut(frame) or goes_back
            except Exception as error:  # noqa: BLE001 - whatever a damaged frame makes FFmpeg raise
                problem = " ".join(str(error).split())
                break
            number += 1
            time = stamp - first
            if frame.is_corrupt and is_whole:
                is_whole = False
                warn(
                    f"{self.name} is damaged at {time:.1f} s, and perhaps later, too: frames there "
                    "show what was never filmed"
                )
            if goes_back and not shift:
                warn(
                    f"the clock of {self.name} goes back at {time:.1f} s, as where recordings were "
                    "joined; times go on from there"
                )
            if rgb is not None:
                if size is not None and size != rgb.shape:
                    warn(
                        f"the frames of {self.name} change their size at {time:.1f} s, from "
                        f"{size[1]} x {size[0]} pixels to {rgb.shape[1]} x {rgb.shape[0]}; each "
                        "box is in the pixels of its own frame"
                    )
                size = rgb.shape
                yield Frame(number, time, first, rgb, is_cut)
                is_cut = False
                if sampling_rate is not None:
                    due = int(time * sampling_rate + 5e-4) + 1
        self._tell_end(number, time, problem)

    def _tell_end(self, number: int, time: float, problem: str | None) -> None:
        """Raise where no frame was read; warn where a problem, or the end, came early."""
        if number < 0:
            reason = f" ({problem})" if problem else ""
            raise MediaFileError(
                f"no frame of the video can be decoded{reason}", path=self.path or self.name
            )
        if self.path is not None and problem is None and self._is_cut_off(time):
            problem = f"the file speaks of {self.duration:.1f} s"
        if problem is not None:
            warn(
                f"{self.name} is damaged or cut off after {time:.1f} s ({problem}); "
                "what lies before was analysed"
            )

    @property
    def _pixel_aspect(self) -> float:
        """Width of a pixel by its height, as DVDs and recorders for tapes have other than 1."""
        aspect = float(self.stream.sample_aspect_ratio or 1)
        return aspect if 1 / _MOST_STRETCHED <= aspect <= _MOST_STRETCHED else 1.0

    def _is_cut_off(self, time: float) -> bool:
        rate = float(self.stream.average_rate or 1)
        return self.duration is not None and time + 1 / rate + _CUT_OFF < self.duration

    @property
    def _rate(self) -> float:
        return float(self.stream.average_rate or 25)

    def _stamp(self, frame: Any, number: int) -> float:
        if frame.time is not None:
            return float(frame.time)
        return number / self._rate


@contextmanager
def open_video(source: Source) -> Iterator[Video]:
    """Open a file, or a camera by its number.

    Raises
    ------
    MediaFileError
        For a file or camera that is missing, or that is no video.
    InvalidInputError
        For another kind of source.
    MissingDependencyError
        Where PyAV is not installed.
    """
    if isinstance(source, int) and not isinstance(source, bool):
        name, path, (address, kind) = f"camera {source}", None, _camera(source)
    elif isinstance(source, str | os.PathLike):
        path, kind = Path(source), None
        name = address = str(path)
    else:
        raise InvalidInputError(
            "video must be the path of a file or the number of a camera, 0 for the first; "
            f"received {shown(source)}"
        )
    with ExitStack() as opened:
        yield _open(opened, name=name, path=path, address=address, kind=kind)


def _open(
    opened: ExitStack, *, name: str, path: Path | None, address: str, kind: str | None
) -> Video:
    av = import_av()
    try:
        if path is None:
            container = opened.enter_context(av.open(address, format=kind))
        else:
            container = open_file(opened, path)
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "is it connected, and free?" if path is None else _EXPECTED
        raise MediaFileError(
            f"cannot be opened ({shortened(reason)}); {hint}", path=path or name
        ) from error
    if container.format.name == "tty":
        # By its ending, .txt say, FFmpeg would draw the letters as a terminal shows them.
        raise MediaFileError(f"it is a text; {_EXPECTED}", path=path)
    cover = av.stream.Disposition.attached_pic
    streams = [one for one in container.streams.video if not one.disposition & cover]
    if not streams:
        raise MediaFileError(
            "there are no moving images in it, only sound, text or a cover", path=path
        )
    stream = streams[0]
    stream.thread_type = "AUTO"
    return Video(name, path, container, stream)


def open_file(opened: ExitStack, path: Path) -> Any:
    """Open a file that stays open with `opened`, and no other.

    A playlist would have FFmpeg read other files, or ask other hosts.
    """
    file = opened.enter_context(path.open("rb"))
    return opened.enter_context(import_av().open(file, options={"protocol_whitelist": "none"}))


def import_av() -> Any:
    """Return the module PyAV."""
    with needed("reading videos", extra="video"):
        import av
    return av


def _camera(number: int) -> tuple[str, str]:
    """Return FFmpeg's name and format of a camera."""
    if number < 0:
        raise InvalidInputError(f"a camera's number must be at least 0; received {number}")
    if sys.platform == "darwin":
        return f"{number}:none", "avfoundation"
    if sys.platform.startswith("linux"):
        return f"/dev/video{number}", "v4l2"
    raise MediaFileError(
        "cameras can be opened by number on Linux and macOS alone; record to a file first"
    )


def _upright(frame: Any, aspect: float, reformatter: Any) -> NDArray[np.uint8]:
    """Return a frame as players show it: with square pixels, of which none is lost, and turned."""
    if frame.width * frame.height * max(aspect, 1 / aspect) > MAX_PIXELS:
        raise ValueError(f"a frame of {frame.width} x {frame.height} pixels")
    width = round(frame.width * max(aspect, 1))
    height = round(frame.height / min(aspect, 1))
    # More threads take longer to wake than to work.
    picture = reformatter.reformat(frame, width=width, height=height, format="rgb24", threads=1)
    return np.ascontiguousarray(_turned(picture.to_ndarray(), frame))


def _turned(rgb: NDArray[np.uint8], frame: Any) -> NDArray[np.uint8]:
    """Turn, and mirror, an image as the frame's display matrix says."""
    side = frame.side_data.get("DISPLAYMATRIX")
    if side is None:
        return rgb
    # The first two numbers say where a step to the right leads, the fourth and fifth a step down.
    right, right_down, _, down_across, down = np.frombuffer(side, np.int32)[:5].astype(np.float64)
    if abs(right) + abs(down) < abs(right_down) + abs(down_across):
        rgb, right, down = rgb.swapaxes(0, 1), down_across, right_down
    return rgb[:: 1 if down >= 0 else -1, :: 1 if right >= 0 else -1]


def _seconds_in(text: str) -> float | None:
    """Return the seconds of a text such as 00:01:02.5."""
    try:
        hours, minutes, seconds = map(float, text.split(":"))
    except ValueError:
        return None
    total = 3600 * hours + 60 * minutes + seconds
    return total if 0 < total < math.inf else None
