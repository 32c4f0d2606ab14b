"""FER-2013 facial expressions, end to end.

Load the data set from any of its forms, audit it, train a five-layer CNN,
evaluate it honestly, save it and predict.  Every public name stands in this namespace;
names are imported when they are first used, so ``import fer2013kit`` costs next to nothing.

Examples
--------
>>> import fer2013kit as fk
>>> data = fk.make_fer2013(n_samples=70, random_state=0)
>>> data.train.images.shape[1:]
(48, 48, 1)
"""

import lazy_loader

_import_name, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    from fer2013kit._optional import needed

    with needed(f"fer2013kit.{name}"):
        return _import_name(name)
