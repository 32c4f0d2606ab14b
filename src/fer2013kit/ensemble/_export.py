"""An ensemble as one Keras network, for the formats of the export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from fer2013kit._keras_settings import keras_settings
from fer2013kit.classifier._fitted import rebuild_network
from fer2013kit.export import calibrated

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from fer2013kit.classifier import EmotionClassifier


def mean_network(members: Sequence[EmotionClassifier], shares: NDArray[np.float64]) -> Any:
    """Return a network that answers with the mean of calibrated ones, each with its share."""
    with keras_settings():
        pictures = keras.Input(members[0].image_shape_)
        answers = []
        for place, (member, share) in enumerate(zip(members, shares, strict=True)):
            network, _ = rebuild_network(
                member._fitted(),  # noqa: SLF001 - of this package
                member._architecture,  # noqa: SLF001 - the same
                member.model_.get_weights(),
            )
            network.name = f"member_{place}"
            answer = calibrated(
                network(pictures, training=False), member.temperature_, member.calibrator_
            )
            answers.append(answer * float(share))
        return keras.Model(pictures, keras.layers.add(answers), name="ensemble")
