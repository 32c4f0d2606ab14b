"""Put what the page needs of the installed library into a folder: networks and settings.

Usage::

    python collect.py [FOLDER [NETWORK]]

The network is a ``.tflite`` of your own, from EmotionClassifier.export; by
default it is the library's for photographs.
"""

import json
import shutil
import sys
from importlib import resources
from pathlib import Path

import numpy as np

import fer2013kit as fk
from fer2013kit._class_names import class_colors
from fer2013kit.faces import (
    _alignment,
    _covering,
    _crops,
    _detector,
    _emotion,
    _pose,
    _quality,
)
from fer2013kit.pretrained import PHOTO_NAME


def settings(network=None):
    """Return the library's numbers, so that the page has none of its own."""
    detector = fk.FaceDetector()
    if network is None:
        predictor = fk.load_predictor()
        known = fk.load_predictor(PHOTO_NAME).class_names_
    else:
        predictor = fk.EmotionPredictor.load(network)
        known = predictor.class_names_
    height, width, channels = predictor.image_shape_
    if channels != 1:
        raise SystemExit(f"{network}: the page cuts grey faces alone")
    covering = [array.tolist() for array in _covering._network()]
    return {
        "detector": {
            "minScore": detector.min_score,
            "maxSide": detector.max_side,
            "enlarge": detector.enlarge,
            "coarseSide": _detector._COARSE_SIDE,
            "quickSide": _detector._QUICK_SIDE,
            "overlap": _detector._OVERLAP,
            "missed": _detector._MISSED,
            "turnedOverlap": _detector._TURNED_OVERLAP,
            "largestFace": _detector._LARGEST_FACE,
        },
        "alignment": {
            "leastRoll": _alignment._LEAST_ROLL,
            "leastRead": _alignment._LEAST_READ,
            "surer": _alignment._SURER,
            "leastScore": _alignment._LEAST_SCORE,
            "around": _alignment._AROUND,
            "searched": _alignment._SEARCHED,
            "boxSearched": list(_alignment._BOX_SEARCHED),
            "largestSide": _alignment._LARGEST_SIDE,
            "coarse": list(_alignment._COARSE),
            "fine": list(_alignment._FINE),
            "beside": list(_alignment._BESIDE),
        },
        "crop": {"width": width, "height": height, "margin": _crops.MARGIN},
        "filled": _crops._FILLED,
        "classes": {
            "known": len(known),
            "names": predictor.class_names_,
            "colors": class_colors(predictor.class_names_),
            "columns": [known.index(name) for name in predictor.class_names_],
            "temperature": predictor.temperature_,
            # As analyze_photo, which shows mirror images to its own alone.
            "mirrored": network is None,
        },
        "certain": {
            "probability": _emotion.CERTAIN_PROBABILITY,
            "smallest": _quality._SMALLEST,
            "darkest": _quality._DARKEST,
            "leastSharpness": _quality._LEAST_SHARPNESS,
            "leastContrast": _quality._LEAST_CONTRAST,
            "covered": _quality._COVERED,
            "profile": _quality._PROFILE,
            "covering": {
                "cells": _covering._CELLS,
                "angles": _covering._ANGLES,
                **dict(
                    zip(
                        ("into", "shift", "out", "least"), covering, strict=True
                    )
                ),
            },
            "pose": np.linalg.pinv(
                _pose._HEAD - _pose._HEAD.mean(axis=0)
            ).tolist(),
        },
    }


def collect(folder, network=None):
    """Write both networks and the settings."""
    if network is not None and network.suffix.lower() != ".tflite":
        raise SystemExit(f"{network}: the page runs .tflite files alone")
    text = json.dumps(settings(network), indent=2)
    folder.mkdir(parents=True, exist_ok=True)
    package = resources.files(fk)
    emotions = package / "weights" / f"{PHOTO_NAME}.tflite"
    for source, name in (
        (package / "faces" / "yunet.tflite", "detector.tflite"),
        (network or emotions, "emotions.tflite"),
    ):
        with resources.as_file(source) as path:
            if path.resolve() != (folder / name).resolve():
                shutil.copyfile(path, folder / name)
    (folder / "settings.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    collect(*map(Path, sys.argv[1:] or ["networks"]))
