"""Pixels of the CSV dialects: the text of many rows at once, or number by number with reasons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit._pictures import resize_gray
from fer2013kit.emotions import IMAGE_SIZE, MAX_LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fer2013kit._checks import UInt8Array

_ZERO: Final = np.uint8(ord("0"))
_HIGHEST_DIGIT: Final = 9
_BLANK: Final = (ord(" ") - ord("0")) % 256  # what a blank becomes when "0" is taken off
_MAX_HUNDREDS: Final = 2  # of 255
_BLANKS: Final = bytes.maketrans(b"[](),;", b"      ")


def parse_pixels(text: bytes, starts: Sequence[int], ends: Sequence[int], out: UInt8Array) -> bool:
    """Parse the pixels of some rows at once into ``out`` (rows, 2304), where they are tidy.

    Every byte is looked at together with the two before it, in 8-bit arithmetic; of the sums only
    those at the last digit of a number are taken.  What stands in the text outside of the rows'
    ``starts`` and ``ends`` is not looked at.  False is returned where something is not as it should
    be; :func:`parse_row` finds out what.
    """
    # Two blanks before the text and one after it: every digit has neighbours.
    digits = np.empty(len(text) + 3, np.uint8)
    digits[:2] = digits[-1] = _BLANK
    np.subtract(np.frombuffer(text, np.uint8), _ZERO, out=digits[2:-1])
    for last, first in zip([0, *ends], [*starts, len(text)], strict=True):
        digits[last + 2 : first + 2] = _BLANK
    is_digit = (digits <= _HIGHEST_DIGIT).view(np.uint8)
    is_blank = digits == _BLANK
    if np.count_nonzero(is_digit) + np.count_nonzero(is_blank) != digits.size:
        return False
    digits *= is_digit
    hundreds = digits[:-3] * is_digit[1:-2]
    hundreds *= is_digit[2:-1]
    below_hundred = digits[1:-2] * np.uint8(10)
    below_hundred += digits[2:-1]
    values = hundreds * np.uint8(100)
    values += below_hundred
    # Above 299, 256 to 299, and above 999 (hundreds with a fourth digit behind them).
    if hundreds.max() > _MAX_HUNDREDS or (values < below_hundred).any():
        return False
    hundreds *= is_digit[3:]
    if hundreds.any():
        return False
    last_digits = np.flatnonzero(is_digit[2:-1] > is_digit[3:])
    if len(last_digits) != out.size:
        return False
    # Each row's last number must be its 2304th: none may borrow from the next.
    per_row = last_digits.reshape(out.shape)
    if (per_row[:, 0] < starts).any() or (per_row[:, -1] >= ends).any():
        return False
    np.take(values, per_row, out=out, mode="clip")  # the only mode that needs no buffer
    return True


def of_lists(text: bytes) -> bytes:
    """Return pixels that were written as a list, ``[0, 1]``, or in columns, with blanks alone."""
    return text.translate(_BLANKS)


def parse_row(field: bytes, *, resize: bool = False) -> UInt8Array:
    """Parse the 2304 pixels of one row number by number; another square may be resized.

    Raises
    ------
    ValueError
        Says which pixel is wrong, or how many there are.
    """
    pixels = of_lists(field).split()
    if all(b"." in pixel for pixel in pixels):  # a column of floats
        pixels = list(map(_whole, pixels))
    for place, pixel in enumerate(pixels, start=1):
        if not pixel.isdigit() or int(pixel) > MAX_LEVEL:
            raise ValueError(
                f"pixel {place} is {show(pixel)}; expected a whole number from 0 to 255"
                f"{_way_out(pixel)}"
            )
    levels = np.array(pixels, np.uint8)
    if len(levels) == IMAGE_SIZE:
        return levels
    side = math.isqrt(len(levels))
    if resize and side and side * side == len(levels):
        return resize_gray(levels.reshape(side, side)).ravel()
    advice = "; resize=True makes square images of other sizes 48x48"
    square = side > 1 and side * side == len(levels)
    raise ValueError(
        f"expected {IMAGE_SIZE} pixels (48x48), received {len(levels)}"
        + (f" ({side}x{side}){advice}" if square else "")
    )


def _whole(pixel: bytes) -> bytes:
    """Return ``70`` for ``70.0``; what is no whole number stays."""
    whole, point, rest = pixel.partition(b".")
    return whole if point and whole and not rest.strip(b"0") else pixel


def _way_out(pixel: bytes) -> str:
    """Say how pixels of another form become whole numbers, where that is known."""
    if pixel.strip(b".") == b"":
        return (
            "; NumPy left the middle out when it wrote the array as text: write "
            "' '.join(map(str, image.ravel())) instead"
        )
    if pixel.startswith((b"0.", b".")):
        return "; of pixels between 0 and 1 write (image * 255).round().astype(int)"
    return ""


def show(text: bytes) -> str:
    """Return the beginning of a field as an error shows it."""
    return repr(text[:40].decode(errors="replace"))
