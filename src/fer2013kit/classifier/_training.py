"""One training run: optimiser, loss, progress, early stopping, checkpoints and resuming."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from keras import callbacks as keras_callbacks

from fer2013kit.classifier._callbacks import AveragedWeights, Diverged, StateKeeper
from fer2013kit.classifier._normalization import fused_normalization
from fer2013kit.classifier._progress import TrainingProgress
from fer2013kit.classifier._settings import is_optimizer_name
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fer2013kit.pipeline import StreamedBatches, TrainingBatches
    from fer2013kit.typing import LearningRateSchedule, Loss

logger = logging.getLogger(__name__)

_SGD_MOMENTUM: Final = 0.9
_VALIDATION_BATCH: Final = 256


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """The choices of a run; the classifier's docstring explains each."""

    epochs: int
    optimizer: Any
    learning_rate: float
    learning_rate_schedule: LearningRateSchedule
    warmup_epochs: float
    weight_decay: float
    ema_momentum: float
    loss: Loss | Any
    focal_gamma: float
    label_smoothing: float
    metrics: Sequence[Any]
    monitor: str
    patience: int | None
    restore_best_weights: bool
    verbose: int
    compute_dtype: str
    checkpoint_path: Path | None = None
    fingerprint: str = ""


@dataclass
class TrainingOutcome:
    """What a run leaves behind besides the model's weights."""

    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int | None = None


def train(
    model: Any,
    batches: TrainingBatches | StreamedBatches,
    settings: TrainingSettings,
    *,
    validation: Any,
    callbacks: Sequence[Any],
) -> TrainingOutcome:
    """Train a model in place, from the last checkpoint where there is one.

    Parameters
    ----------
    model : keras.Model
        Uncompiled network that returns probabilities.
    batches : TrainingBatches or StreamedBatches
        The training set.
    settings : TrainingSettings
        The choices.
    validation : tuple of ndarray or ValidationBatches, optional
        Pictures and one-hot targets.
    callbacks : sequence of keras.callbacks.Callback
        The user's own; they see ``model`` itself.

    Returns
    -------
    TrainingOutcome
        The history over all epochs, those before a resume included.

    Raises
    ------
    TrainingDivergedError
        If the loss is no number in the first epoch; later on, the last good epoch is kept, with a
        warning.
    """
    optimizer = make_optimizer(settings, batches.steps_per_epoch)
    _check_callbacks(callbacks, optimizer)
    model.compile(
        optimizer=optimizer,
        loss=make_loss(settings),
        weighted_metrics=make_metrics(settings),
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    optimizer.build(model.trainable_variables)
    averages = AveragedWeights()
    keeper = StateKeeper(
        averages,
        monitor=settings.monitor,
        patience=settings.patience,
        restore_best_weights=settings.restore_best_weights,
        checkpoint_path=settings.checkpoint_path,
        fingerprint=settings.fingerprint,
    )
    start = keeper.resume(model)
    if start:
        logger.info("resuming after epoch %d of %d", start, settings.epochs)
    if start < settings.epochs and not keeper.stopped:
        progress = TrainingProgress(
            compute_dtype=settings.compute_dtype,
            epochs=settings.epochs,
            steps_per_epoch=batches.steps_per_epoch,
            initial_epoch=start,
            verbose=settings.verbose,
        )
        some = batches.some
        try:
            with fused_normalization(model):
                model.fit(
                    batches.dataset(initial_epoch=start, epochs=settings.epochs),
                    steps_per_epoch=batches.steps_per_epoch,
                    epochs=settings.epochs,
                    initial_epoch=start,
                    shuffle=False,
                    validation_data=getattr(validation, "for_keras", lambda: validation)(),
                    validation_batch_size=_VALIDATION_BATCH,
                    callbacks=[averages, progress, *callbacks, keeper],
                    verbose=0,
                )
            keeper.check(lambda: _works(model, some))
        except Diverged as end:
            keeper.fall_back(model, end, lambda: _works(model, some))
        except BaseException as error:
            errors = [*batches.errors, *getattr(validation, "errors", ())]
            true: Any = errors[0] if errors and isinstance(error, Exception) else error
            true.history_ = keeper.history  # for whoever catches it
            if true is not error:  # TensorFlow tells what went wrong in a thread as a text
                raise true from None
            raise
        finally:
            progress.close()
    else:
        optimizer.finalize_variable_values(model.trainable_variables)
    keeper.finish(model)
    return TrainingOutcome(history=keeper.history, best_epoch=keeper.best_epoch)


def _works(model: Any, images: NDArray[Any]) -> bool:
    """Tell whether a network answers with numbers."""
    answers = model(np.asarray(images, np.float32), training=False)
    return bool(np.isfinite(keras.ops.convert_to_numpy(answers)).all())


def make_optimizer(settings: TrainingSettings, steps_per_epoch: int) -> Any:
    """Return a new optimizer for the settings; one that is given is copied, never used itself."""
    if isinstance(settings.optimizer, keras.optimizers.Optimizer):
        return type(settings.optimizer).from_config(settings.optimizer.get_config())
    config = {
        "learning_rate": _learning_rate(settings, steps_per_epoch),
        "weight_decay": settings.weight_decay or None,
        "use_ema": settings.ema_momentum > 0,
        "ema_momentum": settings.ema_momentum,
    }
    if not is_optimizer_name(settings.optimizer):
        raise InvalidInputError(
            f"optimizer must be a name that Keras knows (sgd, adam, adamw, ...) or a "
            f"keras.optimizers.Optimizer; received {shown(settings.optimizer)}"
        )
    kind = type(keras.optimizers.get(settings.optimizer))
    if kind is keras.optimizers.SGD:
        config |= {"momentum": _SGD_MOMENTUM, "nesterov": True}
    # In its parent's module, so that Keras reads a saved network without this package.
    return type(kind.__name__, (_RampedAverage, kind), {"__module__": kind.__module__})(**config)


class _RampedAverage:
    """Lets an optimizer's moving average begin short, so that it forgets the first weights.

    With a fixed momentum of 0.999 the average is worthless for its first few thousand steps.
    The ramp is that of ``tf.train.ExponentialMovingAverage``: after t steps the average reaches
    back over the last tenth of them, until the momentum that was asked for is reached.

    Keras asks for the learning rate and the momentum once for each variable; here a step computes
    them once, without which half of the time that compiling a step takes would go into them.
    """

    iterations: Any
    _full_momentum: float
    _of_this_step: tuple[Any, Any] | None = None

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        self._of_this_step = self.learning_rate, self.ema_momentum
        try:
            super().apply(grads, trainable_variables)  # type: ignore[misc]  # of the optimizer
        finally:
            self._of_this_step = None

    @property
    def learning_rate(self) -> Any:
        if self._of_this_step is not None:
            return self._of_this_step[0]
        return super().learning_rate  # type: ignore[misc]

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        keras.optimizers.Optimizer.learning_rate.fset(self, value)

    @property
    def ema_momentum(self) -> Any:
        if self._of_this_step is not None:
            return self._of_this_step[1]
        steps = keras.ops.cast(self.iterations, "float32")
        return keras.ops.minimum(self._full_momentum, (1.0 + steps) / (10.0 + steps))

    @ema_momentum.setter
    def ema_momentum(self, value: float) -> None:
        self._full_momentum = value

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()  # type: ignore[misc]
        return {**config, "ema_momentum": self._full_momentum}


def _learning_rate(settings: TrainingSettings, steps_per_epoch: int) -> Any:
    if settings.learning_rate_schedule == "constant":
        return settings.learning_rate
    steps = settings.epochs * steps_per_epoch
    warmup = min(round(settings.warmup_epochs * steps_per_epoch), steps // 2)
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=settings.learning_rate, warmup_steps=warmup
    )


def make_loss(settings: TrainingSettings) -> Any:
    """Return the Keras loss of the settings, for one-hot targets and probabilities."""
    if isinstance(settings.loss, keras.losses.Loss):
        return type(settings.loss).from_config(settings.loss.get_config())
    if settings.loss == "focal":
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0, gamma=settings.focal_gamma, label_smoothing=settings.label_smoothing
        )
    return keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing)


def make_metrics(settings: TrainingSettings) -> list[Any]:
    """Return new metrics: the accuracy, and the extra ones of the settings."""
    metrics = [keras.metrics.CategoricalAccuracy(name="accuracy")]
    for one in settings.metrics:
        if isinstance(one, keras.metrics.Metric):
            metrics.append(type(one).from_config(one.get_config()))
            continue
        try:
            metric = keras.metrics.get(one)
        except ValueError as error:
            raise InvalidInputError(
                f"metrics must hold names that Keras knows, or keras.metrics.Metric; "
                f"received {shown(one)}"
            ) from error
        if not isinstance(metric, keras.metrics.Metric):
            metric = keras.metrics.MeanMetricWrapper(metric, name=one)
        metric.name = one
        metrics.append(metric)
    return metrics


def _check_callbacks(callbacks: Sequence[Any], optimizer: Any) -> None:
    """Refuse callbacks that set the learning rate where a schedule does."""
    setters = (keras_callbacks.ReduceLROnPlateau, keras_callbacks.LearningRateScheduler)
    scheduled = isinstance(
        optimizer._learning_rate,  # noqa: SLF001 - the public one is a number
        keras.optimizers.schedules.LearningRateSchedule,
    )
    for one in callbacks:
        if scheduled and isinstance(one, setters):
            raise InvalidInputError(
                f"{type(one).__name__} sets the learning rate, which a schedule does already; set "
                "learning_rate_schedule='constant', or give an optimizer with a number"
            )
