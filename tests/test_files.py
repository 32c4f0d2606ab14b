import errno
import os
import stat
import sys
import threading
import time
from pathlib import Path

import pytest

import fer2013kit as fk
from fer2013kit import _files
from fer2013kit._files import (
    as_path,
    exchange,
    is_rubbish,
    new_file,
    replace_folder,
    write_atomically,
)


def test_bytes_or_a_writer_replace_the_file(tmp_path):
    write_atomically(tmp_path / "file", b"one")
    assert (tmp_path / "file").read_bytes() == b"one"
    write_atomically(tmp_path / "file", lambda file: file.write(b"two"))
    assert (tmp_path / "file").read_bytes() == b"two"


def test_of_two_first_writers_the_second_is_told(tmp_path):
    path = tmp_path / "file"

    def write(content, meanwhile=()):
        with new_file(path, only_first=True) as file:
            file.write(content)
            for one in meanwhile:
                write(one)

    with pytest.raises(FileExistsError):
        write(b"slow", meanwhile=[b"fast"])
    assert path.read_bytes() == b"fast"
    assert list(tmp_path.iterdir()) == [path]


def test_a_first_file_needs_no_second_name(tmp_path, monkeypatch):
    def hardlink_to(*_):
        raise PermissionError("one name a file")

    monkeypatch.setattr(Path, "hardlink_to", hardlink_to)
    with new_file(tmp_path / "file", only_first=True) as file:
        file.write(b"whole")
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"whole"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names there")
def test_no_file_takes_the_place_of_a_device_or_pipe(tmp_path):
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    with pytest.raises(FileExistsError, match="device or pipe"):
        write_atomically(pipe, b"content")
    with pytest.raises(FileExistsError, match="device or pipe"):
        replace_folder(pipe, folder)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert sorted(tmp_path.iterdir()) == [folder, pipe]


def test_what_fails_leaves_the_old_file_and_nothing_beside(tmp_path):
    write_atomically(tmp_path / "file", b"old")

    def fail(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def leave(folder, name, *, seconds_ago=9999):
    path = folder / name
    path.write_bytes(b"half")
    then = time.time() - seconds_ago
    os.utime(path, (then, then))
    return path


def test_leftovers_of_killed_writers_are_removed(tmp_path):
    leave(tmp_path, ".file.0123456789abcdef")
    kept = [
        leave(tmp_path, ".file.0123456789abcdee", seconds_ago=0),  # just begun
        leave(tmp_path, ".other.0123456789abcdef"),
        leave(tmp_path, ".file.mine"),
    ]
    write_atomically(tmp_path / "file", b"new")
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "file", *kept])


@pytest.mark.skipif(os.name == "nt", reason="there, age alone tells in any case")
def test_on_a_file_system_without_locks_age_tells_what_is_left_over(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    leave(tmp_path, ".file.0123456789abcdef", seconds_ago=4000)
    kept = leave(tmp_path, ".file.0123456789abcdee", seconds_ago=60)
    write_atomically(tmp_path / "file", b"new")
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "file", kept])


def test_leftovers_of_killed_writers_of_folders_are_removed(tmp_path):
    source = tmp_path / "source" / "inner"
    source.mkdir(parents=True)
    (source / "file").write_bytes(b"new")
    left, begun = (tmp_path / f".saved.0123456789abcde{last}" for last in "ef")
    for folder in (left, begun):
        (folder / "new").mkdir(parents=True)
    os.utime(left, (0, 0))
    for _ in range(2):  # the second time it takes the first one's place
        replace_folder(tmp_path / "saved", source.parent)
    assert (tmp_path / "saved" / "inner" / "file").read_bytes() == b"new"
    assert {path.name for path in tmp_path.iterdir()} == {"saved", "source", begun.name}


@pytest.mark.skipif(os.name == "nt", reason="there, age alone tells")
def test_a_slow_writer_is_left_alone(tmp_path):
    begun, go_on = threading.Event(), threading.Event()

    def slowly(file):
        file.write(b"slow")
        file.flush()
        for path in tmp_path.glob(".file.*"):
            os.utime(path, (0, 0))
        begun.set()
        go_on.wait(60)

    writer = threading.Thread(target=write_atomically, args=(tmp_path / "file", slowly))
    writer.start()
    begun.wait(60)
    write_atomically(tmp_path / "file", b"fast")
    go_on.set()
    writer.join()
    assert (tmp_path / "file").read_bytes() == b"slow"


def test_two_folders_have_each_others_names_at_one_moment(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    exchanged = exchange(tmp_path / "a", tmp_path / "b")
    if not sys.platform.startswith("linux"):
        assert not exchanged
        pytest.skip("this system cannot")
    assert exchanged
    assert (tmp_path / "a" / "file").read_text() == "b"
    assert (tmp_path / "b" / "file").read_text() == "a"
    assert not exchange(tmp_path / "a", tmp_path / "none")


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be opened there")
def test_what_is_written_is_on_the_disk_and_then_its_name(tmp_path, monkeypatch):
    synced = []

    def fsync(descriptor):
        state = os.fstat(descriptor)
        if stat.S_ISDIR(state.st_mode):
            synced.append(sorted(path.name for path in tmp_path.iterdir()))
        else:
            synced.append(state.st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(tmp_path / "file", b"12345")
    assert synced == [5, ["file"]]
    source = tmp_path / "source" / "inner"
    source.mkdir(parents=True)
    (source / "deep").write_bytes(b"123")
    synced.clear()
    replace_folder(tmp_path / "saved", source.parent)
    assert synced[0] == 3
    assert len(synced) == 2
    assert "saved" in synced[1]


def test_a_folder_takes_anothers_place_where_names_cannot_be_exchanged(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "exchange", lambda *_: False)
    source = tmp_path / "source"
    source.mkdir()
    for text in ("one", "two"):
        (source / text).write_text(text)
        replace_folder(tmp_path / "saved", source)
        assert (tmp_path / "saved" / text).read_text() == text
        (source / text).unlink()
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert names == {"source", "saved", "saved/two"}


def test_what_is_no_place_for_a_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder") as caught:
        write_atomically(tmp_path / "none" / "file", b"")
    assert caught.value.filename == str(tmp_path / "none")
    with pytest.raises(fk.InvalidInputError, match="path must name a file"):
        write_atomically(Path(tmp_path.anchor), b"")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "must not be empty"),
        ("https://example.org/a.png", "received a web address, 'https://example.org/a.png': down"),
        ("HTTP://a b", "received a web address, 'HTTP://a'"),
        ("http://" + "a" * 99, f"received a web address, 'http://{'a' * 60}':"),
    ],
)
def test_paths_that_are_none_are_told(path, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        as_path(path)


def test_paths_stay_as_they_are():
    for path in ("a/b", "see https://example.org", "ftp:/a", Path("b")):
        assert as_path(path) == Path(path)


@pytest.mark.parametrize(
    "path",
    [
        *(".hidden", "a/.git/b.png", "__MACOSX/a.png", "a/__macosx", "Thumbs.db", "a/desktop.ini"),
        *("Icon\r", "a/icon\r/b"),
    ],
)
def test_rubbish(path):
    assert is_rubbish(path)


@pytest.mark.parametrize(
    "path",
    [
        *("a.png", "a./b", "thumbs.dbx", "mythumbs.db", "my__macosx/a.png", "__macosx2/a.png"),
        *("icon", "icon\n", "a/desktop.ini.png", "desktop.ini\n"),
    ],
)
def test_no_rubbish(path):
    assert not is_rubbish(path)
