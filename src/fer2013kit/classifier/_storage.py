"""The classifier's ways to and from files: saved, shipped, exported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sklearn.utils.validation import check_is_fitted

from fer2013kit.classifier import _persistence
from fer2013kit.classifier._settings import ClassifierSettings
from fer2013kit.pretrained import DEFAULT_NAME, find_pretrained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from fer2013kit.evaluation import EvaluationReport
    from fer2013kit.export import ExportReport
    from fer2013kit.typing import ModelBuilder, Quantization, WeightsDtype


class StoredClassifier(ClassifierSettings):
    """The methods of ``EmotionClassifier`` that write and read files."""

    def save(
        self,
        path: str | Path,
        *,
        metrics: EvaluationReport | Mapping[str, Any] | None = None,
        weights_dtype: WeightsDtype = "float32",
    ) -> None:
        """Write the classifier to one file, atomically.

        The file (a zip) holds ``classifier.json``, ``weights.npz`` without pickle, and their
        SHA-256.  The architecture is kept by its name and parameters, not as code.

        Parameters
        ----------
        path : str or Path
            The file; by custom it ends in ``.fer``.
        metrics : EvaluationReport or mapping, optional
            Figures to keep beside the weights, for people; ``metrics_`` after loading.
        weights_dtype : {"float32", "float16"}, default "float32"
            How weights are stored; ``"float16"`` halves the file and keeps three digits.  They
            are read as float32 either way.

        Raises
        ------
        InvalidInputError
            For another ``weights_dtype``, or weights that float16 cannot hold.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> import fer2013kit as fk
        >>> X, y = fk.make_fer2013(n_samples=140, random_state=0).train
        >>> clf = fk.EmotionClassifier(epochs=1, verbose=0, random_state=0).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "emotions.fer")
        ...     clf.save(path)
        ...     again = fk.EmotionClassifier.load(path)
        >>> bool((again.predict(X) == clf.predict(X)).all())
        True
        """
        check_is_fitted(self)
        _persistence.save(self, Path(path), metrics, weights_dtype)

    @classmethod
    def load(cls, path: str | Path, *, model: str | ModelBuilder | None = None) -> Self:
        """Read a classifier that :meth:`save` wrote; nothing from the file is run.

        Parameters
        ----------
        path : str or Path
            The file.
        model : str or callable, optional
            The builder of an architecture that is not registered under the saved name.

        Returns
        -------
        EmotionClassifier
            Fitted, predicting as before.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, of a newer format, or its weights do not fit the
            architecture.
        UnknownModelError
            If the architecture is not registered and no ``model`` is given.
        """
        return _persistence.load(cls, Path(path), model)

    @classmethod
    def from_pretrained(cls, name: str = DEFAULT_NAME) -> Self:
        """Return a classifier that ships with the package, trained and calibrated.

        Nothing is downloaded.  Its settings are those it was trained with; set ``warm_start``
        and a smaller ``learning_rate`` to train it further on pictures of your own.

        Parameters
        ----------
        name : str, default "five_layer_cnn"
            One of :func:`list_pretrained`.

        Returns
        -------
        EmotionClassifier
            Fitted; ``metrics_`` holds what was measured on PublicTest.

        Raises
        ------
        UnknownModelError
            For another name.
        ChecksumError
            If the file is not the one that was shipped.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> clf = fk.EmotionClassifier.from_pretrained()
        >>> clf.class_names_
        ('angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral')
        """
        path, _ = find_pretrained(name, "classifier")
        return cls.load(path)

    def export(
        self,
        path: str | Path,
        *,
        quantization: Quantization | None = None,
        images: ArrayLike | None = None,
        tolerance: float | None = None,
    ) -> ExportReport:
        """Write the network for other programs, and check that it answers as the classifier does.

        The file takes uint8 grey levels ``(n, 48, 48, 1)`` and gives calibrated probabilities:
        preprocessing and temperature are part of it.  The classes and what else there is to know
        lie inside as ``fer2013kit.json`` and ``labels.txt``.

        Parameters
        ----------
        path : str or Path
            ``.onnx`` (needs the extra ``export``), ``.tflite`` for LiteRT, ``.keras``, or without
            an ending the folder of a TensorFlow SavedModel.
        quantization : {None, "dynamic", "int8"}, default None
            For ``.tflite``: 8-bit weights, a quarter of the size and two to three times as
            fast.  ``"int8"`` computes the layers between in 8 bits too and needs ``images``.
        images : array_like, optional
            Pictures as for :meth:`predict`: what ``"int8"`` is fitted to, and what the check
            compares; by default the check takes drawn faces.
        tolerance : float, optional
            Largest difference of a probability that is let through: by default 0.001, 0.1 with
            ``"dynamic"`` and 0.25 with ``"int8"``.

        Returns
        -------
        ExportReport
            The size, the largest difference, and how many pictures get the same class.

        Raises
        ------
        InvalidInputError
            For an unknown ending or quantization, ``"int8"`` without ``images``, or a classifier
            of ``value_range=None``, whose pictures are no grey levels.
        MissingDependencyError
            If a library for the format is missing.
        ModelFileError
            If the result does not agree; nothing is written then.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> import fer2013kit as fk
        >>> clf = fk.EmotionClassifier.from_pretrained()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = clf.export(pathlib.Path(folder, "emotions.tflite"))
        >>> report.largest_difference < 0.001
        True
        """
        check_is_fitted(self)
        return _persistence.export(self, Path(path), quantization, images, tolerance)
