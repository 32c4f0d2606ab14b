"""What happens at the steps and the ends of the epochs of a training run."""

from __future__ import annotations

import math
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from keras import callbacks as keras_callbacks
from sklearn.exceptions import ConvergenceWarning

from fer2013kit._metrics import is_cost
from fer2013kit.classifier._checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from fer2013kit.classifier._settings import TrainingSettings, unknown_monitor
from fer2013kit.exceptions import InvalidInputError, TrainingDivergedError, shown, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

_ADVICE: Final = (
    "lower learning_rate, raise warmup_epochs, or see whether the network takes images in [0, 255]"
)


class Diverged(Exception):  # noqa: N818 - no error yet, where an earlier epoch was good
    """The loss, or what the network answers, is no number any more."""

    def __init__(self, what: str, epoch: int, step: int) -> None:
        super().__init__(f"training diverged: {what} in epoch {epoch + 1}, step {step + 1}")


class AveragedWeights(keras_callbacks.Callback):  # type: ignore[misc]  # Keras carries no types
    """Show the averaged weights from validation to the end of the epoch.

    It stands first among the callbacks, :class:`StateKeeper` last: those between see, save and
    judge the weights that were measured, and what they put in their place is kept.
    """

    def __init__(self) -> None:
        super().__init__()
        self._raw: list[NDArray[Any]] | None = None
        self._shown: list[NDArray[Any]] = []

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Validate the averaged weights, which are those that the run ends with."""
        del logs
        self._show()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Show the averaged weights where nothing was validated."""
        del epoch, logs
        self._show()

    def hide(self) -> None:
        """Go on with the run's own weights, or with those that somebody put there."""
        if self._raw is None:
            return
        variables = self.model.trainable_variables
        now = _copies(variables)
        if all(
            np.array_equal(one, other, equal_nan=True)
            for one, other in zip(now, self._shown, strict=True)
        ):
            _assign(variables, self._raw)
        else:
            _set_averages(self.model.optimizer, now)
        self._raw = None

    def _show(self) -> None:
        optimizer = self.model.optimizer
        if not optimizer.use_ema or self._raw is not None:
            return
        # Keras's own SwapEMAWeights swaps by adding and subtracting, which rounds: a run with
        # validation data would end elsewhere than one without.
        variables = self.model.trainable_variables
        self._raw = _copies(variables)
        optimizer.finalize_variable_values(variables)
        self._shown = _copies(variables)
        # On JAX the variables now share the averages' memory, which evaluation gives away.
        _assign(variables, self._shown)


class TorchSeeds(keras_callbacks.Callback):  # type: ignore[misc]  # Keras carries no types
    """Seed torch's own generator for every epoch, where Keras computes with torch.

    Dropout is drawn from it there, whatever seeds the layers have.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Make the epoch the same in a resumed run, too."""
        del logs
        if keras.backend.backend() == "torch":
            import torch

            torch.manual_seed(int(np.random.SeedSequence([self._seed, epoch]).generate_state(1)[0]))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Give back the generator's state at the end."""
        if keras.backend.backend() != "torch":
            yield
            return
        import torch

        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            yield


class StateKeeper(keras_callbacks.Callback):  # type: ignore[misc]  # Keras carries no types
    """Keep history and best weights, stop early, and write a checkpoint after every epoch."""

    def __init__(self, averages: AveragedWeights, settings: TrainingSettings) -> None:
        super().__init__()
        self._averages = averages
        self._settings = settings
        self._epoch = 0
        self._step = 0
        self._kept: deque[tuple[int, list[Any]]] = deque(maxlen=2)  # epochs and their weights
        self._best_weights: list[Any] = []
        self.history: dict[str, list[float]] = {}
        self.best_epoch: int | None = None
        self.stopped = False
        self._is_alone = True

    def resume(self, model: Any) -> int:
        """Put the checkpoint's state into the model and return the epoch to go on with."""
        settings = self._settings
        if settings.checkpoint_path is None:
            return 0
        checkpoint = read_checkpoint(
            settings.checkpoint_path,
            settings.fingerprint,
            settings.processes,
            run=settings.run,
        )
        if checkpoint is None:
            if not settings.processes.index:  # that it cannot be is told before the first epoch
                settings.checkpoint_path.parent.mkdir(parents=True, exist_ok=True)
                self._is_alone = False  # another run may begin here, too
            return 0
        _assign(model.variables, checkpoint.model)
        _assign(model.optimizer.variables, checkpoint.optimizer)
        self._best_weights = checkpoint.best
        self.history = checkpoint.history
        self.best_epoch = checkpoint.best_epoch
        self.stopped = checkpoint.stopped
        variables, raw = model.trainable_variables, _copies(model.trainable_variables)
        model.optimizer.finalize_variable_values(variables)
        self._kept.append((checkpoint.epoch - 1, _copies(model.weights)))
        _assign(variables, raw)
        return checkpoint.epoch

    def write_final(self, model: Any) -> None:
        """Write the checkpoint with what callbacks made of the weights at the end of the run."""
        if self._settings.checkpoint_path is None:
            return
        if model.optimizer.use_ema:
            _set_averages(model.optimizer, _copies(model.trainable_variables))
        self._write(self._epoch + 1)

    def restore_best(self, model: Any) -> None:
        """Give the model the best epoch's weights where that was asked for."""
        if self._settings.restore_best_weights and self._best_weights:
            model.set_weights(self._best_weights)

    def check(self, works: Callable[[], bool]) -> None:
        """Raise :class:`Diverged` where the network that a run ends with does not work."""
        if not works():
            raise Diverged("the answers were no numbers", self._epoch, self._step)

    def fall_back(self, model: Any, end: Diverged, works: Callable[[], bool]) -> None:
        """Give the model the weights of the last epoch with which it works; without one, raise.

        The last step of an epoch can spoil the weights, which its losses do not show.
        """
        for epoch, weights in reversed(self._kept):
            model.set_weights(weights)
            if works():
                warn(
                    f"{end}; the weights of epoch {epoch + 1} are kept. To train on, {_ADVICE}",
                    ConvergenceWarning,
                )
                return
        error = TrainingDivergedError(f"{end}; {_ADVICE}")
        error.history_ = self.history  # type: ignore[attr-defined]  # what was trained, for whoever catches it
        raise error from None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remember which epoch it is."""
        del logs
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """End the run where the loss is no number any more."""
        self._step = batch
        loss = float((logs or {}).get("loss", 0.0))
        if math.isfinite(loss):
            return
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()  # the weights are elsewhere in the middle of an epoch
        raise Diverged(f"the loss was {loss}", self._epoch, batch)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Record the epoch, stop if nothing gets better, and write the checkpoint."""
        figures = dict(logs or {})
        # Of several devices, each has a copy of the number, which none of them is by itself.
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        figures.setdefault("learning_rate", float(rate))
        for name, value in figures.items():
            self.history.setdefault(name, []).append(_as_number(name, value))
        self._kept.append((epoch, _copies(self.model.weights)))
        self._track_best(epoch)
        waited = 0 if self.best_epoch is None else epoch - self.best_epoch
        patience = self._settings.patience
        if patience is not None and waited >= patience:
            self.model.stop_training = True
        self.stopped = bool(self.model.stop_training)  # a callback of the user's may have done so
        self._averages.hide()
        self._write(epoch + 1)

    def _write(self, epochs: int) -> None:
        path, processes = self._settings.checkpoint_path, self._settings.processes
        if path is None or processes.index:
            return
        if not self._is_alone:
            self._is_alone = True
            # Another run that began here meanwhile is refused, rather than written over.
            read_checkpoint(path, self._settings.fingerprint, run=self._settings.run)
        write_checkpoint(
            path,
            Checkpoint(
                fingerprint=self._settings.fingerprint,
                epoch=epochs,
                history=self.history,
                best_epoch=self.best_epoch,
                stopped=self.stopped,
                model=_copies(self.model.variables),
                optimizer=_copies(self.model.optimizer.variables),
                best=self._best_weights,
                run=self._settings.run,
            ),
        )

    def _track_best(self, epoch: int) -> None:
        monitor, restores = self._settings.monitor, self._settings.restore_best_weights
        values = self.history.get(monitor)
        if not values:
            if self._settings.patience or restores:
                raise InvalidInputError(unknown_monitor(monitor, list(self.history)))
            return
        if self.best_epoch is None or _better(values[-1], values[self.best_epoch], monitor):
            self.best_epoch = epoch
            if restores:
                _, self._best_weights = self._kept[-1]


def _as_number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"a callback must add numbers to logs, which reach history_; received {shown(value)} "
            f"as {name!r}"
        ) from error


def _better(value: float, best: float, monitor: str) -> bool:
    """Tell whether a figure is better than the best one until now, which may be no number."""
    if not math.isfinite(value):
        return False
    return not math.isfinite(best) or (value < best if is_cost(monitor) else value > best)


def _copies(variables: Iterable[Any]) -> list[NDArray[Any]]:
    """Return the values of variables; a plain ``numpy()`` may be a view of living memory."""
    return [np.array(variable.numpy()) for variable in variables]


def _assign(variables: Iterable[Any], values: Iterable[NDArray[Any]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _set_averages(optimizer: Any, values: Iterable[NDArray[Any]]) -> None:
    _assign(optimizer._model_variables_moving_average, values)  # noqa: SLF001 - Keras has no other way
