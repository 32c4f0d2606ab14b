"""What came of a scoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fer2013kit.exceptions import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAMED: Final = 5
"""Of errors and of files passed over, so many are named for each part, and in all."""


@dataclass(frozen=True)
class ScoreReport:
    """The counts of :func:`score`, over all parts in the folder.

    Parameters
    ----------
    path : str
        The folder.
    n_images : int
        Number of images, including those with errors.
    n_faces : int
        Number of faces found.
    n_errors : int
        Images, archives and files that could not be read; each is a row whose ``error`` says why.
    n_passed_over : int
        Skipped files: their names are not those of images.
    n_parts, n_done_before : int
        Parquet files, and how many of them existed before.
    first_errors : tuple of str
        The first five errors.

    See Also
    --------
    score : Makes it.

    Examples
    --------
    >>> import tempfile
    >>> import fer2013kit as fk
    >>> folder = tempfile.mkdtemp()
    >>> print(fk.score(fk.sample_photos()[0], folder))
    1 image, 1 face, 0 errors in 1 part
    """

    path: str
    n_images: int
    n_faces: int
    n_errors: int
    n_passed_over: int
    n_parts: int
    n_done_before: int
    first_errors: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = ((self.n_images, "image"), (self.n_faces, "face"), (self.n_errors, "error"))
        told = ", ".join(counted(count, noun) for count, noun in counts)
        lines = [f"{told} in {counted(self.n_parts, 'part')}", *self.first_errors]
        if more := self.n_errors - len(self.first_errors):
            lines.append(f"and {counted(more, 'more error')}")
        return "\n".join(lines)

    @classmethod
    def of(
        cls,
        path: str,
        parts: Iterable[Mapping[str, Any]],
        *,
        n_passed_over: int,
        n_done_before: int,
    ) -> ScoreReport:
        """Add up the facts of all parts.

        Parameters
        ----------
        path : str
            The folder.
        parts : iterable of dict
            Each part's ``n_images``, ``n_faces``, ``n_errors``, ``n_passed_over`` and
            ``first_errors``.
        n_passed_over : int
            Files passed over before there were parts.
        n_done_before : int
            Parts that were there already.

        Returns
        -------
        ScoreReport
            Their sums.

        See Also
        --------
        score : Gives such a report.
        """
        sums = dict.fromkeys(("n_images", "n_faces", "n_errors", "n_passed_over"), 0)
        sums["n_passed_over"] = n_passed_over
        errors: list[str] = []
        n_parts = 0
        for facts in parts:
            n_parts += 1
            errors += facts["first_errors"][: NAMED - len(errors)]
            for name in sums:
                sums[name] += facts[name]
        return cls(
            path,
            **sums,
            n_parts=n_parts,
            n_done_before=n_done_before,
            first_errors=tuple(errors),
        )
