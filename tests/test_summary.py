import json
import math

import numpy as np
import pytest
from scipy import stats

import fer2013kit as fk

NAMES = ("calm", "cross", "sad")


def run(seed, n=100, names=NAMES):
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    return fk.evaluate_predictions(codes, rng.dirichlet([1, 1, 1], n), class_names=names)


RUNS = [run(seed) for seed in range(5)]


def test_figures_are_scipys():
    summary = fk.summarize_reports(RUNS, confidence_level=0.9)
    attributes = ("accuracy", "balanced_accuracy", "f1_macro", "top2_accuracy", "loss", "ece")
    for row, attribute in zip(summary.figures.values(), attributes, strict=True):
        values = [getattr(report, attribute) for report in RUNS]
        assert row.mean == pytest.approx(np.mean(values))
        assert row.std == pytest.approx(np.std(values, ddof=1))
        expected = stats.t.interval(0.9, 4, loc=np.mean(values), scale=stats.sem(values))
        assert row.interval == pytest.approx(expected)
        assert (row.lowest, row.highest) == (min(values), max(values))
    stored = summary.as_dict()["figures"]
    for name, row in summary.figures.items():
        assert (stored[name]["low"], stored[name]["high"]) == row.interval
        assert stored[name]["low"] < row.mean < stored[name]["high"]
    cross = [report.per_class["cross"]["f1"] for report in RUNS]
    assert summary.classes["cross"].mean == pytest.approx(np.mean(cross))
    assert (summary.n_reports, summary.n_samples) == (5, 100)


def test_one_run_has_no_spread():
    summary = fk.summarize_reports(RUNS[:1])
    mean, std, interval, lowest, highest = summary.figures["accuracy"]
    assert mean == lowest == highest == RUNS[0].accuracy
    assert math.isnan(std)
    assert all(map(math.isnan, interval))
    assert summary.as_dict()["figures"]["accuracy"]["low"] is None


def test_all_that_a_summary_says():
    answers = ([0.9, 0.2, 0.4, 0.3], [0.8, 0.6, 0.4, 0.3])
    runs = [
        fk.evaluate_predictions([0, 1, 0, 1], [[x, 1 - x] for x in run], class_names=["x", "y"])
        for run in answers
    ]
    summary = fk.summarize_reports(runs, confidence_level=0.9)
    assert (
        str(summary)
        == """\
2 runs, each measured on 4 samples

figure              mean    std    90% interval  lowest  highest
accuracy           0.625  0.177  0.000 to 1.000   0.500    0.750
balanced accuracy  0.625  0.177  0.000 to 1.000   0.500    0.750
macro F1           0.617  0.165  0.000 to 1.000   0.500    0.733
top-2 accuracy     1.000  0.000  1.000 to 1.000   1.000    1.000
loss               0.502  0.143  0.000 to 1.142   0.400    0.603
calibration error  0.363  0.088  0.000 to 0.757   0.300    0.425

F1 of class   mean    std    90% interval  lowest  highest
x            0.583  0.118  0.057 to 1.000   0.500    0.667
y            0.650  0.212  0.000 to 1.000   0.500    0.800"""
    )
    assert repr(summary) == "<ReportSummary: accuracy 0.625 ± 0.177, 2 runs>"
    told = summary.as_dict()
    assert list(told["figures"]) == list(summary.figures)
    assert list(told["classes"]) == ["x", "y"]
    assert (told["n_reports"], told["n_samples"], told["confidence_level"]) == (2, 4, 0.9)
    columns = ["mean", "std", "low", "high", "lowest", "highest"]
    assert list(summary.to_frame().columns) == columns


def test_forms():
    summary = fk.summarize_reports(iter(RUNS))
    values = json.loads(json.dumps(summary.as_dict(), allow_nan=False))
    assert values["figures"]["loss"]["mean"] == summary.figures["loss"].mean
    frame = summary.to_frame()
    assert frame.loc["F1 sad", "mean"] == summary.classes["sad"].mean
    assert len(frame) == 6 + 3
    assert f"{summary.figures['accuracy'].mean:.3f}" in str(summary)
    assert "5 runs, each measured on 100 samples" in str(summary)
    assert "5 runs" in repr(summary)
    assert str(fk.summarize_reports([run(0, n=1200)])).startswith("1 run measured on 1,200 samples")
    assert summary.to_markdown("classes").count("\n") == 1 + 3
    assert "macro F1 &" in summary.to_latex("figures")


@pytest.mark.parametrize(
    ("reports", "message"),
    [
        ([], "received none"),
        (3, "received int"),
        ([RUNS[0], 0.5], "received EvaluationReport, float"),
        ([RUNS[0], run(0, n=99)], "as many samples; received .* on 100 and .* on 99"),
        ([RUNS[0], run(0, n=99), run(0, n=98)], "as many samples"),
        ([0.5] * 99, r"received (float, ){28}floa$"),
        ([RUNS[0], run(0, names=("a", "b", "c"))], "same classes"),
    ],
)
def test_refuses(reports, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.summarize_reports(reports)


def test_refuses_a_level_in_percent():
    with pytest.raises(fk.InvalidInputError, match="confidence_level"):
        fk.summarize_reports(RUNS, confidence_level=95)


def test_figures_of_votes_are_summarized_where_all_reports_have_them():
    shares, *tables = np.random.default_rng(0).dirichlet(np.full(7, 0.3), (4, 30))
    runs = [fk.evaluate_predictions(shares, table) for table in tables]
    figures = fk.summarize_reports(runs).figures
    for name, values in (
        ("expected accuracy", [run.expected_accuracy for run in runs]),
        ("KL divergence", [run.kl_divergence for run in runs]),
    ):
        assert figures[name].mean == pytest.approx(np.mean(values))
    assert figures["KL divergence"].interval[1] > 1  # as the loss, it has no greatest value
    labels = [fk.evaluate_predictions(shares.argmax(axis=1), table) for table in tables]
    assert "KL divergence" not in fk.summarize_reports(labels).figures
