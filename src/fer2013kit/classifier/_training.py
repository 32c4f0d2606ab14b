"""One training run: optimiser, loss, progress, early stopping, checkpoints and resuming."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from keras import callbacks as keras_callbacks

from fer2013kit.classifier._checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from fer2013kit.classifier._normalization import fused_normalization
from fer2013kit.classifier._progress import TrainingProgress
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fer2013kit.pipeline import TrainingBatches
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
    loss: Loss
    focal_gamma: float
    label_smoothing: float
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
    batches: TrainingBatches,
    settings: TrainingSettings,
    *,
    validation: tuple[Any, ...] | None,
    callbacks: Sequence[Any],
) -> TrainingOutcome:
    """Train a model in place, from the last checkpoint where there is one.

    Parameters
    ----------
    model : keras.Model
        Uncompiled network that returns probabilities.
    batches : TrainingBatches
        The training set.
    settings : TrainingSettings
        The choices.
    validation : tuple of ndarray, optional
        Pictures, one-hot targets and row weights.
    callbacks : sequence of keras.callbacks.Callback
        The user's own; they see ``model`` itself.

    Returns
    -------
    TrainingOutcome
        The history over all epochs, those before a resume included.
    """
    optimizer = make_optimizer(settings, batches.steps_per_epoch)
    model.compile(
        optimizer=optimizer,
        loss=make_loss(settings),
        weighted_metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    optimizer.build(model.trainable_variables)
    keeper = _StateKeeper(settings)
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
        try:
            with fused_normalization(model):
                model.fit(
                    batches.dataset(initial_epoch=start, epochs=settings.epochs),
                    steps_per_epoch=batches.steps_per_epoch,
                    epochs=settings.epochs,
                    initial_epoch=start,
                    shuffle=False,
                    validation_data=validation,
                    validation_batch_size=_VALIDATION_BATCH,
                    callbacks=[keeper, progress, *callbacks],
                    verbose=0,
                )
        finally:
            progress.close()
    optimizer.finalize_variable_values(model.trainable_variables)
    keeper.finish(model)
    return TrainingOutcome(history=keeper.history, best_epoch=keeper.best_epoch)


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
    try:
        kind = type(keras.optimizers.get(settings.optimizer))
    except (ValueError, TypeError) as error:
        raise InvalidInputError(
            f"optimizer must be a name that Keras knows (sgd, adam, adamw, ...) or a "
            f"keras.optimizers.Optimizer; received {settings.optimizer!r}"
        ) from error
    if kind is keras.optimizers.SGD:
        config |= {"momentum": _SGD_MOMENTUM, "nesterov": True}
    return type(kind.__name__, (_RampedAverage, kind), {})(**config)


class _RampedAverage:
    """Lets an optimizer's moving average begin short, so that it forgets the first weights.

    With a fixed momentum of 0.999 the average is worthless for its first few thousand steps.
    The ramp is that of ``tf.train.ExponentialMovingAverage``: after t steps the average reaches
    back over the last tenth of them, until the momentum that was asked for is reached.
    """

    iterations: Any
    _full_momentum: float

    @property
    def ema_momentum(self) -> Any:
        steps = keras.ops.cast(self.iterations, "float32")
        return keras.ops.minimum(self._full_momentum, (1.0 + steps) / (10.0 + steps))

    @ema_momentum.setter
    def ema_momentum(self, value: float) -> None:
        self._full_momentum = value


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
    if settings.loss == "focal":
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0, gamma=settings.focal_gamma, label_smoothing=settings.label_smoothing
        )
    return keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing)


class _StateKeeper(keras_callbacks.Callback):  # type: ignore[misc]  # Keras carries no types
    """Keep history and best weights, stop early, and write a checkpoint after every epoch."""

    def __init__(self, settings: TrainingSettings) -> None:
        super().__init__()
        self._settings = settings
        self._raw_weights: list[Any] = []
        self._candidate: list[Any] = []
        self._best_weights: list[Any] = []
        self.history: dict[str, list[float]] = {}
        self.best_epoch: int | None = None
        self.stopped = False

    def resume(self, model: Any) -> int:
        """Put the checkpoint's state into the model and return the epoch to go on with."""
        path = self._settings.checkpoint_path
        checkpoint = None if path is None else read_checkpoint(path, self._settings.fingerprint)
        if checkpoint is None:
            return 0
        _assign(model.variables, checkpoint.model)
        _assign(model.optimizer.variables, checkpoint.optimizer)
        self._best_weights = checkpoint.best
        self.history = checkpoint.history
        self.best_epoch = checkpoint.best_epoch
        self.stopped = checkpoint.stopped
        return checkpoint.epoch

    def finish(self, model: Any) -> None:
        """Give the model the best epoch's weights where that was asked for."""
        if self._settings.restore_best_weights and self._best_weights:
            model.set_weights(self._best_weights)

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Validate the averaged weights, which are those that the run ends with."""
        del logs
        if self.model.optimizer.use_ema:
            # Keras's own SwapEMAWeights swaps by adding and subtracting, which rounds: a run
            # with validation data would end elsewhere than one without.
            variables = self.model.trainable_variables
            self._raw_weights = _copies(variables)
            self.model.optimizer.finalize_variable_values(variables)
            # On JAX the variables now share the averages' memory, which evaluation gives away.
            _assign(variables, _copies(variables))

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Remember the validated weights and go on with those of the run."""
        del logs
        if self._settings.restore_best_weights:
            self._candidate = _copies(self.model.weights)
        if self.model.optimizer.use_ema:
            _assign(self.model.trainable_variables, self._raw_weights)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Record the epoch, stop if nothing gets better, and write the checkpoint."""
        settings = self._settings
        for name, value in {**(logs or {}), "learning_rate": self._learning_rate()}.items():
            self.history.setdefault(name, []).append(float(value))
        self._track_best(epoch)
        waited = 0 if self.best_epoch is None else epoch - self.best_epoch
        if settings.patience is not None and waited >= settings.patience:
            self.stopped = True
            self.model.stop_training = True
        if settings.checkpoint_path is not None:
            write_checkpoint(
                settings.checkpoint_path,
                Checkpoint(
                    fingerprint=settings.fingerprint,
                    epoch=epoch + 1,
                    history=self.history,
                    best_epoch=self.best_epoch,
                    stopped=self.stopped,
                    model=_copies(self.model.variables),
                    optimizer=_copies(self.model.optimizer.variables),
                    best=self._best_weights,
                ),
            )

    def _track_best(self, epoch: int) -> None:
        values = self.history.get(self._settings.monitor)
        if not values:
            return
        sign = -1.0 if "loss" in self._settings.monitor else 1.0
        if self.best_epoch is None or sign * values[-1] > sign * values[self.best_epoch]:
            self.best_epoch = epoch
            self._best_weights = self._candidate

    def _learning_rate(self) -> float:
        return float(self.model.optimizer.learning_rate)


def _copies(variables: Iterable[Any]) -> list[NDArray[Any]]:
    """Return the values of variables; a plain ``numpy()`` may be a view of living memory."""
    return [np.array(variable.numpy()) for variable in variables]


def _assign(variables: Iterable[Any], values: Iterable[NDArray[Any]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
