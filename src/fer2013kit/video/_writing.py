"""An annotated video, written frame by frame."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fer2013kit.exceptions import InvalidInputError, MediaFileError
from fer2013kit.video._reading import import_av

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from PIL import Image

_TIME_BASE: Final = Fraction(1, 90_000)  # divides the rates of film, PAL and NTSC
_ENDINGS: Final = (".mkv", ".mov", ".mp4")
_CODECS: Final = ("libx264", "mpeg4")  # the second where FFmpeg was built without the first


@contextmanager
def video_writer(
    path: str | os.PathLike[str], rate: float
) -> Iterator[Callable[[Image.Image, float], None]]:
    """Return a function that appends a picture at a time; the file appears when all are there.

    Its ending says the format, ``.mp4`` for instance; the rate is for players: each picture has its
    own time.
    """
    av = import_av()
    path = Path(path)
    if path.suffix.lower() not in _ENDINGS:
        raise InvalidInputError(
            f"annotated must be the path of a video that ends in one of {', '.join(_ENDINGS)}; "
            f"received {str(path)!r}"
        )
    if not path.parent.is_dir():
        raise MediaFileError("there is no such folder", path=path.parent)
    temporary = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    container = av.open(str(temporary), "w")
    stream: Any = None

    def write(picture: Image.Image, time: float) -> None:
        nonlocal stream
        if stream is None:
            codec = next(name for name in _CODECS if name in av.codecs_available)
            stream = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1001))
            # Colour is kept for squares of four pixels, so sides are even.
            stream.width, stream.height = (max(2, side - side % 2) for side in picture.size)
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = _TIME_BASE
        if picture.size != (stream.width, stream.height):
            picture = picture.crop((0, 0, stream.width, stream.height))
        frame = av.VideoFrame.from_image(picture)
        frame.time_base = _TIME_BASE
        frame.pts = round(time / _TIME_BASE)
        container.mux(stream.encode(frame))

    try:
        yield write
        if stream is not None:
            container.mux(stream.encode(None))
        container.close()
        temporary.replace(path)
    finally:
        container.close()
        temporary.unlink(missing_ok=True)
