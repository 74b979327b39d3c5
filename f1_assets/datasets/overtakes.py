"""Overtakes: places that were won on the track, as F1 announces them or as laps show them."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.laps import RACES

SOURCES = ("feed", "laps")


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the overtakes that F1 announces; where it announces none of a race, the swaps on the track."""
    announced = inputs.get("driver_race_info")
    if announced is not None and announced["overtake_state"].notna().any():
        return _of_feed(announced, inputs["laps"])
    return _of_laps(inputs)


def _of_feed(announced: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    """Return who was overtaken, with the place of the one that overtakes and its lap at that time."""
    moment = ["overtaking", "session_time_ms"]
    overtaken = announced.dropna(subset=["overtaken_by"])[["driver_number", "session_time_ms", "overtaken_by"]]
    overtaken = overtaken.rename(columns={"driver_number": "overtaken", "overtaken_by": "overtaking"})
    places = announced[["driver_number", "session_time_ms", "position"]]
    rows = overtaken.merge(places.rename(columns={"driver_number": "overtaking"}), on=moment, how="left")
    rows = rows.astype({"session_time_ms": "int64"}).sort_values("session_time_ms")
    ends = laps[["driver_number", "lap_number", "session_time_ms"]].dropna().astype({"session_time_ms": "int64"})
    ends = ends.rename(columns={"driver_number": "overtaking"}).sort_values("session_time_ms")
    ends, rows = (frame.astype({"overtaking": object}) for frame in (ends, rows))
    rows = pd.merge_asof(rows, ends, on="session_time_ms", by="overtaking", direction="forward")
    dated = laps.dropna(subset=["utc", "session_time_ms"]).head(1)
    if not dated.empty:
        began = dated["utc"].iloc[0] - pd.Timedelta(int(dated["session_time_ms"].iloc[0]), "ms")
        rows["utc"] = began + pd.to_timedelta(rows["session_time_ms"], unit="ms")
    return rows.assign(source="feed")


def _of_laps(inputs: Inputs) -> pd.DataFrame:
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
        "With the source `feed`, overtakes as F1 announces them in `driver_race_info`: in races since 2020, when they "
        "are announced, those of the start and those that do not last until the line among them. Where that is "
        "not there, the swaps of `position_changes` with the reason track, with the source `laps`: who was ahead at "
        "the end of a lap and was not at the end of the one before, with neither car in the pits on these laps. Their "
        "time is that at which the overtaking car then crossed the line, up to a lap after it passed."
    ),
    key=("session_time_ms", "overtaking", "overtaken"),
    columns=(
        Field("session_time_ms", "integer", "Session time of the overtake, or of the line after it", "ms"),
        Field("utc", "timestamp", "The same as a time of day; NULL until the session's clock is known"),
        Field("lap_number", "integer", "Lap of the car that passed; NULL where it did not complete it"),
        Field("overtaking", "text", "Car number of the one that passed"),
        Field("overtaken", "text", "Car number of the one that was passed"),
        Field("position", "integer", "Place of the one that passed, then, or at the end of the lap"),
        Field("source", "text", ", ".join(SOURCES), values=SOURCES),
    ),
    compute=compute,
    inputs=("laps", "position_changes"),
    optional_inputs=("driver_race_info",),
    sessions=RACES,
    version=2,
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
