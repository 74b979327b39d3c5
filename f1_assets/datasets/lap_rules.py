"""Rules for laps: as many as there must be, for all drivers, with places and first laps that fit each other."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.definition import ALL_SESSIONS, TESTS, Check
from f1_assets.datasets.running_time import goes_on_to_the_end

PRACTICE = frozenset({"FP1", "FP2", "FP3", TESTS})

FEWEST_LAPS = 0.75
"""So much of the laps that the result counts of a driver has to be stored."""

A_FEW_LAPS = 3
"""Fewer laps than this that lack are not far from the result."""

_CLOCK_MS = 2
"""The end and the time of a lap, each rounded to a millisecond, are off by this much at most."""

_LIGHTS_MS = 1_000
"""The session's status says that a race started within a second of the lights."""


def _other_places(frame: pd.DataFrame) -> pd.DataFrame:
    placed = frame[frame["position"].notna()]
    expected = placed.groupby("lap_number")["position"].rank(method="first")
    return placed.assign(place_by_order=expected)[placed["position"] != expected]


def _off_the_clock(frame: pd.DataFrame) -> pd.DataFrame:
    """Return first laps whose end and time do not give the start that they give for most cars."""
    is_timed = frame["lap_time_ms"].notna() & frame["session_time_ms"].notna()
    first = frame[(frame["lap_number"] == 1) & is_timed]
    starts = first["session_time_ms"] - first["lap_time_ms"]
    counts = starts.value_counts()
    if not counts.empty and counts.iloc[0] > 1:
        start, tolerated = pd.Series(counts.index[0], index=first.index, dtype="Int64"), _CLOCK_MS
    else:
        start, tolerated = first["lap_start_time_ms"], _LIGHTS_MS
    off_ms = starts - start
    return first.assign(off_ms=off_ms)[(off_ms.abs() > tolerated).fillna(False)]


def _short_of_the_result(frame: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Return results of drivers of whom no lap is stored, or far fewer than counted."""
    stored = frame.groupby("driver_number").size()
    laps_stored = results["driver_number"].map(stored.to_dict()).astype("Int64").fillna(0)
    has_a_time = results[["q1_ms", "q2_ms", "q3_ms"]].notna().any(axis=1)
    counted = results["laps"].fillna(0)
    none = (laps_stored == 0) & ((counted > 0) | has_a_time)
    few = (laps_stored < FEWEST_LAPS * counted) & (counted - laps_stored >= A_FEW_LAPS)
    shown = results[["driver_number", "laps"]].assign(laps_stored=laps_stored)
    return shown[(none | few) & results["driver_number"].notna()]


def _without_laps(frame: pd.DataFrame, drivers: pd.DataFrame) -> pd.DataFrame:
    named = drivers[["driver_number", "abbreviation", "team_name"]]
    if frame["compound"].isin(("INTERMEDIATE", "WET")).any():
        return named.head(0)
    return named[~named["driver_number"].isin(frame["driver_number"])]


LAP_RULES = (
    Check(
        "places_are_whole",
        "At the end of each lap every car has a place of its own, from 1 without a hole.",
        _other_places,
        sessions=frozenset({"R", "S"}),
        columns=("position",),
    ),
    Check(
        "first_laps_fit_the_clock",
        "The end of a driver's first lap less its time is the start of the race, as for the other cars, to 2 ms.",
        _off_the_clock,
        sessions=frozenset({"R"}),
        columns=("lap_time_ms", "session_time_ms", "lap_start_time_ms"),
    ),
    Check(
        "laps_are_near_the_result",
        "Of a driver with laps or a time in the result, at least three quarters of these laps are stored.",
        _short_of_the_result,
        beside=("results",),
        sessions=frozenset({"R", "S", "Q"}),
        columns=(),
        of="results",
        means_short=True,
    ),
    Check(
        "drivers_have_laps",
        "Every driver in the list has laps, unless the track was wet; a quarter of the drivers may stay in the garage.",
        _without_laps,
        beside=("drivers",),
        sessions=ALL_SESSIONS - {TESTS},
        columns=("compound",),
        of="drivers",
        tolerated_rate=0.25,
        means_short=True,
    ),
    goes_on_to_the_end(
        "laps_go_on_to_the_end",
        ALL_SESSIONS - PRACTICE,
        ("session_time_ms", "fastf1_generated"),
        even_if_wet=True,
    ),
    goes_on_to_the_end(
        "practice_goes_on_to_the_end",
        PRACTICE,
        ("session_time_ms", "fastf1_generated", "compound"),
        even_if_wet=False,
    ),
)
