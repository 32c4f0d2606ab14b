"""The faces of following frames: found, cut out, named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit.faces import FaceDetector
from fer2013kit.faces._finding import find_faces, is_shipped_detector
from fer2013kit.faces._naming import FaceNamer, photo_views
from fer2013kit.faces._other_detectors import chosen_detector
from fer2013kit.faces._photos import MAX_SIDE, Pixels, read_photo
from fer2013kit.video._following import FaceFollower

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer2013kit.faces import FaceEmotion
    from fer2013kit.faces._finding import FoundFace
    from fer2013kit.typing import Classifier, Detector, DetectorName, PhotoViews
    from fer2013kit.video._reading import Frame

_SEARCHED_SIDE: Final = 640
"""In pixels: of 720p, faces from 20 pixels on are found in a quarter of the time of all pixels."""


class FrameAnalyzer:
    """Finds and names the faces of one frame after the other.

    Its arguments are those of `analyze_video`.  Where answers are smoothed along a track, and a
    face and its mirror image are to be averaged, following frames show the one or the other.
    """

    def __init__(
        self,
        classifier: Classifier | None,
        detector: DetectorName | Detector | None,
        *,
        search_interval: float | None,
        align: bool,
        tta: PhotoViews | None,
        is_smoothed: bool,
    ) -> None:
        chosen = chosen_detector(detector) or FaceDetector(
            max_side=_SEARCHED_SIDE, enlarge=1, turned=False, mirrored=False
        )
        self._follower = None
        if search_interval is not None and is_shipped_detector(chosen):
            chosen = self._follower = FaceFollower(chosen, search_interval)
        self._detector: Detector = chosen
        self._align = align
        self._namer = FaceNamer(classifier, tta=tta)
        views = photo_views(tta, is_default=classifier is None)
        self._plain = FaceNamer(classifier, tta=None) if is_smoothed and views == "flip" else None
        self._is_first = True
        self._is_mirrored = False
        self.class_names = self._namer.names

    def __call__(self, frame: Frame) -> list[FaceEmotion]:
        """Return the faces of the next frame."""
        is_new = self._is_first or frame.is_cut
        self._is_first = False
        if self._follower is not None:
            is_new = self._follower.begin(frame.time, is_cut=is_new)
        found = find_faces(
            _pixels(frame), None, self._detector, None, self._namer.size, align=self._align
        )
        if not found:
            return []
        if self._plain is None or is_new:
            return self._namer.name(found)
        self._is_mirrored = not self._is_mirrored
        return self._plain.name(found) if self._is_mirrored else _name_mirrored(self._plain, found)


def _pixels(frame: Frame) -> Pixels:
    height, width = frame.rgb.shape[:2]
    if max(height, width) > MAX_SIDE:
        return read_photo(frame.rgb)
    return Pixels(frame.rgb, width, height)


def _mirror(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(crop[:, ::-1])


def _name_mirrored(namer: FaceNamer, found: list[FoundFace]) -> list[FaceEmotion]:
    mirrored = [
        one._replace(crop=_mirror(one.crop), views=tuple(map(_mirror, one.views))) for one in found
    ]
    named = namer.name(mirrored)
    return [replace(face, crop=one.crop) for face, one in zip(named, found, strict=True)]
