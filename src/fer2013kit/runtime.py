"""Predicting with an exported network, without TensorFlow, Keras and scikit-learn."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from fer2013kit._checks import as_array, check_whole
from fer2013kit._export_metadata import PREDICTOR_ENDINGS, check_seal
from fer2013kit._exported import start_network
from fer2013kit._image_input import Pixels, StoredPictures, pixel_converter, read_pictures
from fer2013kit._inference import normalize_rows, predict_in_batches
from fer2013kit._labels import codes_in
from fer2013kit._prediction import ProbabilisticClassifier, apply_calibration
from fer2013kit._threads import usable_threads
from fer2013kit._untrusted import errors_as, model_file_errors
from fer2013kit.evaluation import (
    apply_temperature,
    read_calibrator,
    without_vector,
)
from fer2013kit.exceptions import InvalidInputError, ModelFileError
from fer2013kit.pretrained import DEFAULT_NAME, find_pretrained

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit._exported import Network
    from fer2013kit.typing import TestTimeAugmentation


_MOST_THREADS: Final = 1024

_left_behind: Final[list[Network]] = []
"""Networks of the process that forked this one: to end them would wait for threads not here."""


class EmotionPredictor(ProbabilisticClassifier):
    """An exported network, for prediction only: light and quick to start.

    It takes the same images as :class:`EmotionClassifier` and gives the same probabilities, but
    cannot be trained.  TensorFlow, Keras and scikit-learn are not needed: ``.tflite`` runs in
    LiteRT, ``.onnx`` in ONNX Runtime.  It may be shared between threads and pickled.

    :meth:`from_pretrained` and :meth:`load` make one.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
        Labels; columns of ``predict_proba`` in this order.
    class_names_ : tuple of str
        The same for people.
    image_shape_ : tuple of int
        Height, width and channels.
    temperature_ : float
        The calibration, already part of the probabilities.
    calibration_ : dict or None
        What the temperature was fitted on, as in :class:`EmotionClassifier`.
    metrics_ : dict or None
        Figures that were kept with the classifier.

    See Also
    --------
    EmotionClassifier : Trains, and exports what this runs.
    load_predictor : A network by its name or its file.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> faces = fk.make_fer2013(n_samples=70, random_state=0).test.images
    >>> predictor = fk.EmotionPredictor.from_pretrained()
    >>> predictor.predict_proba(faces[:2]).shape
    (2, 7)

    Two classes of the seven:

    >>> fk.EmotionPredictor.from_pretrained(classes=["happy", "sad"]).predict_proba(faces).shape
    (7, 2)
    """

    num_threads: int | None
    _content: bytes
    _suffix: str
    _source: str
    _asked: NDArray[Any] | None

    def __init__(self, *_: object, **__: object) -> None:
        raise InvalidInputError(
            "EmotionPredictor is made by EmotionPredictor.from_pretrained, of a network that "
            "ships, or EmotionPredictor.load, of an exported file"
        )

    @classmethod
    def _open(
        cls, content: bytes, path: Path, num_threads: int | None, classes: ArrayLike | None
    ) -> Self:
        suffix = path.suffix.lower()
        if suffix not in PREDICTOR_ENDINGS:
            raise ModelFileError(
                f"{path} ends in {suffix!r}; expected one of {PREDICTOR_ENDINGS}. A classifier "
                "saved as .fer is read by EmotionClassifier.load, which can export it"
            )
        self = cls.__new__(cls)
        self._content, self._suffix, self._source = content, suffix, str(path)
        self.num_threads = (
            None
            if num_threads is None
            else check_whole("num_threads", num_threads, most=_MOST_THREADS)
        )
        self._asked = None if classes is None else as_array(classes, "classes")
        self._start()
        return self

    def _start(self) -> None:
        self._process = os.getpid()
        threads = self.num_threads or usable_threads()
        self._network, self._metadata = start_network(
            self._content, self._suffix, self._source, threads
        )
        labels, names = self._metadata.labels(), self._metadata.class_names
        self._columns = np.arange(len(labels))
        if self._asked is not None:
            self._columns = codes_in(self._asked, labels, names, name="classes")
            if not 1 < len(set(self._columns.tolist())) == len(self._columns):
                raise InvalidInputError(
                    "classes must name at least two of the network's classes, each once; "
                    f"received {self._asked.tolist()}"
                )
        self.classes_ = labels[self._columns]
        self.class_names_ = tuple(names[column] for column in self._columns)
        height, width, channels = self._metadata.image_shape
        self.image_shape_ = height, width, channels
        self.temperature_ = self._metadata.temperature
        self.calibration_ = self._metadata.calibration
        self.metrics_ = self._metadata.metrics
        with errors_as(
            lambda why: ModelFileError(f"{self._source} has metadata that lacks or garbles {why}")
        ):
            self._calibrator = read_calibrator(
                self._metadata.calibrator, n_classes=len(self._metadata.classes)
            )
            if self._calibrator is not None and self._calibrator["method"] != "vector":
                raise ValueError("calibrator, of which only scaling is part of a network")

    @classmethod
    def from_pretrained(
        cls,
        name: str = DEFAULT_NAME,
        *,
        classes: ArrayLike | None = None,
        num_threads: int | None = None,
    ) -> Self:
        """Return a network that ships with the package; nothing is downloaded.

        Parameters
        ----------
        name : str, default "five_layer_cnn"
            One of :func:`list_pretrained`.
        classes : array_like of int or str, optional
            Which of the network's classes to keep, and their order: labels or names.  What the
            others would get is shared among these in proportion, as if the others were impossible.
        num_threads : int, optional
            Threads of the network's arithmetic; None for one a processor, four at most.

        Returns
        -------
        EmotionPredictor
            Calibrated.

        Raises
        ------
        UnknownModelError
            For another name.
        InvalidInputError
            For `classes` that the network does not have, or fewer than two; `num_threads` outside
            1 to 1024.
        ChecksumError
            If the file is not the one that was shipped.

        See Also
        --------
        list_pretrained : The names.
        EmotionClassifier.from_pretrained : The same network, for further training.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> fk.EmotionPredictor.from_pretrained("ferplus_cnn").class_names_[-1]
        'contempt'
        """
        path, content = find_pretrained(name, "predictor")
        return cls._open(content, path, num_threads, classes)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        classes: ArrayLike | None = None,
        num_threads: int | None = None,
    ) -> Self:
        """Read a file that :meth:`EmotionClassifier.export` wrote.

        A damaged file is refused by its SHA-256.  A file that a stranger made is run by LiteRT or
        ONNX Runtime, whose networks may crash the process or read files: take ``.fer`` from
        strangers, which :meth:`EmotionClassifier.load` reads without running anything.

        Parameters
        ----------
        path : str or Path
            It ends in ``.tflite`` or ``.onnx``.
        classes, num_threads : optional
            As in :meth:`from_pretrained`.

        Returns
        -------
        EmotionPredictor
            Predicting as the classifier that was exported.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, of another kind, or was written by something else.
        InvalidInputError
            For `classes` that the network does not have, or fewer than two; `num_threads` outside
            1 to 1024.
        MissingDependencyError
            If the runtime for its kind is not installed.

        See Also
        --------
        load_predictor : Any file or name.
        EmotionClassifier.export : Writes the file.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> import tempfile
        >>> clf = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = clf.export(f"{folder}/emotions.tflite")
        ...     print(fk.EmotionPredictor.load(f"{folder}/emotions.tflite").class_names_[3])
        happy
        """
        path = Path(path)
        with model_file_errors(path, "an exported network"):
            content = path.read_bytes()
        if path.suffix.lower() in PREDICTOR_ENDINGS:
            check_seal(content, path)
        return cls._open(content, path, num_threads, classes)

    def predict_proba(
        self, X: ArrayLike, *, tta: TestTimeAugmentation | None = None
    ) -> NDArray[np.float32]:
        """Return the probability of every class.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Images: integers mean grey levels 0 to 255, floats [0, 1] (or what the classifier's
            ``value_range`` was), rounded to the nearest of 256 levels.  Memory stays the same
            for any ``n``.
        tta : {None, "flip", "ten_crop"}, default None
            Test-time augmentation as in :meth:`EmotionClassifier.predict_proba`.

        Returns
        -------
        ndarray of float32, shape (n, k)
            Columns follow ``classes_``; rows sum to 1.

        Raises
        ------
        InvalidInputError
            For images of another shape or range, NaN, or an unknown ``tta``.

        See Also
        --------
        EmotionPredictor.predict : The most probable class.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> X = fk.make_fer2013(n_samples=14, random_state=0).train.images
        >>> fk.EmotionPredictor.from_pretrained().predict_proba(X[:2], tta="flip").shape
        (2, 7)
        """
        to_pixels = pixel_converter(self._value_range)
        # The network's answers are calibrated; views are averaged before that, as in training.
        calibrated = self.temperature_ != 1.0 or self._calibrator is not None
        averages = tta is not None and calibrated

        if self._process != os.getpid():  # the runtime's threads, and locks, stay with the parent
            _left_behind.append(self._network)
            self._start()

        def infer(batch: Pixels) -> NDArray[np.float32]:
            answers = self._network(batch)
            if self._metadata.quantization == "int8":  # whose 256 levels sum to 1 by chance alone
                answers = normalize_rows(answers)
            return self._uncalibrated(answers) if averages else answers

        probabilities = predict_in_batches(
            infer,
            read_pictures(X, self.image_shape_, self._value_range),
            to_pixels=lambda batch: np.rint(to_pixels(batch)).astype(np.uint8, copy=False),
            n_classes=len(self._metadata.classes),
            tta=tta,
        )
        if averages:
            probabilities = apply_calibration(probabilities, self.temperature_, self._calibrator)
        if self._asked is None:
            return probabilities
        return normalize_rows(probabilities[:, self._columns])

    def _uncalibrated(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._calibrator is not None:
            return without_vector(probabilities, self._calibrator).astype(np.float32)
        return apply_temperature(probabilities, 1 / self.temperature_).astype(np.float32)

    def __repr__(self) -> str:
        return f"<EmotionPredictor {self._source}: {', '.join(self.class_names_)}>"

    def _grey_levels(self, X: ArrayLike) -> StoredPictures:
        pictures = read_pictures(X, self.image_shape_, self._value_range)
        return StoredPictures(pictures, pixel_converter(self._value_range))

    @property
    def _value_range(self) -> tuple[float, float]:
        low, high = self._metadata.value_range
        return low, high

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_network"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start()
