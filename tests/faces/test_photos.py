"""Photographs of every kind to pixels."""

import base64
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from fake_photos import CORNER, as_file, picture
from PIL import Image

import fer2013kit as fk
from fer2013kit.faces._photos import read_photo
from made_pictures import encoded, huge_png

COLLINS, _ = fk.sample_photos()


KINDS = {
    "path": lambda path: path,
    "string": str,
    "bytes": lambda path: path.read_bytes(),
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "memoryview": lambda path: memoryview(path.read_bytes()),
    "data URL": lambda path: (
        "data:image/jpeg;base64," + base64.b64encode(path.read_bytes()).decode()
    ),
    "data URL with line ends": lambda path: (
        "data:;base64," + base64.encodebytes(path.read_bytes()).decode()
    ),
    "file": lambda path: io.BytesIO(path.read_bytes()),
    "picture": Image.open,
    "array": lambda path: np.asarray(Image.open(path)),
    "floats": lambda path: np.asarray(Image.open(path)) / 255,
    "16 bits": lambda path: np.asarray(Image.open(path)).astype(np.uint16) * 257,
}


def test_all_kinds_of_photo_have_the_same_pixels():
    expected = np.asarray(Image.open(COLLINS).convert("RGB"))
    for name, kind in KINDS.items():
        np.testing.assert_array_equal(read_photo(kind(COLLINS)).rgb, expected, err_msg=name)


@pytest.mark.parametrize(
    "mode",
    [
        "1",
        "L",
        "LA",
        "La",
        "P",
        "PA",
        "RGB",
        "RGBA",
        "RGBX",
        "RGBa",
        "CMYK",
        "YCbCr",
        "HSV",
        "I;16",
        "I",
        "F",
    ],
)
def test_every_mode_is_read(mode, mean):
    assert (read_photo(picture(mode)).rgb == 255).all()
    (face,) = fk.analyze_photo(picture(mode), classifier=mean, boxes=[CORNER])
    assert face.emotion == "bright"


def test_transparency_shows_white():
    clear = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
    assert (read_photo(as_file(clear)).rgb == 255).all()


def test_arrays_of_every_layout(mean):
    for shape in [(60, 50), (60, 50, 1), (60, 50, 2), (60, 50, 3), (60, 50, 4)]:
        pixels = read_photo(np.full(shape, 255, np.uint8))
        assert pixels.rgb.shape == (60, 50, 3)
        assert (pixels.rgb == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_orientation_tags_are_obeyed(orientation, kind):
    from PIL import ImageOps

    stored = Image.new("RGB", (64, 32), "white")
    stored.paste("black", (0, 0, 32, 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = as_file(stored, kind, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue()))).convert("RGB")
    pixels = read_photo(file)
    np.testing.assert_array_equal(pixels.rgb, np.asarray(expected))
    assert (pixels.width, pixels.height) == expected.size


def test_boxes_are_those_of_the_upright_photograph():
    turned = Image.open(COLLINS).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored with its top to the left
    (face,) = fk.analyze_photo(as_file(turned, "PNG", exif=exif))
    (upright,) = fk.analyze_photo(COLLINS)
    assert face.box == upright.box


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_photographs_are_worked_on_smaller(kind, monkeypatch):
    file = as_file(Image.open(COLLINS).resize((3000, 3000)), kind)
    with monkeypatch.context() as patch:
        patch.setattr(
            "fer2013kit.faces._analysis.read_photo", lambda one: read_photo(one, max_side=700)
        )
        (face,) = fk.analyze_photo(file)
    file.seek(0)
    assert read_photo(file, max_side=700).rgb.shape == (700, 700, 3)
    (small,) = fk.analyze_photo(COLLINS)
    np.testing.assert_allclose(np.array(face.box) * 512 / 3000, small.box, atol=8)
    assert face.emotion == small.emotion


@pytest.mark.parametrize("side", [10_000, 20_000])
def test_too_many_pixels_are_refused_before_they_are_decoded(side):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(fk.MediaFileError, match=r"too large: .* at most 80,000,000"):
            fk.analyze_photo(huge_png(side, side))


BAD_FILES = {
    "text.jpg": b"this is no image",
    "empty.png": b"",
    "cut.jpg": COLLINS.read_bytes()[:20_000],
    "cut.png": as_file(Image.open(COLLINS)).getvalue()[:9_000],
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_named_in_the_error(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(BAD_FILES[name])
    with pytest.raises(fk.MediaFileError) as caught:
        fk.analyze_photo(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.path == path
    assert "BytesIO" not in str(caught.value)
    with pytest.raises(fk.MediaFileError) as caught:
        fk.analyze_photo(BAD_FILES[name])
    assert caught.value.path is None


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        ("data:image/png;base64,%%%", "base64 is damaged"),
        ("data:image/png," + "x" * 9999, "not in base64"),
        ("data:nothing", "not in base64"),
        ("data:image/png;base64," + base64.b64encode(b"text" * 999).decode(), "no known format"),
        (base64.b64encode(b"text" * 9999).decode(), "too long for a path.*b64decode"),
        ("x" * 3000 + ".jpg", "too long"),
        (Path("data:image/png;base64,AAAA"), "No such file|cannot find"),
        (b"x" * 9999, "no known format"),
        (bytearray(b"x" * 9999), "no known format"),
        (["a" * 9999], "received list"),
    ],
)
def test_no_error_repeats_what_it_was_given(photo, message):
    with pytest.raises(fk.Fer2013KitError, match=message) as caught:
        fk.analyze_photo(photo)
    assert len(str(caught.value)) < 500


def test_a_jpeg_that_lacks_only_its_end_marker_is_read(tmp_path):
    path = tmp_path / "tail.jpg"
    path.write_bytes(COLLINS.read_bytes()[:-2])
    with pytest.warns(fk.Fer2013KitWarning, match=r"tail\.jpg: the JPEG lacks its end marker"):
        (face,) = fk.analyze_photo(path)
    assert face.emotion == fk.analyze_photo(COLLINS)[0].emotion
    with pytest.warns(fk.Fer2013KitWarning, match="a photo: the JPEG lacks"):
        fk.analyze_photo(path.read_bytes())


def test_floats_are_fractions_whatever_their_values():
    nearly_white = read_photo(np.full((60, 60, 3), 0.9)).rgb
    assert (nearly_white == 230).all()
    for value in (1.1, 255.0):
        with pytest.raises(fk.InvalidInputError, match=r"in \[0, 1\].*astype\('uint8'\)"):
            read_photo(np.full((60, 60, 3), value))


def test_a_stream_is_read_from_its_beginning():
    file = io.BytesIO(encoded(Image.new("RGB", (64, 32))))
    file.seek(0, io.SEEK_END)
    assert read_photo(file).rgb.shape == (32, 64, 3)

    class Pipe:
        def read(self, _size):
            return file.getvalue()

    assert read_photo(Pipe()).rgb.shape == (32, 64, 3)


@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float64])
def test_a_crop_gives_the_pixels_of_to_face(mean, kind, channels):
    """The square of a box, cut by hand, is to `to_face` what it is to `analyze_photo`."""
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (240, 320, *channels), np.uint8)
    photo = {np.uint8: photo, np.uint16: photo * np.uint16(257), np.float64: photo / 255}[kind]
    for left, top, side in ((10, 20, 100), (0, 0, 48), (200, 100, 120), (31, 7, 33), (5, 5, 200)):
        fk.analyze_photo(photo, classifier=mean, boxes=[(left, top, side, side)], margin=0)
        crop = photo[top : top + side, left : left + side]
        np.testing.assert_array_equal(mean.seen[-1][0], fk.to_face(crop)[..., 0])


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(fk.MediaFileError, match="No such file"):
        fk.analyze_photo(tmp_path / "none.jpg")
    with pytest.raises(OSError, match="directory"):
        fk.analyze_photo(tmp_path)


class Upload:
    """As FastAPI has them."""

    async def seek(self, offset):
        raise AssertionError

    async def read(self, size=-1):
        raise AssertionError


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        (None, "photo must be a path, .*received NoneType"),
        ([[1, 2], [3]], "photo must be a path, .*received list"),
        (np.array([["a"]]), "photo must be a path, .*received ndarray"),
        ("text\0.jpg", "null byte"),
        (io.StringIO("text"), "photo must be a file opened for bytes"),
        (Upload(), r"received Upload, whose read\(\) is asynchronous: .*\.file"),
        (3.0, r"photo must have shape .*received \(\)"),
        ([], r"photo must have shape .*received \(0,\)"),
        (np.zeros((0, 5)), r"photo must have shape .*received \(0, 5\)"),
        (np.zeros((2, 48, 48)), r"photo must have shape .*received \(2, 48, 48\)"),
        (np.zeros((9, 9, 5)), r"photo must have shape .*received \(9, 9, 5\)"),
        (np.full((9, 9), -1), r"must be in \[0, 255\]; received -1 to -1"),
        (np.full((9, 9), 256), r"must be in \[0, 255\]; received 256 to 256"),
        (np.full((9, 9), np.nan), "must be finite"),
    ],
)
def test_what_is_no_photo_is_refused(photo, message, mean):
    with pytest.raises(fk.Fer2013KitError, match=message):
        fk.analyze_photo(photo, classifier=mean)


def test_an_error_that_is_returned_does_not_keep_the_file():
    (error,) = fk.analyze_photos([b"\x89PNG of nothing"], return_errors=True)
    assert error.__cause__ is not None
    while error is not None:  # a traceback holds its frames, and those what they read
        assert error.__traceback__ is None
        error = error.__cause__ or error.__context__
