"""The quota through Dagster's real daemon, queue and webserver, and through the command, watched by the referee."""

import json
import os
import subprocess
import sys
import threading

import pytest
from sqlalchemy import create_engine, update

from f1_assets.connection import connect_as_it_is
from f1_assets.datasets import all_datasets, extracted_datasets
from f1_assets.defs.instance import dagster_instance
from f1_assets.planning import dataset_states
from f1_assets.settings import load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.server import SimulatorServer
from f1_assets.warehouse import Status
from f1_assets.warehouse.models import upstream_requests
from f1_assets_tests.e2e.dagster_ui import dagster_ui
from f1_assets_tests.fetch.planned import requests_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

SESSIONS = [f"2025-01-{session}" for session in ("FP1", "FP2", "FP3")]
NEEDED = 2 + requests_of(*SESSIONS[:2])
"""Requests that the calendar and two sessions take."""

LIMIT = NEEDED + 5
"""Requests an hour: two sessions fit, also where a connection breaks, and three do not. A test ends the hour."""

HOUR_MS = 3_600_000

ONLY = ["--round", "1", *(word for key in SESSIONS for word in ("--session", key.rpartition("-")[2]))]
LAUNCH = """
mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
STATE = """
{ runsOrError { ... on Runs { results { jobName status allPools tags { key value } } } }
  instance { concurrencyLimits { concurrencyKey limit } } }
"""
TICK = """
{ sensorOrError(sensorSelector: {repositoryName: "__repository__", repositoryLocationName: "%s",
    sensorName: "quota_governor"}) {
  ... on Sensor { sensorState { status ticks(limit: 30) { status skipReason } } } } }
"""


@pytest.fixture
def served():
    """The simulated season as a server that counts."""
    referee = Referee([("any", 10**9, 1)])
    server = SimulatorServer(
        ("127.0.0.1", 0), Simulator(SimulatorOptions.parse("laps=6,samples_every=20,drivers=4")), referee
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def environment(served):
    """A small quota."""
    return {"F1_SOURCE": served.url, "F1_QUOTA": f"any={LIMIT}/1h;jolpica=100/1s", "F1_WORKERS": "2"}


def _command(home, environment, *arguments):
    return subprocess.run(
        [sys.executable, "-c", "from f1_assets.cli import main; main()", *arguments],
        env={**os.environ, "F1_HOME": str(home), **environment},
        cwd=home.parent,
        capture_output=True,
        text=True,
    )


def _started(home, environment, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", "from f1_assets.cli import main; main()", *arguments],
        env={**os.environ, "F1_HOME": str(home), **environment},
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _an_hour_later(home):
    """Let all requests so far be an hour older, so that they count no more."""
    with create_engine(f"sqlite:///{home / 'warehouse.db'}").begin() as connection:
        columns = (upstream_requests.c.permitted_at_ms, upstream_requests.c.counted_at_ms)
        connection.execute(update(upstream_requests).values({column: column - HOUR_MS for column in columns}))


def _assert_complete(home, datasets):
    warehouse = connect_as_it_is(load_settings(home=home))
    states = [state for state in dataset_states(warehouse, [2025]) if str(state.key) in SESSIONS]
    warehouse.close()
    found = {state.status for state in states if state.dataset in datasets}
    assert found <= {Status.PRESENT, Status.NOT_APPLICABLE}
    assert {str(state.key) for state in states} == set(SESSIONS)


def test_rate_limit_pause_resume(tmp_path, served, environment):
    home = tmp_path / "home"
    assert _command(home, environment, "calendar", "2025").returncode == 0
    with dagster_instance(load_settings(home=home)) as instance:
        instance.add_dynamic_partitions("f1_session", SESSIONS)
    os.environ.pop("DAGSTER_HOME", None)
    # One at a time: the second has reserved what it needs before the third is looked at.
    with dagster_ui(home, **{**environment, "F1_WORKERS": "1"}) as ui:
        params = {
            "assetSelection": [{"path": [dataset]} for dataset in extracted_datasets()],
            "partitionNames": SESSIONS,
        }
        launched = ui.ask(LAUNCH, params=params)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched

        def waits():
            """Return what runs wait for, once two sessions are loaded and the pool is closed while some wait.

            The pool also closes while a session that will use up the limit is still at work.
            """
            if served.referee.report()["requests"] < NEEDED:
                return None
            state = ui.ask(STATE)
            runs = state["runsOrError"]["results"]
            limits = {pool["concurrencyKey"]: pool["limit"] for pool in state["instance"]["concurrencyLimits"]}
            tags = {tag["value"] for run in runs for tag in run["tags"] if tag["key"] == "f1_assets/waiting_for"}
            is_paused = limits.get("fastf1_api") == 0 and any(run["status"] == "QUEUED" for run in runs)
            return tags if is_paused and any(tag.startswith("quota, until ") for tag in tags) else None

        ui.wait(waits, seconds=1500)
        assert NEEDED <= served.referee.report()["requests"] <= LIMIT

        def is_explained():
            """Check whether the governor says when the import resumes; its tick is stored after what it does."""
            governor = ui.ask(TICK % "f1_assets.definitions")["sensorOrError"]["sensorState"]
            assert governor["status"] == "RUNNING"
            return any("it resumes at" in (tick["skipReason"] or "") for tick in governor["ticks"])

        ui.wait(is_explained, seconds=600)
        _an_hour_later(home)

        def ended():
            runs = ui.ask(STATE)["runsOrError"]["results"]
            is_over = all(run["status"] in ("SUCCESS", "FAILURE", "CANCELED") for run in runs)
            return runs if len(runs) == len(SESSIONS) and is_over else None

        runs = ui.wait(ended, seconds=1500)
    assert [run["status"] for run in runs] == ["SUCCESS"] * len(SESSIONS)
    assert all(run["allPools"] == ["fastf1_api"] for run in runs)
    _assert_complete(home, extracted_datasets())


def test_import_with_rate_limit(tmp_path, served, environment):
    home = tmp_path / "home"
    importing = _started(home, environment, "import", "2025", *ONLY, "--json")
    said = []
    while not any("Paused before 2025-01-" in line for line in said) or "".join(said).count("success") < 2:
        said.append(importing.stderr.readline())
        assert said[-1], f"it ended without a pause: {said}"
    assert NEEDED <= served.referee.report()["requests"] <= LIMIT
    _an_hour_later(home)
    out, err = importing.communicate(timeout=900)
    assert importing.returncode == 0, err
    summary = json.loads(out)
    assert (summary["processed"], summary["succeeded"]) == (3, 3)
    assert summary["paused_seconds"] > 0
    # A request whose connection broke before it arrived counts too.
    assert served.referee.report()["requests"] <= summary["requests"] <= NEEDED + 16
    _assert_complete(home, all_datasets())


def test_an_import_that_may_not_wait_stops_with_3_and_goes_on_when_called_again(tmp_path, served, environment):
    home = tmp_path / "home"
    done = _command(home, environment, "import", "2025", *ONLY, "--no-wait", "--json")
    assert done.returncode == 3
    summary = json.loads(done.stdout)
    assert 0 < summary["processed"] < 3
    assert "It is back at" in done.stderr
    _an_hour_later(home)
    again = _command(home, environment, "import", "2025", *ONLY, "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["processed"] == 3 - summary["processed"]


def test_a_reserved_request_is_not_taken_by_a_notebook_beside_the_import(tmp_path, served, environment, monkeypatch):
    from f1_assets.errors import QuotaExhausted
    from f1_assets.quota.ledger import Purpose
    from f1_assets.quota.rate_limit import ledger_of

    settings = load_settings(home=tmp_path / "home", source=served.url, quota=environment["F1_QUOTA"])
    ledger = ledger_of(settings)
    reservation = ledger.reserve(Purpose("2025-01-R"), {"any": LIMIT - 1})
    ledger.permit("https://livetiming.formula1.com/notebook", wait_seconds=0)
    with pytest.raises(QuotaExhausted):
        ledger.permit("https://livetiming.formula1.com/notebook", wait_seconds=0)
    ledger.release(reservation)
    ledger.permit("https://livetiming.formula1.com/notebook", wait_seconds=0)
