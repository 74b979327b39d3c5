"""``/v1/starting_grid``: the grid that a qualifying session led to, under the key of that session."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers, seconds
from f1_assets.api.filters import Kind

_QUALIFYINGS = frozenset({"Q", "SQ", "SS"})


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per car on the grid of the race or sprint after this session, with its best qualifying lap."""
    following = next(
        (
            each.session.key
            for each in scope.sessions
            if each.meeting_key == scope.session.meeting_key
            and each.session.start > scope.session.session.start
            and each.session.key.session == ("R" if _is_for_the_race(scope) else "S")
        ),
        None,
    )
    grid = scope.frame("results", following) if following is not None else scope.frame("results").iloc[:0]
    grid = grid[(grid["grid_position"] > 0).fillna(False)].sort_values("grid_position")
    qualified = scope.frame("results").drop_duplicates("driver_number").set_index("driver_number")
    best = qualified["q3_ms"].fillna(qualified["q2_ms"]).fillna(qualified["q1_ms"])
    return pd.DataFrame(
        {
            "position": grid["grid_position"],
            "driver_number": car_numbers(grid["driver_number"]),
            "lap_duration": seconds(grid["driver_number"].map(best)),
        }
    )


def _is_for_the_race(scope: Scope) -> bool:
    """Check whether a qualifying set the race's grid: in 2021 and 2022 it set the sprint's, where there was one."""
    key = scope.session.key
    has_sprint = any(
        each.meeting_key == scope.session.meeting_key and each.key.session == "S" for each in scope.sessions
    )
    return key.session == "Q" and not (has_sprint and key.season <= 2022)


ENDPOINT = Endpoint(
    "starting_grid",
    "a place on the grid",
    {"position": Kind.INTEGER, "driver_number": Kind.INTEGER, "lap_duration": Kind.NUMBER},
    rows,
    ("results",),
    _QUALIFYINGS,
)
