"""Data sets: bytes on disk become uint8 arrays, in one container whatever their form."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
