"""Tables of strings, and their forms: aligned text, Markdown, LaTeX."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fer2013kit.exceptions import InvalidInputError, did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

Rows = list[list[str]]
"""A heading, then rows of as many cells; the first column holds names, the others figures."""

_LATEX: Final = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


class Tabular:
    """Base of the reports that can be written as tables."""

    def _tables(self) -> dict[str, Rows]:
        """Return the tables by name."""
        raise NotImplementedError

    def to_markdown(self, table: str | None = None) -> str:
        """Return tables in Markdown, for an issue, a README or a model card.

        Parameters
        ----------
        table : str, optional
            The name of one table, for instance "figures" or "classes"; None for all.

        Returns
        -------
        str
            Tables with an empty line between them.

        Raises
        ------
        InvalidInputError
            For an unknown table.

        See Also
        --------
        EvaluationReport.to_latex : The same for a paper.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> report = fk.evaluate_predictions([3, 3, 6, 4], [3, 6, 6, 4])
        >>> print(report.to_markdown("figures"))
        | figure | value |  |
        | --- | ---: | ---: |
        | accuracy | 0.750 | 95% Wilson interval 0.301 to 0.954 |
        | balanced accuracy | 0.833 | mean recall of the classes |
        | macro F1 | 0.778 | mean F1 of the classes |
        """
        return "\n\n".join(map(as_markdown, self._chosen(table)))

    def to_latex(self, table: str | None = None) -> str:
        r"""Return tables in LaTeX, for a paper: ``tabular`` with the rules of booktabs.

        Parameters
        ----------
        table : str, optional
            The name of one table, for instance "figures" or "classes"; None for all.

        Returns
        -------
        str
            Tables with an empty line between them.  The preamble needs
            ``\usepackage{booktabs}``.

        Raises
        ------
        InvalidInputError
            For an unknown table.

        See Also
        --------
        EvaluationReport.to_markdown : The same for a README.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> report = fk.evaluate_predictions([3, 3, 6, 4], [3, 6, 6, 4])
        >>> print(report.to_latex("classes").splitlines()[7])
        happy & 1.000 & 0.500 & 0.667 & 2 \\
        """
        return "\n\n".join(map(as_latex, self._chosen(table)))

    def _chosen(self, table: str | None) -> list[Rows]:
        tables = self._tables()
        if table is None:
            return list(tables.values())
        if table not in tables:
            raise InvalidInputError(
                f"table must be one of {', '.join(map(repr, tables))}; "
                f"received {shown(table)}{did_you_mean(str(table), tables)}"
            )
        return [tables[table]]


def as_text(rows: Sequence[Sequence[str]]) -> str:
    """Set columns side by side: the first from the left, the others from the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def as_markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return a table of GitHub's Markdown; figures stand on the right."""
    safe = [[re.sub(r"([|\\`*_<])", r"\\\1", cell) for cell in row] for row in rows]
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (safe[0], rule, *safe[1:]))


def as_latex(rows: Sequence[Sequence[str]]) -> str:
    """Return a ``tabular``; figures stand on the right."""
    lines = [" & ".join(_latex_cell(cell) for cell in row) + r" \\" for row in rows]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{l{'r' * (len(rows[0]) - 1)}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _latex_cell(text: str) -> str:
    """Return a text for LaTeX, where the minus of a number would be a hyphen."""
    escaped = "".join(_LATEX.get(mark, mark) for mark in text)
    return re.sub(r"(?<!\S)-(?=\d)", "$-$", escaped)


def count_text(count: float) -> str:
    """Return a number of samples, or a sum of weights with one decimal."""
    return f"{count:,}" if isinstance(count, int) else f"{count:,.1f}"
