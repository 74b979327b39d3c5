"""Rows as plain values: what charts compute with, for a thousand laps are counted in Python before pandas has begun."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_assets.errors import UsageError

Rows = list[dict[str, Any]]
Frame = pd.DataFrame | Rows
"""Rows of a dataset: a frame as the warehouse returns it, or a dictionary per row with None for what is missing."""

Floats = npt.NDArray[np.float64]

NAMES = ("abbreviation", "team_name")
"""Columns of which drivers' names and teams are read, where there are no rows of ``drivers``."""

_KEY = ("season", "round", "session")


class NothingToDraw(UsageError):
    """The rows are there, and none has the values that the chart shows."""


def rows_of(frame: Frame | None, *columns: str) -> Rows:
    """Return rows with these columns as plain values: None for what is missing, also for a whole column."""
    if frame is None:
        return []
    if isinstance(frame, list):
        absent = [name for name in columns if frame and name not in frame[0]]
        return [dict.fromkeys(absent) | row for row in frame] if absent else frame
    values = [_plain(frame[name]) if name in frame else [None] * len(frame) for name in columns]
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def has(frame: Frame | None, *columns: str) -> bool:
    """Check whether rows have these columns."""
    return frame is not None and len(frame) > 0 and set(columns) <= set(_columns(frame))


def needed(frame: Frame, chart: str, *columns: str, also: Sequence[str] = ()) -> Rows:
    """Return the rows that have values in all these columns, and what they have in others.

    Raises
    ------
    UsageError
        When a column is missing, or the rows are of several sessions.
    NothingToDraw
        When no row is left.
    """
    check(frame, chart, *columns)
    kept = rows_of(frame, *dict.fromkeys((*columns, *also)))
    for name in columns:
        kept = [row for row in kept if row[name] is not None]
    if not kept:
        raise NothingToDraw(f"{chart}: the frame has no row with {', '.join(columns)}.", advice="Check the session.")
    return kept


def arrays(frame: pd.DataFrame, chart: str, *columns: str, also: Sequence[str] = ()) -> dict[str, Floats]:
    """Return the same as `needed` as arrays of floats, NaN for what is missing: telemetry has many samples."""
    check(frame, chart, *columns)
    there = np.ones(len(frame), dtype=bool)
    found: dict[str, Floats] = {}
    for name in dict.fromkeys((*columns, *also)):
        missing = np.full(len(frame), np.nan)
        found[name] = frame[name].to_numpy(dtype=float, na_value=np.nan) if name in frame else missing
        there &= ~np.isnan(found[name]) if name in columns else True
    if not there.any():
        raise NothingToDraw(f"{chart}: the frame has no row with {', '.join(columns)}.", advice="Check the session.")
    return {name: values[there] for name, values in found.items()}


def check(frame: Frame, chart: str, *columns: str) -> None:
    """Check that rows have the columns that a chart needs, and are of one session; see `needed`."""
    there = _columns(frame)
    missing = [name for name in columns if name not in there]
    if missing and (isinstance(frame, pd.DataFrame) or frame):
        has = ", ".join(map(str, there)) or "none"
        raise UsageError(f"{chart} needs the columns {', '.join(missing)}; the frame has: {has}.")
    key = [name for name in _KEY if name in there] if chart != "standings" else []
    if key and isinstance(frame, pd.DataFrame) and (several := len(frame[key].drop_duplicates())) > 1:
        raise UsageError(
            f"{chart} draws one session; the frame has rows of {several}.", advice="Give it the rows of one session."
        )


def _columns(frame: Frame) -> Sequence[str]:
    return list(frame.columns) if isinstance(frame, pd.DataFrame) else [*frame[0]] if frame else []


def _plain(column: pd.Series[Any]) -> list[Any]:
    missing = column.isna().to_numpy()
    values = column.tolist()
    return [None if gone else value for value, gone in zip(values, missing, strict=True)] if missing.any() else values


def plain(rows: Rows, **columns: str) -> Rows:
    """Return rows for the chart: fields named by the arguments, floats of three decimals, none that is missing."""
    pairs = tuple(columns.items())
    return [
        {
            name: round(value, 3) if type(value) is float else value
            for name, column in pairs
            if (value := row[column]) is not None and (type(value) is not float or math.isfinite(value))
        }
        for row in rows
    ]


def samples(**columns: Floats | Sequence[Any]) -> Rows:
    """Return columns of samples as rows for the chart, as `plain` does."""
    lists = [_decimals(values) if isinstance(values, np.ndarray) else values for values in columns.values()]
    named = tuple(columns)
    return [
        {name: value for name, value in zip(named, row, strict=True) if value is not None}
        for row in zip(*lists, strict=True)
    ]


def _decimals(values: Floats) -> list[Any]:
    known = np.isfinite(values)
    is_whole = bool(np.all(values[known] == np.round(values[known])))
    shown = np.where(known, values, 0).astype(np.int64) if is_whole else np.round(values, 3)
    return [value if there else None for value, there in zip(shown.tolist(), known.tolist(), strict=True)]


def column(rows: Rows, name: str) -> list[Any]:
    """Return the values of a column."""
    return [row[name] for row in rows]


def by(rows: Rows, name: str) -> dict[Any, Rows]:
    """Return the rows of each value of a column, in the order in which they come."""
    groups: dict[Any, Rows] = {}
    for row in rows:
        groups.setdefault(row[name], []).append(row)
    return groups


def last_of(rows: Rows, name: str, order: str) -> Rows:
    """Return the last row of each value of a column."""
    return [max(enumerate(own), key=lambda one: (one[1][order], one[0]))[1] for own in by(rows, name).values()]


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of the values is below of, between two of them by the share."""
    return float(np.quantile(np.asarray(values, dtype=float), share))


def table(columns: Mapping[str, Iterable[Any]]) -> pd.DataFrame:
    """Return columns as a frame; integers stay integers where one is missing."""
    return pd.DataFrame({name: _series(list(values)) for name, values in columns.items()})


def _series(values: list[Any]) -> Any:  # noqa: ANN401 (what a frame is made of)
    has_gaps = any(value is None for value in values) and all(isinstance(value, int | None) for value in values)
    return pd.array(values, dtype="Int64") if has_gaps else values
