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


def pages_with_code():
    """Yield the name of a module and its code for each page that has some."""
    pages = [ROOT / "README.md", ROOT / "light" / "README.md"]
    pages += sorted((ROOT / "docs").glob("*.rst"))
    for folder in ("how_to", "user_guide"):
        pages += sorted((ROOT / "docs" / folder).glob("*.rst"))
    pages += sorted((ROOT / "examples").glob("*.py"))
    for page in pages:
        if (code := code_of(page)).strip():
            yield "_".join(page.relative_to(ROOT).with_suffix("").parts).lower(), code


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    for name, code in pages_with_code():
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
