"""Classes that were taken for one another: labels in one order, answers in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit.exceptions import shortened, warn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fer2013kit._checks import IntArray

_EACH: Final = 2.0
"""Standard deviations by which another class's answer is ahead of a class's own, in a cycle."""
_ALL: Final = 5.0
"""Of all classes of the cycles together: labels drawn by chance were not doubted by it, FER-2013's
by the alphabet were, of 50 images a class (tests/test_class_order.py)."""


def exchanged_classes(codes: IntArray, predicted: IntArray, n_classes: int) -> dict[int, int]:
    """Return which class has which other's answer, where several have each other's.

    A wrong order of the classes is a permutation, which consists of cycles: each class of one has
    mostly the next one's answer, and far more often than its own.

    Examples
    --------
    >>> import numpy as np
    >>> from fer2013kit._class_order import exchanged_classes
    >>> codes = np.arange(70) % 7
    >>> exchanged_classes(codes, np.array([0, 1, 2, 3, 6, 4, 5])[codes], 7)
    {4: 6, 5: 4, 6: 5}
    """
    cells = np.bincount(codes * n_classes + predicted, minlength=n_classes * n_classes)
    matrix = cells.reshape(n_classes, n_classes)
    taken_for = {
        code: most
        for code, most in enumerate(matrix.argmax(axis=1).tolist())
        if _ahead(matrix[code, most], matrix[code, code]) >= _EACH
    }
    cycles = set(taken_for)
    for _ in taken_for:  # a class that no other leads to is left out, then the one it leads to
        cycles &= {taken_for[code] for code in cycles}
    found = {code: taken_for[code] for code in sorted(cycles)}
    others = sum(int(matrix[code, other]) for code, other in found.items())
    own = sum(int(matrix[code, code]) for code in found)
    return found if _ahead(others, own) >= _ALL else {}


def _ahead(others: int, own: int) -> float:
    """Return by how many standard deviations one count is ahead of another (McNemar, 1947)."""
    return float((others - own) / np.sqrt(max(others + own, 1)))


def in_words(found: Mapping[int, int], names: Sequence[str]) -> str:
    """Return which class is taken for which, for a message."""
    return shortened(
        ", ".join(f"{names[code]} for {names[other]}" for code, other in found.items())
    )


def doubt_order(
    codes: IntArray, predicted: IntArray, names: Sequence[str], *, answers: str = "predictions"
) -> None:
    """Warn where labels and ``answers`` seem to follow different orders of the classes."""
    found = exchanged_classes(codes, predicted, len(names))
    if found:
        warn(
            f"labels and {answers} seem to number the classes in different orders: most samples of "
            f"a class are taken for those of another, {in_words(found, names)}; Keras numbers "
            "folders by the alphabet, FER-2013 as in CLASS_NAMES"
        )
