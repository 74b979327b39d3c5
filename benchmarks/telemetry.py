"""Telemetry beside FastF1: parsing, a whole session's load, memory, size, and what the lake answers how fast.

A simulated race of 20 cars over some 100 minutes of samples. Each of the two loads runs in a process of its own, from
an archive that has every response, in turn with the other.
"""

import functools
import json
import logging
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.feeds.telemetry import parse_car_data, parse_positions
from f1_assets.fetch.loader import fastf1_session
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.reader import Reader
from f1_assets.settings import load_settings
from f1_assets.warehouse.calendar import event_of, session_of

KEY, RUNS = SessionKey(2025, 1, "R"), 3
TELEMETRY = ("car_telemetry", "position_telemetry")


def main() -> None:
    """Measure all of it."""
    logging.getLogger("fastf1").setLevel(logging.ERROR)
    home = Path(tempfile.mkdtemp())
    settings = load_settings(home=home, source="simulator", simulator="tests=0")
    warehouse, transport = connect(settings), Transport(settings)
    refresh_calendar(KEY.season, warehouse=warehouse, transport=transport)
    gap = SessionGap(KEY, tuple(all_datasets()))
    outcome = process_session_gap(gap, warehouse=warehouse, transport=transport)
    assert not outcome.failed
    _load_with_fastf1(warehouse, transport)  # so that the archive has what it needs, too
    _parsing(warehouse, transport)
    _loading(home)
    for line in warehouse.extractions(KEY):
        if line.file_bytes:
            print(f"{line.dataset}: {line.rows:,} rows, {line.file_bytes / 1e6:.1f} MB of Parquet")
    _asking(warehouse)


def _parsing(warehouse, transport) -> None:
    import fastf1._api as api

    path = fastf1_session(event_of(warehouse, KEY), session_of(warehouse, KEY)).api_path
    with transport.loading(session_of(warehouse, KEY).end):
        bodies = [
            transport.get(f"{api.base_url}{path}{name}.jsonStream").content for name in ("CarData.z", "Position.z")
        ]
    for name, body, ours, theirs in (
        ("car data", bodies[0], parse_car_data, api.car_data),
        ("positions", bodies[1], parse_positions, api.position_data),
    ):
        acts = (functools.partial(_parse_with_fastf1, theirs, path, body), functools.partial(ours, body))
        _print(f"parse {name}", [(_seconds(acts[0]), _seconds(acts[1])) for _ in range(RUNS)])


def _parse_with_fastf1(parse, path, body) -> None:
    frames = parse(path, response=body.decode("utf-8-sig").split("\r\n")[:-1])
    assert sum(map(len, frames.values())) > 400_000


def _loading(home: Path) -> None:
    times, peaks = [], []
    for _ in range(RUNS):
        pair = [_measured(kind, home) for kind in ("fastf1", "ours")]
        times.append((pair[0]["seconds"], pair[1]["seconds"]))
        peaks.append((pair[0]["peak_mb"], pair[1]["peak_mb"]))
    _print("load a whole race, all datasets stored", times)
    theirs, ours = (statistics.median(values) for values in zip(*peaks, strict=True))
    print(f"peak memory of that process: FastF1 {theirs:.0f} MB, ours {ours:.0f} MB")


def _measured(kind: str, home: Path) -> dict[str, float]:
    command = [sys.executable, __file__, kind, str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _one_load(kind: str, home: Path) -> None:
    settings = load_settings(home=home, source="simulator", simulator="tests=0")
    warehouse, transport = connect(settings), Transport(settings)
    started = time.perf_counter()
    if kind == "fastf1":
        _load_with_fastf1(warehouse, transport)
    else:
        process_session_gap(SessionGap(KEY, tuple(all_datasets())), warehouse=warehouse, transport=transport)
    seconds = time.perf_counter() - started
    # Of this program alone: what getrusage tells has the parent's peak in it.
    status = Path("/proc/self/status").read_text()
    peak_mb = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb}))


def _load_with_fastf1(warehouse, transport) -> None:
    session = fastf1_session(event_of(warehouse, KEY), session_of(warehouse, KEY))
    with transport.loading(session_of(warehouse, KEY).end):
        session.load()


def _asking(warehouse) -> None:
    fastest = [_seconds(lambda: warehouse.telemetry(KEY, "ALD")) for _ in range(11)]
    print(f"one driver's fastest lap, joined, from the lake: {statistics.median(fastest) * 1000:.0f} ms")
    frame = warehouse.rows(all_datasets()["car_telemetry"], KEY).drop(columns=["season", "round", "session"])
    for number in range(2, 25):
        warehouse.replace(SessionKey(KEY.season, number, "R"), all_datasets()["car_telemetry"], frame)
    query = "SELECT round, driver_number, MAX(speed_kmh) AS top_kmh FROM car_telemetry GROUP BY ALL"
    season = [_seconds(lambda: Reader(warehouse).sql(query)) for _ in range(5)]
    print(f"top speed of every driver in 24 races ({24 * len(frame):,} rows): {statistics.median(season):.2f} s")


def _seconds(act) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _print(what: str, times: list[tuple[float, float]]) -> None:
    theirs, ours = (statistics.median(values) for values in zip(*times, strict=True))
    print(f"{what}: FastF1 {theirs:.2f} s, ours {ours:.2f} s, {theirs / ours:.1f}x")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _one_load(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
