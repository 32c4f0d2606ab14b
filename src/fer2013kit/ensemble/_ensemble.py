"""EnsembleClassifier: the mean answer of fitted classifiers, of whatever architectures."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from fer2013kit._calibration_source import read_calibration_source
from fer2013kit._checks import as_array
from fer2013kit._export_metadata import check_own_ending
from fer2013kit._files import write_atomically
from fer2013kit._prediction import CalibratedClassifier
from fer2013kit._untrusted import (
    check_facts,
    errors_as,
    is_count,
    is_positive,
    model_file_errors,
    open_zip,
    read_facts,
    read_member,
)
from fer2013kit._version import __version__
from fer2013kit.classifier import EmotionClassifier
from fer2013kit.evaluation import read_calibrator
from fer2013kit.exceptions import InvalidInputError, ModelFileError, shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit._calibration_source import CalibrationSource
    from fer2013kit._checks import MaybeNone
    from fer2013kit._image_input import StoredPictures
    from fer2013kit.evaluation import Calibrator
    from fer2013kit.export import ExportReport
    from fer2013kit.typing import Quantization, TestTimeAugmentation

_FACTS: Final = "ensemble.json"
_FORMAT: Final = 1
_MOST_MEMBERS: Final = 100


class EnsembleClassifier(
    CalibratedClassifier,
    ClassifierMixin,  # type: ignore[misc]  # scikit-learn carries no types
    BaseEstimator,  # type: ignore[misc]  # the same
):
    """Fitted classifiers that answer together: the weighted mean of their probabilities.

    Parameters
    ----------
    members : sequence of EmotionClassifier
        Two or more, fitted, with the same classes and shape of images; of any architectures.
    weights : sequence of float, optional
        How much each of them counts; by default the same.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
        Labels; columns of ``predict_proba`` in this order.
    class_names_ : tuple of str
        The same for people.
    image_shape_ : tuple of int
        Height, width and channels.
    temperature_ : float
        From :meth:`calibrate`; 1.0 before.
    calibrator_ : dict or None
        From :meth:`calibrate` with another method.
    calibration_ : dict or None
        What :meth:`calibrate` was given, as in :class:`EmotionClassifier`.

    Raises
    ------
    InvalidInputError
        For fewer than two members, classes, their names or shapes that differ, or weights that do
        not fit.

    See Also
    --------
    average_weights : One network instead of several.
    EmotionClassifier : Its members.

    References
    ----------
    B. Lakshminarayanan, A. Pritzel and C. Blundell, "Simple and Scalable Predictive Uncertainty
    Estimation using Deep Ensembles", NeurIPS 2017.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> names = ("five_layer_cnn", "five_layer_cnn_small")
    >>> both = fk.EnsembleClassifier([fk.EmotionClassifier.from_pretrained(n) for n in names])
    >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).test
    >>> both.predict_proba(X).shape
    (7, 7)
    """

    def __init__(
        self, members: Sequence[EmotionClassifier], *, weights: Sequence[float] | None = None
    ) -> None:
        self.members = members
        self.weights = weights
        _check_members(members, weights)
        self.temperature_ = 1.0
        self.calibrator_: Calibrator | MaybeNone = None
        self.calibration_: CalibrationSource | MaybeNone = None

    # Members may be fitted again, or be others after set_params: each answer looks at them anew.
    @property
    def classes_(self) -> NDArray[Any]:  # type: ignore[override]
        """Labels of the members."""
        return _check_members(self.members, self.weights).classes_

    @property
    def class_names_(self) -> tuple[str, ...]:  # type: ignore[override]
        """Words of the members."""
        return _check_members(self.members, self.weights).class_names_

    @property
    def image_shape_(self) -> tuple[int, int, int]:  # type: ignore[override]
        """Shape of the members' images."""
        return _check_members(self.members, self.weights).image_shape_

    def fit(self, X: Any, y: Any = None) -> Self:
        """Do nothing: the members are fitted.

        Parameters
        ----------
        X, y : ignored
            For scikit-learn's tools.

        Returns
        -------
        EnsembleClassifier
            The ensemble itself.

        See Also
        --------
        EmotionClassifier.fit : Trains a member.
        """
        del X, y
        return self

    def __sklearn_clone__(self) -> Self:
        """Return one with the same members and calibration, still fitted, as ``fit`` leaves it."""
        copy = type(self)(self.members, weights=self.weights)
        copy.temperature_, copy.calibrator_ = self.temperature_, self.calibrator_
        copy.calibration_ = self.calibration_
        return copy

    def save(self, path: str | Path) -> None:
        """Write the ensemble to one file, atomically: a zip of its members' files.

        Parameters
        ----------
        path : str or Path
            The file; it ends in ``.fers``, by which :func:`load_predictor` knows it.

        Raises
        ------
        InvalidInputError
            For a path that names another format.

        See Also
        --------
        EnsembleClassifier.load : Reads the file.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> import tempfile
        >>> small = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fk.EnsembleClassifier([small, small]).save(f"{folder}/emotions.fers")
        ...     print(len(fk.EnsembleClassifier.load(f"{folder}/emotions.fers").members))
        2
        """
        path = Path(path)
        check_own_ending(path, ".fers")
        facts = {
            "format": _FORMAT,
            "fer2013kit": __version__,
            "members": len(self.members),
            "weights": self._shares().tolist(),
            "temperature": self.temperature_,
            "calibrator": self.calibrator_,
            "calibration": self.calibration_,
        }
        archive = io.BytesIO()
        with tempfile.TemporaryDirectory() as name, zipfile.ZipFile(archive, "w") as file:
            file.writestr(zipfile.ZipInfo(_FACTS), json.dumps(facts, indent=2, sort_keys=True))
            for place, member in enumerate(self.members):
                draft = Path(name, "member.fer")
                member.save(draft)
                file.writestr(zipfile.ZipInfo(_member(place)), draft.read_bytes())
        write_atomically(path, archive.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an ensemble that :meth:`save` wrote; nothing from the file is run.

        Parameters
        ----------
        path : str or Path
            The file.  Architectures of your own have to be registered
            (:func:`register_model`) under the names that they were saved with.

        Returns
        -------
        EnsembleClassifier
            Predicting as before.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, or of a newer format.
        UnknownModelError
            If an architecture is not registered.

        See Also
        --------
        EnsembleClassifier.save : Writes the file.
        """
        path = Path(path)
        with (
            model_file_errors(path, "a saved ensemble"),
            errors_as(
                lambda why: ModelFileError(f"{path} is no ensemble saved by fer2013kit: {why}")
            ),
            open_zip(path) as archive,
            tempfile.TemporaryDirectory() as name,
        ):
            facts = read_facts(read_member(archive, _FACTS))
            check_facts(
                facts, {"format": is_count, "members": is_count, "temperature": is_positive}
            )
            if facts["format"] > _FORMAT or facts["members"] > _MOST_MEMBERS:
                raise ModelFileError(
                    f"{path} was written by fer2013kit {shown(facts.get('fer2013kit'))} in format "
                    f"{facts['format']}, of {facts['members']} members; this version reads format "
                    f"{_FORMAT}, of up to {_MOST_MEMBERS}"
                )
            members = []
            for place in range(facts["members"]):
                draft = Path(name, "member.fer")
                draft.write_bytes(read_member(archive, _member(place)))
                members.append(EmotionClassifier.load(draft))
            ensemble = cls(members, weights=facts["weights"])
            ensemble.temperature_ = float(facts["temperature"])
            ensemble.calibrator_ = read_calibrator(
                facts.get("calibrator"), n_classes=len(ensemble.classes_)
            )
            ensemble.calibration_ = read_calibration_source(facts.get("calibration"))
        return ensemble

    def export(
        self,
        path: str | Path,
        *,
        quantization: Quantization | None = None,
        images: ArrayLike | None = None,
        tolerance: float | None = None,
    ) -> ExportReport:
        """Write the members, their mean and the calibration as one network, and check it.

        Parameters
        ----------
        path : str or Path
            The file; its ending chooses the format, as in :meth:`EmotionClassifier.export`.
        quantization, images, tolerance : optional
            As in :meth:`EmotionClassifier.export`.

        Returns
        -------
        ExportReport
            How well the file agrees with the ensemble.

        Raises
        ------
        InvalidInputError
            As :meth:`EmotionClassifier.export` does; for members that were calibrated by isotonic
            curves, or read floats in different ranges.

        See Also
        --------
        EmotionPredictor.load : Reads ``.tflite`` and ``.onnx``.

        Notes
        -----
        Where the members are calibrated, the answers to several views (``tta``) differ a little:
        the ensemble averages each member's views before that member's calibration, and whoever runs
        the file gets answers that are calibrated already.
        """
        from fer2013kit.classifier._export import export_classifier
        from fer2013kit.ensemble._export import mean_network

        given = [member.value_range for member in self.members]
        ranges: set[Any] = {None if one is None else tuple(one) for one in given}
        if len(ranges) > 1:
            raise InvalidInputError(
                "members must read floats in one range, which an exported network takes for "
                f"granted; received value_range of {sorted(map(str, ranges))}"
            )
        return export_classifier(
            self,
            mean_network(self.members, self._shares()),
            Path(path),
            value_range=ranges.pop(),
            metrics=None,
            quantization=quantization,
            images=images,
            tolerance=tolerance,
        )

    def _shares(self) -> NDArray[np.float64]:
        given = _read_weights(self.weights, len(self.members))
        return np.asarray(given / given.sum(), dtype=np.float64)

    def _predict_uncalibrated(
        self, X: ArrayLike, tta: TestTimeAugmentation | None = None
    ) -> NDArray[Any]:
        _check_members(self.members, self.weights)
        ranges = {tuple(map(float, member.value_range or (0, 1))) for member in self.members}
        if len(ranges) > 1 and as_array(X, "X").dtype.kind == "f":
            raise InvalidInputError(
                "floats mean different grey levels to the members, whose value_range are "
                f"{sorted(ranges)}; pass integers from 0 to 255"
            )
        answers = [member.predict_proba(X, tta=tta) for member in self.members]
        return np.tensordot(self._shares(), np.stack(answers), axes=1)

    def _grey_levels(self, X: ArrayLike) -> StoredPictures:
        return self.members[0]._grey_levels(X)  # noqa: SLF001 - of this package

    def _calibration_sources(self) -> list[CalibrationSource]:
        members = [member.calibration_ for member in self.members]
        return [source for source in (self.calibration_, *members) if source is not None]


def _member(place: int) -> str:
    return f"member_{place:03d}.fer"


def _check_members(members: Any, weights: Any) -> EmotionClassifier:
    if isinstance(members, Iterable) and not isinstance(members, Sequence):
        raise InvalidInputError(
            f"members must be a list or tuple of classifiers; received {shown(members)}"
        )
    listed = list(members) if isinstance(members, Sequence) else [members]
    if len(listed) < 2:  # noqa: PLR2004 - one alone is no ensemble
        raise InvalidInputError(f"members must be at least two classifiers; received {len(listed)}")
    first: EmotionClassifier
    first, *others = listed
    for place, member in enumerate(listed):
        if not isinstance(member, EmotionClassifier) or not hasattr(member, "classes_"):
            raise InvalidInputError(
                f"members must be fitted EmotionClassifiers; received {shown(member)} as number "
                f"{place}; of other models, average the probabilities yourself and pass the mean "
                "to evaluate_predictions"
            )
    for place, member in enumerate(others, 1):
        if not np.array_equal(member.classes_, first.classes_):
            raise InvalidInputError(
                f"members must have the same classes; number {place} has "
                f"{shown(member.classes_.tolist())}, the first {shown(first.classes_.tolist())}"
            )
        if member.class_names_ != first.class_names_:
            raise InvalidInputError(
                f"members must mean the same by their classes; number {place} has the class_names_ "
                f"{shown(member.class_names_)}, the first {shown(first.class_names_)}"
            )
        if member.image_shape_ != first.image_shape_:
            raise InvalidInputError(
                f"members must take images of one shape; number {place} takes "
                f"{member.image_shape_}, the first {first.image_shape_}"
            )
    _read_weights(weights, len(listed))
    return first


def _read_weights(weights: Any, n_members: int) -> NDArray[np.float64]:
    if weights is None:
        return np.ones(n_members)
    given = as_array(weights, "weights")
    usable = given.shape == (n_members,) and given.dtype.kind in "iuf" and np.isfinite(given).all()
    if not usable or (given < 0).any() or not given.any():
        raise InvalidInputError(
            f"weights must be {n_members} numbers from 0, one for each member; received "
            f"{shown(weights)}"
        )
    return given.astype(np.float64)
