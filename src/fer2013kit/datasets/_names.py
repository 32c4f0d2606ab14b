"""Which split the name of a file, folder or array tells, and which files make up one set."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from fer2013kit.emotions import SPLIT_NAMES, SPLIT_WORDS
from fer2013kit.exceptions import DatasetFormatError, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# FER2013Train -> FER, 2013, Train; y_val -> y, val; test-00000-of-00001 -> test, 00000, of, 00001
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
_WHAT_FOLLOWS: Final = re.compile(r"(set|data|split|files|images)$")  # trainset, testdata
_SHARD: Final = re.compile(r"(?<![(\d])\d+(?![)\d])")  # but not the number of a copy: train (1)
# train-00000-of-00002; Hugging Face puts a checksum behind it
_OF: Final = re.compile(r"-(\d+)-of-(\d+)(?:-[0-9a-f]{8,})?\b")

_SIGNS: Final = re.compile(r"[\W_]+")

NO_SPLIT: Final = -1
"""Instead of a place in ``SPLIT_NAMES`` where nothing tells one."""


def split_of_word(word: str) -> int | None:
    """Return the split that a word names, as in a column ``Usage``, or None.

    >>> split_of_word("PublicTest"), split_of_word("private_test"), split_of_word("my test")
    (1, 2, None)
    """
    return SPLIT_WORDS.get(_WHAT_FOLLOWS.sub("", _SIGNS.sub("", word.lower())))


def start_of(file_name: str) -> str:
    """Return what a name begins with before its first number, as ``Training_`` in Training_1.jpg.

    Where that is the word of a split, it tells the split of an image.
    """
    return re.split(r"\d", file_name, maxsplit=1)[0]


class SplitColumn:
    """Reads the words in a column of splits, which errors call by its name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._codes: dict[str, int] = {}

    def code(self, word: str) -> int:
        """Return the place in ``SPLIT_NAMES`` that a word names.

        Raises
        ------
        ValueError
            For another word; for ``eval`` beside ``test``, which may be validation and test.
        """
        word = word.strip()
        if word not in self._codes:
            code = split_of_word(word)
            if code is None:
                raise ValueError(
                    f"unknown {self._name} {word[:40]!r}; expected Training, PublicTest, "
                    f"PrivateTest or one of {', '.join(SPLIT_WORDS)}"
                )
            tests = [*(one for one, told in self._codes.items() if told == code), word]
            evals = [test for test in tests if test.lower().startswith("eval")]
            if evals and len(evals) < len(tests):
                raise ValueError(
                    f"{self._name} says both {listed(tests)}, and one of these may be the "
                    "validation; call that one val"
                )
            self._codes[word] = code
        return self._codes[word]


def words_of(name: str) -> list[str]:
    """Return the words of a name, in lower case: at capitals, digits and signs a new one begins."""
    return [word.lower() for word in _WORD.findall(name)]


def split_of_name(name: str) -> int | None:
    """Return the split that one part of a path tells, or None where it tells none or two.

    Examples
    --------
    >>> from fer2013kit.datasets._names import split_of_name
    >>> [split_of_name(n) for n in ("PublicTest", "FER2013Train", "y_eval", "train_test", "faces")]
    [1, 0, 2, None, None]
    """
    words = words_of(name)
    pairs = [first + second for first, second in pairwise(words)]
    told = {SPLIT_WORDS[pair] for pair in pairs if pair in SPLIT_WORDS}  # public test
    if not told:
        whole = {_WHAT_FOLLOWS.sub("", word) for word in words}
        told = {SPLIT_WORDS[word] for word in whole if word in SPLIT_WORDS}
    return told.pop() if len(told) == 1 else None


def split_of_path(name: str) -> int | None:
    """Return the split that a path tells: its last part, or else the innermost folder that does."""
    path = PurePosixPath(name)
    parts = [*path.parts[:-1], path.name.partition(".")[0]]
    return next(filter(lambda code: code is not None, map(split_of_name, reversed(parts))), None)


def assign_splits(names: Sequence[str], *, home: str, path: Path) -> list[int]:
    """Return the place in ``SPLIT_NAMES`` of each file of a set; ``NO_SPLIT`` where no name tells.

    Names are relative, with forward slashes.  What the folder is called that they lie in, ``home``,
    counts for names of digits alone, such as ``test/0000.parquet``.

    Raises
    ------
    DatasetFormatError
        When some files tell a split and others none, or when two that are no shards of one
        another tell the same: taking one, or both, would be a guess.
    """
    told = [split_of_path(name) for name in names]
    silent = [name for name, code in zip(names, told, strict=True) if code is None]
    if len(silent) == len(names):
        if len({shard_key(name) for name in names}) > 1:
            raise DatasetFormatError(
                f"{listed(names)} may each be a data set or a part of one, and no name holds a "
                "split (train, validation, test); pass the path of one of them",
                path=path,
            )
        digits = not any(map(str.isalpha, "".join(PurePosixPath(name).stem for name in names)))
        inner = split_of_word(home) if digits else None
        return [NO_SPLIT if inner is None else inner] * len(names)
    if silent:
        known = [name for name in names if name not in silent]
        raise DatasetFormatError(
            f"the names {listed(known)} hold a split, {listed(silent)} holds none; name it by "
            "train, validation or test, or move it away",
            path=path,
        )
    codes = [code for code in told if code is not None]
    groups: dict[int, list[str]] = defaultdict(list)
    for name, code in zip(names, codes, strict=True):
        groups[code].append(name)
    for code, members in groups.items():
        if len({shard_key(name) for name in members}) > 1:
            raise DatasetFormatError(
                f"{listed(members)} each tell the split {SPLIT_NAMES[code]}; "
                "keep one of them, or number them as parts of one file",
                path=path,
            )
    return codes


def shard_key(name: str) -> str:
    """Return what the parts of one file have in common: their name without its numbers."""
    return _SHARD.sub("#", _OF.sub(r"-\1-of-\2", name.lower()))


def shard_numbers(name: str) -> tuple[int, ...]:
    """Return the numbers in a name, which tell the parts of one file apart."""
    return tuple(map(int, _SHARD.findall(_OF.sub(r"-\1-of-\2", name))))


def missing_shards(names: Iterable[str]) -> list[str]:
    """Say which parts of files such as ``train-00000-of-00003.parquet`` are not there."""
    found: dict[tuple[str, int], set[int]] = defaultdict(set)
    for name in names:
        if match := _OF.search(name):
            number, count = map(int, match.groups())
            found[_OF.sub("", name), count].add(number)
    return [
        f"of the {count} parts of {name} only {len(numbers)} are there"
        for (name, count), numbers in found.items()
        if len(numbers) < count
    ]
