"""For the examples of docstrings and pages: each stands alone, whatever ran before it."""

from pathlib import Path

import pytest

from fer2013kit.models import _registry


@pytest.fixture(autouse=True)
def _clean_slate_for_examples(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give an example an empty folder, an empty cache and the models that are shipped."""
    if isinstance(request.node, pytest.DoctestItem):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FER2013KIT_HOME", str(tmp_path / "home"))
        monkeypatch.setattr(_registry, "_builders", dict(_registry._builders))  # noqa: SLF001 - what examples register is taken back
