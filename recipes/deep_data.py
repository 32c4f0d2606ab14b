"""The images of recipes.deep in one compressed archive, and what a network learns of each."""

from __future__ import annotations

import io
import lzma
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

_MB: Final = 1_000_000
_PART: Final = 15 * _MB
_FILTERS: Final = [{"id": lzma.FILTER_DELTA, "dist": 1}, {"id": lzma.FILTER_LZMA2, "preset": 6}]
"""Neighbouring pixels differ little."""
_EXPECTED: Final = 0.4
"""Of a teacher's FER-2013 target, the share that is the expected label."""


def pack(fer2013: str, ferplus: str, folder: Path) -> None:
    """Write images, labels, votes and expected labels as parts of one compressed archive."""
    import fer2013kit as fk

    data = fk.load_fer2013(fer2013, ferplus=ferplus)
    arrays: dict[str, Any] = {}
    for name, split in (("train", data.train), ("validation", data.validation)):
        arrays[f"{name}_images"] = split.images[..., 0]
        arrays[f"{name}_labels"] = split.labels.astype(np.uint8)
        arrays[f"{name}_votes"] = split.ferplus.probabilities().astype(np.float16)
        arrays[f"{name}_majority"] = split.ferplus.majority().astype(np.int8)
    arrays["train_expected"] = _expected(data.train.labels)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    packed = lzma.compress(buffer.getvalue(), filters=_FILTERS)
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(packed), _PART)):
        (folder / f"images.{number}").write_bytes(packed[start : start + _PART])
    print(f"{len(packed) / _MB:.1f} MB in parts of {_PART / _MB:g} MB")


def unpack(folder: Path) -> dict[str, Any]:
    """Read what :func:`pack` wrote."""
    parts = sorted(folder.glob("images.*"), key=lambda path: int(path.suffix[1:]))
    packed = b"".join(part.read_bytes() for part in parts)
    with np.load(io.BytesIO(lzma.decompress(packed))) as file:
        return {name: file[name] for name in file.files}


def labels_and_votes(split: Any) -> tuple[Any, ...]:
    """Return a split's images, targets (n, 15), and which rows have votes."""
    labels = np.eye(7, dtype=np.float32)[split.labels]
    votes = split.ferplus.probabilities().astype(np.float32)
    return split.images, _wanted(labels, _expected(split.labels), votes), votes.any(axis=1)


def targets(arrays: dict[str, Any], rows: int | None) -> tuple[Any, ...]:
    """Return images, targets (n, 15), their weights (n, 2) and labels (n, 7)."""
    labels = np.eye(7, dtype=np.float32)[arrays["train_labels"]]
    votes = arrays["train_votes"].astype(np.float32)
    known = votes.any(axis=1)
    wanted = _wanted(labels, arrays["train_expected"], votes)
    weights = np.stack([np.ones_like(known), known], axis=1).astype(np.float32)
    return tuple(part[:rows] for part in (arrays["train_images"], wanted, weights, labels))


def _expected(labels: Any) -> Any:
    from recipes.targets import SOFT_TARGETS

    with np.load(SOFT_TARGETS / "expected.npz") as file:
        if not np.array_equal(file["labels"], labels):
            raise SystemExit("expected labels follow fer2013.csv; give the CSV")
        return file["probabilities"]


def _wanted(labels: Any, expected: Any, votes: Any) -> Any:
    words = (1 - _EXPECTED) * labels + _EXPECTED * expected.astype(np.float32)
    return np.concatenate([words, votes], axis=1)
