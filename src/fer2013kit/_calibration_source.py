"""What a calibration was fitted on, so that a report on the same images can say so."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict

import numpy as np

from fer2013kit._untrusted import is_count, is_mapping, is_text
from fer2013kit.exceptions import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    class Pictures(Protocol):
        """An array of them, or what stands for one."""

        def __len__(self) -> int: ...
        def __getitem__(self, index: slice, /) -> Iterable[Any]: ...


_BATCH: Final = 1024

_N_DIGESTS: Final = 256
"""So many images stand for a larger set, which keeps the files small that remember them."""


_LEAST: Final = 0.005
"""A smaller share of a report's images is not told: it would be "about 0 %"."""


class CalibrationSource(TypedDict):
    """What a calibration was fitted on, as far as it takes to know its images again.

    Of the images' digests the 256 smallest are kept: a random sample, whatever the images, of
    which another set's smallest digests tell how much the two have in common (Broder, "On the
    resemblance and containment of documents", 1997).
    """

    n_samples: int
    digests: list[str]


def calibration_source(pixels: Pictures) -> CalibrationSource:
    """Return what tells a set of images in [0, 255], in whatever order they stand.

    Floats count as the nearest whole numbers.
    """
    return CalibrationSource(n_samples=len(pixels), digests=_digests(pixels)[:_N_DIGESTS])


def read_calibration_source(found: Any) -> CalibrationSource | None:
    """Return what a file says of its calibration's images, checked; None where it says nothing.

    Raises
    ------
    ValueError
        For what :func:`calibration_source` does not return.
    """
    if found is None or (is_mapping(found) and "digests" not in found):  # an older file
        return None
    fits = is_mapping(found) and is_count(found.get("n_samples"))
    digests = found["digests"] if fits else None
    if not (
        isinstance(digests, list)
        and len(digests) == min(found["n_samples"], _N_DIGESTS)
        and all(map(is_text, digests))
    ):
        raise ValueError(f"calibration, received {shown(found)}")
    return CalibrationSource(n_samples=found["n_samples"], digests=digests)


def calibration_note(sources: Sequence[CalibrationSource], pixels: Pictures) -> str | None:
    """Return what a report on images has to say about those that the calibration was fitted on.

    Of several sources the first that the report shares images with is named; None where less than
    one image in two hundred is common, as copies are that an audit would find: the figures show
    nothing of so few.  Parts of sets of more than 256 images are estimates: with a hundred of
    3,589 images in common, one in a thousand is overlooked.

    Examples
    --------
    >>> import numpy as np
    >>> from fer2013kit._calibration_source import calibration_note, calibration_source
    >>> pixels = np.arange(12).reshape(3, 2, 2, 1)
    >>> print(calibration_note([calibration_source(pixels[:2])], pixels[1:]))
    The calibration was fitted on about 50 % of these images: loss and calibration error ...
    """
    digests = set(_digests(pixels)) if sources else set()
    shares = (_share_of(source, digests) for source in sources)
    share = next((share for share in shares if share >= _LEAST), None)
    if share is None:
        return None
    which = "these very images" if share == 1 else f"about {share:.0%} of these images"
    return (
        f"The calibration was fitted on {which.replace('%', ' %')}: loss and calibration error "
        "look better than they are."
    )


def _share_of(source: CalibrationSource, digests: set[str]) -> float:
    known, seen = source["digests"], digests
    if len(known) < source["n_samples"]:  # digests beyond the last that was kept tell nothing
        seen = {digest for digest in digests if digest <= known[-1]}
    return len(seen.intersection(known)) / max(1, len(seen))


def _digests(pixels: Pictures) -> list[str]:
    starts = range(0, len(pixels), _BATCH)  # what lies on a disk is read piece by piece
    return sorted(
        blake2b(np.rint(one).astype(np.int32).tobytes(), digest_size=8).hexdigest()
        for start in starts
        for one in pixels[start : start + _BATCH]
    )
