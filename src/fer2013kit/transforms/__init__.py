"""Deterministic image functions: NumPy arrays in, NumPy arrays out.

The functions on images take one image ``(height, width)`` or ``(height, width, channels)``,
or a batch ``(n, height, width)`` or ``(n, height, width, channels)``, and give the same kind
back.  Of three axes, the last one is channels if it is at most 4 long.  A batch gives what its
images give one by one, and a batch of none gives none.

Whole numbers of any type in [0, 255] are as good as uint8.  True and False, NaN and infinity are
refused.  All functions can be pickled.
"""

from fer2013kit.transforms._color import grayscale_to_rgb, to_grayscale
from fer2013kit.transforms._histogram import apply_clahe, equalize_histogram
from fer2013kit.transforms._one_hot import from_one_hot, to_one_hot
from fer2013kit.transforms._range import rescale, standardize
from fer2013kit.transforms._size import resize, to_face

__all__ = [
    "apply_clahe",
    "equalize_histogram",
    "from_one_hot",
    "grayscale_to_rgb",
    "rescale",
    "resize",
    "standardize",
    "to_face",
    "to_grayscale",
    "to_one_hot",
]
