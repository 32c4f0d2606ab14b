"""An evaluation report as a page: one HTML file that holds its images and needs no network."""

from __future__ import annotations

import io
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit import plotting
from fer2013kit._metrics import average_scores
from fer2013kit._optional import needed
from fer2013kit._version import __version__
from fer2013kit.evaluation._gallery import data_uri, galleries
from fer2013kit.evaluation._style import STYLE
from fer2013kit.evaluation._tables import count_text
from fer2013kit.evaluation._text import (
    describe_gap,
    describe_interval,
    headline,
    report_tables,
)
from fer2013kit.plotting._parts import history_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes

    from fer2013kit.evaluation import EvaluationReport
    from fer2013kit.evaluation._tables import Rows


def render_page(
    report: EvaluationReport,
    *,
    title: str,
    history: Any,
    samples: Any,
    facts: Mapping[str, Any],
    random_state: int,
) -> str:
    """Return the page; the arguments are those of :meth:`EvaluationReport.to_html`."""
    # Before the charts, which take long: samples that cannot be used are refused at once.
    pictures = [
        _section(heading, gallery) for heading, gallery in galleries(report, samples, random_state)
    ]
    sections = [
        _headline(report, title),
        _section("Classes", _class_table(report)),
        _section("Figures", _charts(report, history)),
        *_groups(report),
        *pictures,
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
<footer>Written by fer2013kit {__version__}</footer>
</body>
</html>
"""


def _sentence(text: str) -> str:
    """Return a text with a capital in front; ``capitalize`` would take the others away."""
    return text[:1].upper() + text[1:]


def _section(heading: str, content: str) -> str:
    return f"<section>\n<h2>{escape(heading)}</h2>\n{content}\n</section>"


def _headline(report: EvaluationReport, title: str) -> str:
    main = (
        f'<div class="tile main"><dt>Accuracy</dt><dd><b>{report.accuracy:.1%}</b>'
        f"<small>{describe_interval(report, '.1%')}</small></dd></div>"
    )
    others = "\n".join(
        f'<div class="tile"><dt>{_sentence(name)}</dt><dd>'
        f"<b>{value:{'.1%' if 'accuracy' in name else '.3f'}}</b>"
        f"<small>{remark}</small></dd></div>"
        for name, value, remark in headline(report)[1:]
    )
    notes = "".join(f'<p class="note">{escape(note)}</p>\n' for note in report.notes)
    return (
        f"<header>\n<h1>{escape(title)}</h1>\n"
        f"<p>{report.n_samples:,} samples in {len(report.class_names)} classes</p>\n"
        f"{notes}</header>\n"
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
            support = count_text(row["support"])
            lines.append(f'<tr><th scope="row">{escape(name)}</th>{bars}<td>{support}</td></tr>')
        lines.append("</tbody>")
    lines.append("</table></div>")
    return "\n".join(lines)


def _charts(report: EvaluationReport, history: Any) -> str:
    curves = _learning_curves(history)  # before the others: it may be refused
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
        *_reliability(report),
        *curves,
        _chart(
            partial(_plot_balance, report),
            (max(5.4, 0.78 * k), 3.6),
            "Samples of each class. "
            + ", ".join(
                f"{name}: {count_text(true)} true, {count_text(predicted)} predicted"
                for name, true, predicted in zip(
                    report.class_names,
                    report.confusion_matrix.sum(axis=1).tolist(),
                    report.confusion_matrix.sum(axis=0).tolist(),
                    strict=True,
                )
            )
            + ".",
        ),
    ]
    return f'<div class="charts">\n{"".join(figures)}</div>'


def _reliability(report: EvaluationReport) -> list[str]:
    if not len(report.reliability["count"]):
        return []
    return [
        _chart(
            partial(plotting.plot_reliability, report),
            (4.8, 4.6),
            f"Reliability diagram. Calibration error {report.ece:.3f}, mean confidence "
            f"{report.mean_confidence:.1%}, accuracy {report.accuracy:.1%}.",
        )
    ]


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
    matrix = np.rint(report.confusion_matrix).astype(np.int64)
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
    """Return a figure element, drawn without pyplot and its state."""
    with needed("to_html"):
        from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(ax=figure.subplots())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160, transparent=True)
    return (
        f'<figure class="chart"><img src="{data_uri(buffer.getvalue())}" '
        f'alt="{escape(description)}" style="max-width:{size[0] * 100:.0f}px"></figure>\n'
    )


def _matrix_table(report: EvaluationReport) -> str:
    table = _plain_table(report_tables(report)["confusion_matrix"])
    return (
        "<details><summary>Rows are true classes, columns predicted ones</summary>\n"
        f"{table}</details>"
    )


def _groups(report: EvaluationReport) -> list[str]:
    if not report.groups:
        return []
    table = _plain_table(report_tables(report)["groups"])
    return [_section("Groups", f"{table}\n<p>{escape(_sentence(describe_gap(report)))}</p>")]


def _plain_table(rows: Rows) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in rows[0])
    body = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in rows[1:]
    )
    return (
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _facts(facts: Mapping[str, Any]) -> list[str]:
    if not facts:
        return []
    rows = "\n".join(
        f"<div><dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in facts.items()
    )
    return [_section("How it was made", f'<dl class="facts">\n{rows}\n</dl>')]
