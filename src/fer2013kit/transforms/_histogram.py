"""Histogram equalisation, of whole images and of tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import check_number, check_whole, is_number
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.transforms._layout import as_batch, in_chunks

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit.transforms._layout import Batch

_LEVELS: Final = 256
_WHITE: Final = np.float32(_LEVELS - 1)


def equalize_histogram(images: ArrayLike) -> NDArray[np.uint8]:
    """Spread the grey levels of every image evenly over [0, 255].

    Parameters
    ----------
    images : array_like
        One grey image or a batch, in [0, 255].

    Returns
    -------
    ndarray of uint8, of the same shape
        The darkest level of an image becomes 0, its lightest 255; the order of levels is kept.
        An image of one level is returned as it is.

    Raises
    ------
    InvalidInputError
        For colour, floats or 16 bits, another shape, or numbers out of range.

    See Also
    --------
    apply_clahe : Tile by tile.

    Notes
    -----
    Level v becomes ``255 (C(v) - C(v_min)) / (N - C(v_min))``, rounded, where C counts the pixels
    up to a level, v_min is the darkest level and N the number of pixels.  This is the definition
    of OpenCV's ``equalizeHist``, with the same numbers.  Pillow's ``ImageOps.equalize`` rounds
    the pixels per level down to a whole number first, which is coarse for small images: it
    differs.

    Examples
    --------
    >>> import numpy as np
    >>> import fer2013kit as fk
    >>> fk.equalize_histogram(np.array([[100, 101], [102, 102]], np.uint8))
    array([[  0,  85],
           [255, 255]], dtype=uint8)
    """
    batch = _as_levels(images)
    return batch.restore(in_chunks(_equalize, batch.pictures, np.uint8))


def _as_levels(images: ArrayLike) -> Batch:
    batch = as_batch(images, channels=(1,))
    if batch.pictures.dtype != np.uint8:
        raise InvalidInputError(
            f"images must be grey levels in [0, 255] (uint8); received {batch.pictures.dtype}; "
            "scale 16 bits with to_grayscale, and floats with rescale, then round them"
        )
    return batch


def _equalize(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows = np.arange(len(pictures))[:, None]
    levels = pictures.reshape(len(pictures), -1)
    counts = np.bincount((levels + rows * _LEVELS).ravel(), minlength=len(levels) * _LEVELS)
    cumulated = counts.reshape(-1, _LEVELS).cumsum(axis=1)
    darkest = cumulated[rows, levels.min(axis=1, keepdims=True)]
    others = levels.shape[1] - darkest
    # In single precision, as OpenCV does it: halves then round the same way.
    scale = _WHITE / np.maximum(others, 1).astype(np.float32)
    tables = np.rint((cumulated - darkest).clip(0).astype(np.float32) * scale).astype(np.uint8)
    tables = np.where(others == 0, np.arange(_LEVELS, dtype=np.uint8), tables)
    return tables[rows, levels].reshape(pictures.shape)


def apply_clahe(
    images: ArrayLike, *, clip_limit: float = 2.0, tiles: tuple[int, int] = (8, 8)
) -> NDArray[np.uint8]:
    """Equalise images tile by tile, with limited contrast (CLAHE).

    Parameters
    ----------
    images : array_like
        One grey image or a batch, in [0, 255].
    clip_limit : float, default 2.0
        Where a tile's histogram is clipped, in multiples of a uniform histogram's height: 1 is
        weakest, more gives more contrast and more noise, infinity clips nothing.  What is clipped
        is spread over all levels.  Each level keeps at least one pixel, so that for small tiles
        low limits are all alike: for 48x48 pixels and 8x8 tiles, all those below 14.2.
    tiles : tuple of int, default (8, 8)
        Tiles from top to bottom and from left to right; (1, 1) takes the image as a whole.

    Returns
    -------
    ndarray of uint8, of the same shape
        Grey levels in [0, 255].

    Raises
    ------
    InvalidInputError
        For colour, floats or 16 bits, another shape, numbers out of range, a `clip_limit` that
        is not positive, or tiles that are not two whole numbers from 1 to the image's sides.

    See Also
    --------
    equalize_histogram : Over the whole image.

    Notes
    -----
    Contrast-limited adaptive histogram equalisation by Zuiderveld (Graphics Gems IV, 1994).
    Each pixel is mapped by the four nearest tiles and interpolated between them.  An image that
    the tiles do not divide evenly is padded by reflection at its right and bottom side.

    The numbers are those of OpenCV's ``createCLAHE(clip_limit, (columns, rows))``, whose grid is
    given as (columns, rows), except where the tiles divide only one side evenly: OpenCV adds a
    whole row or column of tiles there.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=70, random_state=0)
    >>> fk.apply_clahe(data.test.images, tiles=(4, 4)).shape == data.test.images.shape
    True
    """
    batch = _as_levels(images)
    if not (is_number(clip_limit) and clip_limit == math.inf):  # which is no limit
        check_number("clip_limit", clip_limit, "(0, inf)")
    _, height, width, _ = batch.pictures.shape
    grid = _TileGrid.of(height, width, tiles)

    def apply(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return grid.equalize(pictures[..., 0], clip_limit)[..., None]

    return batch.restore(in_chunks(apply, batch.pictures, np.uint8))


@dataclass(frozen=True)
class _TileGrid:
    """How images of one size are cut into tiles: rows and columns, of so many pixels."""

    rows: int
    columns: int
    tile_height: int
    tile_width: int

    @classmethod
    def of(cls, height: int, width: int, tiles: tuple[int, int]) -> _TileGrid:
        try:
            rows, columns = tiles
            rows = check_whole("the rows of tiles", rows, most=height)
            columns = check_whole("the columns of tiles", columns, most=width)
        except (TypeError, ValueError) as error:
            raise InvalidInputError(
                "tiles must be two whole numbers, from (1, 1) to the image's "
                f"({height}, {width}); received {shown(tiles)}"
            ) from error
        return cls(rows, columns, -(-height // rows), -(-width // columns))

    def equalize(self, pictures: NDArray[np.uint8], clip_limit: float) -> NDArray[np.uint8]:
        """Return images of shape (n, height, width) with CLAHE applied."""
        n_samples, height, width = pictures.shape
        tables = self._tables(pictures, clip_limit).ravel()
        first = np.arange(n_samples)[:, None, None] * (self.rows * self.columns)
        top, bottom, down = _neighbors(height, self.tile_height, self.rows)
        left, right, across = _neighbors(width, self.tile_width, self.columns)

        def look_up(rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[np.float32]:
            tile = first + (rows * self.columns)[:, None] + columns
            levels: NDArray[np.float32] = tables[tile * _LEVELS + pictures]
            return levels

        down = down[:, None]
        above = look_up(top, left) * (1 - across) + look_up(top, right) * across
        below = look_up(bottom, left) * (1 - across) + look_up(bottom, right) * across
        return np.rint(above * (1 - down) + below * down).astype(np.uint8)

    def _tables(self, pictures: NDArray[np.uint8], clip_limit: float) -> NDArray[np.float32]:
        """Return the new level of each level, shape (n, tiles, 256)."""
        n_samples, height, width = pictures.shape
        n_tiles, area = self.rows * self.columns, self.tile_height * self.tile_width
        padding = (self.rows * self.tile_height - height, self.columns * self.tile_width - width)
        padded = np.pad(pictures, ((0, 0), (0, padding[0]), (0, padding[1])), mode="reflect")
        tile = (
            np.arange(padded.shape[1])[:, None] // self.tile_height * self.columns
            + np.arange(padded.shape[2]) // self.tile_width
        )
        index = (np.arange(n_samples)[:, None, None] * n_tiles + tile) * _LEVELS + padded
        counts = np.bincount(index.ravel(), minlength=n_samples * n_tiles * _LEVELS)
        counts = counts.reshape(n_samples, n_tiles, _LEVELS)
        limit = max(1, int(min(clip_limit * area / _LEVELS, area)))
        excess = (counts - limit).clip(0).sum(axis=-1, keepdims=True)
        share, rest = np.divmod(excess, _LEVELS)
        # The rest goes to single levels at even distances, from black on.
        step = _LEVELS // np.maximum(rest, 1)
        level = np.arange(_LEVELS)
        dealt = counts.clip(max=limit) + share + ((level % step == 0) & (level // step < rest))
        scale = _WHITE / np.float32(area)
        tables: NDArray[np.float32] = np.rint(dealt.cumsum(axis=-1).astype(np.float32) * scale)
        return tables


def _neighbors(
    length: int, tile_length: int, count: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Return for each pixel along a side its two nearest tiles and the share of the second."""
    per_pixel = np.float32(1) / np.float32(tile_length)
    position = np.arange(length, dtype=np.float32) * per_pixel - np.float32(0.5)
    before = np.floor(position)
    tiles = before.astype(np.intp)
    return tiles.clip(0, count - 1), (tiles + 1).clip(0, count - 1), position - before
