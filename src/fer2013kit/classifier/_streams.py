"""Training sets that come in batches, because they are larger than memory."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np

from fer2013kit._image_input import StoredPictures, pixel_converter, read_pictures, shape_of_images
from fer2013kit._labels import codes_in
from fer2013kit.classifier._targets import one_hot, probabilities, row_weights
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer2013kit._image_input import Shape
    from fer2013kit.pipeline import Batch

_BATCH: Final = 256
_PAIR, _TRIPLE = 2, 3


def is_stream(X: Any) -> bool:
    """Tell whether a training set comes in batches.

    Raises
    ------
    InvalidInputError
        For an iterator, which can be read only once.
    """
    if isinstance(X, Iterator):
        raise InvalidInputError(
            "X must be read in every epoch, which an iterator cannot be; pass the function that "
            f"makes it, batches(epoch), with steps_per_epoch; received {type(X).__name__}"
        )
    return isinstance(X, keras.utils.PyDataset) or callable(X) or _is_tensorflow(X)


def _is_tensorflow(X: Any) -> bool:
    return hasattr(X, "element_spec") and hasattr(X, "as_numpy_iterator")


def known_length(X: Any) -> int | None:
    """Return how many batches a stream has; None where that cannot be told, or has no end."""
    if isinstance(X, keras.utils.PyDataset):
        count = X.num_batches
        return None if count is None else int(count)
    if _is_tensorflow(X):
        count = int(X.cardinality())
        return count if count >= 0 else None
    return None


def raw_batches(X: Any, epoch: int, steps: int) -> Iterator[Any]:
    """Yield the batches of a stream for ever, from an epoch on; each has so many steps.

    A stream without epochs of its own continues where the epoch before stopped, so that a
    resumed run passes over what was trained on.
    """
    if isinstance(X, keras.utils.PyDataset):
        yield from _of_py_dataset(X, epoch * steps)
    elif _is_tensorflow(X):
        yield from X.repeat().skip(epoch * steps).as_numpy_iterator()
    else:
        for number in itertools.count(epoch):
            taken = 0
            for taken, batch in enumerate(itertools.islice(X(number), steps), start=1):  # noqa: B007 - counted
                yield batch
            if taken < steps:
                raise InvalidInputError(
                    f"the batches of epoch {number + 1} ended after {taken}; expected "
                    f"steps_per_epoch={steps}"
                )


def _of_py_dataset(X: Any, passed_over: int) -> Iterator[Any]:
    while True:
        X.on_epoch_begin()
        length = X.num_batches
        for index in itertools.count() if length is None else range(length):
            if passed_over:
                passed_over -= 1
            else:
                yield X[index]
        X.on_epoch_end()


@dataclass(frozen=True, kw_only=True)
class BatchReader:
    """Reads what a stream yields as the classifier's images, targets and weights."""

    shape: Shape
    value_range: tuple[float, float] | None
    classes: NDArray[Any]
    class_weight: Any = None

    def __call__(self, batch: Any) -> Batch:
        """Return images in [0, 255] as float32, rows of probabilities, and weights."""
        if not (isinstance(batch, tuple | list) and len(batch) in {_PAIR, _TRIPLE}):
            raise InvalidInputError(
                "a batch must be (images, labels) or (images, labels, weights); "
                f"received {shown(type(batch).__name__)}"
            )
        images = read_pictures(np.asarray(batch[0]), self.shape, self.value_range)
        pixels = pixel_converter(self.value_range)(images).astype(np.float32, copy=False)
        labels = _plain(batch[1])
        if len(labels) != len(images):
            raise InvalidInputError(
                f"a batch must have a label for each image; received {len(images)} images "
                f"and {len(labels)} labels"
            )
        if labels.ndim > 1:
            targets = probabilities(labels, len(labels), self.classes, name="labels of a batch")
            codes = targets.argmax(axis=1)
        else:
            codes = codes_in(labels, self.classes, None, name="labels of a batch")
            targets = one_hot(codes, self.classes)
        weights = row_weights(
            self.classes[codes],
            codes,
            self.classes,
            sample_weight=np.asarray(batch[2]) if len(batch) == _TRIPLE else None,
            class_weight=self.class_weight,
        )
        return pixels, targets, weights * targets.any(axis=1)


def _plain(labels: Any) -> NDArray[Any]:
    """Return labels (n,) or rows of probabilities (n, k); TensorFlow's words are bytes."""
    array = np.asarray(labels)
    if array.ndim > 1 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind in "OS" and array.size and isinstance(array.flat[0], bytes):
        array = np.char.decode(array.astype(bytes), "utf-8")
    return array


def shape_of(batch: Any) -> Shape:
    """Return height, width and channels of the images in a batch."""
    images = np.asarray(batch[0] if isinstance(batch, tuple | list) else batch)
    return shape_of_images(images.shape, "images of a batch")


class ValidationBatches:
    """So many batches to validate on, which are read anew, one after another, in every epoch."""

    def __init__(self, read: Callable[[], Iterator[tuple[Any, ...]]], count: int) -> None:
        self._read = read
        self._batches: Iterator[tuple[Any, ...]] = iter(())
        self.count = count
        self.errors: list[Exception] = []
        """What went wrong, which TensorFlow would tell as a text alone."""

    def batch(self, index: int) -> tuple[Any, ...]:
        """Return the next batch, or the first one again."""
        try:
            if index == 0:
                self._batches = self._read()
            return next(self._batches)
        except Exception as error:
            self.errors.append(error)
            raise

    def for_keras(self) -> keras.utils.PyDataset:
        """Return what Keras validates on; TensorFlow never forgets it, so it knows nothing."""
        return _ForKeras(self)


class _ForKeras(keras.utils.PyDataset):  # type: ignore[misc]  # Keras carries no types
    def __init__(self, batches: ValidationBatches) -> None:
        super().__init__()
        self._count = batches.count
        self._alive = weakref.ref(batches)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        batches = self._alive()
        if batches is None:
            raise IndexError(index)
        return batches.batch(index)


def batches_of_stream(X: Any, read: BatchReader) -> ValidationBatches:
    """Return a stream to validate on: each of its batches once."""
    if isinstance(X, keras.utils.PyDataset) or _is_tensorflow(X):
        count = known_length(X)
        if count is None:
            raise InvalidInputError(
                "validation_data in batches must have an end that is known; received a "
                f"{type(X).__name__} without: give it one, for instance with take(n) and "
                "tf.data.experimental.assert_cardinality(n)"
            )
    else:
        count = sum(1 for _ in X(0))
    return ValidationBatches(
        lambda: map(read, itertools.islice(raw_batches(X, 0, count), count)), count
    )


def batches_of_pictures(images: StoredPictures, targets: NDArray[np.float32]) -> ValidationBatches:
    """Return stored images to validate on, batch by batch."""
    starts = range(0, len(images), _BATCH)

    def one_pass() -> Iterator[tuple[Any, ...]]:
        for start in starts:
            rows = slice(start, start + _BATCH)
            yield images[rows].astype(np.float32, copy=False), targets[rows]

    return ValidationBatches(one_pass, len(starts))
