"""From a path to rows: open what it names, find the data set in it, read that."""

from __future__ import annotations

import os
import re
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from fer2013kit._picture_files import is_picture_name
from fer2013kit.datasets._cache import content_key, listing_key
from fer2013kit.datasets._csv_header import header_of, why_nameless, why_no_header
from fer2013kit.datasets._dialects import DIALECTS, EXPECTED
from fer2013kit.datasets._listing import Listing, is_model, is_tar, is_zip, sorted_by_split, why_not
from fer2013kit.datasets._names import NO_SPLIT, assign_splits, split_of_path
from fer2013kit.datasets._rows import join_parts
from fer2013kit.datasets._trees import FolderTree, TarTree, ZipTree, archive_errors, is_archive
from fer2013kit.exceptions import (
    DatasetFormatError,
    DatasetNotFoundError,
    counted,
    listed,
    shortened,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fer2013kit.datasets._dialects import Dialect
    from fer2013kit.datasets._listing import Found, Options
    from fer2013kit.datasets._new_images import NewImages
    from fer2013kit.datasets._rows import Rows

_SHARD: Final = re.compile(r"\d{3,}\D*$|^\d+\.tar")
"""What the names of archives look like that are parts of one set, as WebDataset numbers them."""

_LABEL_FILES: Final = (".csv", ".json", ".jsonl", ".txt", ".xml")
_CLASS_FOLDERS: Final = "images in <class>/ folders of their own are read by load_image_folder"


@dataclass(frozen=True)
class Source:
    """A data set that was found but not yet read.

    Attributes
    ----------
    key : callable
        Returns the key of its content for the cache, or None when it cannot be cached now.
    read : callable
        Reads it, into the array that it is given where it knows how.
    notes : tuple of str
        What the user is warned about, of the files beside it.
    """

    key: Callable[[], str | None]
    read: Callable[[NewImages], Rows]
    notes: tuple[str, ...] = ()


def find_source(path: Path, options: Options) -> Source:
    """Recognise what a path names, reading as little as possible.

    Raises
    ------
    DatasetNotFoundError
        When there is nothing at this path.
    DatasetFormatError
        When it is nothing that can be read, or when it may be read in more than one way.
    """
    # Unlike Path's own, these take a name that no file can have for one that none has.
    if os.path.isdir(path):  # noqa: PTH112 - the same
        tree = FolderTree(path)
        return _find_in(Listing(tree, path.resolve().name), tree, path, options)
    if not os.path.isfile(path):  # noqa: PTH113 - the same
        raise DatasetNotFoundError(
            f"there is no file or folder {shortened(str(path))}; expected {EXPECTED}. "
            "fetch_fer2013() says where to get the data"
        )
    tree = FolderTree(path.parent, names=[path.name])
    listing = Listing(tree, path.resolve().parent.name, whatever_name=True)
    sibling = path.with_name("test.csv")
    if sibling != path and _is_challenge_train(listing, path.name) and sibling.is_file():
        with_test = FolderTree(path.parent, names=[path.name, sibling.name])
        both = Listing(with_test, "", whatever_name=True)
        header = header_of(both.heads.get(sibling.name, b""))
        if header is not None and not header.labels and not header.splits:
            listing, tree = both, with_test
    return _find_in(listing, tree, path, options)


def _is_challenge_train(listing: Listing, name: str) -> bool:
    header = header_of(listing.heads.get(name, b""))
    return header is not None and bool(header.labels) and not header.splits


def _find_in(listing: Listing, tree: FolderTree, path: Path, options: Options) -> Source:
    """Return the first dialect's data set of a folder or file, or that of an archive in it."""
    found = _find(listing, options)
    if found is None:
        return _archive_source(listing, tree, path, options)
    dialect, data, notes = found

    def read(new: NewImages) -> Rows:
        packed = any(listing.size(name) is None for name in data.names)
        try:
            with archive_errors(path) if packed else nullcontext():
                return _read(dialect, listing, data, options, new)
        except DatasetFormatError as error:
            others = [name for name in _archives(listing) if name not in data.names]
            if others:
                error.advise(f"beside it lie {listed(others)}; pass the path of the one to read")
            raise

    key = partial(_key, listing, tree, dialect, data, options)
    return Source(key, read, notes + tree.passed_over())


def _key(
    listing: Listing, tree: FolderTree, dialect: Dialect, found: Found, options: Options
) -> str | None:
    """Return the key of a data set in a folder: of its files' content, or of their stamps."""
    facts: list[Any] = [dialect.title, found.names, found.splits, found.root, options.key]
    files = [listing.path / name for name in found.names]
    if found.beside_images:  # the lists name them, whatever they are called
        others = {name: tree.stamps[name] for name in tree.stamps if name not in found.names}
        return listing_key(others, [content_key(files), facts])
    if files:
        if len(files) == 1:  # of which what the name tells counts, not the name
            facts[1] = split_of_path(found.names[0])
        return content_key(files, facts)
    stamps = {
        name: stamp
        for name, stamp in tree.stamps.items()
        if name.startswith(found.root) or is_picture_name(name)
    }
    return listing_key(stamps, facts)


def _find(listing: Listing, options: Options) -> tuple[Dialect, Found, tuple[str, ...]] | None:
    """Return the first dialect that finds a data set, and what is left out for it."""
    chosen: tuple[Dialect, Found] | None = None
    left_out: list[str] = []
    rest = listing
    for dialect in DIALECTS:
        try:
            found = dialect.find(rest, options)
        except DatasetFormatError as error:
            if chosen is None:
                raise
            left_out.append(str(error).removeprefix(f"{listing.path}: "))
            continue
        if found is not None and chosen is None:
            chosen = dialect, found
            rest = listing.without(found.names)
        elif found is not None:
            left_out.append(found.title)
    if chosen is None:
        return None
    taken = chosen[1].names
    left_out += _archives(listing)
    notes = [*chosen[1].notes]
    if left_out:
        notes.append(f"left out {', '.join(left_out)}, as {chosen[1].title} is a whole data set")
    strange = [(name, why) for name, why in _strange(listing, taken) if not is_model(name)]
    notes += [f"left out {name}: {why}" for name, why in strange]
    return *chosen, tuple(dict.fromkeys(notes))


def _strange(listing: Listing, taken: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the files that look like data and are not, and why."""
    reasons = {
        name: why_not(name, head) or why_nameless(head)
        for name, head in listing.heads.items()
        if name not in taken
    }
    return [(name, reason) for name, reason in reasons.items() if reason is not None]


def _read(
    dialect: Dialect, listing: Listing, found: Found, options: Options, new: NewImages
) -> Rows:
    rows = dialect.read(listing, found, options, new)
    return replace(
        rows,
        notes=(*rows.notes, *options.labels.unused(), *options.labels.doubts(len(rows.images))),
    )


def _archive_source(listing: Listing, tree: FolderTree, path: Path, options: Options) -> Source:
    """Return the data set in an archive, or in archives of which each is named by its split."""
    names = _archives(listing)
    if not names:
        raise _no_data_set(listing, tree, path)
    splits = [NO_SPLIT]
    if len(names) > 1:  # those that are compressed but no tar are none
        names = [name for name in names if is_archive(listing.path / name)] or names
    if len(names) > 1:
        splits = assign_splits(names, home="", path=path)
        if NO_SPLIT in splits and not all(map(_SHARD.search, names)):
            raise DatasetFormatError(
                f"expected one archive, received {listed(names)}; pass the path of the one to read",
                path=path,
            )
    files = sorted_by_split(names, splits)

    def read(new: NewImages) -> Rows:
        if len(files) == 1:
            return _read_archive(listing, names[0], options, new)
        parts = []
        for name, code in files:
            part = _read_archive(listing, name, options, new).as_part()
            if code != NO_SPLIT and not part.splits.any():  # train by default alone
                part.splits[:] = NO_SPLIT
            parts.append((name, part))
        return join_parts(parts, [code for _, code in files], path=path)

    facts = [[split_of_path(name) for name, _ in files], options.key]
    key = partial(content_key, [listing.path / name for name, _ in files], facts)
    return Source(key, read, tree.passed_over())


def _read_archive(listing: Listing, name: str, options: Options, new: NewImages) -> Rows:
    """Read the data set in one of a folder's archives."""
    archive = listing.path / name
    open_tree = ZipTree if is_zip(listing.heads[name]) else TarTree
    with archive_errors(archive), closing(open_tree(archive)) as tree:
        inner = Listing(tree, PurePosixPath(name).name.partition(".")[0])
        found = _find(inner, options)
        if found is None:
            what = _describe(inner).replace(_CLASS_FOLDERS, f"{_CLASS_FOLDERS} once it is unpacked")
            raise DatasetFormatError(
                f"expected {EXPECTED}; received an archive with {what}", path=archive
            )
        dialect, data, notes = found
        rows = _read(dialect, inner, data, options, new)
        return replace(rows, notes=(*notes, *rows.notes))


def _archives(listing: Listing) -> list[str]:
    return [
        name
        for name, head in listing.heads.items()
        if (is_zip(head) or is_tar(head)) and not is_model(name)
    ]


def _no_data_set(listing: Listing, tree: FolderTree, path: Path) -> DatasetFormatError:
    """Return the error for a folder or file in which nothing was recognised."""
    if strange := _strange(listing, ()):
        reasons = [f"{name} is {reason}" for name, reason in strange[:3]]
        return DatasetFormatError(f"no data set: {'; '.join(reasons)}", path=path)
    unread = "".join(f"; {note}" for note in tree.passed_over())
    return DatasetFormatError(
        f"expected {EXPECTED}; received {_describe(listing)}{unread}", path=path
    )


def _describe(listing: Listing) -> str:
    """Say what a folder, archive or file holds, for the error that nothing was recognised."""
    names = listing.names
    if not names:
        return "no files"
    if strange := _strange(listing, ()):
        return "; ".join(f"{name}: {reason}" for name, reason in strange[:3])
    if _archives(listing):
        return f"{listed(names)}; an archive within an archive must be taken out of it first"
    has_pictures = any(map(is_picture_name, names))
    tables = {name: why_no_header(head) for name, head in listing.heads.items() if not has_pictures}
    reasons = [f"; {name} is {reason}" for name, reason in tables.items() if reason]
    table = "".join(reasons[:3])
    if listing.whatever_name:
        head = b"".join(listing.heads.values())[:40].decode(errors="replace")
        return f"a file that begins with {head!r}{table}" if head else "an empty file"
    some = f"{counted(len(names), 'file')} such as {names[0][:80]!r}{table or _starts(listing)}"
    if has_pictures:
        some += f"; {_CLASS_FOLDERS}"
        labels = [name for name in names if name.lower().endswith(_LABEL_FILES)]
        if labels:
            some += (
                f"; of the labels in {listed(labels)} make a CSV with the columns file and label, "
                "and of boxes in photographs cut out the faces first"
            )
    return some


def _starts(listing: Listing) -> str:
    """Say how CSV files begin in which there is nothing to be recognised."""
    names = [name for name in listing.names if name.lower().endswith(".csv")][:3]
    heads = [(name, listing.heads.get(name, b"")[:40].decode(errors="replace")) for name in names]
    return "".join(
        f"; {name} begins with {head!r}" if head else f"; {name} is empty" for name, head in heads
    )
