"""What a calibration was fitted on, so that a report on the same pictures can say so."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, TypedDict

import numpy as np

from fer2013kit._untrusted import is_count, is_mapping, is_text
from fer2013kit.exceptions import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

_N_DIGESTS: Final = 256
"""So many pictures stand for a larger set, which keeps the files small that remember them."""


class CalibrationSource(TypedDict):
    """What a calibration was fitted on, as far as it takes to know its pictures again.

    Of the pictures' digests the 256 smallest are kept: a random sample, whatever the pictures, of
    which another set's smallest digests tell how much the two have in common (Broder, "On the
    resemblance and containment of documents", 1997).
    """

    n_samples: int
    digests: list[str]


def calibration_source(pixels: NDArray[Any]) -> CalibrationSource:
    """Return what tells a set of pictures, in whatever order they stand.

    Parameters
    ----------
    pixels : ndarray, shape (n, ...)
        Pictures in [0, 255]; floats count as the nearest whole numbers.
    """
    return CalibrationSource(n_samples=len(pixels), digests=_digests(pixels)[:_N_DIGESTS])


def read_calibration_source(found: Any) -> CalibrationSource | None:
    """Return what a file says of its calibration's pictures, checked; None where it says nothing.

    Raises
    ------
    ValueError
        For what :func:`calibration_source` does not return.
    """
    if found is None or (is_mapping(found) and "digests" not in found):  # files of before
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


def calibration_note(source: CalibrationSource, pixels: NDArray[Any]) -> str | None:
    """Return what a report on pictures has to say about those that the calibration was fitted on.

    Parameters
    ----------
    source : CalibrationSource
        What it was fitted on.
    pixels : ndarray, shape (n, ...)
        What the report is on.

    Returns
    -------
    str or None
        None where they have no picture in common.  Parts of sets of more than 256 pictures are
        estimates: with a hundred of 3,589 pictures in common, one in a thousand is overlooked.

    Examples
    --------
    >>> import numpy as np
    >>> from fer2013kit._calibration_source import calibration_note, calibration_source
    >>> pixels = np.arange(12).reshape(3, 2, 2, 1)
    >>> print(calibration_note(calibration_source(pixels[:2]), pixels[1:]))
    The calibration was fitted on about 50 % of these pictures: loss and calibration error ...
    """
    known, seen = source["digests"], _digests(pixels)
    if len(known) < source["n_samples"]:  # digests beyond the last that was kept tell nothing
        seen = [digest for digest in seen if digest <= known[-1]]
    in_common = len(set(seen).intersection(known))
    if in_common == 0:
        return None
    share = in_common / len(set(seen))
    which = "these very pictures" if share == 1 else f"about {share:.0%} of these pictures"
    return (
        f"The calibration was fitted on {which.replace('%', ' %')}: loss and calibration error "
        "look better than they are."
    )


def _digests(pixels: NDArray[Any]) -> list[str]:
    return sorted(
        blake2b(np.rint(one).astype(np.int32).tobytes(), digest_size=8).hexdigest()
        for one in pixels
    )
