"""Writing files so that a half-written one never carries the final name."""

from __future__ import annotations

import secrets
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write_atomically(path: Path, content: bytes | Callable[[IO[bytes]], object]) -> None:
    """Write a temporary file in the same folder, then rename it to ``path``.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    content : bytes or callable
        What to write, or a function that writes it to a binary file.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
