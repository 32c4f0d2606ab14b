"""Libraries that need not be there, and how each error says to install what is missing."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from importlib import metadata
from typing import TYPE_CHECKING, Final

from fer2013kit.exceptions import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL: Final = "fer2013kit"
_LIGHT: Final = "fer2013kit-light"
_BACKENDS: Final = ("jax", "openvino", "torch")  # of Keras, for whoever chooses one


@contextmanager
def needed(what: str, *, extra: str = "", library: str = "", otherwise: str = "") -> Iterator[None]:
    """Say what needs a library that is imported inside, and how to install it.

    ``what`` begins the message.  It advises to install the package itself, an ``extra`` of it, or
    another ``library``; ``otherwise``, what can be done without it, ends the message.

    Raises
    ------
    MissingDependencyError
        In place of the ImportError.

    Examples
    --------
    >>> from fer2013kit._optional import needed
    >>> with needed("a poem", library="rhyme"):
    ...     import rhyme
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.MissingDependencyError: a poem needs rhyme, which is not installed: ...
    """
    try:
        yield
    except ImportError as error:
        missing = missing_library(error, what, extra=extra, library=library, otherwise=otherwise)
        if missing is error:
            raise
        raise missing from error


def missing_library(
    error: ImportError, what: str, *, extra: str = "", library: str = "", otherwise: str = ""
) -> ImportError:
    """Return the error that :func:`needed` raises.

    It is the same one where it says already what to install, or where a module of this package
    itself is missing.
    """
    name = (error.name or library or "a library").partition(".")[0]
    if isinstance(error, MissingDependencyError) or name == _FULL:
        return error
    absent = isinstance(error, ModuleNotFoundError)
    reason = "is not installed" if absent else f"cannot be imported ({error})"
    advice = f"pip install {library}" if library else how_to_install(extra)
    if name in _BACKENDS and not library and not extra:
        advice = f"pip install {name}, or set KERAS_BACKEND=tensorflow in the environment"
    rest = f". {otherwise}" if otherwise else ""
    return MissingDependencyError(f"{what} needs {name}, which {reason}: {advice}{rest}")


def how_to_install(extra: str) -> str:
    """Return the command that brings what is missing.

    Pip leaves a package that is installed as it is, wherever it came from, and brings only what it
    lacks; so the command is right whether or not the package can be downloaded.
    """
    installed, extras = _installed()
    if extra in extras:
        return f'pip install "{installed}[{extra}]"'
    wanted = f'"{_FULL}[{extra}]"' if extra else _FULL
    if installed == _FULL:
        return f"pip install {wanted}"
    return (
        f"{_LIGHT} predicts with EmotionPredictor; for everything else take the whole kit in its "
        f"place: pip uninstall {_LIGHT}, then pip install {wanted}, or in a checkout of it "
        f"pip install {wanted.replace(_FULL, '.')}"
    )


def _installed() -> tuple[str, list[str]]:
    """Return under which name this package is installed, and the extras that it has there."""
    for name in (_FULL, _LIGHT):
        with suppress(metadata.PackageNotFoundError):
            return name, metadata.metadata(name).get_all("Provides-Extra", [])
    return _FULL, []
