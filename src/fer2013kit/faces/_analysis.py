"""From photographs to the emotions of the faces on them."""

from __future__ import annotations

from functools import cache
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from fer2013kit._checks import check_flags, check_whole
from fer2013kit._pictures import MAX_CHANNELS
from fer2013kit._quiet import no_bar
from fer2013kit.exceptions import InvalidInputError, MediaFileError, shown
from fer2013kit.faces._detector import FaceDetector
from fer2013kit.faces._emotion import PhotoFaces
from fer2013kit.faces._finding import check_margin, find_faces, whole_photo
from fer2013kit.faces._naming import FaceNamer
from fer2013kit.faces._other_detectors import chosen_detector
from fer2013kit.faces._photos import read_photo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import ArrayLike

    from fer2013kit.exceptions import Fer2013KitError
    from fer2013kit.faces._finding import FoundFace
    from fer2013kit.faces._photos import Pixels
    from fer2013kit.typing import Aspect, Classifier, Detector, DetectorName, Photo, PhotoViews


def analyze_photo(
    photo: Photo,
    *,
    classifier: Classifier | None = None,
    detector: DetectorName | Detector | None = None,
    boxes: ArrayLike | None = None,
    margin: float | None = None,
    align: bool = True,
    tta: PhotoViews | None = "auto",
) -> PhotoFaces:
    """Find the faces in a photograph and name their emotions.

    Parameters
    ----------
    photo : path, file object, bytes-like, data URL, PIL.Image.Image or array_like
        An image of any size and mode.  A path, file, bytes or data URL (``data:...;base64,...``)
        holds JPEG, PNG or another common format, HEIC with the extra ``heif``; its EXIF orientation
        is applied.  An array has shape ``(height, width)`` or ``(height, width, channels)`` with
        grey; grey and alpha; red, green and blue; or these and alpha: uint8; uint16, of which 65535
        is white; floats in [0, 1].
    classifier : object, optional
        Any object whose ``predict_proba`` takes uint8 faces ``(n, 48, 48)``: what
        :func:`load_predictor` returns, or for instance a scikit-learn search or pipeline.  Its
        ``class_names_`` or ``classes_`` name the columns: names, or FER codes, which become words;
        without either, the columns must be the seven emotions in the order of :class:`Emotion`.
        Default: ``load_predictor()``, the network ``ferplus_cnn`` with these seven, loaded once
        and kept.
    detector : {"yunet", "opencv", "mtcnn", "dlib"} or callable, optional
        A callable takes the upright image, uint8 ``(height, width, 3)`` in red, green, blue, and
        returns the boxes of its faces, ``(n, 4)``: left, top, width and height in its pixels; or
        ``(n, 14)``, with landmarks, as :meth:`FaceDetector.locate` does.  By default
        :class:`FaceDetector`, which is ``"yunet"``; the others are extras.
    boxes : array_like, shape (n, 4), optional
        The face boxes, in pixels of the upright photograph; detection is skipped.
    margin : float, optional
        The crop is a square around the centre of the box, as large as the box, plus this margin on
        each side, as a share of the square's side.  The default, 0.025, was measured for
        :class:`FaceDetector`, whose boxes reach from the forehead to the chin.
    align : bool, default True
        Rotate faces upright before classification, if the detector gives landmarks: by quarter
        turns, and from about 12 degrees on by the measured angle.
    tta : {"auto", None, "flip", "ten_crop"}, default "auto"
        Test-time augmentation: average the probabilities over the face and its mirror image, or
        over ten crops, moved by no more than a pixel of 48.  By default, the default network uses
        the mirror image, so that a mirrored photograph gets the same answers; your own `classifier`
        answers as its ``predict_proba`` does.

    Returns
    -------
    PhotoFaces
        A list of :class:`FaceEmotion` in the order of the boxes, with :class:`FaceDetector` the
        most certain first; empty if there is no face.  Its ``width`` and ``height`` are the size of
        the upright photograph.

    Raises
    ------
    MediaFileError
        For a file that is missing, broken, no image, or too large: more than 80 megapixels,
        or 300 for a JPEG.
    InvalidInputError
        For another array; boxes of another shape, or off the photograph; a classifier, detector
        or margin that is none; a classifier whose classes are neither names nor FER codes.
    MissingDependencyError
        Where LiteRT is not installed and no detector or boxes are given, or where the package of
        the named detector is not.

    See Also
    --------
    analyze_photos : Many photographs.
    annotate : Draws the answer.

    Notes
    -----
    Ready-made crops are recognised.  A 48x48 image counts as a face, whatever it shows, and reaches
    the classifier unchanged; a larger one whose only face fills it, as in FER-2013, is resized as a
    whole, as by :func:`to_face`.

    A photograph with a side of more than 4096 pixels is reduced to that size.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> for face in fk.analyze_photo(fk.sample_photos()[0]):
    ...     print(face.emotion, face.box)
    happy FaceBox(left=179, top=65, width=90, height=112)
    """
    return analyze_photos(
        [photo],
        classifier=classifier,
        detector=detector,
        boxes=None if boxes is None else [boxes],
        margin=margin,
        align=align,
        tta=tta,
    )[0]


@overload
def analyze_photos(
    photos: Iterable[Photo],
    *,
    classifier: Classifier | None = ...,
    detector: DetectorName | Detector | None = ...,
    boxes: Iterable[ArrayLike | None] | None = ...,
    margin: float | None = ...,
    align: bool = ...,
    tta: PhotoViews | None = ...,
    batch_size: int = ...,
    progress: bool = ...,
    return_errors: Literal[False] = ...,
) -> list[PhotoFaces]: ...
@overload
def analyze_photos(
    photos: Iterable[Photo],
    *,
    classifier: Classifier | None = ...,
    detector: DetectorName | Detector | None = ...,
    boxes: Iterable[ArrayLike | None] | None = ...,
    margin: float | None = ...,
    align: bool = ...,
    tta: PhotoViews | None = ...,
    batch_size: int = ...,
    progress: bool = ...,
    return_errors: bool,
) -> list[PhotoFaces | Fer2013KitError]: ...
def analyze_photos(
    photos: Iterable[Photo],
    *,
    classifier: Classifier | None = None,
    detector: DetectorName | Detector | None = None,
    boxes: Iterable[ArrayLike | None] | None = None,
    margin: float | None = None,
    align: bool = True,
    tta: PhotoViews | None = "auto",
    batch_size: int = 128,
    progress: bool = False,
    return_errors: bool = False,
) -> Any:
    """Find the faces in many photographs and name their emotions, in batches.

    The photographs are read one by one, so any number of them fits in memory.

    Parameters
    ----------
    photos : iterable
        Each one as for :func:`analyze_photo`; :func:`find_photos` lists those of a folder.
    classifier, detector : optional
        As for :func:`analyze_photo`.
    boxes : iterable, optional
        The boxes of each photograph, as for :func:`analyze_photo`; None for detection.
    margin, align, tta : optional
        As for :func:`analyze_photo`.
    batch_size : int, default 128
        How many faces, approximately, the classifier gets at once.
    progress : bool, default False
        Show a progress bar with the time left.
    return_errors : bool, default False
        Continue after an unreadable photograph: its error takes the place of its faces.

    Returns
    -------
    list of PhotoFaces
        The faces of each photograph, in the order of `photos`; with `return_errors`, the
        :class:`MediaFileError` or :class:`InvalidInputError` of one that could not be read.

    Raises
    ------
    InvalidInputError
        As :func:`analyze_photo`; and where `boxes` are not as many as `photos`.
    MediaFileError, MissingDependencyError
        As :func:`analyze_photo`.

    See Also
    --------
    find_photos : The pictures of folders and patterns.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> paths = fk.sample_photos()
    >>> [len(faces) for faces in fk.analyze_photos(paths)]
    [1, 1]
    """
    check_flags(align=align, progress=progress, return_errors=return_errors)
    namer = FaceNamer(classifier, tta=tta)
    check_margin(margin)
    chosen = chosen_detector(detector)

    def find(pixels: Pixels, given: ArrayLike | None) -> list[FoundFace]:
        used = chosen or _default_detector()
        return find_faces(pixels, given, used, margin, namer.size, align=align)

    return _analyze(
        photos,
        boxes,
        find,
        namer,
        batch_size=batch_size,
        progress=progress,
        return_errors=return_errors,
    )


def analyze_crops(
    photos: Iterable[Photo],
    *,
    classifier: Classifier | None,
    aspect: Aspect,
    tta: PhotoViews | None = "auto",
    progress: bool = False,
) -> list[PhotoFaces | Fer2013KitError]:
    """Name the emotions in images that are faces already; an error stands in its image's place.

    All else is as in :func:`analyze_photos`; ``aspect`` says what becomes of images that are not
    square, as for :func:`to_face`.
    """
    namer = FaceNamer(classifier, tta=tta)

    def find(pixels: Pixels, _: ArrayLike | None) -> list[FoundFace]:
        return [whole_photo(pixels, namer.size, aspect=aspect)]

    return _analyze(photos, None, find, namer, progress=progress, return_errors=True)


def _analyze(
    photos: Iterable[Photo],
    boxes: Iterable[ArrayLike | None] | None,
    find: Callable[[Pixels, ArrayLike | None], list[FoundFace]],
    namer: FaceNamer,
    *,
    batch_size: int = 128,
    progress: bool,
    return_errors: bool,
) -> list[Any]:
    if _is_one_photo(photos):
        raise InvalidInputError(
            f"photos must be several; received {shown(photos)}; use analyze_photo for one, and "
            "find_photos for what a folder or a pattern holds"
        )
    batch_size = check_whole("batch_size", batch_size)
    results: list[Any] = []
    waiting: list[tuple[PhotoFaces, FoundFace]] = []

    def name_waiting() -> None:
        named = namer.name([face for _, face in waiting])
        for (faces, _), face in zip(waiting, named, strict=True):
            faces.append(face)
        waiting.clear()

    for photo, given in _with_boxes(_with_progress(photos, enabled=progress), boxes):
        try:
            pixels = read_photo(photo)
            found = find(pixels, given)
        except (MediaFileError, InvalidInputError) as error:
            if not return_errors:
                raise
            results.append(_alone(error))
            continue
        faces = PhotoFaces(width=pixels.width, height=pixels.height, class_names=namer.names)
        results.append(faces)
        waiting += [(faces, face) for face in found]
        if len(waiting) >= batch_size:
            name_waiting()
    if waiting:
        name_waiting()
    return results


def _alone(error: Fer2013KitError) -> Fer2013KitError:
    """Return an error without where it happened, which holds the image's file in memory."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


def _with_boxes(
    photos: Iterable[Any], boxes: Iterable[ArrayLike | None] | None
) -> Iterator[tuple[Any, ArrayLike | None]]:
    if boxes is None:
        for photo in photos:
            yield photo, None
        return
    try:
        yield from zip(photos, boxes, strict=True)
    except ValueError as error:
        if "zip()" not in str(error):
            raise
        raise InvalidInputError("boxes must be as many as photos; one of them is longer") from error


def _with_progress(photos: Iterable[Any], *, enabled: bool) -> Iterable[Any]:
    if not enabled:
        return photos
    from tqdm import tqdm

    return tqdm(photos, desc="photos", unit="photo", disable=no_bar(), leave=False)


def _is_one_photo(photos: Any) -> bool:
    """Tell one photograph from several: an array's rows would pass for grey ones, without faces."""
    if isinstance(photos, np.ndarray) and photos.dtype.kind in "uif":
        has_channels = photos.ndim == 3 and photos.shape[2] <= MAX_CHANNELS  # noqa: PLR2004 - height, width, channels
        return photos.ndim < 3 or has_channels  # noqa: PLR2004 - photos, height, width
    one = (str, bytes, bytearray, memoryview, PathLike)
    return isinstance(photos, one) or any(hasattr(photos, name) for name in ("read", "getexif"))


@cache
def _default_detector() -> FaceDetector:
    return FaceDetector()
