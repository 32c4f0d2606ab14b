"""The command line: every command one call or so into the API.

Exit codes: 0; 1 for a failed job, said in one line on standard error; 2 for bad usage; 130 when
interrupted.  Results go to standard output, all else to standard error.  Heavy libraries are
imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import logging

import click

from fer2013kit._version import __version__
from fer2013kit.cli._benchmark import benchmark
from fer2013kit.cli._data import audit, fetch, info
from fer2013kit.cli._demo import demo
from fer2013kit.cli._evaluate import evaluate
from fer2013kit.cli._explain import explain
from fer2013kit.cli._export import export
from fer2013kit.cli._models import models
from fer2013kit.cli._plugins import import_plugins
from fer2013kit.cli._predict import predict
from fer2013kit.cli._program import Program, make_output_safe
from fer2013kit.cli._score import score
from fer2013kit.cli._serve import serve
from fer2013kit.cli._train import train
from fer2013kit.cli._tune import tune
from fer2013kit.cli._video import video

__all__ = ["main"]


@click.group("fer2013kit", cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--debug",
    is_flag=True,
    envvar="FER2013KIT_DEBUG",
    help="Log what happens, show TensorFlow's messages, and tracebacks instead of one line.",
)
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="MODULE",
    help="Import a module of yours, or a .py file, first: what it gives to register_model is then "
    "known by name. May be given more than once.",
)
@click.version_option(__version__, prog_name="fer2013kit", message="%(prog)s %(version)s")
def main(*, debug: bool, plugins: tuple[str, ...]) -> None:
    """FER-2013 facial expressions: from a download to a trained, evaluated, saved classifier.

    Try `fer2013kit demo`: it needs no download.
    """
    make_output_safe()
    if debug:
        logging.basicConfig(level=logging.INFO, format="fer2013kit: %(message)s")
    import_plugins(plugins)


_with_data = (fetch, info, audit, train, tune, evaluate, benchmark)
_in_use = (models, predict, score, video, explain, export, serve, demo)
for _command in (*_with_data, *_in_use):
    main.add_command(_command)
