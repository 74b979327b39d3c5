"""The board's pages over HTTP on loopback, on nine seasons of 120 sessions and 12 datasets: full, and empty."""

import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import requests
import uvicorn
from sqlalchemy import delete

from benchmarks.gap_detection import _fill, _twelve
from f1_assets.board.app import create_app
from f1_assets.board.season import SeasonFilter
from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.keys import SessionKey
from f1_assets.settings import load_settings
from f1_assets.warehouse import Extraction, Status, Warehouse
from f1_assets.warehouse.models import extractions

SEASONS = range(2018, 2027)
SESSION = "2024-03-Q"
RUNS = 20


def main() -> None:
    """Measure a warehouse of which a hundredth is missing, and one of which all is."""
    settings = load_settings(home=Path(tempfile.mkdtemp()), source="simulator")
    warehouse = connect(settings)
    for season in SEASONS:
        _fill(warehouse, season, _twelve())
    _measure("full", settings)
    with warehouse.engine.begin() as connection:
        connection.execute(delete(extractions))
    _measure("empty", settings)


def _measure(name: str, settings) -> None:
    app = create_app(Context.open(settings))
    readings = app.state.readings
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    key = SessionKey.parse(SESSION)
    reads = {
        "/": readings.overview,
        "/season/2024": lambda: readings.season_and_plan(2024, SeasonFilter()),
        f"/session/{SESSION}": lambda: readings.session(key),
        "/api/seasons": readings.seasons,
        "/api/seasons/2024": lambda: readings.season(2024, SeasonFilter()),
        "/api/failures": readings.failures,
    }
    with requests.Session() as client:
        for path, read in reads.items():
            first = _seconds(lambda path=path: client.get(url + path).raise_for_status())
            page = _median(lambda path=path: client.get(url + path).raise_for_status())
            read_alone = _median(read)
            print(f"{name}: {path}: {page * 1000:.0f} ms; its reading {read_alone * 1000:.0f} ms; first {first:.2f} s")
        anew = _median(lambda: client.get(f"{url}/").raise_for_status(), before=lambda: _touch(readings.warehouse))
        print(f"{name}: / after a line was written in each season, so that all is read anew: {anew * 1000:.0f} ms")
    server.should_exit = True


def _touch(warehouse: Warehouse) -> None:
    for season in SEASONS:
        warehouse.note(Extraction(SessionKey(season, 1, "R"), "laps", Status.FAILED, error_class="TransientError"))


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _median(act: Callable[[], object], before: Callable[[], None] = lambda: None) -> float:
    times = []
    for _ in range(RUNS):
        before()
        times.append(_seconds(act))
    return statistics.median(times)


if __name__ == "__main__":
    main()
