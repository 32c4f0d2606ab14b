"""Writes the code of README, pages and gallery as modules, to be type-checked as users' programs.

``python tests/snippets.py FOLDER``
"""

import doctest
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_MARKDOWN = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RST = re.compile(r"^\.\. code-block:: python\n((?:[ \t]+.*\n|\n)+)", re.MULTILINE)


def code_of(page):
    """Return the code of a page, each line where it stands there, so that errors name its place."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".py":
        return text
    pattern = _MARKDOWN if page.suffix == ".md" else _RST
    lines = [""] * len(text.splitlines())
    for match in pattern.finditer(text):
        first = text.count("\n", 0, match.start(1))
        code = textwrap.dedent(match[1]).splitlines()
        lines[first : first + len(code)] = code
    for example in doctest.DocTestParser().get_examples(text):
        code = example.source.splitlines()
        lines[example.lineno : example.lineno + len(code)] = code
    return "\n".join(lines).rstrip() + "\n"


def programs_of(page):
    """Return the programs of a page, which are no doctests, in their order."""
    pattern = _MARKDOWN if page.suffix == ".md" else _RST
    return [textwrap.dedent(one) for one in pattern.findall(page.read_text(encoding="utf-8"))]


def pages():
    """Yield README and the pages, each with the name of its module."""
    found = [ROOT / "README.md", ROOT / "light" / "README.md"]
    found += sorted((ROOT / "docs").glob("*.rst"))
    for folder in ("how_to", "user_guide"):
        found += sorted((ROOT / "docs" / folder).glob("*.rst"))
    for page in found:
        yield _name_of(page), page


def pages_with_code():
    """Yield the name of a module and its code for each page, and program, that has some."""
    programs = ((_name_of(path), path) for path in sorted((ROOT / "examples").glob("*.py")))
    for name, page in (*pages(), *programs):
        if (code := code_of(page)).strip():
            yield name, code


def _name_of(page):
    return "_".join(page.relative_to(ROOT).with_suffix("").parts).lower()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    for name, code in pages_with_code():
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
