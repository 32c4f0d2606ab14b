"""From the bytes of a photo to the answer that the page shows; everything stays in memory."""

from __future__ import annotations

import base64
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._picture_files import PictureError, PictureTooLargeError, open_picture
from fer2013kit.exceptions import Fer2013KitError, InvalidInputError
from fer2013kit.faces import analyze_photo
from fer2013kit.pretrained import PHOTO_NAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer2013kit.faces import PhotoFaces


class RefusedPhotoError(Fer2013KitError, ValueError):
    """A photo that is not looked at: why, what to do, and the same as a status of HTTP."""

    def __init__(self, message: str, *, status: int) -> None:
        self.status = status
        super().__init__(message)


class PhotoWork:
    """What is done with photos, one at a time; those of more pixels are refused undecoded."""

    def __init__(self, classifier: Any, detector: Any, *, max_pixels: int) -> None:
        self._classifier = classifier
        # Of a search, the classifier that it chose can be explained.
        self._explained: Any = getattr(classifier, "best_estimator_", classifier)
        self._detector = detector
        self._max_pixels = max_pixels
        # What is missing is told now, not with the first photo.
        analyze_photo(np.zeros((64, 64), np.uint8), classifier=self._classifier, detector=detector)

    @property
    def explains(self) -> bool:
        """Whether heat maps are to be had: they need the gradients of a Keras network."""
        if self._classifier is not None and not hasattr(self._explained, "model_"):
            return False
        return find_spec("tensorflow") is not None

    def analyze(self, content: bytes) -> dict[str, Any]:
        """Return the size of the upright photo and its faces."""
        found = self._find(content)
        faces = [face.as_dict() for face in found]
        return {"width": found.width, "height": found.height, "faces": faces}

    def explain(self, content: bytes, number: int) -> dict[str, Any]:
        """Return a face, by its place in `analyze`, and what in it spoke for its emotion."""
        if not self.explains:
            raise RefusedPhotoError(
                "explanations need TensorFlow and a trained classifier (.fer)", status=501
            )
        faces = self._find(content)
        if not 0 <= number < len(faces):
            raise InvalidInputError(
                f"face must be below the number of faces, {len(faces)}; received {number}"
            )
        from fer2013kit.explanation import explain

        trained = self._trained()
        emotion, crop = faces[number].emotion, faces[number].crop
        pictures = np.repeat(crop[np.newaxis, ..., np.newaxis], trained.image_shape_[2], axis=-1)
        (heat,) = explain(trained, pictures, emotion=emotion)
        return {
            "emotion": emotion,
            "width": crop.shape[1],
            "height": crop.shape[0],
            "face": _in_base64(crop),
            "heat": _in_base64(np.rint(heat * 255).astype(np.uint8)),
        }

    def _find(self, content: bytes) -> PhotoFaces:
        try:
            open_picture(content, max_pixels=self._max_pixels)
        except PictureTooLargeError as error:
            raise RefusedPhotoError(str(error), status=413) from error
        except PictureError as error:
            raise RefusedPhotoError(
                f"this is no image that can be read: {error}", status=415
            ) from error
        return analyze_photo(content, classifier=self._classifier, detector=self._detector)

    def _trained(self) -> Any:
        """Return the classifier whose gradients can be told, loaded when first asked for."""
        if self._explained is None:
            from fer2013kit.classifier import EmotionClassifier

            self._explained = EmotionClassifier.from_pretrained(PHOTO_NAME)
        return self._explained


def _in_base64(array: NDArray[np.uint8]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
