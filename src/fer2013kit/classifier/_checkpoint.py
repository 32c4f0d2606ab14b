"""The state of a training run on disk: one file, replaced after every epoch."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._files import write_atomically
from fer2013kit.exceptions import InvalidInputError, ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Everything that the rest of a run depends on."""

    fingerprint: str
    epoch: int
    history: dict[str, list[float]]
    best_epoch: int | None
    stopped: bool
    model: list[NDArray[Any]]
    optimizer: list[NDArray[Any]]
    best: list[NDArray[Any]]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, so that the file is at every moment either the old one or the new."""
    facts = {
        name: getattr(checkpoint, name)
        for name in ("fingerprint", "epoch", "history", "best_epoch", "stopped")
    }
    arrays = {
        f"{group}_{index}": array
        for group in ("model", "optimizer", "best")
        for index, array in enumerate(getattr(checkpoint, group))
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: np.savez(file, facts=np.array(json.dumps(facts)), **arrays))


def read_checkpoint(path: Path, fingerprint: str) -> Checkpoint | None:
    """Read the checkpoint of the run that ``fingerprint`` names.

    Returns
    -------
    Checkpoint or None
        None where there is no file.

    Raises
    ------
    ModelFileError
        If the file cannot be read.
    InvalidInputError
        If it belongs to a run with other settings or other data.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            facts = json.loads(str(archive["facts"]))
            groups: dict[str, Any] = {"model": [], "optimizer": [], "best": []}
            for name in archive.files:
                if name != "facts":
                    groups[name.rpartition("_")[0]].append(archive[name])
            checkpoint = Checkpoint(**facts, **groups)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ModelFileError(
            f"{path} is no readable checkpoint ({error}); delete it to start the run again"
        ) from error
    if checkpoint.fingerprint != fingerprint:
        raise InvalidInputError(
            f"checkpoint_dir {path.parent} holds a run with other settings or other data; "
            "choose another folder, or delete this one to start again"
        )
    return checkpoint
