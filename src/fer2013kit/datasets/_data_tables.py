"""A data set as text and as a pandas data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fer2013kit._optional import needed
from fer2013kit.datasets._columns import check_digits
from fer2013kit.emotions import FERPLUS_CLASS_NAMES
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from fer2013kit.datasets._fer2013 import FER2013


def data_text(data: FER2013) -> str:
    """Return the number of images per class and split (see :meth:`FER2013.summary`)."""
    names, splits = data.class_names, data.splits.values()
    columns = [
        np.bincount([] if split.labels is None else split.labels, minlength=len(names))
        for split in splits
    ]
    rows = [
        (f"{code} {name}", [column[code] for column in columns]) for code, name in enumerate(names)
    ]
    without = [len(split) if split.labels is None else 0 for split in splits]
    if any(split.labels is None for split in splits):
        rows.append(("no label", without))
    rows.append(("total", [len(split) for split in splits]))
    height, width, channels = data.train.image_shape
    kind = "grey" if channels == 1 else "colour"
    lines = [
        f"FER2013 from {data.source or 'arrays'}, {height}x{width} {kind} images",
        f"{'class':<12}" + "".join(f"{name:>12}" for name in data.splits),
        *(f"{name:<12}" + "".join(f"{n:>12,}" for n in counts) for name, counts in rows),
    ]
    return "\n".join(lines)


def data_frame(data: FER2013, *, pixels: bool) -> pd.DataFrame:
    """Return one row per image (see :meth:`FER2013.to_frame`)."""
    with needed("to_frame"):
        import pandas as pd

    for key in {key for split in data.splits.values() for key in split.columns}:
        check_digits(key, [one.columns[key] for one in data.splits.values() if key in one.columns])
    names = np.array(FERPLUS_CLASS_NAMES, dtype=object)
    frames = []
    for name, split in data.splits.items():
        unlabelled = split.labels is None
        columns = {
            "split": np.full(len(split), name, dtype=object),
            "index": np.arange(len(split)),
            "emotion": pd.array([pd.NA] * len(split) if unlabelled else split.labels, "Int64"),
            "emotion_name": [None] * len(split) if unlabelled else names[split.labels],
        }
        if pixels:
            gray = split.image_shape[2] == 1
            columns["pixels"] = list(split.images[..., 0] if gray else split.images)
        if double := columns.keys() & split.columns.keys():
            raise InvalidInputError(
                f"columns must have other names than {', '.join(columns)} to stand beside "
                f"these; received {', '.join(sorted(double))} in {name}"
            )
        # As Int64, whole numbers stay what they are where another split has none.
        own = {
            key: pd.array(column) if column.dtype.kind in "iu" else column
            for key, column in split.columns.items()
        }
        frames.append(pd.DataFrame({**own, **columns}))
    return pd.concat(frames, ignore_index=True)
