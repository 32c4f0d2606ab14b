"""Which image files are read, and what becomes of the others."""

import base64
import contextlib
import io
import sys
import warnings

import numpy as np
import pytest
from PIL import Image, ImageFile

import fer2013kit as fk
from fer2013kit import _picture_files as files
from fer2013kit._pictures import picture_to_gray
from made_pictures import POSTSCRIPT, encoded, endless_jpeg, huge_png

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8))


def gray_of(content, **limits):
    return files.read_picture(content, picture_to_gray, **limits)


@pytest.fixture
def without_heif(monkeypatch):
    """As if pillow-heif were not installed."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    files._openers.cache_clear()
    files.picture_endings.cache_clear()
    yield
    files._openers.cache_clear()
    files.picture_endings.cache_clear()


@pytest.fixture(scope="module")
def heic():
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(NOISE.resize((640, 480))).save(file, quality=90)
    return file.getvalue()


# --- formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP"]
)
def test_formats_that_are_read(kind):
    Image.init()
    if kind != "MPO" and kind not in Image.OPEN:
        pytest.skip(f"this Pillow was built without {kind}")
    content = encoded(NOISE, kind)
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    gray, lacks_end = gray_of(content)
    np.testing.assert_array_equal(gray, expected)
    assert not lacks_end


@pytest.mark.parametrize("kind", ["EPS", "PDF", "TGA", "PCX", "ICO", "DIB", "SGI"])
def test_formats_that_are_not(kind):
    """Each is one that Pillow would open, and more of them with every release."""
    with pytest.raises(files.PictureError, match=r"of no known format.*JPEG"):
        gray_of(encoded(NOISE, kind))


@pytest.mark.parametrize(
    ("content", "way_out"),
    [
        (base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(99)), "it is base64: base64.b64decode"),
        (base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(99)), "it is base64: base64.b64decode"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(99), "it may be a video, which analyze_video reads"),
    ],
)
def test_what_is_no_image_file_is_answered_with_the_way(content, way_out):
    with pytest.raises(files.PictureError, match=f"of no known format.*; {way_out}"):
        files.open_picture(content)


def test_postscript_is_never_handed_to_ghostscript(tmp_path, monkeypatch):
    def never(*_args, **_options):
        raise AssertionError("a program was started")

    monkeypatch.setattr("subprocess.Popen", never)
    (tmp_path / "happy").mkdir()
    path = tmp_path / "happy" / "a.jpg"
    path.write_bytes(POSTSCRIPT)
    with pytest.raises(fk.MediaFileError, match="of no known format"):
        fk.analyze_photo(path)
    with pytest.raises(fk.DatasetFormatError, match="of no known format"):
        fk.load_image_folder(tmp_path)
    with Image.open(path) as opened:  # by somebody who does not know what it is
        for call in (fk.analyze_photo, fk.to_face, lambda photo: fk.annotate(photo, [])):
            with pytest.raises(fk.Fer2013KitError, match="EPS is not read, since another program"):
                call(opened)


@pytest.mark.parametrize("name", ["a.jpg", "b.JPEG", "c.jfif", "d.Jpe", "e.mpo", "f.png", "g.tiff"])
def test_endings(name):
    assert files.is_picture_name(name)


@pytest.mark.parametrize(
    "name", ["a.eps", "b.pdf", "c.txt", "jpg", ".jpg", "a/.jpg", "d.jpg/e", "d.jpg.part", "e.mp4"]
)
def test_other_endings(name):
    assert not files.is_picture_name(name)


# --- HEIC -----------------------------------------------------------------------------------------


def test_heic_is_read_where_its_library_is(heic, tmp_path, monkeypatch):
    assert files.is_picture_name("IMG_0001.HEIC")
    gray, _ = gray_of(heic)
    assert gray.shape == (480, 640)
    expected = np.asarray(NOISE.resize((640, 480)).convert("L"))
    assert np.abs(gray.astype(int) - expected).mean() < 12  # it is lossy
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "a.HEIC").write_bytes(heic)
    assert len(fk.load_image_folder(tmp_path)) == 1
    assert len(fk.find_photos(tmp_path)) == 1
    assert fk.analyze_photo(heic, boxes=[(0, 0, 99, 99)])[0].score > 0


def test_heic_is_named_with_its_remedy_where_it_is_not(without_heif, tmp_path):
    content = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 99
    (tmp_path / "a.heic").write_bytes(content)
    with pytest.raises(fk.MediaFileError, match=r"HEIC needs pillow_heif.*heif\]"):
        fk.analyze_photo(tmp_path / "a.heic")
    with pytest.raises(fk.MediaFileError, match=r"no image in this folder.*a\.heic.*heif\]"):
        fk.find_photos(tmp_path)
    (tmp_path / "b.png").write_bytes(encoded(NOISE))
    with pytest.warns(fk.Fer2013KitWarning, match=r"1 file .*1 \.heic.*a\.heic.*HEIC needs"):
        assert fk.find_photos(tmp_path) == [tmp_path / "b.png"]


# --- what was passed over -------------------------------------------------------------------------


def test_many_names_are_counted_and_some_are_named():
    names = [f"{number}.txt" for number in range(40)] + ["a", "b.CSV"]
    message = files.passed_over(names)
    assert message.startswith("42 files")
    assert "40 .txt, 1 without ending, 1 .csv" in message
    assert message.endswith("'4.txt' and 37 more")


def test_names_never_fill_the_screen_nor_steer_it():
    message = files.passed_over(["x" * 5000 + ".txt", "\x1b[2Jclear.txt"])
    assert len(message) < 500
    assert "\x1b" not in message


# --- a JPEG without its end -----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_only_its_end_marker_is_read(mode, progressive):
    content = encoded(NOISE.convert(mode), "JPEG", progressive=progressive)
    expected, lacks_end = gray_of(content)
    assert not lacks_end
    for missing in (1, 2):
        gray, lacks_end = gray_of(content[:-missing])
        assert lacks_end
        np.testing.assert_array_equal(gray, expected)
    for missing in (8, 20, len(content) // 4, len(content) // 2):
        with pytest.raises(files.PictureError, match="cut off or damaged"):
            gray_of(content[:-missing])


def test_a_jpeg_whose_pixels_are_made_up_is_refused():
    """Pillow says nothing where a decoder goes on without what is lost."""
    for progressive in (False, True):
        content = encoded(NOISE, "JPEG", progressive=progressive)
        half = len(content) // 2
        closed = content[:half] + content[-2:]
        lost = content[:half] + bytes(1000) + content[half + 1000 :]
        for damaged in (closed, lost):
            with Image.open(io.BytesIO(damaged)) as picture:
                picture.load()
            with pytest.raises(files.PictureError, match="cut off or damaged"):
                gray_of(damaged)
    # As some cameras write it: bytes too many, before the end.
    padded = content[:-2] + bytes(5) + content[-2:]
    np.testing.assert_array_equal(gray_of(padded)[0], gray_of(content)[0])


def test_an_empty_file_is_said_to_be_empty():
    with pytest.raises(files.PictureError, match="the file is empty"):
        gray_of(b"")


def test_other_formats_that_are_cut_off_are_refused():
    for kind in ("PNG", "GIF", "WEBP", "BMP"):
        content = encoded(NOISE, kind)
        with pytest.raises(files.PictureError):
            gray_of(content[: len(content) // 2])


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_pillows_switch_for_cut_off_images_is_named_once(monkeypatch, kind):
    half = encoded(NOISE, kind)[:2000]
    with pytest.raises(files.PictureError, match="cut off"):
        gray_of(half)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    files._warn_of_made_up_pixels.cache_clear()
    with pytest.warns(fk.Fer2013KitWarning, match="LOAD_TRUNCATED_IMAGES is on"):
        gray_of(half)
    gray_of(half)


def test_sizes_are_checked_before_anything_is_decoded(monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow's own limit is no matter
        for side in (9_000, 20_000, 60_000):
            with pytest.raises(files.PictureTooLargeError, match=f"{side} x {side} pixels"):
                files.open_picture(huge_png(side, side))
        assert files.open_picture(huge_png(8_000, 9_000)).size == (8_000, 9_000)
        with pytest.raises(files.PictureTooLargeError, match="at most 100;"):
            files.open_picture(huge_png(8, 13), max_pixels=100)


def test_a_jpeg_may_have_more_pixels_where_it_is_decoded_smaller():
    content = encoded(Image.new("L", (40, 40)), "JPEG")
    with pytest.raises(files.PictureTooLargeError):
        files.open_picture(content, max_pixels=100)
    assert files.open_picture(content, max_pixels=100, max_jpeg_pixels=1600)


def test_a_jpeg_that_goes_too_often_through_its_pixels_is_refused():
    content = endless_jpeg(1500, 400)
    assert len(content) < 100_000
    with pytest.raises(files.PictureTooLargeError, match="times through 1500 x 1500 pixels"):
        gray_of(content)
    with pytest.raises(fk.MediaFileError, match="save it again"):
        fk.analyze_photo(content)
    gray_of(endless_jpeg(60, 3))  # few are as good as any
    gray_of(encoded(NOISE.resize((2000, 1500)), "JPEG", progressive=True))


def test_too_many_bytes(monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 1000)
    with pytest.raises(files.PictureTooLargeError, match="more than 1,000 bytes"):
        gray_of(encoded(NOISE))


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP"]
)
def test_damage_raises_nothing_outside_the_family(kind):
    Image.init()
    if kind not in Image.OPEN:
        pytest.skip(f"this Pillow was built without {kind}")
    whole = encoded(NOISE, kind)
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd tags
        for _ in range(150):
            content = bytearray(whole[: rng.integers(1, len(whole) + 1)])
            for place in rng.integers(0, len(content), rng.integers(1, 20)):
                content[place] = rng.integers(256)
            with contextlib.suppress(fk.Fer2013KitError):
                gray_of(bytes(content), max_pixels=10**6)


@pytest.mark.parametrize("error", [RuntimeError, SyntaxError, ValueError, OSError, RecursionError])
def test_whatever_a_decoder_raises_becomes_one_error(error):
    def broken(_picture):
        raise error("bad\n  luck")

    with pytest.raises(files.PictureError, match=r"cut off or damaged \(bad luck\)"):
        files.read_picture(encoded(NOISE), broken)
