"""Other sets of faces."""

import numpy as np
import pytest
from fake_sources import encode, write_files
from PIL import Image

import fer2013kit as fk
from made_pictures import huge_png


@pytest.fixture
def folder(tmp_path):
    for name in ("Anger", "happiness", "SAD"):
        for number in range(2):
            path = tmp_path / name / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.new("L", (64, 64), 10 * number + len(name)).save(path)
    write_files(tmp_path, {".DS_Store": b"x", "SAD/Thumbs.db": b"x", "SAD/._0.png": b"x"})
    return tmp_path


def test_names_are_understood_and_rows_ordered(folder):
    faces = fk.load_image_folder(folder)
    assert faces.labels.tolist() == [0, 0, 3, 3, 4, 4]
    assert faces.images[:, 0, 0, 0].tolist() == [5, 15, 9, 19, 3, 13]


def test_label_map(folder, caplog):
    write_files(folder, {"contempt/a.jpg": b"never read"})
    faces = fk.load_image_folder(folder, label_map={"SAD": 6, "Anger": "fear", "contempt": None})
    assert faces.labels.tolist() == [2, 2, 3, 3, 6, 6]
    assert "left out 1 row of 'contempt', as label_map says" in caplog.text


@pytest.mark.parametrize("kind", [int, np.int64, str])
def test_folders_with_numbers_for_names(folder, kind):
    for number, name in enumerate(["Anger", "happiness", "SAD"]):
        (folder / name).rename(folder / str(number))
    mapped = {kind(0): "angry", kind(1): 3, kind(2): np.int64(4)}
    assert fk.load_image_folder(folder, label_map=mapped).labels.tolist() == [0, 0, 3, 3, 4, 4]
    for _ in range(2):  # the second time from the cache
        with pytest.warns(fk.Fer2013KitWarning, match="label_map names 7, which no label is"):
            fk.load_image_folder(folder, label_map={**mapped, kind(7): None})
    with pytest.raises(fk.DatasetFormatError, match="the folder '0' is no class folder"):
        fk.load_image_folder(folder)


@pytest.mark.parametrize(
    ("label_map", "message"),
    [
        ({3: "happy", "3": "sad"}, "label_map has '3' twice"),
        ({"joy": "happy", " Joy": "sad"}, "label_map has ' Joy' twice"),
        ({"joy": 3.7}, "received 3.7 for 'joy'"),
        ({"joy": True}, "received True for 'joy'"),
        ({"joy": "x" * 9999}, "received 'xxx"),
    ],
)
def test_label_map_that_is_none(folder, label_map, message):
    with pytest.raises(fk.InvalidInputError, match=message) as caught:
        fk.load_image_folder(folder, label_map=label_map)
    assert len(str(caught.value)) < 500


def test_what_is_passed_over_is_counted_and_named_at_every_load(folder, monkeypatch):
    monkeypatch.setattr("fer2013kit.datasets._cache._is_settled", lambda _stamp: True)
    write_files(folder, {"SAD/list.txt": b"x", "happiness/more/b.TGA": b"x", "notes": b"x"})
    for _ in range(2):
        with pytest.warns(fk.Fer2013KitWarning) as caught:
            faces = fk.load_image_folder(folder)
        assert len(faces) == 6
        (warning,) = caught
        assert str(folder) in str(warning.message)
        assert "3 files that are no images by their names were skipped" in str(warning.message)
        for name in ("SAD/list.txt", "happiness/more/b.TGA", "notes"):
            assert name in str(warning.message)


@pytest.mark.parametrize("name", ["a.jfif", "b.JPE", "c.mpo", "d.avif", "e.jp2", "f.ppm", "g.apng"])
def test_every_ending_that_pillow_reads(folder, name):
    ending = name.partition(".")[2].lower()
    if ending == "avif":
        pytest.importorskip("PIL._avif")
    kinds = {"avif": "AVIF", "jp2": "JPEG2000", "ppm": "PPM", "apng": "PNG"}
    Image.new("RGB", (64, 64), "white").save(folder / "SAD" / name, kinds.get(ending, "JPEG"))
    faces = fk.load_image_folder(folder)
    assert len(faces) == 7
    assert faces.images[4:].max() >= 254


@pytest.mark.parametrize("side", [48, 64])
def test_a_jpeg_that_lacks_only_its_end_marker(folder, monkeypatch, side):
    monkeypatch.setattr("fer2013kit.datasets._cache._is_settled", lambda _stamp: True)
    levels = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
    whole = encode(levels, "jpg")
    write_files(folder, {"fear/a.jpg": whole})
    expected = fk.load_image_folder(folder, cache=False).images
    write_files(folder, {"fear/a.jpg": whole[:-2]})
    for _ in range(2):  # the second time from the cache
        with pytest.warns(fk.Fer2013KitWarning, match=r"1 JPEG that lacks only .*'fear/a.jpg'"):
            faces = fk.load_image_folder(folder)
        np.testing.assert_array_equal(faces.images, expected)
    write_files(folder, {"fear/a.jpg": whole[:-9]})
    with pytest.raises(fk.DatasetFormatError, match="cut off or damaged"):
        fk.load_image_folder(folder)


def test_folders_within_class_folders(folder):
    (folder / "SAD" / "person 1").mkdir()
    Image.new("L", (48, 48)).save(folder / "SAD" / "person 1" / "a.png")
    assert fk.load_image_folder(folder).labels.tolist() == [0, 0, 3, 3, 4, 4, 4]


def test_folders_are_searched_however_deep(folder):
    deep = folder.joinpath("SAD", *"abcdefgh")
    deep.mkdir(parents=True)
    Image.new("L", (48, 48)).save(deep / "a.png")
    assert len(fk.load_image_folder(folder)) == 7


def test_links_that_lead_back_or_nowhere_are_named(folder):
    (folder / "SAD" / "again").symlink_to(folder)
    (folder / "SAD" / "gone.png").symlink_to(folder / "nothing.png")
    (folder / "SAD" / "itself").symlink_to(folder / "SAD" / "itself")
    with pytest.warns(fk.Fer2013KitWarning, match=r"'SAD/again/', 'SAD/gone.png', 'SAD/itself'"):
        assert len(fk.load_image_folder(folder)) == 6


def test_unknown_folder(folder):
    (folder / "SAD").rename(folder / "bored")
    with pytest.raises(fk.DatasetFormatError, match=r"'bored' is no class folder; .*label_map"):
        fk.load_image_folder(folder)


def test_numbers_before_the_words(tmp_path):
    for name in ("0_angry", "1 - Disgust", "03.happiness", "suprise"):
        (tmp_path / name).mkdir()
        Image.new("L", (48, 48)).save(tmp_path / name / "a.png")
    assert fk.load_image_folder(tmp_path).labels.tolist() == [0, 1, 3, 5]
    (tmp_path / "0_angry").rename(tmp_path / "angry 2")
    with pytest.raises(fk.DatasetFormatError, match="'angry 2' is no class folder"):
        fk.load_image_folder(tmp_path)


def test_what_load_fer2013_reads_is_sent_there(folder, tmp_path):
    (folder / "SAD").rename(folder / "train")
    with pytest.raises(fk.DatasetFormatError, match="load_fer2013 reads <split>/<class>/"):
        fk.load_image_folder(folder)
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(fk.DatasetNotFoundError, match="unpack it, or load a file with load_fer2"):
        fk.load_image_folder(tmp_path / "a.zip")


@pytest.mark.parametrize("load", [fk.load_fer2013, fk.load_image_folder, fk.find_photos])
def test_web_addresses_are_answered_with_the_way(load):
    with pytest.raises(fk.InvalidInputError, match="received a web address, 'https://a"):
        load("https://a.b/f.zip")


def test_picture_without_a_folder(folder):
    Image.new("L", (48, 48)).save(folder / "a.png")
    with pytest.raises(fk.DatasetFormatError, match="it lies in no class folder"):
        fk.load_image_folder(folder)


@pytest.mark.parametrize("value", ["bored", 7, -1])
def test_label_map_to_nothing_known(folder, value):
    with pytest.raises(fk.InvalidInputError, match="label_map must lead to None"):
        fk.load_image_folder(folder, label_map={"SAD": value})


def test_no_folder_and_no_picture(tmp_path):
    with pytest.raises(fk.DatasetNotFoundError, match="no folder"):
        fk.load_image_folder(tmp_path / "nowhere")
    with pytest.raises(fk.DatasetNotFoundError, match="no folder") as caught:
        fk.load_image_folder("x" * 9999)
    assert len(str(caught.value)) < 300
    with pytest.raises(fk.DatasetFormatError, match="received none"):
        fk.load_image_folder(tmp_path)


def test_broken_picture(folder):
    (folder / "SAD" / "a.jpg").write_bytes(b"text")
    with pytest.raises(fk.DatasetFormatError, match="not a readable image"):
        fk.load_image_folder(folder)


def test_huge_picture(folder):
    (folder / "SAD" / "a.png").write_bytes(huge_png(10_000, 10_000))
    with pytest.raises(fk.DatasetFormatError, match="10000 x 10000 pixels; expected at most"):
        fk.load_image_folder(folder, cache=False)


def test_unknown_aspect(folder):
    (folder / "SAD" / "a.png").unlink(missing_ok=True)
    with pytest.raises(fk.InvalidInputError, match="aspect must be one of"):
        fk.load_image_folder(folder, aspect="squash")


def half_black_half_white(mode):
    """An image 96x96: the left half black, the right half white, in a mode of Pillow."""
    levels = np.zeros((96, 96), np.uint8)
    levels[:, 48:] = 255
    if mode == "I;16":
        return Image.fromarray(levels.astype(np.uint16) * 257)
    if mode == "transparent":
        ink = Image.fromarray(np.zeros((96, 96, 3), np.uint8)).convert("RGBA")
        ink.putalpha(Image.fromarray(255 - levels))
        return ink
    return Image.fromarray(levels).convert(mode)


@pytest.mark.parametrize(
    "mode", ["L", "RGB", "P", "1", "LA", "RGBA", "I;16", "CMYK", "transparent"]
)
def test_every_mode_is_what_a_person_sees(tmp_path, mode):
    name = "a.tif" if mode == "CMYK" else "a.png"
    (tmp_path / "happy").mkdir()
    half_black_half_white(mode).save(tmp_path / "happy" / name)
    (image,) = fk.load_image_folder(tmp_path).images[..., 0]
    assert image[:, :23].max() <= 1
    assert image[:, 25:].min() >= 254


def test_orientation_tag_is_obeyed(tmp_path):
    (tmp_path / "happy").mkdir()
    picture = half_black_half_white("L")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise: left becomes up
    picture.save(tmp_path / "happy" / "a.jpg", exif=exif, quality=95)
    (image,) = fk.load_image_folder(tmp_path).images[..., 0]
    assert image[:20].max() < 10
    assert image[28:].min() > 245


def test_pictures_that_are_not_square(tmp_path):
    (tmp_path / "happy").mkdir()
    levels = np.full((48, 144), 200, np.uint8)
    levels[:, 48:96] = 100
    Image.fromarray(levels).save(tmp_path / "happy" / "a.png")
    crop, stretch, pad = (
        fk.load_image_folder(tmp_path, aspect=aspect).images[0, ..., 0]
        for aspect in ("crop", "stretch", "pad")
    )
    assert crop.min() == crop.max() == 100
    assert stretch[24, 2] == 200
    assert stretch[24, 24] == 100
    assert pad[2, 24] == 0
    assert pad[24, 2] == 200


def test_a_48x48_picture_keeps_its_pixels(tmp_path):
    (tmp_path / "happy").mkdir()
    levels = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    Image.fromarray(levels).save(tmp_path / "happy" / "a.png")
    np.testing.assert_array_equal(fk.load_image_folder(tmp_path).images[0, ..., 0], levels)


def test_cache_knows_the_labels_and_the_aspect(folder, monkeypatch):
    monkeypatch.setattr("fer2013kit.datasets._cache._is_settled", lambda _stamp: True)
    first = fk.load_image_folder(folder)
    assert not fk.load_image_folder(folder).images.flags.writeable
    other = fk.load_image_folder(folder, label_map={"SAD": 6})
    assert other.labels.tolist() != first.labels.tolist()
    fresh = fk.load_image_folder(folder, cache=False)
    np.testing.assert_array_equal(fresh.images, first.images)
    assert fresh.images.flags.writeable


def test_joins_fer2013(folder):
    faces = fk.load_image_folder(folder)
    joined = fk.FER2013(faces).concat(fk.FER2013(faces.subset([0])))
    assert len(joined.train) == 7


def test_pictures_of_another_shape_and_in_colour(tmp_path, monkeypatch):
    monkeypatch.setattr("fer2013kit.datasets._cache._is_settled", lambda _stamp: True)
    for name, colour in (("happy", (250, 10, 10)), ("sad", (10, 10, 250))):
        (tmp_path / name).mkdir()
        Image.new("RGB", (60, 40), colour).save(tmp_path / name / "face.png")
    shape = (12, 16, 3)
    for _ in range(2):  # from the folder and from the cache
        faces = fk.load_image_folder(tmp_path, image_shape=shape)
        assert faces.images.shape == (2, *shape)
        assert not faces.images.flags.writeable  # mapped
        assert faces.images[0, 5, 5].tolist() == [250, 10, 10]
        assert faces.images[1, 5, 5].tolist() == [10, 10, 250]
    assert faces.subset([1]).concat(faces).images.shape == (3, *shape)
    assert fk.load_image_folder(tmp_path).images.shape == (2, 48, 48, 1)
    with pytest.raises(fk.InvalidInputError, match="have one shape"):
        faces.concat(fk.load_image_folder(tmp_path))
    with pytest.raises(fk.InvalidInputError, match="image_shape must be"):
        fk.load_image_folder(tmp_path, image_shape=(12, 16, 2))
    with pytest.raises(fk.InvalidInputError, match=r"must have shape \(n, 12, 16, 3\) or"):
        fk.Split(faces.images[..., 0], image_shape=shape)


def test_splits_within_classes_are_refused_and_not_read_as_one(tmp_path):
    for name in ("happy/train", "happy/test"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        Image.new("L", (48, 48)).save(folder / "a.png")
    with pytest.raises(fk.DatasetFormatError, match="in 'happy' tell splits"):
        fk.load_image_folder(tmp_path)
