"""README, changelog, citation and pages say what is true of the package."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

import fer2013kit as fk
from fer2013kit.cli import main
from fer2013kit.pretrained import read_manifest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.rst"))]
GUIDE = [
    page
    for name in ("how_to", "user_guide")
    for page in sorted((ROOT / "docs" / name).glob("*.rst"))
]
PAGES += GUIDE


@pytest.mark.slow
def test_readme_python_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copy(fk.sample_photos()[0], "party.jpg")
    photograph, ten_lines = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    names = {}
    exec(compile(photograph, "README.md", "exec"), names)  # noqa: S102 - our own page
    assert "happy" in capsys.readouterr().out
    assert (tmp_path / "annotated.jpg").is_file()
    exec(compile(ten_lines, "README.md", "exec"), names)  # noqa: S102 - the same
    words = re.findall(r"\w+", capsys.readouterr().out.splitlines()[-1])
    assert len(words) == 5
    assert set(words) <= set(fk.CLASS_NAMES)
    assert (tmp_path / "emotions.fer").is_file()
    assert names["clf"].score(*names["data"].test) > 0.5  # it learned; chance is below 0.3


def test_readme_tells_the_figures_of_the_manifest():
    rows = {line.split("|")[1].strip(): line for line in README.splitlines() if line[:2] == "| "}
    for name, entry in read_manifest().items():
        shown = re.findall(r"0\.\d{3}", rows[f"`{name}`"])
        views = entry["PublicTest"]
        clean = entry["PublicTest without rows of Training"]
        told = [views[view]["accuracy"] for view in ("one pass", "flip", "ten_crop")]
        told += [clean["one pass"]["accuracy"], views["one pass"]["f1_macro"]]
        told += [views["one pass"]["balanced_accuracy"]]
        assert shown == [f"{figure:.3f}" for figure in told], name


def test_readme_tells_what_the_defaults_reach():
    run = json.loads((ROOT / "recipes" / "results" / "defaults_seed0.json").read_text("utf-8"))
    shown = re.findall(r"0\.\d{3}", README.partition("trained as it is")[2].partition("\n")[0])
    views, clean = run["PublicTest"], run["PublicTest without rows of Training"]["one pass"]
    told = [views[view]["accuracy"] for view in ("one pass", "flip", "ten_crop")]
    told += [clean["accuracy"], views["one pass"]["f1_macro"]]
    told += [views["one pass"]["balanced_accuracy"]]
    assert shown == [f"{figure:.3f}" for figure in told]


def shell_lines(page):
    """Return the lines of a page's shell blocks, without prompts and comments."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(
        r"^\.\. code-block:: (?:bash|console)\n((?:[ \t]+.*\n|\n)+)", text, re.MULTILINE
    )
    lines = "\n".join(blocks).splitlines()
    return [line.partition("#")[0].strip().removeprefix("$ ") for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_on_a_page_exist(page):
    for line in shell_lines(page):
        program, *words = line.split() or [""]
        if program.rpartition("/")[2] != "fer2013kit":
            continue
        command, known = main, set()
        for word in words:
            known |= {option for item in command.params for option in item.opts}
            if word in getattr(command, "commands", {}):
                command = command.commands[word]
        known |= {option for item in command.params for option in item.opts}
        used = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert command is not main or used, line
        assert used <= known | {"--help"}, line


def test_options_that_the_guide_speaks_of_exist():
    commands = [main, *main.commands.values()]
    known = {
        name
        for command in commands
        for option in command.params
        for name in (*option.opts, *option.secondary_opts)
    }
    spoken_of = {
        option
        for page in GUIDE
        for option in re.findall(r"``(--[a-z-]+)", page.read_text(encoding="utf-8"))
    }
    assert spoken_of
    assert spoken_of <= known | {"--help"}


WORDS = (
    "android",
    "bias",
    "cite",
    "deepface",
    "docker",
    "fairness",
    "FAQ",
    "fine-tune",
    "GPU",
    "javascript",
)
WORDS += ("licence", "license", "PyTorch", "reproducible", "transfer learning", "webcam")


@pytest.mark.parametrize("word", WORDS)
def test_what_people_search_for_is_on_a_page(word):
    pages = [*(ROOT / "docs").glob("*.rst"), *GUIDE]
    assert any(word.lower() in page.read_text(encoding="utf-8").lower() for page in pages)


def test_pages_show_the_main_commands():
    shown = {word for page in PAGES for line in shell_lines(page) for word in line.split()}
    assert set(main.commands) <= shown


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_to_files_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert target.startswith("https://") or (ROOT / target).is_file(), target


def test_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == fk.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE)[1] == fk.__version__


def test_architecture_page_draws_every_module():
    page = (ROOT / "docs" / "architecture.rst").read_text(encoding="utf-8")
    package = Path(fk.__file__).parent
    modules = {path.stem for path in package.iterdir() if path.suffix == ".py" or path.is_dir()}
    modules -= {"__init__", "__pycache__", "_version"}
    drawn = set(re.findall(r"\w+", page.partition("text\n")[2].partition("What is indented")[0]))
    assert modules <= drawn


def test_architecture_page_draws_the_contracts():
    layers, _, tensorflow, _ = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
    page = (ROOT / "docs" / "architecture.rst").read_text("utf-8")
    block = page.partition(".. code-block:: text\n\n")[2].partition("\n\nPublic names")[0]
    drawn = [set(re.findall(r"^   (\w+)  ", group, re.MULTILINE)) for group in block.split("\n\n")]
    assert drawn == [set(re.findall(r"\w+", layer)) for layer in layers["layers"]]
    named = page.partition("TensorFlow is named in")[2].partition("alone")[0]
    allowed = [one.partition(" ->")[0] for one in tensorflow["ignore_imports"]]
    expected = {name.removeprefix("fer2013kit.") for name in allowed}
    assert set(re.findall(r"``([\w.]+)``", named)) == expected


def test_every_promise_names_a_test_that_is_there():
    promised = re.findall(
        r"``(tests/[\w/]+\.py)::(\w+)``", (ROOT / "docs/trust.rst").read_text("utf-8")
    )
    assert len(promised) > 15
    for path, test in promised:
        assert f"def {test}(" in (ROOT / path).read_text("utf-8"), f"{path}::{test}"


def test_the_licence_of_every_library_is_told():
    page = (ROOT / "docs/trust.rst").read_text("utf-8").partition("\nLicences\n")[2]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    ours = [*project["dependencies"]]
    ours += [
        one
        for name, needed in extras.items()
        for one in needed
        if name not in {"docs", "lint", "test", "dev"}
    ]
    for one in ours:
        name = re.match(r"[\w-]+", one)[0]
        assert re.search(rf"\b{name}\b", page), name
