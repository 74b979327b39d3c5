"""What derived datasets cost to compute again, session by session, beside the extraction of the same session.

A simulated season of two weekends by default, one of them with a sprint; F1_BENCH_RACES=24 is a whole season, of which
the first two weekends are extracted again.
"""

import logging
import os
import statistics
import tempfile
import time
from pathlib import Path

import fastf1

from f1_assets.connection import connect
from f1_assets.datasets import derived_datasets, extracted_datasets, season_datasets
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.importing.derived import compute_each, compute_season
from f1_assets.keys import SeasonKey
from f1_assets.planning import SessionGap, dataset_states, gaps_of
from f1_assets.settings import load_settings

RACES = int(os.environ.get("F1_BENCH_RACES", "2"))
SEASON = 2025
BESIDE_EXTRACTION = 2
"""So many weekends are extracted again, to set what is derived beside it."""


def main() -> None:
    """Import each session once, then extract it again from the archive and compute what is derived of it, in turn."""
    fastf1.set_log_level(logging.CRITICAL)
    home = Path(tempfile.mkdtemp())
    settings = load_settings(home=home, source="simulator", simulator=f"races={RACES},tests=0,sprints=1")
    warehouse, transport = connect(settings), Transport(settings)
    refresh_calendar(SEASON, warehouse=warehouse, transport=transport)
    # The lake's samples are an input of nothing that is derived.
    names = tuple(name for name, dataset in extracted_datasets().items() if not name.endswith("_telemetry"))
    gaps = gaps_of(dataset_states(warehouse, [SEASON]))
    extracting, computing, processor = [], [], []
    for gap in gaps:
        process_session_gap(SessionGap(gap.key, names), warehouse=warehouse, transport=transport)
        list(compute_each(warehouse, gap.key, list(derived_datasets())))
        words = ""
        if gap.key.round <= BESIDE_EXTRACTION:
            started = time.perf_counter()
            extracted = process_session_gap(SessionGap(gap.key, names), warehouse=warehouse, transport=transport)
            extracting.append(time.perf_counter() - started)
            words = f"extracted in {extracting[-1]:.2f} s with {extracted.requests} requests; "
        started, used = time.perf_counter(), time.process_time()
        lines = list(compute_each(warehouse, gap.key, list(derived_datasets())))
        computing.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
        rows = sum(line.rows for line in lines)
        print(
            f"{gap.key}: {words}{len(lines)} derived datasets, {rows} rows, in {computing[-1]:.2f} s "
            f"({processor[-1]:.2f} s of processor) without any",
            flush=True,
        )
    started = time.perf_counter()
    rows = sum(line.rows for line in compute_season(warehouse, SeasonKey(SEASON), list(season_datasets())))
    of_season = time.perf_counter() - started
    print(f"over the season: {rows} rows in {of_season:.2f} s")
    print(
        f"derived, {len(gaps)} sessions: mean {statistics.mean(computing):.2f} s, "
        f"median {statistics.median(computing):.2f} s, at most {max(computing):.2f} s; "
        f"of processor {statistics.mean(processor):.2f} s on average, at most {max(processor):.2f} s; "
        f"beside extraction: {sum(computing[: len(extracting)]) / sum(extracting):.2f}"
    )


if __name__ == "__main__":
    main()
