"""Networks of any origin on the same images, by one protocol."""

from fer2013kit.benchmarking._benchmark import benchmark
from fer2013kit.benchmarking._report import BenchmarkReport

__all__ = ["BenchmarkReport", "benchmark"]
