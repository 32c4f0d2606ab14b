"""The code of the page on tracking runs; stand-ins for what is large keep notes.

``python -m nox -s others`` runs it with the libraries themselves, too.
"""

import runpy
import subprocess
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
    monkeypatch.chdir(tmp_path)
    recipe["by_tensorboard"]()
    assert {path.parent.name for path in Path("logs").rglob("events*")} == {"train", "validation"}


def test_mlflow_keeps_settings_figure_and_model(recipe, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    told, figures, calls = {}, {}, []
    by_autolog = {"batch_size": "128"}
    run = SimpleNamespace(info=SimpleNamespace(run_id="1"), data=SimpleNamespace(params=by_autolog))

    def log_params(settings):
        assert not settings.keys() & by_autolog.keys()  # MLflow takes each only once
        told.update(settings)

    def log_model(*, name, python_model, artifacts):
        calls.append(name)
        context = SimpleNamespace(artifacts=artifacts)
        python_model.load_context(context)
        return SimpleNamespace(
            model_uri=SimpleNamespace(predict=lambda images: python_model.predict(context, images))
        )

    stand_in = SimpleNamespace(
        set_tracking_uri=calls.append,
        tensorflow=SimpleNamespace(autolog=lambda **options: calls.append(options)),
        start_run=lambda: nullcontext(run),
        get_run=lambda run_id: run,
        log_params=log_params,
        log_metric=figures.__setitem__,
        pyfunc=SimpleNamespace(
            PythonModel=object, log_model=log_model, load_model=lambda model_uri: model_uri
        ),
    )
    monkeypatch.setitem(sys.modules, "mlflow", stand_in)
    recipe["by_mlflow"]()
    assert calls == ["sqlite:///mlflow.db", {"log_models": False}, "emotions"]
    assert told["epochs"] == "2"
    assert 0 <= figures["test_accuracy"] <= 1
    assert capsys.readouterr().out == "the same answers: True\n"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("codecarbon", "emissions.csv"),
        ("mlflow", "mlflow.db"),
        ("wandb", "wandb/offline-run-*/*.wandb"),
    ],
)
def test_the_library_itself(name, left, tmp_path):
    pytest.importorskip(name)
    # Each in a process of its own, since they leave threads and hooks behind.
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, RECIPE, name],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{name}: done"
    assert "the same answers: False" not in done.stdout
    assert list(tmp_path.glob(left))
