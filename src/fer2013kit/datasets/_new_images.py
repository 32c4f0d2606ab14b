"""Pixels that are read straight into the cache's file: they are never copied, nor held twice."""

from __future__ import annotations

import io
import logging
import math
import mmap
import os
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from fer2013kit._files import flush, lock, remove_leftovers, temporary_name
from fer2013kit.emotions import IMAGE_SHAPE

if TYPE_CHECKING:
    from pathlib import Path

    from fer2013kit._checks import UInt8Array

_logger = logging.getLogger(__name__)

_NAME: Final = "images"
_HEADER_BYTES: Final = 128  # of an .npy file; NumPy leaves room in it for longer numbers


class NewImages:
    """Gives a reader an array to read into, which lies in a temporary file where that can be.

    The file is made in the folder; None does without.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else temporary_name(folder / _NAME)
        self._images: UInt8Array | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._images is not None and self._path is not None:
            self._path.unlink(missing_ok=True)

    def empty(self, count: int, shape: tuple[int, int, int] = IMAGE_SHAPE) -> UInt8Array:
        """Return an array of shape (count, 48, 48, 1) whose content does not matter.

        The room on disk is reserved at once: without it, writing to a mapped file would end the
        process where a disk is full.  Systems that cannot reserve any get an array in memory.
        """
        if self._path is not None and self._images is None and hasattr(os, "posix_fallocate"):
            try:
                self._images = _map_new_file(self._path, (count, *shape))
            except OSError as error:  # where the cache cannot be written, cached_rows warns aloud
                _logger.debug("%s was not made: %s", self._path, error)
            else:
                return self._images
        return np.empty((count, *shape), np.uint8)

    def move(self, images: UInt8Array, target: Path) -> bool:
        """Make the file the ``.npy`` file of these images, if they are its first ones, and say so.

        The target is replaced.  Where they lie elsewhere nothing is done.
        """
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, np.lib.format.header_data_from_array_1_0(images)
        )
        if (
            self._path is None
            or self._images is None
            or images.ctypes.data != self._images.ctypes.data
            or not images.flags.c_contiguous
            or header.tell() != _HEADER_BYTES
        ):
            return False
        with self._path.open("r+b") as file:
            file.write(header.getvalue())
            file.truncate(_HEADER_BYTES + images.nbytes)
            flush(file)
        self._path.replace(target)
        return True


def _map_new_file(path: Path, shape: tuple[int, ...]) -> UInt8Array:
    size = _HEADER_BYTES + math.prod(shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent / _NAME)
    with path.open("x+b") as file:
        lock(file)
        try:
            os.posix_fallocate(file.fileno(), 0, size)
            content = mmap.mmap(file.fileno(), size)
        except BaseException:
            path.unlink()
            raise
    images = np.frombuffer(content, np.uint8, offset=_HEADER_BYTES)
    return images.reshape(shape)
