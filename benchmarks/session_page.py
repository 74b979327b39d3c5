"""The page of a race of full size with all its charts, over loopback: drawn first, drawn again, and its bytes."""

import gzip
import re
import statistics
import tempfile
import time
from pathlib import Path

import requests

from f1_assets.board.app import create_app
from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.datasets import all_datasets
from f1_assets.fetch.process import transport_for
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets_tests.board.board import serving

KEY = SessionKey(2025, 1, "R")
RUNS = 10


def main() -> None:
    """Import a race, and measure its page, its pictures, and the other pages about its season."""
    home = Path(tempfile.mkdtemp())
    settings = load_settings(home=home, source="simulator", simulator="races=1,tests=0,sprints=0", quota="any=9999/1h")
    warehouse, transport = connect(settings), transport_for(settings)
    refresh_calendar(KEY.season, warehouse=warehouse, transport=transport)
    process_session_gap(SessionGap(KEY, tuple(all_datasets())), warehouse=warehouse, transport=transport)
    app = create_app(Context.open(settings, warehouse=warehouse))
    with serving(app) as board, requests.Session() as client:
        client.get(f"{board.url}/").raise_for_status()
        _measure(client, board.url, f"/session/{KEY}", runs=1)
        _measure(client, board.url, f"/session/{KEY}?drawn=1", runs=1)
        _measure(client, board.url, f"/session/{KEY}")
        html = client.get(f"{board.url}/session/{KEY}").text
        for name, bodies in _parts(client, board.url, html).items():
            raw, packed = sum(map(len, bodies)), sum(len(gzip.compress(body, 4)) for body in bodies)
            print(f"{name}: {raw:,} bytes, {packed:,} compressed")
        driver = re.search(r'name="driver" value="(\w+)"', html)
        season = f"/season/{KEY.season}"
        for path in (season, f"{season}/standings", f"{season}/driver/{driver[1]}", "/search?q=race"):
            _measure(client, board.url, path)
        for address in re.findall(r'<img src="([^"]+)"', html)[:2]:
            _measure(client, board.url, address, runs=3)


def _measure(client: requests.Session, url: str, path: str, runs: int = RUNS) -> None:
    def seconds() -> tuple[float, float]:
        wall, processor = time.perf_counter(), time.process_time()
        client.get(url + path).raise_for_status()
        return time.perf_counter() - wall, time.process_time() - processor

    first, rest = seconds(), [seconds() for _ in range(runs)]
    median, busy = (statistics.median(column) for column in zip(*rest, strict=True))
    print(
        f"{path}: first {first[0] * 1000:.0f} ms ({first[1] * 1000:.0f} ms of processor), "
        f"then {median * 1000:.0f} ms ({busy * 1000:.0f} ms of processor)"
    )


def _parts(client: requests.Session, url: str, html: str) -> dict[str, list[bytes]]:
    scripts = [client.get(url + address).content for address in re.findall(r'<script[^>]* src="([^"]+)"', html)]
    data = [found.encode() for found in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html)]
    return {"page with data": [html.encode()], "data of its charts": data, "scripts": scripts}


if __name__ == "__main__":
    main()
