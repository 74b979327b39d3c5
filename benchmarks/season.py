"""A season in a FastF1 loop and here, side by side: seconds, processor time, memory, bytes and requests.

A recording of a simulated season (two weekends; F1_BENCH_RACES=24 is a whole one) answers all of them, in turn, each in
processes of its own with nothing stored before. The loop is that of a careful user: each session is loaded once, with a
cache, and all that FastF1 gives goes into SQLite and Parquet. Its limits are off, as ours are on a recording: nobody
waits. The loop is compared with the import of the same data, and of everything.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RACES = int(os.environ.get("F1_BENCH_RACES", "2"))
SEASON = 2025
SIMULATED = f"races={RACES},tests=0,sprints=0"
SAME = (
    "results,laps,weather,race_control_messages,session_status,track_status,drivers,circuit,"
    "car_telemetry,position_telemetry,driver_standings,constructor_standings"
)
"""What the loop stores too."""

_BECOME_SUBREAPER = 36  # of prctl(2): what a process leaves behind is reaped here, and its processor time counted


@dataclass(frozen=True)
class Cost:
    """What one way of getting a season took: `memory_mb` is that of its largest process."""

    seconds: float
    processor_seconds: float
    memory_mb: float
    stored_mb: float
    requests: int


def fastf1_loop(recording: Path, home: Path) -> int:
    """Load each session once with FastF1 and store all it gives; return how many requests were sent."""
    import fastf1
    import pandas as pd
    from fastf1.ergast import Ergast
    from sqlalchemy import create_engine

    fastf1.set_log_level(logging.CRITICAL)
    with _answered_from(recording, home / "cache") as asked:
        engine = create_engine(f"sqlite:///{home / 'season.db'}")
        schedule = fastf1.get_event_schedule(SEASON, include_testing=False)

        def store(frame: pd.DataFrame, table: str, **of: Any) -> None:
            plain = pd.DataFrame(frame).assign(**of)
            for column in plain.select_dtypes("timedelta"):
                plain[column] = plain[column].dt.total_seconds() * 1000
            texts = plain.select_dtypes("object").columns
            plain[texts] = plain[texts].astype("string")
            plain.to_sql(table, engine, if_exists="append", index=False)

        for number in schedule["RoundNumber"]:
            for place in range(1, 6):
                session = fastf1.get_session(SEASON, number, place)
                session.load()
                of = {"season": SEASON, "round": number, "session": session.name}
                for table in ("results", "laps", "weather_data", "race_control_messages", "session_status"):
                    store(getattr(session, table), table, **of)
                store(session.track_status, "track_status", **of)
                store(session.get_circuit_info().corners, "corners", **of)
                for kind, samples in (("car_data", session.car_data), ("pos_data", session.pos_data)):
                    both = pd.concat([frame.assign(Driver=driver) for driver, frame in samples.items()])
                    folder = home / "parquet" / kind
                    folder.mkdir(parents=True, exist_ok=True)
                    pd.DataFrame(both).to_parquet(folder / f"{number:02}-{place}.parquet", index=False)
            for table, ask in (("drivers", "get_driver_standings"), ("constructors", "get_constructor_standings")):
                standings = getattr(Ergast(), ask)(season=SEASON, round=number).content[0]
                store(standings, f"{table}_standings", season=SEASON, round=number)
        engine.dispose()
    return len(asked)


@contextlib.contextmanager
def _answered_from(recording: Path, cache: Path) -> Iterator[list[str]]:
    """Let FastF1 ask a recording, without its limits and with its cache; give the addresses that it asks for."""
    from fastf1.req import Cache, _SessionWithRateLimiting

    from f1_assets.fetch.sources import AnsweringAdapter, Recording

    asked: list[str] = []
    answers = Recording(recording)

    def respond(url: str) -> Any:
        asked.append(url)
        address, _, kind = url.partition("?")[0].rpartition("/")
        # FastF1 writes the same list differently.
        return answers.respond(f"{address}/{kind.lower()}?limit=100" if "Standings" in kind else url)

    cache.mkdir(parents=True)
    Cache.configure(cache_dir=str(cache))
    _SessionWithRateLimiting._RATE_LIMITS = {}
    session = Cache._requests_session_cached
    for scheme in [*session.adapters, "https://"]:
        session.mount(scheme, AnsweringAdapter(respond))
    yield asked


def without_dagster(recording: Path, home: Path) -> int:
    """Import the season with the library alone, session by session; return how many requests were sent."""
    from f1_assets.connection import connect
    from f1_assets.fetch.transport import Transport
    from f1_assets.importing import import_season
    from f1_assets.settings import load_settings

    settings = load_settings(home=home, source=f"recording:{recording}")
    warehouse, transport = connect(settings), Transport(settings)
    summary = import_season(SEASON, warehouse=warehouse, transport=transport)
    transport.close()
    warehouse.close()
    if summary.failed or summary.partial:
        raise SystemExit("not all was imported")
    return summary.requests


def through_dagster(workers: int, datasets: str | None = None) -> Callable[[Path, Path], int]:
    """Return what imports the season by the command, each session in a run of Dagster."""

    def run(recording: Path, home: Path) -> int:
        environment = {**os.environ, "F1_HOME": str(home), "F1_SOURCE": f"recording:{recording}"}
        if datasets is not None:
            environment["F1_DATASETS"] = datasets
        command = [sys.executable, "-c", "from f1_assets.cli import main; main()"]
        arguments = ["import", str(SEASON), "--workers", str(workers), "--json"]
        done = subprocess.run([*command, *arguments], env=environment, stdout=subprocess.PIPE, check=True)
        return int(json.loads(done.stdout)["requests"])

    return run


WAYS: dict[str, Callable[[Path, Path], int]] = {
    "FastF1 loop": fastf1_loop,
    "f1_assets, the same data, 1 worker": through_dagster(1, SAME),
    "f1_assets, the same data, 2 workers": through_dagster(2, SAME),
    "f1_assets, everything, without Dagster": without_dagster,
    "f1_assets, everything, 1 worker": through_dagster(1),
    "f1_assets, everything, 2 workers": through_dagster(2),
}


def measured(way: str, recording: Path) -> Cost:
    """Run one way in a process of its own, and add up what it and all that it started took."""
    with tempfile.TemporaryDirectory() as folder:
        home, started = Path(folder) / "home", time.perf_counter()
        home.mkdir()
        child = subprocess.Popen(
            [sys.executable, __file__, way, str(recording), str(home)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        said = child.stdout.read()
        processor, memory, statuses = 0.0, 0.0, []
        with contextlib.suppress(ChildProcessError):
            while True:
                _, status, usage = os.wait4(-1, 0)
                statuses.append(status)
                processor += usage.ru_utime + usage.ru_stime
                memory = max(memory, usage.ru_maxrss / 1024)
        seconds = time.perf_counter() - started
        if any(statuses):
            raise SystemExit(f"{way} failed")
        stored = sum(path.stat().st_size for path in home.rglob("*") if _is_data(path)) / 1e6
        return Cost(seconds, processor, memory, stored, int(said.splitlines()[-1]))


def _is_data(path: Path) -> bool:
    return path.name in ("season.db", "warehouse.db") or path.suffix == ".parquet"


def record(folder: Path) -> Path:
    """Make a simulated season's recording: what its import asks for, and what FastF1 asks for beside."""
    from f1_assets.connection import connect
    from f1_assets.fetch.archive_export import export_archive
    from f1_assets.fetch.transport import Transport
    from f1_assets.importing import import_season
    from f1_assets.settings import load_settings

    settings = load_settings(home=folder / "home", source="simulator", simulator=SIMULATED)
    warehouse, transport = connect(settings), Transport(settings)
    import_season(SEASON, warehouse=warehouse, transport=transport)
    export_archive(transport.archive, folder / "recording")
    transport.close()
    warehouse.close()
    return folder / "recording"


def main() -> None:
    """Measure each way, and print the table of docs/performance.md."""
    if len(sys.argv) == 4:
        way, recording, home = sys.argv[1:]
        print(WAYS[way](Path(recording), Path(home)))
        return
    ctypes.CDLL(None).prctl(_BECOME_SUBREAPER, 1)
    with tempfile.TemporaryDirectory() as folder:
        recording = record(Path(folder))
        print(f"{RACES} weekends, {5 * RACES} sessions: {SIMULATED}\n")
        print("| way | seconds | of processor | memory MB | stored MB | requests | FastF1 loop's seconds, processor |")
        print("| --- |" + " ---: |" * 6)
        loop = None
        for way in WAYS:
            cost = measured(way, recording)
            loop = loop or cost
            print(
                f"| {way} | {cost.seconds:.0f} | {cost.processor_seconds:.0f} | {cost.memory_mb:.0f} "
                f"| {cost.stored_mb:.1f} | {cost.requests} | {loop.seconds / cost.seconds:.2f}x, "
                f"{loop.processor_seconds / cost.processor_seconds:.2f}x |",
                flush=True,
            )


if __name__ == "__main__":
    main()
