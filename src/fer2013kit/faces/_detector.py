"""The face detector that ships with the kit: YuNet, 53 thousand parameters, run by LiteRT."""

from __future__ import annotations

import math
import threading
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import as_array, check_flags, check_number, check_whole
from fer2013kit._litert import start_interpreter
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.faces._boxes import iou, nms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_STRIDES: Final = (8, 16, 32)
"""Pixels between two places of each of the network's three outputs."""

_MOST_ENLARGED: Final = 8
"""More shows the network nothing new."""

_COARSE_SIDE: Final = 256
"""What is searched at a larger size is searched again at this one, for faces too large for the
network, up to those that fill the image."""

_OVERLAP: Final = 0.4
"""Two boxes whose intersection is this share of their union are the same face."""

_QUICK_SIDE: Final = 640
"""Longer side at which a turned image is looked at first."""

_TURNED_OVERLAP: Final = 0.15
"""The same as `_OVERLAP` for boxes of two searches, of which one sees the face turned."""

_COLUMNS: Final = 15
"""Of a face: the score, four of its box, and across and down of five points."""

_MISSED: Final = 0.5
"""Of the least score: what counts for a face that one of two mirrored searches does not see."""

_MIRRORED_POINTS: Final = [1, 0, 2, 4, 3]

_LARGEST_FACE: Final = 1.5
"""In longer sides of the image."""

_KEPT_SHAPES: Final = 8
_KEPT_PIXELS: Final = 640 * 640
"""The network is kept ready for the last shapes of images up to this size (23 MiB for each of the
largest): the same shapes come again, frame after frame."""

_ONE_THREAD_PIXELS: Final = 256 * 256
"""Smaller images are searched in less time than it takes to wake another thread."""


class FaceDetector:
    """Find faces, with a small network that ships with the kit.

    Any other callable of this kind can replace it: see ``detector`` of :func:`analyze_photo`.

    Parameters
    ----------
    min_score : float, default 0.5
        Lowest score of a face, above 0 and at most 1.
    max_side : int, default 1280
        Images are resized to this length of the longer side, at least 32, before the search.  Half
        of it takes a quarter of the time and finds only faces of at least twice the size.
    enlarge : float, default 2.0
        Largest factor by which a small image is enlarged, from 1 to 8.  Of faces cropped to 48
        pixels, without hair and neck, the network finds half at their own size, 1, and nine in ten
        at twice that.
    turned : bool, default True
        Also search the image in quarter turns, for faces on their side or upside down; this takes
        nearly twice the time.  If no face is found, eighth turns are searched, too.
    mirrored : bool, default True
        Also search the mirror image, and average scores, boxes and landmarks, so that a mirrored
        photograph has the same faces in the same places; this takes half as long again.

    Raises
    ------
    InvalidInputError
        For a value outside its range.

    See Also
    --------
    analyze_photo : Finds faces and names their emotions.

    Notes
    -----
    The network is YuNet, in the form and with the weights of libfacedetection [1]_
    (three-clause BSD licence).  It finds faces of about 10 to 300 pixels, so that images are
    searched a second time at a small size.

    References
    ----------
    .. [1] W. Wu, H. Peng and S. Yu, "YuNet: A tiny millisecond-level face detector", Machine
       Intelligence Research 20, 656-665, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from PIL import Image
    >>> import fer2013kit as fk
    >>> detector = fk.FaceDetector()
    >>> detector(np.asarray(Image.open(fk.sample_photos()[0]))).shape
    (1, 4)
    >>> detector(np.zeros((480, 640, 3), np.uint8)).shape
    (0, 4)
    """

    def __init__(
        self,
        *,
        min_score: float = 0.5,
        max_side: int = 1280,
        enlarge: float = 2.0,
        turned: bool = True,
        mirrored: bool = True,
    ) -> None:
        check_number("min_score", min_score, "(0, 1]")
        check_number("enlarge", enlarge, f"[1, {_MOST_ENLARGED}]")
        check_flags(turned=turned, mirrored=mirrored)
        self.min_score = min_score
        self.max_side = check_whole("max_side", max_side, least=_STRIDES[-1])
        self.enlarge = enlarge
        self.turned = turned
        self.mirrored = mirrored

    def __repr__(self) -> str:
        return (
            f"FaceDetector(min_score={self.min_score}, max_side={self.max_side}, "
            f"enlarge={self.enlarge}, turned={self.turned}, mirrored={self.mirrored})"
        )

    def load(self) -> None:
        """Load the network now rather than with the first image.

        See Also
        --------
        analyze_photo : Loads it by itself.
        """
        # An empty image, too: only with the first one, LiteRT names its delegate and takes memory.
        _network()(np.zeros((_STRIDES[-1], _STRIDES[-1], 3), np.uint8))

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Find the faces in an image.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            Red, green, blue.

        Returns
        -------
        ndarray of float, shape (n, 4)
            Left, top, width and height of each face in pixels, the surest first.
        """
        return self.detect(image)[0]

    def detect(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find the faces in an image, with the detector's scores.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            Red, green, blue.

        Returns
        -------
        boxes : ndarray of float, shape (n, 4)
            Left, top, width and height of each face in pixels, the surest first.
        scores : ndarray of float, shape (n,)
            How sure the network is of each, in [0, 1].

        Raises
        ------
        InvalidInputError
            For another shape or type.

        See Also
        --------
        analyze_photo : Names the emotions, too.
        FaceDetector.locate : Boxes alone.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> import numpy as np
        >>> from PIL import Image
        >>> photo = np.asarray(Image.open(fk.sample_photos()[0]))
        >>> boxes, scores = fk.FaceDetector().detect(photo)
        >>> boxes.shape, scores.shape
        ((1, 4), (1,))
        """
        rows = self._rows(image)
        return rows[:, 1:5], rows[:, 0]

    def locate(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Find the faces in an image, and where their eyes, nose and mouth are.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            Red, green, blue.

        Returns
        -------
        ndarray of float, shape (n, 14)
            For each face, the surest first: left, top, width and height of its box, then across
            and down of five points: right eye, left eye, tip of the nose, right and left corner of
            the mouth (the person's own right, which is on the left of an upright face).

        Raises
        ------
        InvalidInputError
            For another shape or type.

        See Also
        --------
        FaceDetector.detect : Finds the faces in all of the image.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> import numpy as np
        >>> from PIL import Image
        >>> photo = np.asarray(Image.open(fk.sample_photos()[0]))
        >>> fk.FaceDetector().locate(photo).shape
        (1, 14)
        """
        return self._rows(image)[:, 1:]

    def _rows(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return scores, boxes and points of faces, (n, 15)."""
        image = as_array(image, "image")
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:  # noqa: PLR2004 - RGB
            raise InvalidInputError(
                "image must be uint8 of shape (height, width, 3), with pixels; "
                f"received {image.dtype} of shape {image.shape}"
            )
        rows = self._find_steadily(image)
        if not self.turned:
            return rows
        rows = self._add_turned(rows, image, (1, 2, 3))
        if not len(rows):
            rows = self._find_aslant(image)
        return rows[np.argsort(-rows[:, 0], kind="stable")]

    def _add_turned(
        self, rows: NDArray[np.float64], image: NDArray[np.uint8], quarters: Sequence[int]
    ) -> NDArray[np.float64]:
        """Return scores, boxes and points with those that are found, or surer, on turned views."""
        for turns in quarters:
            view = np.ascontiguousarray(np.rot90(image, turns))
            # A quick look first: most images hold no turned face.
            for look in (self._find_quickly, self._find_steadily):
                found = look(view)
                found = turn_back(found, turns, image.shape[:2])
                share = iou(rows[:, 1:5], found[:, 1:5])
                is_same = share > _TURNED_OVERLAP
                is_new = ~(is_same & (rows[:, :1] >= found[:, 0])).any(axis=0)
                if not is_new.any():
                    break
            else:
                rows = np.concatenate([rows[~is_same[:, is_new].any(axis=1)], found[is_new]])
        return rows

    def _find_aslant(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return scores, boxes and points of faces half-way between two quarter turns."""
        from PIL import Image

        height, width = image.shape[:2]
        shrink = min(1.0, self.max_side / max(height, width))
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        picture = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        view = np.asarray(picture.rotate(45, Image.Resampling.BILINEAR, expand=True))
        rows = self._add_turned(np.empty((0, _COLUMNS)), view, range(4))
        # Boxes keep their size, about a middle that is turned back as the points are.
        sides = np.sqrt(rows[:, 3:5].prod(axis=1, keepdims=True)) / shrink
        places = np.hstack([rows[:, 1:3] + rows[:, 3:5] / 2, rows[:, 5:]]).reshape(len(rows), 6, 2)
        x, y = np.moveaxis((places - np.divide(view.shape[1::-1], 2)) / shrink, 2, 0)
        places = np.stack([x - y, x + y], axis=2) / math.sqrt(2) + np.divide([width, height], 2)
        low = places[:, 0] - sides / 2
        return np.hstack([rows[:, :1], low, sides, sides, places[:, 1:].reshape(len(rows), 10)])

    def _find_quickly(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        return self._find(image, min(1, _QUICK_SIDE / max(image.shape[:2])), self.min_score)

    def _find_steadily(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the means of what is found on an image and on its mirror image."""
        scale = min(self.enlarge, self.max_side / max(image.shape[:2]))
        if not self.mirrored:
            return self._find(image, scale, self.min_score)
        least = _MISSED * self.min_score
        rows = self._find(image, scale, least)
        mirror_image = np.ascontiguousarray(image[:, ::-1])
        others = _mirror_back(self._find(mirror_image, scale, least), image.shape[1])
        share = iou(rows[:, 1:5], others[:, 1:5])
        first, second = np.nonzero(
            (share > _OVERLAP)
            & (share == share.max(axis=1, keepdims=True, initial=0))
            & (share == share.max(axis=0, keepdims=True, initial=0))
        )
        alone = np.concatenate([np.delete(rows, first, axis=0), np.delete(others, second, axis=0)])
        alone[:, 0] = (alone[:, 0] + least) / 2
        found = np.concatenate([(rows[first] + others[second]) / 2, alone])
        found = found[found[:, 0] >= self.min_score]
        return found[np.argsort(-found[:, 0], kind="stable")]

    def _find(self, image: NDArray[np.uint8], scale: float, least: float) -> NDArray[np.float64]:
        """Return scores, boxes and points of upright faces, searched at a size and at a small one.

        The surest come first.
        """
        longest = max(image.shape[:2])
        scales = [scale]
        if scale * longest > _COARSE_SIDE:
            scales.append(_COARSE_SIDE / longest)
        rows = np.concatenate([_search(image, one, least) for one in scales])
        rows = rows[nms(rows[:, 1:5], rows[:, 0], _OVERLAP)]
        ends = rows[:, 1:3] + rows[:, 3:5]
        # The network looks at the padding, too, and knows nothing of the image's size.
        on_picture = (ends > 0) & (rows[:, 1:3] < image.shape[1::-1])
        kept: NDArray[np.float64] = rows[
            (on_picture & (rows[:, 3:5] <= _LARGEST_FACE * longest)).all(axis=1)
        ]
        return kept


def turn_back(rows: NDArray[np.float64], turns: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return scores, boxes and points, (n, 15), where they are on the image before it was turned.

    ``np.rot90`` turned it by so many quarters counter-clockwise; ``shape`` is height and width
    before.
    """
    corners = np.hstack([rows[:, 1:3], rows[:, 1:3] + rows[:, 3:5], rows[:, 5:]])
    x, y = corners[:, ::2], corners[:, 1::2]
    height, width = shape
    x, y = [(x, y), (width - y, x), (width - x, height - y), (y, height - x)][turns % 4]
    points = np.stack([x, y], axis=2)
    low, high = points[:, :2].min(axis=1), points[:, :2].max(axis=1)
    return np.hstack([rows[:, :1], low, high - low, points[:, 2:].reshape(-1, 10)])


def _mirror_back(rows: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return scores, boxes and points, (n, 15), where they are on the image that was mirrored."""
    mirrored = rows.copy()
    mirrored[:, 1] = width - rows[:, 1] - rows[:, 3]
    points = rows[:, 5:].reshape(len(rows), 5, 2)[:, _MIRRORED_POINTS]
    points[..., 0] = width - points[..., 0]
    mirrored[:, 5:] = points.reshape(len(rows), 10)
    return mirrored


def _search(image: NDArray[np.uint8], scale: float, min_score: float) -> NDArray[np.float64]:
    """Return scores, boxes and points, (n, 15), of an image searched at another size."""
    from PIL import Image

    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size != (width, height):
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    rows = _run_network(image, min_score)
    rows[:, 1:] *= np.tile([width / size[0], height / size[1]], 7)
    return rows


def find_in_patch(image: NDArray[np.uint8], scale: float, min_score: float) -> NDArray[np.float64]:
    """Return scores, boxes and points, (n, 15), of the faces on a small part of an image."""
    rows = _search(image, scale, min_score)
    return rows[nms(rows[:, 1:5], rows[:, 0], _OVERLAP)]


def _run_network(image: NDArray[np.uint8], min_score: float) -> NDArray[np.float64]:
    rows = [np.empty((0, _COLUMNS))]
    for stride, output in _network()(image).items():
        y, x = np.nonzero(output[..., 0] >= min_score)
        found = output[y, x].astype(np.float64)
        places = np.stack([x, y], axis=1)
        sides = stride * np.exp(found[:, 3:5])
        center = stride * (places + found[:, 1:3])
        points = stride * (found[:, 5:] + np.tile(places, 5))
        rows.append(np.hstack([found[:, :1], center - sides / 2, sides, points]))
    return np.concatenate(rows)


@cache
def _network() -> Callable[[NDArray[np.uint8]], dict[int, NDArray[np.float32]]]:
    """Return the function from an image to the network's map for each stride."""
    content = resources.files("fer2013kit.faces").joinpath("yunet.tflite").read_bytes()
    otherwise = "Or pass boxes or a detector of your own"

    def start(pixels: int) -> Any:
        threads = 1 if pixels <= _ONE_THREAD_PIXELS else None
        interpreter = start_interpreter(
            content, "finding faces", num_threads=threads, otherwise=otherwise
        )
        return interpreter.get_signature_runner()

    large = start(_KEPT_PIXELS + 1)
    runners: dict[tuple[int, int], Any] = {}
    lock = threading.Lock()  # an interpreter has one set of buffers
    step = _STRIDES[-1]

    def runner_for(shape: tuple[int, int]) -> Any:
        """Return what was last used for a shape, since another one costs as much as the search."""
        pixels = shape[0] * shape[1]
        if pixels > _KEPT_PIXELS:
            return large
        runner = runners.pop(shape, None) or start(pixels)
        runners[shape] = runner
        if len(runners) > _KEPT_SHAPES:
            del runners[next(iter(runners))]
        return runner

    def run(image: NDArray[np.uint8]) -> dict[int, NDArray[np.float32]]:
        height, width = image.shape[:2]
        shape = -(-height // step) * step, -(-width // step) * step
        pixels = np.zeros((1, *shape, 3), np.uint8)
        pixels[0, :height, :width] = image
        with lock:
            maps = runner_for(shape)(image=pixels)
            return {stride: np.array(maps[f"stride_{stride}"][0]) for stride in _STRIDES}

    return run
