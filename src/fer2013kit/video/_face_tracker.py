"""The faces of following frames: found, cut out, named, and each told from the others."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import check_flags, check_number
from fer2013kit._optional import needed
from fer2013kit.faces import FaceDetector
from fer2013kit.faces._finding import find_faces, is_shipped_detector
from fer2013kit.faces._naming import FaceNamer, photo_views
from fer2013kit.faces._other_detectors import chosen_detector
from fer2013kit.faces._photos import MAX_SIDE, Pixels, read_photo
from fer2013kit.video._following import FaceFollower
from fer2013kit.video._tracks import Tracks

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from fer2013kit.faces import FaceEmotion
    from fer2013kit.faces._finding import FoundFace
    from fer2013kit.typing import Classifier, Detector, DetectorName, PhotoViews

_SEARCHED_SIDE: Final = 640
"""In pixels: of 720p, faces from 20 pixels on are found in a quarter of the time of all pixels."""
_RGB: Final = 3


class FaceTracker:
    """Find the faces of one frame after another, name their emotions, and tell them apart.

    It is what :func:`analyze_video` does with the frames of a file, for frames that come from
    elsewhere: OpenCV, a phone, a stream.

    Parameters
    ----------
    classifier, detector : optional
        As for :func:`analyze_photo`.  By default, the search is for upright faces, at a longer side
        of at most 640 pixels:
        ``FaceDetector(max_side=640, enlarge=1, turned=False, mirrored=False)``.
    smoothing : float, optional, default 1.5
        Time constant, in seconds, of an exponential average of the probabilities along each track,
        which reduces flicker; the emotion changes only when another one leads by 0.1.  Shorter
        constants follow quick expressions; None disables smoothing.
    search_interval : float, optional, default 1.0
        Seconds between searches of a whole frame for new faces.  In between, a
        :class:`FaceDetector` looks for each face only near its last position, which is several
        times faster; it searches earlier after a cut, when a face is lost, and while there is none.
        None searches every frame as a whole, as any other detector does.
    align : bool, default False
        As for :func:`analyze_photo`, for people who lie down or tilt their heads; this takes
        longer.
    tta : {"auto", None, "flip", "ten_crop"}, default "auto"
        As for :func:`analyze_photo`; but with `smoothing`, consecutive frames alternate between a
        face and its mirror image.

    Attributes
    ----------
    class_names : tuple of str
        The names of the classes, in the order of the probabilities.

    Raises
    ------
    InvalidInputError
        For another argument, or a classifier whose classes are neither names nor FER codes.
    MissingDependencyError
        Where SciPy is not installed, which the extra ``video`` brings.

    See Also
    --------
    analyze_video : A file, or a camera, as a table.

    Notes
    -----
    A track is one face in consecutive frames, matched by the smallest total distance (Hungarian
    method).  A face may be lost for two seconds; one that moves by more than its
    width between frames (twice that after two seconds), or halves its size, begins a new track, as
    does every face after a cut, and in a frame of another size.

    Examples
    --------
    >>> import numpy as np
    >>> from PIL import Image
    >>> import fer2013kit as fk
    >>> with Image.open(fk.sample_photos()[0]) as photo:
    ...     frame = np.asarray(photo.convert("RGB"))
    >>> tracker = fk.FaceTracker()
    >>> for step in range(3):
    ...     for track, face in tracker.update(frame, time=0.2 * step).items():
    ...         print(track, face.emotion)
    0 happy
    0 happy
    0 happy
    """

    def __init__(
        self,
        *,
        classifier: Classifier | None = None,
        detector: DetectorName | Detector | None = None,
        smoothing: float | None = 1.5,
        search_interval: float | None = 1.0,
        align: bool = False,
        tta: PhotoViews | None = "auto",
    ) -> None:
        check_flags(align=align)
        for name, value in (("smoothing", smoothing), ("search_interval", search_interval)):
            if value is not None:
                check_number(name, value, "(0, inf)")
        with needed("FaceTracker", extra="video"):
            import scipy.optimize  # noqa: F401 - told now, not with the second frame
        chosen = chosen_detector(detector) or FaceDetector(
            max_side=_SEARCHED_SIDE, enlarge=1, turned=False, mirrored=False
        )
        self._follower = None
        if search_interval is not None and is_shipped_detector(chosen):
            chosen = self._follower = FaceFollower(chosen, search_interval)
        self._detector: Detector = chosen
        self._align = align
        self._namer = FaceNamer(classifier, tta=tta)
        self._plain = None
        if smoothing is not None and photo_views(tta, is_default=classifier is None) == "flip":
            self._plain = FaceNamer(classifier, tta=None)
        self._tracks = Tracks(smoothing)
        self._time: float | None = None
        self._size = (0, 0)
        self._is_mirrored = False
        self.class_names = self._namer.names

    def update(
        self,
        frame: NDArray[np.number[Any]] | Image.Image,
        time: float | None = None,
        *,
        is_cut: bool = False,
    ) -> dict[int, FaceEmotion]:
        """Return the faces of the next frame.

        Parameters
        ----------
        frame : ndarray, shape (height, width, 3) or (height, width), or Pillow image
            Upright; colours in the order RGB, whole numbers in [0, 255] or floats in [0, 1].
            OpenCV's are BGR: pass ``frame[..., ::-1]``.
        time : float, optional
            Of the frame, in seconds from any beginning; now by default.  One before the last
            frame's begins anew, as after a cut.
        is_cut : bool, default False
            Whether the frame shows another scene than the last one, so that no track goes on.

        Returns
        -------
        dict of int to FaceEmotion
            The faces by the numbers of their tracks, which count up from 0; empty where there is
            no face.  With `smoothing`, ``probabilities``, ``emotion`` and ``score`` are those of
            the track.

        Raises
        ------
        InvalidInputError
            For something else than an image, or a time that is no number.

        See Also
        --------
        analyze_video : Does this for a whole video.

        Examples
        --------
        >>> import numpy as np
        >>> import fer2013kit as fk
        >>> fk.FaceTracker().update(np.zeros((480, 640, 3), np.uint8))
        {}
        """
        check_flags(is_cut=is_cut)
        if time is None:
            time = monotonic()
        check_number("time", time, "(-inf, inf)")
        pixels = _pixels(frame)
        size, before = (pixels.width, pixels.height), self._size
        # A place in a frame of another size is another one.
        is_new = is_cut or self._time is None or time < self._time or size != before
        faces = self._find(pixels, time, is_new=is_new)
        self._time, self._size = time, size
        return self._tracks.update(faces, time, is_cut=is_new)

    def _find(self, pixels: Pixels, time: float, *, is_new: bool) -> list[FaceEmotion]:
        if self._follower is not None:
            is_new = self._follower.begin(time, is_cut=is_new)
        found = find_faces(pixels, None, self._detector, None, self._namer.size, align=self._align)
        if not found:
            return []
        if self._plain is None or is_new:
            return self._namer.name(found)
        # Where answers are averaged along a track, a frame shows a face or its mirror image.
        self._is_mirrored = not self._is_mirrored
        return self._plain.name(found) if self._is_mirrored else _name_mirrored(self._plain, found)


def _pixels(frame: Any) -> Pixels:
    is_rgb = isinstance(frame, np.ndarray) and frame.dtype == np.uint8 and frame.ndim == _RGB
    if is_rgb and frame.shape[2] == _RGB and min(frame.shape) > 0 and max(frame.shape) <= MAX_SIDE:
        return Pixels(np.ascontiguousarray(frame), frame.shape[1], frame.shape[0])
    return read_photo(frame)


def _mirror(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(crop[:, ::-1])


def _name_mirrored(namer: FaceNamer, found: list[FoundFace]) -> list[FaceEmotion]:
    mirrored = [
        one._replace(crop=_mirror(one.crop), views=tuple(map(_mirror, one.views))) for one in found
    ]
    named = namer.name(mirrored)
    return [replace(face, crop=one.crop) for face, one in zip(named, found, strict=True)]
