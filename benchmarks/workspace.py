"""What the cases read, made once in a temporary folder.

========================  =====================================================================
``faces.zip``             the Kaggle layout; ``faces_1.zip``, ``faces_4.zip``: a 16th, a quarter
``unpacked/``             the same, unpacked
``faces.csv``             ``emotion,pixels,Usage``; ``faces_1.csv``, ``faces_4.csv``: its first rows
``images.npy``            all images, uint8 (n, 48, 48, 1), and ``labels.npy``
``home/``                 the kit's cache, which holds ``faces.zip``
``emotions.fer``          a saved classifier with the default network, trained for a few steps
========================  =====================================================================
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SHARES = {"1": 16, "4": 4}
"""One row of so many is kept in the smaller files."""

_DRAWN = 8000


def find_zip(data: Path) -> Path | None:
    """Return the Kaggle zip that a path names or that lies in it."""
    if data.is_file():
        return data
    return next(iter(sorted(data.glob("*.zip"))), None)


def archive(folder: Path, data: Path | None) -> None:
    """Make ``faces.zip`` and its parts."""
    target = folder / "faces.zip"
    if target.exists():
        return
    source = None if data is None else find_zip(data)
    if source is None:
        _draw_zip(target)
    else:
        shutil.copyfile(source, target)
    for name, step in SHARES.items():
        with (
            zipfile.ZipFile(target) as whole,
            zipfile.ZipFile(folder / f"faces_{name}.zip", "w") as part,
        ):
            pictures = sorted(one for one in whole.namelist() if one.endswith(".jpg"))
            for one in pictures[::step]:
                part.writestr(one, whole.read(one))


def unpacked(folder: Path, data: Path | None) -> None:
    """Unpack ``faces.zip``."""
    archive(folder, data)
    if not (folder / "unpacked").exists():
        with zipfile.ZipFile(folder / "faces.zip") as whole:
            whole.extractall(folder / "unpacked")


def arrays(folder: Path, data: Path | None) -> None:
    """Write ``images.npy`` and ``labels.npy`` in a process of its own; it fills the kit's cache."""
    archive(folder, data)
    if not (folder / "images.npy").exists():
        _in_process("_write_arrays", folder)


def table(folder: Path, data: Path | None) -> None:
    """Write ``faces.csv`` and its parts, from the original rows where their tool is there."""
    target = folder / "faces.csv"
    if target.exists():
        return
    tool = None if data is None else data.parent / "tools" / "make_fer2013_csv.py"
    if tool is not None and tool.is_file():
        subprocess.run([sys.executable, str(tool), str(target)], check=True)  # noqa: S603 - ours
    else:
        arrays(folder, data)
        _in_process("_write_csv", folder)
    with target.open("rb") as lines:
        rows = sum(1 for _ in lines) - 1
    for name, step in SHARES.items():
        with target.open("rb") as whole, (folder / f"faces_{name}.csv").open("wb") as part:
            for _ in range(rows // step + 1):
                part.write(whole.readline())


def classifier(folder: Path, data: Path | None) -> None:
    """Write ``emotions.fer``."""
    arrays(folder, data)
    if not (folder / "emotions.fer").exists():
        _in_process("_write_classifier", folder)


def _in_process(function: str, folder: Path) -> None:
    from benchmarks.measuring import Case, Topic, run_case

    run_case(Topic("workspace", "", (), ()), Case(function, job=function), folder)


def _write_arrays(folder: Path) -> dict[str, float]:
    import numpy as np

    import fer2013kit as fk

    splits = [split for split in fk.load_fer2013(folder / "faces.zip").splits.values() if split]
    np.save(folder / "images.npy", np.concatenate([split.images for split in splits]))
    np.save(folder / "labels.npy", np.concatenate([split.labels for split in splits]))
    return {}


def _write_csv(folder: Path) -> dict[str, float]:
    import numpy as np

    images, labels = np.load(folder / "images.npy"), np.load(folder / "labels.npy")
    with (folder / "faces.csv").open("w", encoding="ascii") as out:
        out.write("emotion,pixels,Usage\n")
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            usage = "Training" if number % 10 else "PublicTest"
            out.write(f"{label},{' '.join(map(str, image.ravel().tolist()))},{usage}\n")
    return {}


def _write_classifier(folder: Path) -> dict[str, float]:
    import numpy as np

    import fer2013kit as fk

    rows = slice(None, None, 40)
    images, labels = np.load(folder / "images.npy")[rows], np.load(folder / "labels.npy")[rows]
    clf = fk.EmotionClassifier(epochs=1, verbose=0, random_state=0).fit(images, labels)
    clf.save(folder / "emotions.fer")
    return {}


def _draw_zip(target: Path) -> None:
    from PIL import Image

    import fer2013kit as fk

    data = fk.make_fer2013(n_samples=_DRAWN, random_state=0)
    prefixes = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    with zipfile.ZipFile(target, "w") as out:
        for name, split in data.splits.items():
            place = "train" if name == "train" else "test"
            for number, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
                content = io.BytesIO()
                Image.fromarray(image[..., 0]).save(content, "JPEG", quality=95)
                label_name = fk.CLASS_NAMES[label]
                path = f"{place}/{label_name}/{prefixes[name]}_{number}.jpg"
                out.writestr(path, content.getvalue())
