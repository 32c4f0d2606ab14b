"""What Keras is given for a run: an optimizer, a loss and metrics, each of its own."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from keras import callbacks as keras_callbacks

from fer2013kit.classifier._settings import TrainingSettings, is_optimizer_name
from fer2013kit.exceptions import InvalidInputError, shortened, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

_SGD_MOMENTUM: Final = 0.9
_SCHEDULED: Final = (
    "sets the learning rate, which a schedule does already; set "
    "learning_rate_schedule='constant', or give an optimizer with a number"
)


def make_optimizer(settings: TrainingSettings, steps_per_epoch: int) -> Any:
    """Return a new optimizer for the settings; one that is given is copied, never used itself."""
    if isinstance(settings.optimizer, keras.optimizers.Optimizer):
        return _copied("optimizer", settings.optimizer)
    config = {
        "learning_rate": _learning_rate(settings, steps_per_epoch),
        "weight_decay": settings.weight_decay,
        "use_ema": settings.ema_momentum > 0,
        "ema_momentum": settings.ema_momentum,
    }
    if not is_optimizer_name(settings.optimizer):
        raise InvalidInputError(
            f"optimizer must be a name that Keras knows (sgd, adam, adamw, ...) or a "
            f"keras.optimizers.Optimizer; received {shown(settings.optimizer)}"
        )
    kind = type(keras.optimizers.get(settings.optimizer))
    if not settings.weight_decay and signature(kind).parameters["weight_decay"].default is None:
        config["weight_decay"] = None  # AdamW wants a number, others save themselves a pass
    if issubclass(kind, keras.optimizers.SGD):  # torch has a class of its own
        config |= {"momentum": _SGD_MOMENTUM, "nesterov": True}
    # In its parent's module, so that Keras reads a saved network without this package.
    return type(kind.__name__, (_RampedAverage, kind), {"__module__": kind.__module__})(**config)


class _RampedAverage:
    """Lets an optimizer's moving average begin short, so that it forgets the first weights.

    With a fixed momentum of 0.999 the average is worthless for its first few thousand steps.
    The ramp is that of ``tf.train.ExponentialMovingAverage``: after t steps the average reaches
    back over the last tenth of them, until the momentum that was asked for is reached.

    Keras computes the learning rate and the momentum anew for each variable; here a step computes
    them once, without which half of the time that compiling a step takes would go into them.

    Where there is one replica, there is nothing to sum over replicas.  Keras does so all the same,
    and TensorFlow keeps the gradient of the sum, and with it the graph of the whole step, for as
    long as the process lives: some 10 MB a fit.
    """

    iterations: Any
    use_ema: bool
    _distribution_strategy: Any
    _model_variables_moving_average: list[Any]
    _full_momentum: float
    _of_this_step: tuple[Any, Any] | None = None

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        self._of_this_step = self.learning_rate, self.ema_momentum
        try:
            super().apply(grads, trainable_variables)  # type: ignore[misc]  # of the optimizer
        finally:
            self._of_this_step = None

    def _all_reduce_sum_gradients(self, grads_and_vars: list[tuple[Any, Any]]) -> Any:
        if self._distribution_strategy.num_replicas_in_sync == 1:
            return grads_and_vars
        return super()._all_reduce_sum_gradients(grads_and_vars)  # type: ignore[misc]  # of the optimizer

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        if not self.use_ema:
            return
        first = keras.ops.equal(self.iterations, 0)
        momentum = keras.ops.where(first, 0.0, self.ema_momentum)
        rest = keras.ops.subtract(1, momentum)
        averages = self._model_variables_moving_average
        for variable, average in zip(trainable_variables, averages, strict=True):
            if average is not None:
                average.assign(
                    keras.ops.add(
                        keras.ops.multiply(momentum, average), keras.ops.multiply(rest, variable)
                    )
                )

    @property
    def learning_rate(self) -> Any:
        if self._of_this_step is not None:
            return self._of_this_step[0]
        return super().learning_rate  # type: ignore[misc]  # a mixin: the optimizer has it

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        try:
            keras.optimizers.Optimizer.learning_rate.fset(self, value)
        except TypeError as error:
            raise InvalidInputError(f"a callback {_SCHEDULED}") from error

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
        config: dict[str, Any] = super().get_config()  # type: ignore[misc]  # the same
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


def make_loss(settings: TrainingSettings, num_classes: int) -> Any:
    """Return the Keras loss of the settings, for one-hot targets and probabilities."""
    if isinstance(settings.loss, keras.losses.Loss):
        # Not by its configuration, which Keras does not keep whole: Huber's lacks delta.
        loss = object.__new__(type(settings.loss))
        vars(loss).update(vars(settings.loss))
        _try("loss", loss, num_classes)
        return loss
    if settings.loss == "focal":
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0, gamma=settings.focal_gamma, label_smoothing=settings.label_smoothing
        )
    return keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing)


def make_metrics(settings: TrainingSettings, num_classes: int) -> list[Any]:
    """Return new metrics: the accuracy, and the extra ones of the settings."""
    extra = [_make_metric(one) for one in settings.metrics if one != "accuracy"]
    for metric in extra:
        _try("metrics:", metric, num_classes)
        metric.reset_state()
    return [keras.metrics.CategoricalAccuracy(name="accuracy"), *extra]


def _make_metric(one: Any) -> Any:
    if isinstance(one, keras.metrics.Metric):
        return _copied("metrics:", one)
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
    return metric


def _copied(setting: str, one: Any) -> Any:
    """Return a new object of the same configuration; one that does not tell it whole is refused."""
    config, kind, lost = one.get_config(), type(one), []
    if not kind.__module__.startswith("keras."):  # what those leave out follows from the rest
        named = {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY}
        parameters = signature(kind).parameters.values()
        lost = [each.name for each in parameters if each.kind in named and each.name not in config]
    try:
        if not lost:
            return kind.from_config(config)
        reason = f"its get_config lacks {', '.join(lost)}"
    except Exception as error:  # noqa: BLE001 - of a class of the user's
        reason = shortened(str(error))
    raise InvalidInputError(
        f"{setting} {kind.__name__} cannot be copied for the run ({reason}); give it a get_config "
        "that returns all arguments of its constructor"
    )


def _try(setting: str, one: Any, num_classes: int) -> None:
    """Refuse a loss or metric that cannot judge rows of probabilities against one-hot targets."""
    if one.get_config().get("from_logits"):
        raise InvalidInputError(
            f"{setting} {type(one).__name__} must judge probabilities, which every network here "
            "ends in (logits are given a softmax); leave from_logits out"
        )
    # Not as many rows as columns, so that neither is taken for the other.
    rows = np.arange(num_classes + 1) % num_classes
    try:
        answer = one(
            np.eye(num_classes, dtype=np.float32)[rows],
            np.full((len(rows), num_classes), 1 / num_classes, np.float32),
        )
        shape = tuple(answer.shape)
        if not shape:
            return
        reason = f"it gives numbers of shape {shape}: set its average, or its reduction"
    except Exception as error:  # noqa: BLE001 - of Keras or the user, each its own
        reason = f"{shortened(str(error))}; losses and metrics named Sparse take other targets"
    raise InvalidInputError(
        f"{setting} {type(one).__name__} must give one number for one-hot targets and "
        f"probabilities (n, {num_classes}): {reason}"
    )


def check_callbacks(callbacks: Sequence[Any], optimizer: Any) -> None:
    """Refuse what is no callback, and what does not go with a schedule of the learning rate."""
    setters = (keras_callbacks.ReduceLROnPlateau, keras_callbacks.LearningRateScheduler)
    scheduled = isinstance(
        optimizer._learning_rate,  # noqa: SLF001 - the public one is a number
        keras.optimizers.schedules.LearningRateSchedule,
    )
    if scheduled and isinstance(optimizer, keras.optimizers.Ftrl):
        raise InvalidInputError(
            "ftrl sums up what earlier steps divided by the learning rate, so that weights become "
            "NaN or vanish where it changes; set learning_rate_schedule='constant'"
        )
    are_listed = isinstance(callbacks, Iterable)
    for one in callbacks if are_listed else [callbacks]:
        if not (are_listed and isinstance(one, keras_callbacks.Callback)):
            raise InvalidInputError(
                f"callbacks must be a sequence of keras.callbacks.Callback; received {shown(one)}"
            )
        if isinstance(one, keras_callbacks.BackupAndRestore):
            raise InvalidInputError(
                "BackupAndRestore begins at an epoch that the run's history and batches do not "
                "know of; set checkpoint_dir, which resumes all of a run"
            )
        if scheduled and isinstance(one, setters):
            raise InvalidInputError(f"{type(one).__name__} {_SCHEDULED}")
