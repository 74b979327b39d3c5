"""Driver race info: place, gaps, pit stops and overtakes in a race as F1 announces them, or counts of overtakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.coercions import text
from f1_assets.datasets.definition import Check, Dataset, Extract, Field
from f1_assets.datasets.intervals import gaps_ms, laps_behind
from f1_assets.datasets.refusals import Refusals
from f1_assets.datasets.rules import drivers_are_known
from f1_assets.datasets.running_time import goes_on_to_the_end
from f1_assets.feeds.race_info_lines import RaceInfo
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

RACES_ALONE = frozenset({"R"})


def extract(loaded: LoadedSession) -> Extract:
    """Return the changes of the session's own cars."""
    lines, refusals = loaded.race_info, Refusals()
    frame = refusals.other_cars(race_info_of(lines.changes), loaded.cars)
    return Extract(frame, notes=lines.counts.document() | refusals.document())


def race_info_of(changes: Sequence[RaceInfo]) -> pd.DataFrame:
    """Return a row per car and time at which the feed says something of it, sorted by both."""
    sent = pd.DataFrame(list(changes), columns=list(RaceInfo._fields))
    gaps, intervals = text(sent["gap"]), text(sent["interval"])
    catching = sent["catching"].astype("Int64")
    frame = sent.assign(
        gap_ms=gaps_ms(gaps),
        laps_behind=laps_behind(gaps),
        interval_ms=gaps_ms(intervals),
        laps_behind_next=laps_behind(intervals),
        is_catching=catching > 0,
    )
    return frame.sort_values(["driver_number", "session_time_ms"], kind="stable", ignore_index=True)


def _places_that_cannot_be(frame: pd.DataFrame, drivers: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a place beyond the number of drivers."""
    return frame[(frame["position"] > len(drivers)).fillna(False)]


DATASET = Dataset(
    name="driver_race_info",
    row="car and time at which F1 announces its place, gaps, pit stops or an overtake in a race",
    description=(
        "The feed DriverRaceInfo. Each row repeats what did not change, but for gap and interval, which are NULL where "
        "they were not sent then: those of a lapped car stop being sent. `overtaken_by` says which car overtakes this "
        "one: F1 sends `overtake_state` 2 of a car together with the places of those that it overtakes. Only of races, "
        "since 2020; `overtakes` has the overtakes, with their lap. From 2026 on, where DriverRaceInfo is not there, "
        "a row is a count of overtakes, as OvertakeSeries sends it: all other columns are NULL, and the dataset "
        "`overtakes` is made of laps. Kept in the lake, a file per session, sorted by driver and time."
    ),
    key=("driver_number", "session_time_ms"),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("session_time_ms", "int32", "Session time at which it was sent", "ms"),
        Field("position", "int32", "Place"),
        Field("gap_ms", "int32", "Gap to the leader, as sent then; 0 for the leader, NULL when lapped", "ms"),
        Field("laps_behind", "int32", "Laps behind the leader, where the gap says so", "laps"),
        Field("interval_ms", "int32", "Gap to the car ahead, as sent then; 0 for the leader", "ms"),
        Field("laps_behind_next", "int32", "Laps behind the car ahead, where the interval says so", "laps"),
        Field("pit_stops", "int32", "Pit stops so far"),
        Field("is_catching", "boolean", "Whether the feed says that it catches the car ahead"),
        Field("overtake_state", "int32", "As F1 sends it: 2 overtakes; the meaning of 0 and 1 is not known"),
        Field("is_out", "boolean", "Whether the car is out of the race"),
        Field("overtaken_by", "text", "Car number of the one that overtakes it then; NULL where none does"),
        Field(
            "overtakes",
            "int32",
            "Count of its overtakes, as OvertakeSeries sends it; NULL where DriverRaceInfo is there, which says whom "
            "it overtakes",
        ),
    ),
    extract=extract,
    feeds=(Feed.DRIVER_RACE_INFO,),
    is_addition=True,
    optional_feeds=(Feed.OVERTAKES, Feed.DRIVER_LIST, Feed.SESSION_STATUS),
    sessions=RACES_ALONE,
    first_season=2020,
    checks=(
        drivers_are_known(),
        Check(
            "places_are_of_the_field",
            "No place is beyond the number of drivers.",
            _places_that_cannot_be,
            beside=("drivers",),
            columns=("position",),
        ),
        goes_on_to_the_end("changes_go_on_to_the_end", RACES_ALONE, ("session_time_ms", "overtakes"), even_if_wet=True),
    ),
    in_lake=True,
)
