"""Car telemetry: engine, speed and pedals of every car, four times a second, as live timing sent them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Extract, Field
from f1_assets.datasets.refusals import Refusals
from f1_assets.datasets.rules import drivers_are_known, laps_are_covered
from f1_assets.datasets.samples import began_at, samples_of
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession


def extract(loaded: LoadedSession) -> Extract:
    """Return every sample of the session's own cars and time."""
    samples, refusals = loaded.car_data, Refusals()
    frame = samples_of(samples.table, loaded.t0_utc, loaded.key)
    frame = refusals.later(refusals.other_cars(frame, loaded.cars), loaded.own_time.ends_ms)
    frame = refusals.published_later(frame, loaded.own_time.latest_at)
    return Extract(frame, began_at(loaded), notes=samples.counts.document() | refusals.document())


def _impossible_speeds(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["speed_kmh"] < 0) | (frame["speed_kmh"] > 400)]


DATASET = Dataset(
    name="car_telemetry",
    row="sample of a car, about four a second",
    description=(
        "Engine, speed and pedals as live timing sent them: real samples only, nothing is interpolated. Times are "
        "those of the measurement. Kept in the lake, a file per session, sorted by driver and time."
    ),
    key=("driver_number", "session_time_ms"),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("session_time_ms", "int32", "When it was measured, since the feeds began", "ms"),
        Field("utc", "timestamp", "When it was measured"),
        Field("rpm", "int16", "Engine speed", "1/min"),
        Field("speed_kmh", "int16", "Speed", "km/h"),
        Field("gear", "int8", "Gear; 0 is neutral"),
        Field("throttle_pct", "int8", "Throttle; NULL where the car sent no signal", "%"),
        Field("brake", "boolean", "Whether the brake was pressed; NULL where the car sent no signal"),
        Field("drs", "int8", "Flap of the rear wing: 0, 1 closed, 8 may open, 10, 12, 14 open; NULL from 2026"),
    ),
    extract=extract,
    feeds=(Feed.CAR_DATA,),
    optional_feeds=(Feed.POSITION, Feed.DRIVER_LIST, Feed.SESSION_STATUS),
    checks=(
        Check(
            "speeds_are_possible",
            "No speed is below 0 or above 400 km/h.",
            _impossible_speeds,
            columns=("speed_kmh",),
        ),
        drivers_are_known(),
        laps_are_covered(),
    ),
    in_lake=True,
    version=2,
)
