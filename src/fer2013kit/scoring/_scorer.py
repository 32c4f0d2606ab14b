"""Images to rows of a table: what every engine calls."""

from __future__ import annotations

from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

from fer2013kit._checks import check_flags
from fer2013kit._frame_times import BOX
from fer2013kit._optional import needed
from fer2013kit.exceptions import Fer2013KitError, InvalidInputError, shown
from fer2013kit.faces import analyze_crops, analyze_photos
from fer2013kit.faces._naming import FaceNamer
from fer2013kit.loading import load_predictor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    import pyarrow as pa

    from fer2013kit.faces import PhotoFaces
    from fer2013kit.typing import Classifier, Photo, PhotoViews


class PhotoScorer:
    """A table of images in, a table of faces and probabilities out: for any engine.

    It is what :func:`score` runs in every process.  Ray Data, Spark and Dask hand tables of pandas
    to it, each in its own way: see the guide.  It can be pickled; the networks are loaded where it
    is first called.

    Parameters
    ----------
    classifier : str, path or object, optional
        What :func:`load_predictor` takes, or a classifier as for :func:`analyze_photo`; by default
        the network for photographs.
    crops : bool, default False
        The images are faces already: look for none; what is not square is cut.
    tta : {"auto", None, "flip", "ten_crop"}, default "auto"
        As for :func:`analyze_photo`.
    path, content : str, default "path" and "bytes"
        The columns that hold an image's name, and the bytes of its file.

    Attributes
    ----------
    schema : pyarrow.Schema
        Columns of the tables that come out.

    Raises
    ------
    ModelFileError
        Where it is first called, if there is no such network.
    MissingDependencyError
        Where pyarrow or pandas is not installed.

    See Also
    --------
    score : Reads, writes and shares out the work by itself.

    Notes
    -----
    There is a row for each face; for an image without one, a row that says nothing but its name;
    and for an image that cannot be read, a row whose ``error`` says why.  The columns are ``image``
    (the name), ``face`` (counted from 0), ``left``, ``top``, ``width``, ``height``, ``emotion``,
    ``score``, ``uncertain``, ``quality``, one of float32 for each class, and ``error``; with
    `crops`, those of the box and ``face`` are left out.

    Examples
    --------
    >>> import pandas as pd
    >>> import fer2013kit as fk
    >>> photo = fk.sample_photos()[0]
    >>> table = pd.DataFrame({"path": [photo.name, "no.jpg"], "bytes": [photo.read_bytes(), b"?"]})
    >>> fk.PhotoScorer()(table)[["face", "left", "emotion"]]
       face  left emotion
    0     0   179   happy
    1  <NA>  <NA>    <NA>
    """

    def __init__(
        self,
        classifier: str | PathLike[str] | Classifier | None = None,
        *,
        crops: bool = False,
        tta: PhotoViews | None = "auto",
        path: str = "path",
        content: str = "bytes",
    ) -> None:
        self.classifier = classifier
        check_flags(crops=crops)
        self.crops = crops
        self.tta = tta
        self.path = path
        self.content = content

    def __repr__(self) -> str:
        return f"PhotoScorer({self.classifier!r}, crops={self.crops}, tta={self.tta!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name[0] != "_"}

    def __call__(self, table: pd.DataFrame) -> pd.DataFrame:
        """Score the images of a table.

        Parameters
        ----------
        table : pandas.DataFrame
            With the columns `path`, of texts, and `content`, of bytes.

        Returns
        -------
        pandas.DataFrame
            The columns of `schema`, with Arrow's types, so that whole numbers may be missing.

        Raises
        ------
        InvalidInputError
            If the table lacks a column.
        """
        lacking = [name for name in (self.path, self.content) if name not in table]
        if lacking:
            raise InvalidInputError(
                f"the table must have the columns {self.path!r} and {self.content!r} (see `path` "
                f"and `content`); received {shown(list(table))}"
            )
        with needed("PhotoScorer", library="pandas"):
            import pandas as pd
        items = zip(table[self.path], table[self.content], strict=True)
        found: pd.DataFrame = self.rows(items).to_pandas(types_mapper=pd.ArrowDtype)
        return found

    def rows(self, items: Iterable[tuple[str, Photo | Fer2013KitError]]) -> pa.Table:
        """Return the rows of images.

        Parameters
        ----------
        items : iterable of (str, image)
            Each image with its name; an error of the kit stands for one without pixels.

        Returns
        -------
        pyarrow.Table
            With the columns of :attr:`schema`.

        Raises
        ------
        InvalidInputError
            For what is no pair of a name and an image.

        See Also
        --------
        score : All images of a folder.
        """
        items = list(items)
        for item in items:
            if not (isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], str)):  # noqa: PLR2004 - a pair
                raise InvalidInputError(
                    f"items must be pairs of a name and an image; received {shown(item)}"
                )
        # What is no text in UTF-8, as a name on a disk may be, is none in a table.
        items = [(name.encode(errors="replace").decode(), photo) for name, photo in items]
        photos = [photo for _, photo in items if not isinstance(photo, Fer2013KitError)]
        answers = iter(self._analyze(photos))
        columns: dict[str, list[Any]] = {name: [] for name in self.schema.names}
        for name, photo in items:
            answer = photo if isinstance(photo, Fer2013KitError) else next(answers)
            if isinstance(answer, Fer2013KitError):
                self._add(columns, image=name, error=str(answer))
                continue
            for number, face in enumerate(answer):
                self._add(columns, image=name, face=number, **face.as_row())
            if not answer:
                self._add(columns, image=name)
        with needed("a table", extra="score"):
            import pyarrow as pa
        return pa.table(columns, schema=self.schema)

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns of the tables that come out."""
        with needed("a table", extra="score"):
            import pyarrow as pa
        names = FaceNamer(self._classifier, tta=self.tta).names
        where = {} if self.crops else dict.fromkeys(("face", *BOX), pa.int32())
        answer = {"emotion": pa.string(), "score": pa.float32(), "uncertain": pa.bool_()}
        columns = {"image": pa.string(), **where, **answer, "quality": pa.string()}
        if taken := [name for name in names if name in {*columns, "error"}]:
            raise InvalidInputError(
                f"a class must not have the name of another column of the table: {shown(taken)}"
            )
        return pa.schema({**columns, **dict.fromkeys(names, pa.float32()), "error": pa.string()})

    @cached_property
    def _classifier(self) -> Classifier | None:
        if isinstance(self.classifier, str | PathLike):
            return load_predictor(self.classifier)
        return self.classifier

    def _analyze(self, photos: Sequence[Photo]) -> Sequence[PhotoFaces | Fer2013KitError]:
        if self.crops:
            return analyze_crops(photos, classifier=self._classifier, aspect="crop", tta=self.tta)
        return analyze_photos(photos, classifier=self._classifier, tta=self.tta, return_errors=True)

    @staticmethod
    def _add(columns: dict[str, list[Any]], **row: Any) -> None:
        for name, column in columns.items():
            column.append(row.get(name))
