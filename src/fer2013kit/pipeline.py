"""From arrays, or from batches that somebody reads, to batches for training.

``tf.data`` feeds where TensorFlow is Keras's backend, a generator elsewhere.  Everything random is
drawn by NumPy from ``(seed, epoch)``, so an epoch looks the same on every backend and after a
resume.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from fer2013kit.augmentation import UNIFORMS_PER_IMAGE, FaceAugmentation, calmed, mix_images
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Float32Array = NDArray[np.float32]
Batch = tuple[NDArray[Any], Float32Array, Float32Array]
"""Images with values in [0, 255], targets and weights of some rows."""

_SOME: Final = 16


@dataclass(frozen=True, kw_only=True)
class EpochPlans:
    """The random numbers of every epoch.

    It knows nothing of the images: TensorFlow keeps a function that it calls for as long as the
    process lives, and with it whatever the function knows.
    """

    n_samples: int
    rows: int
    seed: int
    mixup: float
    cutmix: float
    calm_from: float

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
        return order, *self.draw(rng, rows, epoch)

    def draw(
        self, rng: np.random.Generator, rows: int, epoch: int
    ) -> tuple[Float32Array, Float32Array]:
        """Draw the uniforms of the augmentation and of the mixing for so many rows of an epoch."""
        uniform = rng.random((rows, UNIFORMS_PER_IMAGE), dtype=np.float32)
        if epoch >= self.calm_from:
            return calmed(uniform), np.ones((rows, 4), np.float32)
        return uniform, self._plan_mixing(rng, rows)

    def _plan_mixing(self, rng: np.random.Generator, rows: int) -> Float32Array:
        mixing = np.ones((rows, 4), np.float32)
        if not (self.mixup or self.cutmix):
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
class _Augmented:
    """What batches of any source have in common.

    The seed decides the order and every augmentation, of which None trains on the images as they
    are.  Mixup and cutmix are the alphas of the Beta distributions that shares are drawn from; 0
    switches off, and with both each image gets one of them at random.  From the epoch ``calm_from``
    on, images are augmented half as much and not mixed.  Of each batch, :meth:`prepared` yields one
    of so many parts, as one of several processes needs it.  ``errors`` is what went wrong while
    batches were read, which TensorFlow would tell as a text alone.
    """

    seed: int
    augmentation: FaceAugmentation | None = None
    mixup: float = 0.0
    cutmix: float = 0.0
    calm_from: float = math.inf
    part: int = 0
    parts: int = 1
    errors: list[Exception] = field(default_factory=list, init=False, compare=False)

    def prepare(
        self, images: Any, targets: Any, weights: Any, uniform: Any, mixing: Any
    ) -> tuple[Any, Any, Any]:
        """Augment and mix one batch of tensors.

        Of two images that are mixed, each target counts by its own weight: what each would give to
        the loss is added, in their shares.
        """
        if self.augmentation is None:
            images = ops.cast(images, "float32")
        else:
            images = self.augmentation.transform(images, uniform)
        if self.mixup or self.cutmix:
            weights = ops.expand_dims(weights, -1)
            aims = ops.concatenate([targets, targets * weights, weights], axis=1)
            images, aims = mix_images(
                images,
                aims,
                share=mixing[:, 0],
                cut=mixing[:, 1] > 0.5,  # noqa: PLR2004 - a flag kept as a float
                position=mixing[:, 2:],
            )
            plain, weighted, weights = ops.split(aims, [k := targets.shape[1], 2 * k], axis=1)
            # Where both count for nothing, the target is what it would be without weights.
            some = weights > 0
            targets = ops.where(some, weighted / ops.where(some, weights, 1.0), plain)
            weights = ops.squeeze(weights, -1)
        return images, targets, weights

    def _plans(self, n_samples: int = 0, rows: int = 0) -> EpochPlans:
        return EpochPlans(
            n_samples=n_samples,
            rows=rows,
            seed=self.seed,
            mixup=self.mixup,
            cutmix=self.cutmix,
            calm_from=self.calm_from,
        )

    def read(self, epoch: int) -> Iterator[tuple[Batch, Float32Array, Float32Array]]:
        """Yield the batches of one epoch after another, each with its random numbers."""
        raise NotImplementedError

    def prepared(self, epoch: int) -> Iterator[Batch]:
        """Yield batches as the network gets them, for ever, from an epoch on."""
        prepare = self.prepare
        if keras.backend.backend() == "jax":  # which else compiles each operation by itself
            import jax

            prepare = jax.jit(prepare)
        for (raw, *known), uniform, mixing in self.read(epoch):
            own = self._own_rows(len(raw))
            # Partners that are mixed stand in the whole batch.
            rows = slice(None) if self.mixup or self.cutmix else own
            given = (one[rows] for one in (raw, *known, uniform, mixing))
            batch = map(ops.convert_to_numpy, prepare(*map(ops.convert_to_tensor, given)))
            kept = own if rows != own else slice(None)
            images, targets, weights = (one[kept] for one in batch)
            yield images, targets, weights

    def _own_rows(self, rows: int) -> slice:
        if rows % self.parts:
            raise InvalidInputError(
                f"a batch must have as many images for each of the {self.parts} processes; "
                f"received one of {rows}"
            )
        size = rows // self.parts
        return slice(self.part * size, (self.part + 1) * size)

    def as_tensorflow_reads(
        self, epoch: int, images: NDArray[Any], targets: NDArray[Any], rows: int | None = None
    ) -> Any:
        """Return a ``tf.data.Dataset`` of :meth:`prepared`, augmented side by side.

        ``images`` and ``targets`` show of what kind they are; ``rows`` that all batches have as
        many.
        """
        import tensorflow as tf

        as_it_is = tf.autograph.experimental.do_not_convert

        def spec(shape: tuple[int, ...], dtype: Any) -> Any:
            return tf.TensorSpec((rows, *shape), dtype)

        kinds = (
            (spec(images.shape[1:], images.dtype), spec(targets.shape[1:], tf.float32),
             spec((), tf.float32)),
            spec((UNIFORMS_PER_IMAGE,), tf.float32),
            spec((4,), tf.float32),
        )  # fmt: skip
        alive = weakref.ref(self)  # TensorFlow never forgets the function

        def read() -> Iterator[Any]:
            batches = alive()
            if batches is None:
                return
            try:
                yield from batches.read(epoch)
            except Exception as error:
                batches.errors.append(error)
                raise

        def load(batch: Any, uniform: Any, mixing: Any) -> Any:
            images, targets, weights = batch
            return self.prepare(images, targets, weights, uniform, mixing)

        return (
            tf.data.Dataset.from_generator(read, output_signature=kinds)
            .map(as_it_is(load), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
            .prefetch(tf.data.AUTOTUNE)
        )


@dataclass(frozen=True, kw_only=True)
class TrainingBatches(_Augmented):
    """Shuffled, augmented batches of a training set, epoch by epoch.

    Images have values in [0, 255], targets (n, k) are class probabilities, weights (n,) those of
    the rows in the loss.  Every batch is full (the last one of an epoch is filled up from its
    beginning), so that compiled steps see one shape; a set smaller than a batch is one batch.
    """

    images: Any
    targets: Float32Array
    weights: Float32Array
    batch_size: int

    @property
    def some(self) -> NDArray[Any]:
        """A few images, to try a network on."""
        pictures: NDArray[Any] = self.images[:_SOME]
        return pictures

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in an epoch."""
        return -(-len(self.images) // self.rows_per_batch)

    @property
    def rows_per_batch(self) -> int:
        """Number of images in a batch."""
        return min(self.batch_size, len(self.images))

    @property
    def plans(self) -> EpochPlans:
        """What each epoch draws."""
        return self._plans(len(self.images), self.steps_per_epoch * self.rows_per_batch)

    def read(self, epoch: int) -> Iterator[tuple[Batch, Float32Array, Float32Array]]:
        """Yield the rows of each batch as they lie in the arrays, and their random numbers."""
        rows, plans = self.rows_per_batch, self.plans
        while True:
            order, uniform, mixing = plans.plan(epoch)
            for start in range(0, len(order), rows):
                step = slice(start, start + rows)
                own = order[step]
                batch = self.images[own], self.targets[own], self.weights[own]
                yield batch, uniform[step], mixing[step]
            epoch += 1

    def dataset(self, *, initial_epoch: int, epochs: int) -> Any:
        """Return what ``keras.Model.fit`` takes for the epochs ``[initial_epoch, epochs)``."""
        if keras.backend.backend() != "tensorflow":
            return self.prepared(initial_epoch)
        if isinstance(self.images, np.ndarray):
            return self._tf_dataset(initial_epoch, epochs)
        return self.as_tensorflow_reads(initial_epoch, self.some, self.targets, self.rows_per_batch)

    def _tf_dataset(self, initial_epoch: int, epochs: int) -> Any:
        import tensorflow as tf

        as_it_is = tf.autograph.experimental.do_not_convert
        with tf.device("CPU"):
            images, targets = tf.constant(self.images), tf.constant(self.targets)
            weights = tf.constant(self.weights)
        rows = self.rows_per_batch
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
            batch, target, weight = (tf.gather(one, order) for one in (images, targets, weights))
            return self.prepare(batch, target, weight, uniform, mixing)

        return (
            tf.data.Dataset.range(initial_epoch, epochs)
            .flat_map(as_it_is(plan))
            .map(as_it_is(load), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
            .prefetch(tf.data.AUTOTUNE)
        )


@dataclass(frozen=True, kw_only=True)
class StreamedBatches(_Augmented):
    """Augmented batches that somebody else reads, in the order in which they come.

    ``batches_from`` leads from an epoch to an endless iterator of batches; ``some`` are the first
    images, to try a network on.
    """

    batches_from: Callable[[int], Iterator[Batch]]
    some: NDArray[Any]
    n_classes: int
    steps_per_epoch: int

    def read(self, epoch: int) -> Iterator[tuple[Batch, Float32Array, Float32Array]]:
        """Yield each batch with random numbers that depend on its place alone."""
        plans = self._plans()
        for number, batch in enumerate(
            self.batches_from(epoch), start=epoch * self.steps_per_epoch
        ):
            rng = np.random.default_rng([self.seed, 0, number])
            yield batch, *plans.draw(rng, len(batch[0]), number // self.steps_per_epoch)

    def dataset(self, *, initial_epoch: int, epochs: int) -> Any:
        """Return what ``keras.Model.fit`` takes for the epochs from ``initial_epoch`` on."""
        del epochs
        if keras.backend.backend() != "tensorflow":
            return self.prepared(initial_epoch)
        targets = np.empty((0, self.n_classes), np.float32)
        return self.as_tensorflow_reads(initial_epoch, self.some, targets)
