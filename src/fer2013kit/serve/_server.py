"""A server for the page, on a port of this computer."""

from __future__ import annotations

import errno
import ipaddress
import socket
import threading
import webbrowser
from typing import TYPE_CHECKING, Final

import uvicorn

from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from starlette.applications import Starlette

_MAX_CONNECTIONS: Final = 64
_SECONDS_TO_FINISH: Final = 5


def listen(host: str, port: int) -> socket.socket:
    """Return a socket on which connections wait from now on.

    Parameters
    ----------
    host : str
        An address of this computer, or a name for one.
    port : int
        0 for any free one.

    Raises
    ------
    InvalidInputError
        Where `host` is no address of this computer, or `port` is taken or reserved.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except socket.gaierror as error:
        raise InvalidInputError(
            f"host must be an address of this computer or a name for one; received {host!r}"
        ) from error
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: "the port is taken; choose another one, or 0 for any free one",
            errno.EACCES: "the port is reserved; choose one from 1024 on, or 0 for any free one",
            errno.EADDRNOTAVAIL: "this computer has no such address",
        }
        reason = reasons.get(error.errno or 0, error.strerror)
        raise InvalidInputError(f"cannot listen on {host} port {port}: {reason}") from error


def is_loopback(listener: socket.socket) -> bool:
    """Tell whether only this computer itself can reach a socket."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def url_of(listener: socket.socket) -> str:
    """Return where a browser on this computer finds the page."""
    name, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(name)
    if address.is_unspecified:  # every address of this computer
        return f"http://localhost:{port}/"
    return f"http://[{name}]:{port}/" if address.version == 6 else f"http://{name}:{port}/"  # noqa: PLR2004 - the version of the protocol


def run_server(app: Starlette, listener: socket.socket) -> None:
    """Answer until the process is told to stop (Ctrl-C, SIGTERM); photos under way are finished.

    Parameters
    ----------
    app : Starlette
        From :func:`create_app`.
    listener : socket
        From :func:`listen`.
    """
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,  # nothing of a visit is kept
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
    )
    uvicorn.Server(config).run(sockets=[listener])


def open_browser(url: str) -> None:
    """Show a page in the user's browser, where there is one with windows."""

    def show() -> None:
        try:
            browser = webbrowser.get()
        except webbrowser.Error:
            return
        # A browser for terminals would take this one over.
        if type(browser) is not webbrowser.GenericBrowser:
            browser.open(url)

    threading.Thread(target=show, daemon=True).start()
