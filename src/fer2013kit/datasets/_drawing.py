"""Drawing of simple faces: the images behind :func:`make_fer2013`.

A face is a list of shapes given by formulas in face coordinates: ``u`` to the right, ``v`` down,
the origin between the eyes' height and the tip of the nose, the chin near ``v = 1``.  All faces
of a batch are drawn at once; each shape is blended in with soft edges, so that nothing has to be
drawn larger and scaled down.  The formulas need additions, products and square roots alone, which
every processor rounds alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fer2013kit.emotions import IMAGE_SHAPE, Emotion

if TYPE_CHECKING:
    from fer2013kit._checks import IntArray, UInt8Array

Array = NDArray[np.floating[Any]]
"""Of float32, which stays so beside numbers of Python's."""
Numbers = dict[str, Array]

BATCH: Final = 32
"""Faces drawn at once: few enough for the arrays to stay in the processor's cache."""

RELAXED: Final = {
    "brow_height": 0.43,  # above the eyes' line
    "brow_tilt": 0.0,  # positive: inner ends down
    "brow_arch": 0.05,
    "eye_opening": 0.085,
    "mouth_width": 0.33,
    "mouth_smile": 0.01,  # positive: corners up
    "mouth_opening": 0.006,
    "mouth_slant": 0.0,  # one corner higher than the other
    "lip": 0.045,
    "teeth": 0.0,
    "wrinkles": 0.0,  # across the root of the nose
    "folds": 0.08,  # from the nose to the corners of the mouth
}
"""A face at rest, in face coordinates or, for the last three, as strengths between 0 and 1."""

EXPRESSIONS: Final[dict[Emotion, dict[str, float]]] = {
    Emotion.ANGRY: {
        "brow_height": -0.11,
        "brow_tilt": 0.13,
        "eye_opening": -0.015,
        "mouth_width": -0.05,
        "mouth_smile": -0.05,
        "lip": -0.02,
        "wrinkles": 0.25,
    },
    Emotion.DISGUST: {
        "brow_height": -0.08,
        "brow_tilt": 0.06,
        "eye_opening": -0.04,
        "mouth_smile": -0.05,
        "mouth_opening": 0.02,
        "mouth_slant": 0.08,
        "teeth": 0.3,
        "wrinkles": 0.8,
        "folds": 0.5,
    },
    Emotion.FEAR: {
        "brow_height": 0.06,
        "brow_tilt": -0.07,
        "eye_opening": 0.055,
        "mouth_width": 0.05,
        "mouth_smile": -0.05,
        "mouth_opening": 0.07,
        "teeth": 0.45,
    },
    Emotion.HAPPY: {
        "brow_arch": 0.02,
        "eye_opening": -0.02,
        "mouth_width": 0.10,
        "mouth_smile": 0.14,
        "mouth_opening": 0.05,
        "teeth": 0.8,
        "folds": 0.5,
    },
    Emotion.SAD: {
        "brow_tilt": -0.12,
        "eye_opening": -0.03,
        "mouth_width": -0.03,
        "mouth_smile": -0.10,
        "folds": 0.1,
    },
    Emotion.SURPRISE: {
        "brow_height": 0.13,
        "brow_arch": 0.06,
        "eye_opening": 0.05,
        "mouth_width": -0.12,
        "mouth_opening": 0.17,
        "lip": -0.005,
    },
    Emotion.NEUTRAL: {},
}
"""What each emotion adds to the relaxed face at full strength."""


def draw_faces(labels: IntArray, rng: np.random.Generator) -> UInt8Array:
    """Draw one face per label, of a person, in a pose and light that the generator draws."""
    images = np.empty((len(labels), *IMAGE_SHAPE), np.uint8)
    for start in range(0, len(labels), BATCH):
        batch = labels[start : start + BATCH]
        images[start : start + BATCH, ..., 0] = _draw_batch(batch, rng)
    return images


def _draw_batch(labels: IntArray, rng: np.random.Generator) -> UInt8Array:
    numbers = _draw_numbers(labels, rng)
    x, y = _grid()
    u, v = _face_coordinates(x, y, numbers)
    # One pixel in face coordinates: the width over which an edge fades.
    sharpness = IMAGE_SHAPE[0] / 2 * numbers["scale"]

    picture = numbers["background"] + numbers["background_slope"] * (x - y)
    _paint_head(picture, u, v, sharpness, numbers)
    side = u - numbers["turn"]
    _paint_nose(picture, side, v, sharpness, numbers)
    _paint_eyes(picture, side, v, sharpness, numbers)
    _paint_mouth(picture, side, v, sharpness, numbers)
    picture *= 1 + numbers["light_x"] * x + numbers["light_y"] * y
    _blur(picture, numbers["blur"])
    picture += numbers["noise"] * rng.standard_normal(picture.shape, dtype=np.float32)
    picture *= numbers["contrast"]
    picture += numbers["brightness"]
    np.clip(picture, 0, 1, out=picture)
    return np.rint(picture * 255).astype(np.uint8)


def _draw_numbers(labels: IntArray, rng: np.random.Generator) -> Numbers:
    """Choose expression, person, pose and light of each face; each array has shape (n, 1, 1)."""
    n = len(labels)

    def uniform(low: float, high: float) -> Array:
        return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)

    strength = uniform(0.4, 1.3)
    numbers = {}
    for name, relaxed in RELAXED.items():
        added = np.array([EXPRESSIONS[emotion].get(name, 0.0) for emotion in Emotion], np.float32)
        spread = np.abs(added).max()
        # Faces at rest differ too, which is what makes weak expressions hard to tell.
        person = uniform(-0.2, 0.2) * spread
        numbers[name] = relaxed + added[labels][:, None, None] * strength + person
    mirrored = rng.integers(0, 2, (n, 1, 1)) * 2 - 1
    numbers["mouth_slant"] *= mirrored.astype(np.float32)
    for name, least in (("mouth_opening", 0.0), ("eye_opening", 0.02), ("lip", 0.012)):
        np.maximum(numbers[name], least, out=numbers[name])
    for name in ("teeth", "wrinkles", "folds"):
        np.clip(numbers[name], 0, 1, out=numbers[name])

    skin = uniform(0.35, 0.85)
    numbers |= {
        "skin": skin,
        "hair": uniform(0.03, 0.55),
        "hairline": uniform(-0.95, -0.62),
        "hair_length": uniform(-0.5, 1.2),
        "head_width": uniform(0.74, 0.9),
        "background": uniform(0.05, 0.95),
        "background_slope": uniform(-0.12, 0.12),
        "brow_thickness": uniform(0.025, 0.05),
        "gaze": uniform(-0.05, 0.05),
        "iris": uniform(0.02, 0.2),
        "turn": uniform(-0.1, 0.1),
        "shift_x": uniform(-0.08, 0.08),
        "shift_y": uniform(-0.08, 0.08),
        "sine": uniform(-0.15, 0.15),
        "scale": uniform(0.86, 1.02),
        "light_x": uniform(-0.3, 0.3),
        "light_y": uniform(-0.3, 0.15),
        "blur": uniform(0.0, 0.9),
        "noise": uniform(0.005, 0.035),
        "contrast": uniform(0.75, 1.1),
        "brightness": uniform(-0.06, 0.12),
    }
    return numbers


def _grid() -> tuple[Array, Array]:
    """Return the image's own coordinates, -1 to 1, of shapes (1, 1, 48) and (1, 48, 1)."""
    size = IMAGE_SHAPE[0]
    line = (np.arange(size, dtype=np.float32) - (size - 1) / 2) / (size / 2)
    return line[None, None, :], line[None, :, None]


def _face_coordinates(x: Array, y: Array, numbers: Numbers) -> tuple[Array, Array]:
    sine = numbers["sine"]
    cosine = np.sqrt(1 - sine * sine)
    x = (x - numbers["shift_x"]) / numbers["scale"]
    y = (y - numbers["shift_y"]) / numbers["scale"]
    return cosine * x + sine * y, cosine * y - sine * x


def _inside(distance: Array, sharpness: Array) -> Array:
    """Turn a signed distance (negative inside) into coverage between 0 and 1."""
    coverage: Array = np.clip(0.5 - distance * sharpness, 0, 1)
    return coverage


def _blend(picture: Array, coverage: Array, tone: Array | float) -> None:
    """Paint ``tone`` over the image where ``coverage`` says so."""
    picture += coverage * (tone - picture)


def _ellipse(u: Array, v: Array, width: Array, height: float) -> Array:
    """Return the signed distance to an ellipse, exact enough near its edge."""
    radius = np.sqrt((u / width) ** 2 + (v / height) ** 2)
    distance: Array = (radius - 1) * 0.5 * (width + height)
    return distance


def _segment(u: Array, v: Array, start: tuple[float, float], end: tuple[float, float]) -> Array:
    """Return the distance to the line from ``start`` to ``end``."""
    run, drop = np.float32(end[0] - start[0]), np.float32(end[1] - start[1])
    from_u, from_v = u - start[0], v - start[1]
    along = np.clip((from_u * run + from_v * drop) / (run * run + drop * drop), 0, 1)
    return np.sqrt((from_u - along * run) ** 2 + (from_v - along * drop) ** 2)


def _paint_head(picture: Array, u: Array, v: Array, sharpness: Array, numbers: Numbers) -> None:
    width, skin, hair = numbers["head_width"], numbers["skin"], numbers["hair"]
    mane = _inside(_ellipse(u, v + 0.1, width * 1.14, 1.14), sharpness)
    mane *= _inside(v - numbers["hair_length"], sharpness * 0.3)
    _blend(picture, mane, hair)
    neck = _inside(np.maximum(np.abs(u) - width * 0.55, -v), sharpness)
    _blend(picture, neck, skin * 0.7)
    rim = _ellipse(u, v, width, 1.0)
    shade = skin * (1 - 0.22 * (u * u + 0.5 * v * v))
    head = _inside(rim, sharpness)
    _blend(picture, head, shade)
    fringe = _inside(v - numbers["hairline"] - 0.35 * u * u, sharpness)
    # A little wider than the head, so that no seam of skin shows between fringe and mane.
    fringe *= _inside(rim - 0.04, sharpness)
    _blend(picture, fringe, hair)


def _paint_nose(picture: Array, side: Array, v: Array, sharpness: Array, numbers: Numbers) -> None:
    dark, light = numbers["skin"] * 0.55, numbers["skin"] * 1.18
    away = np.abs(side)
    ridge = _inside(_segment(away, v, (0.0, -0.15), (0.0, 0.14)) - 0.04, sharpness)
    _blend(picture, 0.5 * ridge, light)
    nostrils = _segment(away, v, (0.05, 0.24), (0.12, 0.21)) - 0.015
    _blend(picture, 0.85 * _inside(nostrils, sharpness), dark)
    folds = _segment(away, v, (0.2, 0.16), (0.42, 0.5)) - 0.012
    _blend(picture, numbers["folds"] * _inside(folds, sharpness), dark)
    for height in (-0.26, -0.14, -0.02):
        wrinkle = _segment(away, v, (0.0, height - 0.02), (0.13, height + 0.02))
        coverage = _inside(wrinkle - 0.012, sharpness)
        _blend(picture, numbers["wrinkles"] * coverage, dark)


def _paint_eyes(picture: Array, side: Array, v: Array, sharpness: Array, numbers: Numbers) -> None:
    # Along each eye, -1 at its inner and 1 at its outer corner.
    eye_u = (np.abs(side) - 0.36) / 0.17
    height = v + 0.16
    bulge = 1 - eye_u * eye_u
    opening = numbers["eye_opening"] * bulge
    white = _inside(np.abs(height) - opening, sharpness)
    _blend(picture, white, np.clip(numbers["skin"] * 1.1 + 0.15, 0, 0.95))
    # The gaze goes the same way in both eyes, so it is turned with the side it is on.
    gaze_u = eye_u * 0.17 - np.where(side < 0, -numbers["gaze"], numbers["gaze"])
    iris = np.sqrt(gaze_u * gaze_u + height * height) - 0.08
    _blend(picture, white * _inside(iris, sharpness), numbers["iris"])
    lid = np.abs(height + opening) - 0.014
    within = _inside((np.abs(eye_u) - 1) * 0.17, sharpness)
    _blend(picture, within * _inside(lid, sharpness), numbers["skin"] * 0.35)

    curve = numbers["brow_arch"] * bulge + numbers["brow_height"] + numbers["brow_tilt"] * eye_u
    brow = np.abs(v + curve - 0.03) - numbers["brow_thickness"]
    within = _inside((np.abs(eye_u) - 1.2) * 0.17, sharpness)
    _blend(picture, within * _inside(brow, sharpness), np.minimum(numbers["hair"], 0.3))


def _paint_mouth(picture: Array, side: Array, v: Array, sharpness: Array, numbers: Numbers) -> None:
    skin = numbers["skin"]
    t = side / numbers["mouth_width"]
    bulge = 1 - t * t
    middle = 0.52 + numbers["mouth_smile"] * (bulge - 0.4)
    from_middle = v - middle - numbers["mouth_slant"] * t
    gape = numbers["mouth_opening"] * bulge
    within = _inside((np.abs(t) - 1) * numbers["mouth_width"], sharpness)
    lips = within * _inside(np.abs(from_middle) - gape - numbers["lip"] * bulge, sharpness)
    _blend(picture, lips, skin * 0.68)
    inner = within * _inside(np.abs(from_middle) - gape - 0.008, sharpness)
    _blend(picture, inner, skin * 0.2)
    teeth = inner * _inside(from_middle + 0.25 * gape, sharpness)
    _blend(picture, numbers["teeth"] * teeth, 0.92)


def _blur(picture: Array, amount: Array) -> None:
    """Mix each pixel with its neighbours (1-2-1 both ways), in place."""
    for ahead, behind in (
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
        ((..., slice(1, None)), (..., slice(None, -1))),
    ):
        step = (picture[ahead] - picture[behind]) * (0.25 * amount)
        picture[behind] += step
        picture[ahead] -= step
