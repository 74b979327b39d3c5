"""Tyres as they were driven: stints are counted by pit stops, and tyres that are known late are not counted from 1.

FastF1 takes the last tyres that were announced before a lap ended. Where those of a stint were never announced, it goes
on with those of the stint before; where they were announced late, it counts their laps from there.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

_ENTRY_AFTER_THE_LINE_MS = 5_000
"""So long after a lap began, a pit entry is still that of the lap before: FastF1 moves the ends of laps a little."""

_TYRES = ("stint", "compound", "tyre_life_laps", "fresh_tyre")


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
    corrected = laps.copy()
    for _, mine in laps.sort_values("lap_number").groupby("driver_number"):
        announced = mine["stint"].where(mine["compound"].notna() | mine["tyre_life_laps"].notna())
        stint_before = None
        for number, run in enumerate(_runs(mine), 1):
            known = [lap for lap in run if pd.notna(announced[lap]) and announced[lap] != stint_before]
            unknown = run.difference(known)
            corrected.loc[unknown, list(_TYRES)] = pd.NA
            if not known:
                continue
            corrected.loc[known, "stint"] = number
            driven_before = run.get_loc(known[0])
            first_known = [lap for lap in known if announced[lap] == announced[known[0]]]
            corrected.loc[first_known, "tyre_life_laps"] += driven_before
            stint_before = announced[known[-1]]
    return corrected


def _runs(mine: pd.DataFrame) -> Iterator[pd.Index]:
    """Return the laps of a driver between pit stops: a run begins with the first lap that starts after a pit entry."""
    begun = mine["lap_start_time_ms"].fillna(mine["session_time_ms"].shift()).fillna(-1)
    entries = mine["pit_in_time_ms"].dropna().to_numpy()
    stops = [int((entries <= start + _ENTRY_AFTER_THE_LINE_MS).sum()) for start in begun]
    for _, run in mine.groupby(stops, sort=True):
        yield run.index
