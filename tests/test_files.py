import pytest

from fer2013kit._files import write_atomically


def test_bytes_or_a_writer_replace_the_file(tmp_path):
    write_atomically(tmp_path / "file", b"one")
    assert (tmp_path / "file").read_bytes() == b"one"
    write_atomically(tmp_path / "file", lambda file: file.write(b"two"))
    assert (tmp_path / "file").read_bytes() == b"two"


def test_what_fails_leaves_the_old_file_and_nothing_beside(tmp_path):
    write_atomically(tmp_path / "file", b"old")

    def fail(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"
