"""The types that users implement and write in annotations, and the words that options take.

A function of your own that fits a protocol here fits the package: nothing is inherited.  Each
vocabulary stands here once: the checks of arguments, the command line's choices and type checkers
read it from here.

Examples
--------
>>> from typing import get_args
>>> import numpy as np
>>> from fer2013kit.typing import Detector, Loss
>>> get_args(Loss)
('crossentropy', 'focal')
>>> def middle(image):
...     height, width, _ = image.shape
...     return np.array([[width / 4, height / 4, width / 2, height / 2]])
>>> detector: Detector = middle
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from typing import BinaryIO

    import keras
    import numpy as np
    from numpy.typing import ArrayLike, NDArray
    from PIL import Image

Photo: TypeAlias = (
    "str | os.PathLike[str] | BinaryIO | bytes | bytearray | memoryview | Image.Image | ArrayLike"
)
"""An image of any size and mode: a path, a data URL, an open file, its bytes, a Pillow image or an
array."""

ModelBuilder: TypeAlias = "Callable[..., keras.Model]"
"""``(input_shape, num_classes, **params) -> uncompiled keras.Model``, called by name: the network
takes images with values in [0, 255] and returns probabilities ``(n, num_classes)``."""


ClassWeight: TypeAlias = "ClassWeightMethod | Mapping[Any, float] | Sequence[float] | NDArray[Any]"
"""How much each class counts in the loss: a method, or the weights by label or in order."""


class Detector(Protocol):
    """What finds faces: a :class:`~fer2013kit.FaceDetector`, or any function of this form."""

    def __call__(self, image: NDArray[np.uint8], /) -> ArrayLike:
        """Return the boxes of the faces on an image.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            The upright image in red, green, blue.

        Returns
        -------
        array_like, shape (n, 4) or (n, 14)
            Left, top, width and height of each face in the image's pixels; then, where they are
            known, across and down of right eye, left eye, nose, right and left corner of the mouth.
        """


class Classifier(Protocol):
    """What names emotions: an EmotionPredictor, an EmotionClassifier, or any object of this form.

    The words for its columns are its ``class_names_`` or, without them, its ``classes_``: names, or
    FER codes; else they are those of ``CLASS_NAMES``.  With its ``image_shape_`` it can ask for
    faces of another shape.
    """

    def predict_proba(self, X: NDArray[np.uint8], /) -> NDArray[Any]:
        """Return the probability of every class.

        Parameters
        ----------
        X : ndarray of uint8, shape (n, 48, 48)
            Faces.

        Returns
        -------
        ndarray of float, shape (n, k)
            A row for each face, a column for each class.
        """


Aspect: TypeAlias = Literal["crop", "stretch", "pad"]
"""What becomes of an image of another aspect ratio: cut, distorted, or filled with black."""

BatchForm: TypeAlias = Literal["keras", "tensorflow", "torch"]
"""Whose data set `training_batches` returns."""

CalibrationMethod: TypeAlias = Literal["temperature", "vector", "isotonic"]
"""What `calibrate` fits: one number, a factor and a shift of every class, or a curve of each."""

ClassWeightMethod: TypeAlias = Literal["balanced", "inverse_sqrt", "effective_number"]
"""How a class's weight follows from how rare it is, see `compute_class_weight`."""

ComputeDtype: TypeAlias = Literal["auto", "float32", "bfloat16"]
"""The number format of a network's arithmetic; auto takes what is faster on this machine."""

ConflictPolicy: TypeAlias = Literal["first", "drop"]
"""Which rows stay of copies of an image whose labels differ: the first, or none."""

DetectorName: TypeAlias = Literal["yunet", "opencv", "mtcnn", "dlib"]
"""What finds faces: the kit's own network, or that of another package."""

ExplanationMethod: TypeAlias = Literal["hires_cam", "grad_cam"]
"""How `explain` computes its heat maps."""

Freeze: TypeAlias = Literal["convolutions"]
"""Which layers a warm start keeps as they are."""

LabelScheme: TypeAlias = Literal["raf-db", "affectnet", "ck+", "kdef", "jaffe", "expw", "ferplus"]
"""Data sets whose numbers, words and file names `label_map` knows by the name of the set."""

LabelMap: TypeAlias = "LabelScheme | Mapping[Any, str | int | None]"
"""What labels of another data set mean: its name, or its words or numbers to emotions or None."""

LeakSide: TypeAlias = Literal["train", "evaluation"]
"""On which side an image is left out that stands on both."""

LearningRateSchedule: TypeAlias = Literal["cosine", "constant"]
"""How the learning rate falls over the epochs."""

Loss: TypeAlias = Literal["crossentropy", "focal"]
"""What training makes small."""

Preprocessing: TypeAlias = Literal["auto", "none", "tf", "torch", "caffe"]
"""How the pixels for a backbone are scaled: as it is used to, not at all, or in Keras's modes."""

Quantization: TypeAlias = Literal["dynamic", "int8"]
"""How an exported network stores its weights in 8 bits: those alone, or the arithmetic, too."""

ScoreEngine: TypeAlias = Literal["processes", "ray"]
"""Who does the work of `score`: processes of this machine, or the machines of a Ray cluster."""

SplitName: TypeAlias = Literal["train", "validation", "test"]
"""The splits of a data set, in the order that they have everywhere."""

TestTimeAugmentation: TypeAlias = Literal["flip", "ten_crop"]
"""Views of an image that a prediction averages: 2 with its mirror image, or 10."""

PhotoViews: TypeAlias = Literal["auto", "flip", "ten_crop"]
"""Views of a face in a photograph: those of `TestTimeAugmentation`, or what fits the classifier."""

Verbose: TypeAlias = Literal["auto", 0, 1, 2, False, True]
"""What a training run shows: by itself, nothing, a progress bar, or a line an epoch."""

WeightsDtype: TypeAlias = Literal["float32", "float16"]
"""The number format of the weights in a saved classifier."""
