"""audit_dataset: duplicates, leaks across splits, conflicting labels, blank images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._checks import check_flags, check_number
from fer2013kit.datasets._audit_report import ALONE, BLANK_LIMIT, AuditReport
from fer2013kit.datasets._decode import as_faces
from fer2013kit.datasets._duplicates import find_blank, group_identical, group_similar, half_size
from fer2013kit.datasets._fer2013 import FER2013
from fer2013kit.datasets._split import Split
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer2013kit._checks import IntArray


def audit_dataset(
    data: FER2013 | Split, *, near_duplicates: bool = True, min_correlation: float = 0.94
) -> AuditReport:
    """Find duplicates, leaks, conflicting labels and blank images in a data set.

    Found are: images that occur more than once, byte for byte or nearly so; among them rows of
    ``validation`` and ``test`` whose image also stands in ``train`` (leaks) and identical
    images with different labels (conflicts); and blank images.

    Parameters
    ----------
    data : FER2013 or Split
        The data set.  Splits may be missing, unlabelled or read-only.
    near_duplicates : bool, default True
        Look for near-duplicates as well.
    min_correlation : float, default 0.94
        Least correlation, above 0 and at most 1, of the pixels of two images at half
        resolution for which they count as near-duplicates.

    Returns
    -------
    AuditReport
        What was found, with ways to leave it out.

    Raises
    ------
    InvalidInputError
        For something else than a data set, splits whose images have different shapes or other
        than 1 or 3 channels, or a correlation out of range.

    See Also
    --------
    AuditReport : What comes back.
    load_fer2013 : Reads what is audited.

    Notes
    -----
    The time grows with the number of rows, not with its square; all of FER-2013 takes seconds.

    Near-duplicates are met by way of a perceptual hash (signs of the low frequencies of the
    discrete cosine transform), then compared.  Groups are chained: an image belongs to a group
    when it is similar to one of its members.  Copies of one photograph with another contrast, a
    watermark or a slightly different crop are found; mirrored ones are not.  Blank images are
    left out.  Images of another shape are made grey ones of 48x48 for all but byte-identity.

    The default was chosen by looking at pairs of FER-2013: of 384 pairs above 0.94 all were
    copies of one photograph, or shots that cannot be told apart from copies; of 96 between 0.93
    and 0.94 three were different ones.  Of all pairs above 0.94, the hash lets 98 % meet.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=140, random_state=0)
    >>> leaky = fk.FER2013(train=data.train, test=data.test.concat(data.train.subset([0, 1])))
    >>> report = fk.audit_dataset(leaky)
    >>> report.leaks["test"]
    array([14, 15])
    >>> fk.audit_dataset(report.drop_leaks()).leaks["test"]
    array([], dtype=int64)
    """
    if isinstance(data, Split):
        data = FER2013(train=data)
    if not isinstance(data, FER2013):
        raise InvalidInputError(
            f"data must be a FER2013 or a Split; received {type(data).__name__}"
        )
    check_flags(near_duplicates=near_duplicates)
    check_number("min_correlation", min_correlation, "(0, 1]")
    images = [split.images for split in data.splits.values()]
    if len(shapes := {tuple(split.image_shape) for split in data.splits.values()}) > 1:
        raise InvalidInputError(
            "data must have images of one shape in all splits; received "
            f"{' and '.join(map(str, sorted(shapes)))}"
        )
    pictures = group_identical(images)
    if IMAGE_SHAPE not in shapes:
        images = [as_faces(one) for one in images]
    blank = find_blank(images, limit=BLANK_LIMIT)
    similar = None
    if near_duplicates:
        groups = _group_pictures(half_size(images), pictures, blank, min_correlation)
        # Identical images are one image: a group of near-duplicates has two different ones.
        similar = _number_groups(groups[pictures], sizes=np.bincount(groups))
    return AuditReport(
        data=data,
        duplicate_groups=_by_split(data, _number_groups(pictures, sizes=np.bincount(pictures))),
        near_duplicate_groups=None if similar is None else _by_split(data, similar),
        blank=_by_split(data, blank),
    )


def _group_pictures(
    small: NDArray[np.uint16],
    pictures: IntArray,
    blank: NDArray[np.bool_],
    min_correlation: float,
) -> IntArray:
    """Return the group of each different image, blank ones apart from all others."""
    _, rows = np.unique(pictures, return_index=True)
    compared = np.flatnonzero(~blank[rows])
    groups = np.arange(len(rows), dtype=np.int64)
    similar = group_similar(small, rows[compared], min_correlation=min_correlation)
    groups[compared] = compared[similar]
    return groups


def _number_groups(groups: IntArray, *, sizes: IntArray) -> IntArray:
    """Give groups of more than one numbers, by their first rows, and ``ALONE`` to the others."""
    numbers = np.full(len(groups), ALONE, dtype=np.int64)
    shared = sizes[groups] > 1
    _, first_rows, place = np.unique(groups[shared], return_index=True, return_inverse=True)
    numbers[shared] = np.argsort(np.argsort(first_rows))[place]
    return numbers


def _by_split(data: FER2013, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Cut an array over all rows into one for each split."""
    ends = np.cumsum([len(split) for split in data.splits.values()])
    return dict(zip(data.splits, np.split(rows, ends[:-1]), strict=True))
