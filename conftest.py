"""For tests and examples: what is imported is no garbage, and each example stands alone."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

gc.disable()  # until all is imported, of which nothing is garbage

from fer2013kit.models import _registry  # noqa: E402 - the first import of many


def pytest_collection_finish() -> None:
    """Spare the collector what was imported: to look through TensorFlow takes longer than a fit."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _clean_slate_for_examples(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Give an example an empty folder, an empty cache and the models that are shipped."""
    is_example = isinstance(request.node, pytest.DoctestItem)
    if is_example:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FER2013KIT_HOME", str(tmp_path / "home"))
        monkeypatch.setattr(_registry, "_builders", dict(_registry._builders))  # noqa: SLF001 - what examples register is taken back
    yield
    if is_example and (pyplot := sys.modules.get("matplotlib.pyplot")):
        pyplot.close("all")
