"""``/v1/weather``: the weather at the track, every minute."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope
from f1_assets.api.filters import Kind


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per measurement."""
    stored = scope.frame("weather")
    return pd.DataFrame(
        {
            "date": scope.dates(stored, "session_time_ms", "utc"),
            "air_temperature": stored["air_temperature_c"],
            "track_temperature": stored["track_temperature_c"],
            "humidity": stored["humidity_pct"],
            "pressure": stored["pressure_mbar"],
            "rainfall": stored["rainfall"].astype("Int64"),
            "wind_direction": stored["wind_direction_deg"].round().astype("Int64"),
            "wind_speed": stored["wind_speed_mps"],
        }
    )


ENDPOINT = Endpoint(
    "weather",
    "a measurement of the weather",
    {
        "date": Kind.DATE,
        "air_temperature": Kind.NUMBER,
        "track_temperature": Kind.NUMBER,
        "humidity": Kind.NUMBER,
        "pressure": Kind.NUMBER,
        "rainfall": Kind.INTEGER,
        "wind_direction": Kind.INTEGER,
        "wind_speed": Kind.NUMBER,
    },
    rows,
    ("weather", "session_status"),
    stored_as={"date": "utc"},
    is_kept=True,
)
