"""A small page on this computer: drop a photo or use the camera, see emotions.

Starlette and uvicorn, the extra ``serve``; TensorFlow only where an explanation is asked for.
"""

from fer2013kit._optional import needed

with needed("the page", extra="serve"):
    from fer2013kit.serve._app import create_app
    from fer2013kit.serve._server import is_loopback, listen, open_browser, run_server, url_of

__all__ = ["create_app", "is_loopback", "listen", "open_browser", "run_server", "url_of"]
