"""What class frequencies are worth: on press photographs, and on PublicTest.

    python recipes/photographs/priors.py ../shared/data/press-photos fer2013.csv fer2013new.csv

A network that learned from FER-2013 is told how frequent each emotion is among the photographs, as
counted in one half of them; figures are those of the other half, and then the other way round.
Beside it stand all classes alike, and the frequencies that the answers themselves suggest
(expectation-maximisation, Saerens et al., Neural Computation 14, 2002).  Both views are averaged.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from press import largest_faces, seven

import fer2013kit as fk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Table = NDArray[np.float64]


def main(photographs: str, data: str, votes: str) -> None:
    """Print accuracy and mean recall for each way."""
    faces, labels = largest_faces(Path(photographs))
    found = np.array([face is not None for face in faces])
    crops, y = np.stack([face.crop for face in faces if face is not None]), labels[found]
    split = fk.load_fer2013(data, ferplus=votes)
    counts = fk.class_counts(split.train.labels)
    voted = split.train.ferplus.probabilities()[:, :7]
    # ferplus_cnn has half of its frequencies taken out (recipes/networks.py).
    learned = {"five_layer_cnn": counts, "deep_cnn": counts, "ferplus_cnn": voted.mean(0) ** 0.5}
    for name, old in learned.items():
        table = seven(fk.load_predictor(name), crops, "flip")
        print(f"press, {name}: as it is {describe(table, y)}")
        print(f"  told: {describe(told_by_half(table, y, old), y)}")
        print(f"  told by a hundred: {told_by_a_hundred(table, y, old):.3f}")
        print(f"  suggested: {describe(fk.adjust_priors(table, old, suggested(table, old)), y)}")
        print(f"  all alike: {describe(fk.adjust_priors(table, old), y)}")
    table = fk.load_predictor("five_layer_cnn").predict_proba(split.validation.images, tta="flip")
    for strength in (0.0, 0.5, 1.0):
        adjusted = fk.adjust_priors(table, counts, strength=strength)
        answers = describe(adjusted, split.validation.labels)
        print(f"PublicTest, five_layer_cnn, all alike with strength {strength}: {answers}")


def told_by_half(table: Table, y: NDArray[np.int64], old: Table) -> Table:
    """Return the answers for each half, told the frequencies in the other."""
    adjusted = table.copy()
    for half in (np.arange(len(y)) % 2 == 0, np.arange(len(y)) % 2 == 1):
        adjusted[half] = fk.adjust_priors(table[half], old, fk.class_counts(y[~half]))
    return adjusted


def told_by_a_hundred(table: Table, y: NDArray[np.int64], old: Table) -> float:
    """Return the mean accuracy of 1,000 draws, told by a hundred labels and half a one of each."""
    rng, right = np.random.default_rng(0), []
    for _ in range(1000):
        few, rest = np.split(rng.permutation(len(y)), [100])
        answers = fk.adjust_priors(table[rest], old, fk.class_counts(y[few]) + 0.5)
        right.append((answers.argmax(axis=1) == y[rest]).mean())
    return float(np.mean(right))


def suggested(table: Table, old: Table, rounds: int = 500) -> Table:
    """Return the frequencies under which the answers' mean is these frequencies."""
    shares: Table = old / old.sum()
    for _ in range(rounds):
        shares = fk.adjust_priors(table, old, shares).mean(axis=0)
    return shares


def describe(table: Table, y: NDArray[np.int64]) -> str:
    """Return accuracy and mean recall."""
    report = fk.evaluate_predictions(y, table)
    return f"{report.accuracy:.3f}, mean recall {report.balanced_accuracy:.3f}"


if __name__ == "__main__":
    main(*sys.argv[1:])
