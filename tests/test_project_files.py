"""README, changelog, citation and pages say what is true of the package."""

import re
import tomllib
from pathlib import Path

import pytest

import fer2013kit as fk
from fer2013kit.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.rst"))]
PAGES += sorted((ROOT / "docs" / "user_guide").glob("*.rst"))


def test_readme_python_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    exec(compile(block, "README.md", "exec"), {})  # noqa: S102 - our own page
    answers = capsys.readouterr().out.splitlines()[-1]
    assert set(re.findall(r"\w+", answers)) <= set(fk.CLASS_NAMES)
    assert (tmp_path / "emotions.fer").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_on_a_page_exist(page):
    for line in re.findall(r"fer2013kit [a-z]+ .*", page.read_text(encoding="utf-8")):
        name, *words = line.split("#")[0].replace("`", " ").split()[1:]
        if name not in main.commands:
            assert not re.match(r"\s*(\$ |fer2013kit)", line), f"no command {name!r}"
            continue
        known = {option for item in main.commands[name].params for option in item.opts}
        known |= {option for item in main.commands[name].params for option in item.secondary_opts}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= known | {"--help"}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_to_files_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert target.startswith("https://") or (ROOT / target).is_file(), target


def test_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert fk.__version__ == project["version"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == fk.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE)[1] == fk.__version__
