"""The page as an ASGI application."""

from __future__ import annotations

import asyncio
import html
import json
import logging
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fer2013kit._checks import check_number
from fer2013kit._version import __version__
from fer2013kit.exceptions import Fer2013KitError, InvalidInputError, shown
from fer2013kit.faces import sample_photos
from fer2013kit.serve._guard import Guard
from fer2013kit.serve._openapi import describe
from fer2013kit.serve._work import DEFAULT, PhotoWork
from fer2013kit.serve._worker import Worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from fer2013kit.typing import Classifier, Detector, DetectorName

_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_INDEX: Final = "index.html"
_MEGA: Final = 1_000_000
_MAX_WAITING: Final = 8
"""Photos in memory at once: one is worked on, the others wait."""

_UPLOAD_SECONDS: Final = 60
_REST_SECONDS: Final = 5
_MAX_DIGITS: Final = 9

_logger = logging.getLogger(__name__)


def create_app(
    classifier: Classifier | None = None,
    *,
    detector: DetectorName | Detector | None = None,
    max_megabytes: float = 20,
    max_megapixels: float = 50,
    max_seconds: float = 60,
    hosts: Iterable[str] = (),
    label: str | None = None,
) -> Starlette:
    """Return the page of ``fer2013kit serve`` as an ASGI application, for a server of your own.

    A photo that is dropped on the page, or an image of the camera, comes as the body of a
    request, is analysed in memory and forgotten: nothing is stored or logged, and no other host
    is asked for anything.

    Parameters
    ----------
    classifier : object, optional
        As for :func:`analyze_photo`.  With the default or an :class:`EmotionClassifier`, and where
        TensorFlow is installed, the page explains its answers (:func:`explain`).
    detector : {"yunet", "opencv", "mtcnn", "dlib"} or callable, optional
        As for :func:`analyze_photo`.
    max_megabytes : float, default 20
        Larger uploads are refused while they come; in millions of bytes.
    max_megapixels : float, default 50
        Images of more pixels are refused before they are decoded; in millions, 80 at most
        for other than JPEG.
    max_seconds : float, default 60
        After so long the answer is that a photo takes too long, or that others do.
    hosts : iterable of str, optional
        Names by which browsers may call the page, without port, besides localhost and any
        address: a request under another name is refused.
    label : str, optional
        What the page calls `classifier`: the name or the file that :func:`load_predictor` takes,
        so that the code which the page shows loads it.

    Returns
    -------
    starlette.applications.Starlette
        With the routes ``GET /`` (the page), ``POST /analyze`` and ``POST /explain`` (the body is
        an image file; JSON comes back), ``GET /models``, ``GET /health`` and ``GET /openapi.json``,
        which describes them.

    Raises
    ------
    InvalidInputError
        For a limit that is not positive, and for what :func:`analyze_photo` refuses.
    MissingDependencyError
        Where the extra ``serve`` is not installed.

    See Also
    --------
    analyze_photo : Does the work.

    Notes
    -----
    One photo is worked on at a time and seven wait; the next one gets status 503.  Errors are
    JSON, too: ``{"error": "..."}``, with status 400 (damaged, or an unknown parameter), 403 and
    421 (another site), 408 (came too slowly), 413 (too large), 415 (no image), 422 (took too long),
    501 (no explanations).  Uploads that are still coming keep nobody
    waiting.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> app = fk.create_app(max_megabytes=5)
    >>> [route.path for route in app.routes][:3]
    ['/', '/health', '/models']
    """
    limits = {
        "max_megabytes": max_megabytes,
        "max_megapixels": max_megapixels,
        "max_seconds": max_seconds,
    }
    for name, limit in limits.items():
        check_number(name, limit, "(0, inf)")
    names = None if isinstance(hosts, str) or not isinstance(hosts, Iterable) else tuple(hosts)
    if names is None or not all(isinstance(name, str) for name in names):
        raise InvalidInputError(f"hosts must be a sequence of names; received {shown(hosts)}")
    if not isinstance(label, str | None):
        raise InvalidInputError(f"label must be a name or None; received {shown(label)}")
    max_pixels = round(max_megapixels * _MEGA)
    work = PhotoWork(classifier, detector, max_pixels=max_pixels, label=label)
    photos = _PhotoQueue(max_bytes=round(max_megabytes * _MEGA), max_seconds=max_seconds)
    files = dict(_page_files())
    files[_INDEX] = _fill_in(files[_INDEX], work, max_megabytes, max_megapixels)

    async def file(request: Request) -> Response:
        name = request.path_params.get("name", _INDEX)
        if name not in files or (name == _INDEX and "name" in request.path_params):
            raise HTTPException(404, "there is no such page")
        ending = name[name.rindex(".") :]
        return Response(files[name], media_type=_TYPES[ending])

    models = work.models()
    health = {"status": "ok", "version": __version__, "explains": work.explains()}
    description = describe([model["name"] for model in models], round(max_megabytes * _MEGA))

    async def analyze(request: Request) -> Response:
        return await photos.serve(request, partial(work.analyze, **_choices(request)))

    async def explain(request: Request) -> Response:
        choices = _choices(request, "face", "emotion")
        number = request.query_params.get("face", "0")
        if not (number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS):
            raise HTTPException(400, f"face must be a number from 0; received {shown(number)}")
        emotion = request.query_params.get("emotion")
        asked = partial(work.explain, number=int(number), emotion=emotion, **choices)
        return await photos.serve(request, asked)

    app = Starlette(
        routes=[
            Route("/", file),
            Route("/health", _telling(health)),
            Route("/models", _telling({"models": models})),
            Route("/openapi.json", _telling(description)),
            Route("/analyze", analyze, methods=["POST"]),
            Route("/explain", explain, methods=["POST"]),
            Route("/page/{name}", file),
        ],
        middleware=[Middleware(Guard, hosts=names)],
        exception_handlers={HTTPException: _as_json},
    )
    app.state.worker = photos.worker
    return app


def _telling(content: dict[str, Any]) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers the same to everybody."""

    async def tell(_: Request) -> Response:
        return JSONResponse(content)

    return tell


def _choices(request: Request, *more: str) -> dict[str, Any]:
    """Return what the address says of the network, and of what is a face.

    Other parameters than these and `more` are refused: misspelt, they would change nothing.
    """
    known = ("model", "whole", *more)
    asked = [name for name, _ in request.query_params.multi_items()]
    for name in asked:
        if name not in known:
            raise HTTPException(
                400, f"there is no parameter {shown(name)}; those here are {', '.join(known)}"
            )
        if asked.count(name) > 1:
            raise HTTPException(400, f"the parameter {name} must come once")
    whole = request.query_params.get("whole", "false")
    if whole not in {"true", "false"}:
        raise HTTPException(400, f"whole must be true or false; received {shown(whole)}")
    return {"model": request.query_params.get("model", DEFAULT), "whole": whole == "true"}


class _PhotoQueue:
    """Takes photos in, one after the other, and no more than fit in memory."""

    def __init__(self, *, max_bytes: int, max_seconds: float) -> None:
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._present = 0
        self._held = 0  # bytes of photos that are still coming
        self.worker = Worker()

    async def serve(self, request: Request, work: Callable[[bytes], Any]) -> Response:
        """Read the photo, work on it in the thread, and answer."""
        try:
            content = await self._read(request)
            answer = await self._work(work, content)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except asyncio.CancelledError:  # the server ends
            return Response(status_code=503)
        except Fer2013KitError as error:
            raise HTTPException(_status_of(error), str(error)) from error
        except HTTPException:
            await _take_in_rest(request)
            raise
        except Exception as error:  # answered here, where the headers are put on
            _logger.exception("a photo could not be worked on")
            raise HTTPException(500, "an internal error of the page; see its console") from error
        return JSONResponse(answer)

    async def _work(self, work: Callable[[bytes], Any], content: bytes) -> Any:
        """Wait for the thread, but not for ever."""
        if self._present >= _MAX_WAITING:
            raise self._too_many()
        self._present += 1
        job = self.worker.submit(work, content)
        try:
            async with asyncio.timeout(self._max_seconds):
                return await asyncio.shield(asyncio.wrap_future(job))
        except TimeoutError as error:
            if job.cancel():  # it had not begun
                raise self._too_many() from error
            raise HTTPException(
                422, f"the photo takes over {self._max_seconds:g} s; make it smaller"
            ) from error
        finally:
            self._present -= 1

    def _too_many(self) -> HTTPException:
        return HTTPException(
            503, "too many photos at once; try again in a moment", {"Retry-After": "1"}
        )

    async def _read(self, request: Request) -> bytes:
        if request.headers.get("content-type", "").lower().startswith("multipart/"):
            raise HTTPException(415, "send the image's bytes as the body, not in a form")
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > self._max_bytes:
            raise self._too_large()
        content = bytearray()
        try:
            async with asyncio.timeout(_UPLOAD_SECONDS):
                async for chunk in request.stream():
                    content += chunk
                    self._held += len(chunk)
                    if len(content) > self._max_bytes:
                        raise self._too_large()
                    if self._held > _MAX_WAITING * self._max_bytes:
                        raise self._too_many()
        except TimeoutError as error:
            raise HTTPException(408, f"the photo took over {_UPLOAD_SECONDS} s to come") from error
        finally:
            self._held -= len(content)
        if not content:
            raise HTTPException(400, "there is no photo: the body of the request is empty")
        return bytes(content)

    def _too_large(self) -> HTTPException:
        return HTTPException(
            413,
            f"the photo is too large; expected at most {self._max_bytes / _MEGA:g} megabytes",
        )


async def _take_in_rest(request: Request) -> None:
    """Let whoever closes the connection afterwards finish sending, which else fails unanswered.

    Where the connection stays, the server does so; who waits to be told to send is told not to.
    """
    if request.headers.get("connection", "").lower() != "close" or "expect" in request.headers:
        return
    with suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_REST_SECONDS):
            async for _ in request.stream():
                pass


def _status_of(error: Fer2013KitError) -> int:
    """Return what went wrong as a status; each error may bring its own."""
    if isinstance(error, ImportError):
        return 501
    status: int = getattr(error, "status", 400)
    return status


async def _as_json(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for no other
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def _page_files() -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the page's files and of the sample photos."""
    for file in resources.files("fer2013kit.serve").joinpath("page").iterdir():
        if file.name.endswith(tuple(_TYPES)):
            yield file.name, file.read_bytes()
    for photo in sample_photos():
        yield photo.name, photo.read_bytes()


def _fill_in(page: bytes, work: PhotoWork, max_megabytes: float, max_megapixels: float) -> bytes:
    """Return the page with the limits and what there is to be had."""
    samples = {path.name: path.stem.replace("_", " ").title() for path in sample_photos()}
    facts = {
        "version": __version__,
        "max_megabytes": f"{max_megabytes:g}",
        "max_megapixels": f"{max_megapixels:g}",
        "models": json.dumps(work.models()),
        "colors": json.dumps(work.colors()),
        "samples": json.dumps(samples),
    }
    escaped = {name: html.escape(text) for name, text in facts.items()}
    return Template(page.decode()).substitute(escaped).encode()
