"""First loads, later loads, and how they grow, against the usual ways and the bytes alone."""

from __future__ import annotations

import tempfile
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Case, Round, Target, Topic
from benchmarks.worker import timed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def first_load(folder: Path, name: str) -> dict[str, float]:
    """Load with the kit into an empty cache."""
    import os

    from fer2013kit import load_fer2013

    with tempfile.TemporaryDirectory(dir=folder) as home:
        os.environ["FER2013KIT_HOME"] = home
        return timed(lambda: load_fer2013(folder / name))


def later_load(folder: Path, touch: str = "") -> dict[str, float]:
    """Load what the cache holds; ``touch`` also reads every pixel, which is only mapped."""
    from fer2013kit import load_fer2013

    def work() -> Any:
        data = load_fer2013(folder / "faces.zip")
        return [split.images.max() for split in data.splits.values() if split] if touch else data

    return timed(work)


def load_npy(folder: Path, touch: str = "") -> dict[str, float]:
    """Load the same images with ``numpy.load``."""
    import numpy as np

    def work() -> Any:
        images = np.load(folder / "images.npy")
        labels = np.load(folder / "labels.npy")
        return (images.max(), labels) if touch else (images, labels)

    return timed(work)


def pillow_loop(folder: Path) -> dict[str, float]:
    """Open the unpacked images one by one with Pillow."""
    import numpy as np
    from PIL import Image

    def work() -> Any:
        paths = sorted((folder / "unpacked").rglob("*.jpg"))
        images = np.empty((len(paths), 48, 48, 1), np.uint8)
        labels = []
        for row, path in enumerate(paths):
            with Image.open(path) as picture:
                images[row, ..., 0] = picture
            labels.append(path.parent.name)
        return images, labels

    return timed(work)


def keras_folder(folder: Path) -> dict[str, float]:
    """Read the unpacked images with ``keras.utils.image_dataset_from_directory``."""
    import keras
    import numpy as np

    def work() -> Any:
        parts = []
        for name in ("train", "test"):
            dataset = keras.utils.image_dataset_from_directory(
                next((folder / "unpacked").rglob(name)),
                color_mode="grayscale",
                image_size=(48, 48),
                batch_size=256,
                shuffle=False,
                verbose=False,
            )
            parts += [(images.numpy().astype(np.uint8), codes.numpy()) for images, codes in dataset]
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    return timed(work)


def pandas_split(folder: Path, convert: str = "") -> dict[str, float]:
    """Read the CSV with pandas and split every row's pixels.

    NumPy turns the words into numbers, or, as many notebooks have it, ``int`` each of them.
    """
    import numpy as np
    import pandas as pd

    def work() -> Any:
        frame = pd.read_csv(folder / "faces.csv")
        if convert:
            rows = [np.array([int(word) for word in row.split()]) for row in frame["pixels"]]
        else:
            rows = [np.array(row.split(), dtype=np.uint8) for row in frame["pixels"]]
        return np.stack(rows).reshape(-1, 48, 48, 1), frame["emotion"].to_numpy(), frame["Usage"]

    return timed(work)


_ZIP = {name: f"zip, first load: kit, {name}x rows" for name in ("1", "4", "16")}
_CSV = {name: f"CSV, first load: kit, {name}x rows" for name in ("1", "4", "16")}
_PILLOW, _KERAS = "zip, first load: Pillow in a loop", "zip, first load: Keras from directory"
_PANDAS = "CSV, first load: pandas and a split per row"
_PANDAS_INT = "CSV, first load: pandas, a split per row and int() per pixel"
_LATER, _NUMPY = "later load: kit", "later load: numpy.load"
_TOUCHED = ", every pixel read"


def _part(stem: str, name: str) -> str:
    return stem if name == "16" else stem.replace(".", f"_{name}.")


def _seconds(one: Round, case: str) -> float:
    return one[case]["seconds"]


def _cost_of_four_times(less: str, more: str, one: Round) -> float:
    return _seconds(one, more) / (4 * _seconds(one, less))


def growth(what: str, cases: Mapping[str, str]) -> list[Target]:
    """Ask of cases with 1, 4 and 16 shares of the rows that four times the rows cost 4 x as much.

    What it costs to begin at all puts the ratio of the smaller two below 1.
    """
    return [
        Target(
            f"{what}{more}x rows' seconds / (4 x {less}x rows')",
            partial(_cost_of_four_times, cases[less], cases[more]),
            1.15,
            at_least=False,
        )
        for less, more in (("1", "4"), ("4", "16"))
    ]


TOPIC = Topic(
    name="loading",
    title="Loading",
    needs=("archive", "unpacked", "arrays", "table"),
    cases=[
        *(Case(_ZIP[name], "first_load", (_part("faces.zip", name),)) for name in _ZIP),
        Case(_PILLOW, "pillow_loop"),
        Case(_KERAS, "keras_folder"),
        *(Case(_CSV[name], "first_load", (_part("faces.csv", name),)) for name in _CSV),
        Case(_PANDAS, "pandas_split"),
        Case(_PANDAS_INT, "pandas_split", ("int",)),
        Case(_LATER, "later_load"),
        Case(_NUMPY, "load_npy"),
        Case(_LATER + _TOUCHED, "later_load", ("touch",)),
        Case(_NUMPY + _TOUCHED, "load_npy", ("touch",)),
        *(
            Case(
                f"machine: bytes of {name} from the page cache",
                "benchmarks.limits.read_bytes",
                (name,),
            )
            for name in ("faces.zip", "faces.csv", "images.npy")
        ),
    ],
    targets=[
        Target(
            "zip, first load: seconds of the better of Pillow and Keras / kit's",
            lambda one: (
                min(_seconds(one, _PILLOW), _seconds(one, _KERAS)) / _seconds(one, _ZIP["16"])
            ),
            2.0,
        ),
        Target(
            "CSV, first load: pandas' seconds / kit's",
            lambda one: _seconds(one, _PANDAS) / _seconds(one, _CSV["16"]),
            10.0,
        ),
        Target(
            "CSV, first load: pandas' seconds with int() per pixel / kit's",
            lambda one: _seconds(one, _PANDAS_INT) / _seconds(one, _CSV["16"]),
            10.0,
        ),
        Target(
            "CSV, first load: peak memory of the process",
            lambda one: one[_CSV["16"]]["peak MB"],
            250.0,
            at_least=False,
            unit="MB",
        ),
        Target(
            "later load: kit's seconds / numpy.load's",
            lambda one: _seconds(one, _LATER) / _seconds(one, _NUMPY),
            1.5,
            at_least=False,
        ),
        Target(
            "later load, every pixel read: kit's seconds / numpy.load's",
            lambda one: _seconds(one, _LATER + _TOUCHED) / _seconds(one, _NUMPY + _TOUCHED),
            1.5,
            at_least=False,
        ),
        Target("later load", lambda one: _seconds(one, _LATER), 0.1, at_least=False, unit="s"),
        *growth("zip: ", _ZIP),
        *growth("CSV: ", _CSV),
    ],
)
