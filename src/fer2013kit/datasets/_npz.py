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


def save_fer2013(data: FER2013, path: str | os.PathLike[str]) -> None:
    """Save a data set as one ``.npz`` file, which :func:`load_fer2013` reads.

    The file is written atomically, is not compressed (2.3 kB for each picture) and holds plain
    arrays only.  Labels that are missing stay missing, and FER+ votes are kept.

    Parameters
    ----------
    data : FER2013
        The data set.
    path : path-like
        The file; its name must end in ``.npz``, its folder must exist.  It is replaced if it
        is there.

    Raises
    ------
    InvalidInputError
        For something else than a FER2013, or another file name.

    Examples
    --------
    >>> import tempfile
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=70, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fk.save_fer2013(data, f"{folder}/faces.npz")
    ...     print(len(fk.load_fer2013(f"{folder}/faces.npz").train) == len(data.train))
    True
    """
    target = Path(path).expanduser()
    if not isinstance(data, FER2013):
        raise InvalidInputError(f"data must be a FER2013; received {type(data).__name__}")
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
    """Read what :func:`save_fer2013` wrote.

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
            "expected an .npz written by save_fer2013, received arrays "
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
        raise ValueError("it is compressed, which save_fer2013 never does")
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
