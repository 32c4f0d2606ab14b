"""The face detector that ships with the kit: YuNet, 53 thousand parameters, run by ONNX Runtime."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit.exceptions import InvalidInputError, MissingDependencyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STRIDES: Final = (8, 16, 32)
"""Pixels between two places of each of the network's three outputs."""

_OVERLAP: Final = 0.4
"""Two boxes whose intersection is this share of their union are the same face."""


class FaceDetector:
    """Find faces, with a small network that ships with the kit.

    Any other callable of this kind goes in its place: see ``detector`` of :func:`analyze_photo`.

    Parameters
    ----------
    min_score : float, default 0.6
        How sure the network must be of a face, in [0, 1].
    max_side : int, default 1280
        Larger pictures are made smaller before they are searched.

    See Also
    --------
    analyze_photo : Finds faces and names their emotions.

    Notes
    -----
    The network is YuNet, in the form and with the weights of libfacedetection [1]_
    (three-clause BSD licence).  It finds faces of about 10 to 300 pixels, so that large pictures
    are searched a second time at a small size.

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

    def __init__(self, *, min_score: float = 0.6, max_side: int = 1280) -> None:
        if not 0 < min_score <= 1:
            raise InvalidInputError(f"min_score must be in (0, 1]; received {min_score!r}")
        if max_side < _STRIDES[-1]:
            raise InvalidInputError(
                f"max_side must be at least {_STRIDES[-1]}; received {max_side!r}"
            )
        self.min_score = min_score
        self.max_side = max_side

    def __repr__(self) -> str:
        return f"FaceDetector(min_score={self.min_score}, max_side={self.max_side})"

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Find the faces in a picture.

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
        """Find the faces in a picture, and say how sure each is.

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
        """
        image = np.asarray(image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:  # noqa: PLR2004 - RGB
            raise InvalidInputError(
                "image must be uint8 of shape (height, width, 3), with pixels; "
                f"received {image.dtype} of shape {image.shape}"
            )
        rows = np.concatenate([self._search(image, side) for side in (self.max_side, 320)])
        rows = _without_repeats(rows)
        return rows[:, 1:], rows[:, 0]

    def _search(self, image: NDArray[np.uint8], max_side: int) -> NDArray[np.float64]:
        """Return scores and boxes, (n, 5), of the picture searched at one size."""
        height, width = image.shape[:2]
        scale = min(1.0, max_side / max(height, width))
        if scale < 1:
            from PIL import Image

            size = max(1, round(width * scale)), max(1, round(height * scale))
            image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
        rows = _run_network(image, self.min_score)
        rows[:, 1:] /= scale
        return rows


def _run_network(image: NDArray[np.uint8], min_score: float) -> NDArray[np.float64]:
    height, width = image.shape[:2]
    step = _STRIDES[-1]
    pixels = np.zeros((1, 3, -(-height // step) * step, -(-width // step) * step), np.float32)
    pixels[0, :, :height, :width] = image.transpose(2, 0, 1)
    rows = [np.empty((0, 5))]
    for output, stride in zip(_network().run(None, {"image": pixels}), _STRIDES, strict=True):
        score, across, down, log_width, log_height = output[0].astype(np.float64)
        places = score >= min_score
        y, x = np.nonzero(places)
        size = stride * np.exp([log_width[places], log_height[places]])
        center = stride * np.array([x + across[places], y + down[places]])
        rows.append(np.vstack([score[places][None], center - size / 2, size]).T)
    return np.concatenate(rows)


def _without_repeats(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep of each heap of overlapping boxes the surest (non-maximum suppression)."""
    rows = rows[np.argsort(-rows[:, 0], kind="stable")]
    kept = []
    while len(rows):
        best, rest = rows[0], rows[1:]
        kept.append(best)
        ends = np.minimum(best[1:3] + best[3:], rest[:, 1:3] + rest[:, 3:])
        sides = np.clip(ends - np.maximum(best[1:3], rest[:, 1:3]), 0, None)
        shared = sides.prod(axis=1)
        union = best[3:].prod() + rest[:, 3:].prod(axis=1) - shared
        rows = rest[shared < _OVERLAP * union]
    return np.array(kept).reshape(-1, 5)


@cache
def _network() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(
            'finding faces needs ONNX Runtime; install it with pip install "fer2013kit[faces]", '
            "or pass boxes or a detector of your own"
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; the network has nothing to warn of
    content = resources.files("fer2013kit.faces").joinpath("yunet.onnx").read_bytes()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
