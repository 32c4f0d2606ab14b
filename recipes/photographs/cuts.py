"""How much of the image changes from frame to frame, and between images of other places.

    python recipes/photographs/cuts.py ../shared/data/talking.mp4 ../shared/data/press-photos

In a video without cuts: the most between frames that follow each other, and between every fifth.
Among photographs: how many of 5,000 pairs change by more than what is called a cut.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from fer2013kit.faces._photos import read_photo
from fer2013kit.video._cuts import SHARE, CutFinder, changed_share, places_of


def main(video: str, folder: str) -> None:
    """Print the shares."""
    finder = CutFinder()
    with av.open(video) as container:
        frames = [places_of(frame, finder.reformatter) for frame in container.decode(video=0)]
    for step in (1, 5):
        shares = [changed_share(a, b) for a, b in pairwise(frames[::step])]
        print(f"every {step} frames: at most {max(shares):.2f} of the image changes")
    photos = []
    for path in sorted(Path(folder).glob("*.jpg")):
        frame = av.VideoFrame.from_ndarray(read_photo(path).rgb, format="rgb24")
        photos.append(places_of(frame, finder.reformatter))
    pairs = np.random.default_rng(0).integers(0, len(photos), (5000, 2))
    shares = [changed_share(photos[i], photos[j]) for i, j in pairs if i != j]
    print(
        f"pairs of photographs: {np.mean(np.array(shares) > SHARE):.4f} change by more than a cut"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
