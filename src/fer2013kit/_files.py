"""Files: written so that a half-written one never carries the final name; rubbish told apart."""

from __future__ import annotations

import secrets
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_RUBBISH: Final = frozenset({"__macosx", "thumbs.db", "desktop.ini", "icon\r"})


def is_rubbish(name: str) -> bool:
    """Tell whether a file or folder is hidden, or what operating systems leave lying about."""
    return name.startswith(".") or name.lower() in _RUBBISH


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
