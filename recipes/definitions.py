"""The recipes: what each changes, and the classifier's settings that do it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to train a classifier.

    Parameters
    ----------
    name : str
        What its results are called.
    changed : str
        What it does differently, in words, for the results page.
    settings : mapping
        Arguments of ``EmotionClassifier``, where they differ from its defaults.
    targets : mapping of str to float, default {"labels": 1.0}
        What the loss aims at, and each part's share: ``"labels"``, or the name of a file in
        recipes/soft_targets.
    start : str, optional
        The recipe whose network, of the same seed, it goes on from.
    both : bool, default False
        Learn from Training and PublicTest together.  Nothing is left to measure the network with
        then; it keeps the temperature of the one that it goes on from.
    """

    name: str
    changed: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=lambda: {"labels": 1.0})
    start: str | None = None
    both: bool = False


_MIDDLE: Final = {"filters": (48, 96, 192)}
TAUGHT_BY_FOUR: Final = {"labels": 0.3, "four_teachers": 0.7}
CALM: Final = {
    "epochs": 20,
    "learning_rate": 0.03,
    "rotation": 6.0,
    "zoom": 0.06,
    "shift": 0.04,
    "brightness": 0.05,
    "contrast": 0.1,
}
_WHOLE_AUGMENTATION: Final = {  # the defaults; a network that a recipe starts from brings its own
    "rotation": 12.0,
    "zoom": 0.12,
    "shift": 0.08,
    "brightness": 0.1,
    "contrast": 0.2,
}
_RARE: Final = {
    "epochs": 12,
    "learning_rate": 0.02,
    "label_smoothing": 0.1,
    "class_weight": (1.03, 9.4, 1.5, 0.57, 0.85, 1.29, 0.83),
}

RECIPES: Final[Mapping[str, Recipe]] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="plain",
            changed="48, 96 and 192 filters; one label an image, smoothed by 0.1",
            settings={"model_params": _MIDDLE},
        ),
        Recipe(
            name="kernels",
            changed="32, 64 and 128 filters with kernels of 5 pixels",
            settings={"model_params": {"filters": (32, 64, 128), "kernel_sizes": (5, 5, 5)}},
        ),
        Recipe(
            name="wide",
            changed="the defaults: 64, 128 and 256 filters; labels as plain's",
        ),
        Recipe(
            name="defaults",
            changed="wide again, by later code; ten crops of one pixel",
        ),
        Recipe(
            name="decayed",
            changed="defaults; ten times the weight decay, and 15 calm epochs at the end",
            settings={"weight_decay": 0.01, "calm_epochs": 15},
        ),
        Recipe(
            name="expected",
            changed="plain; 0.6 of the target is the expected label (recipes.crossfit), no "
            "smoothing",
            settings={"label_smoothing": 0.0, "model_params": _MIDDLE},
            targets={"labels": 0.4, "expected": 0.6},
        ),
        Recipe(
            name="residual",
            changed="residual_cnn, a deeper network, with erasing and no smoothing",
            settings={"model": "residual_cnn", "label_smoothing": 0.0, "erasing": 0.25},
        ),
        Recipe(
            name="distilled",
            changed="plain with kernels 5, 5, 3; 0.7 of the target is what plain, residual and "
            "expected say",
            settings={
                "label_smoothing": 0.0,
                "model_params": {**_MIDDLE, "kernel_sizes": (5, 5, 3)},
            },
            targets={"labels": 0.3, "teachers": 0.7},
        ),
        Recipe(
            name="wide_distilled",
            changed="wide; 0.7 of the target is what plain, residual, distilled and wide say",
            settings={"label_smoothing": 0.0},
            targets=TAUGHT_BY_FOUR,
        ),
        Recipe(
            name="longer",
            changed="wide_distilled, 45 epochs more from a learning rate of 0.04",
            settings={"epochs": 45, "learning_rate": 0.04},
            start="wide_distilled",
            targets=TAUGHT_BY_FOUR,
        ),
        Recipe(
            name="calm",
            changed="longer, 20 epochs more from a learning rate of 0.03, half the augmentation",
            settings=CALM,
            start="longer",
            targets=TAUGHT_BY_FOUR,
        ),
        Recipe(
            name="both",
            changed="calm, 20 epochs more in the same way on Training and PublicTest",
            settings=CALM,
            start="calm",
            targets={"labels": 0.3, "four_teachers_both": 0.7},
            both=True,
        ),
        Recipe(
            name="small",
            changed="32, 64 and 128 filters, kernels 5, 5, 3, 75 epochs; taught as wide_distilled",
            settings={
                "label_smoothing": 0.0,
                "epochs": 75,
                "model_params": {"filters": (32, 64, 128), "kernel_sizes": (5, 5, 3)},
            },
            targets=TAUGHT_BY_FOUR,
        ),
        Recipe(
            name="small_calm",
            changed="small, 20 epochs more as calm's",
            settings=CALM,
            start="small",
            targets=TAUGHT_BY_FOUR,
        ),
        Recipe(
            name="balanced",
            changed="plain, 10 epochs more, classes weighted by their rarity",
            settings={"epochs": 10, "learning_rate": 0.01, "class_weight": "balanced"},
            start="plain",
        ),
        Recipe(
            name="longer_balanced",
            changed="longer, 10 epochs more, classes weighted by their rarity",
            settings={"epochs": 10, "learning_rate": 0.01, "class_weight": "balanced"},
            start="longer",
            targets=TAUGHT_BY_FOUR,
        ),
        Recipe(
            name="rare",
            changed="longer, 12 epochs more by labels, classes weighted by their rarity, fear by "
            "half as much again",
            settings=_RARE,
            start="longer",
        ),
        Recipe(
            name="calm_rare",
            changed="rare, from calm and with its half of the augmentation",
            settings=_RARE,
            start="calm",
        ),
        Recipe(
            name="rare_again",
            changed="rare, from calm",
            settings={**_RARE, **_WHOLE_AUGMENTATION},
            start="calm",
        ),
    )
}
