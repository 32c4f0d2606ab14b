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
        What the loss aims at, and each part's share: ``"labels"``, ``"votes"`` (the label that
        the FER+ votes let one expect), or the name of a recipe that teaches.
    extra_rows : bool, default False
        Train on PublicTest too; its accuracy then says nothing.
    """

    name: str
    changed: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=lambda: {"labels": 1.0})
    extra_rows: bool = False


_VOTES: Final = {"labels": 0.4, "votes": 0.6}

RECIPES: Final[Mapping[str, Recipe]] = {
    recipe.name: recipe
    for recipe in (
        Recipe(name="plain", changed="the defaults: one label a picture, smoothed by 0.1"),
        Recipe(
            name="votes",
            changed="0.6 of the target from the FER+ votes, no label smoothing",
            settings={"label_smoothing": 0.0},
            targets=_VOTES,
        ),
        Recipe(
            name="residual_votes",
            changed="the same targets for residual_cnn, with a quarter of the pictures erased",
            settings={"model": "residual_cnn", "label_smoothing": 0.0, "erasing": 0.25},
            targets=_VOTES,
        ),
    )
}
