"""Studies on a few thousand real images: a search for settings, and labels by a network.

    python -m recipes.small tune fer2013.csv --storage recipes/runs/small.db
    python -m recipes.small pseudo fer2013.csv

A five-layer network of 16, 32 and 64 filters learns from a part of Training.  The search chooses on
other images of Training; what it found, and whatever labels gave, is measured on PublicTest.  Given
again, the search goes on where it stopped; docs/results/search.png shows it.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np

import fer2013kit as fk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_PICTURE: Final = Path(__file__).parents[1] / "docs" / "results" / "search.png"
_NETWORK: Final = {"filters": (16, 32, 64), "dense_units": 64, "dense_dropout": 0.2}
_SEEDS: Final = (0, 1, 2)
_ROWS, _EPOCHS = 4000, 16
_LABELLED, _UNLABELLED = 1000, 4000
_SEEN: Final = 60_000  # images, repeated, that each training is given
_THRESHOLDS: Final = (0.6,)


def main() -> None:
    """Run one study and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", choices=("tune", "pseudo"))
    parser.add_argument("data", help="FER-2013 as CSV")
    parser.add_argument("--storage", default="recipes/runs/small.db")
    parser.add_argument("--n-trials", type=int, default=8)
    options = parser.parse_args()
    data = fk.load_fer2013(options.data)
    if options.study == "tune":
        tune(data, options.storage, options.n_trials)
    else:
        pseudo(data)


def classifier(**settings: Any) -> fk.EmotionClassifier:
    """Return the small network with the default settings, but for some."""
    settings = {"epochs": _EPOCHS, "random_state": 0, "verbose": 0, **settings}
    return fk.EmotionClassifier(model_params=_NETWORK, **settings)


def tune(data: fk.FER2013, storage: str, n_trials: int) -> None:
    """Search, and compare what was found with the defaults over three seeds."""
    rows = np.random.default_rng(0).permutation(len(data.train))
    held = data.train.subset(np.sort(rows[_ROWS : _ROWS + _ROWS // 2]))
    part = fk.FER2013(train=data.train.subset(np.sort(rows[:_ROWS])), validation=held)
    found = fk.tune(classifier(), part, n_trials=n_trials, storage=storage, random_state=0)
    frame = found.to_frame()
    print(frame["state"].value_counts().to_string())
    held_back = f"{_ROWS // 2:,} other images of Training"
    print(f"best on {held_back}: {found.best_value:.4f}, {found.best_params}")
    first = frame.loc[frame["state"] == "COMPLETE", "value"].iloc[0]
    print(f"the first trial: {first:.4f}", flush=True)
    _draw(found.study)
    asked: Mapping[str, Mapping[str, Any]] = {"defaults": {}, "found": found.best_params}
    answers: dict[str, list[NDArray[np.float32]]] = {name: [] for name in asked}
    for seed in _SEEDS:
        for name, settings in asked.items():
            clf = classifier(**settings, random_state=seed).fit(*part.train)
            answers[name].append(clf.predict_proba(data.validation.images))
    _compare(data.validation.labels, answers, base="defaults")


def _draw(study: Any) -> None:
    """Draw the trials that came to their end, and the best of them so far."""
    from optuna.visualization import matplotlib as plots

    mpl.use("agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls them experimental
        ax = plots.plot_optimization_history(study)
    ax.set(title="", xlabel="trial", ylabel="accuracy on the images that choose")
    ax.legend(ax.get_legend_handles_labels()[0], ["a trial", "best so far"], loc="lower right")
    ax.figure.set_size_inches(7, 3.6)
    ax.figure.savefig(_PICTURE, dpi=90, bbox_inches="tight")


def pseudo(data: fk.FER2013) -> None:
    """Train on labelled images, label others, and train again on both."""
    answers: dict[str, list[NDArray[np.float32]]] = {}
    for seed in _SEEDS:
        rows = np.random.default_rng(seed).permutation(len(data.train))[: _LABELLED + _UNLABELLED]
        labelled = data.train.subset(np.sort(rows[:_LABELLED]))
        others = data.train.subset(np.sort(rows[_LABELLED:]))
        # As many images for each, so that none learns more for being trained longer.
        steps = {"random_state": seed, "batch_size": 64}
        longest = _SEEN // _LABELLED
        clf = classifier(**steps, epochs=longest).fit(*labelled)
        answers.setdefault("1,000 labels", []).append(clf.predict_proba(data.validation.images))
        for threshold in _THRESHOLDS:
            given = clf.predict(others.images, min_confidence=threshold, reject_label=-1)
            sure = given >= 0
            right = (given == others.labels)[sure].mean()
            print(f"seed {seed}, {threshold}: {sure.mean():.3f} taken, {right:.3f} right")
            images = np.concatenate([labelled.images, others.images[sure]])
            labels = np.concatenate([labelled.labels, given[sure]])
            again = classifier(**steps, epochs=_SEEN // len(images))
            again.fit(images, labels)
            answers.setdefault(f"with those from {threshold}", []).append(
                again.predict_proba(data.validation.images)
            )
        both = [np.concatenate(pair) for pair in zip(labelled, others, strict=True)]
        known = classifier(**steps, epochs=_SEEN // (_LABELLED + _UNLABELLED)).fit(*both)
        answers.setdefault("5,000 labels", []).append(known.predict_proba(data.validation.images))
        print(flush=True)
    _compare(data.validation.labels, answers, base="1,000 labels")


def _compare(
    labels: NDArray[np.int64], answers: Mapping[str, list[NDArray[np.float32]]], *, base: str
) -> None:
    for name, tables in answers.items():
        reports = [fk.evaluate_predictions(labels, table) for table in tables]
        print(f"{name}: {' '.join(f'{report.accuracy:.4f}' for report in reports)}")
        print(fk.summarize_reports(reports))
        if name != base:
            for one, other in zip(answers[base], tables, strict=True):
                found = fk.compare_predictions(labels, one, other, names=(base, name))
                low, high = found.interval
                told = f"{found.difference:+.4f} ({low:+.4f} to {high:+.4f})"
                print(f"  against {base}: {told}, p {found.p_value:.2g}")


if __name__ == "__main__":
    main()
