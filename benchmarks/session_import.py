"""What an import costs beside the FastF1 load that it is made of, on a simulated race."""

import logging
import statistics
import tempfile
import time
from pathlib import Path

import fastf1

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings

RUNS = 5
KEY = SessionKey(2025, 1, "R")


def main() -> None:
    """Measure both in turn, from the archive, so that making up the race does not count."""
    fastf1.set_log_level(logging.CRITICAL)
    home = Path(tempfile.mkdtemp())
    settings = load_settings(home=home, source="simulator", simulator="")
    warehouse, transport = connect(settings), Transport(settings)
    refresh_calendar(KEY.season, warehouse=warehouse, transport=transport)
    gap = SessionGap(KEY, tuple(all_datasets()))
    rows = sum(line.rows for line in process_session_gap(gap, warehouse=warehouse, transport=transport).datasets)
    loads, imports = [], []
    for _ in range(RUNS):
        started = time.perf_counter()
        with transport.loading():
            session = fastf1.get_session(KEY.season, KEY.round, KEY.session)
            session.load(telemetry=False)
        loads.append(time.perf_counter() - started)
        started = time.perf_counter()
        process_session_gap(gap, warehouse=warehouse, transport=transport)
        imports.append(time.perf_counter() - started)
    print(f"FastF1's load alone: median {statistics.median(loads):.2f} s")
    print(f"import of {len(gap.datasets)} datasets, {rows:,} rows: median {statistics.median(imports):.2f} s")
    print(f"ratio: {statistics.median(i / load for load, i in zip(loads, imports, strict=True)):.2f}")


if __name__ == "__main__":
    main()
