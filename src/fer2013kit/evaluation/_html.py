"""An evaluation report as a page: one HTML file that holds its pictures and needs no network."""

from __future__ import annotations

import base64
import io
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit import plotting
from fer2013kit._metrics import average_scores, check_probabilities
from fer2013kit._optional import needed
from fer2013kit._version import __version__
from fer2013kit.evaluation._style import STYLE
from fer2013kit.evaluation._text import describe_confidence
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.plotting._faces import as_pictures
from fer2013kit.plotting._parts import class_codes, history_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from matplotlib.axes import Axes

    from fer2013kit.evaluation import EvaluationReport

_FACES_SHOWN = 12


def render_page(
    report: EvaluationReport,
    *,
    title: str,
    history: Any,
    samples: Any,
    facts: Mapping[str, Any] | None,
) -> str:
    """Return the page; the arguments are those of :meth:`EvaluationReport.to_html`."""
    sections = [
        _headline(report, title),
        _section("Classes", _class_table(report)),
        _section("Figures", _charts(report, history)),
        *_faces(report, samples),
        _section("Confusion matrix in numbers", _matrix_table(report)),
        *_facts(facts),
    ]
    body = "\n".join(sections)
    # The policy lets the page load nothing at all from elsewhere, whatever a text in it says.
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
<footer>Written by fer2013kit {escape(__version__)}</footer>
</body>
</html>
"""


def _section(heading: str, content: str) -> str:
    return f"<section>\n<h2>{escape(heading)}</h2>\n{content}\n</section>"


def _headline(report: EvaluationReport, title: str) -> str:
    low, high = report.accuracy_interval
    level = f"{100 * report.confidence_level:g}%"
    tiles = [
        ("Balanced accuracy", f"{report.balanced_accuracy:.1%}", "mean recall of the classes"),
        ("Macro F1", f"{report.f1_macro:.3f}", "mean F1 of the classes"),
        ("Top-2 accuracy", f"{report.top2_accuracy:.1%}", "true class among the first two"),
        ("Loss", f"{report.loss:.3f}", "mean cross-entropy, nats"),
        (
            "Calibration error",
            f"{report.ece:.3f}",
            f"mean confidence {report.mean_confidence:.1%}, {describe_confidence(report)}",
        ),
    ]
    main = (
        f'<div class="tile main"><dt>Accuracy</dt><dd><b>{report.accuracy:.1%}</b>'
        f"<small>{level} Wilson interval {low:.1%} to {high:.1%}</small></dd></div>"
    )
    others = "\n".join(
        f'<div class="tile"><dt>{name}</dt><dd><b>{value}</b><small>{remark}</small></dd></div>'
        for name, value, remark in tiles
    )
    return (
        f"<header>\n<h1>{escape(title)}</h1>\n"
        f"<p>{report.n_samples:,} samples in {len(report.class_names)} classes</p>\n</header>\n"
        f'<dl class="tiles">\n{main}\n{others}\n</dl>'
    )


def _class_table(report: EvaluationReport) -> str:
    scores = report.per_class
    averages = average_scores(report.confusion_matrix, scores)
    lines = ['<div class="scroll"><table class="scores">', "<thead><tr>"]
    lines += [
        f'<th scope="col">{name}</th>' for name in ("class", "precision", "recall", "F1", "samples")
    ]
    lines.append("</tr></thead>")
    for rows in (scores, averages):
        lines.append("<tbody>")
        for name, row in rows.items():
            bars = "".join(
                f'<td class="bar" style="--share:{value:.3f}">{value:.3f}</td>'
                for value in (row["precision"], row["recall"], row["f1"])
            )
            lines.append(
                f'<tr><th scope="row">{escape(name)}</th>{bars}<td>{row["support"]:,}</td></tr>'
            )
        lines.append("</tbody>")
    lines.append("</table></div>")
    return "\n".join(lines)


def _charts(report: EvaluationReport, history: Any) -> str:
    k = len(report.class_names)
    recalls = ", ".join(
        f"{name} {row['recall']:.0%}" for name, row in report.per_class.items() if row["support"]
    )
    figures = [
        _chart(
            partial(plotting.plot_confusion_matrix, report),
            (1.6 + 0.54 * k, 0.9 + 0.54 * k),
            f"Confusion matrix. Of each true class, predicted correctly: {recalls}.",
        ),
        _chart(
            partial(plotting.plot_reliability, report),
            (4.8, 4.6),
            f"Reliability diagram. Calibration error {report.ece:.3f}, mean confidence "
            f"{report.mean_confidence:.1%}, accuracy {report.accuracy:.1%}.",
        ),
        *_learning_curves(history),
        _chart(
            partial(_plot_balance, report),
            (max(5.4, 0.78 * k), 3.6),
            "Samples of each class. "
            + ", ".join(
                f"{name}: {true:,} true, {predicted:,} predicted"
                for name, true, predicted in zip(
                    report.class_names,
                    report.confusion_matrix.sum(axis=1),
                    report.confusion_matrix.sum(axis=0),
                    strict=True,
                )
            )
            + ".",
        ),
    ]
    return f'<div class="charts">\n{"".join(figures)}</div>'


def _learning_curves(history: Any) -> list[str]:
    if history is None:
        return []
    values = history_of(history)
    metrics = [m for m in ("accuracy", "loss") if m in values or f"val_{m}" in values]
    charts = []
    for metric in metrics or ["accuracy"]:  # plot_history says what is missing
        ends = [
            f"{label} {values[key][-1]:.3f}"
            for label, key in (("training", metric), ("validation", f"val_{metric}"))
            if values.get(key)
        ]
        charts.append(
            _chart(
                partial(plotting.plot_history, values, metric=metric),
                (5.4, 3.6),
                f"Learning curve of the {metric}. After the last epoch: {', '.join(ends)}.",
            )
        )
    return charts


def _plot_balance(report: EvaluationReport, *, ax: Axes) -> None:
    matrix = report.confusion_matrix
    codes = np.arange(len(matrix))
    plotting.plot_class_balance(
        {
            "true": np.repeat(codes, matrix.sum(axis=1)),
            "predicted": np.repeat(codes, matrix.sum(axis=0)),
        },
        class_names=report.class_names,
        ax=ax,
    )
    ax.set(ylabel="share of the samples (%)", title="Class balance")


def _chart(draw: Callable[..., object], size: tuple[float, float], description: str) -> str:
    """Return a figure element; matplotlib's own canvas is used, not pyplot and its state."""
    with needed("to_html"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    draw(ax=figure.subplots())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160, transparent=True)
    return (
        f'<figure class="chart"><img src="{_data_uri(buffer.getvalue())}" '
        f'alt="{escape(description)}" style="max-width:{size[0] * 100:.0f}px"></figure>\n'
    )


def _faces(report: EvaluationReport, samples: Any) -> list[str]:
    """Return the galleries: the most confident mistakes, then the first samples."""
    if samples is None:
        return []
    try:
        images, labels, probabilities = samples
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            "samples must be (images, labels, probabilities), labels may be None; "
            f"received {type(samples).__name__}"
        ) from error
    names = report.class_names
    images, table = np.asarray(images), check_probabilities(probabilities)
    if table.shape != (len(images), len(names)):
        raise InvalidInputError(
            f"the probabilities of {len(images)} samples must have shape "
            f"({len(images)}, {len(names)}); received {table.shape}"
        )
    truth = class_codes(labels, names, images=images)
    predicted, confidence = table.argmax(axis=1), table.max(axis=1)

    def gallery(rows: Iterable[int]) -> str:
        chosen = list(rows)
        cards = [
            _face(
                picture,
                names[predicted[row]],
                f"{confidence[row]:.0%}",
                None if truth is None else names[truth[row]],
            )
            for picture, row in zip(as_pictures(images[chosen]), chosen, strict=True)
        ]
        return f'<div class="faces">\n{"".join(cards)}</div>'

    sections = []
    if truth is not None:
        wrong = np.flatnonzero(predicted != truth)
        worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_FACES_SHOWN]
        if len(worst):
            sections.append(_section("Most confident mistakes", gallery(worst)))
    if len(images):
        first = range(min(len(images), _FACES_SHOWN))
        sections.append(_section("Samples", gallery(first)))
    return sections


def _face(picture: np.ndarray[Any, Any], predicted: str, confidence: str, true: str | None) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    guess = f"{escape(predicted)} {confidence}"
    if true is None:
        alt, caption, kind = f"Face, predicted {predicted}", guess, ""
    elif true == predicted:
        alt, caption, kind = f"Face: {true}, predicted correctly", f"✓ {guess}", "right"
    else:
        alt = f"Face: {true}, predicted {predicted}"
        caption, kind = f"✗ {guess}<br><small>is {escape(true)}</small>", "wrong"
    return (
        f'<figure class="face {kind}"><img src="{_data_uri(buffer.getvalue())}" '
        f'alt="{escape(alt)}"><figcaption>{caption}</figcaption></figure>\n'
    )


def _matrix_table(report: EvaluationReport) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in report.class_names)
    rows = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{count:,}</td>" for count in row)
        + "</tr>"
        for name, row in zip(report.class_names, report.confusion_matrix.tolist(), strict=True)
    )
    return (
        "<details><summary>Rows are true classes, columns predicted ones</summary>\n"
        f'<div class="scroll"><table class="matrix"><thead><tr><th scope="col">true \\ predicted'
        f"</th>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div></details>"
    )


def _facts(facts: Mapping[str, Any] | None) -> list[str]:
    if not facts:
        return []
    rows = "\n".join(
        f"<div><dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in facts.items()
    )
    return [_section("How it was made", f'<dl class="facts">\n{rows}\n</dl>')]


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
