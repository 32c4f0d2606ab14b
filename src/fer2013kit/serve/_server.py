"""A server for the page, on a port of this computer."""

from __future__ import annotations

import errno
import ipaddress
import json
import socket
import threading
import webbrowser
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from starlette.responses import JSONResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from fer2013kit.exceptions import InvalidInputError
from fer2013kit.serve._guard import HEADERS

if TYPE_CHECKING:
    import asyncio

    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send

_MAX_CONNECTIONS: Final = 512
_SECONDS_TO_FINISH: Final = 1
_SECONDS_TO_ASK: Final = 10


def listen(host: str, port: int) -> socket.socket:
    """Return a socket on which connections wait from now on; port 0 is any free one.

    Raises
    ------
    InvalidInputError
        Where `host` is no address of this computer, nor a name for one, or `port` is taken or
        reserved.
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


class _Connection(H11Protocol):
    """A connection that is closed unless it asks soon: idle ones would shut others out.

    Of too many, those beyond the limit are answered as all else is; uvicorn's own answer lacks the
    headers.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        page = self.app

        async def page_unless_crowded(scope: Scope, receive: Receive, send: Send) -> None:
            if len(self.connections) > _MAX_CONNECTIONS:
                await _crowded(scope, receive, send)
            else:
                await page(scope, receive, send)

        self.app = page_unless_crowded

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio: BaseTransport
        super().connection_made(transport)
        self._patience = self.loop.call_later(_SECONDS_TO_ASK, self._close_unless_asked)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as all else is answered; uvicorn does it without the headers."""
        content = json.dumps({"error": msg}).encode()
        headers = {**HEADERS, "content-type": "application/json", "connection": "close"}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        length = f"content-length: {len(content)}\r\n\r\n"
        self.transport.write(f"HTTP/1.1 400 Bad Request\r\n{head}{length}".encode() + content)
        self.transport.close()

    def _close_unless_asked(self) -> None:
        asked: object = self.cycle  # None until a request's head has come
        if asked is None:
            self.transport.close()


_crowded: Final = JSONResponse(
    {"error": "too many connections at once; try again in a moment"},
    503,
    {**HEADERS, "retry-after": "1", "connection": "close"},
)


def run_server(app: Starlette, listener: socket.socket) -> None:
    """Answer until the process is told to stop (Ctrl-C, SIGTERM), and end within two seconds.

    What is asked in a second by then is answered; a photo that takes longer is left.
    """
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=_Connection,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,  # nothing of a visit is kept
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
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
