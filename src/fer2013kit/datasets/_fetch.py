"""fetch_fer2013: the data set from where it lies already, or from Kaggle."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fer2013kit._checks import check_flags
from fer2013kit._optional import needed
from fer2013kit.datasets._cache import HOME_VARIABLE, cache_home
from fer2013kit.datasets._load import load_fer2013
from fer2013kit.exceptions import DatasetNotFoundError

if TYPE_CHECKING:
    from fer2013kit.datasets._fer2013 import FER2013

_logger = logging.getLogger(__name__)

_HANDLE: Final = "msambare/fer2013"
_BY_HAND: Final = (
    "To get the data by hand: download the zip of https://www.kaggle.com/datasets/msambare/fer2013 "
    "(images, 56 MB), or icml_face_data.csv of the Kaggle competition 'Challenges in "
    "Representation Learning: Facial Expression Recognition Challenge' (the original pixels, "
    "301 MB), and put it, as it is, into the folder {folder} (moved by the environment variable "
    "{variable}); or pass its path to load_fer2013"
)


def fetch_fer2013(
    *,
    ferplus: str | os.PathLike[str] | None = None,
    cache: bool = True,
    download_if_missing: bool = True,
) -> FER2013:
    """Load FER-2013 from this machine, or download it from Kaggle.

    The first of these is loaded with :func:`load_fer2013`:

    1. what lies in the folder ``fer2013`` in the cache folder of this package (the platform's
       cache folder for ``fer2013kit``, or ``FER2013KIT_HOME``);
    2. ``msambare/fer2013`` in the cache of kagglehub (``KAGGLEHUB_CACHE``);
    3. the same, downloaded by kagglehub (extra ``fetch``), 56 MB.

    Parameters
    ----------
    ferplus : path-like, optional
        FER+ votes to join; see :func:`load_fer2013` on which sources allow it.
    cache : bool, default True
        See :func:`load_fer2013`.
    download_if_missing : bool, default True
        False looks on this machine only.

    Returns
    -------
    FER2013
        The data set.

    Raises
    ------
    DatasetNotFoundError
        When it is not here and cannot be downloaded; the message says what to get by hand and
        where to put it.
    MissingDependencyError
        When it is not here and kagglehub is not installed; the same.

    See Also
    --------
    load_fer2013 : Reads what was downloaded.

    Examples
    --------
    >>> import os, tempfile
    >>> from pathlib import Path
    >>> from unittest import mock
    >>> import fer2013kit as fk
    >>> faces = fk.make_fer2013(n_samples=70, random_state=0)
    >>> with tempfile.TemporaryDirectory() as home:
    ...     (Path(home) / "fer2013").mkdir()
    ...     faces.save(f"{home}/fer2013/faces.npz")
    ...     with mock.patch.dict(os.environ, FER2013KIT_HOME=home):
    ...         data = fk.fetch_fer2013()
    >>> len(data.train) == len(faces.train)
    True
    """
    check_flags(cache=cache, download_if_missing=download_if_missing)
    path = _find_here()
    if path is None and not download_if_missing:
        raise DatasetNotFoundError(f"FER-2013 is not on this machine. {_by_hand()}")
    if path is None:
        path = _download()
    _logger.info("FER-2013 is loaded from %s", path)
    return load_fer2013(path, ferplus=ferplus, cache=cache)


def _find_here() -> Path | None:
    """Return where the data lie on this machine, or None."""
    own = _own_folder()
    if own.is_dir() and any(not entry.name.startswith(".") for entry in own.iterdir()):
        return own
    return _find_in_kagglehub_cache()


def _own_folder() -> Path:
    return cache_home() / "fer2013"


def _find_in_kagglehub_cache() -> Path | None:
    """Return the newest version that kagglehub downloaded whole.

    It is looked for here because kagglehub itself asks the network which version is the newest.
    """
    moved = os.environ.get("KAGGLEHUB_CACHE")
    home = Path(moved) if moved else Path.home() / ".cache" / "kagglehub"
    folder = home / "datasets" / _HANDLE
    versions = [
        int(marker.stem)
        for marker in folder.glob("*.complete")
        if marker.stem.isdecimal() and (folder / "versions" / marker.stem).is_dir()
    ]
    return folder / "versions" / str(max(versions)) if versions else None


def _download() -> Path:
    absent = "FER-2013 is not on this machine, and downloading it"
    with needed(absent, extra="fetch", otherwise=_by_hand()):
        import kagglehub
    try:
        return Path(kagglehub.dataset_download(_HANDLE))
    # kagglehub and what it stands on fail in many ways (network, proxy, credentials, quota, disk),
    # SystemExit among them; to the user they are one: there is no download here and now.
    except (Exception, SystemExit) as error:
        reason = str(error).strip() or type(error).__name__
        raise DatasetNotFoundError(
            f"FER-2013 is not on this machine, and kagglehub could not download it ({reason}). "
            f"Kaggle may want you to be logged in: kagglehub.login(). {_by_hand()}"
        ) from error


def _by_hand() -> str:
    return _BY_HAND.format(folder=_own_folder(), variable=HOME_VARIABLE)
