"""Intervals: how places and gaps change, from the stream that the load of laps parses anyway."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.coercions import integer, milliseconds, text
from f1_assets.datasets.definition import ALL_SESSIONS, Check, Dataset, Extract, Field
from f1_assets.datasets.lap_rules import PRACTICE
from f1_assets.datasets.refusals import late_lines
from f1_assets.datasets.rules import drivers_are_known
from f1_assets.datasets.running_time import goes_on_to_the_end
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

_LAPS_BEHIND = re.compile(r"\+?\s*(\d+)\s*L(?:AP)?S?", re.IGNORECASE)
_LEADER = re.compile(r"LAP\s+\d+", re.IGNORECASE)


def extract(loaded: LoadedSession) -> Extract:
    """Return the changes of place and gap, of the session's own cars and time."""
    stream = loaded.timing_stream
    to_leader, to_next = text(stream["GapToLeader"]), text(stream["IntervalToPositionAhead"])
    frame = pd.DataFrame(
        {
            "driver_number": text(stream["Driver"]),
            "session_time_ms": milliseconds(stream["Time"]),
            "position": integer(stream["Position"]),
            "gap_to_leader_ms": gaps_ms(to_leader),
            "laps_behind_leader": laps_behind(to_leader),
            "interval_ms": gaps_ms(to_next),
            "laps_behind_next": laps_behind(to_next),
        }
    )
    refusals = late_lines(loaded, Feed.TIMING_DATA)
    frame = refusals.later(refusals.other_cars(frame, loaded.cars), loaded.own_time.latest_ms)
    return Extract(frame, notes=refusals.document())


def gaps_ms(values: pd.Series) -> pd.Series:
    """Read gaps as they are sent, in milliseconds; what is no gap in time is missing."""
    return values.map({value: _gap_ms(value) for value in values.dropna().unique()}).astype("Int64")


def laps_behind(values: pd.Series) -> pd.Series:
    """Read gaps as they are sent, as laps; what is no gap is missing."""
    return values.map({value: _laps(value) for value in values.dropna().unique()}).astype("Int64")


def _gap_ms(gap: str) -> int | None:
    """Read ``+5.123`` and ``+1:02.345`` as milliseconds; the leader's ``LAP 12`` is a gap of 0."""
    if _LEADER.fullmatch(gap):
        return 0
    match = re.fullmatch(r"\+?(?:(\d+):)?(\d+)\.(\d{1,3})", gap)
    if match is None:
        return None
    minutes, seconds, fraction = match.groups()
    return (int(minutes or 0) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))


def _laps(gap: str) -> int | None:
    """Read ``1L`` and ``+2 LAPS`` as laps behind; whoever has a gap in time is none behind."""
    if match := _LAPS_BEHIND.fullmatch(gap):
        return int(match[1])
    return 0 if _gap_ms(gap) is not None else None


def _other_last_places(frame: pd.DataFrame) -> pd.DataFrame:
    placed = frame[frame["position"].notna()].sort_values("session_time_ms", kind="stable")
    last = placed.drop_duplicates("driver_number", keep="last")
    expected = last["position"].rank(method="first")
    return last.assign(place_by_order=expected)[last["position"] != expected]


DATASET = Dataset(
    name="intervals",
    row="change of a driver's place or gap",
    description=(
        "Place, gap to the leader and interval to the car ahead whenever one of them changes; each row repeats what "
        "did not change. In qualifying and practice the gaps are those of best lap times, and often missing."
    ),
    key=("driver_number", "session_time_ms"),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("session_time_ms", "integer", "Session time of the change", "ms"),
        Field("utc", "timestamp", "The same as a time of day; NULL until the session's clock is known"),
        Field("position", "integer", "Place"),
        Field("gap_to_leader_ms", "integer", "Gap to the leader; 0 for the leader, NULL when lapped", "ms"),
        Field("laps_behind_leader", "integer", "Laps behind the leader", "laps"),
        Field("interval_ms", "integer", "Gap to the car ahead; 0 for the leader, NULL when laps apart", "ms"),
        Field("laps_behind_next", "integer", "Laps behind the car ahead", "laps"),
    ),
    extract=extract,
    feeds=(Feed.TIMING_DATA,),
    optional_feeds=(Feed.DRIVER_LIST, Feed.SESSION_STATUS, Feed.SESSION_DATA),
    version=2,
    checks=(
        drivers_are_known(),
        Check(
            "last_places_are_whole",
            "At the end every car has a place of its own, from 1 without a hole.",
            _other_last_places,
            columns=("position",),
        ),
        goes_on_to_the_end(
            "changes_go_on_to_the_end",
            ALL_SESSIONS - PRACTICE,
            ("session_time_ms",),
            even_if_wet=True,
        ),
    ),
)
