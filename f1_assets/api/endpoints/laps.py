"""``/v1/laps``: laps with their sectors and mini sectors."""

from __future__ import annotations

from collections import defaultdict

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers, seconds
from f1_assets.api.filters import Kind

_SECTORS = (1, 2, 3)


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per lap."""
    laps = scope.frame("laps")
    frame = pd.DataFrame(
        {
            "driver_number": car_numbers(laps["driver_number"]),
            "lap_number": laps["lap_number"],
            "date_start": scope.dates(laps, "lap_start_time_ms", "lap_start_utc"),
            "lap_duration": seconds(laps["lap_time_ms"]),
            **{f"duration_sector_{n}": seconds(laps[f"sector{n}_time_ms"]) for n in _SECTORS},
            **{f"{place}_speed": laps[f"speed_{place}_kmh"].round().astype("Int64") for place in ("i1", "i2", "st")},
            "is_pit_out_lap": laps["pit_out_time_ms"].notna(),
        }
    )
    segments = _segments(scope.frame("mini_sectors"))
    for n, name in _NAMES.items():
        frame[name] = pd.Series([segments.get((*lap, n), []) for lap in _laps(laps)], index=frame.index, dtype=object)
    return frame


def _laps(laps: pd.DataFrame) -> list[tuple[str, int]]:
    return list(zip(laps["driver_number"], laps["lap_number"], strict=True))


def _segments(stored: pd.DataFrame) -> dict[tuple[str, int, int], list[int | None]]:
    """Return the statuses by driver, lap and sector, in the order of the track."""
    columns = ["driver_number", "lap_number", "sector", "segment", "status"]
    ordered = stored[columns].sort_values(columns[:4]).astype(object)
    found: dict[tuple[str, int, int], list[int | None]] = defaultdict(list)
    for driver, lap, sector, _, status in ordered.where(ordered.notna(), None).itertuples(index=False, name=None):
        found[driver, lap, sector].append(status)
    return found


_NAMES = {n: f"segments_sector_{n}" for n in _SECTORS}

ENDPOINT = Endpoint(
    "laps",
    "a lap of a driver",
    {
        "driver_number": Kind.INTEGER,
        "lap_number": Kind.INTEGER,
        "date_start": Kind.DATE,
        "lap_duration": Kind.NUMBER,
        **{f"duration_sector_{n}": Kind.NUMBER for n in _SECTORS},
        "i1_speed": Kind.INTEGER,
        "i2_speed": Kind.INTEGER,
        "st_speed": Kind.INTEGER,
        "is_pit_out_lap": Kind.BOOLEAN,
        **dict.fromkeys(_NAMES.values(), Kind.LIST),
    },
    rows,
    ("laps", "mini_sectors", "session_status"),
    stored_as={"date_start": "lap_start_utc", "lap_number": "lap_number"},
    is_kept=True,
)
