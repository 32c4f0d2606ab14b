"""What the labels of a source mean: its words and numbers to class codes."""

from __future__ import annotations

import operator
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from fer2013kit._checks import as_float, is_listing
from fer2013kit.datasets._schemes import CONTEMPT, find_scheme
from fer2013kit.emotions import CLASS_NAMES, FERPLUS_CLASS_NAMES, NUM_CLASSES, emotion_code
from fer2013kit.exceptions import InvalidInputError, counted, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fer2013kit.typing import LabelMap

LEFT_OUT: Final = -2
"""The code of a class that ``label_map`` maps to None."""

_NUMBER_BEFORE: Final = re.compile(r"^\d+[\s_.-]+(?=[^\W\d])")
_FEWEST_ROWS: Final = 50
_FEWEST_COUNTED: Final = 3
_OF_NUMBERS: Final = (
    "; for the codes of fer2013.csv that is label_map=dict(enumerate(fer2013kit.CLASS_NAMES)), for "
    "another data set its name, such as 'raf-db'"
)

_NUMBERS_OF_RAF_DB: Final = frozenset("1234567")

CONTEMPT_CODE: Final = NUM_CLASSES
"""The code of contempt, where it is kept."""


class Labels:
    """The meaning of a source's labels.

    A ``label_map`` leads from a source's name or number of a class to an emotion, or to None to
    leave it out; or it is the name of a data set, whose ``scheme`` is kept, see
    :mod:`fer2013kit.datasets._schemes`; ``is_mapped`` tells whether there is one.  Contempt is
    a class, code 7, or is left out where the ``label_map`` knows it.

    Raises
    ------
    InvalidInputError
        For a value that is no emotion, two keys that are the same word, or an unknown data set.
    """

    def __init__(self, label_map: LabelMap | None = None, *, contempt: bool = False) -> None:
        self._codes: dict[str, int] = {}
        self.used: set[str] = set()
        self.scheme = find_scheme(label_map) if isinstance(label_map, str) else None
        self._met_contempt = False
        self._met_number = False
        self._numbers: set[int] = set()
        labels: Any = label_map if self.scheme is None else self.scheme.labels
        if not isinstance(labels, Mapping | None):
            raise InvalidInputError(
                "label_map must be the name of a data set or lead from its labels to emotions, "
                f"as {{1: 'happy'}} does; received {shown(label_map)}"
            )
        labels = labels or {}
        self.is_mapped = bool(labels)
        for key, value in labels.items():
            word = _comparable(str(key))
            code = _mapped_code(key, value, contempt=contempt)
            if self._codes.setdefault(word, code) != code:
                raise InvalidInputError(
                    f"label_map has {shown(key)} twice, with different emotions"
                )
        _check_no_alphabet(labels)
        if contempt:
            self._codes.setdefault(CONTEMPT, CONTEMPT_CODE)
        # Where 1 was said to be surprise, an unmentioned 2 is hardly the 2 of fer2013.csv; nor is
        # a number in a data set that has none.
        self._own_numbers = self.scheme is not None or any(
            word.isdecimal() and code not in {LEFT_OUT, int(word)}
            for word, code in self._codes.items()
        )

    @property
    def key(self) -> dict[str, int] | None:
        """What tells these labels from others, for the cache."""
        return dict(sorted(self._codes.items())) or None

    def code(self, word: str, *, numbers: bool) -> int | None:
        """Return the class code of a label, ``LEFT_OUT``, or None for one that is not known.

        ``numbers`` says whether numbers that ``label_map`` does not name are the codes of
        ``fer2013.csv``.
        """
        word = _comparable(word)
        if word not in self._codes:
            word = _NUMBER_BEFORE.sub("", word)  # 0_angry
        if word in self._codes:
            self.used.add(word)
            return self._codes[word]
        if not word.isdecimal():
            self._met_contempt |= word == CONTEMPT
            return emotion_code(word)
        code = int(word) if len(word) == 1 else NUM_CLASSES
        self._met_number = True
        if not numbers or self._own_numbers or code >= NUM_CLASSES:
            return None
        self._numbers.add(code)
        return code

    def known_code(self, word: str, what: str, *, numbers: bool) -> int:
        """Return the class code of a label, or ``LEFT_OUT``; an error calls it ``what``.

        Raises
        ------
        ValueError
            For one that is not known.
        """
        code = self.code(word, numbers=numbers)
        if code is None:
            said = word.strip()[:80]
            raise ValueError(f"unknown {what} {said!r}; {self.expected(numbers=numbers)}")
        return code

    def expected(self, *, numbers: bool) -> str:
        """Say which labels are understood, and how to have others understood."""
        plain = numbers and not self._own_numbers
        codes = f"a code from 0 to {NUM_CLASSES - 1} or " if plain else ""
        words = dict.fromkeys([*CLASS_NAMES, *self._codes])
        known = "" if plain or not self._met_number else _OF_NUMBERS
        keep = ", or keep it with contempt=True" if self._met_contempt else ""
        return (
            f"expected {codes}one of {', '.join(words)}; say what it means with "
            f"label_map={{label: emotion, or None to leave it out}}{known}{keep}"
        )

    def unused(self) -> list[str]:
        """Say which words of ``label_map`` the source does not have."""
        if self.scheme is not None:  # it names all that there may be
            return []
        words = [word for word in self._codes if word not in {*self.used, CONTEMPT}]
        return [f"label_map names {listed(words)}, which no label is"] if words else []

    def doubts(self, n_rows: int = 0) -> list[str]:
        """Say where the numbers that were met in so many rows may be another data set's.

        Of FER-2013, a few rows may lack a class.  Numbers from 1 are not counted as its are, and
        a few classes are often numbered anew.
        """
        met = sorted(self._numbers)
        counted_anew = met in (list(range(len(met))), list(range(1, len(met) + 1)))
        if n_rows >= _FEWEST_ROWS and 0 < len(met) < NUM_CLASSES and counted_anew:
            words = ", ".join(f"{number} {CLASS_NAMES[number]}" for number in met)
            said = (
                f"the labels are {met[0]} to {met[-1]} alone, and were taken for the codes of "
                f"fer2013.csv ({words}); if they are others, pass label_map"
            )
            return [said]
        scheme = self.scheme
        if scheme is None or scheme.may_lack_zero or "0" not in scheme.labels:
            return []
        if {word for word in self.used if word.isdecimal()} != _NUMBERS_OF_RAF_DB:
            return []
        meant = scheme.labels["0"], scheme.labels["1"]
        return [
            "the labels are 1 to 7, as RAF-DB's are, and none is 0; label_map has {} as 0 and read "
            "1 as {}: pass label_map='raf-db' if these are its images".format(*meant)
        ]


def class_name(word: str, names: Sequence[str]) -> str:
    """Return a label as a word, where it is a number and a set names its classes."""
    number = word.removesuffix(".0")
    is_place = number.isdecimal() and int(number[:9]) < len(names)
    return names[int(number)] if is_place else word


def count_left_out(words: Iterable[str]) -> list[str]:
    """Say how many rows were left out because ``label_map`` maps their class to None."""
    return [
        f"left out {counted(count, 'row')} of {word!r}, as label_map says"
        for word, count in Counter(words).items()
    ]


def class_codes(classes: Iterable[int | str]) -> list[int]:
    """Return the codes of classes that a user gives by code or name.

    Raises
    ------
    InvalidInputError
        For what is no class.
    """
    if not is_listing(classes):
        raise InvalidInputError(f"classes must be a sequence of classes; received {shown(classes)}")
    codes = []
    for item in classes:
        code: Any = item
        if isinstance(item, str):
            code = CONTEMPT_CODE if _comparable(item) == CONTEMPT else emotion_code(item)
        code = as_float(code)
        if not (0 <= code <= CONTEMPT_CODE and code.is_integer()):
            raise InvalidInputError(
                f"classes must be codes 0 to {CONTEMPT_CODE} or names of "
                f"{', '.join(FERPLUS_CLASS_NAMES)}; received {shown(item)}"
            )
        codes.append(int(code))
    return codes


def _check_no_alphabet(label_map: Mapping[Any, Any]) -> None:
    """Raise where known words are numbered in another order, as in Keras's ``class_indices``."""
    words = [key for key in label_map if isinstance(key, str) and emotion_code(key) is not None]
    other = [word for word in words if label_map[word] != emotion_code(word)]
    count = len(label_map)
    numbered = sorted(map(str, label_map.values())) == sorted(map(str, range(count)))
    if other and numbered and count >= _FEWEST_COUNTED:  # {"disgust": 0} joins two classes
        word, place = other[0], int(label_map[other[0]])
        meant = CLASS_NAMES[place] if place < NUM_CLASSES else "no emotion"
        raise InvalidInputError(
            "label_map numbers its classes by the alphabet, as Keras does, or in another order, "
            f"and {word!r} as {place}, which is {meant}; leave it out where the labels are words, "
            "and where they are numbers turn it round, as {0: 'angry'} is"
        )


def _comparable(word: str) -> str:
    """Return a label as it is compared: without blanks and capitals, ``3.0`` and ``03`` as 3.

    Folders of a Mac have their accents as characters of their own.
    """
    word = unicodedata.normalize("NFC", word.strip().lower())
    whole = word.removesuffix(".0")
    return str(int(whole)) if whole.isdecimal() and len(whole) < len("2147483648") else word


def _mapped_code(key: object, value: Any, *, contempt: bool) -> int:
    if value is None:
        return LEFT_OUT
    if isinstance(value, str) and _comparable(value) == CONTEMPT:
        return CONTEMPT_CODE if contempt else LEFT_OUT
    try:
        code = emotion_code(value) if isinstance(value, str) else operator.index(value)
    except TypeError:
        code = None
    if isinstance(value, bool):  # which is a number to Python, and to nobody else
        code = None
    if code is None or not 0 <= code < NUM_CLASSES:
        raise InvalidInputError(
            f"label_map must lead to None, a code from 0 to {NUM_CLASSES - 1} or one of "
            f"{', '.join(FERPLUS_CLASS_NAMES)}; received {shown(value)} for {shown(key)}"
        )
    return code
