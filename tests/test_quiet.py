"""Where libraries are kept from the terminal, the kit's own warnings are not."""

import os
import warnings

import pytest

import fer2013kit as fk
from fer2013kit._quiet import LOG_LEVEL, QUIET, quiet_stderr
from fer2013kit.exceptions import warn


def test_own_warnings_follow_and_those_of_libraries_do_not(monkeypatch, capfd):
    monkeypatch.setenv(LOG_LEVEL, QUIET)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with quiet_stderr():
            warn("what was left out")
            warnings.warn("what will change", FutureWarning, stacklevel=1)
            os.write(2, b"created a delegate")
            assert said == []
    assert [str(one.message) for one in said] == ["what was left out"]
    assert capfd.readouterr().err == ""


def test_warnings_are_shown_where_an_error_ends_the_quiet(monkeypatch):
    monkeypatch.setenv(LOG_LEVEL, QUIET)

    @quiet_stderr()
    def fails():
        warn("what was left out")
        raise fk.InvalidInputError("what is wrong")

    with pytest.warns(fk.Fer2013KitWarning, match="left out"), pytest.raises(fk.InvalidInputError):
        fails()
