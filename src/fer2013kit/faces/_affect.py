"""Pleasure and arousal of emotions, as people rated the words for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RATINGS: Final = {
    "angry": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "happy": (0.81, 0.51),
    "sad": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
    "neutral": (0.0, 0.0),
    "contempt": (-0.24, 0.31),
}
"""Mean pleasure and arousal of *angry*, *disgusted*, *fearful*, *happy*, *sad*, *surprised* and
*contemptuous* in table 4 of Russell and Mehrabian (1977), in [-1, 1].  Their 151 words have no
*neutral*: it is put in the middle of both scales."""


def valence_and_arousal(
    probabilities: NDArray[np.float32], class_names: Sequence[str]
) -> tuple[float, float] | None:
    """Return the means of the ratings, or None where a class is not among them."""
    if not set(class_names) <= set(RATINGS):
        return None
    ratings = np.array([RATINGS[name] for name in class_names])
    valence, arousal = (probabilities @ ratings).tolist()
    return valence, arousal
