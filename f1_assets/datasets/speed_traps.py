"""Speed traps that are silent: FastF1 fills their last value into all later laps.

F1 does not repeat a value that equals the one before, so that a car's own silence is no gap, and FastF1 rightly fills
it. Where a trap sends nothing for any car during a lap, nothing is known of its speed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
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
    start = _start_ms(laps)
    end = laps["session_time_ms"]
    known = (start.notna() & end.notna()).to_numpy()
    changed = laps.copy()
    for trap, column in TRAPS.items():
        times, by_car = sent[trap]
        silent = np.zeros(len(laps), bool)
        for place in np.flatnonzero(known & laps[column].notna().to_numpy()):
            first, last = int(start.iloc[place]), int(end.iloc[place])
            own = by_car.get(str(laps["driver_number"].iloc[place]), _NONE)
            silent[place] = not (_any_between(times, first, last) or _any_between(own, first, last + LATE_MS))
        changed[column] = laps[column].mask(silent)
    return changed


_NONE: npt.NDArray[np.int64] = np.empty(0, np.int64)


def _start_ms(laps: pd.DataFrame) -> pd.Series:
    """Return the start of each lap; of a first lap without one, the beginning of the feed."""
    ordered = laps.sort_values(["driver_number", "lap_number"])
    before = ordered.groupby("driver_number")["session_time_ms"].shift()
    start = ordered["lap_start_time_ms"].fillna(before).fillna(0)
    return start.reindex(laps.index)


def _any_between(times: npt.NDArray[np.int64], first: int, last: int) -> bool:
    return bool(np.searchsorted(times, last, side="right") > np.searchsorted(times, first))


def _sent(timing: bytes) -> dict[str, tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.int64]]]]:
    """Return for each trap when it sent a speed, of all cars and of each."""
    found: dict[str, list[tuple[int, str]]] = {trap: [] for trap in TRAPS}
    for time_ms, car, trap in _speeds(timing):
        found[trap].append((time_ms, car))
    sent = {}
    for trap, values in found.items():
        by_car: dict[str, list[int]] = {}
        for time_ms, car in values:
            by_car.setdefault(car, []).append(time_ms)
        every = np.sort(np.array([time_ms for time_ms, _ in values], np.int64))
        sent[trap] = every, {car: np.sort(np.array(times, np.int64)) for car, times in by_car.items()}
    return sent


def _speeds(timing: bytes) -> Iterator[tuple[int, str, str]]:
    """Return the session time, car and trap of each speed."""
    for _, time_ms, payload in stream_lines(timing, Tally()):
        if b'"Speeds"' not in payload:
            continue
        try:
            lines = read_json(payload)["Lines"].items()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue  # FastF1 skips it too
        for car, state in lines:
            speeds = state.get("Speeds") if isinstance(state, dict) else None
            for trap, speed in speeds.items() if isinstance(speeds, dict) else ():
                if trap in TRAPS and isinstance(speed, dict) and speed.get("Value"):
                    yield time_ms, str(car), trap
