"""What an error says of a library that is missing, under either name of the package."""

import subprocess
import sys
from email.message import Message
from importlib import metadata

import pytest

import fer2013kit as fk
from fer2013kit._optional import missing_library, needed
from fer2013kit._threads import usable_threads

LIGHT_EXTRAS = {"fer2013kit-light": ["serve"]}
FULL_EXTRAS = {"fer2013kit": ["serve", "video"]}


@pytest.fixture
def installed(monkeypatch):
    """Return a function that makes it look as if only these were installed."""

    def pretend(extras_of):
        def read(name):
            if name not in extras_of:
                raise metadata.PackageNotFoundError(name)
            message = Message()
            for extra in extras_of[name]:
                message["Provides-Extra"] = extra
            return message

        monkeypatch.setattr(metadata, "metadata", read)

    return pretend


def message_of(monkeypatch, **choices):
    monkeypatch.setitem(sys.modules, "rhyme", None)
    with pytest.raises(fk.MissingDependencyError) as caught, needed("a poem", **choices):
        import rhyme  # noqa: F401 - it is not there
    return str(caught.value)


@pytest.mark.parametrize(
    ("extras_of", "extra", "command"),
    [
        (FULL_EXTRAS, "video", 'pip install "fer2013kit[video]"'),
        (FULL_EXTRAS, "", "pip install fer2013kit"),
        (LIGHT_EXTRAS, "serve", 'pip install "fer2013kit-light[serve]"'),
        ({}, "video", 'pip install "fer2013kit[video]"'),
    ],
)
def test_one_command_brings_what_is_missing(installed, monkeypatch, extras_of, extra, command):
    installed(extras_of)
    expected = f"a poem needs rhyme, which is not installed: {command}"
    assert message_of(monkeypatch, extra=extra) == expected


@pytest.mark.parametrize(("extra", "whole"), [("", "."), ("video", '".[video]"')])
def test_light_is_replaced_by_the_whole_kit(installed, monkeypatch, extra, whole):
    installed(LIGHT_EXTRAS)
    message = message_of(monkeypatch, extra=extra)
    assert "pip uninstall fer2013kit-light, then pip install " in message
    assert message.endswith(f"in a checkout of it pip install {whole}")


def test_library_and_another_way_are_named(monkeypatch):
    message = message_of(monkeypatch, library="rhyme-dictionary", otherwise="Or write prose")
    assert message.endswith("pip install rhyme-dictionary. Or write prose")


def test_broken_library_says_why():
    error = missing_library(ImportError("no libfoo.so", name="rhyme.core"), "a poem")
    assert "needs rhyme, which cannot be imported (no libfoo.so): pip install" in str(error)


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("none", name="fer2013kit._gone"),
        fk.MissingDependencyError("said already"),
    ],
)
def test_own_errors_stay_as_they_are(error):
    with pytest.raises(type(error)) as caught, needed("a poem"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("library", "call", "extra"),
    [
        ("starlette", "fk.create_app()", "serve"),
        ("fsspec", "fk.score('photos', 'scores')", "score"),
        ("pyarrow", "fk.score(fk.sample_photos()[0], '.')", "score"),
    ],
)
def test_what_needs_an_extra_names_it(tmp_path, library, call, extra):
    program = f"import sys; sys.modules[{library!r}] = None; import fer2013kit as fk; {call}"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)  # noqa: S603 - ours
    assert "MissingDependencyError" in done.stderr
    assert f"{library}, which is not installed: pip install" in done.stderr
    assert f"fer2013kit[{extra}]" in done.stderr


@pytest.mark.parametrize(("ending", "library"), [(".fer", "sklearn"), (".fers", "keras")])
def test_a_file_of_the_whole_kit_names_what_reads_it(tmp_path, ending, library):
    (tmp_path / f"saved{ending}").touch()
    script = f"import sys; sys.modules['{library}'] = None; import fer2013kit as fk\n"
    script += f"fk.load_predictor('saved{ending}')"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)  # noqa: S603 - ours
    assert f"MissingDependencyError: a {ending} file needs {library}" in done.stderr
    assert "Exported to .tflite or .onnx" in done.stderr


def test_threads_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert usable_threads() == 2
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    assert usable_threads() == 4
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    assert usable_threads() == 3
    for asked, threads in (("2", 2), ("64", 3), ("0", 1), ("2,1", 3)):
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
        assert usable_threads() == threads
