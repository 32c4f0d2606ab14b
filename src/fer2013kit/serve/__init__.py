"""A small page on this computer: drop a photo or use the camera, see emotions.

Starlette and uvicorn, the extra ``serve``; TensorFlow only where an explanation is asked for.
"""

from fer2013kit.exceptions import MissingDependencyError

try:
    from fer2013kit.serve._app import create_app
    from fer2013kit.serve._server import is_loopback, listen, open_browser, run_server, url_of
except ModuleNotFoundError as error:
    library = (error.name or "").partition(".")[0]
    if library not in {"starlette", "uvicorn"}:
        raise
    raise MissingDependencyError(
        f"the page needs {library}, which is not installed; install it with "
        'pip install "fer2013kit[serve]", or "fer2013kit-light[serve]" where that is installed'
    ) from error

__all__ = ["create_app", "is_loopback", "listen", "open_browser", "run_server", "url_of"]
