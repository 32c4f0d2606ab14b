"""The code of the pages is found whole, and each line where it stands."""

import pytest

from snippets import ROOT, code_of, pages_with_code

CODE = dict(pages_with_code())
PAGE = """Title
=====

Text with ``>>> no code``.

>>> x = [
...     1,
... ]
>>> x
[1]

.. code-block:: python

   y = 2
   if y:
       z = y

.. code-block:: bash

   python y
"""


def test_lines_stand_where_they_stand_on_the_page(tmp_path):
    page = tmp_path / "page.rst"
    page.write_text(PAGE, encoding="utf-8")
    code = code_of(page).splitlines()
    assert [code[number] for number in (5, 6, 7, 8)] == ["x = [", "    1,", "]", "x"]
    assert code[13:] == ["y = 2", "if y:", "    z = y"]
    assert not any(code[:5] + code[9:13])


def test_fences_of_markdown_are_read(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n```python\nx = 1\n```\n```bash\nls\n```\n", encoding="utf-8")
    assert code_of(page) == "\n\nx = 1\n"


@pytest.mark.parametrize(("name", "code"), CODE.items(), ids=CODE)
def test_code_of_every_page_is_python(name, code):
    compile(code, name, "exec")


def test_pages_with_code_are_all_found():
    assert {"readme", "light_readme", "docs_quickstart"} <= set(CODE)
    examples = {f"examples_{path.stem}" for path in (ROOT / "examples").glob("*.py")}
    guide = {
        f"docs_{folder}_{path.stem}"
        for folder in ("how_to", "user_guide")
        for path in (ROOT / "docs" / folder).glob("*.rst")
        if "\n>>> " in path.read_text(encoding="utf-8")
    }
    assert examples | guide <= set(CODE)
