"""Two laps side by side: what both cars did at the same place, and how far behind the second one was."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_assets.errors import UsageError

_BETWEEN = ("speed_kmh", "throttle_pct", "rpm")
_LAST = ("gear", "brake", "drs")


def compared(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return two laps at the places of the first one.

    A lap's length, integrated from the speed, differs from lap to lap by some metres, although both begin and end at
    the line: so the laps are aligned by the share of the lap that is driven. Times and speeds are interpolated.

    Parameters
    ----------
    first, second
        Telemetry of one lap each.

    Returns
    -------
    pandas.DataFrame
        A row per sample of the first lap: `distance_m` (on the first), `relative_distance` (0 where the lap begins, 1
        where it ends), `time_ms`, `other_time_ms`, `delta_ms` (above 0: the second is behind), and the channels of
        both, the second's with `other_`.

    Raises
    ------
    UsageError
        When one of the laps has no samples.
    """
    if first.empty or second.empty:
        raise UsageError(f"The {'first' if first.empty else 'second'} lap has no telemetry to compare.")
    place, other_place = _places(first), _places(second)
    # A car that stands still has several rows at one place; the last of them counts.
    moves = np.append(np.diff(other_place) > 0, True)
    known, other = other_place[moves], second[moves]
    time = first["time_ms"].to_numpy(dtype=np.float64)
    other_time = np.interp(place, known, other["time_ms"].to_numpy(dtype=np.float64))
    columns: dict[str, Any] = {
        "distance_m": first["distance_m"].reset_index(drop=True),
        "relative_distance": place,
        "time_ms": time,
        "other_time_ms": other_time,
        "delta_ms": other_time - time,
    }
    for name in _BETWEEN:
        columns[name] = first[name].reset_index(drop=True)
        columns[f"other_{name}"] = np.interp(place, known, other[name].to_numpy(dtype=np.float64))
    before = np.clip(np.searchsorted(known, place, side="right") - 1, 0, None)
    for name in _LAST:
        columns[name] = first[name].reset_index(drop=True)
        columns[f"other_{name}"] = other[name].iloc[before].reset_index(drop=True)
    return pd.DataFrame(columns)


def _places(lap: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return the share of the lap that is driven: distance is not quite 0 where a lap begins between two samples."""
    distance = lap["distance_m"].to_numpy(dtype=np.float64)
    places: npt.NDArray[np.float64] = (distance - distance[0]) / (distance[-1] - distance[0])
    return places
