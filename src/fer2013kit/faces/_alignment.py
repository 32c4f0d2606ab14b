"""Faces turned upright before they are cut: by quarter turns, and by the line through the eyes."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit.faces._boxes import square
from fer2013kit.faces._crops import cut_face
from fer2013kit.faces._detector import find_in_patch

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_ROLL: Final = 12.0
"""Degrees from the nearest quarter turn from which a face is straightened.  Less is in the crops
that networks are trained on."""

_LEAST_READ: Final = 10.0
_SURER: Final = 0.02
"""A face is looked at closely if its points are turned by so many degrees (they call most faces
more upright than they are), or if the detector is so much surer of it when it is turned by 30."""

_AROUND: Final = 2.5
"""Side of what is searched again about a face, in sides of its square."""

_SEARCHED: Final = 64
"""Side of a face in pixels where its turn is looked for."""

_BOX_SEARCHED: Final = (64, 96, 128)
"""Sides at which its box is looked for then: the mean of the three is steadier than any."""

_LARGEST_SIDE: Final = 192
"""Larger faces are made smaller before they are turned."""

_COARSE: Final = range(0, 360, 30)
_FINE: Final = (-30, -15, 0, 15, 30)
"""Turns that are tried, in degrees: the detector is sure of faces up to about 25 degrees from
upright and calls all of these nearly upright by their points, so that the middle of the turns at
which it is sure tells more than the points do."""

_LEAST_SCORE: Final = 0.5

_BESIDE: Final = (-6.0, 6.0)
"""A face that was straightened is judged at these turns, too, in degrees from the one that was
found: that is not known better, and the mean of the answers keeps more of their words."""


def roll_of(points: NDArray[np.float64]) -> float:
    """Return how far a face with these points, (5, 2), is turned clockwise, in degrees."""
    across, down = points[1] - points[0]
    return math.degrees(math.atan2(down, across))


def quarter_turns(points: NDArray[np.float64]) -> int:
    """Return how many quarter turns counter-clockwise, as NumPy turns, bring a face upright."""
    return round(roll_of(points) / 90)


def upright_face(
    rgb: NDArray[np.uint8],
    box: NDArray[np.float64],
    points: NDArray[np.float64],
    size: tuple[int, int],
    *,
    margin: float | None,
) -> list[NDArray[np.uint8]]:
    """Return the square around a box as grey levels, its face turned upright.

    A face that does not lie by quarter turns comes with two more, turned a little to both sides.

    The box is left, top, width and height; the five points are eyes, nose and corners of the mouth,
    of two the face's right one first.  Size and margin are those of `cut_face`.
    """
    turns = quarter_turns(points)
    around, side = _surroundings(rgb, box)
    roll = _find_roll(around, side, roll_of(points))
    if roll is None:
        # Nothing is lost in a quarter turn.
        height, width = size if turns % 2 == 0 else size[::-1]
        face = cut_face(rgb, box, (height, width), margin=margin)
        return [np.ascontiguousarray(np.rot90(face, turns))]
    turned = _turn(around, roll)
    searched = [_face_in_the_middle(turned, side, one) for one in _BOX_SEARCHED]
    boxes = [row[1:5] for row in searched if row is not None]
    middle = (len(turned) - side) / 2
    straight = np.mean(boxes or [np.array([middle, middle, side, side])], axis=0)
    views = [turned, *(_turn(around, roll + beside) for beside in _BESIDE)]
    return [cut_face(view, straight, size, margin=margin) for view in views]


def _find_roll(around: NDArray[np.uint8], side: float, read: float) -> float | None:
    """Return how far a face is turned clockwise, in degrees, by the turns at which it is found.

    None stands for hardly more than the nearest quarter turn; `read` is what its points say.
    """
    from PIL import Image

    small = round(len(around) * _SEARCHED / side)
    picture = np.asarray(Image.fromarray(around).resize((small, small), reducing_gap=2.0))

    @cache
    def surety(angle: int) -> float:
        found = _face_in_the_middle(_turn(picture, angle), _SEARCHED, _SEARCHED)
        return 0.0 if found is None else float(found[0]) - _LEAST_SCORE

    def centered(angle: float) -> float:
        shares = np.array([surety(round(angle) + step) for step in _FINE])
        return round(angle) + float(shares @ _FINE / shares.sum()) if shares.any() else angle

    quarter = 90 * round(read / 90)
    aside = max(surety(quarter - 30), surety(quarter + 30))
    # Points may be upside down: of a face that is turned by an eighth, the detector may be surest
    # there.  It is not found in any turn near that, then.
    is_found = surety(quarter) > 0
    if is_found and abs(read - quarter) < _LEAST_READ and aside < surety(quarter) + _SURER:
        return None
    best: float = max((quarter + step for step in _COARSE), key=surety)
    roll = centered(centered(best)) if surety(round(best)) else read
    return None if abs((roll - quarter + 180) % 360 - 180) < _LEAST_ROLL else roll


def _surroundings(
    rgb: NDArray[np.uint8], box: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], float]:
    """Return the square about a face that holds what is searched in any turn, and the face's side.

    Beyond the photograph's edge, its pixels go on.
    """
    from PIL import Image

    left, top, side = square(box, 0.0)
    factor = max(1, int(side / _LARGEST_SIDE))
    if factor > 1:
        rgb = np.asarray(Image.fromarray(rgb).reduce(factor))
    left, top, side = left / factor, top / factor, side / factor
    half = math.ceil(side * _AROUND / math.sqrt(2))
    row, column = round(top + side / 2), round(left + side / 2)
    rows = np.clip(np.arange(row - half, row + half), 0, rgb.shape[0] - 1)
    columns = np.clip(np.arange(column - half, column + half), 0, rgb.shape[1] - 1)
    return rgb[rows[:, None], columns], side


def _turn(picture: NDArray[np.uint8], roll: float) -> NDArray[np.uint8]:
    """Turn an image about its middle, counter-clockwise by degrees."""
    from PIL import Image

    return np.asarray(Image.fromarray(picture).rotate(roll, Image.Resampling.BICUBIC))


def _face_in_the_middle(
    picture: NDArray[np.uint8], side: float, searched: float
) -> NDArray[np.float64] | None:
    """Return score, box and points, (15,), of the surest face in an image's middle.

    `side` is that of the face's square in the image, `searched` that at which it is searched.
    """
    begin = max(0, round(len(picture) / 2 - side * _AROUND / 2))
    patch = picture[begin : len(picture) - begin, begin : len(picture) - begin]
    rows = find_in_patch(patch, searched / side, _LEAST_SCORE)
    centers = rows[:, 1:3] + rows[:, 3:5] / 2
    rows = rows[np.linalg.norm(centers - len(patch) / 2, axis=1) < side / 2]
    if not len(rows):
        return None
    found: NDArray[np.float64] = rows[0]
    found[1:3] += begin
    found[5:] += begin
    return found
