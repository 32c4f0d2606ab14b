"""The file of a saved classifier: settings as JSON, weights as arrays, nothing that can run."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._files import write_atomically
from fer2013kit._untrusted import (
    check_facts,
    errors_as,
    is_count,
    model_file_errors,
    open_zip,
    read_facts,
    read_member,
    read_npz,
)
from fer2013kit._version import __version__
from fer2013kit.exceptions import OTHER_MODELS, ModelFileError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT_VERSION: Final = 1
_SETTINGS: Final = "classifier.json"
_WEIGHTS: Final = "weights.npz"
_CHECKSUMS: Final = "SHA256SUMS"
_WEIGHT: Final = "weight_"
_LONGEST_SUMS: Final = 2**12


def write_model_file(
    path: Path, settings: Mapping[str, Any], weights: Sequence[NDArray[Any]]
) -> None:
    """Write a classifier atomically: JSON-ready facts, and weights as from ``get_weights``."""
    arrays = io.BytesIO()
    named: dict[str, Any] = {f"{_WEIGHT}{i:03d}": array for i, array in enumerate(weights)}
    np.savez(arrays, **named)
    facts = {"format": FORMAT_VERSION, "fer2013kit": __version__, **settings}
    members = {
        _SETTINGS: json.dumps(facts, indent=2, sort_keys=True, allow_nan=False).encode(),
        _WEIGHTS: arrays.getvalue(),
    }
    sums = "".join(f"{_sha256(content)}  {name}\n" for name, content in members.items())
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in {**members, _CHECKSUMS: sums.encode()}.items():
            # A fixed date: the same classifier gives the same bytes.
            file.writestr(zipfile.ZipInfo(name), content)
    write_atomically(path, archive.getvalue())


def read_model_file(
    path: Path, content: bytes | None = None
) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """Read and check what :func:`write_model_file` wrote, or its content that was read before.

    Raises
    ------
    ModelFileError
        If the file is missing, is none of ours, is damaged, or is of a newer format.
    """
    with (
        model_file_errors(path, "a saved classifier"),
        errors_as(lambda why: _no_model(path, why)),
    ):
        with open_zip(path) if content is None else zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: read_member(archive, name) for name in (_SETTINGS, _WEIGHTS)}
            sums = read_member(archive, _CHECKSUMS, most=_LONGEST_SUMS).decode()
        expected = {name: digest for digest, name in (line.split() for line in sums.splitlines())}
        for name, member in members.items():
            if expected[name] != _sha256(member):
                raise ModelFileError(
                    f"{path}: {name} is damaged (expected SHA-256 {shown(expected[name])}, "
                    f"received {_sha256(member)}); get the file again"
                )
        settings = read_facts(members[_SETTINGS])
        check_facts(settings, {"format": is_count})
        if settings["format"] > FORMAT_VERSION:
            raise ModelFileError(
                f"{path} was written by fer2013kit {shown(settings.get('fer2013kit'))} in format "
                f"{settings['format']}; this version reads format {FORMAT_VERSION}: upgrade it"
            )
        arrays = read_npz(members[_WEIGHTS])
        # By number: as text, weight_1000 would come before weight_101.
        weights = [arrays[name] for name in sorted(arrays, key=lambda n: int(n[len(_WEIGHT) :]))]
    return settings, weights


def _no_model(path: Path, why: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is no classifier saved by fer2013kit, or a damaged one ({why}); {OTHER_MODELS}"
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
