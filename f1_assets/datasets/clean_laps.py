"""Which laps count, which of them show a car's pace, and what fuel costs: the rules that derived datasets share."""

from __future__ import annotations

import pandas as pd

CLEAN_WITHIN = 1.07
"""A clean lap takes at most this share of the driver's best: the 107 % that the rules ask of a qualifying lap."""

FUEL_MS_PER_LAP = 50.0
"""What the fuel for one lap costs a lap, in milliseconds.

Some 100 kg of the 105 kg (2018) or 110 kg (since 2019) that a car may carry burn over some 60 laps, 1.67 kg a lap, and
10 kg cost about 0.3 s a lap, the figure that teams quote. Others reckon with 48 to 51 ms. It is the same for every
track.
"""

FEWEST_CLEAN_LAPS = 5
"""A pace or a slope of fewer clean laps is NULL: one lap in traffic would move it too far."""


ENTRY_AFTER_THE_LINE_MS = 5_000
"""So long after a lap ended, a pit entry is still that lap's: the line may come before the entry, and FastF1 moves the
ends of laps a little."""


def entry_laps(laps: pd.DataFrame) -> pd.Series:
    """Return on which lap each pit entry came, at the rows that have one.

    FastF1 notes an entry with the last timed lap before it, which may have ended minutes before, as under a red flag.
    """
    entries = laps.loc[laps["pit_in_time_ms"].notna(), ["driver_number", "lap_number", "pit_in_time_ms"]]
    ends = laps[["driver_number", "session_time_ms"]].assign(on_lap=laps["lap_number"])
    found = pd.merge_asof(
        entries.assign(row=entries.index, ends_ms=entries["pit_in_time_ms"] - ENTRY_AFTER_THE_LINE_MS).sort_values(
            "ends_ms", kind="stable"
        ),
        ends.dropna(subset=["session_time_ms"]).sort_values("session_time_ms", kind="stable"),
        left_on="ends_ms",
        right_on="session_time_ms",
        by="driver_number",
        direction="forward",
    ).set_index("row")
    # An entry after the last lap that is stored was on the next one.
    on_lap: pd.Series = found["on_lap"].fillna(found["lap_number"] + 1)
    return on_lap.reindex(entries.index)


def in_laps(laps: pd.DataFrame) -> pd.Series:
    """Return whether the car came into the pits on a lap."""
    entered = pd.MultiIndex.from_arrays([laps["driver_number"], entry_laps(laps).reindex(laps.index)])
    rows = pd.MultiIndex.from_arrays([laps["driver_number"], laps["lap_number"]])
    return pd.Series(rows.isin(entered), laps.index, dtype="boolean")


def out_laps(laps: pd.DataFrame, is_race: bool) -> pd.Series:
    """Return whether the car left the pits on a lap; before a race each car leaves them for the grid, which is none."""
    pit_out = laps["pit_out_time_ms"]
    if is_race:
        pit_out = pit_out.mask((pit_out < laps["lap_start_time_ms"]).fillna(False))
    is_out: pd.Series = pit_out.notna().astype("boolean")
    return is_out


def counting(laps: pd.DataFrame, context: pd.DataFrame) -> pd.Series:
    """Return whether a lap counts: timed, not deleted, neither in- nor out-lap; NULL where deletions are not known."""
    counts: pd.Series = laps["lap_time_ms"].notna() & ~context["is_in_lap"] & ~context["is_out_lap"] & ~laps["deleted"]
    return counts


def within_best(laps: pd.DataFrame, counts: pd.Series) -> pd.Series:
    """Return whether a lap is as fast as a clean one has to be: near the driver's best of those that count."""
    best = laps["lap_time_ms"].where(counts).groupby(laps["driver_number"]).transform("min")
    return (laps["lap_time_ms"] <= CLEAN_WITHIN * best).astype("boolean")


def usable(laps: pd.DataFrame, context: pd.DataFrame) -> pd.DataFrame:
    """Return the laps that show a car's pace, each with its row of `lap_context`.

    These are the clean ones; where nobody knows which laps were deleted, also those that are clean if none was: in a
    race few are, and a median hardly shows it.
    """
    is_clean = context["is_clean"].fillna(context["neutralised_ms"] == 0).fillna(False)
    return with_context(laps, context[is_clean])


def with_context(laps: pd.DataFrame, context: pd.DataFrame) -> pd.DataFrame:
    """Return the laps that `lap_context` has, with its columns; of those that both have, the laps' own."""
    identity = ["driver_number", "lap_number"]
    added = context[identity + [name for name in context if name not in laps]]
    return laps.merge(added, on=identity, validate="one_to_one")


def without_fuel(laps: pd.DataFrame) -> pd.Series:
    """Return lap times less what the fuel costs that is still to be burned: as if each were the race's last lap."""
    return laps["lap_time_ms"].astype("Float64") - FUEL_MS_PER_LAP * laps["fuel_laps_left"]
