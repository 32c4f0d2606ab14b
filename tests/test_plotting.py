import os
import subprocess
import sys
from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure
from PIL import Image, ImageCms
from sklearn import metrics

import fer2013kit as fk
from fer2013kit.plotting._faces import as_pictures

HISTORY = {
    "loss": [2.0, 1.5, 1.2],
    "val_loss": [1.9, 1.4, 1.6],
    "accuracy": [0.2, 0.5, 0.6],
    "val_accuracy": [0.3, 0.55, 0.5],
}


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    yield
    plt.close("all")


# Machado, Oliveira and Fernandes (2009), severity 1: what people without one kind of cones see.
COLOR_VISION = {
    "full": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [
        *([0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689])
    ],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def lab_colors(colors, vision):
    """Colours in CIELAB as an eye sees them."""
    rgb = np.array([mpl.colors.to_rgb(color) for color in colors])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(COLOR_VISION[vision]), 0, 1)
    srgb = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    profiles = map(ImageCms.createProfile, ("sRGB", "LAB"))
    transform = ImageCms.buildTransform(*profiles, "RGB", "LAB")
    image = Image.fromarray((255 * srgb).round().astype(np.uint8)[None])
    lab = np.asarray(ImageCms.applyTransform(image, transform))[0]
    return np.column_stack([lab[:, 0] / 2.55, lab[:, 1:].view(np.int8)])


@pytest.mark.parametrize("vision", COLOR_VISION)
def test_no_eye_takes_one_class_for_another(vision):
    lab = lab_colors(fk.emotions.CLASS_COLORS, vision)
    distances = np.linalg.norm(lab[:, None] - lab, axis=2) + 100 * np.eye(len(lab))
    assert distances.min() > 15  # about 2 is what can just be seen side by side


def new_axes():
    return Figure(figsize=(5, 4)).subplots()


def some_report(k=7, n=300):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, k, n)
    weights = rng.random((n, k)) + 2 * np.eye(k)[codes] * rng.random((n, 1))
    names = fk.CLASS_NAMES if k == 7 else [f"class {i}" for i in range(k)]
    table = weights / weights.sum(axis=1, keepdims=True)
    return fk.evaluate_predictions(codes, table, class_names=names)


def faces(n=20):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 48, 48, 1), dtype=np.uint8), np.arange(n) % 7


PLOTS = {
    "confusion matrix": lambda ax: fk.plot_confusion_matrix(some_report(), ax=ax),
    "history": lambda ax: fk.plot_history(HISTORY, ax=ax),
    "samples": lambda ax: fk.plot_samples(*faces(), ax=ax),
    "class balance": lambda ax: fk.plot_class_balance(faces()[1], ax=ax),
    "reliability": lambda ax: fk.plot_reliability(some_report(), ax=ax),
}


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_draws_into_the_axes_it_is_given(plot):
    ax = new_axes()
    assert plot(ax) is ax
    assert not plt.get_fignums()
    ax.figure.draw_without_rendering()


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_makes_one_figure_otherwise_and_changes_no_setting(plot):
    before = dict(mpl.rcParams)
    ax = plot(None)
    assert isinstance(ax, mpl.axes.Axes)
    assert len(plt.get_fignums()) == 1
    assert dict(mpl.rcParams) == before
    ax.figure.draw_without_rendering()


@pytest.mark.parametrize("plot", [p for name, p in PLOTS.items() if name != "samples"])
def test_axes_say_what_they_show(plot):
    ax = plot(new_axes())
    assert ax.get_title()
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_matplotlib_is_imported_by_drawing_and_works_without_a_display():
    code = """if True:
        import sys, warnings
        warnings.simplefilter("error")
        import fer2013kit as fk
        plot = fk.plot_history
        assert "matplotlib" not in sys.modules
        plot({"accuracy": [0.1, 0.2]}).figure.savefig(sys.argv[1])
        assert "tensorflow" not in sys.modules and "seaborn" not in sys.modules
    """
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-c", code, os.devnull]
    result = subprocess.run(  # noqa: S603 - our own interpreter and code
        command, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_confusion_matrix_writes_shares_and_counts():
    ax = fk.plot_confusion_matrix([[3, 1], [0, 0]], class_names=("a", "b"), ax=new_axes())
    assert [t.get_text() for t in ax.texts] == ["75%\n3", "25%\n1", "0%\n0", "0%\n0"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]
    np.testing.assert_allclose(ax.images[0].get_array(), [[75, 25], [0, 0]])


def test_confusion_matrix_of_counts():
    ax = fk.plot_confusion_matrix([[3000, 1], [0, 0]], normalize=None, ax=new_axes())
    assert [t.get_text() for t in ax.texts] == ["3,000", "1", "0", "0"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["0", "1"]


def test_confusion_matrix_takes_names_from_the_report_or_the_emotions():
    for source in (some_report(), np.eye(7, dtype=int)):
        ax = fk.plot_confusion_matrix(source, ax=new_axes())
        assert [t.get_text() for t in ax.get_xticklabels()] == list(fk.CLASS_NAMES)
    own = [f"emotion {i}" for i in range(7)]
    ax = fk.plot_confusion_matrix(some_report(), class_names=own, ax=new_axes())
    assert [t.get_text() for t in ax.get_xticklabels()] == own


def test_confusion_matrix_writes_where_it_can_be_read():
    every_shade = np.arange(100).reshape(10, 10)
    ax = fk.plot_confusion_matrix(every_shade, normalize=None, ax=new_axes())
    image = ax.images[0]
    shades = image.to_rgba(image.get_array())
    for text in ax.texts:
        column, row = map(int, text.get_position())
        paper = _luminance(shades[row, column, :3])
        ink = _luminance(mpl.colors.to_rgb(text.get_color()))
        contrast = (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)
        assert contrast >= 4.5  # WCAG 2, level AA


def _luminance(rgb):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize(
    ("matrix", "options", "message"),
    [
        ([[1, 2, 3], [1, 2, 3]], {}, r"shape \(k, k\); received \(2, 3\)"),
        ([1, 2], {}, "shape"),
        ([[0.5, 0.5], [0.5, 0.5]], {}, "counts"),
        ([[1, -1], [0, 0]], {}, "counts"),
        ([[1, 0], [0, 1]], {"class_names": ["a"]}, "2 names; received 1"),
        ([[1, 0], [0, 1]], {"normalize": "all"}, "'true' or None; received 'all'"),
    ],
)
def test_confusion_matrix_refuses(matrix, options, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.plot_confusion_matrix(matrix, **options)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("metric", "best"), [("accuracy", "0.550 in epoch 2"), ("loss", "1.400 in epoch 2")]
)
def test_history_draws_both_curves_and_marks_the_best(metric, best):
    ax = fk.plot_history(HISTORY, metric=metric, ax=new_axes())
    training, validation, mark = ax.lines
    np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(training.get_ydata(), HISTORY[metric])
    np.testing.assert_array_equal(validation.get_ydata(), HISTORY[f"val_{metric}"])
    np.testing.assert_array_equal(mark.get_xdata(), [2])
    labels = [t.get_text() for t in ax.get_legend().get_texts()]
    assert labels == ["training", f"validation (best {best})"]


@pytest.mark.parametrize(
    "history", [SimpleNamespace(history_=HISTORY), SimpleNamespace(history=HISTORY), HISTORY]
)
def test_history_of_classifier_keras_and_dict(history):
    assert len(fk.plot_history(history, ax=new_axes()).lines) == 3


def test_history_without_validation_and_with_a_lost_epoch():
    ax = fk.plot_history({"loss": [np.nan, 2.0, 3.0]}, metric="loss", ax=new_axes())
    assert ax.lines[0].get_label() == "training (best 2.000 in epoch 2)"
    ax = fk.plot_history({"loss": [np.nan]}, metric="loss", ax=new_axes())
    assert ax.lines[0].get_label() == "training"


@pytest.mark.parametrize(
    ("history", "metric", "message"),
    [
        (HISTORY, "acuracy", "did you mean 'accuracy'.* holds: loss, accuracy"),
        ({}, "accuracy", "holds: nothing"),
        ([0.1, 0.2], "accuracy", "received list"),
        (SimpleNamespace(history_=None), "accuracy", "received NoneType"),
    ],
)
def test_history_refuses(history, metric, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.plot_history(history, metric=metric)


def captions(ax):
    return [t.get_text() for t in ax.texts]


def test_samples_in_order_where_all_fit_and_at_random_otherwise():
    X, y = faces()
    ax = fk.plot_samples(X[:5], y[:5], ax=new_axes())
    assert captions(ax) == list(fk.CLASS_NAMES[:5])
    np.testing.assert_array_equal(ax.images[3].get_array(), X[3, ..., 0])
    first, second = (
        captions(fk.plot_samples(X, y, n=9, random_state=s, ax=new_axes())) for s in (1, 1)
    )
    assert first == second
    assert len(first) == 9
    other = captions(fk.plot_samples(X, y, n=9, random_state=2, ax=new_axes()))
    assert other != first


def test_samples_tell_right_from_wrong_by_word_sign_and_colour():
    X, _ = faces(2)
    table = [[0.9, 0.1], [0.8, 0.2]]
    ax = fk.plot_samples(
        X, ["calm", "cross"], probabilities=table, class_names=("calm", "cross"), ax=new_axes()
    )
    assert captions(ax) == ["✓ calm 90%", "✗ calm 80%\nis cross"]
    right, wrong = ax.texts
    assert right.get_color() != wrong.get_color()


def test_samples_with_predictions_alone():
    X, _ = faces(2)
    assert captions(fk.plot_samples(X, predictions=["sad", "fear"], ax=new_axes())) == [
        "sad",
        "fear",
    ]
    table = np.eye(7)[[3, 4]] * 0.3 + 0.1
    ax = fk.plot_samples(X, predictions=[3, 0], probabilities=table, ax=new_axes())
    assert captions(ax) == ["happy 40%", "angry 10%"]
    assert captions(fk.plot_samples(X, ax=new_axes())) == ["", ""]


@pytest.mark.parametrize("n", [1, 2, 3, 5, 12, 16, 25, 64])
def test_samples_lie_beside_one_another_inside_the_axes(n):
    ax = fk.plot_samples(*faces(n), n=n)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    boxes = [image.get_extent() for image in ax.images]
    assert len(boxes) == n
    for x0, x1, y1, y0 in boxes:
        assert left <= x0 < x1 <= right
        assert top <= y0 < y1 <= bottom
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[1] <= b[0] or b[1] <= a[0] or a[2] <= b[3] or b[2] <= a[3]
    ax.figure.draw_without_rendering()
    # No caption is wider than the cell it stands in.
    cell = ax.get_window_extent().width / (right - left)
    assert all(text.get_window_extent().width <= cell for text in ax.texts)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((np.empty((0, 48, 48), np.uint8),), {}, "nothing to draw"),
        ((faces()[0],), {"n": 0}, "n must be a whole number from 1"),
        ((faces()[0], [1]), {}, "same length; received 20 and 1"),
        ((faces(2)[0], [1, 7]), {}, "received 7"),
        ((faces(2)[0], ["sad", "bored"]), {}, "received 'bored'"),
        ((faces(2)[0], np.full((2, 7), 1 / 7)), {}, r"of shares of votes shares\.argmax\(axis=1\)"),
        ((faces(2)[0],), {"probabilities": np.ones((2, 6))}, r"shape \(m, 7\)"),
        ((np.zeros((2, 3)),), {}, "images must have shape"),
        ((np.full((2, 48, 48), np.nan),), {}, "finite"),
    ],
)
def test_samples_refuse(arguments, options, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.plot_samples(*arguments, **options)
    assert not plt.get_fignums()


@given(
    arrays(np.uint8, (2, 6, 5)),
    st.sampled_from(["uint8", "int64", "0 to 255", "0 to 1", "one channel", "RGB"]),
)
def test_pictures_of_every_form_look_the_same(pictures, form):
    forms = {
        "uint8": pictures,
        "int64": pictures.astype(np.int64),
        "0 to 255": np.concatenate([pictures, np.full_like(pictures[:1], 200)]).astype(np.float32),
        "0 to 1": pictures / 255,
        "one channel": pictures[..., None],
        "RGB": np.stack([pictures] * 3, axis=-1),
    }
    shown = as_pictures(forms[form])[:2]
    assert shown.dtype == np.uint8
    np.testing.assert_array_equal(shown[..., 0] if form == "RGB" else shown, pictures)


def test_standardised_pictures_are_stretched():
    shown = as_pictures(np.array([[[-2.0, 0.0, 2.0]], [[5.0, 5.0, 5.0]]]))
    np.testing.assert_array_equal(shown, [[[0, 128, 255]], [[0, 0, 0]]])
    assert as_pictures(np.zeros((3, 2304), np.uint8)).shape == (3, 48, 48)


def test_class_balance_of_labels():
    ax = fk.plot_class_balance([0, 0, 0, 6], ax=new_axes())
    assert captions(ax) == ["3", "0", "0", "0", "0", "0", "1"]
    np.testing.assert_allclose([bar.get_height() for bar in ax.patches], [75, *[0] * 5, 25])
    named = fk.plot_class_balance(["angry"] * 3 + ["neutral"], ax=new_axes())
    assert captions(named) == captions(ax)


def test_class_balance_has_a_series_for_each_split_with_labels():
    data = fk.make_fer2013(n_samples=70, random_state=0)
    series = {"train": data.train, "validation": data.validation}
    unlabelled = fk.FER2013(**series, test=fk.Split(data.test.images))
    ax = fk.plot_class_balance(unlabelled, ax=new_axes())
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        f"{name} ({len(split)})" for name, split in series.items()
    ]
    for bars, split in zip(ax.containers, series.values(), strict=True):
        expected = 100 * np.bincount(split.labels, minlength=7) / len(split)
        np.testing.assert_allclose([bar.get_height() for bar in bars], expected)
    one = fk.plot_class_balance(data.train, ax=new_axes())
    assert len(one.containers) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "no labels"),
        ({"train": None}, "no labels"),
        ([7], "received 7"),
        (["bored"], "received 'bored'"),
        ({"train": np.full((2, 7), 1 / 7)}, r"of shares of votes shares\.argmax\(axis=1\)"),
    ],
)
def test_class_balance_refuses(data, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.plot_class_balance(data)


def test_reliability_draws_the_bins():
    report = some_report()
    ax = fk.plot_reliability(report, ax=new_axes())
    assert f"{report.ece:.3f}" in ax.get_title()
    bins = report.reliability
    occupied = bins["count"] > 0
    points = next(line for line in ax.lines if line.get_marker() == "o")
    np.testing.assert_allclose(points.get_xdata(), bins["confidence"][occupied])
    np.testing.assert_allclose(points.get_ydata(), bins["accuracy"][occupied])
    shares = [bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(shares, bins["count"] / report.n_samples)
    again = fk.plot_reliability(report.as_dict()["reliability"], ax=new_axes())
    assert again.get_title() == ax.get_title()


def test_two_networks_are_told_apart_in_one_reliability_diagram():
    one, other = some_report(), some_report(n=200)
    ax = fk.plot_reliability(one, name="old $", ax=new_axes())
    assert fk.plot_reliability(other, name="new", ax=ax) is ax
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == [
        "perfectly calibrated",
        rf"old \$ (calibration error {one.ece:.3f})",
        f"new (calibration error {other.ece:.3f})",
    ]
    lines = [line for line in ax.lines if line.get_marker() == "o"]
    assert len({line.get_color() for line in lines}) == 2
    assert len({line.get_linestyle() for line in lines}) == 2
    assert ax.get_title() == "Reliability, 95% intervals"
    bars = [container[0].get_facecolor()[:3] for container in ax.containers if len(container) == 15]
    assert bars == [mpl.colors.to_rgb(line.get_color()) for line in lines]
    ax.figure.draw_without_rendering()


@pytest.mark.parametrize("plot", [fk.plot_roc, fk.plot_precision_recall])
def test_two_networks_are_told_apart_in_curves_of_each_class(plot):
    rng = np.random.default_rng(0)
    y, *tables = np.arange(70) % 7, *rng.dirichlet(np.ones(7), (2, 70))
    alone = plot(y, tables[0], ax=new_axes())
    ax = plot(y, tables[0], name="old", ax=new_axes())
    for table, name in ((tables[1], "new"), (tables[1], None)):
        assert plot(y, table, name=name, ax=ax) is ax
    handles, labels = ax.get_legend_handles_labels()
    assert len(handles) == 21
    figures = [label.partition("(")[2] for label in labels]
    assert labels[:7] == [f"old: {label}" for label in alone.get_legend_handles_labels()[1]]
    assert [label.partition(" (")[0] for label in labels[7:14]] == [
        f"new: {name}" for name in fk.CLASS_NAMES
    ]
    assert figures[7:14] == figures[14:]
    colors = [handle.get_color() for handle in handles]
    assert colors[:7] == colors[7:14] == colors[14:]
    kinds = [
        {str(handle._unscaled_dash_pattern) for handle in handles[i : i + 7]} for i in (0, 7, 14)
    ]
    assert [len(kind) for kind in kinds] == [1, 1, 1]
    assert len(set.union(*kinds)) == 3
    assert len([line for line in ax.lines if line not in handles]) == (plot is fk.plot_roc)
    ax.figure.draw_without_rendering()


def votes(n=60):
    """Shares of ten votes each, and probabilities of a network."""
    rng = np.random.default_rng(4)
    shares = rng.multinomial(10, rng.dirichlet(np.ones(7) / 2, n)) / 10
    return shares, 0.5 * shares + 0.5 * rng.dirichlet(np.ones(7), n)


def test_of_votes_the_curves_are_those_of_the_largest_share_against_the_others():
    shares, table = votes()
    largest = np.array([row.tolist().index(max(row)) for row in shares])
    assert set(largest) == set(range(7))
    frame = pd.DataFrame(shares[:, ::-1], columns=fk.CLASS_NAMES[::-1])
    for plot, score, word in (
        (fk.plot_roc, metrics.roc_auc_score, "AUC"),
        (fk.plot_precision_recall, metrics.average_precision_score, "AP"),
    ):
        expected = [
            f"{name} ({word} = {score(largest == code, table[:, code]):.2f})"
            for code, name in enumerate(fk.CLASS_NAMES)
        ]
        for truth in (shares, frame, largest):
            legend = plot(truth, table, ax=new_axes()).get_legend_handles_labels()[1]
            assert legend[:7] == expected
    ax = fk.plot_risk_coverage(shares, table, ax=new_axes())
    curve = fk.risk_coverage_curve(largest, table)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), curve.risk)
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), curve.coverage)
    report = fk.evaluate_predictions(shares, table)
    cells = metrics.confusion_matrix(largest, table.argmax(axis=1))
    assert [text.get_text() for text in fk.plot_confusion_matrix(report, normalize=None).texts] == [
        str(count) for count in cells.ravel()
    ]


@pytest.mark.parametrize(
    "plot",
    [fk.plot_roc, fk.plot_precision_recall, fk.plot_risk_coverage, fk.risk_coverage_curve],
)
def test_curves_say_what_they_need(plot):
    shares, table = votes()
    for truth, answers, message in (
        (np.arange(60) % 7, table.argmax(axis=1), "a curve needs probabilities of shape"),
        (shares * 10, table, "y_true must not be negative .*of votes, divide each row by its sum"),
        (np.where(np.arange(60)[:, None], shares, 0), table, "must have votes in each row"),
        (shares[1:], table, "same length; received 59 and 60"),
        (shares[:, :6], table, r"y_true must have shape \(n,\), or \(n, 7\)"),
        (shares.argmax(axis=1), table[:, :6], "probabilities .*must sum to 1"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            plot(truth, answers)


def test_two_networks_are_told_apart_in_risk_and_coverage():
    table = np.random.default_rng(0).dirichlet(np.ones(7), 70)
    ax = fk.plot_risk_coverage(np.arange(70) % 7, table, name="old", ax=new_axes())
    ax = fk.plot_risk_coverage(np.arange(70) % 7, table[:, ::-1], name="new", ax=ax)
    texts = [text.get_text().partition(" (area 0.")[0] for text in ax.get_legend().get_texts()]
    assert texts == ["old", "new"]
    assert len({line.get_color() for line in ax.lines}) == 2
    assert len({line.get_linestyle() for line in ax.lines}) == 2


def test_names_of_networks_are_texts():
    table = np.eye(7)
    for draw in (
        lambda: fk.plot_reliability(some_report(), name=3),
        lambda: fk.plot_risk_coverage(range(7), table, name=["old"]),
        lambda: fk.plot_roc(range(7), table, name=3),
        lambda: fk.plot_precision_recall(range(7), table, name=3),
    ):
        with pytest.raises(fk.InvalidInputError, match="name must be a text"):
            draw()
    assert not plt.get_fignums()


def test_intervals_of_weighted_samples_are_as_wide_as_those_of_the_report():
    """One bin holds all samples; a few heavy ones tell little."""
    probabilities = np.full((40, 2), (0.72, 0.28))
    truth = np.arange(40) % 3 == 0
    heavy = np.where(np.arange(40) < 4, 50.0, 1.0)
    report = fk.evaluate_predictions(
        truth.astype(int), probabilities, class_names=("a", "b"), sample_weight=heavy
    )
    ax = fk.plot_reliability(report, ax=new_axes())
    (segment,) = ax.containers[-1].lines[2][0].get_segments()
    np.testing.assert_allclose(segment[:, 1], report.accuracy_interval)


@pytest.mark.parametrize(
    ("bins", "message"),
    [
        (3, "received int"),
        ({"confidence": [0.5], "accuracy": [0.5]}, "mapping with"),
        ({"confidence": [0.5], "accuracy": [0.5], "count": [1, 2]}, "equally many"),
        ({"confidence": [np.nan], "accuracy": [np.nan], "count": [0]}, "not empty"),
    ],
)
def test_reliability_refuses(bins, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.plot_reliability(bins)
    assert not plt.get_fignums()


def test_dollars_in_names_are_no_mathematics():
    names = ["$x", r"$\\frac{$", "a$b$c"]
    ax = fk.plot_confusion_matrix(np.eye(3, dtype=int), class_names=names)
    ax.figure.canvas.draw()
    ax = fk.plot_class_balance({"train": [0, 1, 2]}, class_names=names)
    ax.figure.canvas.draw()


@pytest.mark.parametrize("wrong", [3, "ab", None])
def test_class_names_are_a_sequence_of_words(wrong):
    X, table = np.zeros((2, 48, 48, 1), np.uint8), np.eye(2)
    calls = [
        lambda: fk.evaluate_predictions([0, 1], table, class_names=wrong),
        lambda: fk.plot_class_balance([0, 1], class_names=wrong),
        lambda: fk.plot_explanation(X, np.zeros((2, 48, 48)), class_names=wrong),
        lambda: fk.plot_precision_recall([0, 1], table, class_names=wrong),
        lambda: fk.plot_risk_coverage([0, 1], table, class_names=wrong),
        lambda: fk.plot_roc([0, 1], table, class_names=wrong),
        lambda: fk.plot_samples(X, [0, 1], class_names=wrong),
    ]
    if wrong is not None:  # where it is the default
        frame = pd.DataFrame({"time": [0.0], "track": [0], "a": [1.0]})
        calls += [
            lambda: fk.plot_confusion_matrix([[1, 0], [0, 1]], class_names=wrong),
            lambda: fk.plot_timeline(frame, class_names=wrong),
        ]
    for call in calls:
        with pytest.raises(fk.InvalidInputError, match="class_names must be a sequence of words"):
            call()


def test_risk_of_a_second_network_is_not_cut_off():
    y = np.arange(100) % 2
    right = np.where(y[:, None] == [0, 1], 0.9, 0.1)
    ax = fk.plot_risk_coverage(y, right, class_names=("a", "b"), ax=new_axes())
    with pytest.warns(fk.Fer2013KitWarning, match="a for b, b for a"):
        fk.plot_risk_coverage(y, right[:, ::-1], class_names=("a", "b"), ax=ax)
    assert ax.get_ylim()[1] >= 1


def test_history_does_not_guess_the_epochs_of_a_shorter_validation():
    with pytest.raises(fk.InvalidInputError, match="received 4 of the training and 2 of the"):
        fk.plot_history({"loss": [4, 3, 2, 1], "val_loss": [4, 2]}, metric="loss")


def frame_in_another_order(codes):
    table = np.where(np.asarray(codes)[:, None] == np.arange(7), 0.94, 0.01)
    return pd.DataFrame(table, columns=fk.CLASS_NAMES)[list(fk.CLASS_NAMES[::-1])]


def test_columns_of_a_frame_go_by_their_names_beside_images():
    images, labels = faces(3)
    frame = frame_in_another_order(labels)
    ax = fk.plot_samples(images, labels, probabilities=frame, ax=new_axes())
    assert [text.get_text() for text in ax.texts] == ["✓ angry 94%", "✓ disgust 94%", "✓ fear 94%"]
    ax = fk.plot_explanation(images, np.zeros((3, 48, 48)), probabilities=frame, ax=new_axes())
    assert [text.get_text() for text in ax.texts] == ["angry 94%", "disgust 94%", "fear 94%"]
    page = some_report().to_html(samples=(images, labels, frame))
    assert "Most confident mistakes" not in page


@pytest.mark.parametrize("factor", [100, np.nan])
def test_what_is_no_probability_is_not_written_beside_images(factor):
    images, labels = faces(3)
    table = factor * frame_in_another_order(labels).to_numpy()
    with pytest.raises(fk.InvalidInputError, match="probabilities must"):
        fk.plot_samples(images, labels, probabilities=table, ax=new_axes())
    with pytest.raises(fk.InvalidInputError, match="probabilities must"):
        fk.plot_explanation(images, np.zeros((3, 48, 48)), probabilities=table, ax=new_axes())


def test_the_range_of_all_images_counts_when_a_dark_one_is_drawn():
    images = np.full((8, 48, 48), 1.0)
    images[0] = 200
    for seed in range(5):
        ax = fk.plot_samples(images, n=1, random_state=seed, ax=new_axes())
        assert ax.images[0].get_array().max() in {1, 200}


def test_sums_of_weights_are_not_written_as_numbers_of_samples():
    report = fk.evaluate_predictions(
        [0, 0, 1], np.eye(2)[[0, 1, 1]], class_names=("a", "b"), sample_weight=[0.6, 0.2, 0.4]
    )
    ax = fk.plot_confusion_matrix(report, normalize=None, ax=new_axes())
    assert [text.get_text() for text in ax.texts] == ["1.5", "0.5", "0.0", "1.0"]
    assert "weight" in ax.figure.axes[1].get_ylabel()


@pytest.mark.parametrize(
    "bins",
    [
        {"confidence": [0.1, 0.9], "accuracy": [0.2, np.nan], "count": [1, 3]},
        {"confidence": [0.1, 0.9], "accuracy": [0.2, 80], "count": [1, 3]},
        {"confidence": [0.1, 0.9], "accuracy": [0.2, 0.8], "count": [-1, 3]},
        {"confidence": [0.1, 0.9], "accuracy": [0.2, 0.8], "count": [np.nan, 3]},
    ],
)
def test_reliability_refuses_what_is_no_bin(bins):
    with pytest.raises(fk.InvalidInputError, match="bins"):
        fk.plot_reliability(bins, ax=new_axes())


def test_legends_and_titles_hold_every_name_as_it_is():
    y, table = [0, 1], [[0.9, 0.1], [0.6, 0.4]]
    ax = fk.plot_roc(y, table, class_names=("_other", "b"), ax=new_axes())
    assert len(ax.get_legend().get_texts()) == 2
    ax = fk.plot_class_balance({"_mine": [0, 1], "a$b$": [1]}, ax=new_axes())
    assert len(ax.get_legend().get_texts()) == 2
    rows = {"time": [0.0, 0.2], "track": [0, 0], "$a": [0.9, 0.2], "$b": [0.1, 0.8]}
    fk.plot_timeline(rows, ax=new_axes()).figure.draw_without_rendering()


def test_many_classes_and_splits_have_colours_of_their_own():
    names = [f"mood {i}" for i in range(16)]
    table, y = np.full((32, 16), 1 / 16), np.arange(32) % 16
    ax = fk.plot_roc(y, table, class_names=names, ax=new_axes())
    assert len({line.get_color() for line in ax.lines[:16]}) == 16
    ax = fk.plot_class_balance({name: [0, 1] for name in "abcdefgh"}, ax=new_axes())
    assert len({bars.patches[0].get_facecolor() for bars in ax.containers}) == 8


def test_long_names_below_the_bars_do_not_run_together():
    names = [f"a very long class name {number}" for number in range(9)]
    ax = fk.plot_class_balance(np.arange(9), class_names=names)
    ax.figure.draw_without_rendering()
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {30}
    assert {label.get_horizontalalignment() for label in ax.get_xticklabels()} == {"right"}
    short = fk.plot_class_balance([0, 1], class_names=("a", "b"))
    assert short.get_xticklabels()[0].get_rotation() == 0


def test_tracks_late_in_a_video_fill_the_figure():
    rows = {"time": [100.0, 100.2], "track": [0, 0], "height": [90] * 2, "happy": [0.9, 0.2],
            "sad": [0.1, 0.8], "emotion": ["happy", "sad"]}  # fmt: skip
    ax = fk.plot_tracks(rows, ax=new_axes())
    ax.autoscale_view()
    assert ax.get_xlim()[0] > 99


@pytest.mark.parametrize("projection", ["polar", "3d"])
def test_axes_of_another_kind_are_refused(projection):
    ax = Figure().subplots(subplot_kw={"projection": projection})
    with pytest.raises(fk.InvalidInputError, match="two dimensions"):
        fk.plot_class_balance([0, 1], ax=ax)
