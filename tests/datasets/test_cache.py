"""The cache: found by content, checked, rebuilt, never in the way."""

import errno
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import fake_sources as fake
import numpy as np
import pytest
from fake_sources import assert_holds, some_rows

import fer2013kit as fk
from fer2013kit.datasets import _cache, _csv, _csv_sets, _decode, _picture_folders, _picture_lists
from fer2013kit.datasets._new_images import NewImages
from fer2013kit.datasets._rows import Rows

ROWS = some_rows()


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("FER2013KIT_HOME", str(folder))
    return folder


@pytest.fixture
def reads(monkeypatch):
    """Count how often a source is read and hashed."""
    counts = {"csv": 0, "hash": 0, "pictures": 0}

    def counting(kind, function):
        def wrapper(*args, **kwargs):
            counts[kind] += 1
            return function(*args, **kwargs)

        return wrapper

    monkeypatch.setattr(_csv_sets, "read_csv", counting("csv", _csv.read_csv))
    monkeypatch.setattr(_picture_folders, "decode_all", counting("pictures", _decode.decode_all))
    monkeypatch.setattr(_cache, "_hash_content", counting("hash", _cache._hash_content))
    return counts


@pytest.fixture
def csv(tmp_path):
    return fake.write_csv(tmp_path / "fer2013.csv", ROWS)


@pytest.fixture
def settled(monkeypatch):
    """Take every file as one that has lain there for a while (a change time cannot be forged)."""
    monkeypatch.setattr(_cache, "_is_settled", lambda _stamp: True)


def entry_of(home):
    (folder,) = (home / "datasets").iterdir()
    return folder


def test_later_loads_map_the_cache(home, csv, reads):
    assert_holds(fk.load_fer2013(csv), ROWS)
    data = fk.load_fer2013(csv)
    assert_holds(data, ROWS)
    assert reads["csv"] == 1
    assert not data.train.images.flags.writeable
    base = data.train.images
    while not isinstance(base, np.memmap):
        base = base.base
    assert Path(base.filename) == entry_of(home) / "images.npy"


def test_every_piece_of_a_file_is_hashed(tmp_path, monkeypatch):
    monkeypatch.setattr(_cache, "_PIECE", 10)
    path = tmp_path / "file"
    content = bytearray(range(25))

    def content_hash():
        path.write_bytes(content)
        return _cache._hash_content(path, size=len(content))

    seen = {content_hash()}
    for place in (0, 9, 10, 19, 20, 24):
        content[place] ^= 1
        seen.add(content_hash())
    content[:20] = content[10:20] + content[:10]  # the pieces' order counts
    seen.add(content_hash())
    content.append(0)
    seen.add(content_hash())
    assert len(seen) == 9


@pytest.mark.usefixtures("home", "settled")
def test_an_unchanged_file_is_hashed_once(csv, reads):
    fk.load_fer2013(csv)
    fk.load_fer2013(csv)
    assert reads["hash"] == 1
    os.utime(csv)
    fk.load_fer2013(csv)
    assert reads == {"csv": 1, "hash": 2, "pictures": 0}


@pytest.mark.usefixtures("home")
def test_a_file_changed_just_now_is_hashed_again(csv, reads, monkeypatch):
    monkeypatch.setattr(_cache, "_is_settled", lambda _stamp: False)
    fk.load_fer2013(csv)
    fk.load_fer2013(csv)
    assert reads["hash"] == 2


def test_stamps_within_a_clock_tick_are_not_trusted(monkeypatch):
    now = 1_700_000_000
    monkeypatch.setattr(_cache.time, "time", lambda: float(now))

    def is_settled(age, fraction=1):
        return _cache._is_settled([1, *[int((now - age) * 1e9) // 10 * 10 + fraction] * 2, 1])

    assert not is_settled(0.001)
    assert is_settled(0.5)
    assert not is_settled(1, fraction=0)  # a file system that knows whole seconds only
    assert is_settled(3, fraction=0)
    # Of a file whose date was set, the change of that tells; the later of both counts.
    past, present = (now - 100) * 10**9 + 1, now * 10**9 + 1
    assert not _cache._is_settled((1, past, present, 1))
    assert not _cache._is_settled((1, present, past, 1))


def test_a_folder_is_settled_when_all_of_its_files_are(monkeypatch):
    monkeypatch.setattr(_cache, "_is_settled", lambda stamp: stamp[0] != 2)
    stamps = {"old": (1, 0, 0, 0), "new": (2, 0, 0, 0)}
    assert _cache.listing_key(stamps) is None
    assert _cache.listing_key({"old": stamps["old"]}) is not None


@pytest.mark.usefixtures("home")
def test_content_is_the_key_not_the_name(tmp_path, csv, reads):
    fk.load_fer2013(csv)
    copy = tmp_path / "elsewhere" / "copy.txt"
    copy.parent.mkdir()
    shutil.copy(csv, copy)
    data = fk.load_fer2013(copy)
    assert_holds(data, ROWS)
    assert data.source == str(copy)
    assert reads["csv"] == 1


@pytest.mark.usefixtures("home", "settled")
def test_changed_content_of_the_same_size_and_time_gives_new_rows(csv):
    old = csv.stat()
    fk.load_fer2013(csv)
    content = csv.read_bytes()
    changed = content.replace(b"Training", b"TRAINING", 1).replace(b"\n0,", b"\n1,", 1)
    time.sleep(0.05)  # a tick of the file system's clock, for which _is_settled waits otherwise
    csv.write_bytes(changed)
    os.utime(csv, ns=(old.st_atime_ns, old.st_mtime_ns))
    counts = np.bincount(fk.load_fer2013(csv, cache=False).to_frame()["emotion"].to_numpy(int))
    again = np.bincount(fk.load_fer2013(csv).to_frame()["emotion"].to_numpy(int))
    np.testing.assert_array_equal(again, counts)
    assert counts[1] == 4


@pytest.mark.usefixtures("home", "settled")
def test_changed_folder_gives_new_rows(tmp_path, reads):
    folder = fake.write_files(tmp_path / "faces", fake.picture_files(ROWS))
    assert fk.load_fer2013(folder).train.labels.size == 7
    assert fk.load_fer2013(folder).train.labels.size == 7
    assert reads["pictures"] == 1
    fake.write_files(folder, {"train/sad/new.png": fake.encode(ROWS[0].image)})
    assert fk.load_fer2013(folder).train.labels.size == 8
    picture = next((folder / "train" / "happy").glob("Training*"))
    picture.write_bytes(fake.encode(np.zeros((48, 48), np.uint8)))
    happy = fk.load_fer2013(folder).train
    assert happy.images[happy.labels == 3].max() == 0


def write_list(folder, levels):
    """Write an even image of each level, and the list that names them all."""
    files = {
        f"{number}.png": fake.encode(np.full((48, 48), level, np.uint8))
        for number, level in enumerate(levels)
    }
    lines = ["image,label", *(f"{name},happy" for name in files)]
    return fake.write_files(folder, {**files, "labels.csv": "\n".join(lines).encode()})


def levels_of(split):
    return split.images[:, 0, 0, 0].tolist()


@pytest.mark.usefixtures("home", "settled")
def test_images_beside_a_list_are_part_of_what_is_cached(tmp_path):
    folder = write_list(tmp_path / "faces", [10, 20, 30])
    other = write_list(tmp_path / "others", [40, 50, 60])
    assert levels_of(fk.load_fer2013(folder).train) == [10, 20, 30]
    assert levels_of(fk.load_fer2013(other).train) == [40, 50, 60]
    (folder / "1.png").write_bytes(fake.encode(np.full((48, 48), 21, np.uint8)))
    assert levels_of(fk.load_fer2013(folder).train) == [10, 21, 30]
    (folder / "0.png").unlink()
    with pytest.warns(fk.Fer2013KitWarning, match="names 1 image that are not there"):
        assert levels_of(fk.load_fer2013(folder).train) == [21, 30]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("is_settled", [False, True])
def test_images_beside_a_list_are_cached_once_they_are_settled(
    tmp_path, reads, monkeypatch, is_settled
):
    monkeypatch.setattr(_cache, "_is_settled", lambda _stamp: is_settled)
    monkeypatch.setattr(_picture_lists, "decode_all", _picture_folders.decode_all)
    folder = write_list(tmp_path / "faces", [10, 20])
    for _ in range(2):
        assert levels_of(fk.load_fer2013(folder).train) == [10, 20]
    assert reads["pictures"] == (1 if is_settled else 2)


@pytest.mark.usefixtures("home")
def test_a_folder_changed_just_now_is_not_cached(tmp_path, reads, monkeypatch):
    monkeypatch.setattr(_cache, "_is_settled", lambda _stamp: False)
    folder = fake.write_files(tmp_path / "faces", fake.picture_files(ROWS))
    fk.load_fer2013(folder)
    assert fk.load_fer2013(folder).train.images.flags.writeable
    assert reads["pictures"] == 2


@pytest.mark.usefixtures("home")
def test_names_of_parquet_files_tell_the_split(tmp_path):
    pytest.importorskip("pyarrow")
    path = fake.write_parquet(tmp_path / "train-0.parquet", ROWS)
    assert len(fk.load_fer2013(path).train) == len(ROWS)
    path = path.rename(tmp_path / "test-0.parquet")
    assert len(fk.load_fer2013(path).test) == len(ROWS)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("kind", ["npz", "zip"])
def test_names_of_files_in_folders_with_dots_tell_the_split(tmp_path, kind):
    """Two sources of the same content are two entries where their names tell two splits."""
    row = ROWS[0]
    for split in ("train", "test"):
        path = tmp_path / split / "v1.0" / f"{split}.{kind}"
        path.parent.mkdir(parents=True)
        if kind == "npz":
            np.savez(path, X=row.image[None], y=[row.code])
        else:
            fake.write_csv(tmp_path / "0.csv", [row], ["emotion", "pixels"])
            fake.write_zip(path, {"0.csv": (tmp_path / "0.csv").read_bytes()})
        data = fk.load_fer2013(path.parent.parent)
        assert len(data.splits[split]) == 1, split


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "csv_rows.npy", "entry.json"])
@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "flip", "other"])
def test_a_damaged_entry_is_built_anew(home, csv, *, reads, name, damage, caplog):
    caplog.set_level(logging.INFO, "fer2013kit")
    fk.load_fer2013(csv)
    path = entry_of(home) / name
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[-3] ^= 1
    changed = {
        "cut": content[: len(content) // 2],
        "empty": b"",
        "gone": b"",
        "flip": content,
        "other": b"\x93NUMPY\x01\x00 what",
    }
    path.write_bytes(changed[damage])
    if damage == "gone":
        path.unlink()
    assert_holds(fk.load_fer2013(csv), ROWS)
    assert reads["csv"] == 2
    if name != "entry.json" or damage != "gone":
        assert "is damaged and is built anew" in caplog.text
    assert_holds(fk.load_fer2013(csv), ROWS)
    assert reads["csv"] == 2


def test_a_pickle_in_the_cache_is_not_run(home, csv, reads, tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    fk.load_fer2013(csv)
    np.save(entry_of(home) / "labels.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    assert_holds(fk.load_fer2013(csv), ROWS)
    assert reads["csv"] == 2
    assert not (tmp_path / "sprung").exists()


def test_an_entry_whose_shapes_do_not_fit_is_built_anew(home, csv, reads):
    fk.load_fer2013(csv)
    path = entry_of(home) / "entry.json"
    entry = json.loads(path.read_text())
    entry["sizes"][0] += 1
    path.write_text(json.dumps(entry))
    assert_holds(fk.load_fer2013(csv), ROWS)
    assert reads["csv"] == 2


def test_a_copied_cache_is_trusted_by_its_checksum(home, csv, reads, monkeypatch, tmp_path):
    fk.load_fer2013(csv)
    shutil.copytree(home, tmp_path / "copied")
    monkeypatch.setenv("FER2013KIT_HOME", str(tmp_path / "copied"))
    assert_holds(fk.load_fer2013(csv), ROWS)
    assert reads["csv"] == 1


@pytest.mark.usefixtures("settled")
def test_a_damaged_note_only_costs_a_hashing(home, csv, reads):
    fk.load_fer2013(csv)
    for note in (home / "sources").iterdir():
        note.write_text("[1, 2")
    assert_holds(fk.load_fer2013(csv), ROWS)
    assert reads["csv"] == 1


def test_a_home_that_cannot_be_written_is_no_matter(csv, tmp_path, monkeypatch, caplog):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setenv("FER2013KIT_HOME", str(blocked))
    assert_holds(fk.load_fer2013(csv), ROWS)
    assert f"the cache in {blocked} cannot be written" in caplog.text
    assert "FER2013KIT_HOME" in caplog.text


def full_disk(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["os.posix_fallocate", "mmap.mmap"])
def test_pictures_are_read_into_memory_where_no_file_can_be_mapped(
    home, csv, reads, where, monkeypatch
):
    if where == "os.posix_fallocate" and not hasattr(os, "posix_fallocate"):
        pytest.skip("this system cannot reserve room on disk")
    monkeypatch.setattr(where, full_disk)
    data = fk.load_fer2013(csv)
    monkeypatch.undo()
    monkeypatch.setenv("FER2013KIT_HOME", str(home))
    assert_holds(data, ROWS)
    assert_holds(fk.load_fer2013(csv), ROWS)
    assert [path.name[0] for path in (home / "datasets").iterdir()] != ["."]
    assert len(list((home / "datasets").iterdir())) == 1


def test_what_a_killed_load_left_is_removed_later(home, csv):
    (home / "datasets").mkdir(parents=True)
    old, new = (home / "datasets" / f".images.{digit * 16}" for digit in "01")
    for path in (old, new):
        path.write_bytes(b"x")
    an_hour_ago = time.time() - 4000
    os.utime(old, (an_hour_ago, an_hour_ago))
    fk.load_fer2013(csv)
    assert not old.exists()
    assert new.exists()


def test_what_another_load_still_writes_is_left_alone(home, csv):
    with NewImages(home / "datasets") as new:
        images = new.empty(2)
        (begun,) = (home / "datasets").iterdir()
        os.utime(begun, (0, 0))
        fk.load_fer2013(csv)
        assert begun.exists()
        del images
    assert not begun.exists()


def test_a_reader_that_fails_leaves_no_file(home):
    def fail(new):
        new.empty(3)[:] = 1
        raise RuntimeError("the reader failed")

    with pytest.raises(RuntimeError, match="the reader failed"):
        _cache.cached_rows("key", fail)
    assert list(home.rglob("*")) in ([], [home / "datasets"])


@pytest.mark.parametrize("order", [slice(None), slice(0, 5), slice(1, 6), slice(None, None, -1)])
def test_rows_are_kept_whichever_of_the_new_images_they_are(home, order):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 48, 48, 1), np.uint8)

    def build(new):
        images = new.empty(6)
        images[:] = pixels
        new.empty(2)[:] = 0  # another array, for instance of a second file
        return Rows(images[order], np.zeros(len(pixels[order]), np.int64), (5, 0, 1), None)

    rows = _cache.cached_rows("key", build)
    np.testing.assert_array_equal(rows.images, pixels[order])
    kept = np.load(entry_of(home) / "images.npy")
    np.testing.assert_array_equal(kept, pixels[order])


def test_no_cache_when_not_wanted(home, csv):
    assert_holds(fk.load_fer2013(csv, cache=False), ROWS)
    assert not home.exists()


def test_two_processes_at_once(home, csv):
    script = (
        "import sys, fer2013kit as fk\n"
        "for _ in range(5): print(int(fk.load_fer2013(sys.argv[1]).train.images.sum()))"
    )
    processes = [
        subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-c", script, str(csv)],
            stdout=subprocess.PIPE,
            env=os.environ | {"FER2013KIT_HOME": str(home)},
        )
        for _ in range(3)
    ]
    outputs = {process.communicate()[0] for process in processes}
    expected = sum(int(row.image.sum()) for row in ROWS if row.usage == 0)
    assert outputs == {f"{expected}\n".encode() * 5}


def test_home_is_moved_by_the_environment_or_the_platform(monkeypatch):
    monkeypatch.setenv("FER2013KIT_HOME", "~/faces")
    assert _cache.cache_home() == Path.home() / "faces"
    monkeypatch.delenv("FER2013KIT_HOME")
    assert "fer2013kit" in _cache.cache_home().parts


def test_nothing_temporary_is_left(home, csv):
    fk.load_fer2013(csv)
    names = sorted(path.name for path in entry_of(home).iterdir())
    assert names == ["csv_rows.npy", "entry.json", "images.npy", "labels.npy"]


def no_home(_name):
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize("cache_dir", ["~/{}".format, no_home])  # of older and newer platformdirs
def test_without_a_home_data_load_all_the_same(csv, monkeypatch, caplog, cache_dir):
    monkeypatch.delenv("FER2013KIT_HOME")
    monkeypatch.setattr("platformdirs.user_cache_dir", cache_dir)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert len(fk.load_fer2013(csv).train)
    assert "the cache in your home cannot be written (you have no home folder" in caplog.text
    with pytest.raises(fk.InvalidInputError, match="set FER2013KIT_HOME"):
        _cache.cache_home()


def test_a_home_that_no_folder_can_be_called_is_no_matter(csv, monkeypatch, caplog):
    monkeypatch.setenv("FER2013KIT_HOME", "/" + "x" * 5000)
    assert len(fk.load_fer2013(csv).train)
    assert "cannot be written" in caplog.text


ENTRIES = {
    "a list": b"[]",
    "nested": b"[" * 100_000,
    "other sizes": b'{"sizes": [1, 1, 1], "notes": [], "log": [], "arrays": {}}',
    "no arrays": b'{"sizes": [21, 21, 21], "arrays": {"images": {}}}',
    "words": b'{"sizes": "abc", "notes": 3, "log": {}, "arrays": [1]}',
}


@pytest.mark.parametrize("content", ENTRIES.values(), ids=ENTRIES)
def test_whatever_stands_in_an_entry_it_is_built_anew(home, csv, content):
    expected = fk.load_fer2013(csv)
    (entry,) = home.glob("datasets/*/entry.json")
    entry.write_bytes(content)
    again = fk.load_fer2013(csv)
    np.testing.assert_array_equal(again.train.images, expected.train.images)
