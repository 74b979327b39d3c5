"""The telemetry of laps of one driver, read from the lake, with the lap, the driver, the tyres and the time of day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
from sqlalchemy import Table, select

from f1_assets.analysis.frames import frame_of
from f1_assets.analysis.schemas import schema_of_files
from f1_assets.datasets import all_datasets
from f1_assets.datasets.lap_telemetry import lap_telemetry
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.calendar import session_of
from f1_assets.warehouse.models import of_session

FASTEST = "fastest"

Laps = int | str | None | Iterable[int]
"""The number of a lap, several, ``fastest``, or None for the whole session."""

_OWN = pa.schema(
    [
        pa.field("driver", pa.string()),
        pa.field("driver_number", pa.string()),
        pa.field("lap_number", pa.int64()),
        pa.field("compound", pa.string()),
        pa.field("utc", pa.timestamp("us", "UTC")),
        pa.field("session_time_ms", pa.int64()),
        pa.field("time_ms", pa.int64()),
        pa.field("source", pa.string()),
        pa.field("distance_m", pa.float64()),
        pa.field("relative_distance", pa.float64()),
    ]
)
_BETWEEN = ("rpm", "speed_kmh", "throttle_pct", "x", "y", "z")
"""Channels that are interpolated between samples, and so are fractions."""


class _Driver(NamedTuple):
    number: str
    letters: str | None


def telemetry(
    warehouse: Warehouse, key: SessionKey | str, driver: str | int, lap: Laps = FASTEST, stint: int | None = None
) -> pd.DataFrame:
    """Return the joined samples of laps; see `f1_assets.reader.Reader.telemetry`."""
    key = SessionKey.parse(key) if isinstance(key, str) else key
    who = _driver(warehouse, key, str(driver))
    laps = _laps_of(warehouse, key, who.number)
    if stint is not None:
        lap = _laps_of_stint(warehouse, key, who.number, laps, stint)
    chosen = _chosen(key, who.number, laps, lap)
    car, positions = (_samples(warehouse, key, name, who.number) for name in ("car_telemetry", "position_telemetry"))
    if car.empty:
        raise UsageError(f"{key}: driver {who.number} has no telemetry.")
    joined = pd.concat(list(_parts(car, positions, laps, chosen)), ignore_index=True)
    began = session_of(warehouse, key).t0_utc
    if began is not None and not joined.empty:
        joined["utc"] = pd.Timestamp(began) + pd.to_timedelta(joined["session_time_ms"].astype("int64"), unit="ms")
    joined = joined.assign(driver=who.letters, driver_number=who.number)
    schema = telemetry_schema()
    return frame_of(pa.Table.from_arrays([_array(joined, field) for field in schema], schema=schema))


def telemetry_schema() -> pa.Schema:
    """Return the columns of telemetry: those of the lap, and the channels of both feeds."""
    own = {*_OWN.names, "season", "round", "session"}
    channels = [
        pa.field(field.name, pa.float64()) if field.name in _BETWEEN else field
        for dataset in ("car_telemetry", "position_telemetry")
        for field in schema_of_files(all_datasets()[dataset])
        if field.name not in own
    ]
    return pa.schema([*_OWN, *channels])


def _array(joined: pd.DataFrame, field: pa.Field) -> pa.Array:
    if field.name not in joined:
        return pa.nulls(len(joined), field.type)
    return pa.Array.from_pandas(joined[field.name], type=field.type)


def _parts(
    car: pd.DataFrame, positions: pd.DataFrame, laps: pd.DataFrame, chosen: pd.DataFrame | None
) -> Iterator[pd.DataFrame]:
    if chosen is None:
        yield _whole(car, positions, laps)
        return
    columns = ("lap_start_time_ms", "session_time_ms", "lap_number", "compound")
    for start, end, number, compound in zip(*(chosen[name] for name in columns), strict=True):
        part = lap_telemetry(car, positions, int(start), int(end))
        yield part.assign(lap_number=number, compound=None if pd.isna(compound) else compound)


def _whole(car: pd.DataFrame, positions: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    """Return the whole session; what is driven outside of timed laps has no lap."""
    start, end = int(car["session_time_ms"].min()), int(car["session_time_ms"].max())
    of_laps = pd.DataFrame(
        {
            "begins": laps["lap_start_time_ms"].astype("int64"),
            "ends": laps["session_time_ms"].astype("int64"),
            "lap_number": laps["lap_number"],
            "compound": laps["compound"],
        }
    ).sort_values("begins")
    joined = lap_telemetry(car, positions, start, end)
    joined = pd.merge_asof(joined, of_laps, left_on="session_time_ms", right_on="begins")
    is_outside = ~(joined["session_time_ms"] < joined["ends"])
    return joined.assign(**{name: joined[name].mask(is_outside) for name in ("lap_number", "compound")})


def _driver(warehouse: Warehouse, key: SessionKey, driver: str) -> _Driver:
    drivers = warehouse.rows(all_datasets()["drivers"], key)
    if drivers.empty:
        raise UsageError(f"{key} has no drivers in the warehouse. Run: f1-assets import {key.season}")
    wanted = driver.strip().upper()
    names = drivers["last_name"].str.upper()
    is_meant = (drivers["driver_number"] == wanted) | (drivers["abbreviation"] == wanted) | (names == wanted)
    same = drivers[is_meant.fillna(False)]
    if same.empty:
        there = ", ".join(str(code) for code in drivers["abbreviation"].dropna())
        raise UsageError(f"{key} has no driver {driver[:20]!r}. There are: {there}.")
    letters = same["abbreviation"].iloc[0]
    return _Driver(str(same["driver_number"].iloc[0]), None if pd.isna(letters) else str(letters))


def _laps_of(warehouse: Warehouse, key: SessionKey, number: str) -> pd.DataFrame:
    """Return the laps of a driver that have a begin and an end."""
    table = _table("laps")
    names = ("lap_number", "lap_start_time_ms", "session_time_ms", "lap_time_ms", "deleted", "compound")
    query = select(*(table.c[name] for name in names)).where(of_session(table, key), table.c.driver_number == number)
    laps = warehouse.query(query.order_by(table.c.lap_number))
    return laps[laps["lap_start_time_ms"].notna() & laps["session_time_ms"].notna()]


def _chosen(key: SessionKey, number: str, laps: pd.DataFrame, lap: Laps) -> pd.DataFrame | None:
    """Return the rows of the laps that are asked for; None for the whole session."""
    if lap is None:
        return None
    if lap == FASTEST:
        counts = laps["deleted"].fillna(False) == False  # noqa: E712 (a column)
        chosen, asked = laps[laps["lap_time_ms"].notna() & counts].nsmallest(1, "lap_time_ms"), [FASTEST]
        missing = [] if len(chosen) else asked
    else:
        is_one = isinstance(lap, str) or not isinstance(lap, Iterable)
        asked = [str(each) for each in ([lap] if is_one else lap)]  # type: ignore[union-attr]
        there = laps["lap_number"].astype(str)
        chosen, missing = laps[there.isin(asked)], [each for each in asked if each not in set(there)]
    if missing or chosen.empty:
        known = ", ".join(str(value) for value in laps["lap_number"][:60]) or "none"
        words = f"{key}: driver {number} has no lap {', '.join(missing)} with a begin and an end."
        raise UsageError(f"{words} Laps: {known}.")
    return chosen


def _laps_of_stint(warehouse: Warehouse, key: SessionKey, number: str, laps: pd.DataFrame, stint: int) -> list[int]:
    table = _table("stints")
    names = ("stint", "first_lap", "last_lap")
    query = select(*(table.c[name] for name in names)).where(of_session(table, key), table.c.driver_number == number)
    stints = warehouse.query(query.order_by(table.c.stint))
    found = stints[stints["stint"] == stint]
    if found.empty:
        there = ", ".join(str(each) for each in stints["stint"]) or "none"
        raise UsageError(f"{key}: driver {number} has no stint {stint}. Stints: {there}.")
    driven = range(int(found["first_lap"].iloc[0]), int(found["last_lap"].iloc[0]) + 1)
    # A lap without a begin or an end is left out; where all are, the error names them.
    return [each for each in driven if each in set(laps["lap_number"])] or list(driven)


def _table(name: str) -> Table:
    table = all_datasets()[name].table
    if table is None:
        raise UsageError(f"{name} are kept in the database")
    return table


def _samples(warehouse: Warehouse, key: SessionKey, dataset: str, number: str) -> pd.DataFrame:
    line = next((line for line in warehouse.extractions(key) if line.dataset == dataset), None)
    if line is None or line.status is not Status.PRESENT or line.file is None:
        raise UsageError(f"{key} has no {dataset} in the lake. Run: f1-assets import {key.season} --dataset {dataset}")
    return warehouse.read_file(line.file, filters=[("driver_number", "==", number)])
