"""``/v1/pit``: passes through the pit lane."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers, seconds
from f1_assets.api.filters import Kind
from f1_assets.datasets.laps import RACES


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per pass, dated at the entry: of races with standing times, of other sessions from laps alone."""
    stored = scope.frame("pit_stops") if scope.session.key.session in RACES else _of_laps(scope.frame("laps"))
    lane = seconds(stored["lane_ms"])
    return pd.DataFrame(
        {
            "driver_number": car_numbers(stored["driver_number"]),
            "date": scope.dates(stored, "pit_in_ms"),
            "lap_number": stored["lap_number"],
            "lane_duration": lane,
            "stop_duration": seconds(stored["standing_ms"]),
            "pit_duration": lane,
        }
    ).sort_values("date", kind="stable")


def _of_laps(laps: pd.DataFrame) -> pd.DataFrame:
    ordered = laps.sort_values(["driver_number", "lap_number"])
    out = ordered.groupby("driver_number")["pit_out_time_ms"].shift(-1)
    passes = ordered.assign(pit_in_ms=ordered["pit_in_time_ms"], lane_ms=out - ordered["pit_in_time_ms"])
    return passes.assign(standing_ms=pd.array([pd.NA] * len(passes), dtype="Int64")).dropna(subset=["pit_in_ms"])


ENDPOINT = Endpoint(
    "pit",
    "a pass through the pit lane",
    {
        "driver_number": Kind.INTEGER,
        "date": Kind.DATE,
        "lap_number": Kind.INTEGER,
        "lane_duration": Kind.NUMBER,
        "stop_duration": Kind.NUMBER,
        "pit_duration": Kind.NUMBER,
    },
    rows,
    ("laps", "pit_stops", "session_status"),
    is_kept=True,
)
