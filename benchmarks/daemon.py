"""From a gap to its rows through Dagster's daemon: how long each session of a weekend waits, and for what.

A real daemon and code server on SQLite import simulated weekends at full size from a recording (season.py makes it;
F1_BENCH_RACES=1 is one weekend); two sessions run side by side. Times are those of Dagster's own records, and of the
records of what was stored.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import dagster as dg

from benchmarks.season import SEASON, record
from f1_assets.connection import connect
from f1_assets.datasets import named
from f1_assets.defs.dispatcher import IMPORT_JOB
from f1_assets.defs.instance import dagster_instance, upgrade_dagster
from f1_assets.planning import dataset_states
from f1_assets.settings import load_settings
from f1_assets.warehouse import Status, Warehouse
from f1_assets_tests.e2e.daemon import dagster_daemon, wait_until


def main() -> None:
    """Print how long each step took."""
    with tempfile.TemporaryDirectory() as folder:
        recording = record(Path(folder))
        os.environ.update(
            F1_HOME=str(Path(folder) / "daemon"),
            F1_SOURCE=f"recording:{recording}",
            F1_SEASONS=str(SEASON),
            F1_WORKERS="2",
        )
        settings = load_settings()
        connect(settings).close()
        upgrade_dagster(settings)
        sensor = [sys.executable, "-m", "dagster", "sensor", "start", "gap_detection", "-m", "f1_assets.definitions"]
        environment = {**os.environ, "DAGSTER_HOME": str(settings.dagster_home)}
        subprocess.run(sensor, check=True, capture_output=True, env=environment)
        warehouse = connect(settings)
        with dagster_daemon(settings.dagster_home, dict(os.environ)) as daemon:
            wait_until(lambda: _is_complete(warehouse), daemon, 1200, "complete", 0.5)
            instance = dagster_instance(settings)
            records = instance.get_run_records(
                dg.RunsFilter(job_name=IMPORT_JOB, statuses=[dg.DagsterRunStatus.SUCCESS])
            )
            stored: dict[str, list[float]] = {}
            for line in warehouse.extractions():
                if line.run_id is not None and line.extracted_at is not None:
                    stored.setdefault(line.run_id, []).append(line.extracted_at.timestamp())
        warehouse.close()
        print(f"{len(records)} sessions through the daemon, two side by side; shortest, median and longest, in seconds")
        steps = {
            "from the request to the start of its run": [
                found.start_time - found.create_timestamp.timestamp() for found in records
            ],
            "from the start to the first stored dataset": [
                min(stored[found.dagster_run.run_id]) - found.start_time
                for found in records
                if found.dagster_run.run_id in stored
            ],
            "from the start to the end": [found.end_time - found.start_time for found in records],
        }
        for step, seconds in steps.items():
            print(f"  {step:<45}{min(seconds):6.1f}{statistics.median(seconds):6.1f}{max(seconds):6.1f}")


def _is_complete(warehouse: Warehouse) -> bool:
    states = dataset_states(warehouse, [SEASON], named(None))
    done = (Status.PRESENT, Status.NOT_APPLICABLE)
    return bool(states) and all(state.status in done for state in states)


if __name__ == "__main__":
    main()
