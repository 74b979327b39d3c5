"""Overtakes: places that were won on the track."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.laps import RACES

SOURCES = ("feed", "laps")


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the swaps on the track, each when the overtaking car crossed the line."""
    changes = inputs["position_changes"]
    swaps = changes[(changes["reason"] == "track").fillna(False)]
    swaps = swaps.rename(columns={"gained_by": "overtaking", "lost_by": "overtaken"})
    crossed = inputs["laps"][["driver_number", "lap_number", "session_time_ms", "utc"]]
    crossed = crossed.rename(columns={"driver_number": "overtaking"}).dropna(subset=["session_time_ms"])
    return swaps.merge(crossed, on=["overtaking", "lap_number"]).assign(source="laps")


def _of_itself(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["overtaking"] == frame["overtaken"]]


DATASET = Dataset(
    name="overtakes",
    row="overtake on the track in a race or sprint",
    description=(
        "The swaps of `position_changes` with the reason track, with the source `laps`: who was ahead at the end of a "
        "lap and was not at the end of the one before, with neither car in the pits on these laps. The time is that at "
        "which the overtaking car then crossed the line, up to a lap after it passed. A car that passes and is passed "
        "again within a lap has no row. `feed` is for overtakes that F1 announces."
    ),
    key=("session_time_ms", "overtaking", "overtaken"),
    columns=(
        Field("session_time_ms", "integer", "Session time of the overtake, or of the line after it", "ms"),
        Field("utc", "timestamp", "The same as a time of day; NULL where no telemetry was loaded with the laps"),
        Field("lap_number", "integer", "Lap on which it happened"),
        Field("overtaking", "text", "Car number of the one that passed"),
        Field("overtaken", "text", "Car number of the one that was passed"),
        Field("position", "integer", "Place of the one that passed, at the end of the lap"),
        Field("source", "text", ", ".join(SOURCES), values=SOURCES),
    ),
    compute=compute,
    inputs=("laps", "position_changes"),
    sessions=RACES,
    checks=(
        Check(
            "two_cars_are_in_it",
            "Nobody overtakes his own car.",
            _of_itself,
            Severity.ERROR,
            columns=("position",),
        ),
    ),
)
