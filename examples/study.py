"""Labels or votes: a study from beginning to end, explained on the page docs/user_guide/study.rst.

::

    python examples/study.py fer2013.csv fer2013new.csv PHOTOGRAPHS study

The same network learns the same images three times from FER-2013's labels and three times from the
votes of FER+, and is asked about images that it has not seen.  PHOTOGRAPHS is a folder with a face
on each picture, and ``labels.csv``, whose columns are ``file`` and ``emotion``.  What was done
stays in the folder ``study``; the same command goes on where it was cut off.
"""

import argparse
import csv
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

import fer2013kit as fk

AIMS = ("labels", "votes")
KEYS = ["truth", "learned"]
Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


def main() -> None:
    """Train, measure, and write tables and a figure."""
    parser = argparse.ArgumentParser(
        description="Does a network learn more from labels or votes?"
    )
    parser.add_argument("fer2013", help="fer2013.csv")
    parser.add_argument("ferplus", help="fer2013new.csv")
    parser.add_argument(
        "photographs", type=Path, help="a folder with labels.csv"
    )
    parser.add_argument("out", type=Path, help="a folder for what comes of it")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    data = fk.load_fer2013(options.fer2013, ferplus=options.ferplus)
    data = fk.audit_dataset(data).drop_leaks()
    tests = held_out(data) | {"one person": photographs(options.photographs)}
    networks = {
        aim: [
            train(data.train, aim, seed, options.epochs, options.out)
            for seed in range(options.seeds)
        ]
        for aim in AIMS
    }
    reports: dict[tuple[str, str], list[fk.EvaluationReport]] = {}
    answers: dict[tuple[str, str], list[NDArray[np.float32]]] = {}
    for test, (X, y) in tests.items():
        for aim, trained in networks.items():
            said = [network.predict_proba(X) for network in trained]
            answers[test, aim] = said
            reports[test, aim] = [
                fk.evaluate_predictions(y, one) for one in said
            ]

    write_accuracies(reports, options.out)
    write_differences(tests, answers, options.out)
    draw(reports, options.out / "accuracy.png")


def held_out(data: fk.FER2013) -> dict[str, tuple[Images, Labels]]:
    """Return the images of PublicTest on which most voters agree, with either truth."""
    split = data.validation
    majority = split.ferplus.majority(n_classes=7)
    agreed = majority >= 0
    return {
        "FER-2013": (split.images[agreed], split.labels[agreed]),
        "voters": (split.images[agreed], majority[agreed]),
    }


def photographs(folder: Path) -> tuple[Images, Labels]:
    """Return the largest face of each photograph that has one of the seven labels."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["emotion"] in fk.CLASS_NAMES
        ]
    crops, labels = [], []
    for row, faces in zip(
        rows,
        fk.analyze_photos([folder / row["file"] for row in rows]),
        strict=True,
    ):
        if faces:
            face = max(faces, key=lambda face: face.box.width * face.box.height)
            crops.append(face.crop)
            labels.append(fk.CLASS_NAMES.index(row["emotion"]))
    print(f"{len(rows)} photographs, a face found on {len(crops)}")
    return np.stack(crops), np.array(labels)


def train(
    split: fk.Split, aim: str, seed: int, epochs: int, out: Path
) -> fk.EmotionClassifier:
    """Return a network that learned one aim, or read the one that did before."""
    path = out / f"{aim}_{seed}.fer"
    if path.exists():
        return fk.EmotionClassifier.load(path)
    shares = split.ferplus.probabilities(n_classes=7)
    voted = shares.any(axis=1)  # both aims see the same images
    classifier = fk.EmotionClassifier(
        model_params={"filters": (32, 64, 128), "kernel_sizes": (5, 5, 3)},
        epochs=epochs,
        random_state=seed,
        checkpoint_dir=out / f"{aim}_{seed}",
        verbose=2,
    )
    classifier.fit(
        split.images[voted],
        split.labels[voted],
        soft_targets=shares[voted] if aim == "votes" else None,
    )
    classifier.save(path)
    return classifier


def write_accuracies(
    reports: dict[tuple[str, str], list[fk.EvaluationReport]], out: Path
) -> None:
    """Write figures of each truth and aim, mean and deviation over the seeds."""
    table = pd.DataFrame(index=pd.MultiIndex.from_tuples(reports, names=KEYS))
    for figure in ("accuracy", "macro F1", "loss"):
        spreads = [
            fk.summarize_reports(runs).figures[figure]
            for runs in reports.values()
        ]
        table[figure] = [f"{one.mean:.3f} ± {one.std:.3f}" for one in spreads]
    table.to_csv(out / "accuracy.csv")
    table.reset_index().to_latex(out / "accuracy.tex", index=False)
    print(table.to_string())


def write_differences(
    tests: dict[str, tuple[Images, Labels]],
    answers: dict[tuple[str, str], list[NDArray[np.float32]]],
    out: Path,
) -> None:
    """Write what the votes give beyond the labels, seed by seed, image by image."""
    rows = []
    for test, (_, y) in tests.items():
        pairs = zip(
            answers[test, "labels"], answers[test, "votes"], strict=True
        )
        for seed, (labels, votes) in enumerate(pairs):
            found = fk.compare_predictions(
                y, labels, votes, names=AIMS, random_state=0
            )
            low, high = found.interval
            p = f"{found.p_value:.1g}"
            rows.append((test, seed, found.difference, low, high, p))
    columns = ["truth", "seed", "difference", "low", "high", "p"]
    table = pd.DataFrame(rows, columns=columns).round(3)
    table.to_csv(out / "difference.csv", index=False, float_format="%.3f")
    print(table.to_string(index=False))


def draw(
    reports: dict[tuple[str, str], list[fk.EvaluationReport]], path: Path
) -> None:
    """Draw a point for each network, and the interval of its accuracy."""
    truths = list(dict.fromkeys(test for test, _ in reports))
    figure, ax = plt.subplots(figsize=(6, 2.6), layout="constrained")
    for (test, aim), runs in reports.items():
        accuracy = np.array([run.accuracy for run in runs])
        low, high = np.array([run.accuracy_interval for run in runs]).T
        # The labels stand above the line of their truth, the votes below.
        side = -1 if aim == "labels" else 1
        place = truths.index(test) + side * (0.1 + 0.08 * np.arange(len(runs)))
        ax.errorbar(
            accuracy,
            place,
            xerr=(accuracy - low, high - accuracy),
            fmt="o" if aim == "labels" else "s",
            color="C0" if aim == "labels" else "C1",
            markersize=4,
            label=f"learned {aim}" if test == truths[0] else None,
        )
    ax.set_yticks(range(len(truths)), truths)
    ax.invert_yaxis()
    ax.set(xlabel="accuracy, with 95 % interval", ylabel="truth")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
