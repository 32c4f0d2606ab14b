"""serve: the page for photos and the camera."""

from __future__ import annotations

import click

from fer2013kit._quiet import quiet_stderr
from fer2013kit.cli._models import load_predictor
from fer2013kit.cli._options import Number, photo_model_option
from fer2013kit.cli._output import print_error, print_note
from fer2013kit.cli._program import Command

_PORT = 2013
_POSITIVE = Number(min=0, min_open=True)


@click.command(
    cls=Command,
    example="serve --model emotions.fer",
    names={"classifier": "--model"},
    context_settings={"show_default": True},
)
@photo_model_option
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=_PORT, help="Port; 0 for any free one."
)
@click.option("--max-megabytes", type=_POSITIVE, default=20, help="Largest upload.")
@click.option("--max-megapixels", type=_POSITIVE, default=50, help="Largest image.")
@click.option("--open-browser/--no-open-browser", default=True, help="Show the page at once.")
def serve(
    *,
    model: str | None,
    host: str,
    port: int,
    max_megabytes: float,
    max_megapixels: float,
    open_browser: bool,
) -> None:
    """Show a page for photos and the camera.

    Drop a photo on it or use the camera: boxes, bars, and where TensorFlow is installed what
    supports the answer. Photos are analysed in memory and forgotten; only this computer can reach
    the page, unless another --host is given. Ctrl-C ends it.
    """
    import os
    import socket
    import sys
    from pathlib import Path

    from fer2013kit import serve as page

    with page.listen(host, port) as listener:
        alone = page.is_loopback(listener)
        if not alone:
            print_error(
                "warning: whoever can reach this computer over the network can use "
                "the page, and photos travel to it unencrypted; without --host, it is for this "
                "computer alone. Browsers elsewhere allow no camera on it."
            )
        network = None if model is None else load_predictor(model)
        with quiet_stderr():
            app = page.create_app(
                network,
                max_megabytes=max_megabytes,
                max_megapixels=max_megapixels,
                hosts=[host] if alone else [host, socket.gethostname()],
                label=None if model is None else Path(model).name,
            )
        url = page.url_of(listener)
        click.echo(url)
        print_note("Ctrl-C ends it.")
        if open_browser:
            page.open_browser(url)
        try:
            page.run_server(app, listener)
        except KeyboardInterrupt:
            print_note("stopped")
        if app.state.worker.is_busy:  # the end does not wait for a photo, which nothing can stop
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
