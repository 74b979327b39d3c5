"""Three workers, a daemon, a webserver, PostgreSQL, Redis: a season that survives all of them, equal to one machine's.

The workers have networks of their own where this user may make them, and clocks that are seconds apart.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import create_engine, text

from f1_assets.connection import connect, connect_as_it_is
from f1_assets.datasets import named
from f1_assets.defs.instance import upgrade_dagster
from f1_assets.fetch.transport import Transport
from f1_assets.importing import import_season
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.settings import IN_DATABASE, load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.faults import Faults
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.server import SimulatorServer
from f1_assets.warehouse import Status
from f1_assets.warehouse.leases import leased_sessions
from f1_assets_tests.conftest import PLENTY, started_postgres
from f1_assets_tests.e2e.daemon import dagster_daemon, wait_until
from f1_assets_tests.e2e.dagster_ui import webserver
from f1_assets_tests.e2e.networks import network
from f1_assets_tests.e2e.team import LOOPBACK, Host, Postgres, redis_server

pytestmark = pytest.mark.long

SEASON = 2025
RACES = int(os.environ.get("F1_TEST_TEAM_RACES", "3"))
"""15 sessions, for time is short; F1_TEST_TEAM_RACES=12 has 60."""

OPTIONS = f"races={RACES},sprints=0,tests=0,laps=5,samples_every=50,drivers=4"
DATASETS = "car_telemetry,circuit,laps,results,stints,team_radio,weather"
LIMIT, SECONDS = 80, 10
"""The quota's window, scaled down."""

KEEPALIVE = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
SERVER_KEEPALIVE = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""As docs/team.md advises for Dagster's own connections."""

CUT_OFF_SECONDS = 75
"""Longer than PostgreSQL keeps a connection to a host that is silent, and shorter than a lease."""


class _Asked(Simulator):
    """A season that remembers what it was asked for."""

    def __init__(self):
        super().__init__(SimulatorOptions.parse(OPTIONS))
        self.asked = []

    def respond(self, url):
        self.asked.append(url)
        return super().respond(url)


@pytest.fixture
def connected():
    """The network of the workers; None where they share this machine's."""
    with network() as made:
        yield made


@pytest.fixture
def address(connected):
    """Where the servers listen."""
    return LOOPBACK if connected is None else connected.address


@pytest.fixture
def served():
    server = SimulatorServer(("127.0.0.1", 0), _Asked(), Referee([("any", LIMIT, SECONDS)]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def postgres(address):
    with started_postgres() as server:
        yield Postgres(server, address, SERVER_KEEPALIVE)


@pytest.fixture
def broker(tmp_path, address):
    with redis_server(tmp_path / "redis", address) as server:
        yield server


@pytest.fixture
def shared(tmp_path, served, postgres, broker):
    """What all hosts have in common."""
    url = postgres.url
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("CREATE SCHEMA dagster"))
    of_dagster = url.update_query_dict({"options": "-csearch_path=dagster", **KEEPALIVE})
    return {
        "F1_SOURCE": served.url,
        "F1_QUOTA": f"any={LIMIT}/{SECONDS}s;jolpica=100000/1h",
        "F1_SEASONS": str(SEASON),
        "F1_DATASETS": DATASETS,
        "F1_DATABASE_URL": url.render_as_string(hide_password=False),
        "DAGSTER_POSTGRES_URL": of_dagster.render_as_string(hide_password=False),
        "F1_BROKER_URL": broker.url,
        "F1_LAKE_URL": str(tmp_path / "lake"),
        "F1_ARCHIVE_URL": IN_DATABASE,
        "F1_WORKERS": "3",
    }


@pytest.fixture
def hosts(tmp_path, shared, connected, served):
    clocks = {"alpha": 0, "beta": 4, "gamma": -7}
    made = [Host(name, tmp_path / name, shared, connected, seconds) for name, seconds in clocks.items()]
    if connected is not None:
        connected.serve(served.server_port)  # on each one's loopback: elsewhere it would pass for F1's real services
    yield made
    for host in made:
        if host._process is not None:
            host.stop()


@pytest.fixture
def dagster_home(tmp_path, shared, monkeypatch):
    """The daemon's host, with the gap sensor on."""
    home = Host("daemon", tmp_path / "daemon", shared)
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    connect_as_it_is(settings).upgrade()
    upgrade_dagster(settings)
    command = [sys.executable, "-m", "dagster", "sensor", "start", "gap_detection", "-m", "f1_assets.definitions"]
    done = subprocess.run(command, env={**os.environ}, capture_output=True, text=True)
    assert "Started sensor gap_detection" in done.stdout, done.stderr
    return settings.dagster_home


def _instance(dagster_home):
    return dg.DagsterInstance.from_config(str(dagster_home))


def _run_at_work(dagster_home, hosts, leased):
    """Return a run that imports one of these sessions, with the host whose process does; None where there is none."""
    with _instance(dagster_home) as instance:
        at_work = dg.RunsFilter(job_name="import_sessions", statuses=[dg.DagsterRunStatus.STARTED])
        for run in instance.get_runs(at_work):
            pid = _pid_of(instance, run.run_id)
            key = SessionKey.parse(run.tags["dagster/partition"])
            for host in hosts if key in leased else ():
                if pid is not None and host.has(pid):
                    return run.run_id, host
    return None


def _pid_of(instance, run_id):
    messages = "\n".join(entry.message for entry in instance.all_logs(run_id))
    found = re.findall(r"Started process for run \(pid: (\d+)\)", messages)
    return int(found[-1]) if found else None


def _is_complete(warehouse):
    states = dataset_states(warehouse, [SEASON], named(DATASETS.split(",")))
    done = (Status.PRESENT, Status.NOT_APPLICABLE)
    sessions = {state.key for state in states}
    return len(sessions) == 5 * RACES and not any(s.status not in done or s.is_to_be_computed for s in states)


def _is_at_rest(dagster_home):
    with _instance(dagster_home) as instance:
        return all(run.is_finished for run in instance.get_runs())


def _sessions_done(warehouse):
    return len({line.key for line in warehouse.extractions() if line.dataset == "laps"})


def _undisturbed(tmp_path):
    """Import the season on one machine."""
    settings = load_settings(
        home=tmp_path / "undisturbed",
        source="simulator",
        simulator=OPTIONS,
        quota=PLENTY,
        datasets=DATASETS,
        database_url=f"sqlite:///{tmp_path / 'undisturbed.db'}",
        lake_url=str(tmp_path / "undisturbed" / "lake"),
        archive_url=str(tmp_path / "undisturbed" / "archive"),
    )
    warehouse, transport = connect(settings), Transport(settings)
    import_season(SEASON, datasets=DATASETS.split(","), warehouse=warehouse, transport=transport)
    transport.close()
    return warehouse


@pytest.mark.timeout(3600)
def test_a_season_of_three_workers_survives_its_machines_and_equals_that_of_one(
    dagster_home, hosts, shared, connected, served, postgres, broker, tmp_path, capsys
):
    began, story = time.monotonic(), []

    def note(what):
        story.append(f"{what} {time.monotonic() - began:.0f} s")

    for host in hosts:
        host.start()
    expected, warehouse = _undisturbed(tmp_path), connect(load_settings())
    environment = {**shared, "F1_HOME": os.environ["F1_HOME"]}
    note("one machine had it after")
    with dagster_daemon(dagster_home, environment) as daemon, webserver(dagster_home, environment) as ui:
        at_work = []

        def is_at_work():
            at_work.append(_run_at_work(dagster_home, hosts, leased_sessions(warehouse)))
            return at_work[-1]

        wait_until(is_at_work, daemon, 600, "working", 0.1)
        killed, dead = at_work[-1]
        dead.signal(signal.SIGKILL)
        died_at = datetime.now(UTC)
        note("a worker died at")
        wait_until(lambda: _sessions_done(warehouse) >= RACES, daemon, 900, "a fifth of it", 0.5)
        postgres.stop()
        postgres.start()
        note("PostgreSQL was restarted at")
        wait_until(lambda: _sessions_done(warehouse) >= 2 * RACES, daemon, 900, "two fifths of it", 0.5)
        broker.stop()
        time.sleep(3)  # so long nobody reaches it: the outage itself, no wait for anything
        broker.start()
        note("Redis was back at")
        next(host for host in hosts if host is not dead).cut_off(CUT_OFF_SECONDS)
        note(f"another worker was {'frozen' if connected is None else 'cut off'} at")
        assert broker.password not in _process_list()
        wait_until(lambda: _sessions_done(warehouse) >= 5 * RACES, daemon, 1200, "imported", 0.5)
        note("the last session was there at")
        wait_until(lambda: _is_complete(warehouse) and _is_at_rest(dagster_home), daemon, 1200, "complete", 0.5)
        note("all was at rest at")
        # The UI shows all that is stored, also what a run stored that could not report it any more.
        stored = Counter(line.dataset for line in warehouse.extractions() if line.status is Status.PRESENT)
        wait_until(lambda: _shown(ui) == stored, daemon, 300, f"shown: {stored}", 5)
    with _instance(dagster_home) as instance:
        record = instance.get_run_record_by_id(killed)
        runs = instance.get_runs(dg.RunsFilter(job_name="import_sessions"))
    ended_after = record.end_time - died_at.timestamp()
    with capsys.disabled():
        requests = served.referee.report()["requests"]
        story.append(f"the killed run ended after {ended_after:.0f} s, {requests} requests")
        print(f"\n{5 * RACES} sessions by three workers: {'; '.join(story)}")

    # The dead worker's run was ended by its lease; how soon is tested with a clock of its own in test_lost_runs.py.
    assert record.dagster_run.status is dg.DagsterRunStatus.FAILURE
    # As on one machine, row for row.
    assert not leased_sessions(warehouse)
    lines = {(line.key, line.dataset): line for line in warehouse.extractions()}
    wanted = {(line.key, line.dataset): line for line in expected.extractions()}
    assert lines.keys() == wanted.keys()
    for identity, line in wanted.items():
        got = lines[identity]
        assert (got.status, got.rows, got.digest) == (line.status, line.rows, line.digest), identity
    for dataset in named(DATASETS.split(",")):
        for key in sorted({line.key for line in wanted.values() if line.dataset == dataset.name and line.rows}):
            assert warehouse.rows(dataset, key).equals(expected.rows(dataset, key)), (key, dataset.name)
    # No window was overfilled, and nothing asked for twice but what was on its way to a killed process, or came to one
    # of the workers while the database, which has the archive, was away.
    report = served.referee.report()
    assert report["refused"] == 0
    assert report["windows"][0]["peak"] <= LIMIT
    twice = {url: times for url, times in Counter(served.simulator.asked).items() if times > 1}
    assert sum(twice.values()) - len(twice) <= 1 + len(hosts), twice
    circuits = [url for url in served.simulator.asked if "circuits" in url]
    assert len(set(circuits)) == RACES
    # Every session was imported by a run to its end, however many were begun. A run that had stored all of it when it
    # was cut off from Dagster's database ends as failed, and nothing is left for another one.
    sessions = {str(key) for key, _ in wanted}
    succeeded = {run.tags["dagster/partition"] for run in runs if run.is_success}
    failed = {run.tags["dagster/partition"] for run in runs if run.status is dg.DagsterRunStatus.FAILURE}
    assert succeeded | failed == sessions
    assert len(sessions - succeeded) <= len(hosts)
    # No secret anywhere but in the broker's own memory and the environment.
    written = [path for path in tmp_path.rglob("*") if path.is_file() and "redis" not in path.parts]
    assert not [path for path in written if broker.password.encode() in path.read_bytes()]


def _shown(ui):
    """Return how many sessions the UI shows as materialized, by dataset."""
    nodes = ui.ask("{ assetNodes { assetKey { path } partitionStats { numMaterialized } } }")["assetNodes"]
    numbers = {node["assetKey"]["path"][0]: (node["partitionStats"] or {}).get("numMaterialized") for node in nodes}
    return {name: numbers[name] for name in DATASETS.split(",")}


def _process_list():
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found.append((entry / "cmdline").read_text())
            except OSError:
                continue
    return "\n".join(found)


@pytest.fixture
def lone(tmp_path, served, broker, monkeypatch):
    """A worker and the daemon on one machine, all else embedded: the smallest thing with a broker."""
    environment = {
        "F1_SOURCE": served.url,
        "F1_QUOTA": PLENTY,
        "F1_SEASONS": str(SEASON),
        "F1_DATASETS": "weather",
        "F1_BROKER_URL": broker.url,
        "F1_WORKERS": "1",
        "F1_AUTOSTART": "1",
    }
    host = Host("lone", tmp_path / "lone", environment)
    before, _, after = (tmp_path / "lone" / "dagster" / "dagster.yaml").read_text().partition("storage:\n")
    (tmp_path / "lone" / "dagster" / "dagster.yaml").write_text(before + after.partition("\n\n")[2])
    for name, value in host.environment.items():
        monkeypatch.setenv(name, value)
    upgrade_dagster(load_settings())
    connect(load_settings()).close()
    host.start()
    yield host
    host.stop()


@pytest.mark.timeout(1800)
def test_a_run_can_be_ended_and_a_worker_ends_after_its_run(lone, served):
    served.faults = Faults.parse("*=slow")
    home, warehouse = load_settings().dagster_home, connect(load_settings())

    def next_at_work(daemon, besides):
        found = []

        def look():
            at_work = _run_at_work(home, [lone], leased_sessions(warehouse))
            found.append(at_work[0] if at_work and at_work[0] not in besides else None)
            return found[-1]

        wait_until(look, daemon, 600, "at work", 0.1)
        return found[-1]

    def wait_for(run_id, status, process):
        with _instance(home) as instance:
            return wait_until(lambda: instance.get_run_by_id(run_id).status is status, process, 600, f"{status}", 0.2)

    with dagster_daemon(home, lone.environment) as daemon:
        ended = next_at_work(daemon, [])
        with _instance(home) as instance:
            assert instance.run_launcher.terminate(ended) is True
        wait_for(ended, dg.DagsterRunStatus.CANCELED, daemon)
        killed = next_at_work(daemon, [ended])
        with _instance(home) as instance:
            os.kill(_pid_of(instance, killed), signal.SIGKILL)
        wait_for(killed, dg.DagsterRunStatus.FAILURE, daemon)
        last = next_at_work(daemon, [ended, killed])
        lone.process.send_signal(signal.SIGTERM)
        assert lone.process.wait(timeout=120) == 0
        with _instance(home) as instance:
            assert instance.get_run_by_id(last).status is dg.DagsterRunStatus.SUCCESS
