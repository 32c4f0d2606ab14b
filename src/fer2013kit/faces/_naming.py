"""Faces to their emotions, by any classifier."""

from __future__ import annotations

import inspect
from functools import cache
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._checks import check_choice
from fer2013kit._class_names import as_learned, classifier_names, inside
from fer2013kit._inference import views
from fer2013kit._metrics import check_probabilities
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import OTHER_MODELS, InvalidInputError, shown
from fer2013kit.faces._emotion import face_emotion
from fer2013kit.loading import load_predictor
from fer2013kit.typing import PhotoViews

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fer2013kit.faces._emotion import FaceEmotion
    from fer2013kit.faces._finding import FoundFace
    from fer2013kit.typing import Classifier, TestTimeAugmentation


class FaceNamer:
    """Names the emotions of faces by a classifier, which is looked at once.

    ``names`` are the words for the columns of its probabilities, ``size`` is height and width of
    the faces that it takes, from its ``image_shape_``.

    Raises
    ------
    InvalidInputError
        For what is no classifier, classes without words, or another `tta`.
    """

    def __init__(self, classifier: Classifier | None, *, tta: PhotoViews | None = "auto") -> None:
        if classifier is not None and not hasattr(classifier, "predict_proba"):
            is_name = isinstance(classifier, str | PathLike)
            raise InvalidInputError(
                "classifier must have predict_proba, as an EmotionPredictor or an "
                f"EmotionClassifier has; received {shown(classifier)}; "
                f"{'load_predictor reads a name or a file' if is_name else OTHER_MODELS}"
            )
        check_choice("tta", tta, PhotoViews | None)
        self._classifier = _default_classifier() if classifier is None else classifier
        self._tta = photo_views(tta, is_default=classifier is None)
        self.names = classifier_names(self._classifier)
        height, width, self._channels = _picture_shape(self._classifier)
        self.size: tuple[int, int] = (height, width)

    def name(self, found: Sequence[FoundFace]) -> list[FaceEmotion]:
        """Return what each face is taken for."""
        faces = np.stack([view for one in found for view in (one.crop, *one.views)])
        if self._channels > 1:
            faces = np.repeat(faces[..., None], self._channels, axis=-1)
        probabilities = self._probabilities(faces)
        names = self.names
        if probabilities.shape != (len(faces), len(names)):
            raise InvalidInputError(
                f"the classifier's predict_proba must return shape {(len(faces), len(names))}, a "
                f"row for each face and a column for each of {', '.join(names)}; "
                f"received {probabilities.shape}"
            )
        check_probabilities(probabilities, name="the classifier's predict_proba: probabilities")
        counts = np.array([1 + len(one.views) for one in found])
        begins = np.cumsum(counts) - counts
        probabilities = np.add.reduceat(probabilities, begins) / counts[:, None]
        return [
            face_emotion(one.box, row, names, one.crop, one.landmarks)
            for one, row in zip(found, probabilities, strict=True)
        ]

    def _probabilities(self, faces: NDArray[np.uint8]) -> NDArray[Any]:
        predict: Any = self._classifier.predict_proba
        if self._tta is None:
            return np.asarray(predict(as_learned(self._classifier, faces)))
        if _takes_tta(predict):
            return np.asarray(predict(faces, tta=self._tta))
        # A classifier that knows no views is shown them.
        batch = faces.reshape(*faces.shape[:3], -1)
        seen = [view.reshape(faces.shape) for view in views(batch, self._tta)]
        asked = [as_learned(self._classifier, one) for one in seen]
        answers: NDArray[Any] = np.mean([np.asarray(predict(one)) for one in asked], axis=0)
        return answers


def photo_views(tta: PhotoViews | None, *, is_default: bool) -> TestTimeAugmentation | None:
    """Return the views that are averaged of a face in a photograph.

    The default network sees the mirror image, too, since else every twelfth face of a mirrored
    photograph got another word.  A classifier that is given answers as its ``predict_proba`` does.
    """
    if tta == "auto":
        return "flip" if is_default else None
    return tta


def _picture_shape(classifier: Classifier) -> tuple[int, int, int]:
    """Return height, width and channels of the faces that a classifier takes."""
    for one in inside(classifier):
        if hasattr(one, "image_shape_"):
            height, width, channels = one.image_shape_
            return height, width, channels
        if len(getattr(one, "steps", ())) > 1:  # what is last in a pipeline sees other arrays
            break
    return IMAGE_SHAPE


def _takes_tta(predict: Callable[..., Any]) -> bool:
    try:
        return "tta" in inspect.signature(predict).parameters
    except ValueError:  # of a function that is not Python's
        return False


@cache
def _default_classifier() -> Classifier:
    return load_predictor()
