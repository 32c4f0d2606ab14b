"""Compare the boxes of other packages' detectors with those of the kit's own.

    pip install ".[opencv,mtcnn,dlib]"
    python recipes/photographs/detectors.py ../shared/data/press-photos

Of 80 photographs, printed are how many of the surest faces of `FaceDetector` each detector finds
(the middles of both boxes within half of a side), how many other boxes it has, and where the kit's
box lies in its own: across and down, in sides of its square, and how many times larger it is.
The medians became the constants of ``fer2013kit.faces._other_detectors``, which were (0, 1) when
this was run first.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args
from unittest import mock

import numpy as np
from PIL import Image

import fer2013kit as fk
from fer2013kit.faces import _other_detectors
from fer2013kit.typing import DetectorName

N_PHOTOS = 80


def main(folder: str) -> None:
    """Print a line for each detector."""
    paths = sorted(Path(folder).glob("*.jpg"))
    chosen = np.random.default_rng(3).permutation(len(paths))[:N_PHOTOS]
    photos = [np.asarray(Image.open(paths[index]).convert("RGB")) for index in chosen]
    own = fk.FaceDetector(turned=False)
    expected = [own(photo)[0] for photo in photos]
    unfitted = dict.fromkeys(_other_detectors.FIT, (0.0, 1.0))
    for name in get_args(DetectorName)[1:]:
        detector = _other_detectors.chosen_detector(name)
        with mock.patch.dict(_other_detectors.FIT, unfitted):
            found = [np.asarray(detector(photo))[:, :4] for photo in photos]
        places, others = [], 0
        for boxes, box in zip(found, expected, strict=True):
            middles, sides = boxes[:, :2] + boxes[:, 2:] / 2, np.sqrt(boxes[:, 2:].prod(axis=1))
            middle, side = box[:2] + box[2:] / 2, np.sqrt(box[2:].prod())
            away = np.linalg.norm(middles - middle, axis=1)
            near = away.argmin() if len(away) else None
            if near is None or away[near] > side / 2:
                others += len(boxes)
                continue
            others += len(boxes) - 1
            places.append([*((middle - middles[near]) / sides[near]), side / sides[near]])
        across, down, larger = np.median(places, axis=0)
        print(
            f"{name}: found {len(places) / N_PHOTOS:.3f}, {others} other boxes; the kit's box is "
            f"{across:+.3f} across, {down:+.3f} down, {larger:.3f} times as large"
        )


if __name__ == "__main__":
    main(sys.argv[1])
