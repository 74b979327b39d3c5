"""FastF1's frames in f1_assets' terms: milliseconds, UTC, and NULL for what FastF1 fills in when it is missing."""

from __future__ import annotations

import pandas as pd

_NO_TEXT = ("", "None", "nan", "NaN", "<NA>", "NaT")
"""What a missing text becomes when FastF1 turns a column to str."""


def milliseconds(values: pd.Series) -> pd.Series:
    """Turn durations or session times into whole milliseconds, rounded to the nearest; missing stays missing."""
    nanoseconds = pd.to_timedelta(values).astype("timedelta64[ns]")
    whole = nanoseconds.dt.round("ms").astype("int64").astype("Int64") // 1_000_000
    return whole.mask(nanoseconds.isna())


def text(values: pd.Series) -> pd.Series:
    """Return texts, with NULL where FastF1 wrote ``None``, ``nan`` or nothing."""
    texts = values.astype("string")
    return texts.mask(texts.isin(_NO_TEXT))


def full_name(first: pd.Series, last: pd.Series) -> pd.Series:
    """Put first and last names together; FastF1 writes ``None None`` for a driver without either."""
    names = (text(first).fillna("") + " " + text(last).fillna("")).str.strip()
    return names.mask(names == "")


def integer(values: pd.Series) -> pd.Series:
    """Turn FastF1's floats into the whole numbers that they are; missing stays missing."""
    return pd.to_numeric(values).astype("Float64").round().astype("Int64")


def number(values: pd.Series) -> pd.Series:
    """Return numbers, with NULL for NaN."""
    return pd.to_numeric(values).astype("Float64")


def flag(values: pd.Series) -> pd.Series:
    """Return booleans, with NULL for whatever is neither true nor false."""
    known = values.map(lambda value: value if isinstance(value, bool) or value in (0, 1) else None)
    return known.astype("boolean")


def utc(values: pd.Series) -> pd.Series:
    """Read FastF1's naive times of day as the UTC that they are."""
    return pd.to_datetime(values).dt.tz_localize("UTC")
