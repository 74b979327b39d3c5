"""``/v1/championship_drivers``: the drivers' championship before and after a race."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers
from f1_assets.api.filters import Kind
from f1_assets.api.standings import before_and_after


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per driver in the standings, with the number in the race, or else in another one of the season."""
    frame = before_and_after(scope, "driver_standings", "driver_id")
    numbers = _numbers(scope.frame("drivers")).combine_first(_numbers(scope.frame("results")))
    if not {*frame["driver_id"]} <= {*numbers.index}:
        races = [each.key for each in scope.sessions if each.key.session == "R"]
        numbers = numbers.combine_first(_numbers(scope.frame("results", *races)))
    frame["driver_number"] = car_numbers(frame["driver_id"].map(numbers))
    return frame if scope.drivers is None else frame.dropna(subset=["driver_number"])


def _numbers(people: pd.DataFrame) -> pd.Series:
    """Return the last car number of each driver."""
    known = people.dropna(subset=["driver_id", "driver_number"]).drop_duplicates("driver_id", keep="last")
    return known.set_index("driver_id")["driver_number"].astype(object)


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
    ("driver_standings", "drivers", "results"),
    frozenset({"R"}),
)
