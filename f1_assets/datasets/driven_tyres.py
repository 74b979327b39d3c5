"""Tyres as they were driven: stints are counted by pit stops, and tyres that are known late are not counted from 1.

FastF1 takes the last tyres that were announced before a lap ended. Where those of a stint were never announced, it goes
on with those of the stint before; where they were announced late, it counts their laps from there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

_ENTRY_AFTER_THE_LINE_MS = 5_000
"""So long after a lap began, a pit entry is still that of the lap before: FastF1 moves the ends of laps a little."""

_TYRES = ("compound", "tyre_life_laps", "fresh_tyre")


def with_driven_tyres(laps: pd.DataFrame) -> pd.DataFrame:
    """Correct stint, compound, tyre life and fresh tyre of laps.

    F1 announces a stint for each drive through the pit lane, also where the tyres stay. A stint of which nothing was
    announced is NULL, and so are its tyres; so is what was driven before its tyres were known.

    Parameters
    ----------
    laps
        With driver and lap number, start, end and pit entry in session time, and FastF1's tyres: NULL for what is not
        known.
    """
    announced = laps["stint"].where(laps["compound"].notna() | laps["tyre_life_laps"].notna())
    # As lists: a table is written lap by lap a hundred times slower.
    stints: list[Any] = [pd.NA] * len(laps)
    laps_before = [0] * len(laps)
    for _, mine in laps.reset_index(drop=True).sort_values("lap_number").groupby("driver_number"):
        names = announced.iloc[mine.index].tolist()
        name_before = None
        for number, run in enumerate(_runs(mine), 1):
            known = [place for place in run if pd.notna(names[place]) and names[place] != name_before]
            if not known:
                continue
            for place in known:
                stints[mine.index[place]] = number
                if names[place] == names[known[0]]:
                    laps_before[mine.index[place]] = run.index(known[0])
            name_before = names[known[-1]]
    stint = pd.Series(stints, laps.index, dtype="Int64")
    corrected = laps.assign(**{name: laps[name].where(stint.notna()) for name in _TYRES}, stint=stint)
    corrected["tyre_life_laps"] += pd.Series(laps_before, laps.index)
    return corrected


def _runs(mine: pd.DataFrame) -> list[list[int]]:
    """Return the laps of a driver between pit stops: a run begins with the first lap that starts after a pit entry."""
    begun = mine["lap_start_time_ms"].fillna(mine["session_time_ms"].shift()).fillna(-1)
    entries = np.sort(mine["pit_in_time_ms"].dropna().to_numpy(np.int64))
    stops = np.searchsorted(entries, begun.to_numpy(np.int64) + _ENTRY_AFTER_THE_LINE_MS, side="right")
    return [np.flatnonzero(stops == stop).tolist() for stop in np.unique(stops)]
