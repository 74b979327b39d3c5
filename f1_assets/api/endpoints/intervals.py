"""``/v1/intervals``: gaps in races and sprints, whenever they change."""

from __future__ import annotations

from typing import Any

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers, seconds
from f1_assets.api.filters import Kind
from f1_assets.datasets.laps import RACES


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per change; a gap is in seconds, or in laps as ``+1 LAP``."""
    stored = scope.frame("intervals")
    return pd.DataFrame(
        {
            "driver_number": car_numbers(stored["driver_number"]),
            "date": scope.dates(stored, "session_time_ms", "utc"),
            "gap_to_leader": gaps(stored["gap_to_leader_ms"], stored["laps_behind_leader"]),
            "interval": gaps(stored["interval_ms"], stored["laps_behind_next"]),
        }
    )


def gaps(milliseconds: pd.Series, laps: pd.Series) -> pd.Series:
    """Return gaps in seconds, or in laps where it is as many; None where neither is known."""
    found = [
        f"+{by} LAP{'S' if by > 1 else ''}" if by and by > 0 else gap
        for gap, by in zip(_plain(seconds(milliseconds)), _plain(laps.astype("Int64")), strict=True)
    ]
    return pd.Series(found, index=milliseconds.index, dtype=object)


def _plain(values: pd.Series) -> list[Any]:
    plain: list[Any] = values.astype(object).where(values.notna(), None).tolist()
    return plain


ENDPOINT = Endpoint(
    "intervals",
    "a driver's gaps when they changed",
    {"driver_number": Kind.INTEGER, "date": Kind.DATE, "gap_to_leader": Kind.MIXED, "interval": Kind.MIXED},
    rows,
    ("intervals", "session_status"),
    RACES,
    stored_as={"date": "utc"},
    is_kept=True,
)
