"""What a Dagster run adds to the import of a session: events, checks and metadata, in processor time.

Practice sessions of a small simulated season, in turn without Dagster and in a run of this process; the warehouse and
Dagster's storages are SQLite files.
"""

import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable

import fastf1

from f1_assets.context import Context
from f1_assets.defs.runs import run_session
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.planning import SessionGap, dataset_states, gaps_of
from f1_assets.settings import process_settings

PAIRS = int(os.environ.get("F1_BENCH_PAIRS", "6"))
SEASON = 2025


def main() -> None:
    """Import twice as many sessions, every second one through Dagster."""
    fastf1.set_log_level(logging.CRITICAL)
    os.environ |= {
        "F1_HOME": tempfile.mkdtemp(),
        "F1_SOURCE": "simulator",
        "F1_SIMULATOR": f"races={PAIRS + 1},tests=0,sprints=0,laps=5,samples_every=20,drivers=4",
        "F1_QUOTA": "any=100000/1s",
    }
    process_settings.cache_clear()
    opened = Context.open()
    warehouse, transport = opened.warehouse, opened.transport
    refresh_calendar(SEASON, warehouse=warehouse, transport=transport)
    gaps = [gap for gap in gaps_of(dataset_states(warehouse, [SEASON])) if gap.key.session.startswith("FP")]

    def without(gap: SessionGap) -> None:
        process_session_gap(gap, warehouse=warehouse, transport=transport)

    def through(gap: SessionGap) -> None:
        run = run_session(gap)
        if run.error is not None:
            raise SystemExit(run.error)

    without(gaps[0])
    through(gaps[1])
    alone, dagster = [], []
    for first, second in zip(gaps[2::2], gaps[3::2], strict=False):
        if len(alone) == PAIRS:
            break
        alone.append(_processor_seconds(without, first))
        dagster.append(_processor_seconds(through, second))
    plain, whole = statistics.median(alone), statistics.median(dagster)
    print(f"{len(alone)} sessions each, processor time: {plain:.2f} s without Dagster, {whole:.2f} s in a Dagster run")
    print(f"Dagster's share: {whole - plain:.2f} s of a session, a ratio of {whole / plain:.2f}")


def _processor_seconds(run: Callable[[SessionGap], None], gap: SessionGap) -> float:
    started = time.process_time()
    run(gap)
    return time.process_time() - started


if __name__ == "__main__":
    main()
