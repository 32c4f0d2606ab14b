"""load_fer2013: recognise a source, read it or find it in the cache, join the FER+ votes."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from fer2013kit._checks import check_flags
from fer2013kit._files import as_path
from fer2013kit.datasets._cache import cached_rows
from fer2013kit.datasets._fer2013 import FER2013
from fer2013kit.datasets._ferplus_file import check_agreement, join_ferplus
from fer2013kit.datasets._labels import Labels
from fer2013kit.datasets._listing import Options
from fer2013kit.datasets._source import find_source
from fer2013kit.datasets._trees import source_errors
from fer2013kit.exceptions import InvalidInputError, warn

if TYPE_CHECKING:
    import os

    from fer2013kit.datasets._rows import Rows
    from fer2013kit.typing import LabelMap

_logger = logging.getLogger(__name__)


def load_fer2013(
    path: str | os.PathLike[str],
    *,
    label_map: LabelMap | None = None,
    contempt: bool = False,
    resize: bool = False,
    ferplus: str | os.PathLike[str] | None = None,
    cache: bool = True,
) -> FER2013:
    """Load FER-2013 from any of its forms.

    A source is recognised by its content; names of files, folders, columns and arrays give the
    splits, by the words train, training; val, valid, validate, validation, dev, PublicTest; test,
    testing, eval, evaluation, PrivateTest, in upper or lower case.

    - a CSV with ``pixels``, ``emotion`` and ``Usage`` (``fer2013.csv``, ``icml_face_data.csv``,
      and columns under other names), or with a column for each pixel; compressed, too;
    - a folder with ``train/<class>/`` and ``test/<class>/`` of 48x48 images (Kaggle
      ``msambare/fer2013``), also some folders deeper; rows are ordered by split, class code and
      file name.  The folder decides the split; a ``test`` beside which no validation lies is
      divided by the ``PublicTest_`` and ``PrivateTest_`` with which file names begin;
    - images beside a list: the tree of FER+ (``FER2013Train/label.csv``) with its votes,
      Roboflow's ``_classes.csv``, or a CSV of files and labels;
    - WebDataset: ``.jpg`` beside ``.cls``, in one tar or in numbered ones;
    - parquet as Hugging Face and pandas write it (needs the extra ``parquet``);
    - arrays in ``.npz`` (also of :meth:`FER2013.save`), ``.npy`` or ``.h5`` (needs h5py), named
      ``X_train``, ``y_train`` or the like;
    - ``train.csv``, ``val.csv`` and ``test.csv`` (``emotion,pixels``); the challenge's
      ``test.csv`` (``pixels``) has no labels;
    - a ``.zip``, ``.tar`` or compressed tar of one of these, read without unpacking it.

    All files of one set are read.  From a folder with several data sets, the first in this list is
    read, and a warning names the others.

    Parameters
    ----------
    path : path-like
        File or folder.
    label_map : str, or mapping of str or int to str, int or None, optional
        A source's word or number of a class to an emotion (name or code), or to None to leave it
        out, which the log counts.  Labels that it does not name go by their own names, and
        numbers, in CSV files and arrays, are the codes of :class:`Emotion`, unless it says of
        other numbers that they are not.  Or the name of a data set whose labels are known, one of
        :data:`fer2013kit.typing.LabelScheme`: ``"raf-db"``, ``"affectnet"``, ``"ck+"``,
        ``"kdef"``, ``"jaffe"``, ``"expw"``, ``"ferplus"``; what has none of the emotions (unknown,
        no face) is left out and counted.  None for a file of :meth:`FER2013.save`, whose labels are
        codes.
    contempt : bool, default False
        Keep contempt as an eighth class, code 7; otherwise `label_map` leaves it out and the log
        counts it.  A file of :meth:`FER2013.save` is read as it was saved.
    resize : bool, default False
        Convert images of any size and mode to 48x48 grey, as :func:`load_image_folder` does.
        Without it, images of another size are an error, but for those of :meth:`FER2013.save`.
    ferplus : path-like, optional
        ``fer2013new.csv`` of FER+ (Barsoum et al., 2016), whose votes are joined row by row.
        That needs a source that keeps the order of ``fer2013.csv``: the CSV dialects with a
        column ``Usage``.  Rows that are in another order are refused as far as can be told: by
        their number, their splits and, without a `label_map`, by labels that few votes agree with.
    cache : bool, default True
        Keep the parsed arrays in the cache folder (the platform's, or ``FER2013KIT_HOME``),
        from which later loads of the same content map them within milliseconds.

    Returns
    -------
    FER2013
        With images uint8 ``(n, 48, 48, 1)``, or as :meth:`FER2013.save` wrote them, and labels
        int64 ``(n,)`` in the codes of :class:`Emotion` whatever the source's.  Arrays from the
        cache are read-only.

    Raises
    ------
    DatasetNotFoundError
        When there is nothing at ``path``.
    DatasetFormatError
        If the source cannot be read without guessing; the error names the file and, for text, the
        line at fault.
    InvalidInputError
        When FER+ votes cannot be joined to this source or seem to be of other rows, for a
        `label_map` that is none, or for one with a file of :meth:`FER2013.save`.
    MissingDependencyError
        For parquet without pyarrow, or HDF5 without h5py.

    Warns
    -----
    Fer2013KitWarning
        For whatever was skipped, left out or assumed, both at the first load and from the cache.

    See Also
    --------
    fetch_fer2013 : Downloads it.
    make_fer2013 : Draws faces instead.
    load_image_folder : Other images in folders.

    References
    ----------
    Goodfellow et al., "Challenges in Representation Learning: A report on three machine learning
    contests", 2013.

    Examples
    --------
    >>> import tempfile
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=70, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data.save(f"{folder}/faces.npz")
    ...     again = fk.load_fer2013(f"{folder}/faces.npz")
    >>> bool((again.train.images == data.train.images).all())
    True
    """
    check_flags(contempt=contempt, resize=resize, cache=cache)
    options = Options(Labels(label_map, contempt=contempt), resize)
    path = as_path(path)
    with source_errors(path):
        path = path.expanduser()
        source = find_source(path, options)
        rows = cached_rows(source.key() if cache else None, source.read)
    for note in source.notes:
        warn(f"{path}: {note}")
    data = rows.to_data(str(path))
    _logger.info("%s: %r", path, data)
    if ferplus is None:
        return data
    return _join_ferplus(data, rows, ferplus, same_classes=label_map is None)


def _join_ferplus(
    data: FER2013, rows: Rows, path: str | os.PathLike[str], *, same_classes: bool
) -> FER2013:
    if rows.csv_rows is None:
        raise InvalidInputError(
            f"FER+ votes are joined by the row numbers of fer2013.csv, and {data.source} does not "
            "keep them (the numbers in the images' file names are no row numbers); "
            "load fer2013.csv or icml_face_data.csv with ferplus=..."
        )
    joined = join_ferplus(path, {name: rows.csv_rows[part] for name, part in rows.slices().items()})
    if same_classes:
        labels = {name: split.labels for name, split in data.splits.items()}
        check_agreement(path, joined, labels)
    splits = {
        name: replace(split, ferplus=joined[name] if len(split) else None)
        for name, split in data.splits.items()
    }
    return FER2013(**splits, source=data.source)
