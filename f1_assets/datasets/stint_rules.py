"""Rules for tyres: each lap has a stint and a compound, stints follow each other, and sets age lap by lap."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.definition import Check

OLDEST_SET_LAPS = 100
"""No set is driven for longer: the longest race has 78 laps, and the oldest set of the recorded sessions 43."""


def _without_tyres(frame: pd.DataFrame) -> pd.DataFrame:
    """Return laps without tyres; but none of a test whose feed has no tyres at all."""
    unknown = frame["stint"].isna() | frame["compound"].isna()
    is_test = frame["session"].str.startswith("T")
    return frame[unknown & ~is_test] if unknown.all() else frame[unknown]


def _out_of_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return laps whose stint goes back, or leaves a number out although the lap before has a stint too."""
    ordered = frame.sort_values(["driver_number", "lap_number"])
    driver = ordered["driver_number"]
    before = ordered.groupby("driver_number")["stint"].shift()
    latest = ordered.groupby("driver_number")["stint"].ffill().groupby(driver).shift()
    # Where the first stint is not known, the next one has the number that it would have with it.
    skipped = (ordered["stint"] > before + 1).fillna(False)
    late = ((ordered["lap_number"] == 1) & (ordered["stint"] != 1)).fillna(False)
    return ordered[skipped | late | (ordered["stint"] < latest).fillna(False)]


def _impossible_ages(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.sort_values(["driver_number", "lap_number"])
    stint = ordered.groupby(["driver_number", "stint"])
    driven, age = stint.cumcount() + 1, ordered["tyre_life_laps"]
    aged = age - stint["tyre_life_laps"].shift() != ordered["lap_number"] - stint["lap_number"].shift()
    odd = (age < driven) | (age > OLDEST_SET_LAPS) | aged
    too_long = ordered["stint"].notna() & (driven > OLDEST_SET_LAPS)
    return ordered[odd.fillna(False) | too_long]


STINT_RULES = (
    Check(
        "laps_have_tyres",
        "Every lap has a stint and a compound; in a test, where any lap has them.",
        _without_tyres,
        columns=("stint", "compound"),
    ),
    Check(
        "stints_follow_each_other",
        "A driver's stints are numbered from 1 and never back, and none is left out between two laps.",
        _out_of_order,
        columns=("stint",),
    ),
    Check(
        "tyres_age_with_the_laps",
        "A set ages by one lap a lap, has at least the laps of its stint, and at most 100.",
        _impossible_ages,
        columns=("stint", "tyre_life_laps"),
    ),
)
