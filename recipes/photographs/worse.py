"""Photographs made worse in ways that people make them: dark, turned, faces covered.

A photograph is uint8 of shape (height, width, 3), a face's landmarks are five points, (5, 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from sklearn.datasets import load_sample_images

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

_MASKS = [(150, 190, 215), (235, 235, 235), (30, 30, 32), (120, 60, 60), (60, 80, 130)]
_TEXTURES = load_sample_images().images


def darker(rgb: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Return a photograph with a share of its light."""
    return np.rint(rgb * share).astype(np.uint8)


def turned(rgb: NDArray[np.uint8], angle: float) -> NDArray[np.uint8]:
    """Return a photograph turned counter-clockwise by degrees, with black corners."""
    picture = Image.fromarray(rgb)
    return np.asarray(picture.rotate(angle, Image.Resampling.BICUBIC, expand=True))


def mask(
    rgb: NDArray[np.uint8], points: NDArray[Any], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Cover nose and mouth with a mask of cloth: plain, with folds, or patterned."""
    place = _face_axes(points)
    bridge = rng.uniform(0.3, 0.55)
    outline = [(0, bridge), (0.55, bridge + 0.1), (1.0, bridge + 0.15), (0.9, 1.2), (0.4, 1.75)]
    outline += [(0, 1.85), *((-x, y) for x, y in outline[::-1])]
    colour = np.array(_MASKS[rng.integers(len(_MASKS))]) + rng.integers(-15, 16)
    cloth = _cloth(rgb.shape, colour, rng, patterned=0.3)
    lines = ImageDraw.Draw(cloth)
    if rng.random() < 0.5:
        shade = tuple(int(level * 0.8) for level in np.clip(colour, 0, 255))
        for down in (0.75, 1.05, 1.35):
            lines.line([place(-0.9, down), place(0.9, down)], fill=shade, width=2)
    return _cover(rgb, cloth, [place(x, y) for x, y in outline])


def hand(
    rgb: NDArray[np.uint8], points: NDArray[Any], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Cover the mouth, and what is around it, with fingers of the face's own colour."""
    place = _face_axes(points)
    height, width, _ = rgb.shape
    cheeks = np.clip([place(-0.45, 0.6), place(0.45, 0.6)], 0, [width - 1, height - 1]).astype(int)
    skin = rgb[cheeks[:, 1], cheeks[:, 0]].mean(axis=0) * rng.uniform(0.8, 1.15)
    side, lean, thick = rng.choice([-1, 1]), rng.uniform(-0.3, 0.3), rng.uniform(0.26, 0.34)
    scale = float(np.linalg.norm(np.subtract(place(1, 0), place(0, 0))))
    begin = rng.uniform(0.7, 0.95)
    for finger in range(4):
        down = begin + finger * thick * 0.95
        reach = rng.uniform(0.45, 0.8)
        cloth = _cloth(rgb.shape, skin * rng.uniform(0.92, 1.08), rng)
        ends = [place(-1.4 * side, down + lean), place(reach * side, down)]
        shape = Image.new("L", (width, height))
        draw = ImageDraw.Draw(shape)
        radius = float(thick) * scale / 2
        for share in np.linspace(0, 1, 40):
            x, y = (1 - share) * np.array(ends[0]) + share * np.array(ends[1])
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
        dark = Image.fromarray((np.asarray(cloth) * 0.6).astype(np.uint8))
        rim = shape.filter(ImageFilter.GaussianBlur(max(0.5, radius / 6)))
        rgb = np.asarray(Image.composite(dark, Image.fromarray(rgb), rim))
        inner = shape.filter(ImageFilter.MinFilter(2 * max(0, round(radius / 10)) + 1))
        rgb = np.asarray(Image.composite(cloth, Image.fromarray(rgb), inner))
    return rgb


def sunglasses(
    rgb: NDArray[np.uint8], points: NDArray[Any], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Cover the eyes with dark glasses."""
    place = _face_axes(points)
    colour = np.full(3, rng.integers(8, 50))
    cloth = _cloth(rgb.shape, colour, rng)
    low, high = rng.uniform(0.3, 0.45), rng.uniform(0.2, 0.3)
    for side in (-1, 1):
        lens = [(0.08, -high), (0.9, -high), (0.95, 0.05), (0.75, low), (0.3, low), (0.1, 0.1)]
        rgb = _cover(rgb, cloth, [place(side * x, y) for x, y in lens])
    bar = [place(-0.12, -0.2), place(0.12, -0.2), place(0.12, -0.08), place(-0.12, -0.08)]
    return _cover(rgb, cloth, bar)


def thing(
    rgb: NDArray[np.uint8], points: NDArray[Any], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Cover a part of the face with something of any colour, round or with corners."""
    place = _face_axes(points)
    cloth = _cloth(rgb.shape, rng.integers(0, 256, 3), rng, patterned=0.6)
    x, y = rng.uniform(-0.7, 0.7), rng.uniform(-0.4, 1.6)
    wide, high, lean = rng.uniform(0.35, 0.9), rng.uniform(0.35, 0.9), rng.uniform(0, np.pi)
    corners = [np.pi / 4 * (2 * one + 1) for one in range(4)]
    around = corners if rng.random() < 0.5 else np.linspace(0, 2 * np.pi, 40)
    outline = []
    for angle in around:
        a, b = wide * np.cos(angle), high * np.sin(angle)
        right, down = a * np.cos(lean) - b * np.sin(lean), a * np.sin(lean) + b * np.cos(lean)
        outline.append(place(x + right, y + down))
    return _cover(rgb, cloth, outline)


COVERINGS: Mapping[
    str, Callable[[NDArray[np.uint8], NDArray[Any], np.random.Generator], NDArray[np.uint8]]
] = {"mask": mask, "hand": hand, "sunglasses": sunglasses, "thing": thing}


def _face_axes(points: NDArray[Any]) -> Callable[[float, float], tuple[float, float]]:
    """Return the function from places on a face to pixels.

    Across, the eyes are at -0.5 and 0.5; down, they are at 0 and the mouth at 1.
    """
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    across, down = points[1] - points[0], mouth - eyes
    # Of a head that is turned aside the eyes are close together, and yet the face is as wide.
    across = across * max(1.0, 0.9 * np.linalg.norm(down) / max(np.linalg.norm(across), 1e-6))

    def place(x: float, y: float) -> tuple[float, float]:
        at = eyes + x * across + y * down
        return float(at[0]), float(at[1])

    return place


def _cloth(
    shape: tuple[int, ...],
    colour: NDArray[Any],
    rng: np.random.Generator,
    patterned: float = 0.0,
) -> Image.Image:
    """Return an image of one colour, brighter on one side, at times with a pattern."""
    height, width = shape[:2]
    slope = np.linspace(-1, 1, width)[None] * rng.uniform(-0.3, 0.3)
    slope = slope + np.linspace(-1, 1, height)[:, None] * rng.uniform(-0.3, 0.3)
    levels = np.asarray(colour, float) * (1 + slope[..., None])
    if rng.random() < patterned:
        texture = _TEXTURES[rng.integers(len(_TEXTURES))]
        top = rng.integers(0, texture.shape[0] - 200)
        left = rng.integers(0, texture.shape[1] - 200)
        patch = Image.fromarray(texture[top : top + 200, left : left + 200])
        pattern = np.asarray(patch.resize((width, height)), float)
        levels += rng.uniform(0.2, 0.8) * (pattern - pattern.mean())
    levels += rng.normal(0, 2.5, levels.shape)
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))


def _cover(
    rgb: NDArray[np.uint8], cloth: Image.Image, outline: list[tuple[float, float]]
) -> NDArray[np.uint8]:
    shape = Image.new("L", cloth.size)
    ImageDraw.Draw(shape).polygon(outline, fill=255)
    soft = shape.filter(ImageFilter.GaussianBlur(0.7))
    return np.asarray(Image.composite(cloth, Image.fromarray(rgb), soft))
