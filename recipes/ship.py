"""Put a trained classifier into the package: python -m recipes.ship TRAINED.fer CSV --name NAME.

With --ferplus fer2013new.csv the labels are what most people voted for.  It writes the float16
``.fer``, the file of the light runtime, and what the manifest says of them: their SHA-256 and the
figures on PublicTest that the model card shows.  With --like NAME, a network that differs from a
shipped one in a few numbers, the manifest tells the differences, and no file is written.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import platform
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
import tensorflow as tf

import fer2013kit as fk
from fer2013kit._files import write_atomically
from fer2013kit.pretrained import FOLDER, MANIFEST_NAME, read_manifest
from recipes.ferplus import rows_with_majority
from recipes.train import VIEWS, headline, scaled_calibration_error, without_leaks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Rows = tuple[NDArray[np.uint8], NDArray[np.int64]]

LARGEST_TOTAL: Final = 35_000_000
"""Bytes that all shipped files may take together."""

LARGEST_LOSS: Final = 0.004
"""Accuracy that the light runtime's file may lose: two standard errors where 8 bits change the
answer for 1.3 % of PublicTest, some to the right one and some to a wrong one."""

_DIGITS: Final = 4

_BLOCK: Final = 64
"""Bytes that two files must have in common, at a multiple of it in one, to be found so."""


def main() -> None:
    """Ship one classifier."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trained", type=Path, help="what EmotionClassifier.save wrote")
    parser.add_argument("data", type=Path, help="FER-2013 with the pixels that were trained on")
    parser.add_argument("--name", required=True, help="under which it is asked for")
    parser.add_argument("--like", help="a shipped network that has nearly the same weights")
    parser.add_argument("--ferplus", type=Path, help="fer2013new.csv, for a network of its classes")
    parser.add_argument("--recipe", default="", help="how it was trained: the command, in words")
    parser.add_argument(
        "--quantization", choices=["dynamic", "none"], default="dynamic", help="of the light file"
    )
    options = parser.parse_args()
    quantization = None if options.quantization == "none" else options.quantization
    classifier = fk.EmotionClassifier.load(options.trained)
    data = fk.load_fer2013(options.data, ferplus=options.ferplus)
    splits = {
        "PublicTest": data.validation,
        "PublicTest without rows of Training": without_leaks(data),
    }
    entry = ship(
        classifier,
        {
            name: tuple(split)[:2] if options.ferplus is None else rows_with_majority(split)
            for name, split in splits.items()
        },
        options.name,
        labels="FER-2013" if options.ferplus is None else "the majority of the FER+ votes",
        like=options.like,
        quantization=quantization,
        recipe=options.recipe,
    )
    print(json.dumps({key: entry[key] for key in entry if key != "report"}, indent=2))


def ship(
    classifier: fk.EmotionClassifier,
    rows: Mapping[str, Rows],
    name: str,
    *,
    labels: str = "FER-2013",
    like: str | None = None,
    folder: Path = FOLDER,
    quantization: str | None = "dynamic",
    recipe: str = "",
) -> dict[str, Any]:
    """Write a classifier's files and its entry in the manifest.

    Parameters
    ----------
    classifier : EmotionClassifier
        Trained; one without a temperature is calibrated on PublicTest.
    rows : mapping of str to (X, y)
        What it is measured on: "PublicTest", and others whose figures stand beside.
    name : str
        Under which it is asked for.
    labels : str
        Whose labels `y` are.
    like : str, optional
        A shipped network, of whose files these are made.
    folder : Path
        Where the shipped files lie.
    quantization : {"dynamic", None}
        How the light runtime's file stores weights.
    recipe : str
        How it was trained.

    Returns
    -------
    dict
        The entry.
    """
    X, y = rows["PublicTest"]
    classifier.set_params(warm_start=False)  # how it was trained, not how others will
    # Figures are those of the weights as they are shipped, in float32, on any machine.
    with tempfile.TemporaryDirectory() as temporary:
        draft = Path(temporary) / "draft.fer"
        classifier.save(draft, weights_dtype="float16")
        classifier = fk.EmotionClassifier.load(draft, compute_dtype="float32")
    calibrated_before = classifier.temperature_, classifier.calibration_
    after = scaled_calibration_error(classifier, X, y)  # leaves the temperature at 1
    uncalibrated = classifier.evaluate(X, y)
    classifier.temperature_, classifier.calibration_ = calibrated_before
    if classifier.temperature_ == 1.0:
        classifier.calibrate(X, y)
    report = classifier.evaluate(X, y)
    classes = {label: index for index, label in enumerate(classifier.classes_.tolist())}
    entry: dict[str, Any] = {
        "parameters": classifier.model_.count_params(),
        "temperature": classifier.temperature_,
        "recipe": recipe,
        "settings": {
            key: str(value)
            for key, value in classifier.get_params(deep=False).items()
            if value != getattr(fk.EmotionClassifier(), key)
        },
        "labels": labels,
        **{
            part: {
                views or "one pass": headline(classifier.evaluate(*of_part, tta=views))
                for views in VIEWS
            }
            for part, of_part in rows.items()
        },
        "ece": {
            "before": round(uncalibrated.ece, _DIGITS),
            "after, fitted on the other half": after,
        },
        "report": report.as_dict(),
        "versions": {
            "fer2013kit": fk.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "python": platform.python_version(),
        },
    }
    with tempfile.TemporaryDirectory() as temporary:
        saved = Path(temporary) / f"{name}.fer"
        classifier.save(saved, metrics=report, weights_dtype="float16")
        light = Path(temporary) / f"{name}.tflite"
        export = classifier.export(light, quantization=quantization, images=X)
        predictor = fk.EmotionPredictor.load(light)
        codes = np.array([classes[label] for label in predictor.predict(X).tolist()])
        accuracy = float((codes == np.array([classes[label] for label in y.tolist()])).mean())
        if accuracy < report.accuracy - LARGEST_LOSS:
            raise SystemExit(
                f"the light file reaches {accuracy:.4f}, the classifier {report.accuracy:.4f}: "
                "more is lost than may be; try --quantization none"
            )
        entry["light"] = {
            "quantization": quantization,
            "accuracy": round(accuracy, _DIGITS),
            "largest_difference": round(export.largest_difference, _DIGITS),
            "same_answers": round(export.same_answers, _DIGITS),
        }
        _put_into(folder, name, entry, {"classifier": saved, "predictor": light}, like=like)
    return entry


def _put_into(
    folder: Path, name: str, entry: dict[str, Any], paths: Mapping[str, Path], *, like: str | None
) -> None:
    """Copy the files, then name them in the manifest, unless all would be too large together."""
    manifest = read_manifest(folder)
    contents = {kind: path.read_bytes() for kind, path in paths.items()}
    entry["files"] = {
        kind: {
            "file": paths[kind].name,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        for kind, content in contents.items()
    }
    if like is not None:
        for kind, file in entry["files"].items():
            file["file"] = manifest[like]["files"][kind]["file"]
            file["parts"] = parts_of(contents[kind], (folder / file["file"]).read_bytes())
    manifest[name] = entry
    files = [file for one in manifest.values() for file in one["files"].values()]
    total = sum(file["bytes"] for file in files if "parts" not in file)
    if total > LARGEST_TOTAL:
        raise SystemExit(f"all shipped files would take {total:,} bytes of {LARGEST_TOTAL:,}")
    folder.mkdir(parents=True, exist_ok=True)
    if like is None:
        for kind, path in paths.items():
            write_atomically(folder / path.name, contents[kind])
    text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False) + "\n"
    write_atomically(folder / MANIFEST_NAME, text.encode())


def parts_of(content: bytes, base: bytes) -> list[list[int] | str]:
    """Return what `content` is made of: ``[start, stop]`` of `base`, and other bytes in base64."""
    places = {base[i : i + _BLOCK]: i for i in range(0, len(base) - _BLOCK + 1, _BLOCK)}
    parts: list[list[int] | str] = []
    done = at = shift = 0
    while at < len(content):
        block = content[at : at + _BLOCK]
        if base.startswith(block, at + shift):  # as before, where blocks of zeros are alike
            start = at + shift
        elif block in places:
            start = places[block]
        else:
            at += 1
            continue
        before = _common(content[done:at][::-1], base[:start][::-1])
        length = _common(content[at:], base[start:])
        if done < at - before:
            parts.append(base64.b64encode(content[done : at - before]).decode())
        parts.append([start - before, start + length])
        shift, done = start - at, at + length
        at = done
    if done < len(content):
        parts.append(base64.b64encode(content[done:]).decode())
    return parts


def _common(one: bytes, other: bytes) -> int:
    """Return how many first bytes are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


if __name__ == "__main__":
    main()
