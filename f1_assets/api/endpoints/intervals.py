"""``/v1/intervals``: gaps in races and sprints, whenever they change."""

from __future__ import annotations

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
            "date": stored["utc"],
            "gap_to_leader": gaps(stored["gap_to_leader_ms"], stored["laps_behind_leader"]),
            "interval": gaps(stored["interval_ms"], stored["laps_behind_next"]),
        }
    )


def gaps(milliseconds: pd.Series, laps: pd.Series) -> pd.Series:
    """Return gaps in seconds, or in laps where it is as many; None where neither is known."""
    return pd.Series(
        [
            f"+{int(behind)} LAP{'S' if behind > 1 else ''}"
            if pd.notna(behind) and behind > 0
            else (None if pd.isna(gap) else float(gap))
            for gap, behind in zip(seconds(milliseconds), laps, strict=True)
        ],
        index=milliseconds.index,
        dtype=object,
    )


ENDPOINT = Endpoint(
    "intervals",
    "a driver's gaps when they changed",
    {"driver_number": Kind.INTEGER, "date": Kind.DATE, "gap_to_leader": Kind.MIXED, "interval": Kind.MIXED},
    rows,
    ("intervals",),
    RACES,
)
