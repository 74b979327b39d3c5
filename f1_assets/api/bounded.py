"""Rows as an assistant gets them: plain JSON values, so many at most, with what was left out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from f1_assets.errors import UsageError

MOST_ROWS = 1_000
MOST_CHARACTERS = 40_000
"""Of the rows of one answer, written as JSON: what an assistant reads at once."""

_MOST_COLUMNS = 200
_LONGEST_TEXT = 2_000


def plain(value: Any) -> Any:  # noqa: ANN401 (any value of a row)
    """Return a value as JSON has it: null for what is missing, ISO 8601 for times, whole numbers as such."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return float(value) if math.isfinite(value) else None
        case Mapping():
            return {str(name): plain(each) for name, each in value.items()}
        case np.ma.MaskedArray():  # what DuckDB's lists with a NULL become
            masks = np.ma.getmaskarray(value)
            return [None if is_masked else plain(each) for each, is_masked in zip(value.data, masks, strict=True)]
        case list() | tuple() | set() | np.ndarray():
            return [plain(each) for each in value]
    if pd.isna(value):
        return None
    match value:
        case np.generic():
            return plain(value.item()) if not isinstance(value, np.datetime64) else pd.Timestamp(value).isoformat()
        case datetime() | date() | time():  # pandas' timestamps are of these
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case _:
            return str(value)


def table(frame: pd.DataFrame, limit: int, rest: str, offset: int = 0) -> dict[str, Any]:
    """Return the first rows of a frame, at most `limit` of them and as many as an answer has room for.

    Parameters
    ----------
    frame
        The rows; one more than `limit` says that there are more.
    limit
        How many rows at most.
    rest
        How to get the rest, in words; ``{next}`` stands for the offset of the first row that is left out.
    offset
        How many rows are before those of the frame.

    Returns
    -------
    dict
        `columns`, `rows` (a list for each, in the order of the columns), `row_count`, and `cut`: what was left out and
        how to get it, None where nothing was.

    Raises
    ------
    UsageError
        When there are too many columns for an answer.
    """
    if len(frame.columns) > _MOST_COLUMNS:
        raise UsageError(f"{len(frame.columns)} columns are too many for an answer. Ask for {_MOST_COLUMNS} at most.")
    longest = max(min(_LONGEST_TEXT, MOST_CHARACTERS // max(len(frame.columns), 1)), 1)
    columns = [[plain(each) for each in frame[name].iloc[:limit].astype(object)] for name in frame.columns]
    rows: list[list[Any]] = []
    room, is_shortened = MOST_CHARACTERS, False
    for whole in zip(*columns, strict=True):
        row = [_shortened(each, longest) for each in whole]
        room -= len(written(row)) + 1
        if room < 0 and rows:
            break
        is_shortened = is_shortened or row != list(whole)
        rows.append(row)
    cut = []
    if len(rows) < len(frame):
        end = offset + len(rows)
        cut.append(f"Rows {offset + 1} to {end} are shown, and there are more. {rest.format(next=end)}")
    if is_shortened:
        cut.append(f"Values of more than {longest:,} characters are cut, and end with …")
    return {
        "columns": [str(name) for name in frame.columns],
        "rows": rows,
        "row_count": len(rows),
        "cut": " ".join(cut) or None,
    }


def written(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Write a value as JSON, without white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _shortened(value: Any, longest: int) -> Any:  # noqa: ANN401 (any JSON value)
    if value is None or isinstance(value, bool | float):
        return value
    text = value if isinstance(value, str) else written(value)
    return value if len(text) <= longest else f"{text[: longest - 1]}…"
