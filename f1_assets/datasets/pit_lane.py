"""Pit lane: each pass of a car through it in a race or sprint, and how long it stood, as F1's own loops have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Extract, Field
from f1_assets.datasets.laps import RACES
from f1_assets.datasets.refusals import Refusals
from f1_assets.datasets.rules import drivers_are_known
from f1_assets.feeds.pit_lines import PitLines, PitPass
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

SOURCES = tuple(str(feed) for feed in (Feed.PIT_LANE_TIMES, Feed.PIT_STOP_SERIES, Feed.PIT_STOP))

LANES_AGREE_MS = 1_000
"""By so much two feeds may differ in the time of one pass."""

SENT_WITHIN_MS = 120_000
"""So far apart two feeds may send one pass, where not both say its lap and its time."""


@dataclass
class _Row:
    """A pass, and which feeds had it."""

    is_now: PitPass
    source: str
    standing_source: str | None = None
    told_by: set[str] = field(default_factory=set)

    def is_of(self, stop: PitPass) -> bool:
        """Check whether a stop of another feed is this pass."""
        laps, lanes = (self.is_now.lap, stop.lap), (self.is_now.lane_ms, stop.lane_ms)
        if None not in laps and laps[0] != laps[1]:
            return False
        if lanes[0] is not None and lanes[1] is not None and abs(lanes[0] - lanes[1]) > LANES_AGREE_MS:
            return False
        return None not in (*laps, *lanes) or self.apart_ms(stop) <= SENT_WITHIN_MS

    def apart_ms(self, stop: PitPass) -> int:
        """Return how far apart the two were sent."""
        return abs(self.is_now.session_time_ms - stop.session_time_ms)

    def add(self, stop: PitPass, feed: str) -> None:
        """Add what another feed says of this pass."""
        now = self.is_now
        if now.standing_ms is None and stop.standing_ms is not None:
            self.standing_source = feed
        self.is_now = PitPass(
            now.driver_number,
            now.session_time_ms,
            stop.lap if now.lap is None else now.lap,
            stop.lane_ms if now.lane_ms is None else now.lane_ms,
            stop.standing_ms if now.standing_ms is None else now.standing_ms,
        )
        self.told_by.add(feed)


def extract(loaded: LoadedSession) -> Extract:
    """Return the passes of the session's own cars."""
    lines, refusals = loaded.pit_lines, Refusals()
    frame = refusals.other_cars(passes_of({feed: each.passes for feed, each in lines.items()}), loaded.cars)
    return Extract(frame, notes=_notes(lines) | refusals.document())


def passes_of(passes: Mapping[str, Sequence[PitPass]]) -> pd.DataFrame:
    """Return a row per pass, from what each feed has; of the first of `SOURCES` that has it are time and place."""
    rows: dict[str, list[_Row]] = {}
    for feed in SOURCES:
        for each in passes.get(feed, ()):
            of_car = rows.setdefault(each.driver_number, [])
            known = [row for row in of_car if feed not in row.told_by and row.is_of(each)]
            if known:
                apart_ms = [row.apart_ms(each) for row in known]
                known[apart_ms.index(min(apart_ms))].add(each, feed)
            else:
                stood = None if each.standing_ms is None else feed
                of_car.append(_Row(each, feed, stood, {feed}))
    return pd.DataFrame(
        [
            (
                car,
                number,
                row.is_now.lap,
                row.is_now.session_time_ms,
                row.is_now.lane_ms,
                row.is_now.standing_ms,
                row.source,
                row.standing_source,
            )
            for car, of_car in rows.items()
            for number, row in enumerate(sorted(of_car, key=lambda row: row.is_now.session_time_ms), 1)
        ],
        columns=[column.name for column in _COLUMNS if column.name != "utc"],
    )


def _notes(lines: Mapping[str, PitLines]) -> dict[str, Any]:
    """Return what was damaged in the feeds, together and of each; nothing when all was well."""
    of_feeds = {feed: bad for feed, each in lines.items() if (bad := each.counts.document())}
    if not of_feeds:
        return {}
    names = ("bad_lines", "bad_entries", "duplicates")
    together = {name: sum(getattr(each.counts, name) for each in lines.values()) for name in names}
    return {**{name: number for name, number in together.items() if number}, "feeds": of_feeds}


def _longer_than_the_lane(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["standing_ms"] > frame["lane_ms"]).fillna(False)]


def _without_entry(frame: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    """Return passes on laps on which the car did not come in; those on lap 1 may be before the start."""
    lap = ["driver_number", "lap_number"]
    others = laps.loc[laps["pit_in_time_ms"].isna(), lap]
    later = frame[(frame["lap_number"] > 1).fillna(False)]
    found: pd.DataFrame = later.merge(others, on=lap)
    return found


_COLUMNS = (
    Field("driver_number", "text", "Car number in this session"),
    Field("pass_number", "integer", "Pass of the car, from 1"),
    Field("lap_number", "integer", "Lap, as F1 counts it; 1 also before the start. NULL where no feed says it"),
    Field("session_time_ms", "integer", "Session time of the line with the time in the lane", "ms"),
    Field("utc", "timestamp", "The same as a time of day; NULL until the session's clock is known"),
    Field("lane_ms", "integer", "Between the two loops of the lane, to a tenth of a second; NULL where not said", "ms"),
    Field("standing_ms", "integer", "How long the car stood, where PitStopSeries or PitStop says it", "ms"),
    Field("source", "text", f"The feed that the row is of: {', '.join(SOURCES)}", values=SOURCES),
    Field(
        "standing_source",
        "text",
        f"The feed of `standing_ms`: {', '.join(SOURCES[1:])}; NULL without it",
        values=SOURCES[1:],
    ),
)

DATASET = Dataset(
    name="pit_lane",
    row="pass of a car through the pit lane in a race or sprint",
    description=(
        "As F1's loops at the ends of the pit lane time it. Drives to the grid are passes too, and so is a wait under "
        "red flag or in the garage: times of more than an hour are real. Time and place are those of "
        f"{SOURCES[0]}, or where it lacks a stop, of the feed that has the standing time: {SOURCES[1]} from 2025 on, "
        f"{SOURCES[2]} from 2026 on where there is no {SOURCES[1]}. Passes of two feeds are the same with the same lap "
        f"and, to {LANES_AGREE_MS // 1000} s, the same time in the lane; where one does not say them, if they came "
        f"within {SENT_WITHIN_MS // 1000} s. `pit_stops` has the stops, with what they cost."
    ),
    key=("driver_number", "pass_number"),
    columns=_COLUMNS,
    extract=extract,
    feeds=(Feed.PIT_LANE_TIMES,),
    is_addition=True,
    optional_feeds=(Feed.PIT_STOP_SERIES, Feed.PIT_STOP, Feed.DRIVER_LIST, Feed.SESSION_STATUS, Feed.SESSION_DATA),
    sessions=RACES,
    order_by=("session_time_ms", "driver_number"),
    identities=(("driver_number", "session_time_ms"), ("driver_number", "lap_number")),
    checks=(
        drivers_are_known(),
        Check(
            "standing_is_part_of_the_lane",
            "A car does not stand for longer than it was in the lane.",
            _longer_than_the_lane,
            columns=("lane_ms", "standing_ms"),
        ),
        Check(
            "passes_are_of_laps_that_end_in_the_pits",
            "A pass after lap 1 is of a lap on which the car came into the pits.",
            _without_entry,
            beside=("laps",),
            columns=("driver_number", "lap_number"),
        ),
    ),
)
