"""The telemetry of one lap of one driver, read from the lake."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import select

from f1_assets.datasets import all_datasets
from f1_assets.datasets.lap_telemetry import lap_telemetry
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.models import of_session

FASTEST = "fastest"


def telemetry(
    warehouse: Warehouse, key: SessionKey | str, driver: str, lap: int | str | None = FASTEST
) -> pd.DataFrame:
    """Return the joined samples of a lap; see `f1_assets.connection.F1Warehouse.telemetry`."""
    key = SessionKey.parse(key) if isinstance(key, str) else key
    number = _driver_number(warehouse, key, driver)
    start_ms, end_ms = _lap_of(warehouse, key, number, lap) if lap is not None else (None, None)
    car = _samples(warehouse, key, "car_telemetry", number)
    positions = _samples(warehouse, key, "position_telemetry", number)
    if car.empty:
        raise UsageError(f"{key}: driver {number} has no telemetry.")
    if start_ms is None or end_ms is None:
        start_ms, end_ms = int(car["session_time_ms"].min()), int(car["session_time_ms"].max())
    return lap_telemetry(car, positions, start_ms, end_ms)


def _driver_number(warehouse: Warehouse, key: SessionKey, driver: str) -> str:
    drivers = warehouse.rows(all_datasets()["drivers"], key)
    if drivers.empty:
        raise UsageError(f"{key} has no drivers in the warehouse. Run: f1-assets import {key.season}")
    wanted = driver.strip().upper()
    same = drivers[(drivers["driver_number"] == wanted) | (drivers["abbreviation"] == wanted)]
    if same.empty:
        there = ", ".join(str(code) for code in drivers["abbreviation"].dropna())
        raise UsageError(f"{key} has no driver {driver[:20]!r}. There are: {there}.")
    return str(same["driver_number"].iloc[0])


def _lap_of(warehouse: Warehouse, key: SessionKey, number: str, lap: int | str | None) -> tuple[int, int]:
    table = all_datasets()["laps"].table
    if table is None:
        raise UsageError("laps are kept in the database")
    names = ("lap_number", "lap_start_time_ms", "session_time_ms", "lap_time_ms", "deleted")
    columns = [table.c[name] for name in names]
    lap = int(lap) if isinstance(lap, str) and lap.isdigit() else lap
    laps = warehouse.query(select(*columns).where(of_session(table, key), table.c.driver_number == number))
    if lap == FASTEST:
        counts = laps["deleted"].fillna(False) == False  # noqa: E712 (a column)
        timed = laps[laps["lap_time_ms"].notna() & laps["lap_start_time_ms"].notna() & counts]
        chosen = timed.nsmallest(1, "lap_time_ms")
    else:
        chosen = laps[laps["lap_number"] == lap]
    chosen = chosen[chosen["lap_start_time_ms"].notna() & chosen["session_time_ms"].notna()]
    if chosen.empty:
        known = ", ".join(str(value) for value in sorted(laps["lap_number"].dropna())[:60]) or "none"
        raise UsageError(f"{key}: driver {number} has no lap {lap} with a begin and an end. Laps: {known}.")
    return int(chosen["lap_start_time_ms"].iloc[0]), int(chosen["session_time_ms"].iloc[0])


def _samples(warehouse: Warehouse, key: SessionKey, dataset: str, number: str) -> pd.DataFrame:
    line = next((line for line in warehouse.extractions(key) if line.dataset == dataset), None)
    if line is None or line.status is not Status.PRESENT or line.file is None:
        raise UsageError(f"{key} has no {dataset} in the lake. Run: f1-assets import {key.season} --dataset {dataset}")
    return warehouse.read_file(line.file, filters=[("driver_number", "==", number)])
