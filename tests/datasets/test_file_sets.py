"""Several files of one set are all read, or what cannot be told apart is named; twice alike."""

import shutil
import tempfile
import warnings
import zipfile
from pathlib import Path

import fake_sources as fake
import numpy as np
import pandas as pd
import pytest
from fake_sources import CLASSES, USAGES, assert_holds, in_folder_order, make_rows, some_rows
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

import fer2013kit as fk
from fer2013kit.datasets._names import split_of_name, split_of_path

ROWS = some_rows()
PARTS = [[row for row in ROWS if row.usage == usage] for usage in range(3)]
LABELLED = ("emotion", "pixels")


def load_twice(path, **options):
    """Load from the source and from the cache; both must say and give the same."""
    answers, said = [], []
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            answers.append(fk.load_fer2013(path, **options))
        said.append([str(warning.message) for warning in caught])
    first, second = answers
    assert said[0] == said[1]
    assert first.summary() == second.summary()
    for name, split in first.splits.items():
        np.testing.assert_array_equal(split.images, second.splits[name].images)
        np.testing.assert_array_equal(split.labels, second.splits[name].labels)
    return first, said[0]


def refused_twice(path, match, **options):
    for _ in range(2):
        with pytest.raises(fk.DatasetFormatError, match=match) as caught:
            fk.load_fer2013(path, **options)
    return str(caught.value)


def write_csvs(folder, columns=LABELLED, **parts):
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in parts.items():
        fake.write_csv(folder / f"{name}.csv", rows, columns)
    return folder


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *((word, 0) for word in ("train", "training")),
        *((word, 1) for word in ("val", "valid", "validation", "dev", "PublicTest")),
        *(("Validate", 1), ("test_public", 1), ("fer_test_private", 2), ("testPrivate", 2)),
        *((word, 2) for word in ("test", "testing", "eval", "evaluation", "PrivateTest")),
        *(("TRAIN", 0), ("fer2013_train", 0), ("FER2013Valid", 1), ("Public-Test", 1)),
        *(("private test", 2), ("test-00000-of-00002", 2), ("y_val2", 1), ("trainset", 0)),
        *(("finaltest", None), ("train_test", None), ("latest", None), ("faces", None)),
    ],
)
def test_words_of_splits(name, code):
    assert split_of_name(name) == code


def test_the_innermost_name_that_tells_counts():
    assert split_of_path("test/default/train/0000.parquet") == 0
    assert split_of_path("default/Validation/part.csv.gz") == 1


@pytest.mark.parametrize("columns", [LABELLED, ("emotion", "pixels", "Usage")])
def test_train_val_and_test_csv(tmp_path, columns):
    train, validation, test = PARTS
    write_csvs(tmp_path, columns, train=train, val=validation, test=test)
    data, said = load_twice(tmp_path)
    assert_holds(data, ROWS)
    assert said == []


def test_names_decide_over_the_column_and_contradictions_are_counted(tmp_path):
    train, _, test = PARTS
    write_csvs(tmp_path, ("emotion", "pixels", "Usage"), Training=train + test, dev=train[:2])
    data, (said,) = load_twice(tmp_path)
    assert (len(data.train), len(data.validation), data.test) == (14, 2, None)
    assert "Training.csv was taken by its name, though of its rows 7 say another split" in said


def test_a_whole_test_is_divided_as_its_rows_say(tmp_path):
    train, validation, test = PARTS
    write_csvs(tmp_path, ("emotion", "pixels", "Usage"), train=train, test=validation + test)
    data, said = load_twice(tmp_path)
    assert_holds(data, ROWS)
    assert said == []


def test_labelled_test_csv(tmp_path):
    write_csvs(tmp_path, train=PARTS[0], test=PARTS[2])
    data, _ = load_twice(tmp_path)
    assert_holds(data, PARTS[0] + PARTS[2])
    alone, _ = load_twice(tmp_path / "test.csv")
    assert (len(alone.train), len(alone.test)) == (0, 7)


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (("train", "test", "finaltest"), "test.csv, train.csv hold a split, finaltest.csv holds n"),
        (("train", "test", "eval"), "eval.csv, test.csv each tell the split test"),
        (("train", "Training"), "Training.csv, train.csv each tell the split train"),
        (("test", "test (1)"), r"test \(1\).csv, test.csv each tell"),
        (("a", "b"), "a.csv, b.csv may each be a data set"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet", "zip"])
def test_what_would_be_a_guess_is_refused_by_name(tmp_path, names, match, kind):
    for name in names:
        if kind == "parquet":
            pytest.importorskip("pyarrow")
            fake.write_parquet(tmp_path / f"{name}.parquet", PARTS[0])
        else:
            fake.write_csv(tmp_path / f"{name}.csv", PARTS[0], LABELLED)
    path = tmp_path
    if kind == "zip":
        files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
        path = fake.write_zip(tmp_path.parent / f"{tmp_path.name}.zip", files)
    refused_twice(path, match.replace(".csv", f".{'parquet' if kind == 'parquet' else 'csv'}"))


def test_parts_of_a_split_with_labels_and_without_are_refused(tmp_path):
    fake.write_csv(tmp_path / "train_0.csv", ROWS, LABELLED)
    fake.write_csv(tmp_path / "train_1.csv", ROWS, ["pixels"])
    refused_twice(tmp_path, "of train, some rows have labels and others none; load them one by one")


def test_numbered_parts_are_one_split_and_missing_ones_are_named(tmp_path):
    pytest.importorskip("pyarrow")
    for number, part in ((0, PARTS[0][:3]), (1, PARTS[0][3:])):
        fake.write_parquet(tmp_path / f"train-0000{number}-of-00002.parquet", part)
    assert_holds(load_twice(tmp_path)[0], PARTS[0])
    (tmp_path / "train-00001-of-00002.parquet").unlink()
    data, (said,) = load_twice(tmp_path)
    assert len(data.train) == 3
    assert "of the 2 parts of train.parquet only 1 are there" in said


def test_parts_with_a_checksum_in_their_names(tmp_path):
    pytest.importorskip("pyarrow")
    names = ("train-00000-of-00002-0123456789abcdef", "train-00001-of-00002-fedcba9876543210")
    for name, part in zip(names, (PARTS[0][:3], PARTS[0][3:]), strict=True):
        fake.write_parquet(tmp_path / f"{name}.parquet", part)
    data, said = load_twice(tmp_path)
    assert_holds(data, PARTS[0])
    assert said == []
    (tmp_path / f"{names[0]}.parquet").unlink()
    assert "of the 2 parts of train.parquet only 1 are there" in load_twice(tmp_path)[1][0]


@pytest.mark.parametrize("names", [("X_train", "y_train"), ("test", "test_labels")])
def test_tables_of_labels_beside_pixels_without_are_not_passed_over(tmp_path, names):
    images, labels = names
    write_csvs(tmp_path, ("pixels",), **{images: PARTS[0]})
    (tmp_path / "example_submission.csv").write_text("emotion\n3\n")
    load_twice(tmp_path)
    (tmp_path / f"{labels}.csv").write_text("emotion\n3\n")
    refused_twice(tmp_path, f"{images}.csv has no labels, and {labels}.csv may hold them; join")


def test_folders_tell_the_split_of_files_of_digits(tmp_path):
    pytest.importorskip("pyarrow")
    for split, rows in zip(("train", "validation", "test"), PARTS, strict=True):
        path = tmp_path / "default" / split / "0000.parquet"
        path.parent.mkdir(parents=True)
        fake.write_parquet(path, rows)
    assert_holds(load_twice(tmp_path)[0], ROWS)
    assert_holds(load_twice(tmp_path / "default" / "test")[0], PARTS[2])
    assert_holds(load_twice(path)[0], PARTS[2])


def test_whole_set_beside_the_parts_of_another(tmp_path):
    write_csvs(tmp_path, train=PARTS[0], test=PARTS[2])
    fake.write_csv(tmp_path / "icml_face_data.csv", ROWS, ("emotion", " Usage", " pixels"))
    data, (said,) = load_twice(tmp_path)
    assert_holds(data, ROWS)
    assert "left out test.csv, train.csv, as icml_face_data.csv is a whole data set" in said


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("label,pixels,split", "{code},{pixels},{split}"),
        ("pixels,Set,Labels", "{pixels},{split},{name}"),
        ("class,pixels,SUBSET", "{name},{pixels},{split}"),
        ("target,pixels,Usage_x,Usage_y,neutral", "{code}.0,{pixels},{usage},{split},3"),
        (",emotion,pixels,partition", "7,{code},{pixels},{usage}"),
        ("emotion,emotion_name,pixels,Usage", "{code},{name},{pixels},{usage}"),
        # as spreadsheets and databases write tables
        ("emotion;pixels;Usage", "{code};{pixels};{usage}"),
        ("\temotion\tpixels\tUsage", "7\t{code}\t{pixels}\t{usage}"),
        ("emotion|pixels|Usage", "{code}|{columns}|{usage}"),
        # as pandas writes columns of lists and of floats
        ("emotion,pixels,Usage", '{code},"[{list}]",{usage}'),
        ("emotion,pixels,Usage", '{code},"[[{columns}]]",{usage}'),
        ("emotion,pixels,Usage", "{code},{floats},{usage}"),
        ("emotion,pixels,Usage", "{code},{pixels},{apart}"),
    ],
)
def test_columns_under_other_names(tmp_path, header, fields):
    assert_holds(load_twice(write_lines(tmp_path / "faces.csv", header, fields))[0], ROWS)


def write_lines(path, header, fields, rows=ROWS):
    lines = [header]
    for row in rows:
        pixels = " ".join(map(str, row.image.ravel().tolist()))
        lines.append(
            fields.format(
                code=row.code,
                name=CLASSES[row.code].title(),
                pixels=pixels,
                columns=pixels.replace(" ", ","),
                list=pixels.replace(" ", ", "),
                floats=pixels.replace(" ", ".0 ") + ".",
                parts=" ".join(f"{level / 255:.4f}" for level in row.image.ravel()),
                shortened=pixels[:9] + " ... " + pixels[-9:],
                apart=("training", "public_test", "Private Test")[row.usage],
                lines='"' + pixels[:5000].replace(" ", "\n", 3) + pixels[5000:] + '"',
                usage=USAGES[row.usage],
                split=("Train", "val", "TESTING")[row.usage],
            )
        )
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("header", "fields", "match"),
    [
        ("emo,pixels", "{code},{pixels}", "received 'emo' beside the pixels; rename the one"),
        ("emotion,pixels,part", "{code},{pixels},{split}", "column 'part' holds '.*', as a split"),
        ("emotion,pixels,set", "{code},{pixels},A", "unknown set 'A'; expected Training"),
        ("class,pixels", "person,{pixels}", "unknown class 'person'; expected a code"),
        ("emotion,label,pixels", "1,2,{pixels}", "should say the same do not: emotion '1', label"),
        ("emotion,pixels", "{code},{parts}", r"pixels between 0 and 1 write \(image \* 255\)"),
        ("emotion,pixels", "{code},[{shortened}]", "NumPy left the middle out .*: write ' '.join"),
        (",".join(["pixels", *CLASSES]), "{pixels},0,0,0,0,0,0,1", r"make one: df\['emotion'\] ="),
        ("emotion,image,Usage", "{code},{pixels},A", "columns 'emotion', 'image', 'Usage'; name"),
        ("3,1 2 3,Training", "{code},{pixels},{usage}", "a table without a line of names"),
    ],
)
def test_columns_that_are_not_understood_are_refused_by_name(tmp_path, header, fields, match):
    refused_twice(write_lines(tmp_path / "faces.csv", header, fields), match)


@pytest.mark.parametrize("pixels", ["pixel{}", "{}", "pixel_{}", "px{}"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_column_for_each_pixel(tmp_path, pixels, first):
    names = ",".join(pixels.format(number) for number in range(first, first + 2304))
    path = write_lines(tmp_path / "a.csv", f"emotion,{names},Usage", "{code},{columns},{usage}")
    assert_holds(load_twice(path)[0], ROWS)


def test_pixels_over_several_lines_and_rows_without_content(tmp_path):
    path = write_lines(tmp_path / "a.csv", "emotion,pixels,Usage", "{code},{lines},{usage}")
    path.write_text(path.read_text() + ",,\n,,\n")
    data, (said,) = load_twice(path)
    assert_holds(data, ROWS)
    assert "skipped 2 rows without any content" in said
    path.write_text(path.read_text() + "9,1 2 3,Training\n")
    line = 1 + 4 * len(ROWS) + 3
    assert f"line {line}: unknown emotion '9'" in refused_twice(path, "unknown emotion")


def test_own_validation_folder_stays(tmp_path):
    rows = in_folder_order(make_rows([(0, 1), (0, 3), (1, 1), (2, 3)]))
    files = {}
    for number, (split, row) in enumerate(zip(("train", "Val", "test", "test"), rows, strict=True)):
        stem = f"{USAGES[row.usage]}_{number}"
        files[f"{split}/{CLASSES[row.code]}/{stem}.png"] = fake.encode(row.image)
    data, said = load_twice(fake.write_files(tmp_path, files))
    assert [len(split) for split in data.splits.values()] == [1, 1, 2]
    assert said == []


@pytest.mark.parametrize(
    ("files", "match"),
    [
        (("train/sad/a", "test/sad/a", "eval/sad/a"), "folders eval, test each tell the split te"),
        (("train/3/a",), "unknown class folder '3'; expected one of angry.* label_map="),
        (("train/joy/a", "train/sad/a"), "unknown class folder 'joy'"),
    ],
)
def test_folders_that_would_be_a_guess_are_refused_by_name(tmp_path, files, match):
    content = fake.encode(ROWS[0].image)
    fake.write_files(tmp_path, {f"{name}.png": content for name in files})
    refused_twice(tmp_path, match)


splits_and_others = st.sampled_from(
    [
        *("train", "Training", "val", "VALID", "dev", "PublicTest", "test", "Eval", "PrivateTest"),
        *("holdout", "extra", "faces", "new_photos", "train_test", "backup"),
    ]
)


@settings(max_examples=40, deadline=None)
@given(
    tops=st.dictionaries(splits_and_others, st.integers(1, 3), min_size=1, max_size=5),
    text=st.booleans(),
    loose=st.booleans(),
)
def test_pictures_read_and_named_as_left_out_are_all_there_are(tops, text, loose):
    content = fake.encode(ROWS[0].image)
    files = {f"{top}/sad/{n}.png": content for top, count in tops.items() for n in range(count)}
    first = next(iter(tops))
    if text:
        files[f"{first}/sad/notes.txt"] = b"hello"
    if loose:
        files["loose.png"] = content
    told = {top: split_of_name(top) for top in tops}
    codes = [code for code in told.values() if code is not None]
    with tempfile.TemporaryDirectory() as folder:
        fake.write_files(folder, files)
        if not codes or len(set(codes)) < len(codes):  # no split, or two folders for one
            with pytest.raises(fk.DatasetFormatError) as caught:
                fk.load_fer2013(folder)
            double = [[top for top in tops if told[top] == code] for code in set(codes)]
            named = [all(top in str(caught.value) for top in group) for group in double]
            assert not codes or any(named)
            return
        data, said = load_twice(folder)
    for top, code in told.items():
        if code is None:
            assert f"{top} ({tops[top]})" in "".join(said)
        else:
            assert len(data.splits[("train", "validation", "test")[code]]) == tops[top]
    assert ("notes.txt" in "".join(said)) == (text and told[first] is not None)
    assert (". (1)" in "".join(said)) == loose


def _write_rows(path, kind, count):
    if kind == "csv":
        fake.write_csv(path, ROWS[:count], LABELLED)
    elif kind == "npz":
        images = np.stack([row.image for row in ROWS[:count]])
        np.savez(path, X=images, y=[row.code for row in ROWS[:count]])
    else:
        rows = [(row.code, row.image.ravel().tolist()) for row in ROWS[:count]]
        pd.DataFrame(rows, columns=list(LABELLED)).to_parquet(path)


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(splits_and_others, min_size=1, max_size=4, unique_by=str.lower),
    counts=st.lists(st.integers(1, 3), min_size=4, max_size=4),
    kind=st.sampled_from(["csv", "parquet", "npz"]),
    packed=st.sampled_from([None, "zip", "tar", "gztar"]),
)
@example(names=["train", "VALID", "test", "train_test"], counts=[1] * 4, kind="npz", packed=None)
def test_rows_of_files_are_all_read_or_the_files_are_named(names, counts, kind, packed):
    told = {name: split_of_name(name) for name in names}
    with tempfile.TemporaryDirectory() as outer:
        path = Path(outer) / "faces"
        path.mkdir()
        for name, count in zip(names, counts, strict=False):
            _write_rows(path / f"{name}.{kind}", kind, count)
        if packed:
            path = shutil.make_archive(f"{outer}/fer", packed, path, ".")
        silent = [name for name in names if told[name] is None]
        codes = [*told.values()]
        double = [[name for name in names if told[name] == code] for code in codes]
        if len(names) > 1 and (silent or len(set(codes)) < len(codes)):
            said = refused_twice(path, None)
            groups = [silent, *(group for group in double if len(group) > 1)]
            ending = "/" if kind == "npz" else f".{kind}"  # of arrays, the first few are named
            enough = any if kind == "npz" else all
            assert any(
                enough(f"{name}{ending}" in said for name in group) for group in groups if group
            )
            return
        data, said = load_twice(path)
    expected = dict.fromkeys(("train", "validation", "test"), 0)
    for name, count in zip(names, counts, strict=False):
        expected[("train", "validation", "test")[told[name] or 0]] += count
    assert {name: len(split) for name, split in data.splits.items()} == {
        name: count for name, count in expected.items() if count or name == "train"
    }
    assert said == []


@pytest.mark.parametrize("name", ["is_train", "mode", "Usage.1"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_that_may_tell_the_split_is_refused_by_name(tmp_path, name, kind):
    values = ["1", "0"] if name == "is_train" else ["train", "test"]
    table = pd.DataFrame(
        {"emotion": [3, 4], "pixels": [" ".join(["7"] * 2304)] * 2, name: values},
    )
    path = tmp_path / f"fer.{kind}"
    getattr(table, f"to_{kind}")(path, index=False)
    refused_twice(path, f"the column '{name}' .*rename it to Usage")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_that_are_not_known_are_named(tmp_path, kind):
    table = pd.DataFrame({"emotion": [3], "pixels": [" ".join(["7"] * 2304)], "age": [30]})
    path = tmp_path / f"fer.{kind}"
    getattr(table, f"to_{kind}")(path, index=False)
    data, said = load_twice(path)
    assert len(data.train) == 1
    assert [line.partition(": ")[2] for line in said] == [
        "skipped the columns 'age', which are not known"
    ]


FACES = np.arange(4 * 2304, dtype=np.uint32).reshape(4, 48, 48).astype(np.uint8)


def test_an_array_of_split_names_divides_the_rows(tmp_path):
    usages = np.array(["train", "Test", "dev", "train"])
    np.savez(tmp_path / "faces.npz", X=FACES, y=np.arange(4), split=usages)
    data, said = load_twice(tmp_path)
    assert {name: split.labels.tolist() for name, split in data.splits.items()} == {
        "train": [0, 3],
        "validation": [2],
        "test": [1],
    }
    assert said == []


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"y": np.arange(4), "split": np.arange(4)}, "unknown split '0'; expected"),
        ({"y": np.arange(4), "is_test": np.arange(4)}, "'is_test' may tell the split"),
        ({"y": np.arange(4), "part": np.array(["train"] * 4)}, "'part' holds 'train'"),
        ({"mood": np.arange(4)}, "mood may hold the labels"),
        ({"y": np.arange(4), "split": np.array(["train"] * 3)}, "as many splits as images"),
    ],
)
def test_arrays_that_may_tell_labels_or_splits_are_refused_by_name(tmp_path, arrays, match):
    np.savez(tmp_path / "faces.npz", X=FACES, **arrays)
    refused_twice(tmp_path, match)


def test_numbered_files_of_arrays_are_parts_of_one_split(tmp_path):
    for name, first in (("train_0", 0), ("train_1", 2), ("test_0", 4)):
        np.savez(tmp_path / f"{name}.npz", X=FACES[:2], y=np.arange(first, first + 2))
    data, said = load_twice(tmp_path)
    assert data.train.labels.tolist() == [0, 1, 2, 3]
    assert data.test.labels.tolist() == [4, 5]
    assert said == []
    (tmp_path / "train_1.npz").rename(tmp_path / "train.npz")
    refused_twice(tmp_path, "expected arrays X and y")


def test_folders_too_deep_are_named(tmp_path):
    write_csvs(tmp_path / "data", train=PARTS[0])
    write_csvs(tmp_path.joinpath(*"abcdef"), test=PARTS[2])
    data, said = load_twice(tmp_path)
    assert len(data.train) == len(PARTS[0])
    assert len(said) == 1
    assert "too many folders deep" in said[0]
    assert "'a/b/c/d/e/'" in said[0]
    refused_twice(tmp_path / "a", "too many folders deep.*'b/c/d/e/f/'")


def test_an_error_names_the_archive_beside_what_was_taken(tmp_path):
    picture = tmp_path / "train" / "happy" / "large.png"
    picture.parent.mkdir(parents=True)
    Image.new("L", (64, 64)).save(picture)
    with zipfile.ZipFile(tmp_path / "kaggle.zip", "w") as archive:
        archive.writestr("train/happy/0.png", b"")
    refused_twice(tmp_path, r"received 64x64.*beside it lie kaggle\.zip")


@pytest.mark.parametrize(
    "words",
    [
        ("train_set", "valset", "Test data"),
        ("'Training'", "'PublicTest'", "'PrivateTest'"),
        ("train", "test_public", "test_private"),
        ("train.", "validate", "eval"),
    ],
)
@pytest.mark.parametrize("column", ["Usage", "kind"])
def test_words_of_splits_with_what_people_put_around_them(tmp_path, words, column):
    table = table_of(ROWS, words, column)
    if column == "Usage":
        assert_holds(load_twice(write_table(tmp_path / "fer.csv", table))[0], ROWS)
    else:
        refused_twice(
            write_table(tmp_path / "fer.csv", table), "column 'kind' holds .*, as a split"
        )


def table_of(rows, words, column="Usage"):
    return pd.DataFrame(
        {
            "emotion": [row.code for row in rows],
            "pixels": [" ".join(map(str, row.image.ravel())) for row in rows],
            column: [words[row.usage] for row in rows],
        }
    )


def write_table(path, table):
    getattr(table, f"to_{path.suffix[1:]}")(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz", "list"])
def test_eval_beside_test_may_be_the_validation(tmp_path, kind):
    words = ("train", "eval", "Test")
    if kind == "npz":
        usages = [words[row.usage] for row in ROWS]
        images = [row.image for row in ROWS]
        np.savez(tmp_path / "a.npz", X=images, y=[row.code for row in ROWS], usage=usages)
    elif kind == "list":
        lines = ["file,label,split"]
        for number, row in enumerate(ROWS):
            fake.write_files(tmp_path, {f"{number}.png": fake.encode(row.image)})
            lines.append(f"{number}.png,{CLASSES[row.code]},{words[row.usage]}")
        (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    else:
        write_table(tmp_path / f"fer.{kind}", table_of(ROWS, words))
    refused_twice(tmp_path, "says both (eval, Test|Test, eval), and one .* call that one val")


@pytest.mark.parametrize("columns", [("emotion", "pixels", "Usage"), LABELLED])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_files_written_one_behind_another(tmp_path, columns, newline):
    rows = ROWS if "Usage" in columns else PARTS[0]
    parts = [
        fake.write_csv(tmp_path / f"{n}.csv", rows[n::2], columns, newline=newline) for n in (0, 1)
    ]
    path = tmp_path / "all.csv"
    path.write_bytes(b"".join(b"\xef\xbb\xbf" + part.read_bytes() for part in parts))
    data, said = load_twice(path)
    assert_holds(data, [*rows[::2], *rows[1::2]])
    assert [line.partition(": ")[2] for line in said] == [
        "skipped 1 line of names between the rows"
    ]


@pytest.mark.parametrize("fields", ["{code},{pixels},{usage}", "{code},{columns},{usage}"])
def test_a_part_without_a_line_of_names_is_named(tmp_path, fields):
    write_lines(tmp_path / "fer_1.csv", "emotion,pixels,Usage", "{code},{pixels},{usage}")
    rows = write_lines(tmp_path / "fer_2.csv", "", fields).read_bytes().lstrip()
    (tmp_path / "fer_2.csv").write_bytes(rows)
    _, said = load_twice(tmp_path)
    assert len(said) == 1
    assert "left out fer_2.csv: a table without a line of names" in said[0]
    refused_twice(tmp_path / "fer_2.csv", "without a line of names, that begins with '.,")


@pytest.mark.parametrize("name", ["mood", "sentiment", "name", "annotation"])
def test_a_word_is_a_label_under_any_name(tmp_path, name):
    path = write_lines(tmp_path / "a.csv", f"{name},pixels,Usage", "{name},{pixels},{usage}")
    data, said = load_twice(path)
    assert_holds(data, ROWS)
    assert said == []
    table = table_of(ROWS, USAGES)
    table[name] = [CLASSES[row.code] for row in ROWS]
    table["emotion"] = [sorted(CLASSES).index(word) for word in table[name]]  # as by LabelEncoder
    write_table(tmp_path / "b.csv", table)
    refused_twice(tmp_path / "b.csv", "columns that should say the same do not")


def test_a_csv_for_each_class_is_not_one_data_set(tmp_path):
    for code, name in enumerate(CLASSES):
        rows = [row for row in ROWS if row.code == code]
        fake.write_csv(tmp_path / f"{name}.csv", rows, ["pixels", "Usage"])
    refused_twice(tmp_path, "may each be a data set or a part of one")


def test_split_folders_in_several_places_are_refused(tmp_path):
    pictures = fake.picture_files(ROWS)
    for name, content in pictures.items():
        top = name.partition("/")[0]
        fake.write_files(tmp_path, {f"{top}/{name}": content})
    refused_twice(tmp_path, "lie in several places, test/, train/; put them side by side")


@pytest.mark.parametrize("start", ["PublicTest", "publictest-", "public_test_", "PublicTest_"])
def test_the_words_with_which_file_names_begin_divide_a_test(tmp_path, start):
    files = {
        f"train/happy/{start.replace('ublic', 'rivate')}1.png": ROWS[0].image,
        f"test/happy/{start}1.png": ROWS[1].image,
        f"test/happy/{start.replace('ublic', 'rivate')}1.png": ROWS[2].image,
    }
    files = {name: fake.encode(image) for name, image in files.items()}
    data, said = load_twice(fake.write_files(tmp_path, files))
    assert [len(split) for split in data.splits.values()] == [1, 1, 1]
    np.testing.assert_array_equal(data.validation.images[0, ..., 0], ROWS[1].image)
    assert f"1 {start.replace('ublic', 'rivate')} in train" in said[0]


@pytest.mark.parametrize(
    "words", [("train", "dev", "test"), ("Train", "PublicTest", "private_test")]
)
def test_arrays_whose_names_have_no_signs(tmp_path, words):
    arrays = {}
    for word, part in zip(words, PARTS, strict=True):
        arrays[f"X{word}"] = [row.image for row in part]
        arrays[f"y{word}"] = [row.code for row in part]
    np.savez(tmp_path / "a.npz", **arrays)
    data, said = load_twice(tmp_path)
    assert_holds(data, ROWS)
    assert said == []
