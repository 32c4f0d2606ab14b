"""What the loss aims at: labels, what FER+ votes say of them, and what teachers say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

import fer2013kit as fk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SOFT_TARGETS: Final = Path(__file__).with_name("soft_targets")


def mix_targets(shares: Mapping[str, float], split: fk.Split) -> NDArray[np.float32]:
    """Return the weighted mean of the named targets for the rows of a split.

    Parameters
    ----------
    shares : mapping of str to float
        As in :class:`recipes.definitions.Recipe`.
    split : Split
        The training rows, with their FER+ votes if ``shares`` names them.

    Returns
    -------
    ndarray of float32, shape (n, 7)
        Rows sum to 1.
    """
    total: Any = sum(share * _target(name, split) for name, share in shares.items())
    mixed: NDArray[np.float32] = (total / total.sum(axis=1, keepdims=True)).astype(np.float32)
    return mixed


def _target(name: str, split: fk.Split) -> NDArray[Any]:
    if name == "labels":
        return fk.to_one_hot(split.labels)
    if name == "votes":
        return label_from_votes(split)
    return np.load(SOFT_TARGETS / f"{name}.npy")


def label_from_votes(split: fk.Split) -> NDArray[np.float64]:
    """Return the FER-2013 label that one would expect of each picture from its FER+ votes alone.

    FER+ is another labelling with other habits (its people agree with FER-2013 on two pictures
    of three), so its votes are no target themselves.  Gradient boosting learns from the votes
    which label FER-2013 gives; each row is predicted by a fit that has not seen it.
    """
    votes = split.ferplus.votes / 10.0
    booster = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.08, max_leaf_nodes=12)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    probabilities: NDArray[np.float64] = cross_val_predict(
        booster, votes, split.labels, cv=folds, method="predict_proba"
    )
    return probabilities
