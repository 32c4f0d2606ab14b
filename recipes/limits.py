"""What limits on FER-2013: python -m recipes.limits FOLDER CSV FERPLUS [NAME ...].

FOLDER holds what networks say of PublicTest (recipes.means), NAME are shipped networks beside them.
Where all of them are wrong, the FER+ votes tell whose word people take: the label's or theirs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import fer2013kit as fk
from recipes.means import answers


def main() -> None:
    """Print how often voters, networks and labels agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", help="fer2013.csv")
    parser.add_argument("votes", help="fer2013new.csv")
    parser.add_argument("names", nargs="*", help="shipped networks")
    options = parser.parse_args()
    split = fk.load_fer2013(options.data, ferplus=options.votes).validation
    y, voted = split.labels, split.ferplus.majority()  # the seven classes have the same codes
    voted = np.where(voted < len(fk.CLASS_NAMES), voted, -1)
    known = voted >= 0
    print(f"voters, of {known.sum()} with a majority: {np.mean(voted[known] == y[known]):.3f}")
    said = answers(options.folder, split.images, options.names)
    each = np.array([views["flip"].argmax(axis=1) for views in said.values()])
    print(f"networks: {', '.join(said)}")
    for name, wrong in (
        ("all are wrong", (each != y).all(axis=0)),
        ("and all say the same", (each != y).all(axis=0) & (each == each[0]).all(axis=0)),
    ):
        theirs, labels = ((voted == of)[wrong & known].sum() for of in (each[0], y))
        print(
            f"{name}: {wrong.sum()}; most voters say what the first network says: {theirs}, "
            f"what the label says: {labels}"
        )


if __name__ == "__main__":
    main()
