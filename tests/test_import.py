"""Importing the package, and using its lower layers, stays cheap; the public names are whole."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fer2013kit as fk
import fer2013kit.typing as public_types

ROOT = Path(__file__).resolve().parents[1]
TYPES_PAGE = ROOT / "docs" / "api" / "typing.rst"
STUB = Path(fk.__file__).with_suffix(".pyi")
PUBLIC_NAMES = sorted(
    alias.asname or alias.name
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
)
HEAVY = {"keras", "matplotlib", "pandas", "pyarrow", "scipy", "seaborn", "sklearn", "tensorflow"}

USE_OF_LOWER_LAYERS = """
import csv
import numpy as np
import fer2013kit as fk

made = fk.make_fer2013(n_samples=70, random_state=0)
with open("faces.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["emotion", "pixels", "Usage"])
    usages = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    for split, usage in usages.items():
        for image, label in zip(*getattr(made, split)):
            writer.writerow([label, " ".join(map(str, image.ravel())), usage])
data = fk.load_fer2013("faces.csv")
assert np.array_equal(data.train.images, made.train.images)
fk.audit_dataset(data).drop_leaks().summary()

X, y = data.train
fk.apply_clahe(fk.equalize_histogram(X))
fk.grayscale_to_rgb(fk.standardize(fk.rescale(X)))
fk.resize(fk.to_grayscale(np.zeros((2, 64, 64, 3), np.uint8)), (48, 48))
fk.from_one_hot(fk.to_one_hot(y))
fk.class_counts(y)
fk.sample_weights(y, fk.class_weights(y))
"""


def modules_after(script, folder):
    """Return the top-level modules that a new Python holds after running a script."""
    script += "\nimport sys\nprint(*{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run(  # noqa: S603 - our own script, run by our own Python
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def test_import_loads_nothing_heavy(tmp_path):
    loaded = modules_after("import fer2013kit", tmp_path)
    assert "fer2013kit" in loaded
    assert not loaded & (HEAVY | {"PIL", "click", "numpy"})


def test_types_load_no_library(tmp_path):
    loaded = modules_after("import fer2013kit.typing", tmp_path)
    assert not loaded & (HEAVY | {"PIL", "click", "numpy"})


def test_lower_layers_load_nothing_heavy(tmp_path):
    loaded = modules_after(USE_OF_LOWER_LAYERS, tmp_path)
    assert "numpy" in loaded
    assert not loaded & HEAVY


def test_a_heavy_library_would_be_seen(tmp_path):
    assert "pandas" in modules_after(
        "import fer2013kit as fk; fk.make_fer2013(n_samples=70).to_frame()", tmp_path
    )


def test_namespace_lists_exactly_the_public_names():
    assert sorted(fk.__all__) == PUBLIC_NAMES
    assert set(PUBLIC_NAMES) <= set(dir(fk))


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_public_name_is_there_and_documented(name):
    value = getattr(fk, name)
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return
    docstring = inspect.getdoc(value) or ""
    assert docstring
    if not (inspect.isclass(value) and issubclass(value, Exception)):
        assert re.search(r"^Examples\n-{8}$", docstring, re.MULTILINE), "no Examples section"


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="load_fer2012"):
        fk.load_fer2012  # noqa: B018 - the access is what is tested


def names_on(page):
    """Return the names that a page of the reference documents."""
    text = page.read_text(encoding="utf-8")
    names = re.findall(r"^\.\. (?:auto)?data:: (\w+)$", text, re.MULTILINE)
    for block in re.findall(r"^\.\. autosummary::\n((?:[ \t]+.*\n|\n)+)", text, re.MULTILINE):
        names += [line.strip() for line in block.splitlines() if re.match(r"\s+\w+$", line)]
    return names


def test_api_pages_list_every_public_name_once():
    pages = sorted(set((ROOT / "docs" / "api").glob("*.rst")) - {TYPES_PAGE})
    listed = [name for page in pages for name in names_on(page)]
    assert sorted(listed) == [name for name in PUBLIC_NAMES if name != "__version__"]


def test_page_of_the_types_lists_each_once():
    tree = ast.parse(Path(public_types.__file__).read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    names += [node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)]
    assert sorted(names_on(TYPES_PAGE)) == sorted(names)
