"""An ensemble as one Keras network, for the formats of the export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from fer2013kit._keras_settings import keras_settings
from fer2013kit.classifier._export import export_classifier
from fer2013kit.classifier._fitted import rebuild_network
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.export import calibrated

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
    with keras_settings():
        network = _network(ensemble)
    return export_classifier(
        ensemble,
        network,
        path,
        value_range=value_range,
        metrics=None,
        quantization=quantization,
        images=images,
        tolerance=tolerance,
    )


def _network(ensemble: EnsembleClassifier) -> Any:
    pictures = keras.Input(ensemble.image_shape_)
    answers = []
    shares = ensemble._shares()  # noqa: SLF001 - of this package
    for place, (member, share) in enumerate(zip(ensemble.members, shares, strict=True)):
        network, _ = rebuild_network(
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
