"""A glance at the training images by a bundled network, which tells labels in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._class_order import exchanged_classes, in_words
from fer2013kit._pictures import MAX_CHANNELS
from fer2013kit.emotions import MAX_LEVEL, emotion_code
from fer2013kit.exceptions import MissingDependencyError, warn
from fer2013kit.runtime import EmotionPredictor
from fer2013kit.transforms import resize, to_grayscale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fer2013kit._checks import IntArray

_NETWORK: Final = "five_layer_cnn_small"
_OF_EACH: Final = 50
"""Images of a class, which is enough (tests/test_class_order.py)."""


def doubt_numbering(images: Any, codes: IntArray, names: Sequence[str]) -> None:
    """Warn where a bundled network takes emotions for one another, as if y were another order's.

    Images are grey levels or colours in [0, 255].  Where the classes are no emotions, or LiteRT is
    not installed, nothing can be told.
    """
    emotions = {place: emotion_code(name) for place, name in enumerate(names)}
    columns = {place: code for place, code in emotions.items() if code is not None}
    if len(set(columns.values())) < max(2, len(columns)) or images.shape[-1] > MAX_CHANNELS:
        return
    rng = np.random.default_rng(0)
    some = [rng.permutation(np.flatnonzero(codes == place))[:_OF_EACH] for place in columns]
    rows = np.sort(np.concatenate(some))
    if not len(rows):
        return
    try:
        predictor = EmotionPredictor.from_pretrained(_NETWORK)
    except MissingDependencyError:
        return
    probabilities = predictor.predict_proba(as_faces(images[rows]))
    places, of_emotions = np.array([*columns]), [*columns.values()]
    seen = places[probabilities[:, of_emotions].argmax(axis=1)]
    found = exchanged_classes(codes[rows], seen, len(names))
    if found:
        warn(
            "y seems to number the classes in another order than class_names: a bundled network "
            f"takes most images of a class for those of another, {in_words(found, names)}; Keras "
            "numbers folders by the alphabet, FER-2013 as in CLASS_NAMES. Pass class_names in the "
            "order of your numbers, or read the file with label_map={number: emotion}"
        )


def as_faces(pictures: NDArray[Any]) -> NDArray[np.uint8]:
    """Return pictures of any size as the network takes them."""
    levels = np.rint(np.clip(pictures, 0, MAX_LEVEL)).astype(np.uint8)
    return np.asarray(resize(to_grayscale(levels)))
