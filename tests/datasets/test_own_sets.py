"""Other people's sets: labels of their own, images of any size, lists, arrays, tars."""

import gzip
import logging
import pickle
import re
import unicodedata
import zipfile

import fake_sources as fake
import numpy as np
import pytest
from fake_sources import CLASSES, assert_holds, in_folder_order, make_rows, some_rows
from PIL import Image
from test_file_sets import load_twice, refused_twice, write_lines

import fer2013kit as fk

ROWS = some_rows()
IMAGES = np.stack([row.image for row in ROWS])
CODES = np.array([row.code for row in ROWS])
LARGE = np.random.default_rng(0).integers(0, 256, (90, 60, 3), np.uint8)


def encode_large():
    return fake.encode(LARGE)


def test_numbered_class_folders_need_a_map(tmp_path):
    rows = make_rows([(0, 3), (0, 4), (2, 6)])
    files = {
        f"{'Training' if row.usage == 0 else 'PrivateTest'}/{row.code}/a.png": fake.encode(
            row.image
        )
        for row in rows
    }
    fake.write_files(tmp_path, files)
    refused_twice(tmp_path, "unknown class folder")
    data, said = load_twice(tmp_path, label_map={3: "happy", 4: 4, "6": "Neutral"})
    assert_holds(data, rows)
    assert said == []


def test_a_class_mapped_to_none_is_counted_at_each_load(tmp_path, caplog):
    caplog.set_level(logging.WARNING, "fer2013kit")
    path = write_lines(tmp_path / "a.csv", "emotion,pixels,Usage", "{code},{pixels},{usage}")
    for _ in range(2):
        caplog.clear()
        data = fk.load_fer2013(path, label_map={1: None})
        assert len(data.train) == 6
        assert "left out 3 rows of '1', as label_map says" in caplog.text
    assert len(fk.load_fer2013(path).train) == 7  # the map is part of the cache's key


@pytest.mark.parametrize("resize", [False, True])
def test_a_csv_of_which_all_rows_are_left_out(tmp_path, resize):
    rows = make_rows([(0, 3), (2, 3)])
    path = write_lines(tmp_path / "a.csv", "emotion,pixels", "{code},{pixels}", rows)
    refused_twice(path, "expected rows, received none", label_map={3: None}, resize=resize)


def test_numbers_that_a_map_passes_by_are_refused(tmp_path):
    """Where 1 is surprise, 2 is not the disgust of fer2013.csv."""
    path = write_lines(tmp_path / "a.csv", "emotion,pixels", "{code},{pixels}")
    refused_twice(path, "unknown emotion '.'; expected one of", label_map={1: "surprise"})


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (range(7), []),
        (range(3), ["the labels are 0 to 2 alone, .*(0 angry, 1 disgust, 2 fear)"]),
        (range(1, 7), ["the labels are 1 to 6 alone"]),
        ((3, 4, 6), []),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_numbers_that_may_be_counted_anew_are_doubted(tmp_path, numbers, said, kind):
    rows = make_rows([(0, code) for code in numbers for _ in range(50 // len(numbers) + 1)])
    if kind == "csv":
        path = fake.write_csv(tmp_path / "a.csv", rows)
    else:
        path = tmp_path / "a.npz"
        np.savez(path, X=[row.image for row in rows], y=[row.code for row in rows])
    data, warned = load_twice(path)
    assert_holds(data, rows)
    assert len(warned) == len(said)
    assert all(map(re.search, said, warned))
    _, warned = load_twice(path, label_map={number: number for number in numbers})
    assert warned == []


def test_numbers_of_the_alphabet_are_no_codes(tmp_path):
    fake.write_files(tmp_path, fake.picture_files(ROWS))
    by_alphabet = {name: place for place, name in enumerate(sorted(CLASSES))}  # class_indices
    for load, path in ((fk.load_fer2013, tmp_path), (fk.load_image_folder, tmp_path / "train")):
        with pytest.raises(fk.InvalidInputError, match="by the alphabet, "):
            load(path, label_map=by_alphabet)
    for words in (("happy", "sad", "angry"), ("surprise", "fear", "disgust", "contempt", "happy")):
        with pytest.raises(fk.InvalidInputError, match=r"in another order, .* turn it round"):
            fk.load_fer2013(tmp_path, label_map=dict(zip(words, range(9), strict=False)))
    by_codes = {name: code for code, name in enumerate(CLASSES)}
    for label_map in (by_codes, {"disgust": 0}, {"angry": 0, "fear": 2}):
        fk.load_fer2013(tmp_path, label_map=label_map)


def test_folders_of_numbers_are_answered_with_the_map(tmp_path):
    rows = in_folder_order([row for row in ROWS if row.usage == 0])
    files = {f"train/{row.code}/{n}.png": fake.encode(row.image) for n, row in enumerate(rows)}
    fake.write_files(tmp_path, files)
    refused_twice(tmp_path, r"label_map=dict\(enumerate\(fer2013kit.CLASS_NAMES\)\), .*'raf-db'")
    label_map = dict(enumerate(fk.CLASS_NAMES))
    assert_holds(load_twice(tmp_path, label_map=label_map)[0], rows)


def test_an_accent_may_be_a_character_of_its_own(tmp_path):
    composed, apart = (unicodedata.normalize(form, "Überraschung") for form in ("NFC", "NFD"))
    assert composed != apart
    for folder, word in ((composed, apart), (apart, composed)):
        path = tmp_path / str(len(folder))
        fake.write_files(path, {f"{folder}/a.png": fake.encode(ROWS[0].image)})
        faces = fk.load_image_folder(path, label_map={word: "surprise"})
        assert faces.labels.tolist() == [5]


def test_maps_that_cannot_be_meant(tmp_path):
    path = write_lines(tmp_path / "a.csv", "emotion,pixels", "{code},{pixels}")
    for wrong in ({1: "bored"}, {1: 7}, {1: 1.5}, {1: "sad", "1": "happy"}):
        with pytest.raises(fk.InvalidInputError, match="label_map"):
            fk.load_fer2013(path, label_map=wrong)
    with pytest.warns(fk.Fer2013KitWarning, match="label_map names joy, which no label is"):
        fk.load_fer2013(path, label_map={"joy": "happy"})


def test_pictures_of_any_size(tmp_path):
    names = ["train/Happy/a.png", "valid/Sad/b.png", "test/Happy/c.png"]
    fake.write_files(tmp_path, {name: encode_large() for name in names})
    refused_twice(tmp_path, r"received 60x90; load_fer2013\(path, resize=True\) reads other sizes")
    data, said = load_twice(tmp_path, resize=True)
    assert [len(split) for split in data.splits.values()] == [1, 1, 1]
    fake.write_files(tmp_path.parent / "one", {"happy/a.png": encode_large()})
    expected = fk.load_image_folder(tmp_path.parent / "one").images
    np.testing.assert_array_equal(data.train.images, expected)
    assert said == []


def test_square_csv_of_another_size(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("emotion,pixels\n3," + " ".join(["7"] * 64 * 64) + "\n")
    refused_twice(path, r"received 4096 \(64x64\); resize=True")
    data, _ = load_twice(path, resize=True)
    assert (data.train.images == 7).all()


def test_roboflow_lists(tmp_path):
    table = b"filename, angry, contempt, happy\na.png, 1, 0, 0\nb.png, 0, 0, 1\nc.png, 0, 1, 0\n"
    files = {f"{split}/_classes.csv": table for split in ("train", "valid", "test")}
    for split in ("train", "valid", "test"):
        files |= {f"{split}/{name}.png": encode_large() for name in "abc"}
    fake.write_files(tmp_path, files | {"README.roboflow.txt": b"hello"})
    refused_twice(tmp_path, "line 4: unknown label 'contempt'", resize=True)
    data, _ = load_twice(tmp_path, resize=True, label_map={"contempt": None})
    assert [split.labels.tolist() for split in data.splits.values()] == [[0, 3]] * 3


def test_a_list_of_files_and_labels_with_what_it_lacks(tmp_path):
    rows = make_rows([(0, 3), (2, 0)])
    files = {f"pictures/{n}.png": fake.encode(row.image) for n, row in enumerate(rows)}
    table = "image,label,split\n0.png,happy,train\n1.png,angry,test\n9.png,sad,test\n\n"
    files |= {"labels.csv": table.encode(), "pictures/more.png": fake.encode(rows[0].image)}
    data, said = load_twice(fake.write_files(tmp_path, files))
    assert_holds(data, rows)
    assert "labels.csv names 1 image that are not there: 9.png" in said[0]
    assert "left out 1 image that no list names: pictures/more.png" in said[1]


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("file;label;split", "{file};{name};{split}"),
        ("\tpth\tlabel\tUsage", "1\t{file}\t{name}\t{split}"),
        ("ImageName,Class,ClassName,Usage", "{file},7,{name},{split}"),
        ("file,label,emotion,set,split", "{file},{name},{name},{split},{split}"),
    ],
)
def test_lists_of_other_columns(tmp_path, header, fields):
    assert_holds(load_twice(write_list(tmp_path, header, fields))[0], ROWS)


def write_list(folder, header, fields):
    lines, files = [header], {}
    for number, row in enumerate(ROWS):
        file, name = f"{number}.png", fake.CLASSES[row.code]
        files[f"pictures/{file}"] = fake.encode(row.image)
        lines.append(fields.format(file=file, name=name, split=fake.SPLITS[row.usage]))
    return fake.write_files(folder, files | {"labels.csv": "\n".join(lines).encode()})


@pytest.mark.parametrize(
    ("header", "fields", "match"),
    [
        ("file,label,type", "{file},{name},{split}", "column 'type' holds '.*', as a split"),
        ("file,label,is_train", "{file},{name},1", "the column 'is_train' may tell the split"),
        ("file,label,emotion", "{file},{name},sad", "should say the same do not: emotion 'sad'"),
        ("file,label,set,split", "{file},{name},{split},val", "should say the same do not: split"),
        ("file,label", "{file},joy-like", "line 2: unknown label 'joy-like'"),
        ("file,label", "0.png,{name}", "listed twice: pictures/0.png"),
        ("file,label", "{file}", "line 2: a field is missing"),
        ("file,happy,sad", "{file},1,1", "expected one class for an image, received 2"),
        ("file,happy,sad", "{file},yes,no", "expected a whole number, received 'yes'"),
    ],
)
def test_lists_that_may_mean_something_else_are_refused(tmp_path, header, fields, match):
    refused_twice(write_list(tmp_path, header, fields), match)


def test_columns_of_lists_that_are_not_used_are_named(tmp_path):
    fields = "{file},{name},{split},0.5,9,9"
    path = write_list(tmp_path, "filename,class,split,score,xmin,ymin", fields)
    data, said = load_twice(path)
    assert_holds(data, ROWS)
    assert "labels.csv: skipped the columns 'score', which are not known" in said[0]
    assert "the boxes in the columns 'xmin', 'ymin' were not used" in said[1]


def test_a_listed_file_that_is_no_image_is_named(tmp_path):
    files = {
        "a.png": encode_large(),
        "b.md": b"no image",
        "labels.csv": b"image,label\na.png,sad\n",
    }
    files["labels.csv"] += b"b.md,happy\n"
    with pytest.raises(fk.DatasetFormatError, match=r"listed, and no images: b\.md"):
        fk.load_fer2013(fake.write_files(tmp_path, files), resize=True)


@pytest.mark.parametrize("packed", [False, True])
def test_a_list_is_read_whole_or_refused(tmp_path, monkeypatch, packed):
    folder = write_list(tmp_path, "file,label,split", "{file},{name},{split}")
    content = (folder / "labels.csv").read_bytes()
    monkeypatch.setattr("fer2013kit.datasets._picture_lists._MAX_BYTES", len(content) - 1)
    if packed:
        (folder / "labels.csv").unlink()
        (folder / "labels.csv.gz").write_bytes(gzip.compress(content))
    refused_twice(folder, "expected a list of at most")


def test_a_list_takes_no_image_of_another_split(tmp_path):
    files = {"test/a.png": encode_large(), "test/9.png": encode_large()}
    files |= {"train/a.png": encode_large(), "shared/8.png": encode_large()}
    files["train/_classes.csv"] = b"filename,happy,sad\na.png,1,0\n9.png,0,1\n8.png,0,1\n"
    files["test/_classes.csv"] = b"filename,happy,sad\na.png,1,0\n"
    data, said = load_twice(fake.write_files(tmp_path, files), resize=True)
    assert data.train.labels.tolist() == [3, 4]
    assert data.test.labels.tolist() == [3]
    assert "train/_classes.csv names 1 image that are not there: 9.png" in said[0]
    assert "left out 1 image that no list names: test/9.png" in said[1]


@pytest.mark.parametrize("name", ["{usage}/{n}.png", "faces/{usage}_{n}.png", "{split}-{n}.png"])
def test_images_tell_the_split_that_their_list_does_not(tmp_path, name):
    lines = ["file,label"]
    for n, row in enumerate(ROWS):
        split = ("train", "val", "test")[row.usage]
        file = name.format(usage=fake.USAGES[row.usage], split=split, n=n)
        fake.write_files(tmp_path, {file: fake.encode(row.image)})
        lines.append(f"{file},{CLASSES[row.code]}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines), encoding="utf-8")
    data, said = load_twice(tmp_path)
    assert_holds(data, ROWS)
    assert said == []


@pytest.mark.parametrize("separator", [",", ";"])
def test_ferplus_votes_beside_the_images_that_they_name(tmp_path, separator):
    folders = ("FER2013Train", "FER2013Valid", "FER2013Test")
    names = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    lines = [f"Usage,Image name,{names}", "Training,,0,0,0,0,0,0,0,0,0,10"]
    order = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")
    for n, row in enumerate(ROWS):
        file = f"fer{n:07}.png"
        fake.write_files(tmp_path, {f"images/{folders[row.usage]}/{file}": fake.encode(row.image)})
        votes = [9 if word == CLASSES[row.code] else 0 for word in order]
        lines.append(f"{fake.USAGES[row.usage]},{file},{','.join(map(str, votes))},0,1,0")
    text = "\n".join(lines).replace(",", separator)
    (tmp_path / "fer2013new.csv").write_text(text, encoding="utf-8")
    data, said = load_twice(tmp_path)
    assert said == []
    for usage, split in enumerate(data.splits.values()):
        expected = [row for row in ROWS if row.usage == usage]
        np.testing.assert_array_equal(split.images[..., 0], [row.image for row in expected])
        assert split.ferplus.majority().tolist() == [row.code for row in expected]
        assert split.labels is None


@pytest.mark.parametrize("separator", [",", ";"])
def test_ferplus_tree_has_its_votes(tmp_path, separator):
    files = {}
    lines = {"FER2013Train": [], "FER2013Valid": [], "FER2013Test": []}
    for number, row in enumerate(ROWS):
        folder = [*lines][row.usage]
        votes = [0] * 10  # neutral, happiness, surprise, sadness, anger, disgust, fear, ...
        votes[[4, 5, 6, 1, 3, 2, 0][row.code]] = 10
        fields = [f"fer{number:07}.png", '"(0, 0, 48, 48)"', *map(str, votes)]
        lines[folder].append(separator.join(fields))
        files[f"{folder}/fer{number:07}.png"] = fake.encode(row.image)
    for folder, table in lines.items():
        files[f"{folder}/label.csv"] = "\n".join(table).encode()
    for path in (fake.write_files(tmp_path / "a", files), fake.write_zip(tmp_path / "b", files)):
        for _ in range(2):
            data = fk.load_fer2013(path)
            for usage, split in enumerate(data.splits.values()):
                expected = [row for row in ROWS if row.usage == usage]
                assert split.labels is None
                assert split.ferplus.majority().tolist() == [row.code for row in expected]
                np.testing.assert_array_equal(split.images[..., 0], [row.image for row in expected])
    with pytest.raises(fk.InvalidInputError, match="ferplus"):
        data.train.require_labels()


def webdataset(labels, rows=ROWS):
    files = {}
    for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
        files[f"{number:06}.png"] = fake.encode(row.image)
        files[f"{number:06}.cls"] = str(label).encode()
    return files


def test_webdataset(tmp_path):
    path = fake.write_tar(tmp_path / "train-000000.tar", webdataset(CODES), "w")
    data, (said,) = load_twice(path)
    np.testing.assert_array_equal(data.train.labels, CODES)
    np.testing.assert_array_equal(data.train.images[..., 0], IMAGES)
    assert "taken for the codes of fer2013.csv (0 angry" in said
    assert load_twice(path, contempt=True)[1] == [said]
    names = sorted(CLASSES)
    files = webdataset([names.index(CLASSES[code]) for code in CODES])
    fake.write_tar(path, files | {"classnames.txt": "\n".join(names).encode()}, "w")
    data, said = load_twice(path)
    np.testing.assert_array_equal(data.train.labels, CODES)
    assert said == []


def test_names_of_classes_may_have_blanks(tmp_path):
    names = ["very happy", "sad", " Angry "]
    files = webdataset([0, 1, 2], make_rows([(0, 3), (0, 4), (0, 0)]))
    files["classnames.txt"] = "\r\n".join([*names, ""]).encode()
    path = fake.write_tar(tmp_path / "train.tar", files, "w")
    data, _ = load_twice(path, label_map={"very happy": "happy"})
    assert data.train.labels.tolist() == [3, 4, 0]


def test_names_of_classes_that_differ_are_refused(tmp_path):
    one = webdataset(CODES) | {"classnames.txt": "\n".join(CLASSES).encode()}
    files = {f"{split}/{name}": one[name] for split in ("train", "test") for name in one}
    files["test/classnames.txt"] += b"\n"
    path = fake.write_tar(tmp_path / "all.tar", files, "w")
    assert load_twice(path)[1] == []
    files["test/classnames.txt"] = "\n".join(CLASSES[::-1]).encode()
    path = fake.write_tar(tmp_path / "all.tar", files, "w")
    refused_twice(path, "train/classnames.txt, test/classnames.txt name the classes differently")
    files["test/classnames.txt"] = b"x" * 2**17
    path = fake.write_tar(tmp_path / "all.tar", files, "w")
    refused_twice(path, "expected the classes' names, received a file of 131,072 bytes")


def test_all_images_without_a_class_are_named(tmp_path):
    files = webdataset([CLASSES[code] for code in CODES])
    files |= {name: fake.encode(ROWS[1].image) for name in ("x.png", "x.jpg")}
    path = fake.write_tar(tmp_path / "train.tar", files, "w")
    assert "left out x.png, x.jpg: images without a class" in load_twice(path)[1][0]


@pytest.mark.parametrize("more", ["000000.jpg", "000000.mask.png", "000000.old.cls"])
def test_a_class_of_several_images_is_refused(tmp_path, more):
    files = webdataset(CODES) | {more: fake.encode(ROWS[1].image)}
    path = fake.write_tar(tmp_path / "train.tar", files, "w")
    refused_twice(path, rf"expected one image beside one \.cls, received .*{re.escape(more)}")


def test_classes_of_webdataset_may_be_left_out_or_unknown(tmp_path, caplog):
    files = webdataset(["happy", "blank", "blank"], make_rows([(0, 3), (0, 4), (0, 0)]))
    path = fake.write_tar(tmp_path / "train.tar", files, "w")
    refused_twice(path, r"000001\.cls: unknown class 'blank'; expected a code from 0 to 6")
    assert load_twice(path, label_map={"blank": None})[0].train.labels.tolist() == [3]
    assert "left out 2 rows of 'blank'" in caplog.text
    refused_twice(path, "expected rows, received none", label_map={"blank": None, "happy": None})


def test_webdataset_in_parts(tmp_path):
    for name in ("train-000000", "train-000001", "val-000000", "test-000000"):
        files = webdataset([CLASSES[code] for code in CODES])
        fake.write_tar(tmp_path / f"{name}.tar", files, "w")
    data, said = load_twice(tmp_path)
    assert [len(split) for split in data.splits.values()] == [42, 21, 21]
    assert said == []


@pytest.mark.parametrize("kind", ["npz", "npy", "h5"])
@pytest.mark.parametrize(
    "names",
    [
        ("X_{}", "y_{}", "train", "val", "test"),
        ("{}_pixel", "{}_label", "Training", "PublicTest", "PrivateTest"),
        ("{}_images", "{}_emotions", "training", "dev", "EVAL"),
    ],
)
def test_arrays_by_their_names(tmp_path, kind, names):
    images, labels, *splits = names
    arrays = {}
    for usage, split in enumerate(splits):
        part = [row for row in ROWS if row.usage == usage]
        arrays[images.format(split)] = np.stack([row.image for row in part])
        arrays[labels.format(split)] = np.array([row.code for row in part])
    assert_holds(load_twice(write_arrays(tmp_path, kind, arrays))[0], ROWS)


def write_arrays(folder, kind, arrays):
    if kind == "npz":
        np.savez(folder / "faces.npz", **arrays)
    elif kind == "npy":
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(folder / "faces.h5", "w") as file:
            for name, array in arrays.items():
                file[name] = array
    return folder


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (IMAGES[..., None], CODES.astype(float)),
        (IMAGES.reshape(-1, 2304).astype(np.int64), np.eye(7)[CODES]),
        (IMAGES[:, None], np.array(CLASSES)[CODES]),
        (np.repeat(IMAGES[..., None], 3, axis=3), CODES[:, None]),
    ],
    ids=["channel", "flat, one-hot", "channel first, words", "colour, column"],
)
def test_arrays_of_every_usual_shape(tmp_path, images, labels):
    np.savez(tmp_path / "a.npz", X=images, y=labels)
    data, _ = load_twice(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.train.images[..., 0], IMAGES)
    np.testing.assert_array_equal(data.train.labels, CODES)


def test_arrays_as_notebooks_save_them(tmp_path):
    arrays = {"Xtrain": IMAGES, "ytrain": CODES, "image_labels_val": np.eye(7)[CODES]}
    arrays["image_data_val"] = IMAGES.astype(np.float32)
    data, said = load_twice(write_arrays(tmp_path, "npy", arrays))
    for split in (data.train, data.validation):
        np.testing.assert_array_equal(split.images[..., 0], IMAGES)
        np.testing.assert_array_equal(split.labels, CODES)
    assert said == []


@pytest.mark.parametrize("name", ["class_names", "label_names", "emotion_names"])
@pytest.mark.parametrize("one_hot", [True, False])
def test_numbers_are_places_among_the_names_of_the_classes(tmp_path, name, one_hot):
    names = [*sorted(CLASSES), "contempt"]  # as a folder has them
    places = np.array([names.index(CLASSES[code]) for code in CODES])
    labels = np.eye(8)[places] if one_hot else places
    np.savez(tmp_path / "a.npz", X=IMAGES, y=labels, **{name: np.array(names)})
    data, said = load_twice(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.train.labels, CODES)
    assert said == []
    np.savez(tmp_path / "a.npz", X=IMAGES, y=places, class_names=names, label_names=names[::-1])
    refused_twice(tmp_path / "a.npz", "one array of the names of classes, received a/class_names")


def test_images_of_zeros_and_ones_are_doubted(tmp_path):
    np.savez(tmp_path / "a.npz", X=IMAGES > 127, y=CODES)
    refused_twice(tmp_path / "a.npz", "whole numbers from 0 to 255, received dtype bool")
    np.savez(tmp_path / "a.npz", X=(IMAGES > 127).astype(np.uint8), y=CODES)
    _, (said,) = load_twice(tmp_path / "a.npz")
    assert "the images hold 0 and 1 alone" in said


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"X": IMAGES / 255.0, "y": CODES}, "received dtype float64; save them as uint8"),
        ({"X": IMAGES / 255.0, "y": CODES}, r"uint8, \(X \* 255\).round\(\).astype\('uint8'\)"),
        ({"X": IMAGES / 127.5 - 1, "y": CODES}, "save them as uint8 before they are rescaled"),
        (
            {"X": IMAGES, "y": np.eye(8)[CODES]},
            r"one-hot \(n, 7\); .*argmax\(axis=1\).*class_names",
        ),
        ({"X": IMAGES.astype(int) + 1, "y": CODES}, "expected numbers from 0 to 255"),
        ({"X": IMAGES, "y": np.array(CLASSES)[CODES][:, None].repeat(2, 1)}, r"received \(21, 2\)"),
        ({"X": IMAGES, "y": CODES[:5]}, r"as many labels as images \(21\), received 5"),
        ({"X": IMAGES, "y": CODES + 1}, "unknown labels 7; expected a code from 0 to 6"),
        ({"X": IMAGES, "images": IMAGES, "y": CODES}, "once for each split"),
        ({"X_train": IMAGES, "y_test": CODES}, "once for each split"),
        ({"X": IMAGES[:, :40], "y": CODES}, r"received \(21, 40, 48\); .*resize=True"),
        ({"X": IMAGES[:, None, :40], "y": CODES}, r"received \(21, 1, 40, 48\)"),  # as in the file
        (
            {"X": IMAGES, "y": np.array([{}] * 21, object)},
            "damaged .expected an array of numbers or words",
        ),
    ],
)
def test_arrays_that_are_not_understood(tmp_path, arrays, match):
    np.savez(tmp_path / "a.npz", **arrays)
    refused_twice(tmp_path / "a.npz", match)


def test_large_arrays_and_an_array_that_is_left_out(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.stack([LARGE] * 2), y=[3, 4], class_weights=np.ones(7))
    refused_twice(tmp_path / "a.npz", "resize=True")
    data, (said,) = load_twice(tmp_path / "a.npz", resize=True)
    gray = np.asarray(Image.fromarray(LARGE).convert("L"))
    assert abs(int(data.train.images.mean()) - int(gray[15:75].mean())) <= 2
    assert "the arrays a/class_weights were left out" in said


def test_a_model_is_no_data(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["model_config"] = "{}"
        file["model_weights/dense"] = np.ones(3)
    refused_twice(tmp_path / "model.h5", "received a Keras model")


@pytest.mark.parametrize("name", ["a.keras", "a.onnx", "a.tflite", "a.pt"])
def test_a_model_file_is_answered_with_how_it_is_used(tmp_path, name):
    fake.write_zip(tmp_path / name, {"config.json": b"{}", "model.weights.h5": b"x"})
    match = r"a model, no data set; .*analyze_photo\(photo, classifier=wrapped\)"
    refused_twice(tmp_path / name, match)
    fake.write_files(tmp_path, fake.picture_files(ROWS))
    assert load_twice(tmp_path)[1] == []


def test_what_is_said_of_other_models_works():
    class Wrapped:
        classes_ = ("happy", "sad")

        def predict_proba(self, faces):
            assert (faces.dtype, faces.shape[1:]) == (np.uint8, (48, 48))
            return np.tile([0.9, 0.1], (len(faces), 1))

    photo = np.zeros((60, 60, 3), np.uint8)
    (face,) = fk.analyze_photo(photo, classifier=Wrapped(), boxes=[(5, 5, 40, 40)])
    assert face.emotion == "happy"


def test_parquet_with_arrays_of_levels_beside_the_pixels(tmp_path):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pixels = [" ".join(map(str, row.image.ravel())) for row in ROWS]
    columns = {"image": [row.image.tolist() for row in ROWS], "emotion": [r.code for r in ROWS]}
    columns["usage"] = [fake.USAGES[row.usage] for row in ROWS]
    parquet.write_table(pa.table(columns | {"pixels": pixels}), tmp_path / "a.parquet")
    assert_holds(load_twice(tmp_path)[0], ROWS)
    words = {**columns, "emotion": [CLASSES[row.code] for row in ROWS]}
    parquet.write_table(pa.table(words), tmp_path / "a.parquet")
    assert_holds(load_twice(tmp_path)[0], ROWS)


def test_parquet_of_pixels_words_and_other_sizes(tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    pixels = [" ".join(map(str, image.ravel())) for image in IMAGES]
    frame = pd.DataFrame(
        {"emotion": CODES, "pixels": pixels, "Usage": [fake.USAGES[row.usage] for row in ROWS]}
    )
    frame.to_parquet(tmp_path / "faces.parquet")
    assert_holds(load_twice(tmp_path)[0], ROWS)
    large = pd.DataFrame({"image": [encode_large()], "label": ["Happiness"]})
    large.to_parquet(tmp_path / "faces.parquet")
    refused_twice(tmp_path, "resize=True")
    assert load_twice(tmp_path, resize=True)[0].train.labels.tolist() == [3]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid x\n", "a Git LFS pointer, .*git lfs p"),
        (b"<!DOCTYPE html>\n<html>", "a web page, not the file itself"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(99), "a 7z archive; unpack it"),
        (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml", "a spreadsheet; save it as CSV"),
        *((pickle.dumps([b"x"], protocol=n), "a pickle, .*save it as .npz") for n in (2, 3, 4, 5)),
        (b"ARROW1\x00\x00", r"an Arrow file; .*read_feather\(path\).to_parquet"),
        (b"\xff\xff\xff\xff\x00", r"Hugging Face's Arrow; .*load_from_disk.*to_parquet"),
        (b"MATLAB 5.0 MAT-file, Platform", r"a MATLAB file; .*scipy.io.loadmat.*numpy.savez"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "a spreadsheet; save it as CSV"),
    ],
)
def test_why_a_file_is_not_read_is_said_of_file_and_folder(tmp_path, content, match):
    (tmp_path / "fer2013.csv").write_bytes(content)
    refused_twice(tmp_path / "fer2013.csv", match)
    refused_twice(tmp_path, match)
    fake.write_files(tmp_path, fake.picture_files(ROWS))
    _, (said,) = load_twice(tmp_path)
    assert "left out fer2013.csv: " in said


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("fer.jsonl", b'{"pixels": "1 2"}\n', r"JSON; .*lines=True\).to_csv\('fer.csv'"),
        ("fer.json", b'[{"pixels": "1 2"}]', r"JSON; .*read_json\(path\).to_csv\('fer.csv'"),
        ("train.tfrecord-00000-of-00001", b"\x0b\x00", "a TFRecord; .*numpy.savez"),
    ],
)
def test_what_a_file_is_by_its_name_is_said_with_the_way_out(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content)
    refused_twice(tmp_path / name, match)


@pytest.mark.parametrize(
    "names",
    [
        ("train/images/a.png", "train/labels/a.txt", "data.yaml"),  # YOLO
        ("images/train/a.png", "labels/train/a.txt"),
        ("train/a.png", "train/_annotations.coco.json"),
        ("basic/Image/aligned/a.png", "basic/EmoLabel/list_patition_label.txt"),  # RAF-DB
    ],
)
def test_labels_that_are_not_read_are_named_with_the_way_out(tmp_path, names):
    files = {name: fake.encode(ROWS[0].image) if "png" in name else b"3 0 0 1 1" for name in names}
    said = refused_twice(fake.write_files(tmp_path, files), "make a CSV with the columns file and")
    assert f"of the labels in {names[1]}" in said


def test_a_zip_of_class_folders_is_answered_with_the_way(tmp_path):
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        for name, content in fake.picture_files(ROWS).items():
            archive.writestr(name.removeprefix("train/").removeprefix("test/"), content)
    refused_twice(tmp_path / "faces.zip", "read by load_image_folder once it is unpacked")


def test_errors_repeat_little_of_their_input(tmp_path):
    path = tmp_path / "a.csv"
    for line in ("x" * 5000 + f",{'1 ' * 2304}", f"3,{'y' * 9000}"):
        path.write_text("emotion,pixels\n" + line + "\n")
        said = refused_twice(path, None)
        assert len(said.replace(str(path), "")) < 400
