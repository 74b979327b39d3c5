"""Position telemetry: where every car is, four times a second, as live timing sent it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f1_assets.datasets.definition import Dataset, Extract, Field
from f1_assets.datasets.refusals import Refusals
from f1_assets.datasets.rules import drivers_are_known, laps_are_covered
from f1_assets.datasets.samples import began_at, samples_of
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

_SAFETY_CARS = ("241", "242", "243")
"""Safety and medical cars have positions too, without being in the driver list."""


def extract(loaded: LoadedSession) -> Extract:
    """Return every sample of the session's own cars and time."""
    samples, refusals = loaded.positions, Refusals()
    frame = samples_of(samples.table, loaded.t0_utc, loaded.key)
    frame = refusals.later(refusals.other_cars(frame, loaded.cars, _SAFETY_CARS), loaded.own_time.ends_ms)
    frame = refusals.published_later(frame, loaded.own_time.latest_at)
    return Extract(frame, began_at(loaded), notes=samples.counts.document() | refusals.document())


DATASET = Dataset(
    name="position_telemetry",
    row="position of a car, about four a second",
    description=(
        "Positions as live timing sent them, in the coordinates of the circuit's markers: real samples only, nothing "
        "is interpolated. Times are those of the measurement. Kept in the lake, a file per session, sorted by driver "
        "and time."
    ),
    key=("driver_number", "session_time_ms"),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("session_time_ms", "int32", "When it was measured, since the feeds began", "ms"),
        Field("utc", "timestamp", "When it was measured"),
        Field("x", "int32", "Position", "0.1 m"),
        Field("y", "int32", "Position", "0.1 m"),
        Field("z", "int32", "Height", "0.1 m"),
        Field("on_track", "boolean", "Whether the car is on the track; NULL where that is not said"),
    ),
    extract=extract,
    feeds=(Feed.POSITION,),
    optional_feeds=(Feed.CAR_DATA, Feed.DRIVER_LIST, Feed.SESSION_STATUS),
    checks=(drivers_are_known(also=_SAFETY_CARS), laps_are_covered()),
    in_lake=True,
    version=2,
)
