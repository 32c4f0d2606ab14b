"""What a fit is given, checked and brought together: arrays, or batches of a stream."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import check_number, check_whole
from fer2013kit._image_input import StoredPictures
from fer2013kit._labels import codes_in
from fer2013kit.classifier import _held_out, _inputs, _targets
from fer2013kit.classifier._class_labels import (
    check_own_names,
    decide_classes,
    name_classes,
)
from fer2013kit.classifier._distillation import (
    DEFAULT_ALPHA,
    DEFAULT_TEMPERATURE,
    distilled_targets,
)
from fer2013kit.classifier._glance import doubt_numbering
from fer2013kit.classifier._runs import batch_settings
from fer2013kit.classifier._streams import (
    BatchReader,
    batches_of_pictures,
    batches_of_stream,
    is_stream,
    known_length,
    raw_batches,
    shape_of,
)
from fer2013kit.exceptions import InvalidInputError, shown
from fer2013kit.pipeline import StreamedBatches, TrainingBatches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer2013kit._image_input import Shape
    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.classifier._warm_start import TrainedNetwork


_GLANCED: Final = 256
"""So many images of a stream tell whether its labels are in another order."""


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """What a network is trained on, and what it is for."""

    classes: NDArray[Any]
    shape: Shape
    batches: TrainingBatches | StreamedBatches
    validation: Any
    """Arrays, batches for Keras, or None."""


def read_training_set(
    classifier: EmotionClassifier,
    X: Any,
    y: Any,
    *,
    seed: int,
    before: TrainedNetwork | None = None,
    sample_weight: Any = None,
    soft_targets: Any = None,
    teacher: Any = None,
    distillation_alpha: float = DEFAULT_ALPHA,
    distillation_temperature: float = DEFAULT_TEMPERATURE,
    steps_per_epoch: int | None = None,
    validation_data: Any = None,
) -> TrainingSet:
    """Return the training set of a fit; see :meth:`EmotionClassifier.fit`."""
    check_number("distillation_alpha", distillation_alpha, "[0, 1]")
    check_number("distillation_temperature", distillation_temperature, "(0, inf)")
    asked = distillation_alpha, distillation_temperature
    if teacher is None and asked != (DEFAULT_ALPHA, DEFAULT_TEMPERATURE):
        raise InvalidInputError(
            "distillation_alpha and distillation_temperature are about what a teacher says; give "
            f"teacher, too, or neither; received {shown(asked)} without one"
        )
    if is_stream(X):
        given = {
            "y": y, "sample_weight": sample_weight, "soft_targets": soft_targets, "teacher": teacher
        }  # fmt: skip
        return _of_stream(
            classifier,
            X,
            steps=steps_per_epoch,
            validation_data=validation_data,
            before=before,
            seed=seed,
            extra=[name for name, value in given.items() if value is not None],
        )
    if steps_per_epoch is not None:
        raise InvalidInputError(
            "steps_per_epoch is for batches that are read, a function for instance; arrays are "
            "trained on whole in every epoch"
        )
    distillation = {
        "teacher": teacher, "alpha": distillation_alpha, "temperature": distillation_temperature
    }  # fmt: skip
    return _of_arrays(
        classifier,
        X,
        y,
        sample_weight=sample_weight,
        soft_targets=soft_targets,
        distillation=None if teacher is None else distillation,
        validation_data=validation_data,
        before=before,
        seed=seed,
    )


def _of_arrays(
    classifier: EmotionClassifier,
    X: Any,
    y: Any,
    *,
    sample_weight: Any,
    soft_targets: Any,
    distillation: dict[str, Any] | None,
    validation_data: Any,
    before: TrainedNetwork | None,
    seed: int,
) -> TrainingSet:
    images, labels = _inputs.read_training_data(classifier, X, y)
    classes = decide_classes(
        labels,
        asked=classifier.classes,
        class_names=classifier.class_names,
        before=None if before is None else before.classes,
    )
    codes = codes_in(labels, classes, None, name="y")
    weights = _targets.row_weights(
        labels, codes, classes, sample_weight=sample_weight, class_weight=classifier.class_weight
    )
    names = name_classes(classes, asked=classifier.classes, class_names=classifier.class_names)
    if before is not None and classifier.classes is None:
        check_own_names(classes, names, before.classes, before.class_names)
    targets = _targets.training_targets(codes, classes, soft_targets, names)
    if classifier.value_range is not None:
        doubt_numbering(images, codes, names)
    trained: NDArray[np.bool_] = np.asarray(targets.any(axis=1))  # of the rest nothing is learned
    if distillation is not None:
        targets = distilled_targets(targets, X, class_names=names, **distillation)
    shape: Shape = images.shape[1:]  # type: ignore[assignment]  # four axes, by now
    validation = None
    if validation_data is not None:
        validation = _validation(classifier, validation_data, shape, classes)
    elif classifier.validation_fraction:
        held = _held_out.rows_to_hold_out(
            images,
            codes,
            classifier.validation_fraction,
            seed,
            groups=_held_out.validation_groups(classifier.validation_groups, X, len(images)),
        )
        validation = _for_keras(
            _inputs.rows_of(images, np.flatnonzero(held)), _targets.one_hot(codes[held], classes)
        )
        trained &= ~held
    if not trained.all():
        rows = np.flatnonzero(trained)
        images, targets, weights = _inputs.rows_of(images, rows), targets[rows], weights[rows]
    if not weights.any():
        raise InvalidInputError(
            "sample_weight, class_weight and soft_targets must not be zero for every row that is "
            "trained on"
        )
    params = classifier.get_params(deep=False)
    batches = TrainingBatches(
        images=images,
        targets=targets,
        weights=weights,
        batch_size=params["batch_size"],
        **batch_settings(params, seed),
    )
    return TrainingSet(classes=classes, shape=shape, batches=batches, validation=validation)


def _of_stream(
    classifier: EmotionClassifier,
    X: Any,
    *,
    steps: int | None,
    validation_data: Any,
    before: TrainedNetwork | None,
    seed: int,
    extra: list[str],
) -> TrainingSet:
    if classifier.validation_fraction and validation_data is None:
        extra.append("validation_fraction")
    if extra:
        raise InvalidInputError(
            f"{' and '.join(extra)} cannot be used with batches: each of "
            "them is (images, labels) or (images, labels, weights), where rows of "
            "probabilities may stand for labels; pass validation_data for validation"
        )
    if isinstance(classifier.class_weight, str):
        raise InvalidInputError(
            f"class_weight={classifier.class_weight!r} needs all labels at once, which batches do "
            "not give; pass the weights themselves, from fer2013kit.class_weights(labels)"
        )
    steps = known_length(X) if steps is None else steps
    if steps is None:
        raise InvalidInputError(
            "steps_per_epoch must say how many batches an epoch has, where X does not; "
            "received None"
        )
    steps = check_whole("steps_per_epoch", steps)
    opening = raw_batches(X, 0, steps)
    first = next(opening, None)
    if first is None:
        raise InvalidInputError("X must have at least one batch; received none")
    shape = classifier.image_shape or shape_of(first)
    read = BatchReader(
        shape=shape,
        value_range=classifier.value_range,
        classes=_classes_of_stream(classifier, before),
        class_weight=classifier.class_weight,
    )
    some, targets, _ = read(first)
    if classifier.value_range is not None:
        further = min(steps, math.ceil(_GLANCED / len(some))) - 1
        parts = [(some, targets), *(read(one)[:2] for one in islice(opening, further))]
        pixels, said = map(np.concatenate, zip(*parts, strict=True))
        told = said.any(axis=1)  # by votes, of which some images have none
        names = name_classes(
            read.classes, asked=classifier.classes, class_names=classifier.class_names
        )
        doubt_numbering(pixels[told], said[told].argmax(axis=1), names)
    classifier.__dict__.pop("feature_names_in_", None)  # of an earlier fit
    batches = StreamedBatches(
        batches_from=lambda epoch: map(read, raw_batches(X, epoch, steps)),
        some=some,
        n_classes=len(read.classes),
        steps_per_epoch=steps,
        **batch_settings(classifier.get_params(deep=False), seed),
    )
    validation = None
    if validation_data is not None:
        validation = _validation(classifier, validation_data, shape, read.classes)
    return TrainingSet(classes=read.classes, shape=shape, batches=batches, validation=validation)


def _classes_of_stream(
    classifier: EmotionClassifier, before: TrainedNetwork | None
) -> NDArray[Any]:
    if classifier.classes is not None:
        return np.unique(np.asarray(classifier.classes))
    if before is not None:
        return before.classes
    if classifier.class_names is not None:
        return np.arange(len(classifier.class_names))
    raise InvalidInputError(
        "batches do not tell their classes before they end; list all labels that there may be in "
        "classes, for instance classes=range(7)"
    )


def _validation(
    classifier: EmotionClassifier, data: Any, shape: Shape, classes: NDArray[Any]
) -> Any:
    if is_stream(data):
        read = BatchReader(shape=shape, value_range=classifier.value_range, classes=classes)
        return batches_of_stream(data, read)
    return _for_keras(*_inputs.read_validation_data(classifier, data, shape=shape, classes=classes))


def _for_keras(images: Any, targets: NDArray[np.float32]) -> Any:
    """Return arrays as they are, and stored images as batches."""
    if isinstance(images, StoredPictures):
        return batches_of_pictures(images, targets)
    return images, targets
