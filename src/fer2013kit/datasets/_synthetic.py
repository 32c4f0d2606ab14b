"""make_fer2013: a data set of drawn faces, offline and seeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fer2013kit._checks import check_whole, random_generator
from fer2013kit.datasets._drawing import draw_faces
from fer2013kit.datasets._fer2013 import FER2013
from fer2013kit.datasets._split import RandomState, Split
from fer2013kit.emotions import CLASS_NAMES, NUM_CLASSES
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fer2013kit._checks import IntArray

FER2013_COUNTS: Final = (3995, 436, 4097, 7215, 4830, 3171, 4965)
"""Training rows of FER-2013 per class code."""

MIN_SAMPLES: Final = 10
"""The least that leaves a row for each split and one of each class for train."""


def make_fer2013(
    n_samples: int = 700,
    *,
    random_state: RandomState = None,
    weights: ArrayLike | str | None = None,
) -> FER2013:
    """Draw simple faces with seven learnable expressions, offline and seeded.

    A stand-in for FER-2013 in examples, tests and demonstrations: the same container, shapes,
    classes and proportions of the splits.  Brows, eyes, nose and mouth are placed by the emotion,
    more or less strongly; pose, person, hair, light, blur and noise are chosen at random.

    =================   ==================================================
    Classes             7 (see :class:`Emotion`)
    Samples             ``n_samples``; a tenth each in validation and test
    Images              uint8 ``(n, 48, 48, 1)``, grey, 0 to 255
    Labels              int64 ``(n,)``, 0 to 6
    =================   ==================================================

    Parameters
    ----------
    n_samples : int, default 700
        Number of images in all, 10 or more.  ``n_samples // 10`` go to ``validation``, as many
        to ``test`` and the rest to ``train``.
    random_state : int, Generator, RandomState or None, default None
        Seed.  The same seed draws the same data set; on another processor or version of NumPy
        single pixels may differ by a grey level.
    weights : None, "fer2013" or array_like of float, shape (7,), default None
        Share of each class.  None makes the classes equal, ``"fer2013"`` gives them the shares of
        FER-2013's training set (1.5 % disgust, 25 % happy), and seven numbers of 0 or more are
        taken relative to their sum.  A class with a share above 0 is in every split that has at
        least as many rows as there are such classes.

    Returns
    -------
    FER2013
        With ``train``, ``validation`` and ``test``, each in random order.

    Raises
    ------
    InvalidInputError
        For fewer than 10 samples, or weights that are not seven shares.

    See Also
    --------
    load_fer2013 : The real one.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=700, random_state=0)
    >>> data
    FER2013(train=560, validation=70, test=70, source='make_fer2013')
    >>> fk.make_fer2013(700, random_state=0, weights="fer2013").train.labels.tolist().count(1)
    8
    """
    n_samples = check_whole("n_samples", n_samples, least=MIN_SAMPLES)
    shares = _class_shares(weights)
    rng = random_generator(random_state)
    held_out = n_samples // 10
    sizes = {"train": n_samples - 2 * held_out, "validation": held_out, "test": held_out}
    splits = {}
    for name, size in sizes.items():
        labels = np.repeat(np.arange(NUM_CLASSES), _class_counts(size, shares))
        labels = rng.permutation(labels)
        splits[name] = Split(draw_faces(labels, rng), labels)
    return FER2013(**splits, source="make_fer2013")


def _class_shares(weights: ArrayLike | str | None) -> NDArray[np.float64]:
    """Return the share of each class; the shares add up to 1."""
    chosen = np.ones(NUM_CLASSES) if weights is None else weights
    if isinstance(weights, str) and weights == "fer2013":
        chosen = FER2013_COUNTS
    try:
        shares = np.array(chosen, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        shares = np.empty(0)
    usable = shares.shape == (NUM_CLASSES,) and bool(np.all(np.isfinite(shares) & (shares >= 0)))
    if not usable or shares.sum() == 0:
        raise InvalidInputError(
            'weights must be None, "fer2013" or seven numbers of 0 or more '
            f"({', '.join(CLASS_NAMES)}), not all 0; received {shown(weights)}"
        )
    shares /= shares.sum()
    return shares


def _class_counts(size: int, shares: NDArray[np.float64]) -> IntArray:
    """Share ``size`` rows out by largest remainder, with one for each class where there is room."""
    wanted = shares > 0
    least = wanted.astype(np.int64) if size >= wanted.sum() else np.zeros(NUM_CLASSES, np.int64)
    exact = shares * size
    counts = np.maximum(np.floor(exact).astype(np.int64), least)
    while (missing := size - int(counts.sum())) != 0:
        # Give to the class that is shortest of its share, or take from the one furthest above it.
        gap = np.where(counts > least, exact - counts, np.inf) if missing < 0 else counts - exact
        gap = np.where(wanted, gap, np.inf)
        counts[np.argmin(gap)] += 1 if missing > 0 else -1
    return counts
