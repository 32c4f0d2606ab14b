"""EmotionClassifier: a scikit-learn classifier that trains a Keras network on face pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from fer2013kit._compilation import compile_inference
from fer2013kit._image_input import pixel_converter
from fer2013kit._inference import predict_in_batches
from fer2013kit.classifier import _inputs, _persistence
from fer2013kit.classifier._compute_dtype import resolve_compute_dtype
from fer2013kit.classifier._continuing import (
    continue_from,
    decide_classes,
    thaw,
    trained_network,
)
from fer2013kit.classifier._network import build_network
from fer2013kit.classifier._runs import describe_run, make_batches
from fer2013kit.classifier._storage import StoredClassifier
from fer2013kit.classifier._training import train
from fer2013kit.evaluation import apply_temperature, evaluate_predictions, fit_temperature
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from fer2013kit.evaluation import EvaluationReport
    from fer2013kit.typing import TestTimeAugmentation


class EmotionClassifier(ClassifierMixin, StoredClassifier):  # type: ignore[misc]  # scikit-learn carries no types
    """A convolutional network for facial expressions that behaves as a scikit-learn classifier.

    Pictures are arrays ``(n, 48, 48)``, ``(n, 48, 48, 1)`` or ``(n, 2304)``.  Integers (uint8 or
    wider) mean grey levels 0 to 255; floats mean ``value_range``, [0, 1] unless set.  The dtype
    decides, never the values, so that the same picture is always read the same.  Labels are
    FER-2013 codes (integers 0 to 6, see :class:`Emotion`) or strings of your own.

    Parameters
    ----------
    model : str or callable, default "five_layer_cnn"
        A name from :func:`list_models` or a builder
        ``(input_shape, num_classes, **model_params) -> uncompiled keras.Model`` whose network
        takes pictures in [0, 255] and returns probabilities.
    model_params : dict, optional
        Passed on to the builder.
    epochs : int, default 60
        Passes over the training set.
    batch_size : int, default 128
        Pictures of a training step.
    optimizer : str or keras.optimizers.Optimizer, default "sgd"
        A Keras name (``"sgd"`` has Nesterov momentum 0.9), or an optimizer, which is copied and
        brings its own learning rate, weight decay and averaging.
    learning_rate : float, default 0.05
        Peak learning rate.
    learning_rate_schedule : {"cosine", "constant"}, default "cosine"
        Cosine decay to 0 over all epochs (Loshchilov & Hutter, ICLR 2017), or no decay.
    warmup_epochs : float, default 1.0
        Linear rise to the peak before the cosine; at most half of the run.
    weight_decay : float, default 1e-3
        Decoupled weight decay, times the learning rate a step; 0 for none.
    ema_momentum : float in [0, 1), default 0.999
        Averages the weights over the steps (Polyak & Juditsky, 1992); validation and the final
        model use the average.  Never longer than the last tenth of the run; 0 for none.
    loss : {"crossentropy", "focal"}, default "crossentropy"
        Categorical cross-entropy or focal loss (Lin et al., ICCV 2017).
    focal_gamma : float, default 2.0
        Focus of the focal loss.
    label_smoothing : float in [0, 1), default 0.1
        Share of the target given to all classes alike (Szegedy et al., CVPR 2016).
    class_weight : {"balanced", "inverse_sqrt", "effective_number"}, dict or array, optional
        Weight of each class in the loss, see :func:`class_weights`.  A dict's keys are
        labels as in ``y``, an array follows ``classes_``.
    augment : bool, default True
        False trains on the pictures as they are, whatever the strengths below.
    rotation, zoom, shift, horizontal_flip, brightness, contrast, erasing
        Strengths of :class:`FaceAugmentation`: defaults 12.0 degrees, 0.12, 0.08, True, 0.1,
        0.2 and 0.0.
    mixup, cutmix : float, default 0.0
        Alpha of mixup (Zhang et al., ICLR 2018) and CutMix (Yun et al., ICCV 2019); 0 for none.
    monitor : str, default "val_accuracy"
        Figure of ``history_`` that early stopping and the best weights go by; smaller is better
        where its name holds "loss".
    patience : int, optional
        Stop after so many epochs without a better ``monitor``; None never stops.
    restore_best_weights : bool, default False
        Keep the best epoch's weights rather than the last one's; needs ``validation_data``.
    compute_dtype : {"auto", "float32", "bfloat16"}, default "auto"
        Number format of the network's arithmetic; ``"auto"`` takes bfloat16 where the CPU has
        instructions for it.  ``compute_dtype_`` tells which it was.
    warm_start : bool, default False
        True goes on from the weights of the last ``fit`` or of the file that was read.  Labels
        that were all known before keep ``classes_`` as it is; for others, or other ``classes``,
        the last layer begins anew.  The optimizer always begins anew.
    freeze : {None, "convolutions"}, default None
        With ``warm_start``, keep the layers before the first fully-connected one as they are:
        less to learn, for small sets.
    checkpoint_dir : str or Path, optional
        Folder that holds the state after every epoch.  A ``fit`` with the same settings and data
        goes on from there and ends where the unbroken one would have; a finished run is not
        repeated.  The state of your own callbacks is not kept.
    image_shape : tuple of int, optional, default (48, 48, 1)
        Height, width and channels; None takes them from ``X`` in ``fit``.
    value_range : (low, high), optional, default (0.0, 1.0)
        Range of pictures given as floats; None is (0, 1) without the check that values stay
        inside, for instance for standardised pictures.
    classes : sequence, optional
        All labels there may be, if more than those of ``y`` or integers other than 0 to 6.
    verbose : {"auto", 0, 1, 2}, default "auto"
        Silent, a progress bar with the time left, or a line an epoch, on standard error;
        ``"auto"`` is a bar on a terminal and lines elsewhere.
    random_state : int, RandomState or None, default None
        With an int, the same data gives the same model on the same CPU.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
        Sorted labels; columns of ``predict_proba`` in this order.
    class_names_ : tuple of str
        The same for people: FER-2013 codes become words.
    model_ : keras.Model
        The trained network.
    history_ : dict of str to list of float
        ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``, ``learning_rate`` by epoch.
    best_epoch_ : int or None
        Epoch of the best ``monitor``, counted from 0.
    compute_dtype_ : {"float32", "bfloat16"}
        The format that was used.
    temperature_ : float
        From :meth:`calibrate`; 1.0 before.
    metrics_ : dict or None
        What :meth:`save` was given beside the weights, of a classifier that was loaded.
    image_shape_ : tuple of int
        Height, width and channels.
    n_features_in_ : int
        Pixels of a picture.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=140, random_state=0)
    >>> clf = fk.EmotionClassifier(epochs=1, verbose=0, random_state=0)
    >>> clf.fit(*data.train).predict_proba(data.train.images[:2]).shape
    (2, 7)
    """

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        soft_targets: ArrayLike | None = None,
        validation_data: Any = None,
        callbacks: Sequence[Any] = (),
    ) -> Self:
        """Train the network from the beginning, from ``checkpoint_dir``, or with ``warm_start``.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Pictures.
        y : array_like, shape (n,)
            Labels.
        sample_weight : array_like of float, shape (n,), optional
            Weight of each row in the loss, times that of its class.
        soft_targets : array_like of float, shape (n, k), optional
            Probabilities of the classes, in the sorted order of ``classes_``, that the loss aims
            at instead of the plain label: what other networks predict (distillation, Hinton et
            al., 2015) or how several people voted.  ``y`` still decides classes and weights.
        validation_data : Split or (X, y), optional
            Evaluated after every epoch, without augmentation and weights.
        callbacks : sequence of keras.callbacks.Callback
            They see the Keras network itself.

        Returns
        -------
        EmotionClassifier
            self.

        Raises
        ------
        InvalidInputError
            For unusable settings, pictures, labels or weights, or a ``checkpoint_dir`` that
            holds another run.
        UnknownModelError
            For an unknown ``model``.
        """
        self.check_settings()
        if self.restore_best_weights and validation_data is None:
            raise InvalidInputError("restore_best_weights needs validation_data in fit")
        before = trained_network(self)
        images, labels = _inputs.read_training_data(self, X, y)
        self.classes_ = decide_classes(self, labels, before)
        codes = _inputs.encode_labels(labels, self.classes_)
        weights = _inputs.row_weights(self, labels, codes, sample_weight)
        validation = None
        if validation_data is not None:
            validation = _inputs.read_validation_data(self, validation_data)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self.compute_dtype_ = resolve_compute_dtype(self.compute_dtype)
        self._build_model(seed)
        continue_from(self, before)
        targets = _inputs.training_targets(codes, self.classes_, soft_targets)
        batches = make_batches(self, images, targets, weights, seed)
        run = describe_run(self, batches, continues=before is not None)
        outcome = train(self.model_, batches, run, validation=validation, callbacks=callbacks)
        thaw(self.model_)
        self.history_ = outcome.history
        self.best_epoch_ = outcome.best_epoch
        self.temperature_ = 1.0
        self.metrics_ = None  # those of a network that it went on from are not its own
        return self

    def predict_proba(
        self, X: ArrayLike, *, tta: TestTimeAugmentation | None = None
    ) -> NDArray[np.float32]:
        """Return the probability of every class.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Pictures; memory stays the same for any ``n``.
        tta : {None, "flip", "ten_crop"}, default None
            Test-time augmentation: average over the picture and its mirror image, or over five
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
            For pictures of another shape or range, NaN, or an unknown ``tta``.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> X, y = fk.make_fer2013(n_samples=140, random_state=0).train
        >>> clf = fk.EmotionClassifier(epochs=1, verbose=0, random_state=0).fit(X, y)
        >>> clf.predict_proba(X[:3], tta="flip").shape
        (3, 7)
        """
        check_is_fitted(self)
        probabilities = self._predict_uncalibrated(X, tta)
        if self.temperature_ == 1.0:
            return probabilities
        return apply_temperature(probabilities, self.temperature_).astype(np.float32)

    def predict(self, X: ArrayLike, *, tta: TestTimeAugmentation | None = None) -> NDArray[Any]:
        """Return the most probable label of every picture.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Pictures.
        tta : {None, "flip", "ten_crop"}, default None
            As in :meth:`predict_proba`.

        Returns
        -------
        ndarray, shape (n,)
            Labels of the kind that ``fit`` was given.
        """
        winners = self.predict_proba(X, tta=tta).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[winners]
        return labels

    def evaluate(
        self, X: ArrayLike, y: ArrayLike, *, tta: TestTimeAugmentation | None = None
    ) -> EvaluationReport:
        """Measure the classifier on labelled pictures.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Pictures that were not trained on.
        y : array_like, shape (n,)
            True labels.
        tta : {None, "flip", "ten_crop"}, default None
            As in :meth:`predict_proba`.

        Returns
        -------
        EvaluationReport
            Loss, accuracy with its confidence interval, figures per class, calibration.

        Raises
        ------
        InvalidInputError
            For zero rows, lengths that differ, or labels that were not trained.
        """
        check_is_fitted(self)
        codes = _inputs.read_codes(self, X, y)
        return evaluate_predictions(
            codes, self.predict_proba(X, tta=tta), class_names=self.class_names_
        )

    def calibrate(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the temperature that makes probabilities honest (Guo et al., ICML 2017).

        The order of the classes, and so ``predict``, stays as it is.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Pictures that were not trained on, for instance the validation split.
        y : array_like, shape (n,)
            Their labels.

        Returns
        -------
        EmotionClassifier
            self, with a new ``temperature_``.
        """
        check_is_fitted(self)
        codes = _inputs.read_codes(self, X, y)
        self.temperature_ = fit_temperature(codes, self._predict_uncalibrated(X))
        return self

    @property
    def class_names_(self) -> tuple[str, ...]:
        """Names of the classes for people, in the order of ``classes_``."""
        check_is_fitted(self, "classes_")
        return _inputs.class_display_names(self.classes_, coded=self.classes is None)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "temperature_")

    def __getstate__(self) -> dict[str, Any]:
        return _persistence.picklable_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        weights = state.pop("_weights", None)
        super().__setstate__(state)
        if weights is not None:
            self._build_model(seed=0)
            self.model_.set_weights(weights)

    def _predict_uncalibrated(
        self, X: ArrayLike, tta: TestTimeAugmentation | None = None
    ) -> NDArray[np.float32]:
        return predict_in_batches(
            self._inference,
            _inputs.read_images(self, X),
            to_pixels=pixel_converter(self.value_range),
            n_classes=len(self.classes_),
            tta=tta,
        )

    def _build_model(self, seed: int) -> None:
        self.model_, self.compute_dtype_ = build_network(
            self.model,
            self.model_params or {},
            input_shape=self.image_shape_,
            num_classes=len(self.classes_),
            compute_dtype=self.compute_dtype_,
            seed=seed,
        )
        self._inference = compile_inference(self.model_, self.image_shape_)
