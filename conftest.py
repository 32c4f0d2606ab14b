"""For the examples of docstrings and pages: each runs in an empty folder, with an own cache."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _empty_folder_for_examples(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(request.node, pytest.DoctestItem):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FER2013KIT_HOME", str(tmp_path / "home"))
