"""``/v1/team_radio``: what was broadcast of the talk between cars and teams."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers
from f1_assets.api.filters import Kind


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per message."""
    stored = scope.frame("team_radio")
    numbers = car_numbers(stored["driver_number"])
    return pd.DataFrame({"driver_number": numbers, "date": stored["utc"], "recording_url": stored["url"]})


ENDPOINT = Endpoint(
    "team_radio",
    "a message on a driver's radio",
    {"driver_number": Kind.INTEGER, "date": Kind.DATE, "recording_url": Kind.TEXT},
    rows,
    ("team_radio",),
    stored_as={"date": "utc"},
    is_kept=True,
)
