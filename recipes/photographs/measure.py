"""Paste PublicTest into larger images, find the faces again, and compare the predictions.

    python recipes/photographs/measure.py ../shared/data/fer2013-kaggle.zip 3      # every third
    python recipes/photographs/measure.py ../shared/data/fer2013-kaggle.zip 3 1    # the next ones

Each of the 3,589 crops is enlarged to one of four sizes and pasted, at a random place, with hard
or soft borders, into an image of 320x240 pixels: plain, noise, or a piece of a photograph without
people (two that come with scikit-learn).  The margin that the kit cuts around a box was chosen by
the first table of the first command; what the guide states comes from the second, whose crops had
no part in the choice.  No image is written.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

import fer2013kit as fk
from fer2013kit.faces._crops import MARGIN, cut_face

if TYPE_CHECKING:
    from collections.abc import Iterable

HEIGHT, WIDTH = 240, 320
SIDES = (48, 72, 96, 192)
BACKGROUNDS = ("plain", "noise", "photograph")
MARGINS = (-0.05, -0.025, 0.0, 0.025, 0.05, 0.075, 0.1, 0.15)
PHOTOGRAPHS = load_sample_images().images
SOFT = 0.06  # width of a soft border, in sides of the crop


def background(kind: str, rng: np.random.Generator) -> Any:
    """Return an image without faces."""
    if kind == "plain":
        return np.full((HEIGHT, WIDTH, 3), rng.integers(0, 256), np.uint8)
    if kind == "noise":
        return rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    photo = PHOTOGRAPHS[rng.integers(len(PHOTOGRAPHS))]
    top = rng.integers(0, photo.shape[0] - HEIGHT + 1)
    left = rng.integers(0, photo.shape[1] - WIDTH + 1)
    return photo[top : top + HEIGHT, left : left + WIDTH].copy()


def enlarged(crop: Any, side: int) -> Any:
    """Return a crop at another size; at its own, unchanged."""
    if side == len(crop):
        return crop
    return np.asarray(Image.fromarray(crop).resize((side, side), Image.Resampling.BICUBIC))


def paste(crop: Any, picture: Any, *, soft: bool, rng: np.random.Generator) -> Any:
    """Put a crop somewhere into an image; return left, top and side."""
    side = len(crop)
    top, left = rng.integers(0, HEIGHT - side + 1), rng.integers(0, WIDTH - side + 1)
    place = picture[top : top + side, left : left + side]
    share = np.ones(side)
    if soft:
        from_edge = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
        share = np.clip(from_edge / (SOFT * side), 0, 1)
    share = (share[:, None] * share)[..., None]
    place[:] = np.rint(share * crop[..., None] + (1 - share) * place)
    return left, top, side


def is_on(box: Any, place: Any) -> bool:
    """Tell whether a box is about the face that was pasted."""
    left, top, side = place
    center = box[:2] + box[2:] / 2 - (left, top)
    return bool((center > 0).all() and (center < side).all() and box[2] * box[3] > 0.15 * side**2)


def show(
    title: str, rows: Iterable[int], *, found: Any, same: Any, right: Any, before: Any
) -> None:
    """Print a line of figures on some of the images."""
    rows = np.asarray(list(rows))
    hit = rows[found[rows]]
    print(
        f"{title:24} {len(rows):6} {found[rows].mean():7.3f} {same[hit].mean():7.3f} "
        f"{right[hit].mean():9.3f} {before[hit].mean():9.3f}"
    )


def main(path: str, every: int = 1, first: int = 0) -> None:
    """Measure, on each so-manieth crop from the first on."""
    images, labels = fk.load_fer2013(path).validation
    images, labels = images[first::every, ..., 0], labels[first::every]
    predictor, detector = fk.EmotionPredictor.from_pretrained(), fk.FaceDetector()
    original = predictor.predict_proba(images).argmax(axis=1)
    rng = np.random.default_rng(0)

    groups: dict[str, list[int]] = defaultdict(list)
    found = np.zeros(len(images), bool)
    crops: dict[float, Any] = {margin: np.zeros_like(images) for margin in MARGINS}
    exact = np.zeros_like(images)
    strange = 0
    for row, crop in enumerate(images):
        side, kind = SIDES[row % 4], BACKGROUNDS[row // 4 % 3]
        soft = bool(row // 12 % 2)
        picture = background(kind, rng)
        place = paste(enlarged(crop, side), picture, soft=soft, rng=rng)
        for name in (f"{side} pixels", kind, "soft border" if soft else "hard border", "all"):
            groups[name].append(row)
        boxes = detector(picture)
        on = [box for box in boxes if is_on(box, place)]
        strange += len(boxes) - len(on)
        found[row] = bool(on)
        exact[row] = cut_face(picture, np.array([*place, place[2]], float), margin=0.0)
        for margin in MARGINS if on else ():
            crops[margin][row] = cut_face(picture, on[0], margin=margin)

    before = original == labels

    def figures(answer: Any) -> dict[str, Any]:
        same, right = answer == original, answer == labels
        return {"found": found, "same": same, "right": right, "before": before}

    head = f"{'':24} {'crops':>6} {'found':>7} {'agree':>7} {'accuracy':>9} {'original':>9}"
    print("Of those found: agreement with the prediction on the original crop, accuracy, and the")
    print("accuracy of the original crops.\n")
    print(head)
    for margin in MARGINS:
        answer = predictor.predict_proba(crops[margin]).argmax(axis=1)
        mark = " (the kit's)" if margin == MARGIN else ""
        show(f"margin {margin}{mark}", groups["all"], **figures(answer))
    answer = predictor.predict_proba(exact).argmax(axis=1)
    show("the very place, pasted", groups["all"], **figures(answer))
    print()
    print(head)
    answer = predictor.predict_proba(crops[MARGIN]).argmax(axis=1)
    for name, rows in groups.items():
        show(name, rows, **figures(answer))
    print(f"\nboxes elsewhere: {strange} in {len(images)} images")

    print("\nReady-made crops, the image being the crop itself, enlarged:")
    some = range(0, len(images), 6)
    for side in (48, 64, 96, 128, 192, 256):
        photos = [enlarged(images[row], side) for row in some]
        answers = fk.analyze_photos(photos, classifier=predictor)
        whole = [len(faces) == 1 and faces[0].box == (0, 0, side, side) for faces in answers]
        agree = [
            faces[0].emotion == fk.CLASS_NAMES[original[row]]
            for row, faces in zip(some, answers, strict=True)
            if faces
        ]
        print(
            f"{side:3} pixels: found {np.mean([bool(faces) for faces in answers]):.3f}, "
            f"taken whole {np.mean(whole):.3f}, agree {np.mean(agree):.3f}"
        )

    probabilities = np.sort(predictor.predict_proba(images), axis=1)
    print("\nUncertain answers, on the crops themselves:")
    for threshold in (0.4, 0.45, 0.5, 0.55, 0.6):
        unsure = probabilities[:, -1] < threshold
        print(
            f"score below {threshold}: {unsure.mean():.3f} of all; accuracy "
            f"{before[unsure].mean():.3f} of these and {before[~unsure].mean():.3f} of the others"
        )


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
