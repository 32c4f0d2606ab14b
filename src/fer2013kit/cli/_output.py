"""Where results go: standard output, standard error, and files."""

from __future__ import annotations

import errno
import io
import json
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from fer2013kit.exceptions import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure


def print_result(
    document: Mapping[str, Any],
    text: str,
    *,
    as_json: bool,
    files: Mapping[str, Path | None] | None = None,
) -> None:
    """Print a result, as a document or as the text for people, and the files that were written.

    A file that was not asked for is None.
    """
    if files is not None:
        paths = {kind: None if path is None else str(path) for kind, path in files.items()}
        document = {**document, "files": paths}
        named = [f"{kind}: {path}" for kind, path in paths.items() if path is not None]
        text = "\n".join([text, *named] if text else named)
    if as_json:
        text = json.dumps(_for_json(document), indent=2, allow_nan=False)
    if text:
        click.echo(printable(text))


def _for_json(value: Any) -> Any:
    """Return a document with None for NaN and infinity, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: _for_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_for_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_note(message: str) -> None:
    """Print what is going on, on standard error; what would steer the terminal is shown as "?"."""
    click.echo(printable(message), err=True)


def print_error(message: str) -> None:
    """Print what went wrong in one line, on standard error."""
    print_note(f"fer2013kit: {' '.join(message.split())}")


def create_parents(*paths: Path | None) -> None:
    """Create the folders of files that are written later, so that a long job fails at once.

    So it does where nothing can be written.
    """
    from fer2013kit._files import check_replaceable

    for path in paths:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            check_replaceable(path)
            if not os.access(path.parent, os.W_OK):
                raise PermissionError(errno.EACCES, "nothing can be written here", str(path.parent))


def refuse_to_overwrite(inputs: Iterable[Path], **outputs: Path | None) -> None:
    """Raise a usage error where an option names a file that is read, or its folder."""
    read = {place for path in inputs for place in (path.resolve(), path.parent.resolve())}
    for name, output in outputs.items():
        if output is not None and output.resolve() in read:
            raise click.UsageError(
                f"--{name.replace('_', '-')} '{output}' is read, or holds what is read, and "
                "would write over it; name another place"
            )


def one_line(path: str | Path) -> str:
    """Return a path without what would begin another line."""
    return " ".join(str(path).splitlines())


def plain_cell(value: Any) -> Any:
    """Return what a spreadsheet shows as it is: a text that it would compute gets a quote before.

    Names of files and classes may come from anybody.  A carriage return, which Python's writer
    does not quote, would begin another row: it becomes a question mark.
    """
    if not isinstance(value, str):
        return value
    value = value.replace("\r", "?")
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\n")) else value


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV."""
    from fer2013kit._files import write_atomically

    table = table.rename(columns=plain_cell).map(plain_cell)
    write_atomically(path, table.to_csv(index=False, lineterminator="\n").encode(errors="replace"))


def write_figure(path: Path, figure: Figure) -> None:
    """Write a figure in the format that the path's ending names."""
    from fer2013kit._files import write_atomically

    content = io.BytesIO()
    kind = path.suffix.removeprefix(".")
    figure.savefig(content, format=kind, dpi=150, bbox_inches="tight")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue())


def free_name(stem: str, taken: set[str]) -> str:
    """Return the stem, with a number where that name is taken, and take it."""
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.casefold())
    return name
