"""An annotated video, written frame by frame, with the sound of the video that it shows."""

from __future__ import annotations

import math
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fer2013kit._files import new_file
from fer2013kit.exceptions import InvalidInputError, MediaFileError, warn
from fer2013kit.video._reading import Clock, import_av, open_file

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from PIL import Image

    from fer2013kit.video._reading import Frame

_TIME_BASE: Final = Fraction(1, 90_000)  # divides the rates of film, PAL and NTSC
_FORMATS: Final = {".mkv": "matroska", ".mov": "mov", ".mp4": "mp4"}
_CODECS: Final = ("libx264", "mpeg4")  # the second where FFmpeg was built without the first


@contextmanager
def video_writer(
    path: str | os.PathLike[str], rate: float, source: Path | None, duration: float | None
) -> Iterator[Callable[[Image.Image, Frame], None]]:
    """Return a function that appends an image at a time; the file appears when all are there.

    Its ending says the format, ``.mp4`` for instance; the rate is for players: each image has its
    own time.  The first sound of the `source` whose frames come is copied, to the end or for so
    many seconds; a warning tells where the format does not hold sound of its kind.
    """
    from PIL import ImageOps

    av = import_av()
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise InvalidInputError(
            f"annotated must be the path of a video that ends in one of {', '.join(_FORMATS)}; "
            f"received {str(path)!r}"
        )
    if not path.parent.is_dir():
        raise MediaFileError("there is no such folder", path=path.parent)
    container: Any
    stream: Any = None
    sound: _Sound | None = None

    def write(picture: Image.Image, shown: Frame) -> None:
        nonlocal stream, sound
        picture = _even(picture)
        if stream is None:
            codec = next(name for name in _CODECS if name in av.codecs_available)
            stream = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1001))
            stream.width, stream.height = picture.size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = _TIME_BASE
            if source is not None:
                sound = _Sound(opened, source, container, shown.begin)
        # A file has one size, that of its first image.
        picture = ImageOps.pad(picture, (stream.width, stream.height))
        frame = av.VideoFrame.from_image(picture)
        frame.time_base = _TIME_BASE
        frame.pts = round(shown.time / _TIME_BASE)
        container.mux(stream.encode(frame))
        if sound is not None:
            sound.copy_until(shown.time)

    with ExitStack() as opened:
        file = opened.enter_context(new_file(path))
        container = av.open(file, "w", format=_FORMATS[path.suffix.lower()])
        opened.callback(container.close)
        yield write
        if stream is not None:
            container.mux(stream.encode(None))
        if sound is not None:
            sound.copy_until(math.inf if duration is None else duration)


def _even(picture: Image.Image) -> Image.Image:
    """Return an image with even sides: colour is kept for squares of four pixels."""
    width, height = (max(2, side - side % 2) for side in picture.size)
    return picture.crop((0, 0, width, height))


class _Sound:
    """Copies the first sound of a file, if it has one, into a container, as it is, bit by bit.

    It is made before the container's first packet is written.  The sound begins at `begin`, in
    seconds by the file's clock; the file is closed with `opened`.
    """

    def __init__(self, opened: ExitStack, source: Path, container: Any, begin: float) -> None:
        self._container, self._begin, self._clock, self._time = container, begin, Clock(), 0.0
        self._packets: Iterator[Any] = iter(())
        self._next: Any = None
        file = open_file(opened, source)
        if not file.streams.audio:
            return
        stream = file.streams.audio[0]
        if stream.codec_context.name not in container.supported_codecs:
            warn(
                f"the annotated video has no sound: its format does not hold "
                f"{stream.codec_context.name}; write .mkv, which holds more"
            )
            return
        self._stream = container.add_stream_from_template(stream)
        self._packets = file.demux(stream)
        self._take()

    def copy_until(self, time: float) -> None:
        """Copy what is heard before a time, in seconds since the first frame."""
        while self._next is not None and self._time < time:
            packet = self._next
            if self._time >= 0:
                shift = round((self._begin - self._clock.shift) / packet.time_base)
                packet.pts -= shift
                packet.dts = None if packet.dts is None else packet.dts - shift
                packet.stream = self._stream
                self._container.mux(packet)
            self._take()

    def _take(self) -> None:
        try:
            self._next = next((one for one in self._packets if one.pts is not None), None)
        except import_av().error.FFmpegError as error:  # damaged from here on, as frames may be
            warn(f"the annotated video lacks the rest of the sound: it cannot be read ({error})")
            self._next = None
        if (packet := self._next) is not None:
            stamp, step = (float(one * packet.time_base) for one in (packet.pts, packet.duration))
            self._time = self._clock.read(stamp, step) - self._begin
