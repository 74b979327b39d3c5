"""Frames to rows and back: what is missing is NULL in the database and never a number, a text or a flag."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import pandas as pd

_PLAIN_ALREADY = (pd.Int64Dtype, pd.BooleanDtype, pd.StringDtype)
"""Types of columns whose values are int, bool and str."""


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a frame into one plain dict a row, with None for whatever is missing."""
    names = [str(name) for name in frame.columns]
    columns = [_values_of(frame[name]) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values_of(column: "pd.Series[Any]") -> list[Any]:
    """Return the plain values of a column, with None for whatever is missing."""
    if isinstance(column.dtype, _PLAIN_ALREADY):
        none: Any = None  # which the types of pandas do not list
        return list(column.to_numpy(dtype=object, na_value=none))
    present = column.notna().tolist()
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        moments = column.array.to_pydatetime()
        return [moment if there else None for moment, there in zip(moments, present, strict=True)]
    return [_plain(value) if there else None for value, there in zip(column.tolist(), present, strict=True)]


def digest_of(rows: Iterable[tuple[Any, ...]], names: Sequence[str], key: Sequence[str]) -> str:
    """Return a SHA-256 of rows: equal rows give an equal digest, on any machine, database and in any order.

    Parameters
    ----------
    rows
        One tuple of plain values a row.
    names
        The columns of these values.
    key
        The columns that tell rows apart.
    """
    places = {name: place for place, name in enumerate(names)}
    in_order = sorted(rows, key=itemgetter(*(places[name] for name in key)))
    # The text of a list of pairs, sorted by name: a format writes it faster than repr() does.
    by_name = sorted(names)
    text = f"[{', '.join(f'({name!r}, %r)' for name in by_name)}]"
    values = map(itemgetter(*(places[name] for name in by_name)), in_order)
    return hashlib.sha256("".join([text % row for row in values]).encode()).hexdigest()


def why_no_text(text: str) -> str | None:
    """Return why no database takes a text; None when any does."""
    if "\0" in text:
        return "has a text with a NUL in it"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "has a text with half a character in it"
    return None


def _plain(value: Any) -> Any:  # noqa: ANN401 (any value of a frame)
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, float):
        return float(value) + 0.0  # -0.0 becomes 0.0: SQLite does not keep its sign
    if isinstance(value, datetime | str | bool | int):
        return value
    return value.item() if hasattr(value, "item") else value
