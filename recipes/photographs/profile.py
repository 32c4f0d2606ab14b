"""How often a network agrees with people, by how far a head is turned aside.

    python recipes/photographs/profile.py fer2013.csv ../shared/data/fer2013new.csv

The crops of PublicTest, enlarged, by the yaw that the detector's landmarks tell: how often
``ferplus_cnn`` says what most of the voters do, how many answers are certain and how often these
are right, and how often it says FER-2013's own label.
"""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
from covering import landmarks_of

import fer2013kit as fk
from fer2013kit.faces._emotion import CERTAIN_PROBABILITY
from fer2013kit.faces._pose import head_pose

BINS = (0, 10, 20, 30, 40, 50, 60, 90)


def main(data: str, votes: str) -> None:
    """Print a line for each range of yaw."""
    split = fk.load_fer2013(data, ferplus=votes).validation
    points = [landmarks_of(image) for image in split.images[..., 0]]
    yaw = np.array([np.nan if one is None else abs(head_pose(one).yaw) for one in points])
    majority = split.ferplus.majority()
    table = fk.load_predictor("ferplus_cnn").predict_proba(split.images, tta="flip")
    said, sure = table.argmax(axis=1), table.max(axis=1) >= CERTAIN_PROBABILITY
    for low, high in pairwise(BINS):
        some = (yaw >= low) & (yaw < high) & (majority >= 0)
        agree = said == majority
        print(
            f"yaw {low} to {high}: {some.sum()} faces, as most people {agree[some].mean():.3f}; "
            f"certain {sure[some].mean():.3f}, of these {agree[some & sure].mean():.3f}; "
            f"as FER-2013 says {(said == split.labels)[some].mean():.3f}"
        )
    print(f"no face found in {np.isnan(yaw).sum()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
