"""``/v1/location``: where the cars are."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers
from f1_assets.api.filters import Kind


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per sample."""
    stored = scope.frame("position_telemetry")
    numbers = car_numbers(stored["driver_number"])
    return pd.DataFrame({"driver_number": numbers, "date": stored["utc"], **{axis: stored[axis] for axis in "xyz"}})


ENDPOINT = Endpoint(
    "location",
    "a sample of a car's place",
    {"driver_number": Kind.INTEGER, "date": Kind.DATE, "x": Kind.INTEGER, "y": Kind.INTEGER, "z": Kind.INTEGER},
    rows,
    ("position_telemetry",),
    is_telemetry=True,
    stored_as={"date": "utc", "x": "x", "y": "y", "z": "z"},
)
