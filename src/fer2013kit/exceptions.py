"""The error family: every error that the kit raises on purpose.

Each class derives from :class:`Fer2013KitError` and from the built-in exception that people
already catch, so both ``except Fer2013KitError`` and ``except ValueError`` do what is expected.
"""

from __future__ import annotations

import difflib
import re
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 200
_LONGEST_NAME: Final = 60
_MOST_NAMED: Final = 5
_LONG_WORD: Final = re.compile(r"(?<!\S)(\S{200})\S{200,}(\S{200})(?!\S)")


class Fer2013KitError(Exception):
    """Base of all errors of this package.

    See Also
    --------
    Fer2013KitWarning : Warns, and the call goes on.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> try:
    ...     fk.load_fer2013("no-such-file.csv")
    ... except fk.Fer2013KitError as error:
    ...     print(type(error).__name__)
    DatasetNotFoundError
    """

    def __str__(self) -> str:
        return _LONG_WORD.sub(r"\1...\2", printable(super().__str__()))


class Fer2013KitWarning(UserWarning):
    """Something was left out, skipped or assumed; the result is right without it.

    The message names and counts it.  To turn it into an error, or silence it, filter the category
    as any other one of Python's.

    See Also
    --------
    Fer2013KitError : Ends the call.

    Examples
    --------
    >>> import warnings
    >>> import fer2013kit as fk
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", fk.Fer2013KitWarning)
    ...     data = fk.make_fer2013(n_samples=70, random_state=0)  # or load what must be whole
    """


class InvalidInputError(Fer2013KitError, ValueError):
    """An argument or array that cannot be used: wrong shape, range, length, label or option.

    See Also
    --------
    Fer2013KitError : The base of all errors.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.class_counts([0, 7])
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.InvalidInputError: ...
    """


class DatasetNotFoundError(Fer2013KitError, FileNotFoundError):
    """The data set is not where it was looked for.

    See Also
    --------
    load_fer2013 : Raises it where nothing is found.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.load_fer2013("no_such_folder")
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.DatasetNotFoundError: there is no file or folder no_such_f...
    """


class DatasetFormatError(Fer2013KitError, ValueError):
    """A file or folder is there but does not hold what it should.

    Parameters
    ----------
    message : str
        What failed, what was expected, what came instead, what to do.
    path : str or Path
        The file at fault, for an archive with the member's name appended.
    line_number : int, optional
        Line at fault, counted from 1, for text files.

    Attributes
    ----------
    path : Path
        The file at fault.
    line_number : int or None
        Line at fault, counted from 1; None where the file has no lines.

    See Also
    --------
    load_fer2013 : Raises it for what it cannot read.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> raise fk.DatasetFormatError("no column 'emotion'", path="fer2013.csv", line_number=1)
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.DatasetFormatError: fer2013.csv, line 1: no column 'emotion'
    """

    def __init__(self, message: str, *, path: str | Path, line_number: int | None = None) -> None:
        self.path = Path(path)
        self.line_number = line_number
        where = _ends_of(str(path))
        if line_number is not None:
            where += f", line {line_number}"
        super().__init__(f"{where}: {message}")

    def advise(self, advice: str) -> None:
        """Add advice to the message that only the reader's caller can give.

        Parameters
        ----------
        advice : str
            What to do about it.

        See Also
        --------
        DatasetFormatError : The error.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> error = fk.DatasetFormatError("no column 'emotion'", path="fer2013.csv")
        >>> error.advise("pass the path of another file")
        >>> print(error)
        fer2013.csv: no column 'emotion'; pass the path of another file
        """
        self.args = (f"{self}; {advice}",)


class ChecksumError(Fer2013KitError, OSError):
    """A file's content is not what its checksum says.

    Parameters
    ----------
    message : str
        What failed and what to do.
    expected, received : str
        The SHA-256 that was expected and the one that was found, as hexadecimal digits.

    Attributes
    ----------
    expected, received : str
        The two checksums.

    See Also
    --------
    load_predictor : Raises it for a network that was changed.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> raise fk.ChecksumError("a.fer was changed", expected="12ab", received="34cd")
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.ChecksumError: a.fer was changed (expected SHA-256 12ab, r...
    """

    def __init__(self, message: str, *, expected: str, received: str) -> None:
        self.expected = expected
        self.received = received
        super().__init__(f"{message} (expected SHA-256 {expected}, received {received})")


class ModelFileError(Fer2013KitError, ValueError):
    """A saved classifier that cannot be trusted or read.

    See Also
    --------
    load_predictor : Raises it.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.load_predictor("no_such_file.fer")
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.ModelFileError: no_such_file.fer: no such file, and no net...
    """


class TrainingDivergedError(Fer2013KitError, ArithmeticError):
    """The loss became NaN or infinite before any good epoch, or a network returns NaN.

    See Also
    --------
    EmotionClassifier.fit : Raises it.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> issubclass(fk.TrainingDivergedError, ArithmeticError)
    True
    """


class MediaFileError(Fer2013KitError, OSError):
    """A photograph or video that is missing or cannot be read.

    Parameters
    ----------
    message : str
        What is wrong with it and what to do.
    path : str or Path, optional
        The file; None for one that came without a name.

    Attributes
    ----------
    path : Path or None
        The file.

    See Also
    --------
    analyze_photo : Raises it for an image.
    analyze_video : Raises it for a video.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.analyze_photo("no_such_photo.jpg")
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.MediaFileError: no_such_photo.jpg: No such file or directory
    """

    def __init__(self, message: str, *, path: str | Path | None = None) -> None:
        self.path = None if path is None else Path(path)
        super().__init__(message if path is None else f"{_ends_of(str(path))}: {message}")


class MissingDependencyError(Fer2013KitError, ImportError):
    """An optional library is needed; the message says which extra installs it.

    See Also
    --------
    Fer2013KitError : The base of all errors.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> issubclass(fk.MissingDependencyError, ImportError)
    True
    """


class UnknownModelError(Fer2013KitError, ValueError):
    """A name under which no architecture is registered.

    Parameters
    ----------
    name : str
        The name that was asked for.
    known : iterable of str
        The names there are.
    advice : str, optional
        What to do instead; by default, how architectures are named and registered.

    Attributes
    ----------
    name : str
        The name that was asked for.
    known : tuple of str
        The names there are, sorted.

    See Also
    --------
    create_model : Raises it.
    list_models : The names there are.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> raise fk.UnknownModelError("cnn", known=["five_layer_cnn"])
    Traceback (most recent call last):
    ...
    fer2013kit.exceptions.UnknownModelError: unknown model 'cnn'. Known models: five_layer_cnn. ...
    """

    def __init__(self, name: str, *, known: Iterable[str], advice: str | None = None) -> None:
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(
            f"unknown model {shown(name)}{did_you_mean(name, self.known) or '.'} "
            f"Known models: {', '.join(self.known) or 'none'}. "
            + (
                advice
                or "Pass one of these names, register your own with register_model, "
                "or pass the builder itself."
            )
        )


def warn(message: str, category: type[Warning] = Fer2013KitWarning) -> None:
    """Warn at the user's line of code, whoever calls this inside of the package.

    The message says what was left out, passed over or assumed, and what to do about it.  Python
    shows equal warnings of one line once; these are shown each time, so that the second load of a
    data set says what the first one said.
    """
    frame = sys._getframe(1)  # noqa: SLF001 - the only way before Python 3.12
    while frame.f_back and f"{frame.f_globals.get('__name__')}.".startswith("fer2013kit."):
        frame = frame.f_back
    where = frame.f_code.co_filename, frame.f_lineno
    warnings.warn_explicit(printable(message), category, *where, registry={})


def printable(text: str) -> str:
    """Return a text with "?" for what would steer a terminal, as names of files may."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in text)


def did_you_mean(word: Any, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known word nearest in spelling, else ``""``."""
    names = {name.lower(): name for name in known}  # capitals are no great difference
    near = difflib.get_close_matches(str(word).lower(), names, n=1)
    return f"; did you mean {names[near[0]]!r}?" if near else ""


def shown(value: Any) -> str:
    """Return a value as an error message shows it: its ``repr``, cut where that is long."""
    return shortened(repr(value))


OTHER_MODELS: Final = (
    "a model of another library takes a few lines: benchmark({'mine': function}) for a function "
    "from uint8 images (n, 48, 48, 1) to probabilities, analyze_photo(photo, classifier=wrapped) "
    "where wrapped has predict_proba(faces), of uint8 faces (n, 48, 48), and classes_, the words"
)
"""What is answered where such a model is passed for something else."""


def shortened(text: str) -> str:
    """Return a text, such as another library's message, cut where it is long."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def listed(names: Iterable[object]) -> str:
    """Return names with commas between them, the first few of many."""
    texts = list(map(str, names))
    more = f" and {len(texts) - _MOST_NAMED} more" if len(texts) > _MOST_NAMED else ""
    return ", ".join(_ends_of(text, _LONGEST_NAME) for text in texts[:_MOST_NAMED]) + more


def counted(count: int, noun: str) -> str:
    """Return ``"1 row"`` or ``"1,200 rows"``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _ends_of(text: str, most: int = _LONGEST) -> str:
    """Return a text without its middle where it is long, as of a path, whose end says most."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"
