"""The code of the page on tracking runs; of libraries that are missing, stand-ins keep notes."""

import runpy
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

RECIPE = Path(__file__).parents[1] / "recipes" / "tracking.py"


@pytest.fixture(scope="module")
def recipe():
    program = runpy.run_path(str(RECIPE))
    program["clf"].set_params(augment=False, compute_dtype="float32")  # which takes less time
    return program


def test_wandb_gets_settings_epochs_and_accuracy(recipe, monkeypatch):
    logged, told = [], {}

    class Run:
        summary = {}  # noqa: RUF012 - one run alone

        def log(self, values, step):
            logged.append((step, values))

    def init(**options):
        told.update(options)
        return nullcontext(Run())

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init))
    recipe["by_wandb"]()
    assert (told["mode"], told["config"]["epochs"]) == ("offline", 2)
    assert [step for step, _ in logged] == [0, 1]
    assert {"loss", "val_accuracy"} <= set(logged[0][1])
    assert 0 <= Run.summary["test accuracy"] <= 1


def test_codecarbon_surrounds_the_fit(recipe, monkeypatch, capsys):
    tracker = SimpleNamespace(final_emissions=0.002)
    stand_in = SimpleNamespace(OfflineEmissionsTracker=lambda **_: nullcontext(tracker))
    monkeypatch.setitem(sys.modules, "codecarbon", stand_in)
    recipe["by_codecarbon"]()
    assert capsys.readouterr().out == "0.002 kg of CO2\n"


def test_tensorboard_writes_its_events(recipe, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    monkeypatch.chdir(tmp_path)
    recipe["by_tensorboard"]()
    assert {path.parent.name for path in Path("logs").rglob("events*")} == {"train", "validation"}
