"""Recovery from a crash: leases, requests on their way, and reservations."""

from datetime import UTC, datetime

import pytest
from filelock import FileLock
from sqlalchemy import update

from f1_assets.context import Context
from f1_assets.datasets import all_datasets
from f1_assets.errors import QuotaExhausted
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.importing.recovery import note_lost, recover
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.quota.ledger import InFlight, Ledger, Purpose
from f1_assets.quota.policies import policies_of
from f1_assets.warehouse import Status
from f1_assets.warehouse.leases import Leases, leased_sessions

KEY = SessionKey(2025, 1, "Q")
SIMULATED = "races=1,tests=0,sprints=0,laps=5,samples_every=40,drivers=4"
CIRCUIT = "https://api.multiviewer.app/api/v1/circuits/1/2025"
"""An answer that the sessions of a weekend share."""


@pytest.fixture
def after_a_crash(warehouse, served_transport):
    """An import that leased a session, set requests aside, sent one, and died."""
    refresh_calendar(2025, warehouse=warehouse, transport=served_transport)
    ledger = served_transport.ledger
    Leases(warehouse, "dead").take(KEY)
    context = Context(served_transport.settings, warehouse, served_transport)
    sign = context.settings.alive_folder / "dead.alive"
    sign.parent.mkdir()
    with FileLock(sign):
        pass
    reservation = ledger.reserve(Purpose(str(KEY)), {"any": 10})
    ledger.permit(CIRCUIT, Purpose(str(KEY), "laps", "the load that died", reservation=reservation))
    return context


def test_the_next_import_waits_for_nothing_that_the_dead_one_held(after_a_crash):
    context, warehouse, transport = after_a_crash, after_a_crash.warehouse, after_a_crash.transport
    another = Purpose("2025-01-R", "laps", "a load that lives")
    with pytest.raises(InFlight):
        transport.ledger.permit(CIRCUIT, another)
    used = transport.ledger.stats()[0].windows[0]
    assert recover(context) == [KEY]
    assert leased_sessions(warehouse) == set()
    transport.ledger.permit(CIRCUIT, another)
    now = transport.ledger.stats()[0].windows[0]
    # What was reserved is free, what was sent stays counted.
    assert (used.reserved, now.reserved, now.used) == (9, 0, used.used + 1)


def test_rows_that_the_dead_import_stored_and_did_not_judge_are_judged(after_a_crash):
    context, warehouse, transport = after_a_crash, after_a_crash.warehouse, after_a_crash.transport
    process_session_gap(SessionGap(KEY, ("results",)), warehouse=warehouse, transport=transport)
    results = all_datasets()["results"].table
    with warehouse.engine.begin() as connection:
        connection.execute(update(results).values(q1_ms=None, q2_ms=None, q3_ms=None))
    assert warehouse.extractions(KEY)[0].short_because is None
    recover(context)
    assert "has a time" in warehouse.extractions(KEY)[0].short_because


def test_an_import_that_lives_keeps_what_it_holds(after_a_crash):
    context, warehouse, transport = after_a_crash, after_a_crash.warehouse, after_a_crash.transport
    with FileLock(context.settings.alive_folder / "dead.alive"):
        assert recover(context) == []
    assert leased_sessions(warehouse) == {KEY}
    with pytest.raises(InFlight):
        transport.ledger.permit(CIRCUIT, Purpose("2025-01-R", "laps", "a load that lives"))


def test_what_a_dead_import_sent_counts_as_late_as_it_can_have_arrived(warehouse):
    clock = [1_000_000]
    policies = policies_of("any=1/10s", reaches_real_services=False)
    ledger = Ledger(warehouse.engine, policies, clock=lambda: clock[0], longest_request_ms=5_000)
    ledger.permit(CIRCUIT, Purpose(str(KEY), "laps", "died"))
    ledger.abandon(str(KEY))
    clock[0] += 14_000
    with pytest.raises(QuotaExhausted):
        ledger.permit(CIRCUIT, wait_seconds=0)
    clock[0] += 1_001
    ledger.permit(CIRCUIT, wait_seconds=0)


def test_a_session_that_takes_its_process_with_it_fails_and_has_its_next_try(after_a_crash):
    warehouse = after_a_crash.warehouse
    lines = note_lost(SessionGap(KEY, ("laps", "weather")), warehouse, 3)
    assert [(line.dataset, line.status, line.error_class) for line in lines] == [
        ("laps", Status.FAILED, "TransientError"),
        ("weather", Status.FAILED, "TransientError"),
    ]
    assert "killed 3 times in a row. Is there too little memory?" in lines[0].reason
    assert all(line.next_try_at > datetime.now(UTC) for line in lines)
