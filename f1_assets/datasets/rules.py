"""Rules that several kinds of data share: known drivers, times in order, samples throughout a lap."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_assets.datasets.definition import Check, Severity

HOLE_MS = 15_000
"""Samples further apart than this leave a hole between them: cars send four a second."""

USUAL_STEPS = 3
"""Where samples are so rare that even this many usual steps are longer, only what is longer than these is a hole."""


def drivers_are_known(severity: Severity = Severity.WARN, also: Iterable[str] = ()) -> Check:
    """Make the rule that every car number is in the session's driver list.

    Parameters
    ----------
    severity
        `Severity.ERROR` where the list and the rows are made from each other.
    also
        Numbers that need not be in the list.
    """
    allowed = frozenset(also)

    def unknown(frame: pd.DataFrame, drivers: pd.DataFrame) -> pd.DataFrame:
        known = allowed.union(drivers["driver_number"])
        others = [number for number in frame["driver_number"].unique() if not pd.isna(number) and number not in known]
        return frame[frame["driver_number"].isin(others)]

    return Check(
        "drivers_are_known",
        "Every car number is in the session's driver list.",
        unknown,
        severity,
        beside=("drivers",),
        columns=("driver_number",),
    )


def times_go_forward(number: str, time: str) -> Check:
    """Make the rule that, in the order of the column `number`, the times in the column `time` never go back."""

    def behind(frame: pd.DataFrame) -> pd.DataFrame:
        ordered = frame.sort_values(number)
        known = ordered[ordered[time].notna()]
        return known[known[time] < known[time].shift()]

    return Check(
        "times_go_forward",
        f"Times never go back, in the order of `{number}`.",
        behind,
        columns=(time,),
    )


def laps_are_covered() -> Check:
    """Make the rule that a lap has samples in most of its time; it tells the laps that have not."""
    return Check(
        "laps_are_covered",
        "A lap has samples in at least half of its time, none further apart than 15 s; 1 % of the laps may lack them.",
        _laps_without_samples,
        beside=("laps",),
        columns=("driver_number", "session_time_ms"),
        of="laps",
        tolerated_rate=0.01,
    )


def _laps_without_samples(frame: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    by_driver = frame.groupby("driver_number", observed=True)["session_time_ms"]
    times = {str(number): rows.to_numpy(np.int64) for number, rows in by_driver}
    usual_ms = np.median(np.concatenate([np.diff(known) for known in times.values()]))
    hole_ms = max(HOLE_MS, USUAL_STEPS * float(usual_ms)) if not np.isnan(usual_ms) else HOLE_MS
    # The end of a lap that FastF1 adds is a guess.
    known = (
        laps["lap_start_time_ms"].notna() & laps["session_time_ms"].notna() & ~laps["fastf1_generated"].fillna(False)
    )
    names = ["driver_number", "lap_number", "lap_start_time_ms", "session_time_ms"]
    timed = laps.loc[known & (laps["session_time_ms"] > laps["lap_start_time_ms"]), names]
    none = np.empty(0, dtype=np.int64)
    shares = [
        _covered(times.get(number, none), int(start_ms), int(end_ms), hole_ms)
        for number, _, start_ms, end_ms in timed.itertuples(index=False)
    ]
    timed = timed.assign(covered_share=np.round(np.array(shares, dtype=np.float64), 2))
    return timed[timed["covered_share"] < 0.5]


def _covered(times: npt.NDArray[np.int64], start_ms: int, end_ms: int, hole_ms: float) -> float:
    """Return the share of a lap's time that lies between samples that are close to each other, or to its ends."""
    inside = times[np.searchsorted(times, start_ms) : np.searchsorted(times, end_ms, side="right")]
    steps = np.diff(inside, prepend=start_ms, append=end_ms)
    return float(steps[steps <= hole_ms].sum()) / (end_ms - start_ms)
