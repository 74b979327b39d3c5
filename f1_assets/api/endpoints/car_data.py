"""``/v1/car_data``: what the cars measure."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers
from f1_assets.api.filters import Kind


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per sample."""
    stored = scope.frame("car_telemetry")
    return pd.DataFrame(
        {
            "driver_number": car_numbers(stored["driver_number"]),
            "date": stored["utc"],
            "speed": stored["speed_kmh"],
            "rpm": stored["rpm"],
            "n_gear": stored["gear"],
            "throttle": stored["throttle_pct"],
            "brake": stored["brake"].astype("Int64") * 100,
            "drs": stored["drs"],
        }
    )


ENDPOINT = Endpoint(
    "car_data",
    "a sample of a car's channels",
    {
        "driver_number": Kind.INTEGER,
        "date": Kind.DATE,
        "speed": Kind.INTEGER,
        "rpm": Kind.INTEGER,
        "n_gear": Kind.INTEGER,
        "throttle": Kind.INTEGER,
        "brake": Kind.INTEGER,
        "drs": Kind.INTEGER,
    },
    rows,
    ("car_telemetry",),
    is_telemetry=True,
    stored_as={
        "date": "utc",
        "speed": "speed_kmh",
        "n_gear": "gear",
        "throttle": "throttle_pct",
        "rpm": "rpm",
        "drs": "drs",
    },
)
