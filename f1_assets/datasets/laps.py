"""Laps: every lap of every driver, with FastF1's 31 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from f1_assets.datasets.coercions import flag, integer, milliseconds, number, text
from f1_assets.datasets.definition import Check, Dataset, Extract, Field, NotCheckableError, Severity, time_of_day
from f1_assets.datasets.driven_tyres import with_driven_tyres
from f1_assets.datasets.generated_laps import DID_NOT_START, never_driven, without_start
from f1_assets.datasets.joins import LAPS_WITH_CONTEXT
from f1_assets.datasets.lap_rules import LAP_RULES
from f1_assets.datasets.refusals import Refusals, late_lines
from f1_assets.datasets.rules import drivers_are_known
from f1_assets.datasets.speed_rules import SPEED_RULES
from f1_assets.datasets.speed_traps import without_silent_traps
from f1_assets.datasets.stint_rules import STINT_RULES
from f1_assets.feeds.classification import first_laps_of
from f1_assets.feeds.people import number_named, people_of
from f1_assets.feeds.table import Feed
from f1_assets.warehouse.lines import identity_of
from f1_assets.warehouse.models import sessions

if TYPE_CHECKING:
    from sqlalchemy import Table

    from f1_assets.fetch.loaded_session import LoadedSession

RACES = frozenset({"R", "S"})

COMPOUNDS = (
    "HYPERSOFT",
    "ULTRASOFT",
    "SUPERSOFT",
    "SOFT",
    "MEDIUM",
    "HARD",
    "SUPERHARD",
    "INTERMEDIATE",
    "WET",
    "UNKNOWN",
    "TEST_UNKNOWN",
)
"""All tyres since 2018; until 2018 each had a name of its own, since then the three of a weekend are named anew."""

_MILLISECONDS = {
    "session_time_ms": "Time",
    "lap_time_ms": "LapTime",
    "sector1_time_ms": "Sector1Time",
    "sector2_time_ms": "Sector2Time",
    "sector3_time_ms": "Sector3Time",
    "sector1_session_time_ms": "Sector1SessionTime",
    "sector2_session_time_ms": "Sector2SessionTime",
    "sector3_session_time_ms": "Sector3SessionTime",
    "lap_start_time_ms": "LapStartTime",
    "pit_out_time_ms": "PitOutTime",
    "pit_in_time_ms": "PitInTime",
}


def extract(loaded: LoadedSession) -> Extract:
    """Return the laps; of what FastF1 fills in, only what is known stays."""
    laps = loaded.laps
    compound, tyre_life = text(laps["Compound"]), integer(laps["TyreLife"])
    tyre_is_known = compound.notna() & tyre_life.notna()
    frame = pd.DataFrame({ours: milliseconds(laps[theirs]) for ours, theirs in _MILLISECONDS.items()})
    frame = frame.assign(
        driver_number=text(laps["DriverNumber"]),
        lap_number=integer(laps["LapNumber"]),
        abbreviation=text(laps["Driver"]),
        team_name=text(laps["Team"]),
        stint=integer(laps["Stint"]),
        speed_i1_kmh=number(laps["SpeedI1"]),
        speed_i2_kmh=number(laps["SpeedI2"]),
        speed_fl_kmh=number(laps["SpeedFL"]),
        speed_st_kmh=number(laps["SpeedST"]),
        is_personal_best=flag(laps["IsPersonalBest"]),
        compound=compound,
        tyre_life_laps=tyre_life,
        # Without tyre data FastF1 makes every tyre a fresh one.
        fresh_tyre=flag(laps["FreshTyre"]).where(tyre_is_known),
        track_status=text(laps["TrackStatus"]),
        position=integer(laps["Position"]),
        deleted=flag(laps["Deleted"]),
        deleted_reason=text(laps["DeletedReason"]),
        fastf1_generated=flag(laps["FastF1Generated"]),
        is_accurate=flag(laps["IsAccurate"]),
    )
    frame["lap_time_ms"] = _with_first_laps(frame, loaded)
    refusals = late_lines(loaded, Feed.TIMING_DATA, Feed.TIMING_APP_DATA, Feed.LAP_COUNT)
    driven = _of_known_cars(_driven(frame, loaded, refusals), loaded, refusals)
    driven = refusals.later(driven, loaded.own_time.latest_ms)
    driven = with_driven_tyres(driven)
    if (timing := loaded.body(Feed.TIMING_DATA)) is not None:
        driven = without_silent_traps(driven, timing)
    driven = driven.assign(lap_start_utc=time_of_day(driven["lap_start_time_ms"], loaded.t0_utc))
    return Extract(driven, _distance(loaded), rows_expected=_laps_of_the_result(loaded), notes=refusals.document())


def _driven(frame: pd.DataFrame, loaded: LoadedSession, refusals: Refusals) -> pd.DataFrame:
    """Leave out laps of a race that FastF1 generated and that nobody drove."""
    if loaded.key.session not in RACES:
        return frame
    statuses = loaded.session_status
    times = milliseconds(statuses["Time"]).where(statuses["Status"].notna())
    started, aborted = (times[statuses["Status"] == status].dropna().tolist() for status in ("Started", "Aborted"))
    timing, results = loaded.body(Feed.TIMING_DATA), loaded.results
    words = text(results["Status"]).str.lower()
    did_not_start = set(text(results["DriverNumber"])[words.isin(DID_NOT_START).fillna(False)])
    if timing is not None and started:
        did_not_start |= without_start(timing, started[0])
    invented = never_driven(frame, loaded.laps_scheduled, aborted, did_not_start)
    told = frame.loc[invented, ["driver_number", "lap_number"]]
    refusals.add("that FastF1 generated and nobody drove", [f"car {car}, lap {lap}" for car, lap in told.to_numpy()])
    return frame[~invented]


def _of_known_cars(frame: pd.DataFrame, loaded: LoadedSession, refusals: Refusals) -> pd.DataFrame:
    """Report the cars of the timing whose laps FastF1 leaves out, because it knows no driver of theirs."""
    others = sorted(set(text(loaded.timing_stream["Driver"]).dropna()) - set(frame["driver_number"].dropna()))
    reason = "of laps, each of a car that is not in the session's driver list or has no lap"
    refusals.add(reason, [f"car {number}" for number in others])
    return refusals.other_cars(frame, loaded.cars)


def _distance(loaded: LoadedSession) -> Mapping[Table, Sequence[Mapping[str, Any]]]:
    """Return the calendar's row of a race with its laps, where they are announced."""
    if loaded.laps_scheduled is None:
        return {}
    return {sessions: [{**identity_of(loaded.key), "laps_scheduled": loaded.laps_scheduled}]}


def _with_first_laps(frame: pd.DataFrame, loaded: LoadedSession) -> pd.Series:
    """Add the time of lap 1 of drivers whom Jolpica's result leaves out, and its lap times do not.

    FastF1 adds those of the others: it knows a driver's car from the result alone.
    """
    times = frame["lap_time_ms"].copy()
    first_laps = first_laps_of(loaded.body(Feed.LAP_TIMES))
    if not first_laps:
        return times
    ids = text(loaded.results["DriverId"])
    left_out = people_of(loaded.results[ids.isna()])
    for driver_id in first_laps.keys() - set(ids.dropna()):
        number = number_named(driver_id, left_out)
        times[(frame["lap_number"] == 1) & (frame["driver_number"] == number)] = first_laps[driver_id]
    return times


def _laps_of_the_result(loaded: LoadedSession) -> int | None:
    """Sum the laps of the official result, where it counts them: in races and sprints."""
    completed = integer(loaded.results["Laps"])
    return int(completed.sum()) if completed.notna().any() else None


def _sector_sums_that_differ(frame: pd.DataFrame) -> pd.DataFrame:
    sums = frame["sector1_time_ms"] + frame["sector2_time_ms"] + frame["sector3_time_ms"]
    # Four times, each rounded to a millisecond, are off by two together at most.
    return frame[((sums - frame["lap_time_ms"]).abs() > 2).fillna(False)]


def _after_missing_laps(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.sort_values(["driver_number", "lap_number"])
    before = ordered.groupby("driver_number")["lap_number"].shift().fillna(0)
    return ordered[ordered["lap_number"] != before + 1]


def _not_the_distance(frame: pd.DataFrame, sessions: pd.DataFrame) -> pd.DataFrame:
    """Return the laps beyond the distance, or the last ones of a race that ended before it."""
    if sessions["laps_scheduled"].isna().all():
        raise NotCheckableError("LapCount: how many laps were scheduled is not known")
    distance = int(sessions["laps_scheduled"].iloc[0])
    # A lap that was begun and not timed is the way back to the pits.
    driven = frame[frame["lap_time_ms"].notna()].assign(laps_scheduled=distance)
    if driven.empty:
        return driven
    most = driven["lap_number"].max()
    odd: pd.DataFrame = driven[driven["lap_number"] >= (distance + 1 if most > distance else most)]
    return odd.head(0) if most == distance else odd


def _ends_before_it_begins(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["session_time_ms"] <= frame["lap_start_time_ms"]).fillna(False)]


DATASET = Dataset(
    name="laps",
    row="lap",
    description=(
        "Lap and sector times, speed traps, tyres, pit stops and track status of every lap. Laps that FastF1 adds for "
        "drivers who stopped on track are marked `fastf1_generated`. `deleted` is NULL where the race control "
        "messages are missing. Lap 1 has a time only in races, from Jolpica."
    ),
    key=("driver_number", "lap_number"),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("lap_number", "integer", "Lap, from 1"),
        Field("abbreviation", "text", "Driver's three letters"),
        Field("team_name", "text", "Team's short name"),
        Field("session_time_ms", "integer", "Session time at the end of the lap", "ms"),
        Field("utc", "timestamp", "The same as a time of day; NULL until the session's clock is known"),
        Field("lap_time_ms", "integer", "Lap time", "ms"),
        Field("sector1_time_ms", "integer", "Time of sector 1", "ms"),
        Field("sector2_time_ms", "integer", "Time of sector 2", "ms"),
        Field("sector3_time_ms", "integer", "Time of sector 3", "ms"),
        Field("sector1_session_time_ms", "integer", "Session time at the end of sector 1", "ms"),
        Field("sector2_session_time_ms", "integer", "Session time at the end of sector 2", "ms"),
        Field("sector3_session_time_ms", "integer", "Session time at the end of sector 3", "ms"),
        Field("lap_start_time_ms", "integer", "Session time at the start of the lap", "ms"),
        Field(
            "lap_start_utc",
            "timestamp",
            "Time of day at the start of the lap; NULL until the session's clock is known",
        ),
        Field("pit_out_time_ms", "integer", "Session time at which the car left the pits", "ms"),
        Field("pit_in_time_ms", "integer", "Session time at which the car entered the pits", "ms"),
        Field("stint", "integer", "Stint, from 1, counted by pit stops; NULL where its tyres are not known"),
        Field("compound", "text", f"Tyres: {', '.join(COMPOUNDS)}", values=COMPOUNDS),
        Field("tyre_life_laps", "integer", "Laps driven on this set, this one included", "laps"),
        Field("fresh_tyre", "boolean", "Whether the set was new when fitted"),
        Field("speed_i1_kmh", "float", "Speed at intermediate 1; NULL where the trap sent nothing for any car", "km/h"),
        Field("speed_i2_kmh", "float", "Speed at intermediate 2", "km/h"),
        Field("speed_fl_kmh", "float", "Speed at the finish line", "km/h"),
        Field("speed_st_kmh", "float", "Speed on the longest straight", "km/h"),
        Field("is_personal_best", "boolean", "Whether it was the driver's best lap so far that counts"),
        Field("track_status", "text", "All track statuses during the lap, a digit each; see track_status"),
        Field("position", "integer", "Place at the end of the lap, in races and sprints"),
        Field("deleted", "boolean", "Whether race control deleted the lap time"),
        Field("deleted_reason", "text", "Why it was deleted"),
        Field("fastf1_generated", "boolean", "Whether FastF1 added the lap"),
        Field("is_accurate", "boolean", "Whether FastF1's checks found the times consistent"),
    ),
    extract=extract,
    # Without any of these FastF1 3.9 has no laps.
    feeds=(Feed.TIMING_DATA, Feed.TIMING_APP_DATA, Feed.SESSION_STATUS, Feed.TRACK_STATUS),
    optional_feeds=(
        Feed.DRIVER_LIST,
        Feed.RACE_CONTROL,
        Feed.LAP_COUNT,
        Feed.RESULTS,
        Feed.LAP_TIMES,
        Feed.SESSION_DATA,
    ),
    version=2,
    views={"laps_with_context": LAPS_WITH_CONTEXT},
    checks=(
        Check(
            "sectors_sum_to_lap",
            "The sectors of a lap sum to its time, to 2 ms.",
            _sector_sums_that_differ,
            columns=("lap_time_ms", "sector1_time_ms", "sector2_time_ms", "sector3_time_ms", "is_accurate"),
        ),
        Check(
            "laps_follow_each_other",
            "A driver's laps are numbered from 1 without a gap.",
            _after_missing_laps,
            columns=("session_time_ms", "lap_start_time_ms"),
        ),
        Check(
            "laps_end_after_they_begin",
            "A lap ends after it began.",
            _ends_before_it_begins,
            Severity.ERROR,
            columns=("lap_start_time_ms", "session_time_ms"),
        ),
        Check(
            "laps_reach_the_distance",
            "A race ends with the lap that LapCount announced as its last; one that was cut short ends before.",
            _not_the_distance,
            beside=("sessions",),
            sessions=RACES,
            columns=("lap_time_ms", "session_time_ms"),
        ),
        drivers_are_known(Severity.ERROR),
        *STINT_RULES,
        *SPEED_RULES,
        *LAP_RULES,
    ),
)
