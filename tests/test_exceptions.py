"""Warnings reach the user: at the line of theirs, and each time."""

import warnings

import fer2013kit as fk
from fer2013kit.exceptions import warn


def test_equal_warnings_are_shown_each_time_and_at_the_caller():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(2):
            warn("three images were left out")
    assert [str(warning.message) for warning in caught] == ["three images were left out"] * 2
    assert {warning.filename for warning in caught} == {__file__}
    assert {warning.category for warning in caught} == {fk.Fer2013KitWarning}


def test_long_paths_are_shown_in_part_and_kept_whole():
    path = "folder/" * 200 + "face.jpg"
    for error in (fk.MediaFileError("bad", path=path), fk.DatasetFormatError("bad", path=path)):
        assert len(str(error)) < 250
        assert str(error).endswith("folder/face.jpg: bad")
        assert str(error.path) == path


def test_names_of_files_do_not_steer_the_terminal(recwarn):
    path = "a\x1b[2J\r.csv"
    assert str(fk.DatasetFormatError("bad", path=path)) == "a?[2J?.csv: bad"
    warn(path)
    assert [str(warning.message) for warning in recwarn] == ["a?[2J?.csv"]
