"""The page's three engines give what `score` gives; without Java, a stand-in for Spark.

``python -m nox -s others`` runs it with Spark and Ray themselves, too.
"""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import fer2013kit as fk

RECIPE = Path(__file__).parents[1] / "recipes" / "scoring" / "engines.py"


def run(engine):
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, RECIPE, "--engine", engine, "--workers", "1"],
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["dask", "ray", "spark"])
def test_an_engine_gives_what_score_gives(engine):
    pytest.importorskip({"spark": "pyspark"}.get(engine, engine))
    if engine == "spark" and shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    done = run(engine)
    assert done.returncode == 0, done.stderr
    assert "the same 2 rows" in done.stdout


class Table:
    """Of Spark's tables, what the page calls."""

    def __init__(self, table):
        self.table = table

    def select(self, *columns):
        return Table(self.table[list(columns)])

    def mapInPandas(self, function, schema):  # noqa: N802 - Spark's name
        halves = (self.table[:1], self.table[1:])
        found = pd.concat(function(iter(halves)), ignore_index=True)
        assert list(found) == schema
        return Table(found)

    def toPandas(self):  # noqa: N802 - Spark's name
        return self.table


class Reader:
    """Of Spark's readers, what the page calls."""

    def format(self, name):
        assert name == "binaryFile"
        return self

    def option(self, name, value):
        assert (name, value) == ("recursiveFileLookup", "true")
        return self

    def load(self, folder):
        paths = sorted(Path(folder).iterdir())
        contents = [path.read_bytes() for path in paths]
        names = [f"file:{path}" for path in paths]
        return Table(pd.DataFrame({"path": names, "length": 0, "content": contents}))


def test_the_code_for_spark(tmp_path, monkeypatch):
    asked = []
    session = SimpleNamespace(read=Reader())
    builder = SimpleNamespace(getOrCreate=lambda: session)
    builder.master = lambda cores: asked.append(cores) or builder
    modules = {
        "pyspark": SimpleNamespace(),
        "pyspark.sql": SimpleNamespace(SparkSession=SimpleNamespace(builder=builder)),
        "pyspark.sql.pandas": SimpleNamespace(),
        "pyspark.sql.pandas.types": SimpleNamespace(from_arrow_schema=lambda schema: schema.names),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    for photo in fk.sample_photos():
        shutil.copy(photo, tmp_path)
    program = runpy.run_path(str(RECIPE))
    found = program["in_order"](program["by_spark"](str(tmp_path), 3))
    assert asked == ["local[3]"]
    assert found["emotion"].tolist() == ["happy", "neutral"]
    assert found["image"].tolist() == [photo.name for photo in fk.sample_photos()]
