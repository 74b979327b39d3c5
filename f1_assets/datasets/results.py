"""Results: who finished where, from the official classification; computed from laps where there is no official one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.coercions import integer, milliseconds, number, text
from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.result_rules import RESULT_RULES
from f1_assets.datasets.rules import drivers_are_known
from f1_assets.upstream.feeds import Feed
from f1_assets.upstream.needs import Needs

if TYPE_CHECKING:
    from f1_assets.upstream.loader import LoadedSession

AFTER_THE_END = tuple(timedelta(days=days) for days in (1, 3, 7, 30, 100))
"""Penalties and disqualifications came after three days, corrections after three months."""

SPRINT_QUALIFYING = ("SQ", "SS")
"""Sessions of which Jolpica has no results: FastF1 computes them from the laps."""

RACES = frozenset({"R", "S"})

_PARTS = ("q1_ms", "q2_ms", "q3_ms")


def extract(loaded: LoadedSession) -> pd.DataFrame:
    """Give the classification."""
    if loaded.key.session in SPRINT_QUALIFYING:
        loaded.demand((Feed.TIMING_DATA, Feed.TIMING_APP_DATA, Feed.SESSION_STATUS), (Feed.RACE_CONTROL,))
        _ = loaded.laps  # without laps there is nothing to compute from, and the error says why
    else:
        loaded.demand((Feed.RESULTS,))
    results = loaded.results
    laps = integer(results["Laps"])
    return pd.DataFrame(
        {
            "entry": range(1, len(results) + 1),
            "driver_number": text(results["DriverNumber"]),
            "position": integer(results["Position"]),
            "classified_position": _classified(text(results["ClassifiedPosition"])),
            "grid_position": integer(results["GridPosition"]),
            "q1_ms": milliseconds(results["Q1"]),
            "q2_ms": milliseconds(results["Q2"]),
            "q3_ms": milliseconds(results["Q3"]),
            "time_ms": _total_times(milliseconds(results["Time"]), integer(results["Position"]), laps),
            "laps": laps,
            "status": text(results["Status"]),
            "points": number(results["Points"]),
        }
    )


def _total_times(times: pd.Series, positions: pd.Series, laps: pd.Series) -> pd.Series:
    """Turn the winner's total and the others' gaps into total times.

    Jolpica gives "+5.123" for a car on the lead lap and "+1 Lap" for others, which FastF1 reads as one second:
    those have no total time.
    """
    winner = positions == 1
    if not winner.any() or times[winner].isna().all():
        return times.mask(times.notna())
    totals = (times + int(times[winner].iloc[0])).mask(winner, times)
    return totals.mask(laps.isna() | (laps != laps[winner].iloc[0]))


def _classified(positions: pd.Series) -> pd.Series:
    """Undo the float that a computed position passed through: "1.0" is place 1."""
    return positions.str.removesuffix(".0")


def _shared_places(frame: pd.DataFrame) -> pd.DataFrame:
    placed = frame[frame["position"].notna()]
    return placed[placed["position"].duplicated(keep=False)]


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
    """Give each row what is known of its driver; NULL for a driver of whom nothing is."""
    return frame["driver_number"].map(values.to_dict()).astype("Int64")


DATASET = Dataset(
    name="results",
    row="driver's result in a race, sprint or qualifying",
    description=(
        "The classification, official from Jolpica. That of a sprint qualifying (SQ, SS) is computed by FastF1 from "
        "the lap times, for Jolpica has none. `time_ms` is the total time of cars on the lead lap: Jolpica's gaps are "
        "added to the winner's time. A result may change for days after a race."
    ),
    key=("entry",),
    columns=(
        Field("entry", "integer", "Entry in the result, from 1, in upstream's order"),
        Field("driver_number", "text", "Car number in this session"),
        Field("position", "integer", "Place in the result; every driver has one"),
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
    requires=(),
    uses=(Feed.DRIVER_LIST, Feed.RESULTS),
    needs_of={session: Needs(laps=True, messages=True) for session in SPRINT_QUALIFYING},
    sessions=frozenset({"R", "S", "Q", *SPRINT_QUALIFYING}),
    historic=True,
    renewals=dict.fromkeys(("R", "S", "Q", *SPRINT_QUALIFYING), AFTER_THE_END),
    renews=(Feed.RESULTS,),
    order_by=("position", "entry"),
    version=2,
    checks=(
        Check(
            "places_are_unique",
            "No two drivers share a place.",
            _shared_places,
            columns=("position", "classified_position", "status"),
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
