"""Face detectors of other packages, by their names, with boxes as those of the kit's own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np

from fer2013kit._checks import check_choice
from fer2013kit._optional import needed
from fer2013kit.exceptions import InvalidInputError, MissingDependencyError, shown
from fer2013kit.faces._detector import turn_back
from fer2013kit.typing import DetectorName

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fer2013kit.typing import Detector

_MAX_SIDE: Final = 1280
"""Larger photographs are searched at this size, as `FaceDetector` does."""

FIT: Final = {"opencv": (0.036, 1.062), "mtcnn": (0.010, 1.021), "dlib": (-0.044, 1.112)}
"""How much lower the box of `FaceDetector` is, in sides of this one's square, and how many times
larger: medians of 80 press photographs (recipes/photographs/detectors.py)."""

_OWN: Final = "yunet"


def chosen_detector(detector: Any) -> Detector | None:
    """Return the detector that a name stands for, or the callable itself; None is the default.

    Raises
    ------
    InvalidInputError
        For what is neither.
    MissingDependencyError
        Where its package is not installed.
    """
    if detector is None:
        return None
    if isinstance(detector, str):
        if detector == _OWN:
            return None
        check_choice("detector", detector, DetectorName)
        return _load(detector)
    if not callable(detector):
        names = ", ".join(map(repr, get_args(DetectorName)))
        raise InvalidInputError(
            f"detector must be one of {names}, or a callable: an image in, boxes out; "
            f"received {shown(detector)}"
        )
    chosen: Detector = detector
    return chosen


class OtherDetector:
    """A detector of another package.

    `find` returns boxes (n, 4), or (n, 14) with points, of an image that is at most `enlarge` times
    as large as the photograph.  Where it finds none, and faces come with points, so that they can
    be turned upright, the image is searched on its sides and upside down, too.
    """

    def __init__(
        self, name: str, find: Callable[[NDArray[np.uint8]], list[Any]], *, enlarge: float = 1.0
    ) -> None:
        self._name = name
        self._find = find
        self._enlarge = enlarge

    def __repr__(self) -> str:
        return f"<detector {self._name!r}>"

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return boxes that reach as far as those of `FaceDetector`."""
        from PIL import Image

        height, width = image.shape[:2]
        scale = min(self._enlarge, _MAX_SIDE / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        if size != (width, height):
            image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
        found = self._search(image)
        found *= np.resize([width / size[0], height / size[1]], found.shape[1])
        return found

    def _search(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        found = self._fitted(self._find(image))
        if len(found) or found.shape[1] == 4:  # noqa: PLR2004 - boxes without points
            return found
        for turns in (1, 3, 2):
            view = np.ascontiguousarray(np.rot90(image, turns))
            if len(found := self._fitted(self._find(view))):
                rows = np.hstack([np.ones((len(found), 1)), found])
                return turn_back(rows, turns, image.shape[:2])[:, 1:]
        return found

    def _fitted(self, rows: list[Any]) -> NDArray[np.float64]:
        columns = 14 if self._name == "mtcnn" else 4
        found = np.asarray(rows, np.float64).reshape(len(rows), columns)
        lower, larger = FIT[self._name]
        side = np.sqrt(found[:, 2:4].prod(axis=1))
        middle = found[:, :2] + found[:, 2:4] / 2
        middle[:, 1] += lower * side
        found[:, 2:4] *= larger
        found[:, :2] = middle - found[:, 2:4] / 2
        return found


@cache
def _load(name: str) -> Detector:
    return {"opencv": _opencv, "mtcnn": _mtcnn, "dlib": _dlib}[name]()


def _opencv() -> OtherDetector:
    """Return OpenCV's cascade of Haar features (Viola and Jones), frontal faces."""
    with needed("detector='opencv'", extra="opencv"):
        import cv2

    library: Any = cv2  # its types know less than it has
    if not hasattr(library, "CascadeClassifier"):
        raise MissingDependencyError(
            f"detector='opencv' needs the cascades that OpenCV {cv2.__version__} has no longer: "
            'pip install "opencv-python-headless<5"'
        )
    folder = library.data.haarcascades
    cascade = library.CascadeClassifier(f"{folder}haarcascade_frontalface_default.xml")

    def find(image: NDArray[np.uint8]) -> list[Any]:
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return list(cascade.detectMultiScale(gray, 1.1, 5, minSize=(20, 20)))

    return OtherDetector("opencv", find)


def _dlib() -> OtherDetector:
    """Return dlib's histograms of gradients, frontal faces from 40 pixels on."""
    with needed("detector='dlib'", extra="dlib"):
        import dlib
    detect = dlib.get_frontal_face_detector()

    def find(image: NDArray[np.uint8]) -> list[Any]:
        return [(one.left(), one.top(), one.width(), one.height()) for one in detect(image, 0)]

    return OtherDetector("dlib", find, enlarge=2.0)


def _mtcnn() -> OtherDetector:
    """Return the three cascaded networks of Zhang et al. (2016), with five points."""
    with needed("detector='mtcnn'", extra="mtcnn"):
        from mtcnn import MTCNN
    network = MTCNN()
    # Its right is the image's left: the person's own right.
    names = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")

    def find(image: NDArray[np.uint8]) -> list[Any]:
        found = network.detect_faces(image)
        return [
            [*one["box"], *(place for name in names for place in one["keypoints"][name])]
            for one in found
        ]

    return OtherDetector("mtcnn", find)
