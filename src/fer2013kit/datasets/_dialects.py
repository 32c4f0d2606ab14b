"""The dialects in which FER-2013 is distributed: one row each, in the order of preference.

A new one is a file with two functions and a row here: ``find`` recognises it in a listing and
``read`` makes rows of what was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fer2013kit.datasets._array_files import find_arrays, read_arrays
from fer2013kit.datasets._csv_sets import (
    find_split_csvs,
    find_whole_csv,
    read_csvs,
)
from fer2013kit.datasets._parquet import find_parquet, read_parquet
from fer2013kit.datasets._picture_folders import find_pictures, read_pictures
from fer2013kit.datasets._picture_lists import find_lists, read_lists
from fer2013kit.datasets._webdataset import find_webdataset, read_webdataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from fer2013kit.datasets._listing import Found, Listing, Options
    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._rows import Rows


@dataclass(frozen=True)
class Dialect:
    """One way to write FER-2013 down.

    Attributes
    ----------
    title : str
        What errors call it among what was expected.
    find : callable
        Returns the data set of this dialect that a listing holds, or None.
    read : callable
        Reads what was found, into the arrays that it is given where it can.
    """

    title: str
    find: Callable[[Listing, Options], Found | None]
    read: Callable[[Listing, Found, Options, NewImages], Rows]


DIALECTS: Final = (
    Dialect(
        "fer2013.csv or icml_face_data.csv (pixels, emotion, Usage)", find_whole_csv, read_csvs
    ),
    Dialect("a folder train/<class>/ and test/<class>/ of images", find_pictures, read_pictures),
    Dialect("images beside a list of their labels, such as label.csv", find_lists, read_lists),
    Dialect("WebDataset, .jpg beside .cls", find_webdataset, read_webdataset),
    Dialect("Hugging Face parquet", find_parquet, read_parquet),
    Dialect(
        "arrays X and y in .npz, .npy or .h5, or an .npz written by FER2013.save",
        find_arrays,
        read_arrays,
    ),
    Dialect("train.csv, val.csv and test.csv (pixels, emotion)", find_split_csvs, read_csvs),
)

EXPECTED: Final = (
    f"{', '.join(dialect.title for dialect in DIALECTS)}, or a .zip or .tar.gz of one of these"
)
