"""Results: who finished where, from the official classification; computed from laps where there is no official one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.coercions import full_name, integer, milliseconds, text
from f1_assets.datasets.definition import Check, Dataset, Extract, Feeds, Field, Severity
from f1_assets.datasets.entries import rows_of_result
from f1_assets.datasets.result_rules import RESULT_RULES
from f1_assets.datasets.rules import drivers_are_known
from f1_assets.feeds.classification import classification_of
from f1_assets.feeds.table import Feed
from f1_assets.keys import FIRST_LIVE_TIMING_SEASON

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

AFTER_THE_END = tuple(timedelta(days=days) for days in (1, 3, 7, 30, 100))
"""Penalties and disqualifications came after three days, corrections after three months."""

SPRINT_QUALIFYING = ("SQ", "SS")
"""Sessions of which Jolpica has no results: FastF1 computes them from the laps."""

COMPUTED_FROM = Feeds(
    (Feed.TIMING_DATA, Feed.TIMING_APP_DATA, Feed.SESSION_STATUS), (Feed.DRIVER_LIST, Feed.RACE_CONTROL)
)
"""What it computes them from."""

RACES = frozenset({"R", "S"})

_PARTS = ("q1_ms", "q2_ms", "q3_ms")


def extract(loaded: LoadedSession) -> Extract:
    """Return the classification: every entry of Jolpica's, or what FastF1 computes from the laps."""
    if loaded.key.session in SPRINT_QUALIFYING:
        _ = loaded.laps  # without laps there is nothing to compute from, and the error says why
        return Extract(_computed(loaded.results))
    return rows_of_result(classification_of(loaded.body(Feed.RESULTS)), loaded.listed)


def _computed(results: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "entry": range(1, len(results) + 1),
            "driver_number": text(results["DriverNumber"]),
            "full_name": full_name(results["FirstName"], results["LastName"]),
            "team_name": text(results["TeamName"]),
            "position": integer(results["Position"]),
            # A computed place passed through a float: "1.0" is place 1.
            "classified_position": text(results["ClassifiedPosition"]).str.removesuffix(".0"),
            "q1_ms": milliseconds(results["Q1"]),
            "q2_ms": milliseconds(results["Q2"]),
            "q3_ms": milliseconds(results["Q3"]),
        }
    )


def _shared_places(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the entries with another's place, but for two people in one car."""
    placed = frame[frame["position"].notna()]
    cars = placed["driver_number"].where(placed["driver_number"].notna(), placed["entry"].astype("string") + ".")
    of_one_car = pd.DataFrame({"place": placed["position"], "car": cars, "driver": placed["driver_id"]})
    is_shared = of_one_car.duplicated(["place", "car"], keep=False) & ~of_one_car.duplicated(keep=False)
    once = placed[~(is_shared & of_one_car.duplicated(["place", "car"]))]
    odd = once.loc[once["position"].duplicated(keep=False), "position"]
    return placed[placed["position"].isin(odd)]


def _listed_twice(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the entries of one driver in one car; since live timing also those of one driver, or of one car."""
    number, driver = frame["driver_number"], frame["driver_id"]
    twice = frame.duplicated(["driver_number", "driver_id"], keep=False) & number.notna()
    modern = frame["season"] >= FIRST_LIVE_TIMING_SEASON
    for column in (number, driver):
        twice |= modern & column.notna() & column.duplicated(keep=False)
    return frame[twice]


def _drove_without_result(frame: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    has_result = laps["driver_number"].isin(frame["driver_number"].dropna())
    driven = laps[~laps["fastf1_generated"].fillna(False) & ~has_result]
    last = driven.sort_values("lap_number").drop_duplicates("driver_number", keep="last")
    counts = driven.groupby("driver_number").size().to_dict()
    return last.assign(laps_stored=last["driver_number"].map(counts).astype("Int64"))


def _without_laps(frame: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    has_driven = (frame["laps"] > 0).fillna(False) | frame[list(_PARTS)].notna().any(axis="columns")
    return frame[has_driven & ~frame["driver_number"].isin(laps["driver_number"])]


def _other_lap_counts(frame: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    last = _last_laps(laps)
    stored = _of_drivers(frame, laps.groupby("driver_number").size()).fillna(0)
    # The lap on which a car stopped is stored, but no result counts it.
    unfinished = _of_drivers(frame, last["lap_time_ms"].isna().astype("Int64")).fillna(0)
    fits = (frame["laps"] == stored) | (frame["laps"] == stored - unfinished)
    return frame.assign(laps_stored=stored)[~fits.fillna(True)]


def _other_order(frame: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    """Compare places among those who finished with all their laps stored: laps that lack are another rule's matter."""
    last = _last_laps(laps)
    driven, crossed_ms = (_of_drivers(frame, last[name]) for name in ("lap_number", "session_time_ms"))
    finished = frame["classified_position"].str.isdigit().fillna(False) & (driven == frame["laps"]).fillna(False)
    finishers = frame.assign(crossed_ms=crossed_ms)[finished & crossed_ms.notna()]
    at_the_flag = finishers.sort_values(["laps", "crossed_ms"], ascending=[False, True])
    at_the_flag = at_the_flag.assign(
        place_at_the_flag=range(1, len(at_the_flag) + 1), place_in_the_result=at_the_flag["position"].rank()
    )
    return at_the_flag[at_the_flag["place_at_the_flag"] != at_the_flag["place_in_the_result"]]


def _other_best_times(frame: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    best = frame[list(_PARTS)].min(axis=1).astype("Int64")
    times = frame[["driver_number"]].assign(best_ms=best).merge(laps, on="driver_number")
    # Where it is not known which laps were deleted, none can be called faster.
    faster = times[(times["lap_time_ms"] < times["best_ms"]) & ~times["deleted"].fillna(True)]
    driven = times[times["lap_time_ms"] == times["best_ms"]]
    odd = ~frame["driver_number"].isin(driven["driver_number"]) | frame["driver_number"].isin(faster["driver_number"])
    counting = laps[~laps["deleted"].fillna(False)].groupby("driver_number")["lap_time_ms"].min()
    return frame.assign(fastest_lap_ms=_of_drivers(frame, counting))[odd & best.notna()]


def _last_laps(laps: pd.DataFrame) -> pd.DataFrame:
    return laps.sort_values("lap_number").drop_duplicates("driver_number", keep="last").set_index("driver_number")


def _of_drivers(frame: pd.DataFrame, values: pd.Series) -> pd.Series:
    """Return each row what is known of its driver; NULL for a driver of whom nothing is."""
    return frame["driver_number"].map(values.to_dict()).astype("Int64")


DATASET = Dataset(
    name="results",
    row="entry in the result of a race, sprint or qualifying",
    description=(
        "The classification, official from Jolpica, with every entry that it lists. That of a sprint qualifying (SQ, "
        "SS) is computed by FastF1 from the lap times, for Jolpica has none: its `driver_id` and `team_id` come from "
        "the event's other sessions that are stored. `time_ms` is the total time of cars on the lead lap. A result "
        "may change for days after a race."
    ),
    key=("entry",),
    columns=(
        Field("entry", "integer", "Entry in the result, from 1, in upstream's order"),
        Field(
            "driver_number",
            "text",
            "Car number in this session, as timing has it; two drivers may share a car; NULL where Jolpica has none",
        ),
        Field("driver_id", "text", "Jolpica's identifier of the person"),
        Field("full_name", "text", "First and last name"),
        Field("team_id", "text", "Jolpica's identifier of the team"),
        Field("team_name", "text", "Team's name; since 2018 as timing has it"),
        Field("position", "integer", "Place in the result; those who share a car share it; NULL for who did not start"),
        Field(
            "classified_position",
            "text",
            "Place, or R retired, D disqualified, E excluded, W withdrawn, F, N",
        ),
        Field("grid_position", "integer", "Place on the grid; 0 is a start from the pit lane"),
        Field("q1_ms", "integer", "Best time of the first part of qualifying", "ms"),
        Field("q2_ms", "integer", "Best time of the second part of qualifying", "ms"),
        Field("q3_ms", "integer", "Best time of the third part of qualifying", "ms"),
        Field("time_ms", "integer", "Total time, for cars on the lead lap", "ms"),
        Field("laps", "integer", "Laps completed", "laps"),
        Field("status", "text", "Finished, Lapped, Retired, ... in Jolpica's words"),
        Field("points", "float", "Points won in this session", "points"),
    ),
    extract=extract,
    feeds=(Feed.RESULTS,),
    optional_feeds=(Feed.DRIVER_LIST,),
    feeds_of=dict.fromkeys(SPRINT_QUALIFYING, COMPUTED_FROM),
    sessions=frozenset({"R", "S", "Q", *SPRINT_QUALIFYING}),
    historic=True,
    # Those of a sprint qualifying send no request: they are computed again from what the archive has of the timing.
    renewals=dict.fromkeys(("R", "S", "Q", *SPRINT_QUALIFYING), AFTER_THE_END),
    order_by=("position", "entry"),
    identities=(("driver_id", "driver_number"), ("driver_id",), ("driver_number",)),
    version=2,
    checks=(
        Check(
            "places_are_unique",
            "No two drivers share a place, but for those who shared a car.",
            _shared_places,
            columns=("driver_number", "position", "classified_position", "status"),
        ),
        Check(
            "entries_are_listed_once",
            "No driver is listed twice in the same car; since 2018 no driver and no car number is listed twice at all.",
            _listed_twice,
            Severity.ERROR,
            columns=("driver_number", "driver_id", "position", "classified_position", "status"),
            means_short=True,
        ),
        Check(
            "who_drove_has_a_result",
            "Every driver who drove a lap is in the result.",
            _drove_without_result,
            Severity.ERROR,
            beside=("laps",),
            columns=("driver_number",),
            of="laps",
            means_short=True,
        ),
        Check(
            "results_have_laps",
            "Of every driver whose result counts laps, or has a time, laps are stored.",
            _without_laps,
            beside=("laps",),
            columns=("driver_number", "position", "laps", "status"),
        ),
        drivers_are_known(Severity.ERROR),
        Check(
            "laps_are_as_counted",
            "As many laps of a driver are stored as the result counts, or one more that was begun and not finished.",
            _other_lap_counts,
            beside=("laps",),
            sessions=RACES,
            columns=("position", "laps", "status"),
        ),
        Check(
            "finish_is_as_driven",
            "Finishers are placed as they crossed the line; penalties after the flag change that.",
            _other_order,
            beside=("laps",),
            sessions=RACES,
            columns=("position", "laps", "status"),
        ),
        Check(
            "best_times_are_driven",
            "A driver's best time in the result is a lap of his, and he has no faster one that counts.",
            _other_best_times,
            beside=("laps",),
            sessions=frozenset({"Q", *SPRINT_QUALIFYING}),
            columns=("position", *_PARTS),
        ),
        *RESULT_RULES,
    ),
)
