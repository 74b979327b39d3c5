"""``/v1/overtakes``: who passed whom in races and sprints."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers
from f1_assets.api.filters import Kind
from f1_assets.datasets.laps import RACES


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per overtake."""
    stored = scope.frame("overtakes")
    return pd.DataFrame(
        {
            "date": scope.dates(stored, "session_time_ms", "utc"),
            "overtaking_driver_number": car_numbers(stored["overtaking"]),
            "overtaken_driver_number": car_numbers(stored["overtaken"]),
            "position": stored["position"],
        }
    )


ENDPOINT = Endpoint(
    "overtakes",
    "an overtake",
    {
        "date": Kind.DATE,
        "overtaking_driver_number": Kind.INTEGER,
        "overtaken_driver_number": Kind.INTEGER,
        "position": Kind.INTEGER,
    },
    rows,
    ("overtakes", "session_status"),
    RACES,
    is_kept=True,
)
