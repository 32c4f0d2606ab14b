"""Make classifiers of what recipes.deep left: python -m recipes.collect FOLDER CSV FERPLUS.

A network of fifteen outputs gives two classifiers: ``NAME_fer`` with the seven outputs that learned
from FER-2013, and ``NAME_ferplus`` with the eight that learned from the votes.  Each is measured on
PublicTest and stays in FOLDER as ``.fer``; its figures stand in recipes/results.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import fer2013kit as fk
from fer2013kit.emotions import CLASS_NAMES, FERPLUS_CLASS_NAMES
from recipes.ferplus import rows_with_majority
from recipes.networks import OUTPUTS, PRIOR_POWERS, STUDENTS, TEACHERS, Network
from recipes.train import RESULTS, headline, without_leaks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_NAMES: Final = {"fer": CLASS_NAMES, "ferplus": FERPLUS_CLASS_NAMES}


def main() -> None:
    """Collect the networks of a sitting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the --out of recipes.deep")
    parser.add_argument("data", help="fer2013.csv")
    parser.add_argument("votes", help="fer2013new.csv")
    parser.add_argument("names", nargs="*", help="networks; all by default")
    parser.add_argument("--views", nargs="*", default=["flip"], choices=["flip", "ten_crop"])
    options = parser.parse_args()
    data = fk.load_fer2013(options.data, ferplus=options.votes)
    for network in (*STUDENTS, *TEACHERS):
        if options.names and network.name not in options.names:
            continue
        for part in ("fer", "ferplus"):
            if network.learns in {part, "both"}:
                classifier = collect(network, part, options.folder)
                name = network.name if network.learns == part else f"{network.name}_{part}"
                measure(classifier, data, part, options.folder / name, (None, *options.views))
                if power := PRIOR_POWERS.get(name):
                    take_out_priors(classifier, shares(data.train, part), power)
                    path = options.folder / f"{name}_adjusted"
                    measure(classifier, data, part, path, (None, *options.views))


def collect(network: Network, part: str, folder: Path) -> fk.EmotionClassifier:
    """Return a classifier with one part of a network's outputs."""
    names = _NAMES[part]
    # The settings are what a later fit goes on with: the defaults, not those of a GPU's long run.
    classifier = fk.EmotionClassifier(
        model=network.model,
        model_params=network.params,
        class_names=names if part == "ferplus" else None,
        epochs=1,
        verbose=0,
    )
    # A step on nothing builds everything around the network; its weights go at once.
    classifier.fit(np.zeros((len(names), 48, 48, 1), np.uint8), np.arange(len(names)))
    classifier.set_params(epochs=fk.EmotionClassifier().epochs)
    model = classifier.model_
    with np.load(folder / f"{network.name}.npz") as file:
        kept = {name: file[name].astype(np.float32) for name in file.files}
    span = OUTPUTS[part]
    if network.learns == "both":  # the last layer's weights and biases are the last two variables
        last = len(model.trainable_variables) - 1
        kept = {
            name: value[..., span] if name in {f"v{last - 1}", f"v{last}"} else value
            for name, value in kept.items()
        }
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    for at, variable in enumerate(variables):
        if f"v{at}" in kept:
            variable.assign(kept.pop(f"v{at}"))
    if kept:
        raise SystemExit(f"{network.name} has no variables {sorted(kept)}")
    return classifier


def shares(split: fk.Split, part: str) -> NDArray[np.float64]:
    """Return how frequent each class is among the labels or the votes."""
    if part == "fer":
        return np.bincount(split.labels) / len(split.labels)
    votes = split.ferplus.probabilities()
    mean: NDArray[np.float64] = votes[votes.sum(axis=1) > 0].mean(axis=0)
    return mean


def take_out_priors(
    classifier: fk.EmotionClassifier, prior: NDArray[np.float64], power: float
) -> None:
    """Lower each class's logit by the logarithm of its frequency times ``power``."""
    classifier.model_.layers[-1].bias.assign_sub((power * np.log(prior)).astype(np.float32))


def measure(
    classifier: fk.EmotionClassifier, data: fk.FER2013, part: str, path: Path, views: Sequence[Any]
) -> None:
    """Measure a classifier on PublicTest, print the figures and keep both."""
    results: dict[str, Any] = {}
    for kind, split in (
        ("PublicTest", data.validation),
        ("PublicTest without rows of Training", without_leaks(data)),
    ):
        X, y = tuple(split)[:2] if part == "fer" else rows_with_majority(split)
        results[kind] = {}
        for tta in views if kind == "PublicTest" else views[:1]:
            said = classifier.predict_proba(X, tta=tta)
            results[kind][tta or "one pass"] = headline(
                fk.evaluate_predictions(y, said, class_names=_NAMES[part])
            )
            if kind == "PublicTest":
                np.save(path.with_name(f"{path.name}_{tta or 'one_pass'}.npy"), said)
    text = json.dumps({"recipe": path.name, **results})
    print(text, flush=True)
    folder = RESULTS / path.parent.name
    folder.mkdir(exist_ok=True)
    (folder / f"{path.name}.json").write_text(text + "\n", encoding="utf-8")
    classifier.save(path.with_suffix(".fer"))


if __name__ == "__main__":
    main()
