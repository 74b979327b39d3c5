"""Speed traps that are silent: FastF1 fills their last value into all later laps.

F1 does not repeat a value that equals the one before, so that a car's own silence is no gap, and FastF1 rightly fills
it. Where a trap sends nothing for any car during a lap, nothing is known of its speed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from f1_assets.feeds.json_reading import read_json
from f1_assets.feeds.stream_lines import Tally, stream_lines

TRAPS = {"I1": "speed_i1_kmh", "I2": "speed_i2_kmh", "FL": "speed_fl_kmh", "ST": "speed_st_kmh"}
"""The columns of the traps, by F1's name of the trap."""

LATE_MS = 5_000
"""A value that comes up to so long after a lap's end is counted to that lap by FastF1."""


def without_silent_traps(laps: pd.DataFrame, timing: bytes) -> pd.DataFrame:
    """Make speeds NULL in laps during which the trap sent nothing for any car.

    Parameters
    ----------
    laps
        With driver and lap number, start and end in session time, and the columns of `TRAPS`.
    timing
        The body of TimingData.
    """
    sent = _sent(timing)
    start, end = _start_ms(laps), laps["session_time_ms"]
    known = (start.notna() & end.notna()).to_numpy()
    first, last = (times.to_numpy(dtype=np.int64, na_value=0).tolist() for times in (start, end))
    cars = laps["driver_number"].astype(str).tolist()
    changed = laps.copy()
    for trap, column in TRAPS.items():
        times, by_car = sent[trap]
        silent = np.zeros(len(laps), bool)
        for lap in np.flatnonzero(known & laps[column].notna().to_numpy()).tolist():
            own = by_car.get(cars[lap], _NONE)
            silent[lap] = not (
                _any_between(times, first[lap], last[lap]) or _any_between(own, first[lap], last[lap] + LATE_MS)
            )
        changed[column] = laps[column].mask(silent)
    return changed


_NONE: tuple[int, ...] = ()


def _start_ms(laps: pd.DataFrame) -> pd.Series:
    """Return the start of each lap; of a first lap without one, the beginning of the feed."""
    ordered = laps.sort_values(["driver_number", "lap_number"])
    before = ordered.groupby("driver_number")["session_time_ms"].shift()
    start = ordered["lap_start_time_ms"].fillna(before).fillna(0)
    return start.reindex(laps.index)


def _any_between(times: Sequence[int], first: int, last: int) -> bool:
    return bisect_right(times, last) > bisect_left(times, first)


def _sent(timing: bytes) -> dict[str, tuple[list[int], dict[str, list[int]]]]:
    """Return for each trap when it sent a speed, of all cars and of each."""
    found: dict[str, list[tuple[int, str]]] = {trap: [] for trap in TRAPS}
    for time_ms, car, trap in _speeds(timing):
        found[trap].append((time_ms, car))
    sent = {}
    for trap, values in found.items():
        by_car: dict[str, list[int]] = {}
        for time_ms, car in values:
            by_car.setdefault(car, []).append(time_ms)
        every = sorted(time_ms for time_ms, _ in values)
        sent[trap] = every, {car: sorted(times) for car, times in by_car.items()}
    return sent


def _speeds(timing: bytes) -> Iterator[tuple[int, str, str]]:
    """Return the session time, car and trap of each speed."""
    told = b"\n".join(line for line in timing.split(b"\n") if b'"Speeds"' in line)
    for _, time_ms, payload in stream_lines(told, Tally()):
        try:
            lines = read_json(payload)["Lines"].items()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue  # FastF1 skips it too
        for car, state in lines:
            speeds = state.get("Speeds") if isinstance(state, dict) else None
            for trap, speed in speeds.items() if isinstance(speeds, dict) else ():
                if trap in TRAPS and isinstance(speed, dict) and speed.get("Value"):
                    yield time_ms, str(car), trap
