"""A classifier as a file for other programs: its network, and its facts as metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._export_metadata import ExportMetadata
from fer2013kit._image_input import pixel_converter, read_pictures
from fer2013kit._keras_settings import keras_settings
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import keras
    from numpy.typing import ArrayLike

    from fer2013kit._prediction import CalibratedClassifier
    from fer2013kit.export import ExportReport
    from fer2013kit.typing import Quantization


def export_classifier(
    classifier: CalibratedClassifier,
    network: keras.Model,
    path: Path,
    *,
    value_range: tuple[float, float] | None,
    metrics: Mapping[str, Any] | None,
    quantization: Quantization | None,
    images: ArrayLike | None,
    tolerance: float | None,
) -> ExportReport:
    """Write a network with a classifier's facts; see :meth:`EmotionClassifier.export`."""
    from fer2013kit.export import export_network

    if value_range is None:
        raise InvalidInputError(
            "a classifier of value_range=None takes numbers that are no grey levels, but an "
            "exported network takes grey levels; standardise inside the network instead"
        )
    levels = None
    if images is not None:
        pictures = read_pictures(images, classifier.image_shape_, value_range)
        levels = np.rint(pixel_converter(value_range)(pictures)).astype(np.uint8)
    metadata = ExportMetadata(
        classes=classifier.classes_.tolist(),
        classes_dtype=classifier.classes_.dtype.str,
        class_names=list(classifier.class_names_),
        image_shape=list(classifier.image_shape_),
        value_range=list(value_range),
        temperature=classifier.temperature_,
        quantization=quantization,
        metrics=metrics,
        calibrator=classifier.calibrator_,
        calibration=next(iter(classifier._calibration_sources()), None),  # noqa: SLF001 - of this package
    )
    with keras_settings():
        return export_network(network, metadata, path, images=levels, tolerance=tolerance)
