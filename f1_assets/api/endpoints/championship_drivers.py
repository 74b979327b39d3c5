"""``/v1/championship_drivers``: the drivers' championship before and after a race."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers
from f1_assets.api.filters import Kind
from f1_assets.api.standings import before_and_after


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per driver in the standings; who has no number in the race's own list has none here."""
    frame = before_and_after(scope, "driver_standings", "driver_id")
    entered = scope.frame("drivers").dropna(subset=["driver_id"]).drop_duplicates("driver_id").set_index("driver_id")
    frame["driver_number"] = car_numbers(frame["driver_id"].map(entered["driver_number"]))
    return frame if scope.drivers is None else frame.dropna(subset=["driver_number"])


ENDPOINT = Endpoint(
    "championship_drivers",
    "a driver in the championship before and after a race",
    {
        "driver_number": Kind.INTEGER,
        "points_start": Kind.NUMBER,
        "points_current": Kind.NUMBER,
        "position_start": Kind.INTEGER,
        "position_current": Kind.INTEGER,
    },
    rows,
    ("driver_standings", "drivers"),
    frozenset({"R"}),
)
