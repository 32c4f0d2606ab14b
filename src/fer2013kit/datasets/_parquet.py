"""Reader of parquet as Hugging Face writes it: pictures as bytes, labels as a ClassLabel.

The labels' names stand in the schema's metadata under ``huggingface``, a JSON text
``{"info": {"features": {"image": {"_type": "Image"},
"label": {"names": [...], "_type": "ClassLabel"}}}}``.
"""

from __future__ import annotations

import io
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._optional import needed
from fer2013kit.datasets._decode import decode_face
from fer2013kit.datasets._pictures import FOLDER_SPLITS
from fer2013kit.datasets._rows import Rows, order_by_split, run_in_threads
from fer2013kit.emotions import CLASS_NAMES, IMAGE_SHAPE, emotion_code
from fer2013kit.exceptions import DatasetFormatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from fer2013kit._checks import UInt8Array
    from fer2013kit.datasets._trees import FileTree

_CHUNK = 256


def read_parquet(tree: FileTree, names: Iterable[str]) -> Rows:
    """Read parquet files; ``train-*.parquet``, ``test-*.parquet`` and so on tell the split.

    A file whose name starts with no split's name belongs to train.

    Parameters
    ----------
    tree : FileTree
        The folder or archive.
    names : iterable of str
        The files of the data set.

    Returns
    -------
    Rows
        Train, validation, test, each in the order of the files' names and of their rows.

    Raises
    ------
    DatasetFormatError
        For other columns, unknown class names, or pictures that are not 48x48.
    MissingDependencyError
        Without pyarrow.
    """
    pa, parquet = _import_pyarrow()
    images, labels, splits = [], [], []
    for name in sorted(names):
        path = tree.path / name
        content = io.BytesIO(tree.read(name))
        try:
            file_images, file_labels = _read_file(parquet.ParquetFile(content), path)
        except (OSError, pa.ArrowException) as error:
            raise DatasetFormatError(
                f"the parquet file is damaged or incomplete ({error}); download it again",
                path=path,
            ) from error
        images.append(file_images)
        labels.append(file_labels)
        splits.append(np.full(len(file_labels), _split_code(name)))
    if not sum(map(len, labels)):
        raise DatasetFormatError("expected rows, received none", path=tree.path)
    return order_by_split(
        np.concatenate(images),
        np.concatenate(labels).astype(np.int64),
        np.concatenate(splits).astype(np.int64),
        in_csv_order=False,
    )


def _import_pyarrow() -> tuple[Any, Any]:
    with needed("reading parquet", extra="parquet"):
        import pyarrow as pa
        from pyarrow import parquet
    return pa, parquet


def _read_file(file: Any, path: Path) -> tuple[UInt8Array, Any]:
    features = _features(file.schema_arrow.metadata or {})
    image_column = _column_of_type("Image", features, path)
    label_column = _column_of_type("ClassLabel", features, path)
    codes = _class_codes(features[label_column].get("names", []), path)
    images = np.empty((file.metadata.num_rows, *IMAGE_SHAPE), np.uint8)
    labels = np.empty(len(images), np.int64)

    def chunks() -> Iterator[tuple[int, list[Any]]]:
        start = 0
        for batch in file.iter_batches(_CHUNK, columns=[image_column, label_column]):
            values = batch.column(label_column).to_numpy(zero_copy_only=False)
            if not np.isin(values, np.arange(len(codes))).all():
                raise DatasetFormatError(
                    f"expected labels 0 to {len(codes) - 1} in rows {start} to "
                    f"{start + len(values) - 1}, received {sorted(set(values.tolist()))}",
                    path=path,
                )
            labels[start : start + len(values)] = codes[values.astype(np.int64)]
            yield start, batch.column(image_column).to_pylist()
            start += len(values)

    def decode(chunk: tuple[int, list[Any]]) -> None:
        start, pictures = chunk
        for row, picture in enumerate(pictures, start=start):
            content = picture.get("bytes") if isinstance(picture, dict) else picture
            if not isinstance(content, bytes):
                raise DatasetFormatError(
                    f"expected the bytes of a picture in row {row}, received "
                    f"{type(content).__name__}; save the set with its pictures embedded",
                    path=path,
                )
            try:
                decode_face(content, images[row])
            except ValueError as error:
                raise DatasetFormatError(str(error), path=path / f"row {row}") from error

    run_in_threads(decode, chunks())
    return images, labels


def _features(metadata: dict[bytes, bytes]) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(metadata[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return {name: about for name, about in found.items() if isinstance(about, dict)}


def _column_of_type(kind: str, features: dict[str, dict[str, Any]], path: Path) -> str:
    names = [name for name, about in features.items() if about.get("_type") == kind]
    if len(names) != 1:
        raise DatasetFormatError(
            f"expected one column of type {kind} in the schema's 'huggingface' metadata, "
            f"received {', '.join(names) or 'none'}; without it nobody knows what the codes mean",
            path=path,
        )
    return names[0]


def _class_codes(names: list[str], path: Path) -> Any:
    codes = [emotion_code(str(name)) for name in names]
    unknown = [str(name) for name, code in zip(names, codes, strict=True) if code is None]
    if unknown or not codes:
        raise DatasetFormatError(
            f"expected the class names {', '.join(CLASS_NAMES)}, "
            f"received {', '.join(map(str, names)) or 'none'}",
            path=path,
        )
    return np.array(codes, np.int64)


def _split_code(name: str) -> int:
    """Return the split that a name such as ``data/test-00000-of-00001.parquet`` tells."""
    stem = PurePosixPath(name).name.lower()
    for split_name, code in FOLDER_SPLITS.items():
        if stem.startswith((f"{split_name}-", f"{split_name}.", f"{split_name}_")):
            return code
    return 0
