"""Fifty readers of the board and of `/v1` on PostgreSQL while an import runs: how long they wait for their answers.

Two simulated weekends: the first is there, the second is imported by `f1-assets import` meanwhile, with one worker.
`f1-assets serve` has two processes, which have answered each question once before. Each reader opens a page or asks an
endpoint, at random, and then reads for a second and a half on average. Readers, server, database and import share the
cores of this machine.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import requests

from f1_assets_tests.conftest import PLENTY, started_postgres

READERS = 50
READS_SECONDS = 1.5
SEASON = 2025
PATHS = {
    "board": ("/", f"/season/{SEASON}", f"/session/{SEASON}-01-R", f"/session/{SEASON}-01-Q", "/api/running"),
    "/v1": (
        "/v1/sessions?year=2025",
        "/v1/laps?meeting_key=7501&driver_number=1",
        "/v1/weather?meeting_key=7501",
        "/v1/session_result?meeting_key=7501",
        "/v1/stints?meeting_key=7501",
        "/v1/race_control?meeting_key=7501",
    ),
}


def main() -> None:
    """Print counts and seconds, of the board and of `/v1`."""
    with tempfile.TemporaryDirectory() as folder, started_postgres() as postgres:
        os.environ |= {
            "F1_HOME": f"{folder}/home",
            "F1_SOURCE": "simulator",
            "F1_SIMULATOR": "races=2,tests=0,sprints=0,samples_every=4",
            "F1_QUOTA": PLENTY,
            "F1_DATABASE_URL": postgres.get_uri(),
        }
        _run("db", "upgrade")
        _run("import", str(SEASON), "--round", "1")
        server = _started("serve", "--port", "0", "--workers", "2")
        url = server.stdout.readline().split()[5].rstrip(";")
        _warm(url)
        waited: dict[str, list[float]] = {name: [] for name in PATHS}
        failed: list[str] = []
        done = threading.Event()
        readers = [
            threading.Thread(target=_read, args=(number, url, waited, failed, done)) for number in range(READERS)
        ]
        importing = _started("import", str(SEASON), "--round", "2", "--workers", "1")
        began = time.monotonic()
        for reader in readers:
            reader.start()
        said, _ = importing.communicate()
        if importing.returncode != 0:
            raise SystemExit(said)
        took = time.monotonic() - began
        done.set()
        for reader in readers:
            reader.join()
        server.terminate()
        server.wait()
    print(f"{READERS} readers during an import of {took:.0f} s; {len(failed)} errors {failed[:3]}")
    for name, seconds in waited.items():
        cuts = statistics.quantiles(seconds, n=100)
        print(f"{name}: {len(seconds)} answers, median {cuts[49]:.3f} s, 99th percentile {cuts[98]:.3f} s")


def _warm(url: str) -> None:
    """Ask for everything several times, each on a connection of its own: either process has answered it then."""
    for path in [path for paths in PATHS.values() for path in paths] * 8:
        requests.get(url + path, timeout=60).raise_for_status()


def _read(number: int, url: str, waited: dict[str, list[float]], failed: list[str], done: threading.Event) -> None:
    chance = random.Random(number)
    with requests.Session() as client:
        while not done.wait(chance.uniform(0, 2 * READS_SECONDS)):
            name = chance.choice(list(PATHS))
            path = chance.choice(PATHS[name])
            asked_at = time.monotonic()
            try:
                client.get(url + path, timeout=60).raise_for_status()
            except requests.RequestException as error:
                failed.append(f"{path}: {error}")
            waited[name].append(time.monotonic() - asked_at)


def _started(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", "from f1_assets.cli import main; main()", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _run(*arguments: str) -> None:
    process = _started(*arguments)
    said, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(said)


if __name__ == "__main__":
    main()
