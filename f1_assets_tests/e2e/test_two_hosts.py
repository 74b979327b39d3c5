"""Two hosts with one database, lake and archive: both import, one has the board, one verifies; nothing is lost."""

import json
import os
import subprocess
import sys
import threading

import pytest
import requests

from f1_assets.connection import connect, connect_as_it_is
from f1_assets.datasets import named
from f1_assets.fetch.transport import Transport
from f1_assets.health.integrity import integrity
from f1_assets.importing import import_season
from f1_assets.planning import dataset_states
from f1_assets.settings import load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.server import SimulatorServer
from f1_assets.warehouse import Status
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.fetch.planned import requests_of, weekend

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

SEASON = 2025
SESSIONS = 5
OPTIONS = "races=1,sprints=0,tests=0,laps=5,samples_every=50,drivers=4"
REQUESTS = requests_of(*weekend(SEASON))
REST_SECONDS = 4
"""Between two verifications: without it they would keep the machine from importing."""


@pytest.fixture
def served():
    server = SimulatorServer(("127.0.0.1", 0), Simulator(SimulatorOptions.parse(OPTIONS)), Referee([("any", 10**9, 1)]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def shared(tmp_path, served, postgres_url):
    """What both hosts have in common."""
    settings = {
        "source": served.url,
        "quota": PLENTY,
        "database_url": postgres_url,
        "lake_url": str(tmp_path / "lake"),
        "archive_url": f"file://{tmp_path / 'archive'}",
    }
    connect_as_it_is(load_settings(home=tmp_path / "alpha", **settings)).upgrade()
    return settings


def _started(tmp_path, host, shared, *arguments):
    variables = {f"F1_{name.upper()}": value for name, value in shared.items()}
    return subprocess.Popen(
        [sys.executable, "-c", "from f1_assets.cli import main; main()", *arguments],
        env={**os.environ, **variables, "F1_HOME": str(tmp_path / host)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _output(process):
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, out + err
    return out


def _board_of(process):
    """Return the address that the board says it has."""
    line = process.stdout.readline()
    assert line.startswith("The season board is on http://"), process.communicate()
    return line.split()[5].rstrip(";")


def test_two_hosts_that_import_show_and_verify_lose_nothing(shared, served, tmp_path):
    command = ("import", str(SEASON), "--workers", "1", "--json")
    imports = [_started(tmp_path, host, shared, *command) for host in ("alpha", "beta")]
    summaries = [None, None]

    def read(place):
        summaries[place] = json.loads(_output(imports[place]))

    readers = [threading.Thread(target=read, args=(place,)) for place in range(2)]
    for reader in readers:
        reader.start()
    board = _started(tmp_path, "alpha", shared, "serve", "--port", "0")
    try:
        address, verified = _board_of(board), 0
        while at_work := [reader for reader in readers if reader.is_alive()]:
            assert requests.get(address, timeout=60).status_code == 200
            _output(_started(tmp_path, "beta", shared, "archive", "verify"))
            verified += 1
            at_work[0].join(timeout=REST_SECONDS)
        assert verified > 0
        assert requests.get(address, timeout=60).status_code == 200
    finally:
        board.terminate()
        board.communicate(timeout=60)
    done = [session["key"] for summary in summaries for session in summary["sessions"]]
    assert len(done) == len(set(done)) == SESSIONS
    assert all(summary["failed"] == summary["partial"] == 0 for summary in summaries)
    # What both need is asked for twice where a busy machine stores an answer late: schedule, season index, circuit.
    assert REQUESTS + 2 <= served.referee.report()["requests"] <= REQUESTS + 5

    warehouse = connect(load_settings(home=tmp_path / "gamma", **shared))
    complete = (Status.PRESENT, Status.NOT_APPLICABLE)
    assert {state.status for state in dataset_states(warehouse, [SEASON])} <= set(complete)
    assert integrity(warehouse) == []
    alone = load_settings(home=tmp_path / "alone", source="simulator", simulator=OPTIONS, quota=PLENTY)
    expected, transport = connect(alone), Transport(alone)
    import_season(SEASON, warehouse=expected, transport=transport)
    transport.close()
    records = [
        {(line.key, line.dataset): (line.status, line.rows, line.digest) for line in opened.extractions()}
        for opened in (warehouse, expected)
    ]
    assert records[0] == records[1]
    assert {name for _, name in records[0]} >= {dataset.name for dataset in named("car_telemetry,laps,circuit")}
    warehouse.close()
    expected.close()
