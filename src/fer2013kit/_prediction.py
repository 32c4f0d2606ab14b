"""What follows from the probabilities of a classifier, whatever computes them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from fer2013kit._answers import read_truth
from fer2013kit._calibration_source import calibration_note, calibration_source
from fer2013kit._checks import as_array, check_choice, check_same_length
from fer2013kit._class_order import doubt_order
from fer2013kit._labels import choose_labels, codes_in
from fer2013kit._metrics import check_weights
from fer2013kit.evaluation import (
    apply_calibrator,
    apply_temperature,
    evaluate_predictions,
    fit_calibrator,
    fit_temperature,
)
from fer2013kit.exceptions import InvalidInputError, shortened, shown, warn
from fer2013kit.typing import CalibrationMethod

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit._calibration_source import CalibrationSource
    from fer2013kit._checks import MaybeNone
    from fer2013kit._image_input import StoredPictures
    from fer2013kit.evaluation import Calibrator, EvaluationReport
    from fer2013kit.typing import TestTimeAugmentation


def apply_calibration(
    probabilities: NDArray[Any], temperature: float, calibrator: Calibrator | None
) -> NDArray[np.float32]:
    """Return probabilities as they are calibrated: by the calibrator, else by the temperature."""
    if calibrator is not None:
        probabilities = apply_calibrator(probabilities, calibrator)
    elif temperature != 1.0:
        probabilities = apply_temperature(probabilities, temperature)
    return probabilities.astype(np.float32, copy=False)


class ProbabilisticClassifier:
    """A classifier that has ``predict_proba``, ``classes_`` and ``class_names_``."""

    classes_: NDArray[Any]
    class_names_: tuple[str, ...]
    image_shape_: tuple[int, int, int]
    calibration_: CalibrationSource | MaybeNone

    @abstractmethod
    def predict_proba(
        self, X: ArrayLike, *, tta: TestTimeAugmentation | None = None
    ) -> NDArray[np.float32]:
        """Return the probability of every class."""

    def predict_log_proba(
        self, X: ArrayLike, *, tta: TestTimeAugmentation | None = None
    ) -> NDArray[np.float32]:
        """Return the natural logarithm of every class's probability.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Images.
        tta : {None, "flip", "ten_crop"}, default None
            As in :meth:`predict_proba`.

        Returns
        -------
        ndarray of float32, shape (n, k)
            ``np.log(predict_proba(X))``, as everywhere in scikit-learn: minus infinity where a
            probability is 0, being smaller than float32 can hold.

        See Also
        --------
        EmotionClassifier.predict_proba : The probabilities themselves.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).test
        >>> fk.EmotionClassifier.from_pretrained().predict_log_proba(X).shape
        (7, 7)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X, tta=tta))

    def predict(
        self,
        X: ArrayLike,
        *,
        tta: TestTimeAugmentation | None = None,
        min_confidence: float | None = None,
        reject_label: Any = None,
    ) -> NDArray[Any]:
        """Return the most probable label of every image.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Images.
        tta : {None, "flip", "ten_crop"}, default None
            As in :meth:`predict_proba`.
        min_confidence : float in [0, 1], optional
            Images whose most probable class has less get ``reject_label``.  Calibrate first;
            :func:`risk_coverage_curve` then shows what a threshold costs and gains.
        reject_label : int or str, optional
            By default -1, or ``"uncertain"`` where labels are words.

        Returns
        -------
        ndarray, shape (n,)
            Labels, out of ``classes_``, or ``reject_label``.

        Raises
        ------
        InvalidInputError
            As in :meth:`predict_proba`; for a confidence outside [0, 1], or a ``reject_label``
            that is a class or of another kind.

        See Also
        --------
        EmotionClassifier.predict_proba : How probable each class is.
        risk_coverage_curve : Helps to choose `min_confidence`.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).test
        >>> fk.EmotionClassifier.from_pretrained().predict(X[:2], min_confidence=1)
        array([-1, -1])
        """
        return choose_labels(
            self.predict_proba(X, tta=tta),
            self.classes_,
            min_confidence=min_confidence,
            reject_label=reject_label,
        )

    def evaluate(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        tta: TestTimeAugmentation | None = None,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        clusters: ArrayLike | None = None,
    ) -> EvaluationReport:
        """Measure how good the answers are on labelled images.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Images that were not trained on.
        y : array_like, shape (n,), or of float, shape (n, k)
            True labels, out of ``classes_``, or names as in ``class_names_``.  Or the share of each
            class in the votes of several people, as :func:`evaluate_predictions` takes them.
        tta : {None, "flip", "ten_crop"}, default None
            As in :meth:`predict_proba`.
        sample_weight : array_like of float, shape (n,), optional
            How much each image counts, as in :func:`evaluate_predictions`.
        groups : array_like of int or str, shape (n,), optional
            Adds a report for each group of images, as in :func:`evaluate_predictions`.
        clusters : array_like of int or str, shape (n,), optional
            Which images belong together, such as those of one person, as in
            :func:`evaluate_predictions`: the accuracy's interval takes it into account.

        Returns
        -------
        EvaluationReport
            Loss, accuracy with its confidence interval, figures per class, calibration.  Its
            ``notes`` say so where the calibration was fitted on these images, or some of them.

        Raises
        ------
        InvalidInputError
            For images that :meth:`predict_proba` refuses, other than one label an image, a
            label that is no class, weights that are negative, not finite or all 0, or shares of
            votes, groups or clusters that :func:`evaluate_predictions` refuses.

        Warns
        -----
        Fer2013KitWarning
            Where classes are taken for one another, as by :func:`evaluate_predictions`.

        See Also
        --------
        evaluate_predictions : The same for any probabilities.
        compare_predictions : Two models on the same images.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).test
        >>> fk.EmotionPredictor.from_pretrained().evaluate(X, y).n_samples == len(y)
        True
        """
        probabilities = self.predict_proba(X, tta=tta)
        truth = self._truth(y, len(probabilities))
        report = evaluate_predictions(
            truth,
            probabilities,
            class_names=self.class_names_,
            sample_weight=sample_weight,
            groups=groups,
            clusters=clusters,
        )
        note = calibration_note(self._calibration_sources(), self._grey_levels(X))
        return report if note is None else replace(report, notes=(note,))

    def _truth(self, y: ArrayLike, n_images: int) -> NDArray[Any]:
        """Return the place in ``classes_`` of each image's label, or the shares of its votes."""
        shape, shares = as_array(y, "y").shape, None
        if len(shape) != 2 or shape[1] == 1:  # noqa: PLR2004 - rows and columns
            codes = codes_in(y, self.classes_, self.class_names_, name="y")
        else:
            codes, shares = read_truth(y, self.class_names_, name="y")
        check_same_length(range(n_images), codes, names=("X", "y"))
        return codes if shares is None else shares

    @abstractmethod
    def _grey_levels(self, X: ArrayLike) -> StoredPictures:
        """Return images in [0, 255], which stay where they are."""

    def _calibration_sources(self) -> list[CalibrationSource]:
        """Return what the probabilities were fitted to."""
        return [] if self.calibration_ is None else [self.calibration_]


class CalibratedClassifier(ProbabilisticClassifier):
    """One whose probabilities can be fitted to how often they are right."""

    temperature_: float
    calibrator_: Calibrator | MaybeNone

    @abstractmethod
    def _predict_uncalibrated(
        self, X: ArrayLike, tta: TestTimeAugmentation | None = None
    ) -> NDArray[Any]:
        """Return the probabilities that the calibration starts from, float of any width."""

    def predict_proba(
        self, X: ArrayLike, *, tta: TestTimeAugmentation | None = None
    ) -> NDArray[np.float32]:
        """Return the probability of every class.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Images; memory stays the same for any ``n``.
        tta : {None, "flip", "ten_crop"}, default None
            Test-time augmentation: average over the image and its mirror image, or over five
            windows and their mirror images (2 or 10 times the work).

        Returns
        -------
        ndarray of float32, shape (n, k)
            Columns follow ``classes_``; rows sum to 1.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        InvalidInputError
            For images of another shape or range, NaN, or an unknown ``tta``.

        See Also
        --------
        EmotionClassifier.predict : The most probable class.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).test
        >>> clf = fk.EmotionClassifier.from_pretrained()
        >>> clf.predict_proba(X[:3], tta="flip").shape
        (3, 7)
        """
        return apply_calibration(
            self._predict_uncalibrated(X, tta), self.temperature_, self.calibrator_
        )

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy, as every classifier of scikit-learn does.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Images that were not trained on.
        y : array_like, shape (n,)
            True labels, spelt as in ``classes_``.
        sample_weight : array_like of float, shape (n,), optional
            How much each image counts.

        Returns
        -------
        float
            The share of images whose most probable class is the label.

        Raises
        ------
        InvalidInputError
            For another number of labels or weights than images, and what is no label.

        Warns
        -----
        Fer2013KitWarning
            For labels that are no class, each of which counts as wrong: a fold of
            cross-validation may hold some.  And where classes are taken for one another, as by
            :func:`evaluate_predictions`.

        See Also
        --------
        EmotionClassifier.evaluate : More figures; understands other words for an emotion.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).test
        >>> clf = fk.EmotionClassifier.from_pretrained()
        >>> clf.score(X, y) == clf.evaluate(X, y).accuracy
        True
        """
        from sklearn.metrics import accuracy_score

        predicted, truth = self.predict(X), as_array(y, "y")
        weights = check_weights(sample_weight, len(predicted))
        try:
            accuracy = float(accuracy_score(truth, predicted, sample_weight=weights))
        except (TypeError, ValueError) as error:
            raise InvalidInputError(
                f"y must be a label for each image of X: {shortened(str(error))}"
            ) from error
        strange = set(truth.ravel().tolist()) - set(self.classes_.tolist())
        if strange:
            warn(
                f"y holds labels that are none of the classes {shown(self.classes_.tolist())} and "
                f"count as wrong: {shown(sorted(strange, key=str))}; evaluate understands other "
                "spellings of them, and refuses other words"
            )
        else:
            n = len(predicted)
            codes = self._truth(truth.ravel(), n), self._truth(predicted, n)
            doubt_order(*codes, self.class_names_)
        return accuracy

    def calibrate(
        self, X: ArrayLike, y: ArrayLike, *, method: CalibrationMethod = "temperature"
    ) -> Self:
        """Make probabilities honest: fit them to how often they are right.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Images that were not trained on, for instance the validation split.
        y : array_like, shape (n,), or of float, shape (n, k)
            Their labels, or the shares of votes, as in :meth:`evaluate`: probabilities then come
            near the shares.
        method : {"temperature", "vector", "isotonic"}, default "temperature"
            One number for all classes, under which the order of the classes, and so ``predict``,
            stays as it is (Guo et al., ICML 2017); or a factor and a shift of the logarithm of each
            class's probability (the same; Kull et al., NeurIPS 2019); or a rising curve of each
            class's probability (Zadrozny and Elkan, KDD 2002), by scikit-learn.  The latter two
            need every class and change some predictions; curves need a thousand images or more,
            and cannot be exported.

        Returns
        -------
        EmotionClassifier or EnsembleClassifier
            The classifier itself, with a new ``temperature_`` or ``calibrator_``.  An ensemble's
            members stay as they are: it is their mean that is calibrated.

        Raises
        ------
        InvalidInputError
            For an unknown method, labels that are no classes, or classes without images.

        Warns
        -----
        Fer2013KitWarning
            Where classes are taken for one another, as by :func:`evaluate_predictions`.

        See Also
        --------
        EmotionClassifier.evaluate : Measures the calibration error.
        plot_reliability : Draws it.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> data = fk.make_fer2013(n_samples=140, random_state=0)
        >>> clf = fk.EmotionClassifier.from_pretrained()
        >>> clf.calibrate(*data.validation, method="vector").calibrator_["method"]
        'vector'
        """
        check_choice("method", method, CalibrationMethod)
        probabilities = self._predict_uncalibrated(X)
        truth = self._truth(y, len(probabilities))
        codes = truth if truth.ndim == 1 else truth.argmax(axis=1)
        doubt_order(codes, probabilities.argmax(axis=1), self.class_names_)
        if method == "temperature":
            self.temperature_, self.calibrator_ = fit_temperature(truth, probabilities), None
        else:
            calibrator = fit_calibrator(truth, probabilities, method)
            self.temperature_, self.calibrator_ = 1.0, calibrator
        self.calibration_ = calibration_source(self._grey_levels(X))
        return self
