"""A season becomes complete by the gap sensor alone, and again after it has changed, at no more than its cost."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import pytest
from sqlalchemy import create_engine, make_url, text, update

from f1_assets.connection import connect, connect_as_it_is
from f1_assets.datasets import all_datasets, named, season_datasets_named
from f1_assets.defs.instance import make_databases
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.planning.season_states import season_states
from f1_assets.settings import load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.calendar import events_of
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.schedules import schedule, season_index
from f1_assets.simulator.server import SimulatorServer
from f1_assets.simulator.service import SimulatedResponse
from f1_assets.warehouse import Status
from f1_assets.warehouse.leases import leased_sessions
from f1_assets.warehouse.models import seasons
from f1_assets_tests.conftest import PLENTY, on_each_database_side_by_side
from f1_assets_tests.e2e.daemon import dagster_daemon, stop, wait_until
from f1_assets_tests.fetch.planned import planned, requests_of, weekend

pytestmark = pytest.mark.long

SEASON = 2025
RACES = int(os.environ.get("F1_TEST_RACES", "2"))
"""10 sessions, for time is short; F1_TEST_RACES=24 is a whole season of 120."""

LATE = SessionKey(SEASON, {2: 1, 3: 2}.get(RACES, 3), "FP3")
"""It is announced late, in a weekend that has ended; of four the second has a sprint, and no FP3."""
LOST = {1: "weather", 2: "laps"} if RACES > 2 else {1: "weather"}
"""Of these rounds, which have ended, a dataset is lost."""
FEW = ("weather", "laps", "results", "stints")
"""What is kept on SQLite, for time is short; on PostgreSQL it is everything."""

DEPLOYED = Path(__file__).parents[2] / "deploy" / "postgres" / "dagster.yaml"


HELD_SECONDS = 30.0
"""No answer is held for longer: twice as long is a time-out."""


class _ChangingSeason(Simulator):
    """A season of which one session is announced late, and the last race weekend is still to come.

    While `answers` is not set, timing data are held back, so that a session stays at work until somebody has seen it.
    """

    def __init__(self):
        self.options = SimulatorOptions.parse(
            f"races={RACES},sprints={RACES // 4},tests=0,laps=5,samples_every=20,drivers=4"
        )
        self.is_early = True
        self.answers = threading.Event()
        super().__init__(self.options)

    def respond(self, url):
        path = urlsplit(url).path
        if path.endswith("TimingData.jsonStream"):
            self.answers.wait(HELD_SECONDS)
        if not self.is_early or not (path.endswith(f"schedule_{SEASON}.json") or path.endswith("Index.json")):
            return super().respond(url)
        events = [_as_it_was(event) for event in events_of(SEASON, self.options)]
        body = schedule(events) if "schedule" in path else season_index(SEASON, events)
        return SimulatedResponse(200, {"content-type": "application/json"}, body)


def _as_it_was(event):
    if event.round == LATE.round:
        return replace(event, sessions=tuple(s for s in event.sessions if s.session_id != LATE.session))
    if event.round == RACES:
        later = timedelta(weeks=200)
        return replace(
            event,
            last_day=event.last_day + later,
            sessions=tuple(
                replace(s, start_local=s.start_local + later, start_utc=s.start_utc + later, end_utc=s.end_utc + later)
                for s in event.sessions
            ),
        )
    return event


@pytest.fixture(params=on_each_database_side_by_side("season"))
def database(request):
    return request.param


@pytest.fixture
def served():
    referee = Referee([("any", 10**9, 1)])
    server = SimulatorServer(("127.0.0.1", 0), _ChangingSeason(), referee)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def machine(request, database, tmp_path, served, monkeypatch):
    """The environment of a machine: all embedded, or all on PostgreSQL as deploy/postgres has it."""
    environment = {
        "F1_HOME": str(tmp_path / "home"),
        "F1_SOURCE": served.url,
        "F1_QUOTA": PLENTY,
        "F1_SEASONS": str(SEASON),
        "F1_WORKERS": "2",
    }
    if database == "sqlite":
        environment["F1_DATASETS"] = ",".join(FEW)
    dagster_home = tmp_path / "dagster"
    dagster_home.mkdir()
    config = files("f1_assets.defs").joinpath("dagster.yaml").read_text()
    if database == "postgresql":
        url = make_url(request.getfixturevalue("postgres_url")).set(drivername="postgresql+psycopg2")
        database = url.render_as_string(hide_password=False)
        with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("CREATE SCHEMA dagster"))
        environment |= {
            "F1_DATABASE_URL": database,
            "DAGSTER_POSTGRES_URL": url.update_query_dict({"options": "-csearch_path=dagster"}).render_as_string(
                hide_password=False
            ),
        }
        config = DEPLOYED.read_text()
    (dagster_home / "dagster.yaml").write_text(config)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    if settings.database_url is not None:
        connect_as_it_is(settings).upgrade()
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        make_databases(instance)
    # Without the schedules: where the day begins meanwhile, they fetch the calendar once more.
    command = [sys.executable, "-m", "dagster", "sensor", "start", "gap_detection", "-m", "f1_assets.definitions"]
    done = subprocess.run(
        command, env={**os.environ, "DAGSTER_HOME": str(dagster_home)}, capture_output=True, text=True
    )
    assert "Started sensor gap_detection" in done.stdout, done.stderr
    yield dagster_home, environment, connect(settings)


def _is_complete(warehouse, sessions):
    kept = load_settings().datasets
    states = dataset_states(warehouse, [SEASON], named(kept))
    upcoming = {state.key for state in states if state.status is Status.UPCOMING}
    ended = {state.key for state in states} - upcoming
    states += season_states(warehouse, [SEASON], season_datasets_named(kept))
    done = (Status.PRESENT, Status.NOT_APPLICABLE, Status.UPCOMING)
    return len(ended) == sessions and not any(state.status not in done or state.is_to_be_computed for state in states)


def _is_at_rest(dagster_home):
    """Check whether all runs have ended, and those that were killed have been started again."""
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        runs = instance.get_runs()
    again = {run.parent_run_id for run in runs}
    return all(
        run.is_finished and (run.tags.get("dagster/will_retry") != "true" or run.run_id in again) for run in runs
    )


@pytest.mark.timeout(5400)
def test_a_season_becomes_complete_by_the_sensor_alone_and_again_at_no_more_than_its_cost(machine, served, capsys):
    dagster_home, environment, warehouse = machine
    sessions, killed = 5 * RACES, []

    def is_done(count):
        return _is_complete(warehouse, count) and _is_at_rest(dagster_home)

    with dagster_daemon(dagster_home, environment) as daemon:
        # Killed with the runs that it has at work: the next daemon finds them out, and goes on.
        wait_until(lambda: leased_sessions(warehouse), daemon, 900, "begun")
        stop(daemon, signal.SIGKILL)
    with dagster_daemon(dagster_home, environment) as daemon:
        wait_until(lambda: killed.append(_kill_a_run(dagster_home)) or killed[-1], daemon, 900, "at work")
        served.simulator.answers.set()
        took = wait_until(lambda: is_done(sessions - 6), daemon, 3000, "complete")
    first = served.referee.report()["requests"]
    with capsys.disabled():
        print(f"\n{sessions - 6} sessions in {took:.0f} s, {first} requests")

    # Rows are deleted, a session is added to the calendar, and the last race weekend has taken place.
    with warehouse.engine.begin() as connection:
        for number, name in LOST.items():
            table = all_datasets()[name].table
            connection.execute(table.delete().where(table.c.round == number))
            connection.execute(
                text("DELETE FROM extractions WHERE dataset = :name AND round = :round"),
                {"name": name, "round": number},
            )
        connection.execute(update(seasons).values(refreshed_at=datetime.now(UTC) - timedelta(days=2)))
    served.simulator.is_early = False
    with dagster_daemon(dagster_home, environment) as daemon:
        wait_until(lambda: is_done(sessions), daemon, 1500, "complete again")
    again = served.referee.report()["requests"] - first
    # The calendar takes 2. What was deleted is in the archive. Of the late practice the driver results and the circuit
    # of its weekend are there.
    one_weekend = weekend(2025)
    kept = [dataset.name for dataset in named(load_settings().datasets)]
    others = planned(*one_weekend[:2], *one_weekend[3:], datasets=kept)
    of_late_practice = len(planned(*one_weekend, datasets=kept) - others)
    assert again == 2 + 0 + of_late_practice + requests_of(*one_weekend, datasets=kept)
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        runs = instance.get_runs(dg.RunsFilter(job_name="import_sessions"))
    of_session = {run.run_id: SessionKey.parse(run.tags["dagster/partition"]) for run in runs}
    # The run whose process was killed was found out, and its session taken up again.
    assert killed[-1] in [run.run_id for run in runs if run.status is dg.DagsterRunStatus.FAILURE]
    # One run a session that comes to its end, one more for each whose rows were deleted.
    succeeded = Counter(of_session[run.run_id] for run in runs if run.is_success)
    assert succeeded == {key: 1 + (key.round in LOST and key != LATE) for key in of_session.values()}
    assert len(succeeded) == sessions


def _kill_a_run(dagster_home):
    """Kill the process of a run that is at work; give the run, or None where there is none."""
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        at_work = dg.RunsFilter(job_name="import_sessions", statuses=[dg.DagsterRunStatus.STARTED])
        for run in instance.get_runs(at_work):
            messages = [entry.message for entry in instance.all_logs(run.run_id)]
            found = [re.search(r"\(pid: (\d+)\)", message) for message in messages]
            processes = [int(match[1]) for match in found if match]
            command = _command_of(processes[-1]) if processes else ""
            if not command:
                continue  # it has come to its end meanwhile
            with contextlib.suppress(ProcessLookupError):
                os.kill(processes[-1], signal.SIGKILL)
            while _command_of(processes[-1]):
                time.sleep(0.01)
            if instance.get_run_by_id(run.run_id).is_success:
                continue
            # Nothing is imported again for it: what `dagster_private` changes is still what Dagster uses.
            assert "forkserver" in command
            return run.run_id
    return None


def _command_of(process):
    """Return the command of a process; an empty one where it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""
