"""``/v1/drivers``: who takes part in a session."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers
from f1_assets.api.filters import Kind

_NAMES = {"abbreviation": "name_acronym", "team_color": "team_colour"}


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per driver."""
    frame = scope.frame("drivers").rename(columns=_NAMES)
    # Clients take no driver without it, and the feed does not have it of each; it is made as F1 makes it.
    initials = frame["first_name"].str[:1].str.cat(frame["last_name"].str.upper(), sep=" ")
    frame = frame.assign(broadcast_name=frame["broadcast_name"].fillna(initials))
    return frame.assign(driver_number=car_numbers(frame["driver_number"]), full_name=_full_names(frame))


def _full_names(drivers: pd.DataFrame) -> pd.Series:
    """Return full names as F1 writes them: Max VERSTAPPEN."""
    surnames = drivers["broadcast_name"].str.extract(r" (.+)", expand=False)
    return (drivers["first_name"] + " " + surnames).fillna(drivers["full_name"])


ENDPOINT = Endpoint(
    "drivers",
    "a driver of a session",
    {
        "driver_number": Kind.INTEGER,
        "broadcast_name": Kind.TEXT,
        "full_name": Kind.TEXT,
        "name_acronym": Kind.TEXT,
        "first_name": Kind.TEXT,
        "last_name": Kind.TEXT,
        "team_name": Kind.TEXT,
        "team_colour": Kind.TEXT,
        "headshot_url": Kind.TEXT,
        "country_code": Kind.TEXT,
    },
    rows,
    ("drivers",),
    is_kept=True,
)
