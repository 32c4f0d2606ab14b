"""EmotionClassifier: a scikit-learn classifier that trains a Keras network on face images."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _clone_parametrized,
)
from sklearn.utils.validation import check_is_fitted

from fer2013kit._compilation import compile_inference
from fer2013kit._image_input import StoredPictures, pixel_converter
from fer2013kit._inference import in_batches, predict_in_batches
from fer2013kit._keras_settings import keras_settings
from fer2013kit._prediction import CalibratedClassifier
from fer2013kit.classifier import _inputs, _persistence
from fer2013kit.classifier._distillation import DEFAULT_ALPHA, DEFAULT_TEMPERATURE
from fer2013kit.classifier._export import export_classifier
from fer2013kit.classifier._features import compile_features
from fer2013kit.classifier._fitted import Architecture, Fitted, rebuild_network
from fer2013kit.classifier._fitting import fit_network
from fer2013kit.classifier._warm_start import begins_trained
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.evaluation import EvaluationReport
from fer2013kit.exceptions import InvalidInputError, TrainingDivergedError, shown, warn
from fer2013kit.pretrained import DEFAULT_NAME, find_pretrained

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import keras
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit.export import ExportReport
    from fer2013kit.typing import (
        ClassWeight,
        ComputeDtype,
        Freeze,
        LearningRateSchedule,
        Loss,
        ModelBuilder,
        Quantization,
        TestTimeAugmentation,
        Verbose,
        WeightsDtype,
    )

logger = logging.getLogger(__name__)

_MODEL_PARAM: Final = "model_params__"


@dataclass(eq=False, repr=False)  # writes __init__; the rest is scikit-learn's
class EmotionClassifier(
    CalibratedClassifier,
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]  # scikit-learn carries no types
    ClassifierMixin,  # type: ignore[misc]  # the same
    TransformerMixin,  # type: ignore[misc]  # the same
    BaseEstimator,  # type: ignore[misc]  # the same
):
    """A convolutional network for facial expressions that behaves as a scikit-learn classifier.

    Images are arrays ``(n, 48, 48)``, ``(n, 48, 48, 1)`` or ``(n, 2304)``.  Integers (uint8 or
    wider) mean grey levels 0 to 255; floats mean ``value_range``, [0, 1] unless set.  The dtype
    decides, never the values, so that the same image is always read the same.  Labels are
    FER-2013 codes (integers 0 to 6, see :class:`Emotion`) or strings of your own.

    Parameters
    ----------
    model : str or callable, default "five_layer_cnn"
        A name from :func:`list_models` or a builder
        ``(input_shape, num_classes, **model_params) -> uncompiled keras.Model`` whose network
        takes images in [0, 255] and returns probabilities.
    model_params : dict, optional
        Passed on to the builder.
    output : str, optional
        Of several outputs of the network, the name of the one that is trained and answers; by
        default the first one that fits.
    epochs : int, default 60
        Passes over the training set.
    batch_size : int, default 128
        Images of a training step, where ``fit`` is given arrays; batches are taken as they come.
    optimizer : str or keras.optimizers.Optimizer, default "sgd"
        A Keras name (``"sgd"`` has Nesterov momentum 0.9), or an optimizer, which is copied and
        brings its own learning rate, weight decay and averaging.
    learning_rate : float, default 0.05
        Peak learning rate.
    learning_rate_schedule : {"cosine", "constant"}, default "cosine"
        Cosine decay to 0 over all epochs (Loshchilov & Hutter, ICLR 2017), or no decay.
    warmup_epochs : float, default 1.0
        Linear rise to the peak before the cosine; at most half of the run.  None where the rate is
        constant.
    weight_decay : float, default 1e-3
        Decoupled weight decay, times the learning rate a step; 0 for none.
    ema_momentum : float in [0, 1), default 0.999
        Averages the weights over the steps (Polyak & Juditsky, 1992); validation and the final
        model use the average.  Never longer than the last tenth of the run; 0 for none.
    loss : {"crossentropy", "focal"} or keras.losses.Loss, default "crossentropy"
        Categorical cross-entropy, focal loss (Lin et al., ICCV 2017), or a loss of one-hot
        targets and probabilities, which is copied; ``focal_gamma`` and ``label_smoothing`` are
        for the first two.
    focal_gamma : float, default 2.0
        Focus of the focal loss.
    label_smoothing : float in [0, 1), default 0.1
        Share of the target given to all classes alike (Szegedy et al., CVPR 2016).
    class_weight : {"balanced", "inverse_sqrt", "effective_number"}, dict or array, optional
        Weight of each class in the loss, see :func:`class_weights`.  The keys of a dict, or the
        index of a pandas Series, are labels as in ``y``; an array follows ``classes_``.
    augment : bool, default True
        False trains on the images as they are, whatever the strengths below.
    rotation, zoom, shift : float, default 12.0 (degrees), 0.12 and 0.08
        As in :class:`FaceAugmentation`.
    horizontal_flip : bool, default True
        As in :class:`FaceAugmentation`.
    brightness, contrast, erasing : float, default 0.1, 0.2 and 0.0
        As in :class:`FaceAugmentation`.
    mixup, cutmix : float, default 0.0
        Alpha of mixup (Zhang et al., ICLR 2018) and CutMix (Yun et al., ICCV 2019); 0 for none.
    calm_epochs : int, default 0
        This many epochs at the end use half the geometric and lighting augmentation, and neither
        erasing nor mixing, so that training ends with images like those at inference.
    metrics : sequence of str or keras.metrics.Metric, default ()
        Further figures for ``history_``, of one-hot targets and probabilities; they are copied.
    monitor : str, default "val_accuracy"
        Figure of ``history_`` that early stopping and the best weights go by; smaller is better
        for losses, errors, divergences and entropies, by their names in Keras (``"val_loss"``,
        ``"val_mse"``).  One that no epoch brings is refused.
    patience : int, optional
        Stop after this many epochs without improvement in ``monitor``; None never stops.
    restore_best_weights : bool, default False
        Keep the best epoch's weights rather than the last one's; needs ``validation_data`` where
        ``monitor`` is a figure of it.
    validation_fraction : float in [0, 1), default 0.0
        Part of the training set that is held out for ``val_*`` where ``fit`` is given no
        ``validation_data``, as inside a grid search: of every class alike, and copies of an image
        together.
    validation_groups : array_like of shape (n,) or callable, optional
        Group of each row, a person for instance: each group is held out whole or not at all.  In a
        search, where ``fit`` is given a part of the rows, a function of the ``X`` that it is given,
        ``lambda X: people[X.index]`` for a table.
    compute_dtype : {"auto", "float32", "bfloat16"}, default "auto"
        Number format of the network's arithmetic; ``"auto"`` takes bfloat16 where the CPU has
        instructions for it and Keras runs on TensorFlow, but for depthwise convolutions, which are
        faster in float32.
    warm_start : bool, default False
        True continues from the weights of the last ``fit`` or of the loaded file.  Labels that were
        all known before keep ``classes_`` as it is; for others, or other ``classes``, the last
        layer begins anew.  The optimizer always begins anew, and so does scikit-learn's clone of a
        fitted classifier, which warns.
    freeze : "convolutions", str, int or callable, optional
        With ``warm_start`` or a network that brings weights, layers to freeze, for small data sets:
        those before the fully-connected end, those up to a layer's name (also inside a backbone),
        the first n, or those for which a function of a layer returns True.
    checkpoint_dir : str or Path, optional
        Folder for a checkpoint after every epoch.  A ``fit`` with the same settings and data
        resumes from there and ends with the same result as an uninterrupted one; a finished run is
        not repeated.  The state of your own callbacks is not kept.
    image_shape : tuple of int, optional, default (48, 48, 1)
        Height, width and channels; None takes them from ``X`` in ``fit``.
    value_range : (low, high), optional, default (0.0, 1.0)
        Range of images given as floats; None is (0, 1) without the check that values stay
        inside, for instance for standardised images.
    classes : sequence, optional
        All labels there may be, if more than those of ``y`` or integers other than 0 to 6.
    class_names : sequence of str, optional
        Words for people, in the order of ``classes`` or of the sorted labels; labels that are such
        words go by themselves, and a label that would get another one's name is refused.  With
        integer labels and no ``classes``, as many codes from 0 as there are words.
    verbose : {"auto", 0, 1, 2}, default "auto"
        Silent, a progress bar with the time left, or a line an epoch, on standard error;
        ``"auto"`` is a bar on a terminal and lines elsewhere.
    random_state : int, RandomState or None, default None
        With an int, the same data gives the same model on the same CPU and as many threads.

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
    threads_ : int or None
        Threads of the arithmetic in ``fit``, on which the promise of ``random_state`` depends;
        None for a file of an older version.
    temperature_ : float
        From :meth:`calibrate`; 1.0 before.
    calibrator_ : dict or None
        From :meth:`calibrate` with another method than the temperature: the method, its numbers.
    calibration_ : dict or None
        What :meth:`calibrate` was given: ``"n_samples"``, and ``"digests"`` of up to 256 images.
    metrics_ : dict or None
        What :meth:`save` was given beside the weights, of a classifier that was loaded.
    image_shape_ : tuple of int
        Height, width and channels.
    n_features_in_ : int
        Pixels of an image.

    See Also
    --------
    EmotionPredictor : Predicts with an exported network, without TensorFlow.
    EnsembleClassifier : Several networks as one.
    create_model : The networks by their names.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=140, random_state=0)
    >>> clf = fk.EmotionClassifier(epochs=1, verbose=0, random_state=0)
    >>> clf.fit(*data.train).predict_proba(data.train.images[:2]).shape
    (2, 7)
    """

    model: str | ModelBuilder = "five_layer_cnn"
    _: KW_ONLY
    model_params: Mapping[str, Any] | None = None
    output: str | None = None
    epochs: int = 60
    batch_size: int = 128
    optimizer: Any = "sgd"
    learning_rate: float = 0.05
    learning_rate_schedule: LearningRateSchedule = "cosine"
    warmup_epochs: float = 1.0
    weight_decay: float = 1e-3
    ema_momentum: float = 0.999
    # A Keras loss is one; named as its class, which carries no types, it would be any string.
    loss: Loss | Callable[..., Any] = "crossentropy"
    focal_gamma: float = 2.0
    label_smoothing: float = 0.1
    class_weight: ClassWeight | None = None
    augment: bool = True
    rotation: float = 12.0
    zoom: float = 0.12
    shift: float = 0.08
    horizontal_flip: bool = True
    brightness: float = 0.1
    contrast: float = 0.2
    erasing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    calm_epochs: int = 0
    metrics: Sequence[Any] = ()
    monitor: str = "val_accuracy"
    patience: int | None = None
    restore_best_weights: bool = False
    validation_fraction: float = 0.0
    validation_groups: ArrayLike | Callable[[Any], ArrayLike] | None = None
    compute_dtype: ComputeDtype = "auto"
    warm_start: bool = False
    freeze: Freeze | str | int | Callable[[Any], bool] | None = None
    checkpoint_dir: str | Path | None = None
    image_shape: tuple[int, int, int] | None = IMAGE_SHAPE
    value_range: tuple[float, float] | None = (0.0, 1.0)
    classes: Sequence[Any] | None = None
    class_names: Sequence[str] | None = None
    verbose: Verbose = "auto"
    random_state: int | np.random.RandomState | None = None

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the constructor, or one of ``model_params``.

        Parameters
        ----------
        **params
            By name; ``model_params__filters=(8, 8, 8)`` changes the builder's ``filters`` alone, so
            that a grid search can try it.

        Returns
        -------
        EmotionClassifier
            The classifier itself.

        See Also
        --------
        EmotionClassifier.fit : Trains with them.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> clf = fk.EmotionClassifier(model_params={"crop": 0}).set_params(model_params__filters=3)
        >>> clf.model_params
        {'crop': 0, 'filters': 3}
        """
        inner = {
            name.removeprefix(_MODEL_PARAM): params.pop(name)
            for name in list(params)
            if name.startswith(_MODEL_PARAM)
        }
        super().set_params(**params)
        if inner:
            self.model_params = {**(self.model_params or {}), **inner}
        return self

    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        steps_per_epoch: int | None = None,
        soft_targets: ArrayLike | None = None,
        teacher: Any = None,
        distillation_alpha: float = DEFAULT_ALPHA,
        distillation_temperature: float = DEFAULT_TEMPERATURE,
        validation_data: Any = None,
        callbacks: Sequence[Any] = (),
    ) -> Self:
        """Train the network from the beginning, from ``checkpoint_dir``, or with ``warm_start``.

        Parameters
        ----------
        X : array_like, keras.utils.PyDataset, tf.data.Dataset or callable
            Images (n, 48, 48), (n, 48, 48, 1) or (n, 2304); more than 512 MiB of them, mapped
            from a file for instance, are read batch by batch and never copied.  Or batches
            ``(pictures, labels)`` or ``(pictures, labels, weights)``, which are read in their own
            order, augmented and weighted like others: a dataset, or a function of the epoch
            (from 0) that returns an iterator of them.  They need ``classes``.
        y : array_like, shape (n,)
            Labels; none beside batches, whose labels may be rows of probabilities, too.
        sample_weight : array_like of float, shape (n,), optional
            Weight of each row in the loss, times that of its class.  As in Keras they are not
            scaled: with a mean far from 1, ``learning_rate`` no longer fits.
        steps_per_epoch : int, optional
            Batches of an epoch, where ``X`` gives batches; by default as many as it has.
        soft_targets : array_like or data frame of float, shape (n, k), optional
            Probabilities of the classes, in the sorted order of ``classes_`` (columns of a data
            frame go by their names), that the loss aims at instead of the plain label: what other
            networks predict (distillation, Hinton et al., 2015) or how several people voted.
            ``y`` still decides classes and weights.  An image whose row is all zero is left out,
            as those of FER+ on which nobody agrees.
        teacher : object, optional
            A fitted classifier of the same classes, or anything with ``predict_proba``: an
            :class:`EnsembleClassifier` for instance.  Its predictions for the images without
            augmentation become part of the training targets (distillation).
        distillation_alpha : float in [0, 1], default 0.5
            The teacher's share of the targets; the labels or ``soft_targets`` have the rest.
            Refused without a teacher, as the temperature is.
        distillation_temperature : float, default 1.0
            Above 1, the teacher's probabilities are flattened, so that its less likely classes
            count more.  Hinton et al. flatten the student's probabilities, too; this method does
            not.
        validation_data : Split or (X, y), optional
            Evaluated after every epoch, without augmentation and class weights; or batches.
            ``y`` may be rows of probabilities, as `soft_targets`.
        callbacks : sequence of keras.callbacks.Callback
            They see the Keras network itself, at the end of an epoch with the weights that were
            validated; training continues with weights that a callback sets.  Metrics that it adds
            to ``logs`` appear in ``history_``.

        Returns
        -------
        EmotionClassifier
            The classifier itself.

        Raises
        ------
        InvalidInputError
            For unusable settings, images, labels or weights, or a ``checkpoint_dir`` that
            holds another run, or one of another network.
        UnknownModelError
            For an unknown ``model``.
        TrainingDivergedError
            If the loss is no number in the first epoch.  Later on, the last good epoch's weights
            are kept, with scikit-learn's ``ConvergenceWarning``.

        Warns
        -----
        Fer2013KitWarning
            Where `soft_targets` favour another class than ``y`` for more than half of the images;
            for emotions that are numbered in another order than their names, as by the alphabet, if
            a bundled network can tell from some of the images; for a class that is nearly the word
            of an emotion, among others that are, and for two classes of one word; for images of
            integers that are all 0 or 1, as fractions cast to integers are; for settings that were
            changed and have no effect beside others, such as ``rotation`` beside ``augment=False``;
            for a loaded or bundled classifier without ``warm_start``, whose weights are not used.

        See Also
        --------
        EmotionClassifier.evaluate : Measures how good the result is.
        EmotionClassifier.calibrate : Makes its probabilities honest.
        training_batches : The same batches for your own training loop.

        Notes
        -----
        A fit that is interrupted or fails leaves the classifier unchanged.  The exception's
        attribute ``history_`` holds the metrics of the epochs so far.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).train
        >>> small = {"filters": (4, 4, 4), "dense_units": 8}
        >>> clf = fk.EmotionClassifier(model_params=small, epochs=1, verbose=0, random_state=0)
        >>> clf.fit(X, y).predict(X[:2]).shape
        (2,)
        """
        twin = self._twin()
        with keras_settings():
            trained = fit_network(
                twin,
                X,
                y,
                sample_weight=sample_weight,
                steps_per_epoch=steps_per_epoch,
                soft_targets=soft_targets,
                teacher=teacher,
                distillation_alpha=distillation_alpha,
                distillation_temperature=distillation_temperature,
                validation_data=validation_data,
                callbacks=callbacks,
            )
            twin._take(*trained)  # noqa: SLF001 - its own
        self.__dict__ = twin.__dict__
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the input of the network's last layer, as features for other estimators.

        Parameters
        ----------
        X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
            Images.

        Returns
        -------
        ndarray of float32, shape (n, d)
            The penultimate activations: the input of the last layer with a kernel, with maps
            averaged over the image.

        See Also
        --------
        EmotionClassifier.predict_proba : What the last layer makes of them.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).test
        >>> clf = fk.EmotionClassifier.from_pretrained()
        >>> clf.transform(X).shape
        (7, 256)
        >>> clf.get_feature_names_out()[:2]
        array(['emotionclassifier0', 'emotionclassifier1'], dtype=object)
        """
        check_is_fitted(self)
        images, to_pixels = _inputs.read_images(self, X), pixel_converter(self.value_range)
        return in_batches(lambda batch: self._features(to_pixels(batch)), images)

    @property
    def _n_features_out(self) -> int:
        nothing = np.zeros((1, *self.image_shape_), np.uint8)
        return int(self._features(nothing).shape[1])

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
            The file; by custom it ends in ``.fer``, and never as a file of :meth:`export` does.
        metrics : EvaluationReport or mapping, optional
            Figures to keep beside the weights, for people; ``metrics_`` after loading.
        weights_dtype : {"float32", "float16"}, default "float32"
            How weights are stored; ``"float16"`` halves the file and keeps three digits.  They
            are read as float32 either way.

        Raises
        ------
        InvalidInputError
            For another ``weights_dtype``, weights that float16 cannot hold, metrics that are no
            mapping, or a path that names no file or another format.

        See Also
        --------
        EmotionClassifier.load : Reads the file.
        EmotionClassifier.export : Files for other programs.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> import fer2013kit as fk
        >>> clf = fk.EmotionClassifier.from_pretrained()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "emotions.fer")
        ...     clf.save(path)
        ...     again = fk.EmotionClassifier.load(path)
        >>> again.class_names_ == clf.class_names_
        True
        """
        check_is_fitted(self)
        fitted = self._fitted()
        if metrics is not None:
            given = metrics.as_dict() if isinstance(metrics, EvaluationReport) else metrics
            if not isinstance(given, Mapping):
                raise InvalidInputError(
                    f"metrics must be a mapping or an EvaluationReport; received {shown(metrics)}"
                )
            fitted = replace(fitted, metrics=dict(given))
        _persistence.save(
            Path(path),
            fitted,
            params=self.get_params(deep=False),
            architecture=self._architecture,
            weights=_persistence.stored_weights(self.model_.get_weights(), weights_dtype),
        )

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        model: str | ModelBuilder | None = None,
        compute_dtype: ComputeDtype | None = None,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Sequence[Any] | None = None,
    ) -> Self:
        """Read a classifier that :meth:`save` wrote; nothing from the file is run.

        Parameters
        ----------
        path : str or Path
            The file.
        model : str or callable, optional
            The builder of an architecture that is not registered under the saved name.
        compute_dtype : {"auto", "float32", "bfloat16"}, optional
            The number format to predict in; by default that of the file.  Another one moves
            probabilities by some thousandths.
        optimizer, loss, metrics : optional
            Those of Keras that it was trained with, for a further ``fit``: the file notes their
            names alone, and the defaults take their place.

        Returns
        -------
        EmotionClassifier
            Fitted, predicting as before; ``compute_dtype_`` says in which format.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, of a newer format, or its weights do not fit the
            architecture.
        UnknownModelError
            If the architecture is not registered and no ``model`` is given.
        InvalidInputError
            For another ``compute_dtype``, optimizer, loss or metrics than there may be.

        See Also
        --------
        EmotionClassifier.save : Writes the file.
        load_predictor : Any file that predicts.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> import tempfile
        >>> clf = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = clf.save(f"{folder}/emotions.fer")
        ...     fk.EmotionClassifier.load(f"{folder}/emotions.fer").class_names_[3]
        'happy'
        """
        given = {"optimizer": optimizer, "loss": loss, "metrics": metrics}
        given = {name: value for name, value in given.items() if value is not None}
        return cls._read(Path(path), model=model, compute_dtype=compute_dtype, given=given)

    @classmethod
    def _read(
        cls,
        path: Path,
        content: bytes | None = None,
        *,
        model: str | ModelBuilder | None = None,
        compute_dtype: ComputeDtype | None,
        given: Mapping[str, Any] = MappingProxyType({}),
    ) -> Self:
        stored = _persistence.load(
            path,
            content=content,
            model=model,
            compute_dtype=compute_dtype,
            given=given,
            defaults=cls().get_params(deep=False),
        )
        classifier = cls(**stored.params)
        with _persistence.misfit_as_error(path, stored.architecture):
            classifier._become(
                stored.fitted, stored.architecture, stored.weights, stored.compute_dtype, path.name
            )
        if compute_dtype is not None:
            logger.info("%s: predicting in %s", path, classifier.compute_dtype_)
        return classifier

    @classmethod
    def from_pretrained(
        cls, name: str = DEFAULT_NAME, *, compute_dtype: ComputeDtype = "auto"
    ) -> Self:
        """Return a classifier that ships with the package, trained and calibrated.

        Nothing is downloaded.  Its settings are those it was trained with; set ``warm_start``
        and a smaller ``learning_rate`` to train it further on images of your own.

        Parameters
        ----------
        name : str, default "five_layer_cnn"
            One of :func:`list_pretrained`.
        compute_dtype : {"auto", "float32", "bfloat16"}, default "auto"
            The number format to predict in; ``compute_dtype_`` and a log record say which.

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

        See Also
        --------
        list_pretrained : The names.
        EmotionPredictor.from_pretrained : The same without TensorFlow.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> clf = fk.EmotionClassifier.from_pretrained()
        >>> clf.class_names_
        ('angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral')
        """
        return cls._read(*find_pretrained(name, "classifier"), compute_dtype=compute_dtype)

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
            Images as for :meth:`predict`: what ``"int8"`` is fitted to, and what the check
            compares; by default the check takes drawn faces.
        tolerance : float, optional
            Largest difference of a probability that is let through: by default 0.001, 0.1 with
            ``"dynamic"`` and 0.25 with ``"int8"``.

        Returns
        -------
        ExportReport
            The size, the largest difference, and how many images get the same class.

        Raises
        ------
        InvalidInputError
            For an unknown ending or quantization, ``"int8"`` without ``images``, a classifier of
            ``value_range=None``, whose images are no grey levels, or one that was calibrated by
            isotonic curves.
        MissingDependencyError
            If a library for the format is missing.
        ModelFileError
            If the result does not agree; nothing is written then.

        See Also
        --------
        EmotionPredictor.load : Reads ``.tflite`` and ``.onnx``.
        EmotionClassifier.save : The file for further training.

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
        network, _ = rebuild_network(self._fitted(), self._architecture, self.model_.get_weights())
        return export_classifier(
            self,
            network,
            Path(path),
            value_range=self.value_range,
            metrics=self.metrics_,
            quantization=quantization,
            images=images,
            tolerance=tolerance,
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "temperature_")

    def __sklearn_clone__(self) -> Self:
        if begins_trained(self):
            warn(
                "a clone has no trained weights, so that warm_start begins anew there: "
                "cross_val_score, GridSearchCV and the like would measure a network that was never "
                "trained before. To measure how it is trained on, fit copy.deepcopy(classifier) in "
                "a loop over the folds; tune keeps the weights"
            )
        # Keras copies a loss by its configuration, which it does not keep whole: Huber's lacks
        # delta.  A loss holds no state, and a fit takes a copy of its own.
        bare = self._twin()
        bare.loss = "crossentropy"
        twin: Self = _clone_parametrized(bare)
        twin.loss = self.loss
        return twin

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # features are float32
        return tags

    def __getstate__(self) -> dict[str, Any]:
        return _persistence.picklable_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = _persistence.unpickled_state(state)
        weights = state.pop("_weights", None)
        super().__setstate__(state)
        if weights is not None:
            self._become(self._fitted(), self._architecture, weights, self.compute_dtype_)

    def _twin(self) -> Self:
        """Return a classifier with the same attributes, for a fit that may come to nothing."""
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def _fitted(self) -> Fitted:
        return Fitted(**{one.name: getattr(self, f"{one.name}_") for one in fields(Fitted)})

    def _become(
        self,
        fitted: Fitted,
        architecture: Architecture,
        weights: Sequence[NDArray[Any]],
        compute_dtype: ComputeDtype,
        file: str | None = None,
    ) -> None:
        """Build the network of a classifier that was fitted elsewhere."""
        network, used = rebuild_network(fitted, architecture, weights, compute_dtype=compute_dtype)
        self._take(replace(fitted, compute_dtype=used), architecture, network, file)

    def _take(
        self,
        fitted: Fitted,
        architecture: Architecture,
        network: keras.Model,
        file: str | None = None,
    ) -> None:
        """Set every attribute of a fitted classifier."""
        self.classes_ = fitted.classes
        self.class_names_ = fitted.class_names
        self.image_shape_ = fitted.image_shape
        self.n_features_in_ = int(np.prod(fitted.image_shape))
        self.compute_dtype_ = fitted.compute_dtype
        self.history_ = fitted.history
        self.best_epoch_ = fitted.best_epoch
        self.temperature_ = fitted.temperature
        self.calibration_ = fitted.calibration
        self.calibrator_ = fitted.calibrator
        self.metrics_ = fitted.metrics
        self.threads_ = fitted.threads
        self.model_ = network
        self._architecture = architecture
        self._file = file  # whose weights a fit leaves aside, unless warm_start is set
        self._inference = compile_inference(network, fitted.image_shape)
        self._features = compile_features(network, fitted.image_shape)

    def _predict_uncalibrated(
        self, X: ArrayLike, tta: TestTimeAugmentation | None = None
    ) -> NDArray[np.float32]:
        check_is_fitted(self)
        probabilities = predict_in_batches(
            self._inference,
            _inputs.read_images(self, X),
            to_pixels=pixel_converter(self.value_range),
            n_classes=len(self.classes_),
            tta=tta,
        )
        if not np.isfinite(probabilities).all():
            raise TrainingDivergedError(
                "the network gives no numbers: its weights hold NaN or infinity; fit it again, or "
                "give model_ other weights"
            )
        return probabilities

    def _grey_levels(self, X: ArrayLike) -> StoredPictures:
        return StoredPictures(_inputs.read_images(self, X), pixel_converter(self.value_range))
