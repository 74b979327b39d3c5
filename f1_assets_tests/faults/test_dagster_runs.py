"""Faults in a Dagster run: what is materialized, what is failed, and what the next run does."""

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import update

from f1_assets.connection import connect
from f1_assets.fetch.process import transport_for
from f1_assets.importing import refresh_calendar
from f1_assets.settings import process_settings
from f1_assets.warehouse import Status
from f1_assets.warehouse.models import session_claims, upstream_requests
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.faults.disks import strike_in_the_middle
from f1_assets_tests.faults.struck import ALL, RACE, SIMULATOR
from f1_assets_tests.fetch.server import services, status

pytestmark = pytest.mark.long

RUN = """
from f1_assets.defs.runs import run_session
from f1_assets.planning import SessionGap
from f1_assets_tests.faults.disks import strike_in_the_middle
from f1_assets_tests.faults.struck import ALL, RACE
run_session(SessionGap(RACE, ALL))
"""


@pytest.fixture
def served(monkeypatch, tmp_path):
    """F1's services on loopback, as the environment of Dagster's runs names them; the calendar is there."""
    with services(SIMULATOR) as running:
        for name, value in {"HOME": str(tmp_path / "home"), "SOURCE": running.url, "QUOTA": PLENTY}.items():
            monkeypatch.setenv(f"F1_{name}", value)
        process_settings.cache_clear()
        refresh_calendar(RACE.season)
        running.asked.clear()
        yield running
        transport_for(process_settings()).close()
        os.environ.pop("DAGSTER_HOME", None)


def run(*datasets):
    from f1_assets.defs.runs import run_session
    from f1_assets.planning import SessionGap

    return run_session(SessionGap(RACE, datasets or ALL))


def is_materialized(name):
    from f1_assets.defs.instance import dagster_instance

    return str(RACE) in dagster_instance(process_settings()).get_materialized_partitions(dg.AssetKey(name))


def test_a_feed_that_fails_fails_its_own_output(served, found):
    served.faults["WeatherData"] = status(500)
    outcome = run().outcome
    assert outcome.failed == ("weather",)
    assert not is_materialized("weather")
    assert all(is_materialized(name) for name in ALL if name != "weather")
    served.faults.clear()
    served.asked.clear()
    assert run("weather").outcome.extracted == ("weather",)
    assert is_materialized("weather")
    assert [url.rsplit("/", 1)[1] for url in served.asked] == ["WeatherData.jsonStream"]
    found(
        "HTTP 500",
        "Dagster run",
        "the outputs that need the feed are failed, all others are materialized",
        "of the failed outputs, asks for the lost feed alone",
    )


def test_a_refused_account_blocks_what_needs_it(served, found):
    served.faults["livetiming.formula1.com"] = status(403)
    outcome = run("weather", "laps", "circuit").outcome
    blocked = {line.dataset for line in outcome.datasets if line.status is Status.BLOCKED_AUTH}
    assert blocked == {"weather", "laps", "circuit"}
    assert not any(is_materialized(name) for name in blocked)
    before = set(served.asked)
    served.faults.clear()
    served.asked.clear()
    assert run("weather", "laps", "circuit").outcome.failed == ()
    feeds = {url for url in before if "//livetiming.formula1.com" in url and not url.endswith("Index.json")}
    assert feeds
    assert feeds <= set(served.asked)
    assert all(is_materialized(name) for name in blocked)
    found(
        "HTTP 403",
        "Dagster run",
        "the outputs that need live timing are `blocked_auth`, and the run fails",
        "asks for what was refused, and completes it",
    )


def test_a_disk_that_fills_up_in_a_run_leaves_what_was_materialized(served, disk, monkeypatch, found):
    from f1_assets.fetch import process

    # Requests are counted elsewhere, to see what a full disk does when rows are stored.
    ledger = process.ledger_of(process_settings())
    monkeypatch.setenv("F1_DATABASE_URL", f"sqlite:///{disk.folder}/warehouse.db")
    process_settings.cache_clear()
    refresh_calendar(RACE.season)
    monkeypatch.setattr(transport_for(process_settings()), "ledger", ledger)
    strike_in_the_middle(monkeypatch, disk.fill)
    failed = run()
    assert "The disk is full; nothing was changed." in failed.error
    stored = {line.dataset for line in failed.outcome.datasets}
    assert {"drivers", "car_telemetry"} <= stored
    assert "laps" not in stored
    assert {name for name in ALL if is_materialized(name)} == stored
    disk.free()
    served.asked.clear()
    again = run(*(name for name in ALL if name not in stored))
    assert again.error is None
    assert again.outcome.failed == ()
    assert all(is_materialized(name) for name in ALL)
    assert served.asked == []
    found(
        "disk full",
        "Dagster run",
        "what was materialized is stored; the run fails with one clear error, and an import stops",
        "goes on; what the archive has is not asked for again",
    )


def test_a_database_that_is_held_fails_the_run_with_what_to_do(served, found, monkeypatch):
    from f1_assets.warehouse import engine

    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 50)
    other = sqlite3.connect(process_settings().home / "warehouse.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    failed = run()
    assert "stayed locked" in failed.error
    assert served.asked == []
    other.execute("ROLLBACK")
    other.close()
    assert run().outcome.failed == ()
    found(
        "locked by another program",
        "Dagster run",
        "after 30 s of waiting the run fails with one clear error; nothing is materialized that is not stored",
        "goes on",
    )


def test_a_run_that_is_killed_is_completed_by_the_next(served, found):
    root = str(Path(__file__).parents[2])
    killed = subprocess.Popen([sys.executable, "-c", RUN], cwd=root, env={**os.environ, "PYTHONPATH": root})
    served.faults["TimingData"] = lambda answer: os.kill(killed.pid, signal.SIGKILL) or answer
    assert killed.wait(timeout=120) == -signal.SIGKILL
    served.faults.clear()
    before = list(served.asked)
    served.asked.clear()
    warehouse = connect()
    with warehouse.engine.begin() as connection:  # a minute and a half later
        connection.execute(update(session_claims).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
        connection.execute(update(upstream_requests).values(counted_at_ms=0))
    completed = run()
    assert completed.error is None
    assert completed.outcome.failed == ()
    assert all(is_materialized(name) for name in ALL)
    again = set(served.asked) & set(before)
    assert {url.rsplit("/", 1)[1] for url in again} <= {"TimingData.jsonStream"}
    warehouse.close()
    found(
        "SIGKILL",
        "Dagster run",
        "what was materialized is stored, of the rest nothing; the session's lease ends after 90 s",
        "asks for the one answer again that was on its way",
    )
