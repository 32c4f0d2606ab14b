"""training_batches: what fit trains on, for your own training loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from fer2013kit._checks import check_choice
from fer2013kit._keras_settings import keras_settings
from fer2013kit._optional import needed
from fer2013kit.classifier import EmotionClassifier
from fer2013kit.classifier._runs import seed_of_run
from fer2013kit.classifier._settings import check_settings
from fer2013kit.classifier._training_set import read_training_set
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.pipeline import TrainingBatches
from fer2013kit.typing import BatchForm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray


def training_batches(
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    classifier: EmotionClassifier | None = None,
    soft_targets: ArrayLike | None = None,
    form: BatchForm = "keras",
) -> Any:
    """Return the shuffled, augmented, mixed batches that ``fit`` trains on, for your own loop.

    Each is ``(pictures, targets, weights)``: float32 with values in [0, 255], rows of
    probabilities (one-hot for plain labels), and the weight of each row in the loss.  With an int
    as ``random_state`` they are those of ``fit`` with the same settings and data, epoch by epoch.
    Every batch is full; the last one of an epoch is filled up from its beginning.  What the
    settings hold out (``validation_fraction``) is in no batch, as in ``fit``; to validate on rows
    of your own, split them off first.

    Parameters
    ----------
    X : array_like, shape (n, 48, 48), (n, 48, 48, 1) or (n, 2304)
        Images.
    y : array_like, shape (n,)
        Labels.
    sample_weight : array_like of float, shape (n,), optional
        Weight of each row, multiplied by its class's weight.
    classifier : EmotionClassifier, optional
        Its settings say the size of the batches, the augmentation, mixup and cutmix, class weights
        and the seed; it need not be fitted.  By default one with all defaults.
    soft_targets : array_like of float, shape (n, k), optional
        Targets instead of the labels, as in ``fit``.
    form : {"keras", "tensorflow", "torch"}, default "keras"
        A ``keras.utils.PyDataset`` of one epoch after another, for any backend and ``model.fit``;
        an endless ``tf.data.Dataset``, where TensorFlow is the backend; or a
        ``torch.utils.data.IterableDataset`` whose images have the channels first, of which a loop
        gets one epoch (for a ``DataLoader`` with ``batch_size=None`` and no workers).

    Returns
    -------
    keras.utils.PyDataset, tf.data.Dataset or torch.utils.data.IterableDataset
        The batches.

    Raises
    ------
    InvalidInputError
        For unusable settings or data, or ``"tensorflow"`` on another backend.
    MissingDependencyError
        For ``"torch"`` without PyTorch.

    See Also
    --------
    EmotionClassifier.fit : Makes them itself.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).train
    >>> settings = fk.EmotionClassifier(batch_size=32, mixup=0.2, random_state=0)
    >>> batches = fk.training_batches(X, y, classifier=settings)
    >>> for pictures, targets, weights in batches:
    ...     print(pictures.shape, targets.shape)
    (32, 48, 48, 1) (32, 7)
    (32, 48, 48, 1) (32, 7)
    """
    check_choice("form", form, BatchForm)
    settings = EmotionClassifier() if classifier is None else classifier
    if not isinstance(settings, EmotionClassifier):
        raise InvalidInputError(
            f"classifier must be an EmotionClassifier; received {shown(classifier)}"
        )
    check_settings(settings.get_params(deep=False))
    # What is read says to a classifier how its input is called; the user's stays as it is.
    reader = EmotionClassifier(**settings.get_params(deep=False))
    with keras_settings():
        batches = read_training_set(
            reader,
            X,
            y,
            seed=seed_of_run(settings.random_state),
            sample_weight=sample_weight,
            soft_targets=soft_targets,
        ).batches
    if not isinstance(batches, TrainingBatches):
        raise InvalidInputError("X must be images; received batches, which are read already")
    if form == "torch":
        return _for_torch(batches)
    if form == "keras":
        return _Epochs(batches)
    if keras.backend.backend() != "tensorflow":
        raise InvalidInputError(
            "form='tensorflow' needs TensorFlow as Keras's backend; received "
            f"{keras.backend.backend()}; form='keras' works on all"
        )
    return batches.dataset(initial_epoch=0, epochs=np.iinfo(np.int32).max)


class _Epochs(keras.utils.PyDataset):  # type: ignore[misc]  # Keras carries no types
    """One epoch after another; each batch is made when it is asked for."""

    def __init__(self, batches: TrainingBatches) -> None:
        super().__init__()
        self.batches = batches
        self.epoch = 0
        self._plan = batches.plans.plan(0)
        self._begun = False

    def __len__(self) -> int:
        return self.batches.steps_per_epoch

    def __getitem__(self, index: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        order, uniform, mixing = self._plan
        rows = len(order) // len(self)
        step = slice(index * rows, (index + 1) * rows)
        own = order[step]
        batches = self.batches
        of_rows = (batches.images[own], batches.targets[own], batches.weights[own])
        given = (*of_rows, uniform[step], mixing[step])
        prepared = batches.prepare(*map(ops.convert_to_tensor, given))
        pictures, targets, weights = map(ops.convert_to_numpy, prepared)
        return pictures, targets, weights

    def __iter__(self) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """Yield an epoch, and be the next one."""
        self.on_epoch_begin()
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()

    def on_epoch_begin(self) -> None:
        """Note that an epoch has begun; Keras calls it."""
        self._begun = True

    def on_epoch_end(self) -> None:
        """Draw the next epoch; Keras calls it, also before the first, when it has had a look."""
        if not self._begun:
            return
        self._begun = False
        self.epoch += 1
        self._plan = self.batches.plans.plan(self.epoch)


def _for_torch(batches: TrainingBatches) -> Any:
    with needed("form='torch'", library="torch"):
        import torch

    class Batches(torch.utils.data.IterableDataset):  # type: ignore[misc]  # no types here
        def __init__(self) -> None:
            self.epochs = _Epochs(batches)

        def __len__(self) -> int:
            return len(self.epochs)

        def __iter__(self) -> Iterator[Any]:
            for pictures, targets, weights in self.epochs:
                first = np.ascontiguousarray(np.moveaxis(pictures, -1, 1))
                yield tuple(map(torch.from_numpy, (first, targets.copy(), weights.copy())))

    return Batches()
