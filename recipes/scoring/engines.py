"""The same images by Ray Data, Spark and Dask: each must give what `score` gives.

    python recipes/scoring/engines.py [FOLDER] [--engine ray --engine spark --engine dask]

It needs those that are named: ``ray[data]``, ``pyspark`` (and Java), ``dask[dataframe]``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

import fer2013kit as fk


# --- the three engines
def by_ray(folder: str, actors: int) -> pd.DataFrame:
    """Read with Ray Data, score in actors that keep their networks."""
    import ray.data

    ray.init(num_cpus=actors + 1)  # the actors keep theirs, and the reading needs one
    images = ray.data.read_binary_files(folder, include_paths=True)
    found = images.map_batches(
        fk.PhotoScorer,
        compute=ray.data.ActorPoolStrategy(size=actors),
        batch_format="pandas",
        batch_size=64,
        num_cpus=1,
    )
    return found.to_pandas()  # or found.write_parquet("s3://bucket/scores")


def by_spark(folder: str, cores: int) -> pd.DataFrame:
    """Read with Spark's binary files, score in its Python workers."""
    from pyspark.sql import SparkSession
    from pyspark.sql.pandas.types import from_arrow_schema

    spark = SparkSession.builder.master(f"local[{cores}]").getOrCreate()
    images = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(folder)
    scorer = fk.PhotoScorer(content="content")
    found = images.select("path", "content").mapInPandas(
        lambda tables: map(scorer, tables), from_arrow_schema(scorer.schema)
    )
    return found.toPandas()  # or found.write.parquet("s3://bucket/scores")


def by_dask(folder: str, workers: int) -> pd.DataFrame:
    """Give Dask a table of names; read and score them in its partitions."""
    import dask
    import dask.dataframe

    scorer = fk.PhotoScorer()

    def score(names: pd.DataFrame) -> pd.DataFrame:
        contents = [Path(name).read_bytes() for name in names["path"]]
        return scorer(names.assign(bytes=contents))

    names = pd.DataFrame({"path": list(map(str, fk.find_photos(folder)))})
    images = dask.dataframe.from_pandas(names, npartitions=max(workers, len(names) // 1000))
    found = images.map_partitions(score, meta=score(names[:0]))
    with dask.config.set(scheduler="processes", num_workers=workers):
        return found.compute()  # or found.to_parquet("s3://bucket/scores")


# --- end

ENGINES = {"ray": by_ray, "spark": by_spark, "dask": by_dask}


def main() -> None:
    """Run the engines, compare what they give, and print their times, starts included."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="by default the images that ship")
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # Spark would take any ``python3``
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name, "images")
        if options.folder is None:
            folder.mkdir()
            for photo in fk.sample_photos():
                (folder / photo.name).write_bytes(photo.read_bytes())
        started = time.perf_counter()
        report = fk.score(folder, Path(name, "scores"), workers=options.workers)
        print(f"score: {time.perf_counter() - started:.1f} s, {report}")
        expected = in_order(pd.read_parquet(Path(name, "scores")))
        for engine in options.engine or ENGINES:
            started = time.perf_counter()
            found = in_order(ENGINES[engine](str(folder), options.workers))
            seconds = time.perf_counter() - started
            pd.testing.assert_frame_equal(found, expected, check_dtype=False)
            print(f"{engine}: {seconds:.1f} s, the same {len(found)} rows", flush=True)


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by the name of their file, which engines lead in with the folder's."""
    names = table["image"].astype(str).str.rpartition("/")[2]
    plain = table.assign(image=names, error=table["error"].notna()).sort_values(["image", "face"])
    return plain.reset_index(drop=True).astype(dict.fromkeys(fk.CLASS_NAMES, float)).fillna(-1)


if __name__ == "__main__":
    main()
