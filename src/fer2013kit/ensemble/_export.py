"""An ensemble as one Keras network, for the formats of the export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from fer2013kit._export_metadata import ExportMetadata
from fer2013kit._image_input import pixel_converter, read_pictures
from fer2013kit._keras_settings import keras_settings
from fer2013kit.classifier._persistence import float32_network
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.export import calibrated, export_network

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike

    from fer2013kit.ensemble._ensemble import EnsembleClassifier
    from fer2013kit.export import ExportReport
    from fer2013kit.typing import Quantization


def export_ensemble(
    ensemble: EnsembleClassifier,
    path: Path,
    *,
    quantization: Quantization | None,
    images: ArrayLike | None,
    tolerance: float | None,
) -> ExportReport:
    """Write an ensemble; see :meth:`EnsembleClassifier.export`."""
    ranges = {member.value_range for member in ensemble.members}
    (value_range,) = ranges if len(ranges) == 1 else (None,)
    if value_range is None:
        raise InvalidInputError(
            "members must read floats in one range, which an exported network takes for granted; "
            f"received value_range of {sorted(map(str, ranges))}"
        )
    levels = None
    if images is not None:
        pictures = read_pictures(images, ensemble.image_shape_, value_range)
        levels = np.rint(pixel_converter(value_range)(pictures)).astype(np.uint8)
    metadata = ExportMetadata(
        classes=ensemble.classes_.tolist(),
        classes_dtype=ensemble.classes_.dtype.str,
        class_names=list(ensemble.class_names_),
        image_shape=list(ensemble.image_shape_),
        value_range=list(value_range),
        temperature=ensemble.temperature_,
        quantization=quantization,
        metrics=None,
    )
    with keras_settings():
        return export_network(
            _network(ensemble),
            metadata,
            path,
            images=levels,
            tolerance=tolerance,
            calibrator=ensemble.calibrator_,
        )


def _network(ensemble: EnsembleClassifier) -> Any:
    pictures = keras.Input(ensemble.image_shape_)
    answers = []
    shares = ensemble._shares()  # noqa: SLF001 - of this package
    for place, (member, share) in enumerate(zip(ensemble.members, shares, strict=True)):
        network = float32_network(
            member._fitted(),  # noqa: SLF001 - the same
            member._architecture,  # noqa: SLF001 - the same
            member.model_.get_weights(),
        )
        network.name = f"member_{place}"
        answer = calibrated(
            network(pictures, training=False), member.temperature_, member.calibrator_
        )
        answers.append(answer * float(share))
    return keras.Model(pictures, keras.layers.add(answers), name="ensemble")
