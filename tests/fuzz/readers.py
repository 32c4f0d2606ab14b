"""Every reader and loader of files, with a good file for each and what is changed in it."""

import asyncio
import atexit
import gzip
import hashlib
import io
import json
import shutil
import tarfile
import tempfile
import warnings
import zipfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from mutations import members_of, mutate, mutate_facts, mutate_inside, random_of, zip_of
from PIL import Image

import fer2013kit as fk
from fer2013kit._export_metadata import metadata_of_tflite, seal
from fer2013kit.faces._photos import read_photo

FACES = fk.make_fer2013(n_samples=70, random_state=0)


@dataclass(frozen=True)
class Reader:
    """What reads a kind of file.

    ``make`` returns a good file, ``read`` reads a path, and ``change`` makes another file of a
    good one; the suite reads ``inputs`` of them, and most take a millisecond or so.
    """

    ending: str
    make: Any
    read: Any
    change: Any = mutate
    inputs: int = 40


def load(path):
    """Load a data set without the cache."""
    return fk.load_fer2013(path, cache=False, resize=True)


def load_folder(path):
    """Load an image as the only one of its folder."""
    folder = path.parent / "folder"
    (folder / "happy").mkdir(parents=True, exist_ok=True)
    shutil.copy(path, folder / "happy" / f"face{path.suffix}")
    return fk.load_image_folder(folder, cache=False)


def picture(kind, **options):
    """Return a face as an image file."""

    @cache
    def make():
        stream = io.BytesIO()
        face = Image.fromarray(FACES.train.images[0, ..., 0])
        face = face if kind == "GIF" else face.convert("RGB")
        face.save(stream, kind, **options)
        return stream.getvalue()

    return make


@cache
def csv_file():
    """Return three rows of fer2013.csv."""
    lines = ["emotion,pixels,Usage"]
    for code, face in zip(FACES.train.labels[:3], FACES.train.images, strict=False):
        lines.append(f"{code},{' '.join(map(str, face.ravel()))},Training")
    return "\n".join([*lines, ""]).encode()


@cache
def wide_csv():
    """Return two rows of 16x16 pixels with a column for each."""
    lines = ["emotion,Usage," + ",".join(f"pixel{place}" for place in range(16 * 16))]
    for code, face in zip(FACES.train.labels[:2], FACES.train.images, strict=False):
        lines.append(f"{code},Training,{','.join(map(str, face[::3, ::3].ravel()))}")
    return "\n".join([*lines, ""]).encode()


@cache
def csv_gz():
    """Return ``csv_file`` packed."""
    return gzip.compress(csv_file(), mtime=0)


@cache
def votes_file():
    """Return some rows of fer2013new.csv."""
    names = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    lines = [f"Usage,Image name,{names}"]
    lines += [f"Training,fer{row:07}.png,4,0,0,1,3,2,0,0,0,0" for row in range(3)]
    return "\n".join(lines).encode()


def load_votes(path):
    """Join votes to a fer2013.csv beside them."""
    source = path.parent / "source.csv"
    if not source.exists():
        source.write_bytes(csv_file())
    return fk.load_fer2013(source, ferplus=path, cache=False)


def picture_files():
    """Return a small tree of images."""
    return {
        f"{split}/{name}/a.png": picture("PNG")()
        for split in ("train", "test")
        for name in ("happy", "sad")
    }


@cache
def list_beside_pictures():
    """Return a zip of images with a list of their labels, as Roboflow writes it."""
    words = "filename, angry, contempt, happy\na.png, 1, 0, 0\nb.png, 0, 0, 1\n"
    files = {"train/a.png": picture("PNG")(), "train/b.png": picture("PNG")()}
    return zip_of({**files, "train/_classes.csv": words.encode()})


@cache
def webdataset():
    """Return a zip of images, each beside the number of its class."""
    files = {f"train/{row}.png": picture("PNG")() for row in range(3)}
    classes = {f"train/{row}.cls": str(row).encode() for row in range(3)}
    return zip_of({**files, **classes, "classnames.txt": "\n".join(fk.CLASS_NAMES).encode()})


@cache
def zip_file():
    """Return a zip of images."""
    return zip_of(picture_files(), zipfile.ZIP_DEFLATED)


def tar_file(mode):
    """Return a maker of tars of images."""

    @cache
    def make():
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode=mode) as archive:
            for name, content in picture_files().items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                member.pax_headers = {"comment": "é"}
                archive.addfile(member, io.BytesIO(content))
        return stream.getvalue()

    return make


@cache
def own_npz():
    """Return what FER2013.save writes."""
    stream = io.BytesIO()
    about = {"format": "fer2013kit data set", "version": 1, "source": "fuzz"}
    arrays = {"about": np.array(json.dumps(about))}
    for name in ("train", "test"):
        arrays[f"{name}.images"] = getattr(FACES, name).images[:2]
        arrays[f"{name}.labels"] = getattr(FACES, name).labels[:2]
    np.savez(stream, **arrays)
    return stream.getvalue()


@cache
def npz():
    """Return arrays of anybody's."""
    stream = io.BytesIO()
    np.savez_compressed(stream, X_train=FACES.train.images[:2], y_train=FACES.train.labels[:2])
    return stream.getvalue()


@cache
def npy():
    """Return images without labels."""
    stream = io.BytesIO()
    np.save(stream, FACES.train.images[:2])
    return stream.getvalue()


def load_npy(path):
    """Load images whose name says what they are."""
    named = path.with_name("images.npy")
    named.write_bytes(path.read_bytes())
    return load(named)


@cache
def parquet():
    """Return a table as Hugging Face has it."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    stream = io.BytesIO()
    pictures = [{"bytes": picture("PNG")(), "path": None}] * 3
    table = pa.table({"image": pictures, "label": pa.array([0, 3, 6], pa.int64())})
    about = {"info": {"features": {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel"}}}}
    about["info"]["features"]["label"]["names"] = list(fk.CLASS_NAMES)
    table = table.replace_schema_metadata({"huggingface": json.dumps(about)})
    pq.write_table(table, stream)
    return stream.getvalue()


@cache
def hdf5():
    """Return arrays in HDF5."""
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["X_train"], file["y_train"] = FACES.train.images[:2], FACES.train.labels[:2]
    return stream.getvalue()


SMALL = {"filters": (2, 2, 2), "kernel_sizes": (1, 1, 1), "dense_units": 2}


def smallest(input_shape, num_classes, units=2):
    """Return a network that Keras makes in a fraction of the time of the kit's own."""
    import keras

    first, last = keras.layers.Dense(units), keras.layers.Dense(num_classes, "softmax")
    mean = keras.layers.GlobalAveragePooling2D()
    return keras.Sequential([keras.Input(input_shape), mean, first, last])


SMALLEST = patch.dict("fer2013kit.models._registry._builders", smallest=smallest)


@cache
def fer(name="five_layer_cnn"):
    """Return a saved classifier, small, and without a fit."""
    from fer2013kit.classifier._model_file import write_model_file
    from fer2013kit.models import create_model

    shipped = (fk.pretrained.FOLDER / "five_layer_cnn.fer").read_bytes()
    facts = json.loads(members_of(shipped)["classifier.json"])
    about = facts["architecture"]
    params = {"units": 2} if name == "smallest" else {**about["params"], **SMALL}
    about["name"], about["params"] = name, params
    weights = create_model(name, **params).get_weights()
    with tempfile.TemporaryDirectory() as folder:
        write_model_file(Path(folder, "x.fer"), facts, weights)
        return Path(folder, "x.fer").read_bytes()


def change_fer(content, rng):
    """Change the file, or what is in it with checksums that fit."""
    if rng.random() < 0.3:
        return mutate(content, rng)
    members = members_of(content)
    if rng.random() < 0.6:
        members["classifier.json"] = mutate_facts(json.loads(members["classifier.json"]), rng)
    elif rng.random() < 0.5:
        members["weights.npz"] = mutate_inside(members["weights.npz"], rng)
    else:
        members["weights.npz"] = mutate(members["weights.npz"], rng)
    inner = ("classifier.json", "weights.npz")
    sums = [f"{hashlib.sha256(members[name]).hexdigest()}  {name}\n" for name in inner]
    members["SHA256SUMS"] = "".join(sums).encode()
    return zip_of(members)


@cache
def ensemble():
    """Return an ensemble of two."""
    facts = {
        "format": 1,
        "members": 2,
        "weights": [0.5, 0.5],
        "temperature": 1.0,
        "fer2013kit": "0",
    }
    facts |= {"calibrator": None, "calibration": None}
    with SMALLEST:
        members = dict.fromkeys(("member_000.fer", "member_001.fer"), fer("smallest"))
    return zip_of({"ensemble.json": json.dumps(facts).encode(), **members})


def change_ensemble(content, rng):
    """Change the file, or what is in it."""
    if rng.random() < 0.3:
        return mutate(content, rng)
    members = members_of(content)
    if rng.random() < 0.7:
        members["ensemble.json"] = mutate_facts(json.loads(members["ensemble.json"]), rng)
    else:
        members["member_000.fer"] = change_fer(members["member_000.fer"], rng)
    return zip_of(members)


@cache
def checkpoint():
    """Return the state of a run."""
    from fer2013kit.classifier._checkpoint import Checkpoint, write_checkpoint

    state = Checkpoint(
        fingerprint="f",
        epoch=1,
        history={"loss": [1.0]},
        best_epoch=None,
        stopped=False,
        model=[np.zeros((3, 3))],
        optimizer=[np.int64(3)],
        best=[],
    )
    with tempfile.TemporaryDirectory() as folder:
        write_checkpoint(Path(folder, "x.npz"), state)
        return Path(folder, "x.npz").read_bytes()


def load_checkpoint(path):
    """Read the state of a run."""
    from fer2013kit.classifier._checkpoint import read_checkpoint

    return read_checkpoint(path, "f")


@cache
def tflite():
    """Return an exported network, the smallest."""
    with tempfile.TemporaryDirectory() as folder, SMALLEST:
        Path(folder, "x.fer").write_bytes(fer("smallest"))
        fk.EmotionClassifier.load(Path(folder, "x.fer")).export(Path(folder, "x.tflite"))
        return Path(folder, "x.tflite").read_bytes()


@cache
def exported_facts():
    """Return what a network says of itself."""
    return asdict(metadata_of_tflite(tflite(), ""))


def change_tflite(content, rng):
    """Change the file, or its facts with a seal that fits; of networks nothing is promised."""
    if rng.random() < 0.3:
        return mutate(content, rng)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        network = content[: min(info.header_offset for info in archive.infolist())]
    text = mutate_facts(exported_facts(), rng)
    packed = zip_of({"fer2013kit.json": text if rng.random() < 0.8 else mutate(text, rng)})
    return seal(network + packed, ".tflite")


@cache
def onnx():
    """Return an exported network that says the same of all images."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["floats"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["answers"]),
    ]
    graph = helper.make_graph(
        nodes,
        "fuzz",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 48, 48, 1])],
        [helper.make_tensor_value_info("answers", TensorProto.FLOAT, ["n", 7])],
        [helper.make_tensor("weights", TensorProto.FLOAT, [2304, 7], [0.0] * 2304 * 7)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def onnx_with(text):
    """Return the network with such facts."""
    key = b"fer2013kit.json"
    inner = b"\x0a" + _varint(len(key)) + key + b"\x12" + _varint(len(text)) + text
    return seal(onnx() + b"\x72" + _varint(len(inner)) + inner, ".onnx")


def _varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def change_onnx(content, rng):
    """Do as with LiteRT's."""
    if rng.random() < 0.3:
        return mutate(content, rng)
    text = mutate_facts(exported_facts(), rng)
    return onnx_with(text if rng.random() < 0.8 else mutate(text, rng))


def load_network(path):
    """Load a network and ask it once."""
    predictor = fk.EmotionPredictor.load(path, num_threads=1)
    if predictor.image_shape_ == (48, 48, 1):
        predictor.predict_proba(FACES.test.images[:1])


def load_fer(path):
    """Read all of a saved classifier that decides whether a network is built."""
    from fer2013kit.classifier import _persistence

    return _persistence.load(
        path, model=None, compute_dtype=None, given={}, defaults=fk.EmotionClassifier().get_params()
    )


@cache
def unchanged_member():
    """Load a member that no change reached; most have two of it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "x.fer").write_bytes(fer("smallest"))
        return LOAD_MEMBER(Path(folder, "x.fer"))


def load_member(path):
    """Load a member, an unchanged one once and for all: to build its network takes longest."""
    return unchanged_member() if path.read_bytes() == fer("smallest") else LOAD_MEMBER(path)


LOAD_MEMBER = fk.EmotionClassifier.load
UNCHANGED_ONCE = patch("fer2013kit.ensemble._ensemble.EmotionClassifier.load", load_member)


def load_ensemble(path):
    """Load an ensemble, its members' networks included."""
    with SMALLEST, UNCHANGED_ONCE:
        return fk.EnsembleClassifier.load(path)


def look_at(path):
    """Decode a photograph."""
    return read_photo(path)


@cache
def video():
    """Return half a second of video."""
    import av

    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as container:
        track = container.add_stream("mpeg4", rate=10)
        track.width = track.height = 48
        track.pix_fmt = "yuv420p"
        for face in FACES.train.images[:5, ..., 0]:
            frame = av.VideoFrame.from_ndarray(np.stack([face] * 3, -1), format="rgb24")
            container.mux(track.encode(frame))
        container.mux(track.encode())
    return stream.getvalue()


def look_at_video(path):
    """Decode a video."""
    from fer2013kit.video._reading import open_video

    with open_video(path) as opened:
        for _ in opened.frames(None, 5.0):
            pass


@cache
def page():
    """Return the page as a function of a photograph: status, headers and body of the answer."""
    small = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small", num_threads=1)
    app = fk.create_app(classifier=small, detector=lambda photo: [])
    runner = asyncio.Runner()
    atexit.register(runner.close)
    headers = [(b"host", b"localhost"), (b"content-type", b"application/octet-stream")]
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/analyze"}
    scope |= {"query_string": b"whole=true", "scheme": "http", "server": ("localhost", 80)}

    async def ask(content):
        length = (b"content-length", str(len(content)).encode())
        parts = [{"type": "http.request", "body": content}]
        ended = asyncio.Event()
        answer = []

        async def receive():
            if not parts:
                await ended.wait()
                return {"type": "http.disconnect"}
            return parts.pop()

        async def send(message):
            answer.append(message)

        await app(scope | {"headers": [*headers, length]}, receive, send)
        ended.set()
        first, *rest = answer
        return first["status"], dict(first["headers"]), b"".join(part["body"] for part in rest)

    return lambda content: runner.run(ask(content))


def upload(path):
    """Send a photograph to the page, which says what is wrong with it."""
    status, headers, body = page()(path.read_bytes())
    assert status in {200, 400, 413, 415}, body
    assert headers[b"x-content-type-options"] == b"nosniff"
    json.loads(body)


def score_all(path):
    """Read all images of a container, part by part, as the scoring does."""
    from fer2013kit.scoring._sources import Source

    source = Source(str(path), {})
    for part in source.parts(source.look(), 2):
        for _, photo in source.read(part, []):
            with suppress(fk.Fer2013KitError):
                if not isinstance(photo, Exception):
                    read_photo(photo)


@cache
def scores():
    """Return a part of what a scoring wrote."""
    import pyarrow as pa

    from fer2013kit.scoring._place import Place

    table = pa.table({"image": ["a.png", "b.png"], "happy": [0.5, None]})
    counts = dict.fromkeys(("n_images", "n_faces", "n_errors", "n_passed_over", "n_notes"), 2)
    named = {key: ["a.png"] for key in ("first_errors", "passed_over", "notes")}
    with tempfile.TemporaryDirectory() as folder:
        Place(folder, {}).write("x.parquet", table.schema, [table], counts | named)
        return Path(folder, "x.parquet").read_bytes()


def look_at_scores(path):
    """Read what a part says of itself; None says that it is to be done anew."""
    from fer2013kit.scoring._place import Place

    Place(str(path.parent), {}).facts(path.name)


PICTURES = {
    "jpeg": picture("JPEG"),
    "progressive": picture("JPEG", progressive=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"),
    "png": picture("PNG"),
    "gif": picture("GIF"),
    "bmp": picture("BMP"),
    "tiff": picture("TIFF", compression="tiff_lzw"),
    "webp": picture("WEBP"),
    "avif": picture("AVIF"),
    "jp2": picture("JPEG2000"),
    "ppm": picture("PPM"),
}

READERS = {
    "csv": Reader(".csv", csv_file, load),
    "wide csv": Reader(".csv", wide_csv, load),
    "csv.gz": Reader(".csv.gz", csv_gz, load),
    "ferplus": Reader(".csv", votes_file, load_votes),
    "zip": Reader(".zip", zip_file, load),
    "zip inside": Reader(".zip", zip_file, load, mutate_inside),
    "list": Reader(".zip", list_beside_pictures, load, mutate_inside),
    "webdataset": Reader(".zip", webdataset, load, mutate_inside),
    "tar": Reader(".tar", tar_file("w"), load),
    "tar.gz": Reader(".tar.gz", tar_file("w:gz"), load),
    "tar.bz2": Reader(".tar.bz2", tar_file("w:bz2"), load),
    "tar.xz": Reader(".tar.xz", tar_file("w:xz"), load),
    "own npz": Reader(".npz", own_npz, load, lambda c, r: r.choice((mutate, mutate_inside))(c, r)),
    "npz": Reader(".npz", npz, load, lambda c, r: r.choice((mutate, mutate_inside))(c, r)),
    "npy": Reader(".npy", npy, load_npy),
    "parquet": Reader(".parquet", parquet, load),
    "hdf5": Reader(".h5", hdf5, load),
    "fer": Reader(".fer", fer, load_fer, change_fer, inputs=10),
    "ensemble": Reader(".fers", ensemble, load_ensemble, change_ensemble, inputs=3),
    "checkpoint": Reader(
        ".npz", checkpoint, load_checkpoint, lambda c, r: r.choice((mutate, mutate_inside))(c, r)
    ),
    "tflite": Reader(".tflite", tflite, load_network, change_tflite, inputs=10),
    "onnx": Reader(
        ".onnx",
        lambda: onnx_with(json.dumps(exported_facts()).encode()),
        load_network,
        change_onnx,
        inputs=10,
    ),
    **{name: Reader(f".{name}", make, look_at) for name, make in PICTURES.items()},
    "folder": Reader(".jpg", picture("JPEG"), load_folder),
    "video": Reader(".mp4", video, look_at_video, inputs=10),
    "page": Reader(".jpg", picture("JPEG"), upload, inputs=10),
    "score zip": Reader(".zip", zip_file, score_all),
    "score tar": Reader(".tar.gz", tar_file("w:gz"), score_all),
    "score parquet": Reader(".parquet", parquet, score_all),
    "scores": Reader(".parquet", scores, look_at_scores),
}


def attempt(reader, number, folder):
    """Read a reader's input of this number; whatever is not in the family is let through."""
    kind = READERS[reader]
    content = kind.make()
    if number:  # the first is the good one
        content = kind.change(content, random_of(reader, number))
    path = folder / f"input{kind.ending}"
    path.write_bytes(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind.read(path)
    except fk.Fer2013KitError as error:
        if not number:
            raise
        if len(str(error)) > 3000:
            raise AssertionError(f"a message of {len(str(error))} characters") from error
