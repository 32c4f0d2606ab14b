"""fetch, info and audit: where FER-2013 is, and what a data set holds."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any

import click

from fer2013kit._version import __version__
from fer2013kit.cli._datasets import DataOptions, data_options
from fer2013kit.cli._options import CSV_FILE, PATH, json_option
from fer2013kit.cli._output import (
    create_parents,
    print_note,
    print_result,
    refuse_to_overwrite,
    write_table,
)
from fer2013kit.cli._program import Command
from fer2013kit.cli._quiet import import_keras

if TYPE_CHECKING:
    from pathlib import Path

    from fer2013kit.datasets import FER2013
    from fer2013kit.typing import LeakSide

_LIBRARIES = ("keras", "tensorflow", "scikit-learn", "numpy", "pillow", "ai-edge-litert")


@click.command(cls=Command, example="fetch")
@click.option(
    "--download/--no-download",
    "download_if_missing",
    default=True,
    show_default=True,
    help="Download it from Kaggle if it is not on this machine; needs the extra `fetch`.",
)
@json_option
def fetch(*, download_if_missing: bool, as_json: bool) -> None:
    """Find or download FER-2013, and print its path.

    It is looked for in the folder `fer2013` of the cache (see `fer2013kit info`) and among
    kagglehub's downloads. Commands take the path:
    fer2013kit train "$(fer2013kit fetch)" -o emotions.fer
    """
    from fer2013kit import fetch_fer2013

    data = fetch_fer2013(download_if_missing=download_if_missing)
    print_note(data.summary())
    print_result(_describe_data(data), data.source, as_json=as_json)


@click.command(cls=Command, example="info archive.zip")
@click.argument("path", required=False, type=PATH)
@data_options
@json_option
def info(*, path: Path | None, options: DataOptions, as_json: bool) -> None:
    """Say what a data set holds, or what is installed.

    Without PATH, the versions, the backend and the cache folder are listed. PATH is FER-2013 in
    any form: the Kaggle download (.zip, .tar.gz or unpacked), fer2013.csv,
    icml_face_data.csv, train.csv with test.csv, parquet, or an .npz of this kit.
    """
    if path is None:
        document = _describe_installation()
        text = "\n".join(f"{name:<16}{_as_text(value)}" for name, value in document.items())
        print_result(document, text, as_json=as_json)
        return

    data = options.read(path)
    print_result(_describe_data(data), data.summary(), as_json=as_json)


def _describe_installation() -> dict[str, Any]:
    from fer2013kit import list_pretrained
    from fer2013kit.datasets._cache import cache_home

    document: dict[str, Any] = {
        "fer2013kit": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: _version(name) for name in _LIBRARIES},
        "cache": str(cache_home()),
        "pretrained": list_pretrained(),
    }
    try:
        import_keras()
    except ImportError as error:
        absent = document["keras"] is None  # as with fer2013kit-light: nothing is wrong
        return {**document, "backend": None if absent else f"cannot be imported: {error}"}
    import keras

    from fer2013kit import list_models
    from fer2013kit.classifier._compute_dtype import resolve_compute_dtype

    return {
        **document,
        "backend": keras.config.backend(),
        "compute_dtype": resolve_compute_dtype("auto"),
        "models": list_models(),
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return "not installed" if value is None else str(value)


def _describe_data(data: FER2013) -> dict[str, Any]:
    from fer2013kit import class_counts

    names = data.class_names
    return {
        "source": data.source,
        "splits": {
            name: {
                "n_samples": len(split),
                "class_counts": None
                if split.labels is None
                else dict(zip(names, class_counts(split.labels, len(names)).tolist(), strict=True)),
            }
            for name, split in data.splits.items()
        },
    }


@click.command(cls=Command, example="audit archive.zip --csv findings.csv")
@click.argument("path", type=PATH)
@click.option("--csv", "csv_path", type=CSV_FILE, help="Write every finding to this CSV file.")
@data_options
@json_option
def audit(
    *,
    path: Path,
    csv_path: Path | None,
    options: DataOptions,
    as_json: bool,
) -> None:
    """Find duplicates, leaks and conflicting labels.

    Also blank images, and how uneven the classes are. PATH is FER-2013 in any form, as for
    `fer2013kit info`.
    """
    from fer2013kit import audit_dataset

    refuse_to_overwrite([path], csv=csv_path)
    create_parents(csv_path)
    report = audit_dataset(options.read(path))
    if csv_path is not None:
        write_table(csv_path, report.to_frame())
    print_result(report.as_dict(), report.summary(), as_json=as_json, files={"csv": csv_path})


def drop_leaks(data: FER2013, *, side: LeakSide) -> tuple[FER2013, str]:
    """Leave out images that stand in train and in evaluation alike, and say how many."""
    from fer2013kit import audit_dataset

    kept = audit_dataset(data, near_duplicates=False).drop_leaks(side=side)
    counts = {name: len(split) - len(kept.splits[name]) for name, split in data.splits.items()}
    left_out = ", ".join(f"{count:,} of {name}" for name, count in counts.items())
    print_note(f"leaks left out: {left_out}")
    return kept, f"left out: {left_out}"
