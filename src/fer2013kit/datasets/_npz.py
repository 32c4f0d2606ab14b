"""Save a data set as one ``.npz`` file without pickles, and read it again."""

from __future__ import annotations

import json
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._files import write_atomically
from fer2013kit.datasets._fer2013 import FER2013
from fer2013kit.datasets._ferplus import FERPlus
from fer2013kit.datasets._rows import SPLIT_NAMES
from fer2013kit.datasets._split import Split
from fer2013kit.exceptions import DatasetFormatError, InvalidInputError

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

_FORMAT: Final = "fer2013kit data set"
_VERSION: Final = 1


def write_npz(data: FER2013, path: str | os.PathLike[str]) -> None:
    """Write a data set as :meth:`FER2013.save` promises."""
    target = Path(path).expanduser()
    if target.suffix != ".npz":
        raise InvalidInputError(f"path must end in .npz; received {str(path)!r}")
    arrays: dict[str, NDArray[Any]] = {}
    for name, split in data.splits.items():
        arrays[f"{name}.images"] = split.images
        if split.labels is not None:
            arrays[f"{name}.labels"] = split.labels
        if split.ferplus is not None:
            for field in fields(split.ferplus):
                arrays[f"{name}.ferplus.{field.name}"] = getattr(split.ferplus, field.name)
    about = {"format": _FORMAT, "version": _VERSION, "source": data.source}
    arrays["about"] = np.array(json.dumps(about))
    write_atomically(target, lambda stream: np.savez(stream, allow_pickle=False, **arrays))


def read_npz(path: Path) -> FER2013:
    """Read what :meth:`FER2013.save` wrote.

    Raises
    ------
    DatasetFormatError
        For a damaged file, or one that something else wrote.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return _unpack(archive, path)
    except DatasetFormatError:
        raise
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise DatasetFormatError(
            f"the file is damaged ({error}); save it again", path=path
        ) from error


def _unpack(archive: Any, path: Path) -> FER2013:
    about = json.loads(str(archive["about"])) if "about" in archive else {}
    if about.get("format") != _FORMAT:
        raise DatasetFormatError(
            "expected an .npz written by FER2013.save, received arrays "
            f"{', '.join(archive)}; build fk.FER2013(fk.Split(images, labels)) from them",
            path=path,
        )
    if about["version"] != _VERSION:
        raise DatasetFormatError(
            f"expected version {_VERSION} of the format, received {about['version']}; "
            "update fer2013kit",
            path=path,
        )
    if sum(info.file_size for info in archive.zip.infolist()) > path.stat().st_size:
        raise ValueError("it is compressed, which FER2013.save never does")
    splits = {
        name: Split(
            archive[f"{name}.images"],
            archive.get(f"{name}.labels"),
            _unpack_votes(archive, f"{name}.ferplus."),
        )
        for name in SPLIT_NAMES
        if f"{name}.images" in archive
    }
    return FER2013(**splits, source=str(path))


def _unpack_votes(archive: Any, prefix: str) -> FERPlus | None:
    arrays = {
        name.removeprefix(prefix): archive[name] for name in archive if name.startswith(prefix)
    }
    if not arrays:
        return None
    return FERPlus(**arrays)
