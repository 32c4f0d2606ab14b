"""--plugin: a module of the user, whose architectures are registered when it is imported."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Final

import click

from fer2013kit.cli._quiet import import_keras
from fer2013kit.exceptions import Fer2013KitError

_SOURCE: Final = ".py"


def import_plugins(names: tuple[str, ...]) -> None:
    """Import modules by their names, or by the paths of their files.

    Raises
    ------
    click.BadParameter
        Where there is no such module or file.
    Fer2013KitError
        Where a module fails while it is imported.
    """
    if names:
        import_keras()  # a module that builds networks does so anyway, with all its messages
    for name in names:
        try:
            _import_plugin(name)
        except click.ClickException:
            raise
        except Exception as error:  # whatever the user's code raises
            raise Fer2013KitError(f"--plugin {name}: {type(error).__name__}: {error}") from error


def _import_plugin(name: str) -> None:
    path = Path(name)
    is_file = path.suffix == _SOURCE
    folder = path.parent if is_file else Path()
    _search_in(folder.resolve())
    if is_file and path.is_file():
        module_name = path.stem
        known = getattr(sys.modules.get(module_name), "__file__", None)
        if known is not None and Path(known).resolve() == path.resolve():
            return  # asked for twice
        spec = importlib.util.spec_from_file_location(module_name, path)
        assert spec is not None  # noqa: S101 - the ending is that of a source file
        assert spec.loader is not None  # noqa: S101 - the same
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
        return
    if is_file or not _is_module(name):
        raise click.BadParameter(
            f"{name!r}: no such module or file; expected the name of a module that Python finds, "
            f"or the path of a {_SOURCE} file.",
            param_hint="'--plugin'",
        )
    importlib.import_module(name)


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # no such package, or no name that a module can have
        return False


def _search_in(folder: Path) -> None:
    """Let a plugin import the modules beside it; they hide none that Python finds anyway."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
