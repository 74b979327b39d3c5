"""``/v1/stints``: sets of tyres."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers
from f1_assets.api.filters import Kind


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per set of tyres that was driven without a break."""
    stored = scope.frame("stints")
    return pd.DataFrame(
        {
            "driver_number": car_numbers(stored["driver_number"]),
            "stint_number": stored["stint"],
            "lap_start": stored["first_lap"],
            "lap_end": stored["last_lap"],
            "compound": stored["compound"],
            "tyre_age_at_start": stored["tyre_age_at_start_laps"],
        }
    )


ENDPOINT = Endpoint(
    "stints",
    "a set of tyres that was driven without a break",
    {
        "driver_number": Kind.INTEGER,
        "stint_number": Kind.INTEGER,
        "lap_start": Kind.INTEGER,
        "lap_end": Kind.INTEGER,
        "compound": Kind.TEXT,
        "tyre_age_at_start": Kind.INTEGER,
    },
    rows,
    ("stints",),
    stored_as={"stint_number": "stint", "lap_start": "first_lap", "lap_end": "last_lap"},
    is_kept=True,
)
