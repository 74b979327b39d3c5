"""``/v1/championship_teams``: the constructors' championship before and after a race."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope
from f1_assets.api.filters import Kind
from f1_assets.api.standings import before_and_after


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per team in the standings."""
    return before_and_after(scope, "constructor_standings", "constructor_id").rename(columns={"name": "team_name"})


ENDPOINT = Endpoint(
    "championship_teams",
    "a team in the championship before and after a race",
    {
        "team_name": Kind.TEXT,
        "points_start": Kind.NUMBER,
        "points_current": Kind.NUMBER,
        "position_start": Kind.INTEGER,
        "position_current": Kind.INTEGER,
    },
    rows,
    ("constructor_standings",),
    frozenset({"R"}),
)
