"""to_face, and the conversion of Pillow images that it shares with the readers."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

import fer2013kit as fk
from fer2013kit._pictures import picture_to_gray, resize_gray


@pytest.fixture
def gray():
    return np.random.default_rng(0).integers(0, 256, (60, 80), np.uint8)


def reopened(picture, file_format, **options):
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return Image.open(file)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I", "F"])
def test_gray_in_any_mode_is_the_same_gray(gray, mode):
    picture = Image.fromarray(gray).convert(mode)
    assert picture.mode == mode
    np.testing.assert_array_equal(picture_to_gray(picture), gray)


@pytest.mark.parametrize(("mode", "through"), [("La", "LA"), ("RGBa", "RGBA"), ("PA", "P")])
def test_gray_in_the_rare_modes_is_the_same_gray(gray, mode, through):
    picture = Image.fromarray(gray).convert(through).convert(mode)
    assert picture.mode == mode
    np.testing.assert_array_equal(picture_to_gray(picture), gray)


def test_mode_lab_is_refused(gray):
    band = Image.fromarray(gray)
    with pytest.raises(fk.InvalidInputError, match="mode 'LAB'"):
        fk.to_face(Image.merge("LAB", [band] * 3))


def test_black_and_white(gray):
    result = picture_to_gray(Image.fromarray(gray > 100))
    np.testing.assert_array_equal(result, (gray > 100) * 255)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_sixteen_bits_are_scaled(gray, dtype):
    np.testing.assert_array_equal(
        picture_to_gray(Image.fromarray((gray * np.uint16(257)).astype(dtype))), gray
    )


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_in_files_are_scaled(gray, file_format):
    picture = reopened(Image.fromarray(gray * np.uint16(257)), file_format)
    np.testing.assert_array_equal(picture_to_gray(picture), gray)


def test_dark_pictures_of_sixteen_bits_stay_dark():
    """The format says that there are 16 bits, whatever the values are."""
    dark = np.full((60, 80), 255, np.uint16)
    for file_format in ("PNG", "TIFF", "PPM"):
        assert picture_to_gray(reopened(Image.fromarray(dark), file_format)).max() == 1


def test_floats_of_pillow_are_levels(gray):
    picture = Image.fromarray(gray.astype(np.float32))
    np.testing.assert_array_equal(picture_to_gray(picture), gray)
    with pytest.raises(fk.InvalidInputError, match=r"has none above 1; pass the array"):
        fk.to_face(Image.fromarray((gray / 255).astype(np.float32)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_type_says_what_white_is_and_never_the_values(dtype):
    """An image of 0.9 is nearly white, and one of 1.1 is no image: nothing is guessed."""
    assert (fk.to_face(np.full((60, 60), 0.9, dtype)) == 230).all()
    assert (fk.to_face(np.ones((60, 60, 3), dtype)) == 255).all()
    for values in (1.1, 9.0, 255.0, -0.1):
        with pytest.raises(fk.InvalidInputError, match=r"in \[0, 1\].*astype\('uint8'\)"):
            fk.to_face(np.full((60, 60), values, dtype))


def test_value_range_says_what_white_is(gray):
    expected = fk.to_face(gray)
    for low, high in ((0, 255), (-1, 1), (1, 0)):
        floats = low + gray / 255 * (high - low)
        np.testing.assert_array_equal(fk.to_face(floats, value_range=(low, high)), expected)
    assert (fk.to_face(np.full((9, 9), 0.5), value_range=(0, 255)) <= 1).all()
    for value_range in ((0, 0), (0, np.nan), 1, (0, 1, 2)):
        with pytest.raises(fk.InvalidInputError, match="value_range must be two different"):
            fk.to_face(np.zeros((9, 9)), value_range=value_range)


def test_big_endian_arrays_are_read_alike(gray):
    expected = fk.to_face(gray)
    for dtype in (">u2", ">f4", ">i4"):
        scale = {"u": np.uint16(257), "f": 1 / 255, "i": 1}[dtype[1]]
        np.testing.assert_array_equal(fk.to_face((gray * scale).astype(dtype)), expected)


def test_a_column_of_pixel_texts_becomes_faces():
    faces = np.random.default_rng(3).integers(0, 256, (2, 48, 48, 1), np.uint8)
    column = [" ".join(map(str, face.ravel())) for face in faces]
    np.testing.assert_array_equal(np.stack([fk.to_face(text) for text in column]), faces)
    levels = faces[0].ravel().tolist()
    written = [str(levels), str(faces[0].tolist()), str(tuple(levels)), f" {column[0]}\n"]
    written += [sign.join(map(str, levels)) for sign in (",", ", ", ";", "\t", "  ", ".0 ", ".00;")]
    for text in written:
        np.testing.assert_array_equal(fk.to_face(text), faces[0])
    assert fk.to_face("7 " * 64**2).shape == (48, 48, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *((text, "holds no grey levels") for text in ("", "1 2 3 -4", "1.5 2 3 4", "1 2 3 4e1")),
        *((text, "holds no grey levels") for text in ("1 2 3 \u00b2", "1 2 3 \u0664")),  # 2, 4
        ("[[1 2 ... 3 4]]", "holds no grey levels"),  # as NumPy shortens it
        ("[1. 2.... 3. 4.]", "holds no grey levels"),
        ("1 2 3", "those of a square, .*received 3:"),
        ("0 " * 2303, "those of a square, .*received 2303:"),
        ("1 " * 9999, "those of a square, .*received 9999:"),
        ("1 2 3 256", r"must be in \[0, 255\]; received 1 to 256"),
    ],
)
def test_other_texts_are_refused_briefly(text, message):
    with pytest.raises(fk.InvalidInputError, match=message) as caught:
        fk.to_face(text)
    assert len(str(caught.value)) < 450


def test_a_column_at_once_is_answered_with_the_way():
    with pytest.raises(fk.InvalidInputError, match=r"to_face\(text\) for text in column"):
        fk.to_face(["1 2 3 4", "5 6 7 8"])


@pytest.mark.parametrize("value", [np.nan, -0.5, 256, np.inf])
def test_other_floats_are_refused(gray, value):
    floats = gray.astype(np.float32)
    floats[3, 4] = value
    with pytest.raises(fk.InvalidInputError):
        fk.to_face(Image.fromarray(floats))
    with pytest.raises(fk.InvalidInputError):
        fk.to_face(floats)


@pytest.mark.parametrize("value", [-1, 65536])
def test_other_integers_are_refused(gray, value):
    integers = gray.astype(np.int32)
    integers[3, 4] = value
    with pytest.raises(fk.InvalidInputError, match=r"\[0, 255\].*16-bit images as uint16"):
        fk.to_face(Image.fromarray(integers))


def test_what_is_transparent_is_white():
    transparent = (0, 0, 0, 0)
    picture = Image.new("RGBA", (64, 64), transparent)
    assert fk.to_face(picture).min() == 255
    keyed = reopened(Image.new("RGB", (64, 64), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    assert keyed.mode == "RGB"
    assert fk.to_face(keyed).min() == 255
    deep = Image.fromarray(np.full((64, 64), 1000, np.uint16))
    assert fk.to_face(reopened(deep, "PNG", transparency=1000)).min() == 255
    gif = reopened(Image.new("P", (64, 64), 5), "GIF", transparency=5)
    assert fk.to_face(gif).min() == 255


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_tags_are_obeyed(gray, orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    rotated = reopened(Image.fromarray(gray), "PNG", exif=tags)
    upright = {
        1: gray,
        2: gray[:, ::-1],
        3: gray[::-1, ::-1],
        4: gray[::-1],
        5: gray.T,
        6: np.rot90(gray, -1),
        7: gray[::-1, ::-1].T,
        8: np.rot90(gray),
    }[orientation]
    np.testing.assert_array_equal(picture_to_gray(rotated), upright)


@pytest.mark.parametrize("shape", [(100, 80), (80, 100), (31, 500), (48, 49), (1, 1), (20, 20)])
def test_aspect(shape):
    levels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    picture = Image.fromarray(levels)
    lanczos = Image.Resampling.LANCZOS
    expected = {
        "crop": ImageOps.fit(picture, (48, 48), lanczos),
        "pad": ImageOps.pad(picture, (48, 48), lanczos),
        "stretch": picture.resize((48, 48), lanczos),
    }
    for aspect, face in expected.items():
        result = fk.to_face(levels, aspect=aspect)
        assert (result.shape, result.dtype) == ((48, 48, 1), np.dtype(np.uint8))
        # The filter overshoots; a face never leaves the range of its image.
        shown = np.clip(face, *((0, 255) if aspect == "pad" else (levels.min(), levels.max())))
        np.testing.assert_array_equal(result[..., 0], shown)
    np.testing.assert_array_equal(fk.to_face(levels), fk.to_face(levels, aspect="crop"))


def test_other_sizes(gray):
    assert resize_gray(gray, size=(20, 30)).shape == (20, 30)


def test_a_face_stays_as_it_is():
    face = np.random.default_rng(2).integers(0, 256, (48, 48, 1), np.uint8)
    np.testing.assert_array_equal(fk.to_face(face), face)
    np.testing.assert_array_equal(fk.to_face(fk.grayscale_to_rgb(face)), face)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_arrays_and_pictures_give_the_same_face(gray, dtype, channels):
    color = np.repeat(gray[..., None], channels, axis=-1)
    if channels in {2, 4}:
        color[..., -1] = 255
    expected = fk.to_face(Image.fromarray(gray))
    converted = {
        np.uint8: color,
        np.uint16: color * np.uint16(257),
        np.int64: color.astype(np.int64),
        np.float64: color / 255,
    }[dtype]
    np.testing.assert_array_equal(fk.to_face(converted), expected)


def test_wide_pictures_are_no_flat_ones():
    assert fk.to_face(np.zeros((1728, 2304), np.uint8)).shape == (48, 48, 1)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("face.jpg", "open a file with PIL.Image.open"),
        (None, "open a file with PIL.Image.open"),
        (np.zeros((5, 48, 48), np.uint8), "one image"),
        (np.zeros((1, 48, 48, 1), np.uint8), "one image"),
        (np.zeros((0, 48), np.uint8), "with pixels"),
        (np.zeros(2304, np.uint8), "one image"),
    ],
)
def test_other_things_are_refused(image, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.to_face(image)


def test_unknown_aspect_is_refused(gray):
    with pytest.raises(fk.InvalidInputError, match="did you mean 'crop'"):
        fk.to_face(gray, aspect="croop")


def test_broken_file_is_refused(gray):
    file = io.BytesIO()
    Image.fromarray(gray).save(file, "PNG")
    with pytest.raises(fk.InvalidInputError, match="cut off or damaged"):
        fk.to_face(Image.open(io.BytesIO(file.getvalue()[:2000])))
