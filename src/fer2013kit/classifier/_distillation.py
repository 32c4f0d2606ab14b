"""Distillation: what another network answers becomes a part of what the loss aims at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._class_names import classifier_names
from fer2013kit._metrics import check_probabilities
from fer2013kit.evaluation import apply_temperature
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DEFAULT_ALPHA: Final = 0.5
DEFAULT_TEMPERATURE: Final = 1.0


def distilled_targets(
    targets: NDArray[np.float32],
    X: Any,
    *,
    teacher: Any,
    alpha: float,
    temperature: float,
    class_names: Sequence[str],
) -> NDArray[np.float32]:
    """Return ``(1 - alpha) * targets + alpha * softmax(log(teacher) / temperature)``.

    The targets (n, k) are what the loss aims at without a teacher, ``X`` the images as the user
    gave them, the teacher anything with ``predict_proba`` and the same classes, in any order.

    Raises
    ------
    InvalidInputError
        For a teacher without ``predict_proba``, of other classes, or whose answers are no
        probabilities of each image.
    """
    if not hasattr(teacher, "predict_proba"):
        raise InvalidInputError(
            f"teacher must have predict_proba, as fitted classifiers do; received {shown(teacher)}"
        )
    names = list(classifier_names(teacher))
    if sorted(names) != sorted(class_names):
        raise InvalidInputError(
            f"teacher must know the classes {', '.join(class_names)}; received one for "
            f"{', '.join(names)}"
        )
    given = check_probabilities(teacher.predict_proba(X), name="what teacher predicts")
    if given.shape != targets.shape:
        raise InvalidInputError(
            "teacher must predict a probability of each class for each image, "
            f"{targets.shape}; received {given.shape}"
        )
    answers = apply_temperature(given, temperature)
    columns = [names.index(name) for name in class_names]
    return ((1 - alpha) * targets + alpha * answers[:, columns]).astype(np.float32)
