"""What travels with the images of a split: columns, sources, weights, groups."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import EXACT_IN_FLOATS, as_array, check_ids, is_number
from fer2013kit.exceptions import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

SOURCE: Final = "source"
SUBJECT: Final = "subject"
WEIGHT: Final = "weight"

Columns = dict[str, "NDArray[Any]"]


def check_columns(columns: Any, *, n_rows: int) -> Columns:
    """Return what a user passes as the columns of a split, each of shape ``(n_rows,)``.

    Raises
    ------
    InvalidInputError
        For what is no mapping, or columns of another shape or of other than texts and numbers.
    """
    if not isinstance(columns, Mapping | None):
        raise InvalidInputError(f"columns must be a mapping; received {shown(columns)}")
    checked = {}
    for key, values in (columns or {}).items():
        name = str(key)
        column = as_array(values, f"column {name}")
        if column.dtype == object and all(isinstance(text, str) for text in column.flat):
            column = column.astype(np.str_)  # as pandas has it
        if column.dtype.kind not in "biufU":
            raise InvalidInputError(
                f"columns must hold texts or numbers; received {column.dtype} for {shown(name)}"
            )
        if column.shape != (n_rows,):
            raise InvalidInputError(
                f"columns must have shape ({n_rows},), an entry for each image; received "
                f"{column.shape} for {shown(name)}"
            )
        checked[name] = column
    return checked


def check_one_each(
    sets: Sized, *, weights: Sequence[float] | None, sources: Sequence[str] | None
) -> None:
    """Raise :class:`InvalidInputError` unless there is a weight and a source for each set."""
    for name, values in (("weights", weights), ("sources", sources)):
        listed = isinstance(values, Sized) and not isinstance(values, str)
        if values is not None and not (listed and len(values) == len(sets)):
            raise InvalidInputError(
                f"{name} must be {len(sets)}, one for each set in their order; "
                f"received {shown(values)}"
            )
    if weights is not None and not all(is_number(one) and 0 <= one < np.inf for one in weights):
        raise InvalidInputError(f"weights must be numbers from 0; received {shown(weights)}")


def join_columns(
    columns: Sequence[Columns],
    sizes: Sequence[int],
    *,
    weights: Sequence[float] | None,
    sources: Sequence[str] | None,
) -> Columns:
    """Return the columns of all parts; what a part does not have is empty, NaN or weight 1.

    A part without a source gets its own of ``sources``; ``weights`` multiply those that there are.
    """
    check_one_each(sizes, weights=weights, sources=sources)
    parts = []
    for place, (size, own) in enumerate(zip(sizes, columns, strict=True)):
        part = {} if sources is None else {SOURCE: np.full(size, str(sources[place]))}
        part |= own
        if weights is not None:
            part[WEIGHT] = own.get(WEIGHT, np.ones(size)) * float(weights[place])
        parts.append(part)
    names = dict.fromkeys(name for part in parts for name in part)
    joined = {}
    for name in names:
        numbers = all(part[name].dtype.kind in "iufb" for part in parts if name in part)
        empty: Any = 1.0 if name == WEIGHT else np.nan if numbers else ""
        arrays = [
            part.get(name, np.full(size, empty)) for part, size in zip(parts, sizes, strict=True)
        ]
        check_digits(name, arrays)
        joined[name] = np.concatenate(arrays)
    return joined


def check_digits(name: str, parts: Sequence[NDArray[Any]]) -> None:
    """Raise :class:`InvalidInputError` where a column's whole numbers would lose digits.

    Beside floats, of which NaN is one, they become floats.
    """
    whole = [part for part in parts if part.dtype.kind in "iu" and part.size]
    ends = [int(end) for part in whole for end in (part.min(), part.max())]
    most = max(ends, key=abs, default=0)
    if abs(most) > EXACT_IN_FLOATS and np.result_type(*parts).kind == "f":
        raise InvalidInputError(
            f"column {shown(name)} must hold texts for whole numbers above 2**53, which lose "
            "digits beside floats and beside rows without the column; received "
            f"{most}; astype(str) makes texts of them"
        )


def groups_of(
    columns: Mapping[str, NDArray[Any]], names: Iterable[str], *, n_rows: int
) -> NDArray[np.str_]:
    """Return what :meth:`Split.groups` promises."""
    chosen = list(names) or [name for name in (SOURCE, SUBJECT) if name in columns]
    if not chosen or any(not isinstance(name, str) or name not in columns for name in chosen):
        raise InvalidInputError(
            f"groups need columns of this split ({', '.join(columns) or 'it has none'}); "
            f"received {shown(chosen)}; Split(..., columns={{'subject': ...}}) adds one"
        )
    for name in chosen:
        check_ids(columns[name], f"column {shown(name)}")
    rows = zip(*(columns[name].tolist() for name in chosen), strict=True)
    return np.array(
        [
            "/".join(map(str, row)) if row[-1] == row[-1] and str(row[-1]) else f"#{place}"
            for place, row in enumerate(rows)
        ],
        dtype=np.str_,
    ).reshape(n_rows)
