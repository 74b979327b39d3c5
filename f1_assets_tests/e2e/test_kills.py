"""A season's import whose processes are killed at any moment: complete in the end, and equal to an undisturbed one."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import make_url

from f1_assets.connection import F1Warehouse, connect
from f1_assets.datasets import all_datasets, dataset_tables, dataset_views
from f1_assets.fetch.transport import Transport
from f1_assets.importing import import_season
from f1_assets.planning import dataset_states
from f1_assets.settings import load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.server import SimulatorServer
from f1_assets.warehouse import Status
from f1_assets.warehouse.leases import leased_sessions
from f1_assets_tests.conftest import PLENTY, on_each_database_side_by_side
from f1_assets_tests.e2e.daemon import ends_within

pytestmark = pytest.mark.long

KILLS = int(os.environ.get("F1_TEST_KILLS", "4"))
"""docs/reliability.md tells of a run with 200 on each database, which takes too long for every day."""

RACES = max(1, KILLS * 24 // 200)
SESSIONS = 5 * RACES
OPTIONS = f"races={RACES},tests=0,sprints=0,laps=5,samples_every=40,drivers=4"


@pytest.fixture
def served():
    server = SimulatorServer(("127.0.0.1", 0), Simulator(SimulatorOptions.parse(OPTIONS)), Referee([("any", 10**9, 1)]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(params=on_each_database_side_by_side("kills"))
def environment(request, tmp_path, served):
    """Settings of the import that is disturbed."""
    home = tmp_path / "home"
    given = {"F1_HOME": str(home), "F1_SOURCE": served.url, "F1_QUOTA": PLENTY, "F1_LAKE_URL": str(home / "lake")}
    if request.param == "postgresql":
        given["F1_DATABASE_URL"] = request.getfixturevalue("postgres_url")
        F1Warehouse.at(make_url(given["F1_DATABASE_URL"]), dataset_tables(), dataset_views(), None).upgrade()
    return given


def _start(environment, tmp_path, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", "from f1_assets.cli import main; main()", *arguments],
        env={**os.environ, **environment},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _parent_of(process):
    """Return the parent of a process; None where it has just ended."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _workers_of(command):
    """Return the processes that import: those that the command's children started."""
    parents = {int(entry.name): _parent_of(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    return sorted(pid for pid, parent in parents.items() if parent is not None and parents.get(parent) == command)


def _kill_somebody(command, choose):
    """Kill a worker, or once in eight times the command itself; tell how many were killed."""
    workers = _workers_of(command.pid)
    if not workers:
        return 0
    victim = command.pid if choose.random() < 1 / 8 else choose.choice(workers)
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1


def _document(environment, tmp_path, *arguments):
    command = _start(environment, tmp_path, *arguments, "--json")
    return json.loads(command.communicate(timeout=1800)[0])


@pytest.mark.timeout(3600)
def test_an_import_whose_processes_are_killed_is_equal_to_an_undisturbed_one(environment, served, tmp_path):
    # What an undisturbed import brings, and takes.
    undisturbed = load_settings(home=tmp_path / "undisturbed", source=served.url, quota=PLENTY)
    expected, transport = connect(undisturbed), Transport(undisturbed)
    import_season(2025, warehouse=expected, transport=transport)
    transport.close()
    usual = served.referee.report()["requests"]

    warehouse = _opened(environment)
    choose, killed = random.Random(7), 0
    while killed < KILLS:
        command = _start(environment, tmp_path, "import", "2025", "--workers", "2")
        # A moment of an import: what is killed in it is left to chance. Kills keep pace with the season, from its first
        # session to its last: else they would all strike its first.
        while not ends_within(command, choose.uniform(0.1, 2.5)) and killed < KILLS:
            if len({line.key for line in warehouse.extractions()}) >= killed * SESSIONS // KILLS - 1:
                killed += _kill_somebody(command, choose)
        if killed == KILLS or command.poll() == 0:
            break  # in the second case all is there: nothing is left to be killed at
    assert killed > KILLS // 2
    command.communicate(timeout=1800)
    # Sessions in which three processes were killed one after the other wait for their next try.
    failed = sorted({str(s.key) for s in dataset_states(warehouse, [2025]) if s.status is Status.FAILED})
    if failed:
        assert _start(environment, tmp_path, "retry", *failed).wait(timeout=300) == 0
    last = _document(environment, tmp_path, "import", "2025", "--workers", "2")
    assert last["failed"] == last["partial"] == 0
    again = _document(environment, tmp_path, "import", "2025")
    assert (again["processed"], again["requests"]) == (0, 0)

    assert not leased_sessions(warehouse)
    lines = {(line.key, line.dataset): line for line in warehouse.extractions()}
    wanted = {(line.key, line.dataset): line for line in expected.extractions()}
    assert lines.keys() == wanted.keys()
    for identity, line in wanted.items():
        got = lines[identity]
        assert (got.status, got.rows, got.digest) == (line.status, line.rows, line.digest), identity
    for dataset in all_datasets().values():
        for key in sorted({line.key for line in wanted.values() if line.dataset == dataset.name and line.rows}):
            assert warehouse.rows(dataset, key).equals(expected.rows(dataset, key)), (key, dataset.name)
    # Each kill loses what was on its way: a request of a worker, of both where the command itself is killed, and a
    # calendar where that was being asked for.
    more = served.referee.report()["requests"] - 2 * usual
    print(f"{killed} kills, {more} requests more than the {usual} of an undisturbed import")
    assert more <= 2 * killed + 2


def _opened(environment):
    overrides = {"home": environment["F1_HOME"], "lake_url": environment["F1_LAKE_URL"]}
    if "F1_DATABASE_URL" in environment:
        overrides["database_url"] = environment["F1_DATABASE_URL"]
    return connect(load_settings(**overrides))
