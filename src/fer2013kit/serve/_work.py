"""From the bytes of a photo to the answer that the page shows; everything stays in memory."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._class_names import class_colors, classifier_names
from fer2013kit._picture_files import PictureError, PictureTooLargeError, open_picture
from fer2013kit.emotions import FERPLUS_CLASS_NAMES
from fer2013kit.exceptions import Fer2013KitError, InvalidInputError, UnknownModelError
from fer2013kit.faces import analyze_crops, analyze_photo
from fer2013kit.faces._crops import face_square
from fer2013kit.pretrained import PHOTO_NAME, list_pretrained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer2013kit.faces import FaceEmotion, PhotoFaces

DEFAULT: Final = "default"
"""The name of the network that answers where no other is asked for."""


class RefusedPhotoError(Fer2013KitError, ValueError):
    """A photo that is not looked at: why, what to do, and the same as a status of HTTP."""

    def __init__(self, message: str, *, status: int) -> None:
        self.status = status
        super().__init__(message)


@dataclass
class _Network:
    """What predicts, and what can be explained; each loaded when it is first asked for."""

    classifier: Any = None
    explained: Any = None


class PhotoWork:
    """What is done with photos, one at a time; those of more pixels are refused undecoded."""

    def __init__(
        self, classifier: Any, detector: Any, *, max_pixels: int, label: str | None
    ) -> None:
        # Of a search, the classifier that it chose can be explained.
        explained: Any = getattr(classifier, "best_estimator_", classifier)
        self._networks = {name: _Network() for name in (DEFAULT, *list_pretrained())}
        # A bundled network that was asked for by its name is explained by its full precision.
        self._name_of_default = PHOTO_NAME
        if label in list_pretrained() and not hasattr(explained, "model_"):
            self._name_of_default, explained = label, None
        self._networks[DEFAULT] = _Network(classifier, explained)
        self._label = label
        self._detector = detector
        self._max_pixels = max_pixels
        # What is missing is told now, not with the first photo.
        analyze_photo(np.zeros((64, 64), np.uint8), classifier=classifier, detector=detector)

    def models(self) -> list[dict[str, Any]]:
        """Return the networks that answer, the default first."""
        label = self._label or ("the given classifier" if self._is_own else PHOTO_NAME)
        titles = {name: name for name in self._networks} | {DEFAULT: f"default: {label}"}
        return [
            {
                "name": name,
                "title": title,
                "explains": self.explains(name),
                # What load_predictor takes; None for the default, and for what has no name.
                "source": self._label if name == DEFAULT else name,
                "own": name == DEFAULT and self._is_own,
            }
            for name, title in titles.items()
        ]

    def colors(self) -> dict[str, str]:
        """Return a colour for each word that a network may answer with."""
        default = self._networks[DEFAULT].classifier
        names = () if default is None else classifier_names(default)
        words = tuple(dict.fromkeys((*names, *FERPLUS_CLASS_NAMES)))
        return dict(zip(words, class_colors(words), strict=True))

    @property
    def _is_own(self) -> bool:
        return self._networks[DEFAULT].classifier is not None

    def explains(self, model: str = DEFAULT) -> bool:
        """Tell whether heat maps are to be had: they need the gradients of a Keras network."""
        explained = self._networks[model].explained
        if explained is not None and not hasattr(explained, "model_"):
            return False
        return find_spec("tensorflow") is not None

    def analyze(self, content: bytes, *, model: str, whole: bool) -> dict[str, Any]:
        """Return the size of the upright photo and its faces; or all of it as the only face."""
        found = self._find(content, model, whole=whole)
        faces = [face.as_dict() for face in found]
        return {"width": found.width, "height": found.height, "faces": faces}

    def explain(
        self, content: bytes, *, number: int, emotion: str | None, model: str, whole: bool
    ) -> dict[str, Any]:
        """Return a face, by its place in `analyze`, and what in it supports an emotion."""
        self._check(model)
        if not self.explains(model):
            raise RefusedPhotoError(
                "explanations need TensorFlow and a trained classifier (.fer)", status=501
            )
        faces = self._find(content, model, whole=whole)
        if number >= len(faces):
            raise InvalidInputError(
                f"face must be below the number of faces, {len(faces)}; received {number}"
            )
        from fer2013kit.explanation import explain

        trained = self._trained(model)
        face = faces[number]
        emotion, crop = face.emotion if emotion is None else emotion, face.crop
        pictures = np.repeat(crop[np.newaxis, ..., np.newaxis], trained.image_shape_[2], axis=-1)
        (heat,) = explain(trained, pictures, emotion=emotion)
        return {
            "emotion": emotion,
            "width": crop.shape[1],
            "height": crop.shape[0],
            "square": _square(face, faces),
            "face": _in_base64(crop),
            "heat": _in_base64(np.rint(heat * 255).astype(np.uint8)),
        }

    def _find(self, content: bytes, model: str, *, whole: bool) -> PhotoFaces:
        self._check(model)
        try:
            open_picture(content, max_pixels=self._max_pixels)
        except PictureTooLargeError as error:
            raise RefusedPhotoError(str(error), status=413) from error
        except PictureError as error:
            raise RefusedPhotoError(
                f"this is no image that can be read: {error}", status=415
            ) from error
        classifier = self._predicting(model)
        if not whole:
            return analyze_photo(content, classifier=classifier, detector=self._detector)
        (answer,) = analyze_crops([content], classifier=classifier, aspect="crop")
        if isinstance(answer, Fer2013KitError):
            raise answer
        return answer

    def _check(self, model: str) -> None:
        if model not in self._networks:
            raise UnknownModelError(
                model, known=self._networks, advice="GET /models lists what this page has."
            )

    def _predicting(self, model: str) -> Any:
        network = self._networks[model]
        if network.classifier is None and model != DEFAULT:
            from fer2013kit.runtime import EmotionPredictor

            network.classifier = EmotionPredictor.from_pretrained(model)
        return network.classifier

    def _trained(self, model: str) -> Any:
        """Return the classifier whose gradients can be told, loaded when first asked for."""
        network = self._networks[model]
        if network.explained is None:
            from fer2013kit.classifier import EmotionClassifier

            name = self._name_of_default if model == DEFAULT else model
            network.explained = EmotionClassifier.from_pretrained(name)
        return network.explained


def _square(face: FaceEmotion, photo: PhotoFaces) -> dict[str, float]:
    """Return what was cut out of the photo for a face, in its pixels."""
    if face.box == (0, 0, photo.width, photo.height):  # the photo is a face
        side: float = min(photo.width, photo.height)
        left, top = (photo.width - side) / 2, (photo.height - side) / 2
    else:
        left, top, side = face_square(np.array(face.box, np.float64), None)
    return {"left": left, "top": top, "side": side}


def _in_base64(array: NDArray[np.uint8]) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")
