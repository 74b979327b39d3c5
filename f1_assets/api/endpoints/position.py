"""``/v1/position``: a driver's place, whenever it changes."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers
from f1_assets.api.filters import Kind


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per change of a place."""
    stored = scope.frame("intervals").dropna(subset=["position"])
    ordered = stored.sort_values(["driver_number", "session_time_ms"], kind="stable")
    before = ordered.groupby("driver_number")["position"].shift()
    changed = ordered[(ordered["position"] != before).fillna(True)].sort_values("session_time_ms", kind="stable")
    numbers = car_numbers(changed["driver_number"])
    return pd.DataFrame(
        {
            "driver_number": numbers,
            "date": scope.dates(changed, "session_time_ms", "utc"),
            "position": changed["position"],
        }
    )


ENDPOINT = Endpoint(
    "position",
    "a driver's place when it changed",
    {"driver_number": Kind.INTEGER, "date": Kind.DATE, "position": Kind.INTEGER},
    rows,
    ("intervals", "session_status"),
    is_kept=True,
)
