"""The telemetry of one lap: car and position samples joined on one clock, with the distance driven.

Distance is integrated as FastF1 does it: each sample's speed times the time since the one before, from the sample
before the lap on, so that it is close to 0 where the lap begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

_Floats = npt.NDArray[np.float64]

_BETWEEN = ("rpm", "speed_kmh", "throttle_pct", "x", "y", "z")
"""Channels that are interpolated where the other feed has a sample; the others keep their last value."""

_LAST = ("gear", "brake", "drs", "on_track")


def lap_telemetry(car: pd.DataFrame, positions: pd.DataFrame, start_ms: int, end_ms: int) -> pd.DataFrame:
    """Join the samples of one car during one lap.

    Parameters
    ----------
    car, positions
        All samples of the car, in order of their time: rows of ``car_telemetry`` and ``position_telemetry``.
    start_ms, end_ms
        Session time at which the lap begins and ends.

    Returns
    -------
    pandas.DataFrame
        A row per sample of either feed, and one at each end of the lap: `session_time_ms`, `time_ms` since the lap
        began, `source` (car, position or edge), `distance_m`, `relative_distance` (0 to 1), and all channels. Empty
        where there are no samples.
    """
    car, positions = _around(car, start_ms, end_ms), _around(positions, start_ms, end_ms)
    if len(car) < 2:
        return pd.DataFrame()
    car_ms, position_ms = _times(car), _times(positions)
    inside = [times[(times > start_ms) & (times < end_ms)] for times in (car_ms, position_ms)]
    times = np.union1d(np.concatenate(inside), np.array([start_ms, end_ms], dtype=np.float64))
    distance = np.interp(times, car_ms, _distance_m(car, start_ms))
    source = np.where(np.isin(times, car_ms), "car", np.where(np.isin(times, position_ms), "position", "edge"))
    total = distance[-1] if distance[-1] > 0 else np.nan
    channels: dict[str, Any] = {
        "session_time_ms": times.astype(np.int64),
        "time_ms": (times - start_ms).astype(np.int64),
        "source": source,
        "distance_m": distance,
        "relative_distance": distance / total,
    }
    for frame, known in ((car, car_ms), (positions, position_ms)):
        for name in frame.columns:
            if name in _BETWEEN:
                channels[name] = _between(frame[name], known, times)
            elif name in _LAST:
                channels[name] = _last(frame[name], known, times)
    return pd.DataFrame(channels)


def marker_distances_m(lap: pd.DataFrame, x: _Floats, y: _Floats) -> _Floats:
    """Return how far from the finish line markers are: the distance of the nearest position that was measured.

    Parameters
    ----------
    lap
        What `lap_telemetry` gives.
    x, y
        Places of the markers, in 0.1 m.
    """
    measured = lap[lap["source"] == "position"]
    if measured.empty:
        return np.full(len(x), np.nan)
    error = (measured["x"].to_numpy() - x[:, None]) ** 2 + (measured["y"].to_numpy() - y[:, None]) ** 2
    nearest: _Floats = measured["distance_m"].to_numpy()[error.argmin(axis=1)]
    return nearest


def _around(samples: pd.DataFrame, start_ms: int, end_ms: int) -> pd.DataFrame:
    """Take the samples of a time, and one more at each side."""
    times = _times(samples)
    first = max(int(np.searchsorted(times, start_ms)) - 1, 0)
    last = int(np.searchsorted(times, end_ms, side="right")) + 1
    return samples.iloc[first:last]


def _times(samples: pd.DataFrame) -> _Floats:
    times: _Floats = samples["session_time_ms"].to_numpy(dtype=np.float64)
    return times


def _distance_m(car: pd.DataFrame, start_ms: int) -> _Floats:
    seconds = (_times(car) - start_ms) / 1000
    speed = car["speed_kmh"].to_numpy(dtype=np.float64, na_value=0.0) / 3.6
    distance: _Floats = np.cumsum(speed * np.diff(seconds, prepend=0.0))
    return distance


def _between(values: pd.Series, known: _Floats, times: _Floats) -> _Floats:
    there = values.notna().to_numpy()
    if not there.any():
        return np.full(len(times), np.nan)
    between: _Floats = np.interp(times, known[there], values.to_numpy(dtype=np.float64, na_value=np.nan)[there])
    return between


def _last(values: pd.Series, known: _Floats, times: _Floats) -> pd.Series:
    if values.empty:
        return pd.Series([pd.NA] * len(times), dtype=values.dtype)
    before = np.clip(np.searchsorted(known, times, side="right") - 1, 0, None)
    return values.iloc[before].reset_index(drop=True)
