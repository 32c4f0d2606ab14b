"""The trained networks that ship with the package, and the proof that they are those."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from fer2013kit.exceptions import ChecksumError, ModelFileError, UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOLDER: Final = Path(__file__).parent / "weights"
MANIFEST_NAME: Final = "manifest.json"
DEFAULT_NAME: Final = "five_layer_cnn"
PHOTO_NAME: Final = "ferplus_cnn"
"""What names faces on photographs and videos where nothing else is asked for."""


Kind = Literal["classifier", "predictor"]
"""The file that :class:`EmotionClassifier` reads, or the one for :class:`EmotionPredictor`."""


def list_pretrained() -> list[str]:
    """Return the names of the trained networks that ship with the package, sorted.

    Returns
    -------
    list of str
        Names that :meth:`EmotionClassifier.from_pretrained` and
        :meth:`EmotionPredictor.from_pretrained` take.

    See Also
    --------
    load_predictor : Loads one to predict.
    EmotionClassifier.from_pretrained : Loads one to train on.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> "five_layer_cnn" in fk.list_pretrained()
    True
    """
    return sorted(read_manifest())


def read_manifest(folder: Path | None = None) -> dict[str, Any]:
    """Return the facts about each network, by its name: files, checksums and metrics.

    It is empty where nothing is shipped in the folder, by default that of the package; one that
    cannot be read is a ModelFileError.
    """
    from fer2013kit._untrusted import errors_as  # NumPy with it, for which --help does not wait

    path = (folder or FOLDER) / MANIFEST_NAME
    if not path.exists():
        return {}
    with errors_as(
        lambda why: ModelFileError(f"{path} is damaged ({why}); install the package again")
    ):
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {name: {**entry, "files": {**entry["files"]}} for name, entry in manifest.items()}


def find_pretrained(name: str, kind: Kind) -> tuple[Path, bytes]:
    """Return a path by which messages name a network, and the content that was shipped.

    Raises
    ------
    UnknownModelError
        For a name that :func:`list_pretrained` lacks.
    ModelFileError
        If the file is not there.
    ChecksumError
        If its content is not what the manifest says.
    """
    manifest = read_manifest()
    if not (isinstance(name, str) and name in manifest):
        raise UnknownModelError(
            name,
            known=manifest,
            advice="Pass one of these names; EmotionClassifier.load and EmotionPredictor.load "
            "read files of your own.",
        )
    entry = manifest[name]["files"][kind]
    path = FOLDER / entry["file"]
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelFileError(f"{path} is missing; install the package again") from error
    if "parts" in entry:  # of a network that differs from another one in a few numbers
        content = join_parts(entry["parts"], content)
    received = hashlib.sha256(content).hexdigest()
    if received != entry["sha256"]:
        raise ChecksumError(
            f"{path} is not the file that was shipped; install the package again",
            expected=entry["sha256"],
            received=received,
        )
    return path.with_stem(name), content


def join_parts(parts: Iterable[Sequence[int] | str], base: bytes) -> bytes:
    """Return a file of parts of another, ``[start, stop]``, and what lies between, in base64.

    Examples
    --------
    >>> from fer2013kit.pretrained import join_parts
    >>> join_parts([[0, 3], "bmV3", [3, 6]], b"abcdef")
    b'abcnewdef'
    """
    return b"".join(
        base64.b64decode(part) if isinstance(part, str) else base[slice(*part)] for part in parts
    )
