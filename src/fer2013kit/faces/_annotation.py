"""What was found, drawn into the photograph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from fer2013kit._checks import check_flags
from fer2013kit._class_names import class_colors
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.faces._emotion import FaceEmotion, PhotoFaces
from fer2013kit.faces._photos import read_photo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL import Image, ImageDraw, ImageFont

    from fer2013kit.typing import Photo

    Rectangle = tuple[float, float, float, float]

_INK: Final = "#111111"
_PAPER: Final = "#FFFFFF"
_DARK: Final = 100
"""Colours whose grey level is lower are written on in white."""

_SMALLEST_FONT: Final = 9
"""In pixels."""

_LARGEST_FONT: Final = 32

_LARGEST_ROW: Final = 0.035
"""Of a bar and its name, as a share of the photograph's height."""

_SMALLEST_ROW: Final = _SMALLEST_FONT / 0.75
"""In pixels: what holds the smallest font."""

_BAR_ROWS: Final = (5, 3.5, 2)
"""Full bars that are tried, the longest first, in heights of a row."""


def annotate(photo: Photo, faces: Iterable[FaceEmotion], *, numbers: bool = False) -> Image.Image:
    """Draw boxes, names and bars into a copy of a photograph.

    Parameters
    ----------
    photo : path, file object, bytes, PIL.Image.Image or array_like
        As for :func:`analyze_photo`.
    faces : iterable of FaceEmotion
        What :func:`analyze_photo` found in it.
    numbers : bool, default False
        Write each probability beside its bar, in per cent.

    Returns
    -------
    PIL.Image.Image
        The upright photograph in RGB, at most 4096 pixels in each direction.  Each face has a box
        with the name of its emotion (with a question mark if it is uncertain) and, where there is
        free room beside, below or above it, a bar for each class.

    Raises
    ------
    MediaFileError
        As :func:`analyze_photo`.
    InvalidInputError
        As :func:`analyze_photo`; and for faces that are none, or of a photograph of another size.

    See Also
    --------
    analyze_photo : Finds what this draws.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> path = fk.sample_photos()[0]
    >>> picture = fk.annotate(path, fk.analyze_photo(path))
    >>> picture.size, picture.mode
    ((512, 512), 'RGB')
    """
    from PIL import Image, ImageDraw

    check_flags(numbers=numbers)
    if not isinstance(faces, Iterable):
        raise InvalidInputError(
            f"faces must be what analyze_photo returns; received {shown(faces)}"
        )
    pixels = read_photo(photo)
    if isinstance(faces, PhotoFaces) and (faces.width, faces.height) != (
        pixels.width,
        pixels.height,
    ):
        raise InvalidInputError(
            f"faces must be of this photograph, {pixels.width}x{pixels.height} pixels; received "
            f"those of one of {faces.width}x{faces.height}"
        )
    faces = list(faces)
    for face in faces:
        if not isinstance(face, FaceEmotion):
            raise InvalidInputError(
                "faces must be the FaceEmotion of one photograph; received among them "
                f"{shown(face)}"
            )
    picture = Image.fromarray(pixels.rgb)
    draw = ImageDraw.Draw(picture, "RGBA")
    across, down = pixels.scale
    boxes = [_scaled(face, across, down) for face in faces]
    taken = list(boxes)
    for face, box in zip(faces, boxes, strict=True):
        taken.append(_draw_box(draw, face, box, picture.size))
    for face, box in zip(faces, boxes, strict=True):
        panel = _draw_bars(draw, face, box, picture.size, taken, numbers=numbers)
        if panel is not None:
            taken.append(panel)
    return picture


def _scaled(face: FaceEmotion, across: float, down: float) -> Rectangle:
    left, top, width, height = face.box
    return left / across, top / down, (left + width) / across, (top + height) / down


def _ink_on(color: str) -> str:
    from PIL import Image

    level = Image.new("L", (1, 1), color).tobytes()[0]
    return _PAPER if level < _DARK else _INK


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size=max(_SMALLEST_FONT, min(size, _LARGEST_FONT)))


def _draw_box(
    draw: ImageDraw.ImageDraw, face: FaceEmotion, box: Rectangle, size: tuple[int, int]
) -> Rectangle:
    """Draw a box and its name, and return where the name stands."""
    left, top, right, bottom = box
    color = class_colors(face.class_names)[face.class_names.index(face.emotion)]
    line = max(2, round((bottom - top) / 60))
    draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=_INK, width=line + 2)
    draw.rectangle(box, outline=color, width=line)
    font = _font((bottom - top) / 8)
    text = f"{face.emotion}{'?' if face.uncertain else ''} {face.score:.0%}"
    _, _, wide, high = draw.textbbox((0, 0), text, font=font)
    pad = max(2, high // 6)
    x = min(max(0, left), max(0, size[0] - wide - 2 * pad))
    y = top - high - 2 * pad
    # Below where there is no room above, and inside where there is none below.
    y = y if y >= 0 else min(bottom, size[1] - high - 2 * pad)
    place = (x, y, x + wide + 2 * pad, y + high + 2 * pad)
    draw.rectangle(place, fill=color)
    draw.text((x + pad, y + pad), text, fill=_ink_on(color), font=font)
    return place


def _draw_bars(
    draw: ImageDraw.ImageDraw,
    face: FaceEmotion,
    box: Rectangle,
    size: tuple[int, int],
    taken: Sequence[Rectangle],
    *,
    numbers: bool,
) -> Rectangle | None:
    """Draw a bar for each class near the box and return where, if there is room not yet taken.

    The panel is as high as the box, but large enough to read, also on a small image.
    """
    count = len(face.class_names)
    row = max(min((box[3] - box[1]) / count, _LARGEST_ROW * size[1]), _SMALLEST_ROW)
    font = _font(0.75 * row)
    names = max(draw.textlength(name, font=font) for name in face.class_names)
    pad = row / 4
    figures = draw.textlength("100", font=font) + pad if numbers else 0.0
    panels = [
        panel
        for bar in _BAR_ROWS
        for panel in _places(box, (names + 3 * pad + figures + bar * row, row * count), size, pad)
    ]
    panel = next((one for one in panels if not any(_overlap(one, it) for it in taken)), None)
    if panel is None:
        return None
    draw.rectangle(panel, fill=(17, 17, 17, 170))
    begin = panel[0] + names + 2 * pad
    longest = panel[2] - pad - figures - begin
    rows = zip(
        face.class_names, class_colors(face.class_names), face.probabilities.tolist(), strict=True
    )
    for number, (name, color, probability) in enumerate(rows):
        y = panel[1] + number * row
        draw.text((panel[0] + pad, y + row / 2), name, fill=_PAPER, font=font, anchor="lm")
        tip = begin + max(1.0, longest * probability)
        draw.rectangle((begin, y + row / 5, tip, y + row * 4 / 5), fill=color)
        if numbers:
            text = f"{100 * probability:.0f}"
            draw.text((panel[2] - pad, y + row / 2), text, fill=_PAPER, font=font, anchor="rm")
    return panel


def _places(
    box: Rectangle, panel: tuple[float, float], size: tuple[int, int], pad: float
) -> Iterator[Rectangle]:
    """Yield where a panel of some width and height may stand: beside a box, below and above it."""
    left, top, right, bottom = box
    wide, high = panel
    width, height = size
    # Level with the box's upper edge or its lower one, as far as the image goes.
    levels = [min(max(one, 0.0), height - high) for one in (top, bottom - high)]
    across = min(max((left + right - wide) / 2, 0.0), width - wide)
    label = (bottom - top) / 3  # more than its name is high
    for x, y in (
        *((right + pad, one) for one in levels),
        *((left - pad - wide, one) for one in levels),
        *((across, one) for one in (bottom + pad, bottom + label, top - label - high)),
    ):
        if x >= 0 and y >= 0 and x + wide <= width and y + high <= height:
            yield x, y, x + wide, y + high


def _overlap(first: Rectangle, second: Rectangle) -> bool:
    return (
        first[0] < second[2]
        and second[0] < first[2]
        and first[1] < second[3]
        and second[1] < first[3]
    )
