"""One training run: progress, early stopping, checkpoints and resuming."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np

from fer2013kit.classifier._callbacks import AveragedWeights, Diverged, StateKeeper, TorchSeeds
from fer2013kit.classifier._keras_objects import (
    check_callbacks,
    make_loss,
    make_metrics,
    make_optimizer,
)
from fer2013kit.classifier._normalization import fused_normalization
from fer2013kit.classifier._progress import TrainingProgress
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from fer2013kit.classifier._processes import Processes
    from fer2013kit.classifier._settings import TrainingSettings
    from fer2013kit.pipeline import StreamedBatches, TrainingBatches

logger = logging.getLogger(__name__)

_VALIDATION_BATCH: Final = 256


def train(
    model: Any,
    batches: TrainingBatches | StreamedBatches,
    settings: TrainingSettings,
    *,
    validation: Any,
    callbacks: Sequence[Any],
) -> tuple[dict[str, list[float]], int | None]:
    """Train an uncompiled network in place, from the last checkpoint where there is one.

    Validation data is images and one-hot targets.  Returned are the history of all epochs, those
    before a resume included, and the best one; the user's own callbacks see ``model`` itself.

    Raises
    ------
    TrainingDivergedError
        If the loss is no number in the first epoch; later on, the last good epoch is kept, with a
        warning.
    """
    settings.processes.check_agreement(settings.fingerprint)
    validation_batch = _validation_batch(model, batches, validation, settings.processes)
    optimizer = make_optimizer(settings, batches.steps_per_epoch)
    check_callbacks(callbacks, optimizer)
    num_classes = model.output_shape[-1]
    model.compile(
        optimizer=optimizer,
        loss=make_loss(settings, num_classes),
        weighted_metrics=make_metrics(settings, num_classes),
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    optimizer.build(model.trainable_variables)
    averages, seeds = AveragedWeights(), TorchSeeds(batches.seed)
    keeper = StateKeeper(averages, settings)
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
        works = partial(_works, model, batches.some)
        try:
            with _errors_with_history(keeper, batches, validation):
                with fused_normalization(model), seeds.kept(), settings.processes.joined():
                    model.fit(
                        batches.dataset(initial_epoch=start, epochs=settings.epochs),
                        steps_per_epoch=batches.steps_per_epoch,
                        epochs=settings.epochs,
                        initial_epoch=start,
                        shuffle=False,
                        validation_data=getattr(validation, "for_keras", lambda: validation)(),
                        validation_batch_size=validation_batch,
                        callbacks=[seeds, averages, progress, *callbacks, keeper],
                        verbose=0,
                    )
                keeper.check(works)
                if callbacks:
                    keeper.write_final(model)
        except Diverged as end:
            keeper.fall_back(model, end, works)
        finally:
            progress.close()
    else:
        optimizer.finalize_variable_values(model.trainable_variables)
    keeper.restore_best(model)
    return keeper.history, keeper.best_epoch


@contextmanager
def _errors_with_history(
    keeper: StateKeeper, batches: TrainingBatches | StreamedBatches, validation: Any
) -> Iterator[None]:
    """Give whatever ends a run the history so far, for whoever catches it.

    What went wrong in a thread, TensorFlow tells as a text; its cause is raised instead.
    """
    try:
        yield
    except Diverged:
        raise
    except BaseException as error:
        errors = [*batches.errors, *getattr(validation, "errors", ())]
        cause: Any = errors[0] if errors and isinstance(error, Exception) else error
        cause.history_ = keeper.history
        if cause is not error:
            raise cause from None
        raise


def _validation_batch(
    model: Any,
    batches: TrainingBatches | StreamedBatches,
    validation: Any,
    processes: Processes,
) -> int:
    """Return how many images are validated at once, of which each device gets as many.

    Keras builds a network that is shared by several devices (TensorFlow's ``MirroredStrategy``)
    from the mean of what each gets of the first batch, which fails where these differ in number;
    on JAX, every batch must be shared so.  Each of several processes validates all images.

    Raises
    ------
    InvalidInputError
        Where a training or validation batch cannot be shared so.
    """
    strategy = getattr(model, "_distribute_strategy", None)
    devices = processes.devices if strategy is None else strategy.num_replicas_in_sync
    rows = getattr(batches, "rows_per_batch", 0)  # who reads from elsewhere decides it there
    if rows % devices:
        raise InvalidInputError(
            f"a batch must have as many images for each of the {devices} devices; set batch_size "
            f"to a multiple of {devices}; received batches of {rows}"
        )
    images = validation[0] if isinstance(validation, tuple) else ()
    most = min(_VALIDATION_BATCH, len(images) or _VALIDATION_BATCH)
    devices //= processes.count
    if most < devices:
        raise InvalidInputError(
            f"there must be an image to validate for each of the {devices} devices; received {most}"
        )
    if strategy is None and len(images) % devices:
        raise InvalidInputError(
            f"JAX validates as many images on each of the {devices} devices; leave out "
            f"{len(images) % devices} of the {len(images)}"
        )
    return most // devices * devices


def _works(model: Any, images: NDArray[Any]) -> bool:
    """Tell whether a network answers with numbers."""
    pixels = np.asarray(images, np.float32)
    if keras.backend.backend() == "jax":  # one compilation in place of many, on this device alone
        import jax

        values = [
            [np.array(variable) for variable in variables]
            for variables in (model.trainable_variables, model.non_trainable_variables)
        ]
        answers, _ = jax.jit(partial(model.stateless_call, training=False))(*values, pixels)
        return bool(np.isfinite(answers).all())
    answers = model(pixels, training=False)
    return bool(np.isfinite(keras.ops.convert_to_numpy(answers)).all())
