"""The state of a training run on disk: one file, replaced after every epoch."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import is_flag, or_none
from fer2013kit._files import write_atomically
from fer2013kit._untrusted import (
    check_facts,
    errors_as,
    is_count,
    is_mapping,
    is_text,
    model_file_errors,
    read_facts,
    read_npz,
)
from fer2013kit.classifier._json import differences, with_nan, without_nan
from fer2013kit.classifier._processes import ALONE, Processes
from fer2013kit.exceptions import InvalidInputError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
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
    run: Mapping[str, Any] = field(default_factory=dict)
    """What the fingerprint is made of, in words: settings and data by their names."""


_FACTS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "fingerprint": is_text,
    "epoch": is_count,
    "history": is_mapping,
    "best_epoch": or_none(is_count),
    "stopped": is_flag,
    "run": is_mapping,
}


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, so that the file is at every moment either the old one or the new."""
    facts = {name: getattr(checkpoint, name) for name in _FACTS}
    facts["history"] = without_nan(checkpoint.history)
    arrays = {
        f"{group}_{index}": array
        for group in ("model", "optimizer", "best")
        for index, array in enumerate(getattr(checkpoint, group))
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: np.savez(file, facts=np.array(json.dumps(facts)), **arrays))


def read_checkpoint(
    path: Path,
    fingerprint: str,
    processes: Processes = ALONE,
    *,
    run: Mapping[str, Any] | None = None,
) -> Checkpoint | None:
    """Read the checkpoint of the run that ``fingerprint`` names; None where there is no file.

    Of several processes, all get what the first one has.  ``run`` says what the fingerprint is
    made of, so that an error can name what differs.

    Raises
    ------
    ModelFileError
        If the file cannot be read.
    InvalidInputError
        If it belongs to a run with other settings or other data.
    """
    with model_file_errors(path, "a checkpoint"):
        content = path.read_bytes() if path.exists() else None
    content = processes.share(content)
    if content is None:
        return None
    with errors_as(
        lambda why: ModelFileError(
            f"{path} is no readable checkpoint ({why}); delete it to start the run again"
        )
    ):
        arrays = read_npz(content)
        facts = {"run": {}, **read_facts(str(arrays.pop("facts")))}  # of old ones, nothing is known
        check_facts(facts, _FACTS)
        groups: dict[str, Any] = {"model": [], "optimizer": [], "best": []}
        for name, array in arrays.items():
            groups[name.rpartition("_")[0]].append(array)
        facts["history"] = with_nan(facts["history"])
        checkpoint = Checkpoint(**facts, **groups)
    if checkpoint.fingerprint != fingerprint:
        which = f": {differences(checkpoint.run, run)}" if checkpoint.run and run else ""
        raise InvalidInputError(
            f"checkpoint_dir {path.parent} holds a run with other settings or other data{which}; "
            "choose another folder, or delete this one to start again"
        )
    return checkpoint
