"""Where results go: what is printed, written and refused."""

import json
import math
from pathlib import Path

import click
import pandas as pd
import pytest
from matplotlib.figure import Figure

from fer2013kit.cli._output import (
    create_parents,
    free_name,
    one_line,
    plain_cell,
    print_error,
    print_note,
    print_result,
    refuse_to_overwrite,
    write_figure,
    write_table,
)

FILES = {"table": Path("out") / "a.csv", "figure": None, "page": Path("b.html")}


def test_a_result_for_people_names_the_files_that_were_written(capsys):
    print_result({"n": 1}, "one face", as_json=False, files=FILES)
    assert capsys.readouterr().out == f"one face\ntable: {Path('out/a.csv')}\npage: b.html\n"
    print_result({"n": 1}, "", as_json=False, files=FILES)
    assert capsys.readouterr().out == f"table: {Path('out/a.csv')}\npage: b.html\n"
    print_result({"n": 1}, "one\x1b face", as_json=False)
    assert capsys.readouterr() == ("one? face\n", "")
    for files in (None, {"table": None}):
        print_result({"n": 1}, "", as_json=False, files=files)
        assert capsys.readouterr().out == ""


def test_a_document_is_json_without_what_json_lacks(capsys):
    shares = {"a": math.nan, "b": [1, (math.inf, 0.5)], "c": {"d": -math.inf, "e": None}}
    print_result({"n": 1, "shares": shares}, "one face", as_json=True, files=FILES)
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert document == {
        "n": 1,
        "shares": {"a": None, "b": [1, [None, 0.5]], "c": {"d": None, "e": None}},
        "files": {"table": str(Path("out") / "a.csv"), "figure": None, "page": "b.html"},
    }
    print_result({"n": True}, "one face", as_json=True)
    assert capsys.readouterr().out == '{\n  "n": true\n}\n'


def test_notes_and_errors_are_no_results(capsys):
    print_note("a\x1b[31m\nb")
    print_error("no\n  such\tfile")
    assert capsys.readouterr() == ("", "a?[31m\nb\nfer2013kit: no such file\n")


def test_folders_of_what_is_written_later_are_made(tmp_path):
    create_parents(tmp_path / "a" / "b" / "c.csv", None, tmp_path / "d.csv")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["a", "a/b"]
    create_parents(tmp_path / "a" / "b" / "c.csv")


def test_what_is_read_is_not_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read = [Path("x/../in/a.png"), tmp_path / "x" / ".." / "b.png"]
    refuse_to_overwrite(read, output=tmp_path / "out", to_json=None)
    refuse_to_overwrite([], output=tmp_path)
    for place in ("in/a.png", "in", "in/../b.png", "."):
        with pytest.raises(click.UsageError, match=r"^--to-json '.*' is read") as caught:
            refuse_to_overwrite(read, output=None, to_json=Path(place))
        assert f"'{Path(place)}'" in caught.value.message


def test_a_path_stays_in_its_line():
    assert one_line(Path("a b\nc")) == "a b c"
    assert one_line("a\r\nb\u2028c") == "a b c"


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        *((f"{first}1", f"'{first}1") for first in "=+-@\t\n"),
        ("\r=1", "?=1"),
        ("=a\rb", "'=a?b"),
        ("a=1", "a=1"),
        (" -1", " -1"),
        (-1, -1),
        (-0.5, -0.5),
        (None, None),
    ],
)
def test_no_spreadsheet_computes_a_name(cell, plain):
    assert plain_cell(cell) == plain


def test_tables_are_plain_and_of_any_text(tmp_path):
    table = pd.DataFrame({"=name": ["@me", "\U0001f600", "a,b"], "score": [-1, 2, 3]})
    write_table(tmp_path / "a.csv", table)
    lines = (tmp_path / "a.csv").read_bytes().decode().split("\n")
    assert lines == ["'=name,score", "'@me,-1", "\U0001f600,2", '"a,b",3', ""]


@pytest.mark.parametrize(
    ("name", "begin"), [("a.PNG", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.b.pdf", b"%PDF")]
)
def test_the_ending_says_what_a_figure_is(tmp_path, name, begin):
    figure = Figure(figsize=(1, 1))
    figure.subplots()
    write_figure(tmp_path / "deep" / "er" / name, figure)
    write_figure(tmp_path / "deep" / "er" / name, figure)
    assert (tmp_path / "deep" / "er" / name).read_bytes().startswith(begin)


def test_names_that_are_taken_get_a_number():
    taken = set()
    names = [free_name(stem, taken) for stem in ("a", "A", "a", "a-2", "b", "straße", "STRASSE")]
    assert names == ["a", "A-2", "a-3", "a-2-2", "b", "straße", "STRASSE-2"]
