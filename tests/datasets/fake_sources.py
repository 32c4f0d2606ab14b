"""Small fake data sets on disk in every dialect, with rubbish lying beside them."""

import io
import json
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USAGES = ("Training", "PublicTest", "PrivateTest")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Row:
    """One image; ``usage`` and ``code`` count as in USAGES and CLASSES."""

    usage: int
    code: int
    image: np.ndarray


def make_rows(places, seed=0):
    """Rows of random pixels for pairs of usage and class code."""
    rng = np.random.default_rng(seed)
    return [Row(usage, code, rng.integers(0, 256, (48, 48), np.uint8)) for usage, code in places]


def some_rows(per_class=1, seed=0):
    """Rows of all classes and usages, shuffled."""
    places = [(usage, code) for usage in range(3) for code in range(7)] * per_class
    order = np.random.default_rng(seed).permutation(len(places))
    return make_rows([places[i] for i in order], seed)


def csv_line(row, columns=("emotion", "pixels", "Usage"), *, quoted=False):
    pixels = " ".join(map(str, row.image.ravel().tolist()))
    fields = {
        "emotion": str(row.code),
        "pixels": f'"{pixels}"' if quoted else pixels,
        "Usage": USAGES[row.usage],
    }
    return ",".join(fields[column.strip()] for column in columns)


def write_csv(
    path, rows, columns=("emotion", "pixels", "Usage"), *, quoted=False, newline="\n", last=True
):
    lines = [",".join(columns), *(csv_line(row, columns, quoted=quoted) for row in rows)]
    path.write_bytes((newline.join(lines) + (newline if last else "")).encode())
    return path


def encode(image, suffix="png"):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, {"png": "PNG", "jpg": "JPEG"}[suffix])
    return stream.getvalue()


def picture_files(rows, *, suffix="png", prefix=True, root=""):
    """Names and contents in the layout of Kaggle, with rubbish among them."""
    files = {}
    for number, row in enumerate(rows):
        split = "train" if row.usage == 0 else "test"
        stem = f"{USAGES[row.usage]}_{number:05}" if prefix else f"im{number:05}"
        name = f"{root}{split}/{CLASSES[row.code]}/{stem}.{suffix}"
        files[name] = encode(row.image, suffix)
    for name in (
        f"{root}.DS_Store",
        f"{root}train/Thumbs.db",
        f"{root}train/happy/.DS_Store",
        f"{root}train/happy/._im.png",
        f"__MACOSX/{root}train/happy/._im.png",
        f"{root}README.md",
    ):
        files[name] = b"rubbish"
    return files


def write_files(folder, files):
    for name, content in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write_zip(path, files, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_parquet(path, rows, names=CLASSES, *, metadata=True, code=None):
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table(
        {
            "image": [{"bytes": encode(row.image), "path": None} for row in rows],
            "label": pa.array(
                [names.index(CLASSES[row.code]) if code is None else code for row in rows],
                pa.int64(),
            ),
        }
    )
    if metadata:
        features = {
            "image": {"_type": "Image"},
            "label": {"names": list(names), "_type": "ClassLabel"},
        }
        about = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": about})
    parquet.write_table(table, path)
    return path


def in_folder_order(rows):
    """What the images' reader promises: split, class, file name (the number in the list)."""
    return sorted(rows, key=lambda row: (row.usage, row.code))


def assert_holds(data, rows, *, splits=SPLITS):
    """The data set holds these rows, each split in the order of the list."""
    for usage, name in enumerate(splits):
        expected = [row for row in rows if row.usage == usage]
        split = getattr(data, name)
        if not expected:
            assert split is None or len(split) == 0
            continue
        np.testing.assert_array_equal(split.labels, [row.code for row in expected])
        np.testing.assert_array_equal(split.images[..., 0], [row.image for row in expected])
