"""What is said about a face."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fer2013kit._checks import MaybeNone

LANDMARK_NAMES: Final = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")

CERTAIN_PROBABILITY: Final = 0.5
"""Below it, the best guess is called uncertain."""


class FaceBox(NamedTuple):
    """Where a face is, in pixels of the upright photograph.

    Parameters
    ----------
    left, top : int
        The upper left corner, counted from the photograph's own.
    width, height : int
        How large it is.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> left, top, width, height = fk.FaceBox(10, 20, 64, 80)
    >>> width, height
    (64, 80)
    """

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class FaceEmotion:
    """A face in a photograph and what its expression is taken for.

    Parameters
    ----------
    box : FaceBox
        ``(left, top, width, height)`` in pixels of the upright photograph.
    probabilities : ndarray of float32, shape (7,)
        One for each class, in the order of `class_names`: that of :class:`Emotion`, unless the
        classifier has classes of its own.
    emotion : str
        The most probable class.
    score : float
        Its probability.
    uncertain : bool
        Whether `score` is below 0.5, so that the other classes together are as probable.
    class_names : tuple of str
        The names of the classes.
    crop : ndarray of uint8, shape (48, 48)
        The face that was judged, cut out and in grey levels; of the classifier's own height and
        width if it has another ``image_shape_``.
    landmarks : ndarray of float32, shape (5, 2), or None
        Across and down, in pixels of the upright photograph: right eye, left eye, tip of the nose,
        right and left corner of the mouth, as the person has them.  None where the boxes came
        without.

    See Also
    --------
    analyze_photo : Finds the faces.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> (face,) = fk.analyze_photo(fk.sample_photos()[0])
    >>> face.emotion, face.uncertain
    ('happy', False)
    >>> face.crop.shape, face.crop.dtype
    ((48, 48), dtype('uint8'))
    """

    box: FaceBox
    # Only what fits into a line is shown in a prompt.
    probabilities: NDArray[np.float32] = field(repr=False)
    emotion: str
    score: float
    uncertain: bool
    class_names: tuple[str, ...] = field(repr=False)
    crop: NDArray[np.uint8] = field(repr=False)
    landmarks: NDArray[np.float32] | MaybeNone = field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the crop as plain numbers and strings, for JSON.

        Returns
        -------
        dict
            The names of the fields, with ``box``, ``probabilities`` and, where they are known,
            ``landmarks`` as dicts.
        """
        answer: dict[str, Any] = {
            "box": self.box._asdict(),
            "emotion": self.emotion,
            "score": self.score,
            "uncertain": self.uncertain,
            "probabilities": dict(zip(self.class_names, self.probabilities.tolist(), strict=True)),
        }
        if self.landmarks is not None:
            answer["landmarks"] = dict(zip(LANDMARK_NAMES, self.landmarks.tolist(), strict=True))
        return answer


class PhotoFaces(list[FaceEmotion]):
    """The faces of a photograph: a list, with the photograph's size.

    Parameters
    ----------
    faces : iterable of FaceEmotion
        What the list holds.
    width, height : int
        Of the upright photograph in its own pixels, in which the boxes are.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> faces = fk.analyze_photo(fk.sample_photos()[0])
    >>> len(faces), faces.width, faces.height
    (1, 512, 512)
    """

    def __init__(self, faces: Iterable[FaceEmotion] = (), *, width: int, height: int) -> None:
        super().__init__(faces)
        self.width = width
        self.height = height


def face_emotion(
    box: Sequence[float] | NDArray[Any],
    probabilities: NDArray[Any],
    class_names: tuple[str, ...],
    crop: NDArray[np.uint8],
    landmarks: NDArray[Any] | None = None,
    *,
    word: int | None = None,
) -> FaceEmotion:
    """Return what the probabilities say about the face in a box; `word` stands for the best one."""
    row = np.array(probabilities, np.float32)
    row.setflags(write=False)
    crop.setflags(write=False)
    points = None if landmarks is None else np.array(landmarks, np.float32)
    if points is not None:
        points.setflags(write=False)
    best = int(row.argmax()) if word is None else word
    score = float(row[best])
    left, top, width, height = (round(float(length)) for length in box)
    return FaceEmotion(
        box=FaceBox(left, top, width, height),
        probabilities=row,
        emotion=class_names[best],
        score=score,
        uncertain=score < CERTAIN_PROBABILITY,
        class_names=class_names,
        crop=crop,
        landmarks=points,
    )
