"""What is said about a face."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from fer2013kit._optional import needed
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.faces._affect import valence_and_arousal
from fer2013kit.faces._pose import HeadPose, head_pose
from fer2013kit.faces._quality import face_quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from fer2013kit._checks import MaybeNone

LANDMARK_NAMES: Final = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")

CERTAIN_PROBABILITY: Final = 0.7
"""Below it, the best guess is called uncertain.  Chosen on press photographs, so that with the
default network more than 85 % of what is certain is right (recipes/photographs/press.py)."""


class FaceBox(NamedTuple):
    """Where a face is, in pixels of the upright photograph.

    Parameters
    ----------
    left, top : int
        The upper left corner, counted from the photograph's own.
    width, height : int
        How large it is.

    See Also
    --------
    FaceEmotion : Has one.

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
    """A face in a photograph, with its box and predicted emotion.

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
        Whether `score` is below 0.7, or `quality` says why the face is hard to read.
    class_names : tuple of str
        The names of the classes.
    crop : ndarray of uint8, shape (48, 48)
        The face that was judged, cut out and in grey levels; of the classifier's own height and
        width if it has another ``image_shape_``.
    landmarks : ndarray of float32, shape (5, 2), or None
        Across and down, in pixels of the upright photograph: right eye, left eye, tip of the nose,
        right and left corner of the mouth, as the person has them.  None where the boxes came
        without.
    quality : tuple of str
        What makes the face hard to read, of ``"small"`` (a side below 20 pixels), ``"dark"`` (a
        mean grey level below 35), ``"blurred"``, ``"covered"`` (by a mask, a hand, sunglasses) and
        ``"profile"`` (turned aside by 50 degrees or more); empty where nothing does.

    Attributes
    ----------
    valence, arousal : float or None
        How pleasant and how excited the expression looks, in [-1, 1]; None for a classifier whose
        classes are not emotions.
    head_pose : HeadPose or None
        Roll, yaw and pitch in degrees; None without landmarks.

    See Also
    --------
    analyze_photo : Finds the faces.

    Notes
    -----
    Valence and arousal are the means of what people said of the seven words in table 4 of [1]_,
    weighted by the probabilities; *neutral*, which is not in it, is put at 0.  So they say nothing
    that the probabilities do not, never leave the space between those words, and are no measurement
    of how a person feels.

    The pose is the rotation of one generic head, seen from afar, that fits the five landmarks best.
    No truth was at hand to measure it with.

    References
    ----------
    .. [1] J. A. Russell and A. Mehrabian, "Evidence for a three-factor theory of emotions", Journal
       of Research in Personality 11, 273-294, 1977.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> (face,) = fk.analyze_photo(fk.sample_photos()[0])
    >>> face.emotion, face.uncertain
    ('happy', False)
    >>> round(face.valence, 1), round(face.arousal, 1)
    (0.8, 0.5)
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
    quality: tuple[str, ...] = ()

    @property
    def valence(self) -> float | None:
        """How pleasant the expression looks, from -1 to 1: see the Notes."""
        found = valence_and_arousal(self.probabilities, self.class_names)
        return None if found is None else found[0]

    @property
    def arousal(self) -> float | None:
        """How excited the expression looks, from -1 to 1: see the Notes."""
        found = valence_and_arousal(self.probabilities, self.class_names)
        return None if found is None else found[1]

    @property
    def head_pose(self) -> HeadPose | None:
        """How the head is turned, in degrees, roughly; None where there are no landmarks."""
        return None if self.landmarks is None else head_pose(self.landmarks)

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the crop as plain numbers and strings, for JSON.

        Returns
        -------
        dict
            The names of the fields, with ``box``, ``probabilities`` and, where they are known,
            ``landmarks`` as dicts; ``valence`` and ``arousal``, where the classes are emotions, and
            ``head_pose``, where there are landmarks.

        See Also
        --------
        FaceEmotion.as_row : The same without nesting.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> (face,) = fk.analyze_photo(fk.sample_photos()[0])
        >>> face.as_dict()["box"]
        {'left': 179, 'top': 65, 'width': 90, 'height': 112}
        """
        answer: dict[str, Any] = {
            "box": self.box._asdict(),
            "emotion": self.emotion,
            "score": self.score,
            "uncertain": self.uncertain,
            "quality": list(self.quality),
            "probabilities": dict(zip(self.class_names, self.probabilities.tolist(), strict=True)),
        }
        if self.landmarks is not None:
            answer["landmarks"] = dict(zip(LANDMARK_NAMES, self.landmarks.tolist(), strict=True))
        if self.valence is not None:
            answer |= {"valence": self.valence, "arousal": self.arousal}
        if self.head_pose is not None:
            answer["head_pose"] = self.head_pose._asdict()
        return answer

    def as_row(self) -> dict[str, Any]:
        """Return everything but the crop as one row of a table.

        Returns
        -------
        dict
            ``left``, ``top``, ``width``, ``height``, the probability of each class under its name,
            ``emotion``, ``score``, ``uncertain``, ``quality`` (words with commas between them),
            ``valence``, ``arousal``, ``roll``, ``yaw``, ``pitch``, and each landmark as
            ``right_eye_x``, ``right_eye_y`` and so on; NaN for what is not known.

        See Also
        --------
        FaceEmotion.as_dict : The same for JSON.
        PhotoFaces.to_frame : All faces of a photograph.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> (face,) = fk.analyze_photo(fk.sample_photos()[0])
        >>> row = face.as_row()
        >>> row["left"], row["emotion"]
        (179, 'happy')
        """
        points = np.full((5, 2), np.nan) if self.landmarks is None else self.landmarks
        return {
            **self.box._asdict(),
            **dict(zip(self.class_names, self.probabilities.tolist(), strict=True)),
            "emotion": self.emotion,
            "score": self.score,
            "uncertain": self.uncertain,
            "quality": ", ".join(self.quality),
            "valence": np.nan if self.valence is None else self.valence,
            "arousal": np.nan if self.arousal is None else self.arousal,
            **(self.head_pose or HeadPose(np.nan, np.nan, np.nan))._asdict(),
            **{
                f"{name}_{axis}": float(place)
                for name, point in zip(LANDMARK_NAMES, points, strict=True)
                for axis, place in zip("xy", point, strict=True)
            },
        }


class PhotoFaces(list[FaceEmotion]):
    """The faces of a photograph: a list, with the photograph's size.

    Parameters
    ----------
    faces : iterable of FaceEmotion
        What the list holds.
    width, height : int
        Of the upright photograph in its own pixels, in which the boxes are.
    class_names : tuple of str, optional
        The classes that there could have been, for the table of no face; those of
        :class:`Emotion` unless the classifier has classes of its own.

    See Also
    --------
    analyze_photo : Makes it.
    annotate : Draws it.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> faces = fk.analyze_photo(fk.sample_photos()[0])
    >>> len(faces), faces.width, faces.height
    (1, 512, 512)
    """

    def __init__(
        self,
        faces: Iterable[FaceEmotion] = (),
        *,
        width: int,
        height: int,
        class_names: tuple[str, ...] = CLASS_NAMES,
    ) -> None:
        super().__init__(faces)
        self.width = width
        self.height = height
        self.class_names = class_names

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a row for each face.

        Returns
        -------
        pandas.DataFrame
            The columns of :meth:`FaceEmotion.as_row`; of no face, no row, so that the tables of
            many photographs can be joined.

        Raises
        ------
        MissingDependencyError
            Where pandas is not installed.

        See Also
        --------
        FaceEmotion.as_row : One of its rows.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> table = fk.analyze_photo(fk.sample_photos()[0]).to_frame()
        >>> table[["left", "top", "emotion", "uncertain"]]
           left  top emotion  uncertain
        0   179   65   happy      False
        """
        with needed("to_frame", library="pandas"):
            import pandas as pd

        rows = [face.as_row() for face in self]
        # A table without columns, joined to others, would make True and False objects.
        return pd.DataFrame(rows or [_some_row(self.class_names)])[: len(rows)]


def _some_row(class_names: tuple[str, ...]) -> dict[str, Any]:
    """Return a row that has the columns and the types of every other."""
    shares = np.zeros(len(class_names), np.float32)
    no_crop = np.zeros((1, 1), np.uint8)
    box = FaceBox(0, 0, 0, 0)
    return FaceEmotion(box, shares, class_names[0], 0.0, False, class_names, no_crop).as_row()


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
    quality = face_quality(box, crop, points)
    return FaceEmotion(
        box=FaceBox(left, top, width, height),
        probabilities=row,
        emotion=class_names[best],
        score=score,
        uncertain=bool(row[best] < np.float32(CERTAIN_PROBABILITY)) or bool(quality),
        class_names=class_names,
        crop=crop,
        landmarks=points,
        quality=quality,
    )
