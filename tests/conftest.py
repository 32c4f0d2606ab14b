"""Fixtures that all tests share."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure; half of the usual examples find what there is to find.
settings.register_profile("fer2013kit", deadline=None, max_examples=50)
settings.load_profile("fer2013kit")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data():
    """Folder of the real FER-2013 files, which lie beside the checkout and are never copied in."""
    if not (SHARED_DATA / "fer2013-kaggle.zip").exists():
        pytest.skip(f"real FER-2013 data is not at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def csv_tool(shared_data):
    """The writer of fer2013.csv; unpacks its rows once."""
    path = shared_data.parent / "tools" / "make_fer2013_csv.py"
    if not path.exists():
        pytest.skip(f"the writer of fer2013.csv is not at {path}")
    spec = importlib.util.spec_from_file_location("make_fer2013_csv", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = module.read_rows()
    module.read_rows = lambda: rows
    return module


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    """Keep every test's cache away from the user's."""
    monkeypatch.setenv("FER2013KIT_HOME", str(tmp_path_factory.getbasetemp() / "home"))
