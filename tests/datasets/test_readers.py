"""Every dialect, in every wrapping, gives the rows that were written."""

import bz2
import gzip
import io
import lzma
import sys
import tempfile
import zipfile
from pathlib import Path

import fake_sources as fake
import numpy as np
import pytest
from fake_sources import CLASSES, Row, assert_holds, in_folder_order, some_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import fer2013kit as fk

ROWS = some_rows(per_class=2)
ICML = ("emotion", " Usage", " pixels")

places = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), min_size=1, max_size=12)
few = settings(max_examples=25, deadline=None)


def load(path):
    return fk.load_fer2013(path, cache=False)


@few
@given(
    places=places,
    seed=st.integers(0, 99),
    columns=st.permutations(["emotion", " Usage", "pixels"]),
    quoted=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_csv_round_trip(places, seed, *, columns, quoted, newline, last):
    rows = fake.make_rows(places, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any name"
        fake.write_csv(path, rows, columns, quoted=quoted, newline=newline, last=last)
        assert_holds(load(path), rows)


@few
@given(
    places=places,
    suffix=st.sampled_from(["png", "jpg"]),
    root=st.sampled_from(["", "FER2013/", "a/b/"]),
    wrap=st.sampled_from(["folder", "zip", "stored zip", "tar", "tar.gz", "tar.xz"]),
)
def test_pictures_round_trip(places, suffix, root, wrap):
    rows = in_folder_order(fake.make_rows(places))
    files = fake.picture_files(rows, suffix=suffix, root=root)
    if suffix == "jpg":  # what Pillow decodes is what is expected
        rows = [Row(row.usage, row.code, pillow(fake.encode(row.image, "jpg"))) for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any name"
        if wrap == "folder":
            fake.write_files(path, files)
        elif wrap.endswith("zip"):
            stored = zipfile.ZIP_STORED if wrap == "stored zip" else zipfile.ZIP_DEFLATED
            fake.write_zip(path, files, stored)
        else:
            fake.write_tar(path, files, f"w:{wrap.removeprefix('tar').removeprefix('.')}")
        assert_holds(load(path), rows)


@few
@given(places=places, names=st.permutations(CLASSES))
def test_parquet_round_trip(places, names):
    pytest.importorskip("pyarrow")
    rows = fake.make_rows(places)
    with tempfile.TemporaryDirectory() as folder:
        for usage, split in enumerate(["train", "validation", "test"]):
            part = [row for row in rows if row.usage == usage]
            fake.write_parquet(Path(folder) / f"{split}-00000-of-00001.parquet", part, list(names))
        assert_holds(load(folder), rows)


@few
@given(places=places)
def test_npz_round_trip(places):
    rows = fake.make_rows(places)
    with tempfile.TemporaryDirectory() as folder:
        csv = fake.write_csv(Path(folder) / "fer2013.csv", rows)
        data = load(csv)
        data.save(Path(folder) / "faces.npz")
        again = load(Path(folder) / "faces.npz")
        assert_holds(again, rows)
        assert list(again.splits) == list(data.splits)


@few
@given(places=places)
def test_challenge_round_trip(places):
    rows = [row for row in fake.make_rows(places) if row.usage != 1]
    train = [row for row in rows if row.usage == 0] or fake.make_rows([(0, 3)])
    test = [row for row in rows if row.usage == 2]
    with tempfile.TemporaryDirectory() as folder:
        fake.write_csv(Path(folder) / "train.csv", train, ["emotion", "pixels"])
        fake.write_csv(Path(folder) / "test.csv", test or make_test(), ["pixels"])
        for path in (folder, Path(folder) / "train.csv"):
            data = load(path)
            assert_holds(data, train, splits=["train"])
            assert data.validation is None
            assert data.test.labels is None
            np.testing.assert_array_equal(
                data.test.images[..., 0], [row.image for row in test or make_test()]
            )


def make_test():
    return fake.make_rows([(2, 0)], seed=5)


def pillow(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"))


def test_unlabelled_test_says_so_where_labels_are_needed(tmp_path):
    fake.write_csv(tmp_path / "train.csv", ROWS, ["emotion", "pixels"])
    fake.write_csv(tmp_path / "test.csv", ROWS, ["pixels"])
    data = load(tmp_path)
    with pytest.raises(fk.InvalidInputError, match="no labels"):
        _, _ = data.test
    assert "no label" in data.summary()
    assert data.to_frame()["emotion"].isna().sum() == len(ROWS)


def test_challenge_files_alone(tmp_path):
    train = fake.write_csv(tmp_path / "train.csv", ROWS, ["emotion", "pixels"])
    data = load(train)
    assert len(data.train) == len(ROWS)
    assert data.test is None
    test = fake.write_csv(tmp_path / "other.csv", ROWS, ["pixels"])
    data = load(test)
    assert len(data.train) == 0
    assert data.test.labels is None


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
def test_csv_in_tar(tmp_path, mode):
    csv = fake.write_csv(tmp_path / "x", ROWS).read_bytes()
    files = {"fer2013/README": b"hello", "fer2013/fer2013.csv": csv, "fer2013/fer2013.bib": b"@"}
    path = fake.write_tar(tmp_path / "fer2013.tar.gz", files, mode)
    assert_holds(load(path), ROWS)


def test_csv_and_challenge_in_zip(tmp_path):
    csv = fake.write_csv(tmp_path / "x", ROWS, ICML).read_bytes()
    assert_holds(load(fake.write_zip(tmp_path / "a.zip", {"icml_face_data.csv": csv})), ROWS)
    train = fake.write_csv(tmp_path / "x", ROWS, ["emotion", "pixels"]).read_bytes()
    test = fake.write_csv(tmp_path / "x", ROWS, ["pixels"]).read_bytes()
    data = load(fake.write_zip(tmp_path / "b.zip", {"train.csv": train, "test.csv": test}))
    assert (len(data.train), len(data.test)) == (len(ROWS), len(ROWS))


def test_parquet_in_zip_and_alone(tmp_path):
    pytest.importorskip("pyarrow")
    rows = fake.make_rows([(0, 4), (0, 6)])
    path = fake.write_parquet(tmp_path / "faces", rows)
    assert_holds(load(path), rows)
    zipped = fake.write_zip(tmp_path / "a.zip", {"data/train-0.parquet": path.read_bytes()})
    assert_holds(load(zipped), rows)


@pytest.mark.parametrize("kind", ["folder", "parquet"])
def test_a_jpeg_that_lacks_only_its_end_marker_is_read(tmp_path, monkeypatch, kind):
    rows, encode = fake.make_rows([(0, 3), (0, 6)]), fake.encode
    if kind == "folder":
        files = fake.picture_files(rows, suffix="jpg")
        files = {
            name: content[:-2] if name.endswith("0.jpg") else content
            for name, content in files.items()
        }
        path, name = fake.write_files(tmp_path / "set", files), "Training_00000.jpg"
    else:
        pytest.importorskip("pyarrow")
        monkeypatch.setattr(fake, "encode", lambda image: encode(image, "jpg")[:-2])
        path, name = fake.write_parquet(tmp_path / "set.parquet", rows[:1]), "row 0"
    for _ in range(2):  # the second time from the cache
        with pytest.warns(fk.Fer2013KitWarning, match=rf"1 JPEG that lacks only .*{name}"):
            data = fk.load_fer2013(path)
    decoded = np.asarray(Image.open(io.BytesIO(encode(rows[0].image, "jpg"))))
    np.testing.assert_array_equal(data.train.images[0, ..., 0], decoded)


@pytest.mark.parametrize("columns", [("emotion", "pixels", "Usage"), ICML])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("quoted", [False, True])
def test_tidy_csv_is_parsed_the_fast_way(tmp_path, monkeypatch, *, columns, newline, quoted):
    monkeypatch.delattr("fer2013kit.datasets._csv._Reader._parse_exactly")
    path = fake.write_csv(tmp_path / "a.csv", ROWS, columns, newline=newline, quoted=quoted)
    assert_holds(load(path), ROWS)


@pytest.mark.parametrize("size", [10_000, 10_001, 20_000, 50_000])
def test_blocks_of_any_size_give_the_same_rows(tmp_path, monkeypatch, size):
    path = fake.write_csv(tmp_path / "a.csv", ROWS)
    monkeypatch.setattr("fer2013kit.datasets._csv._BLOCK_BYTES", size)
    assert_holds(load(path), ROWS)


def test_untidy_csv_is_read_right(tmp_path):
    (row,) = fake.make_rows([(0, 3)])
    pixels = row.image.ravel().tolist()
    tidy = " ".join(map(str, pixels))
    untidy = [
        tidy.replace(" ", "  ", 40),
        f" {tidy} ",
        tidy.replace(" ", "\t", 7),
        " ".join(f"{pixel:03}" for pixel in pixels),
        " ".join(f"{pixel:05}" for pixel in pixels),
    ]
    lines = [f"3 , {text},  Training" for text in untidy]
    path = tmp_path / "fer2013.csv"
    path.write_text("\ufeff" + "\n\n".join(["emotion,pixels,Usage", *lines]) + "\n\n\n")
    assert_holds(load(path), [row] * len(untidy))


def test_additional_columns_are_passed_over(tmp_path):
    (row,) = fake.make_rows([(1, 2)])
    path = tmp_path / "fer2013.csv"
    path.write_text(f'id,note,emotion,pixels,Usage\n7,"a, b",{fake.csv_line(row)}\n')
    assert_holds(load(path), [row])


def test_pictures_without_prefix(tmp_path):
    rows = in_folder_order(row for row in ROWS if row.usage != 1)
    data = load(fake.write_files(tmp_path, fake.picture_files(rows, prefix=False)))
    assert data.validation is None
    assert_holds(data, rows)


def test_the_folder_decides_and_contradicting_names_are_counted(tmp_path):
    rows = fake.make_rows([(0, 1), (2, 1)])
    files = fake.picture_files(rows)
    moved = {name.replace("test/", "train/"): content for name, content in files.items()}
    fake.write_files(tmp_path, moved)
    with pytest.warns(fk.Fer2013KitWarning, match="contradict the folder .*: 1 PrivateTest_ in tr"):
        data = load(tmp_path)
    assert (len(data.train), data.test) == (2, None)


def test_only_a_test_folder(tmp_path):
    rows = fake.make_rows([(2, 1), (2, 3)])
    data = load(fake.write_files(tmp_path, fake.picture_files(rows)))
    assert len(data.train) == 0
    assert_holds(data, rows)


def test_colour_pictures_become_grey_as_by_pillow(tmp_path):
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 256, (48, 48, 3), np.uint8))
    for name in ("a.png", "b.jpg"):
        path = tmp_path / "train" / "sad" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        colour.save(path)
    images = load(tmp_path).train.images[..., 0]
    np.testing.assert_array_equal(images[0], np.asarray(colour.convert("L")))
    decoded = Image.open(tmp_path / "train" / "sad" / "b.jpg").convert("L")
    np.testing.assert_array_equal(images[1], np.asarray(decoded))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"quality": 20},
        {"progressive": True},
        {"optimize": True},
        {"comment": b"\xff\xc0\x00\x0b\x08\x00\x30\x00\x30\x01"},
        {"dpi": (300, 300)},
        {"restart_marker_blocks": 4},
        {"exif": Image.Exif()},
    ],
    ids=lambda options: " ".join(options) or "plain",
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpegs_of_every_make_are_read_as_by_pillow(tmp_path, mode, options):
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    path = tmp_path / "train" / "sad" / "a.jpg"
    path.parent.mkdir(parents=True)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    np.testing.assert_array_equal(load(tmp_path).train.images[0, ..., 0], pillow(path.read_bytes()))


def test_order_of_preference(tmp_path):
    """CSV, images, parquet, npz, challenge, archive: the better one is added each time."""
    pytest.importorskip("pyarrow")

    def rows(n):
        return fake.make_rows([(0, 0)] * n)

    def size(left_out=None):
        if left_out is None:
            return len(load(tmp_path).train)
        with pytest.warns(fk.Fer2013KitWarning, match=f"left out .*{left_out}"):
            return len(load(tmp_path).train)

    outside = tmp_path.parent / "outside.csv"
    fake.write_csv(outside, rows(6))
    fake.write_zip(tmp_path / "z.zip", {"fer2013.csv": outside.read_bytes()})
    assert size() == 6
    fake.write_csv(tmp_path / "train.csv", rows(5), ["emotion", "pixels"])
    assert size("z.zip, as train.csv is") == 5
    fake.write_csv(outside, rows(4))
    load(outside).save(tmp_path / "x.npz")
    assert size("train.csv, z.zip, as x.npz is") == 4
    fake.write_parquet(tmp_path / "x.parquet", rows(3))
    assert size("x.npz, train.csv, z.zip, as x.parquet is") == 3
    fake.write_files(tmp_path / "deeper", fake.picture_files(rows(2)))
    assert size("x.parquet, x.npz, train.csv, z.zip, as 2 images in deeper/ folders is") == 2
    fake.write_csv(tmp_path / "icml_face_data.csv", rows(1), ICML)
    assert size("2 images in deeper/ folders, x.parquet, .*, as icml_face_data.csv is") == 1
    fake.write_csv(tmp_path / "fer2013.csv", rows(7))
    with pytest.warns(fk.Fer2013KitWarning) as caught:
        assert size() == 7
    assert "left out icml_face_data.csv, as fer2013.csv is" in str(caught[0].message)


def test_backslashes_in_a_zip_from_windows(tmp_path):
    rows = fake.make_rows([(0, 3), (2, 6)])
    files = fake.picture_files(rows)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo("x")
            info.filename = name.replace("/", "\\")
            archive.writestr(info, content)
    assert_holds(load(path), rows)


def test_nothing_is_unpacked_or_followed_out_of_an_archive(tmp_path):
    rows = fake.make_rows([(0, 3)])
    files = fake.picture_files(rows) | {"../../escaped.txt": b"no", "/abs/escaped.txt": b"no"}
    before = {path for path in tmp_path.parent.rglob("*") if tmp_path not in path.parents}
    for path in (fake.write_zip(tmp_path / "a.zip", files), fake.write_tar(tmp_path / "a", files)):
        assert_holds(load(path), rows)
    after = {path for path in tmp_path.parent.rglob("*") if tmp_path not in path.parents}
    assert after == before


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    path = fake.write_parquet(tmp_path / "a.parquet", ROWS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(fk.MissingDependencyError, match=r"fer2013kit\[parquet\]"):
        load(path)


@pytest.mark.parametrize("module", [gzip, bz2, lzma])
def test_compressed_csv(tmp_path, module):
    content = fake.write_csv(tmp_path / "x", ROWS).read_bytes()
    path = tmp_path / "folder" / "fer2013.csv.gz"
    path.parent.mkdir()
    path.write_bytes(module.compress(content))
    assert_holds(load(path), ROWS)
    assert_holds(load(path.parent), ROWS)
    path.write_bytes(module.compress(content)[:-40])
    with pytest.raises(fk.DatasetFormatError, match="damaged or incomplete"):
        load(path)


def write_votes(path, rows):
    """FER+ votes in the order of the CSV: nine for the row's own class and one for neutral."""
    header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt"
    column = {"neutral": 0, "happy": 1, "surprise": 2, "sad": 3, "angry": 4, "disgust": 5}
    lines = [f"{header},unknown,NF"]
    for number, row in enumerate(rows):
        votes = [0] * 10
        votes[column.get(CLASSES[row.code], 6)] += 9
        votes[0] += 1
        name = f"fer{number:07}.png"
        lines.append(",".join([fake.USAGES[row.usage], name, *map(str, votes)]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("columns", [("emotion", "pixels", "Usage"), ICML])
@pytest.mark.parametrize("cache", [False, True])
def test_ferplus_votes_are_joined_to_their_rows(tmp_path, columns, cache):
    csv = fake.write_csv(tmp_path / "fer2013.csv", ROWS, columns)
    votes = write_votes(tmp_path / "fer2013new.csv", ROWS)
    for _ in range(2):
        data = fk.load_fer2013(csv, ferplus=votes, cache=cache)
        for split in data.splits.values():
            np.testing.assert_array_equal(split.ferplus.majority(), split.labels)
    part = data.subset(7, random_state=0).concat(data).train
    np.testing.assert_array_equal(part.ferplus.majority(), part.labels)
    data.save(tmp_path / "a.npz")
    again = fk.load_fer2013(tmp_path / "a.npz")
    np.testing.assert_array_equal(again.test.ferplus.votes, data.test.ferplus.votes)
    assert fk.load_fer2013(csv).train.ferplus is None


def test_ferplus_votes_of_shuffled_rows_are_refused(tmp_path):
    codes = np.random.default_rng(0).integers(0, 7, 130)
    rows = fake.make_rows([(2 if place < 70 else 1, int(code)) for place, code in enumerate(codes)])
    votes = write_votes(tmp_path / "fer2013new.csv", rows)
    csv = fake.write_csv(tmp_path / "fer2013.csv", rows)
    assert fk.load_fer2013(csv, ferplus=votes).test.ferplus.agreement(codes[:70]) == 1
    shuffled = [*rows[35:70], *rows[:35], *rows[70:]]
    csv = fake.write_csv(tmp_path / "shuffled.csv", shuffled)
    with pytest.raises(fk.InvalidInputError, match=r"labels of test .* may have been shuffled"):
        fk.load_fer2013(csv, ferplus=votes)
    other = dict.fromkeys(range(7), "neutral")  # of other classes, votes tell nothing
    assert len(fk.load_fer2013(csv, ferplus=votes, label_map=other).test.ferplus) == 70
    votes = write_votes(tmp_path / "few.csv", rows[:40])
    csv = fake.write_csv(tmp_path / "few_rows.csv", [*rows[20:40], *rows[:20]])
    assert len(fk.load_fer2013(csv, ferplus=votes).test.ferplus) == 40


def test_ferplus_needs_the_order_of_the_csv(tmp_path):
    votes = write_votes(tmp_path / "votes.csv", ROWS)
    pictures = fake.write_zip(tmp_path / "a.zip", fake.picture_files(ROWS))
    challenge = fake.write_csv(tmp_path / "train.csv", ROWS, ["emotion", "pixels"])
    npz = tmp_path / "a.npz"
    load(pictures).save(npz)
    for path in (pictures, challenge, npz):
        with pytest.raises(fk.InvalidInputError, match=r"load fer2013\.csv or icml_face_data"):
            fk.load_fer2013(path, ferplus=votes)
