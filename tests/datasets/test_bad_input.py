"""Whatever is wrong gives one clear error, and nothing half-written."""

import errno
import gzip
import io
import json
import os
import tarfile
import zipfile
import zlib
from pathlib import Path

import fake_sources as fake
import numpy as np
import pytest
from PIL import Image

import fer2013kit as fk
from fer2013kit.datasets._trees import is_archive

GOOD = fake.make_rows([(0, code) for code in range(7)] * 3)
PIXELS = " ".join(map(str, GOOD[0].image.ravel().tolist()))


def home_files():
    return set((Path(os.environ["FER2013KIT_HOME"]) / "datasets").rglob("*"))


def assert_refused(path, message, *, line_number=None, at=None):
    before = home_files()
    with pytest.raises(fk.DatasetFormatError, match=message) as caught:
        fk.load_fer2013(path)
    assert caught.value.line_number == line_number
    assert str(at or path) in str(caught.value)
    assert home_files() == before


def with_line(tmp_path, line, number):
    """A CSV whose line of this number (the header is 1) is replaced."""
    path = fake.write_csv(tmp_path / "fer2013.csv", GOOD)
    lines = path.read_text().splitlines()
    lines[number - 1] = line
    path.write_text("\n".join(lines) + "\n")
    return path


def pixel_line(value, place=100):
    pixels = PIXELS.split()
    pixels[place - 1] = value
    return f"3,{' '.join(pixels)},Training"


@pytest.mark.parametrize("number", [2, 9, 10, 11, 22])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        (pixel_line("300"), "pixel 100 is '300'; expected a whole number from 0 to 255"),
        (pixel_line("256"), "pixel 100 is '256'"),
        (pixel_line("1000"), "pixel 100 is '1000'"),
        (pixel_line("999", 2304), "pixel 2304 is '999'"),
        (pixel_line("-1"), "pixel 100 is '-1'"),
        (pixel_line("x"), "pixel 100 is 'x'"),
        (pixel_line("1.0"), r"pixel 100 is '1\.0'"),
        (pixel_line("", 2304), "expected 2304 pixels .*, received 2303"),
        (pixel_line("1 2"), "expected 2304 pixels .*, received 2305"),
        (f"3,{PIXELS} ,Training".replace(f",{PIXELS} ,", ",,"), "received 0"),
        ("3,,Training", "expected 2304 pixels .*, received 0"),
        (f"3,{PIXELS},Tests", "unknown Usage 'Tests'; expected Training, PublicTest"),
        (f"3,{PIXELS},", "unknown Usage ''"),
        (f"7,{PIXELS},Training", "unknown emotion '7'; expected a code from 0 to 6"),
        (f"-1,{PIXELS},Training", "unknown emotion '-1'"),
        (f"hapy,{PIXELS},Training", "unknown emotion 'hapy'"),
        (f",{PIXELS},Training", "unknown emotion ''"),
        (f"3,{PIXELS}", "expected 3 comma-separated fields, received 2"),
        (f"3,{PIXELS[:4000]}", "received 2; is the file cut off"),
        (f"3,{PIXELS},Training,more", "received 4"),
        ("\x00\x01", "received 1"),
    ],
)
def test_csv_row(tmp_path, line, message, number):
    assert_refused(with_line(tmp_path, line, number), message, line_number=number)


def test_borrowed_pixels_do_not_even_out(tmp_path):
    """2303 pixels in one row and 2305 in the next are two errors, not none."""
    path = fake.write_csv(tmp_path / "fer2013.csv", GOOD)
    lines = path.read_text().splitlines()
    lines[2] = pixel_line("")
    lines[3] = pixel_line("1 2")
    path.write_text("\n".join(lines))
    assert_refused(path, "received 2303", line_number=3)
    lines[2], lines[3] = lines[3], lines[2]
    path.write_text("\n".join(lines))
    assert_refused(path, "received 2305", line_number=3)


def test_the_first_of_several_errors_is_told(tmp_path):
    path = with_line(tmp_path, pixel_line("300"), 3)
    path.write_text(path.read_text() + f"3,{PIXELS},Nonsense\n")
    assert_refused(path, "pixel 100 is '300'", line_number=3)


def test_the_first_error_is_told_wherever_the_blocks_end(tmp_path, monkeypatch):
    path = with_line(tmp_path, pixel_line("300"), 12)
    path.write_text(path.read_text() + f"3,{PIXELS},Nonsense\n")
    length = path.stat().st_size
    for size in (10_000, 11_111, 30_000, length // 2, length - 100, length):
        monkeypatch.setattr("fer2013kit.datasets._csv._BLOCK_BYTES", size)
        assert_refused(path, "pixel 100 is '300'", line_number=12)


def test_many_short_rows_are_refused_one_by_one(tmp_path):
    """Far more rows than their bytes could hold pixels for."""
    path = fake.write_csv(tmp_path / "fer2013.csv", GOOD)
    path.write_text(path.read_text() + "3,1 2 3,Training\n" * 5000)
    assert_refused(path, "expected 2304 pixels .*, received 3", line_number=len(GOOD) + 2)


def test_csv_cut_anywhere(tmp_path):
    path = fake.write_csv(tmp_path / "fer2013.csv", GOOD)
    content = path.read_bytes()
    last_line = content.rindex(b"\n", 0, -1) + 1
    for cut in [*range(last_line + 1, len(content) - 2, 997), len(content) - 2]:
        path.write_bytes(content[:cut])
        with pytest.raises(fk.DatasetFormatError) as caught:
            fk.load_fer2013(path)
        assert caught.value.line_number == len(GOOD) + 1


def test_icml_csv_cut_within_the_pixels(tmp_path):
    path = fake.write_csv(tmp_path / "icml.csv", GOOD, ("emotion", " Usage", " pixels"))
    path.write_bytes(path.read_bytes()[:-3000])
    assert_refused(path, "expected 2304 pixels", line_number=len(GOOD) + 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "received an empty file"),
        (b"hello\n", r"received a file that begins with 'hello\\n'"),
        (b"emotion,Usage\n3,Training\n", "begins with 'emotion,Usage"),
        (f"3,{PIXELS},Training\n".encode(), "begins with '3,"),
        ("emotion,pixels,Usage\n".encode("utf-16"), "fer2013.csv is a text in UTF-16"),
    ],
)
def test_no_data_set(tmp_path, content, message):
    path = tmp_path / "fer2013.csv"
    path.write_bytes(content)
    assert_refused(path, message)


@pytest.mark.parametrize("header", ["emotion,pixels,Usage", "emotion,pixels", "pixels"])
def test_header_only(tmp_path, header):
    path = tmp_path / "fer2013.csv"
    path.write_text(header + "\n\n")
    assert_refused(path, "expected rows after the header, received none")


def test_missing_path(tmp_path):
    with pytest.raises(fk.DatasetNotFoundError, match=r"no file or folder .*nowhere"):
        fk.load_fer2013(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        fk.load_fer2013(tmp_path / "nowhere" / "fer2013.csv")


def test_empty_folder_and_folder_of_others(tmp_path):
    assert_refused(tmp_path, "received no files")
    (tmp_path / ".DS_Store").write_bytes(b"rubbish")
    assert_refused(tmp_path, "received no files")
    (tmp_path / "notes.txt").write_text("hello")
    assert_refused(tmp_path, "received 1 file such as 'notes.txt'")


@pytest.mark.parametrize("name", ["x" * 300, "x" * 9999, "a\0b"])
def test_a_name_that_no_file_can_have_is_no_file(name):
    with pytest.raises(fk.DatasetNotFoundError, match="there is no file or folder") as caught:
        fk.load_fer2013(name)
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "fer2013.csv is empty"),
        (b"404: Not Found", "fer2013.csv begins with '404: Not Found'"),
        (b'{"error": "403"}', 'fer2013.csv begins with \'{"error": "403"}\''),
        (b"emotion,image\n3,1 2 3\n", "fer2013.csv is a table with the columns 'emotion', 'image'"),
    ],
)
def test_what_a_csv_in_a_folder_is_instead(tmp_path, content, match):
    (tmp_path / "fer2013.csv").write_bytes(content)
    assert_refused(tmp_path, match)


def test_class_folders_without_splits_are_for_load_image_folder(tmp_path):
    fake.write_files(tmp_path, {"happy/a.png": fake.encode(GOOD[0].image)})
    assert_refused(tmp_path, "read by load_image_folder")


@pytest.mark.parametrize("wrap", ["folder", "zip", "tar"])
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train/contempt/a.png", fake.encode(GOOD[0].image), "unknown class folder 'contempt'"),
        ("test/7/a.png", fake.encode(GOOD[0].image), "unknown class folder '7'"),
        ("train/a.png", fake.encode(GOOD[0].image), "expected images in <split>/<class>/"),
        ("train/sad/more/a.png", fake.encode(GOOD[0].image), "expected images in <split>"),
        ("train/sad/a.jpg", b"this is text", "not a readable image"),
        ("train/sad/a.jpg", b"", "not a readable image"),
        ("train/sad/a.jpg", fake.encode(GOOD[0].image, "jpg")[:900], "not a readable image"),
        ("train/sad/a.jpg", b"\xff\xd8\xff\xe0 cut", "not a readable image"),
        ("train/sad/a.png", fake.encode(GOOD[0].image)[:900], "not a readable image"),
        ("train/sad/a.jpg", b"x" * 5_000_000, "received a file of 5,000,000 bytes"),
        (
            "train/sad/a.jpg",
            fake.encode(np.zeros((49, 48), np.uint8), "jpg"),
            "expected an image of 48x48 pixels, received 48x49; .*resize=True",
        ),
        (
            "train/sad/a.png",
            fake.encode(np.zeros((224, 224), np.uint8)),
            "received 224x224; .*resize=True",
        ),
    ],
)
def test_pictures(tmp_path, wrap, name, content, message):
    files = fake.picture_files(GOOD) | {name: content}
    path = tmp_path / "faces"
    if wrap == "folder":
        fake.write_files(path, files)
    elif wrap == "zip":
        fake.write_zip(path, files)
    else:
        fake.write_tar(path, files)
    assert_refused(path, message, at=path / name)


def test_broken_jpeg_data(tmp_path):
    """A JPEG whose middle is damaged is refused, not shown half."""
    content = bytearray(fake.encode(GOOD[0].image, "jpg"))
    content[1000:1100] = b"\xff\xd9" * 50
    fake.write_files(tmp_path, {"train/sad/a.jpg": bytes(content)})
    assert_refused(tmp_path, "not a readable image")


def test_tiny_file_that_claims_to_be_huge(tmp_path):
    content = fake.encode(np.zeros((48, 48), np.uint8))
    start = content.index(b"IHDR")
    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + content[start + 12 : start + 17]
    checked = header + zlib.crc32(header).to_bytes(4, "big")
    huge = content[:start] + checked + content[start + len(checked) :]
    fake.write_files(tmp_path, {"train/sad/a.png": huge})
    assert_refused(tmp_path, "the image is too large")


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_truncated_archives(tmp_path, keep):
    files = fake.picture_files(GOOD)
    for path in (
        fake.write_zip(tmp_path / "a.zip", files),
        fake.write_tar(tmp_path / "a.tar.gz", files, "w:gz"),
        fake.write_tar(tmp_path / "a.tar.xz", files, "w:xz"),
    ):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * keep)])
        assert_refused(path, "damaged or incomplete")


def test_truncated_plain_tar(tmp_path):
    path = fake.write_tar(tmp_path / "a.tar", fake.picture_files(GOOD), "w")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 + 100])
    assert_refused(path, "damaged or incomplete")


def _damage_header(content, start):
    content[start] ^= 1


def _zero_header(content, start):
    content[start : start + 512] = bytes(512)


def _cut_at_header(content, start):
    del content[start:]


def _cut_in_header(content, start):
    del content[start + 100 :]


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("damage", [_damage_header, _zero_header, _cut_at_header, _cut_in_header])
def test_tar_is_read_whole_or_not_at_all(tmp_path, damage, compress):
    whole = fake.write_tar(tmp_path / "whole.tar", fake.picture_files(GOOD), "w").read_bytes()
    headers = [at for at in range(0, len(whole), 512) if whole[at + 257 : at + 262] == b"ustar"]
    content = bytearray(whole)
    damage(content, headers[len(headers) // 2])
    path = tmp_path / "damaged.tar"
    path.write_bytes(compress(bytes(content)))
    with pytest.raises(fk.DatasetFormatError, match="damaged or incomplete"):
        fk.load_fer2013(path)


class BadDisk(io.BytesIO):
    """A file whose bytes from some place on cannot be had."""

    first_bad = 0

    def read(self, size=-1):
        if size < 0 or self.tell() + size > self.first_bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_errors_of_a_disk_are_no_damage(tmp_path, monkeypatch, kind, share):
    """Neither in the list of files, nor in a file, nor in the end."""
    path, files = tmp_path / f"a.{kind}", fake.picture_files(GOOD)
    if kind == "zip":
        fake.write_zip(path, files)
    else:
        fake.write_tar(path, files, "w" if kind == "tar" else "w:gz")
    content = path.read_bytes()

    def bad(*_):
        disk = BadDisk(content)
        disk.first_bad = int(share * len(content))
        return gzip.open(disk) if kind == "tar.gz" else disk

    opens = (Path, "open") if kind == "zip" else ("fer2013kit.datasets._trees._unpacked",)
    monkeypatch.setattr(*opens, bad)
    with pytest.raises(fk.DatasetFormatError, match=r"cannot be read .*Input/output") as caught:
        fk.load_fer2013(path, cache=False)
    assert "damaged" not in str(caught.value)


def test_checksum_of_a_compressed_tar_is_read(tmp_path):
    path = fake.write_tar(tmp_path / "a.tar.gz", fake.picture_files(GOOD), "w:gz")
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(fk.DatasetFormatError, match="CRC"):
        fk.load_fer2013(path)


def test_truncated_tar_with_csv(tmp_path):
    csv = fake.write_csv(tmp_path / "x.csv", GOOD).read_bytes()
    path = fake.write_tar(tmp_path / "fer2013.tar.gz", {"fer2013/fer2013.csv": csv})
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert_refused(path, "damaged or incomplete")


def test_damaged_zip_member(tmp_path):
    path = fake.write_zip(tmp_path / "a.zip", fake.picture_files(GOOD), zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 100] ^= 255
    path.write_bytes(content)
    assert_refused(path, "damaged or incomplete")


def test_encrypted_zip(tmp_path):
    path = fake.write_zip(tmp_path / "a.zip", fake.picture_files(GOOD))
    content = bytearray(path.read_bytes())
    flags = -1
    while (flags := content.find(b"PK\x01\x02", flags + 1)) >= 0:
        content[flags + 8] |= 1
    path.write_bytes(content)
    assert_refused(path, "encrypted.*pack it without a password")


def test_archive_within_an_archive(tmp_path):
    csv = fake.write_csv(tmp_path / "x.csv", GOOD).read_bytes()
    inner = fake.write_zip(tmp_path / "inner.zip", {"fer2013.csv": csv}).read_bytes()
    outer = fake.write_zip(tmp_path / "outer.zip", {"inner.zip": inner})
    assert_refused(outer, "within an archive must be taken out")


def test_several_archives(tmp_path):
    csv = fake.write_csv(tmp_path / "x.csv", GOOD).read_bytes()
    (tmp_path / "x.csv").unlink()
    for name in ("a.zip", "b.zip"):
        fake.write_zip(tmp_path / name, {"fer2013.csv": csv})
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"no tar"))
    assert_refused(tmp_path, "a.zip, b.zip may each be a data set .*pass the path of one")
    (tmp_path / "b.zip").unlink()
    assert len(fk.load_fer2013(tmp_path).train) == len(GOOD)


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    path = fake.write_parquet(tmp_path / "train.parquet", GOOD, metadata=False)
    assert_refused(path, "unknown label '0' in row 0; expected one of angry")
    names = ("contempt", *fake.CLASSES[1:], "angry")
    path = fake.write_parquet(tmp_path / "train.parquet", GOOD, names)
    assert len(fk.load_fer2013(path).train) == len(GOOD)  # a class that no image has
    rows = [*GOOD, fake.Row(0, 0, GOOD[0].image)]
    path = fake.write_parquet(tmp_path / "train.parquet", rows, ("joy", *fake.CLASSES), code=0)
    assert_refused(path, "unknown label 'joy' in row 0; the schema names joy, angry")
    path = fake.write_parquet(tmp_path / "train.parquet", [])
    assert_refused(path, "expected rows, received none", at=tmp_path)
    path.write_bytes(fake.write_parquet(path, GOOD).read_bytes()[:5000])
    assert_refused(path, "damaged or incomplete")


def test_npz(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, pictures=np.zeros(2, np.uint8))
    assert_refused(path, "expected arrays X and y, or images and labels, .*; received a/pictures")
    data = fk.FER2013(fk.Split(np.zeros((2, 48, 48), np.uint8), [0, 1]))
    data.save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez_compressed(path, **arrays)
    assert len(fk.load_fer2013(path).train) == 2
    np.savez(path, **(arrays | {"train.labels": np.array([0, 8])}))
    assert_refused(path, "damaged .labels must be class codes 0 to 7")
    np.savez(path, **(arrays | {"train.labels": np.array([{}, {}], object)}))
    assert_refused(path, "damaged .expected an array of numbers or words")
    np.savez(path, **(arrays | {"about": np.array("{")}))
    assert_refused(path, "damaged")
    newer = str(arrays["about"]).replace('"version": 1', '"version": 2')
    np.savez(path, **(arrays | {"about": np.array(newer)}))
    assert_refused(path, "expected version 1 of the format, received 2")
    data.save(path)
    path.write_bytes(path.read_bytes()[:3000])
    assert_refused(path, "damaged")


def test_saving_what_cannot_be_saved(tmp_path):
    data = fk.FER2013(fk.Split(np.zeros((2, 48, 48), np.uint8), [0, 1]))
    with pytest.raises(fk.InvalidInputError, match=r"must end in \.npz"):
        data.save(tmp_path / "faces.csv")
    with pytest.raises(FileNotFoundError):
        data.save(tmp_path / "nowhere" / "faces.npz")
    assert list(tmp_path.iterdir()) == []


def test_colour_jpeg_that_is_cut(tmp_path):
    colour = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8))
    colour.save(tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()[:1200]
    fake.write_files(tmp_path / "faces", {"train/sad/a.jpg": content})
    assert_refused(tmp_path / "faces", "not a readable image")


def write_tar_with(path, **facts):
    """A tar of one image, the facts of whose member are as given."""
    content = fake.encode(GOOD[0].image)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("train/sad/a.png")
        member.size = len(content)
        for name, value in facts.items():
            setattr(member, name, value)
        archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"type": tarfile.GNUTYPE_SPARSE}, "received sparse ones; pack it without --sparse"),
        ({"pax_headers": {"size": "inf"}}, "the archive is damaged"),
        ({"pax_headers": {"size": "9" * 30}}, "the archive is damaged"),
    ],
)
def test_tars_whose_headers_lie(tmp_path, facts, message):
    assert_refused(write_tar_with(tmp_path / "a.tar", **facts), message)


def test_rows_without_content_are_not_read_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr("fer2013kit.datasets._csv._MAX_EMPTY_ROWS", 50)
    path = tmp_path / "a.csv"
    path.write_text("emotion,pixels\n" + "\r\n" * 1000 + ",\n" * 51)
    assert_refused(path, "more than 50 rows have no content", line_number=1052)
    path.write_text("pixels" + ",x" * 200 + "\n")
    assert_refused(path, "expected at most 100 columns beside the pixels", line_number=1)


def test_an_array_that_lies_about_its_shape(tmp_path):
    path = tmp_path / "a.npz"
    header = (
        b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (9" + b" " * 60
    )
    fake.write_zip(path, {"X.npy": header, "y.npy": header})
    assert_refused(path, "the file is damaged")


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"label": {"_type": "ClassLabel", "names": 3.0}}, "is damaged or incomplete"),
        ("text", "unknown label '0' in row 0"),
    ],
)
def test_a_schema_that_lies_about_its_classes(tmp_path, features, message):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    about = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table({"image": [b"x"], "label": [0]}).replace_schema_metadata(about)
    parquet.write_table(table, tmp_path / "a.parquet")
    assert_refused(tmp_path / "a.parquet", message)


def zip_bomb(path):
    fake.write_zip(path, {"fer2013.csv": b"emotion,pixels,Usage\n" + b"\n" * 2**27})


def gzip_bomb(path):
    path.write_bytes(gzip.compress(b"emotion,pixels,Usage\n" + b"\n" * 2**27, 1))


def tar_bomb(path):
    fake.write_tar(path, {"rubbish.bin": bytes(2**27)})


def array_bomb(path):
    np.savez_compressed(path, X_train=np.zeros((2**14, 48, 48, 4), np.uint8))


def pax_bomb(path):
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a.png")
        member.pax_headers = {f"key{number}": "x" for number in range(200)}
        archive.addfile(member)


def parquet_bomb(path):
    """A list of numbers whose repetition is all that is stored."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({"pixels": [[0] * 2**24], "emotion": [0]}), path)


def lying_parquet_bomb(path):
    """A page that unpacks to more than the file's footer says of its column."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.table({"pixels": [bytes(2**27)], "emotion": [0]})
    parquet.write_table(table, path, use_dictionary=False, compression="zstd")
    declared = parquet.read_metadata(path).row_group(0).column(0).total_uncompressed_size
    content, wrong = path.read_bytes(), in_thrift(declared)
    footer = len(content) - int.from_bytes(content[-8:-4], "little") - 8
    assert content.count(wrong, footer) == 1  # old writers leave a copy outside, which none reads
    path.write_bytes(content[:footer] + content[footer:].replace(wrong, in_thrift(1000)))
    assert parquet.read_metadata(path).row_group(0).column(0).total_uncompressed_size == 1000


def in_thrift(number):
    """Return five bytes that Thrift's compact protocol takes for a number."""
    return bytes([*(2 * number >> shift & 0x7F | 0x80 for shift in (0, 7, 14, 21)), number >> 27])


def lying_array(path):
    """An array that says it is a terabyte."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "|u1", "fortran_order": False, "shape": (2**40,)}
    )
    fake.write_zip(path, {"X_train.npy": stream.getvalue()})


@pytest.mark.parametrize(
    ("ending", "make", "message"),
    [
        (".zip", zip_bomb, "unpack to"),
        (".csv.gz", gzip_bomb, "unpack to"),
        (".tar.gz", tar_bomb, "unpack to"),
        (".npz", array_bomb, "unpack to"),
        (".parquet", parquet_bomb, "unpack to"),
        (".parquet", lying_parquet_bomb, "unpack to"),
        (".npz", lying_array, "received 0"),
        (".tar", pax_bomb, "pax headers"),
    ],
)
def test_what_unpacks_to_too_much_is_refused(tmp_path, ending, make, message):
    path = tmp_path / f"data{ending}"
    make(path)
    assert_refused(path, message)


def test_other_methods_in_a_zip_are_refused(tmp_path):
    """Their readers unpack a block at once, and a few bytes may hold gigabytes."""
    path = tmp_path / "data.zip"
    fake.write_zip(path, fake.picture_files(GOOD), zipfile.ZIP_BZIP2)
    assert_refused(path, "another method than deflate")


def test_rows_that_share_a_large_value_are_read_few_at_a_time(tmp_path):
    """A page of 50 MB that a hundred rows refer to would be 5 GB in memory, from two kilobytes."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    from fer2013kit.datasets._parquet_pages import check_pages

    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 100, pa.int32()), [bytes(50_000_000)])
    path = tmp_path / "a.parquet"
    options = {"dictionary_pagesize_limit": 10**8, "store_schema": False, "compression": "zstd"}
    parquet.write_table(pa.table({"image": shared}), path, **options)
    size = path.stat().st_size
    assert size < 10_000
    with path.open("rb") as stream:
        assert check_pages(stream, size) == 2


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
def test_pages_are_those_that_the_footer_counts(tmp_path, version, compression):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    from fer2013kit.datasets._parquet_pages import _columns, _pages

    path = fake.write_parquet(tmp_path / "a.parquet", GOOD * 40)
    table = parquet.read_table(path).append_column("text", pa.array(["no"] * 40 * len(GOOD)))
    options = {"data_page_version": version, "compression": compression, "row_group_size": 17}
    parquet.write_table(table, path, data_page_size=1, write_page_checksum=True, **options)
    metadata = parquet.read_metadata(path)
    groups = range(metadata.num_row_groups)
    numbers = range(metadata.num_columns)
    told = [metadata.row_group(group).column(number) for group in groups for number in numbers]
    with path.open("rb") as stream:
        found = _columns(stream, path.stat().st_size)
        for column, (start, end, count) in zip(told, found, strict=True):
            assert end - start == column.total_compressed_size
            assert count == column.num_values
            unpacked, values = zip(*_pages(stream, start, end), strict=True)
            assert sum(values) == column.num_values
            headers = column.total_uncompressed_size - sum(unpacked)
            assert 0 < headers < 2**13 * len(unpacked)


def thrift_fields(*fields):
    """Return a struct of whole numbers in Thrift's compact protocol, each with its number."""
    out = bytearray()
    for number, kind, value in fields:
        out += bytes([kind, *varint(2 * number), *varint(2 * value)])
    return bytes([*out, 0])


def varint(number):
    """Return a number in seven bits a byte."""
    while number > 127:
        yield number & 127 | 128
        number >>= 7
    yield number


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([(1, 5, 0), (2, 5, 9), (3, 5, 7)], None),
        ([(1, 5, 0), (2, 5, 9), (2, 6, 1), (3, 5, 7)], "twice"),  # for Arrow, two fields
        ([(1, 5, 0), (2, 6, 9), (3, 5, 7)], "damaged"),
        ([(1, 5, 0), (2, 5, 9), (3, 5, 2**32 + 7)], "too large"),  # for Arrow, 7
        ([(1, 5, 0), (2, 5, 9), (2**16 + 2, 5, 1), (3, 5, 7)], "too large"),  # for Arrow, 2
    ],
)
def test_a_page_says_to_arrow_what_it_says_to_the_check(fields, message):
    from fer2013kit.datasets._parquet_pages import _pages

    header = thrift_fields(*fields)
    pages = _pages(io.BytesIO(header + bytes(7)), 0, len(header) + 7)
    if message is None:
        assert list(pages) == [(9, 0)]
    else:
        with pytest.raises(ValueError, match=message):
            list(pages)


def test_a_column_with_wrong_histograms_does_not_end_the_process(tmp_path):
    """It did: what Arrow throws when it is asked about such a column, pyarrow does not catch."""
    path = fake.write_parquet(tmp_path / "train.parquet", GOOD)
    content, histogram = path.read_bytes(), b"\x19\x06\x19\x36\x00\x00"  # of three levels
    if histogram not in content:
        pytest.skip("this pyarrow writes no histograms")
    assert content.count(histogram) == 1
    path.write_bytes(content.replace(histogram, b"\x19\x06\x19\x26\x00\x80"))
    assert_refused(path, "histogram")


def test_more_rows_than_a_parquet_file_has_room_for_are_refused(tmp_path):
    path = fake.write_parquet(tmp_path / "train.parquet", GOOD[:1] * 2_000)
    assert_refused(path, "2,000 rows in")


def test_arrays_of_hdf5_stand_in_the_file_itself(tmp_path):
    """Others would be read from wherever the file says."""
    h5py = pytest.importorskip("h5py")
    (tmp_path / "raw").write_bytes(bytes(2304))
    with h5py.File(tmp_path / "external.h5", "w") as file:
        outside = [(str(tmp_path / "raw"), 0, 2304)]
        file.create_dataset("X", (1, 48, 48), np.uint8, external=outside)
        file["y"] = [0]
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((1, 48, 48), np.uint8)
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "X", (1, 48, 48))
        file.create_virtual_dataset("X", layout)
        file["y"] = [0]
    for name in ("external.h5", "virtual.h5"):
        assert_refused(tmp_path / name, "expected the array 'X' in the file itself")


def test_archives_are_told_from_other_files(tmp_path):
    files = fake.picture_files(GOOD)
    fake.write_zip(tmp_path / "a.bin", files)
    assert is_archive(tmp_path / "a.bin")
    for mode in ("w", "w:gz", "w:xz"):
        with tarfile.open(tmp_path / "b.bin", mode) as archive:
            archive.add(tmp_path / "a.bin", "a")
        assert is_archive(tmp_path / "b.bin")
    (tmp_path / "c.bin").write_text("emotion,pixels\n", encoding="utf-8")
    assert not is_archive(tmp_path / "c.bin")


def test_a_list_whose_images_are_missing_is_named(tmp_path):
    words = "filename, angry, happy\nb.png, 1, 0\n"
    files = {"train/a.png": next(iter(fake.picture_files(GOOD).values()))}
    fake.write_zip(tmp_path / "a.zip", {**files, "train/_classes.csv": words.encode()})
    with pytest.raises(
        fk.DatasetFormatError, match=r"images that it names is there \(b.png\)"
    ) as e:
        fk.load_fer2013(tmp_path / "a.zip", cache=False)
    assert str(e.value.path).endswith("train/_classes.csv")


def test_pixels_in_columns_of_another_size_are_resized_or_named(tmp_path):
    header = "emotion," + ",".join(f"pixel{place}" for place in range(256))
    face = np.arange(256, dtype=np.uint8).reshape(16, 16)
    rows = [",".join(map(str, [3, *levels])) for levels in (face.ravel(), face.T.ravel())]
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    data = fk.load_fer2013(path, cache=False, resize=True)
    expected = fk.resize(np.stack([face, face.T]))
    np.testing.assert_array_equal(data.train.images[..., 0], expected)
    path.write_text("\n".join([header, rows[0], rows[1][:-3] + "256"]), encoding="utf-8")
    with pytest.raises(fk.DatasetFormatError, match="pixel 256 is '256'; expected") as caught:
        fk.load_fer2013(path, cache=False, resize=True)
    assert caught.value.line_number == 3


@pytest.mark.parametrize(
    "columns", [("emotion", "pixels_x", "pixels_y"), ("pixel", "emotion", "pixels")]
)
def test_two_columns_of_pixels_are_refused(tmp_path, columns):
    pixels = " ".join(["7"] * 2304)
    fields = ["3" if name == "emotion" else pixels for name in columns]
    path = tmp_path / "merged.csv"
    path.write_text("\n".join([",".join(columns), ",".join(fields), ""]), encoding="utf-8")
    first, second = (name for name in columns if name != "emotion")
    with pytest.raises(
        fk.DatasetFormatError, match=f"received '{first}', '{second}'; remove all but one"
    ):
        fk.load_fer2013(path, cache=False)


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_comma_within_quotes_beside_pixels_in_columns(tmp_path, quote):
    header = "name,emotion," + ",".join(f"pixel{place}" for place in range(2304))
    levels = np.random.default_rng(0).integers(0, 256, 2304)
    row = ",".join(['"Doe, Jane"', "3", *(f"{quote}{level}{quote}" for level in levels)])
    path = tmp_path / "wide.csv"
    path.write_text(f"{header}\n{row}\n{row}\n", encoding="utf-8")
    data = fk.load_fer2013(path, cache=False)
    np.testing.assert_array_equal(data.train.images.reshape(2, -1), [levels, levels])
    assert data.train.labels.tolist() == [3, 3]
