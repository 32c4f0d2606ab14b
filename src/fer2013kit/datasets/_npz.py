"""Save a data set as one ``.npz`` file without pickles, and read it again."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._files import write_atomically
from fer2013kit._untrusted import read_facts
from fer2013kit.datasets._decode import as_faces
from fer2013kit.datasets._ferplus import FERPlus
from fer2013kit.datasets._names import NO_SPLIT
from fer2013kit.datasets._rows import NO_LABEL, Part, join_parts
from fer2013kit.datasets._split import Split
from fer2013kit.emotions import IMAGE_SHAPE, SPLIT_NAMES
from fer2013kit.exceptions import DatasetFormatError, InvalidInputError, shown

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from fer2013kit.datasets._fer2013 import FER2013
    from fer2013kit.datasets._listing import Options
    from fer2013kit.datasets._rows import Rows

_FORMAT: Final = "fer2013kit data set"
_VERSION: Final = 1


def write_npz(data: FER2013, path: str | os.PathLike[str]) -> None:
    """Write a data set as :meth:`FER2013.save` promises."""
    target = Path(path).expanduser()
    if target.suffix != ".npz":
        raise InvalidInputError(f"path must end in .npz; received {str(path)!r}")
    image_shape = data.train.image_shape
    arrays: dict[str, NDArray[Any]] = {}
    for name, split in data.splits.items():
        if tuple(split.image_shape) != tuple(image_shape):
            raise InvalidInputError(
                f"splits must have images of one shape; received {image_shape} in train and "
                f"{split.image_shape} in {name}"
            )
        arrays[f"{name}.images"] = split.images
        if split.labels is not None:
            arrays[f"{name}.labels"] = split.labels
        if split.ferplus is not None:
            for field in fields(split.ferplus):
                arrays[f"{name}.ferplus.{field.name}"] = getattr(split.ferplus, field.name)
        arrays |= {f"{name}.columns.{key}": column for key, column in split.columns.items()}
    about = {
        "format": _FORMAT,
        "version": _VERSION,
        "source": data.source,
        "image_shape": list(image_shape),
    }
    arrays["about"] = np.array(json.dumps(about))
    write_atomically(target, lambda stream: np.savez(stream, allow_pickle=False, **arrays))


def is_own(archive: dict[str, NDArray[Any]]) -> bool:
    """Tell whether arrays were written by :meth:`FER2013.save`."""
    about = archive.get("about")
    return (
        about is not None
        and about.dtype.kind == "U"
        and about.ndim == 0
        and read_facts(str(about)).get("format") == _FORMAT
    )


def read_own(archive: dict[str, NDArray[Any]], options: Options, path: Path) -> Rows:
    """Read what :meth:`FER2013.save` wrote; images of another shape as they are, or resized.

    Contempt is kept: whoever saved it has decided.

    Raises
    ------
    DatasetFormatError
        For another version.
    Fer2013KitError, ValueError
        For arrays that do not fit together.
    """
    about = read_facts(str(archive["about"]))
    version = about.get("version")
    if version != _VERSION:
        raise DatasetFormatError(
            f"expected version {_VERSION} of the format, received {shown(version)}; "
            "update fer2013kit",
            path=path,
        )
    image_shape: Any = tuple(about.get("image_shape", IMAGE_SHAPE))
    parts, told = [], []
    columns: dict[tuple[str, str], NDArray[Any]] = {}
    for code, name in enumerate(SPLIT_NAMES):
        if f"{name}.images" not in archive:
            continue
        ferplus = _below(archive, f"{name}.ferplus.")
        split = Split(
            archive[f"{name}.images"],
            archive.get(f"{name}.labels"),
            FERPlus(**ferplus) if ferplus else None,
            image_shape,
            _below(archive, f"{name}.columns."),
        )
        columns |= {(name, key): column for key, column in split.columns.items()}
        labels = np.full(len(split), NO_LABEL) if split.labels is None else split.labels
        resized = options.resize and image_shape != IMAGE_SHAPE
        images = as_faces(split.images) if resized else split.images
        votes = None if split.ferplus is None else split.ferplus.votes
        parts.append((name, Part(images, labels, np.full(len(split), NO_SPLIT), votes=votes)))
        told.append(code)
    return replace(join_parts(parts, told, path=path), columns=columns)


def _below(archive: dict[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): array
        for name, array in archive.items()
        if name.startswith(prefix)
    }
