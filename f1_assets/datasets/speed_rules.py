"""Rules for speed traps: speeds change from lap to lap, and a trap never falls silent for all cars."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_assets.datasets.definition import Check

TRAPS = ("speed_i1_kmh", "speed_i2_kmh", "speed_fl_kmh", "speed_st_kmh")

SAME_LAPS = 3
"""F1 does not send a speed that equals the one before, and FastF1 fills it in: a few equal ones are real."""

STUCK_LAPS = 10
"""The longest run of equal speeds in the recorded sessions has 7 laps."""

SILENT_LAPS = 3
"""So many laps without a new speed may follow each other by chance; in the recorded sessions at most 2 do."""


def _same_speeds(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return laps in a run of more than `most` laps of a driver with one speed at a trap."""
    ordered = frame.sort_values(["driver_number", "lap_number"])
    follows = _follows(ordered)
    return _odd_at(ordered, {trap: _length_of_run(follows & _repeats(ordered[trap])) > most for trap in TRAPS})


def _silent_traps(frame: pd.DataFrame) -> pd.DataFrame:
    """Return laps in a time in which a car drove more than a lap and a trap gave no new speed for any car."""
    ordered = frame.sort_values(["driver_number", "lap_number"]).reset_index(drop=True)
    # A lap through the pit lane does not pass all traps, and of one that FastF1 adds nobody knows.
    on_track = (
        (ordered["pit_in_time_ms"].isna() & ordered["pit_out_time_ms"].isna())
        & ordered["session_time_ms"].notna()
        & ~ordered["fastf1_generated"].fillna(False)
    )
    in_time = np.argsort(ordered["session_time_ms"].to_numpy(dtype=np.float64, na_value=np.inf), kind="stable")
    drivers = pd.factorize(ordered["driver_number"])[0]
    silent = {}
    for trap in TRAPS:
        latest = ordered[trap].groupby(drivers).ffill().groupby(drivers).shift()
        is_new = (ordered[trap].notna() & ~(ordered[trap] == latest).fillna(False)).to_numpy(dtype=bool)
        looked_at = in_time[(on_track.to_numpy(dtype=bool) | is_new)[in_time]]
        # Laps between two new speeds are a run.
        run = np.cumsum(is_new[looked_at])
        quiet = ~is_new[looked_at]
        run, row = run[quiet], looked_at[quiet]
        of_a_car, laps_of_a_car = np.unique(run * len(ordered) + drivers[row], return_counts=True)
        is_long = np.isin(run, of_a_car[laps_of_a_car > 1] // len(ordered)) & (np.bincount(run)[run] > SILENT_LAPS)
        silent[trap] = np.isin(np.arange(len(ordered)), row[is_long])
    return _odd_at(ordered, silent)


def _follows(ordered: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Mark the laps that follow the lap before them, of the same driver."""
    same_driver = ordered["driver_number"] == ordered["driver_number"].shift()
    return (same_driver & (ordered["lap_number"].diff() == 1)).fillna(False).to_numpy(dtype=bool)


def _repeats(values: pd.Series) -> npt.NDArray[np.bool_]:
    return (values == values.shift()).fillna(False).to_numpy(dtype=bool)


def _length_of_run(goes_on: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    run = np.cumsum(~goes_on)
    return np.bincount(run)[run]


def _odd_at(ordered: pd.DataFrame, odd: dict[str, npt.NDArray[np.bool_]]) -> pd.DataFrame:
    """Return the laps that are odd at any trap, with the names of these traps."""
    laps = np.any(list(odd.values()), axis=0)
    names = [", ".join(trap for trap, rows in odd.items() if rows[place]) for place in np.flatnonzero(laps)]
    return ordered[laps].assign(traps=names)


SPEED_RULES = (
    Check(
        "speeds_change",
        "A driver has one speed at a trap for at most three laps running; 15 % of the laps may by chance.",
        functools.partial(_same_speeds, most=SAME_LAPS),
        columns=TRAPS,
        tolerated_rate=0.15,
    ),
    Check(
        "speeds_are_not_stuck",
        "A driver has one speed at a trap for at most ten laps running.",
        functools.partial(_same_speeds, most=STUCK_LAPS),
        columns=TRAPS,
    ),
    Check(
        "traps_are_not_silent",
        "No trap is without a new speed of any car for longer than a lap.",
        _silent_traps,
        columns=(*TRAPS, "session_time_ms", "pit_in_time_ms", "pit_out_time_ms", "fastf1_generated"),
    ),
)
