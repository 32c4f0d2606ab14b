"""From arrays to batches for training.

``tf.data`` feeds where TensorFlow is Keras's backend, a Keras ``PyDataset`` elsewhere.  Everything
random is drawn by NumPy from ``(seed, epoch)``, so an epoch looks the same on every backend and
after a resume.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from fer2013kit.augmentation import UNIFORMS_PER_IMAGE, FaceAugmentation, mix_images

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class EpochPlans:
    """The random numbers of every epoch.

    It knows nothing of the pictures: TensorFlow keeps a function that it calls for as long as the
    process lives, and with it whatever the function knows.
    """

    n_samples: int
    rows: int
    seed: int
    mixup: float
    cutmix: float

    @property
    def mixes(self) -> bool:
        """Whether pictures are blended with one another."""
        return self.mixup > 0 or self.cutmix > 0

    def plan(self, epoch: int) -> tuple[NDArray[np.int64], Float32Array, Float32Array]:
        """Draw an epoch: row order, uniforms of the augmentation, and of the mixing.

        Parameters
        ----------
        epoch : int
            Counted from 0.

        Returns
        -------
        order : ndarray of int64, shape (rows,)
            Rows of the set, ``steps_per_epoch`` full batches of them.
        uniform : ndarray of float32, shape (rows, 13)
            Random numbers for :meth:`FaceAugmentation.transform`.
        mixing : ndarray of float32, shape (rows, 4)
            Own share, 1 for cutmix or 0 for mixup, and the cut's centre (vertical, horizontal).
        """
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(self.n_samples)
        rows = self.rows
        order = np.concatenate([order, order[: rows - len(order)]]).astype(np.int64)
        uniform = rng.random((rows, UNIFORMS_PER_IMAGE), dtype=np.float32)
        return order, uniform, self._plan_mixing(rng, rows)

    def _plan_mixing(self, rng: np.random.Generator, rows: int) -> Float32Array:
        mixing = np.ones((rows, 4), np.float32)
        if not self.mixes:
            return mixing
        if self.mixup and self.cutmix:
            cut = rng.random(rows) < 0.5  # noqa: PLR2004 - a fair coin
        else:
            cut = np.full(rows, bool(self.cutmix))
        if self.mixup:
            mixing[~cut, 0] = rng.beta(self.mixup, self.mixup, size=int((~cut).sum()))
        if self.cutmix:
            mixing[cut, 0] = rng.beta(self.cutmix, self.cutmix, size=int(cut.sum()))
        mixing[:, 1] = cut
        mixing[:, 2:] = rng.random((rows, 2))
        return mixing


@dataclass(frozen=True, kw_only=True)
class TrainingBatches:
    """Shuffled, augmented batches of a training set, epoch by epoch.

    Every batch is full (the last one of an epoch is filled up from its beginning), so that
    compiled steps see one shape; a set smaller than a batch is one batch.

    Parameters
    ----------
    images : ndarray, shape (n, height, width, channels)
        Pictures with values in [0, 255].
    targets : ndarray of float32, shape (n, k)
        Class probabilities (one-hot for plain labels).
    weights : ndarray of float32, shape (n,)
        Weight of each row in the loss.
    batch_size : int
        Rows of a batch.
    seed : int
        Decides the order and every augmentation.
    augmentation : FaceAugmentation, optional
        None trains on the pictures as they are.
    mixup, cutmix : float, default 0.0
        Alpha of the Beta distribution that shares are drawn from; 0 switches off.  With both,
        each picture gets one of them at random.
    """

    images: NDArray[Any]
    targets: Float32Array
    weights: Float32Array
    batch_size: int
    seed: int
    augmentation: FaceAugmentation | None = None
    mixup: float = 0.0
    cutmix: float = 0.0

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in an epoch."""
        return -(-len(self.images) // self._rows_per_batch)

    @property
    def _rows_per_batch(self) -> int:
        return min(self.batch_size, len(self.images))

    @property
    def plans(self) -> EpochPlans:
        """What each epoch draws."""
        return EpochPlans(
            n_samples=len(self.images),
            rows=self.steps_per_epoch * self._rows_per_batch,
            seed=self.seed,
            mixup=self.mixup,
            cutmix=self.cutmix,
        )

    def prepare(self, images: Any, targets: Any, uniform: Any, mixing: Any) -> tuple[Any, Any]:
        """Augment and mix one batch of tensors."""
        if self.augmentation is None:
            images = ops.cast(images, "float32")
        else:
            images = self.augmentation.transform(images, uniform)
        if self.plans.mixes:
            images, targets = mix_images(
                images,
                targets,
                share=mixing[:, 0],
                cut=mixing[:, 1] > 0.5,  # noqa: PLR2004 - a flag kept as a float
                position=mixing[:, 2:],
            )
        return images, targets

    def dataset(self, *, initial_epoch: int, epochs: int) -> Any:
        """Return what ``keras.Model.fit`` takes for the epochs ``[initial_epoch, epochs)``."""
        if keras.backend.backend() == "tensorflow":
            return self._tf_dataset(initial_epoch, epochs)
        return _PlannedBatches(self, initial_epoch)

    def _tf_dataset(self, initial_epoch: int, epochs: int) -> Any:
        import tensorflow as tf

        with tf.device("CPU"):
            images, targets = tf.constant(self.images), tf.constant(self.targets)
            weights = tf.constant(self.weights)
        rows = self._rows_per_batch
        draw = self.plans.plan

        def plan(epoch: Any) -> Any:
            order, uniform, mixing = tf.numpy_function(
                draw, [epoch], (tf.int64, tf.float32, tf.float32)
            )
            order.set_shape((None,))
            uniform.set_shape((None, UNIFORMS_PER_IMAGE))
            mixing.set_shape((None, 4))
            return tf.data.Dataset.from_tensor_slices((order, uniform, mixing)).batch(
                rows, drop_remainder=True
            )

        def load(order: Any, uniform: Any, mixing: Any) -> Any:
            batch, target = self.prepare(
                tf.gather(images, order), tf.gather(targets, order), uniform, mixing
            )
            return batch, target, tf.gather(weights, order)

        return (
            tf.data.Dataset.range(initial_epoch, epochs)
            .flat_map(plan)
            .map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
            .prefetch(tf.data.AUTOTUNE)
        )


class _PlannedBatches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras carries no types
    """The same batches for backends other than TensorFlow."""

    def __init__(self, batches: TrainingBatches, epoch: int) -> None:
        super().__init__()
        self._batches = batches
        self._epoch = epoch
        self._plan = batches.plans.plan(epoch)

    def __len__(self) -> int:
        return self._batches.steps_per_epoch

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        batches = self._batches
        rows = min(batches.batch_size, len(batches.images))
        order, uniform, mixing = (part[index * rows : (index + 1) * rows] for part in self._plan)
        images, targets = batches.prepare(
            ops.convert_to_tensor(batches.images[order]),
            ops.convert_to_tensor(batches.targets[order]),
            ops.convert_to_tensor(uniform),
            ops.convert_to_tensor(mixing),
        )
        return (
            ops.convert_to_numpy(images),
            ops.convert_to_numpy(targets),
            batches.weights[order],
        )

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._plan = self._batches.plans.plan(self._epoch)
