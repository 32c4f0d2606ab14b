"""The notebooks are the gallery's programs, which the build runs, behind a cell that installs."""

import ast
import re

import pytest

from snippets import ROOT

gallery = pytest.importorskip("sphinx_gallery.gen_gallery")
parser = pytest.importorskip("sphinx_gallery.py_source_parser")
notebook = pytest.importorskip("sphinx_gallery.notebook")

PROGRAMS = sorted((ROOT / "examples").glob("plot_*.py"))


def first_cell():
    """Return what the settings of Sphinx put before each program."""
    settings = ast.parse((ROOT / "docs" / "conf.py").read_text(encoding="utf-8"))
    (text,) = (
        node.value.value
        for node in settings.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "NOTEBOOKS_BEGIN"
    )
    return text


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_notebook_is_its_program_behind_a_cell_that_installs(path):
    _, blocks = parser.split_code_and_text_blocks(str(path))
    settings = {**gallery.DEFAULT_GALLERY_CONF, "first_notebook_cell": first_cell()}
    cells = notebook.jupyter_notebook(blocks, settings, str(path.parent))["cells"]
    first, *code = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert 'pip install -q "fer2013kit[' in first
    compile(re.sub(r"%.*", "...", first), path.name, "exec")
    program = ast.parse(path.read_text(encoding="utf-8"))
    program.body.pop(0)  # the docstring, which is text in a notebook
    assert ast.dump(ast.parse("\n".join(code))) == ast.dump(program)
