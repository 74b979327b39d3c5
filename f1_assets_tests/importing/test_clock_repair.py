"""`f1-assets quota repair-clock`: mends what a wrong clock wrote, and says what."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import insert, select, update

from f1_assets.datasets import all_datasets
from f1_assets.errors import QuotaExhausted
from f1_assets.health.clock_health import clock_part
from f1_assets.health.parts import Condition
from f1_assets.importing.calendar import stale_seasons
from f1_assets.importing.clock_repair import repair_clock
from f1_assets.keys import SessionKey
from f1_assets.quota.ledger import Ledger, Purpose
from f1_assets.quota.policies import policies_of
from f1_assets.settings import load_settings
from f1_assets.warehouse import Extraction, Status, leases
from f1_assets.warehouse.models import (
    amendments,
    extractions,
    quota_clock,
    quota_closures,
    quota_reservations,
    seasons,
    session_claims,
    upstream_request_hours,
    upstream_requests,
)
from f1_assets_tests.quota.machine import Machine
from f1_assets_tests.warehouse.seasons import a_season, store

LIVE = "https://livetiming.formula1.com/static/2024/x"
KEY = SessionKey(2024, 1, "R")
YEARS = timedelta(days=3650)
POLICIES = policies_of("any=2/1h", reaches_real_services=False)


@pytest.fixture
def machine():
    return Machine()


def _now(machine):
    return datetime.fromtimestamp(machine.wall_ms / 1000, UTC)


def _written_by_a_clock_ahead(warehouse, at):
    ahead_ms = int(at.timestamp() * 1000)
    warehouse.note(Extraction(KEY, "laps", Status.FAILED, reason="HTTP 500", error_class="TransientError"))
    frame = pd.DataFrame({"session_time_ms": [1]})
    warehouse.replace(KEY, all_datasets()["weather"], frame)
    session = {"season": 2024, "round": 1, "session": "R"}
    with warehouse.engine.begin() as connection:
        x = extractions.c
        connection.execute(update(extractions).values(tried_at=at))
        connection.execute(update(extractions).where(x.dataset == "weather").values(extracted_at=at))
        connection.execute(update(extractions).where(x.dataset == "laps").values(next_try_at=at))
        connection.execute(update(seasons).values(refreshed_at=at))
        connection.execute(insert(session_claims).values(**session, owner="gone", expires_at=at))
        connection.execute(insert(amendments).values(**session, dataset="results", row_key="entry=1", changed_at=at))
        connection.execute(insert(quota_closures).values(policy="any", until_ms=ahead_ms, reason="HTTP 429"))
        connection.execute(
            insert(quota_reservations).values(
                id="gone", policy="any", requests_left=2, session_key="2024-01-R", expires_at_ms=ahead_ms
            )
        )
        hour = {"policy": "any", "host": "h", "status": 200, "bytes": 10}
        this_hour = at - YEARS
        this_hour = this_hour.replace(minute=0, second=0, microsecond=0)
        rows = [
            {**hour, "hour_utc": this_hour, "requests": 1},
            {**hour, "hour_utc": this_hour + YEARS, "requests": 2},
        ]
        connection.execute(insert(upstream_request_hours), rows)


def test_what_a_clock_far_ahead_wrote_is_mended_and_named(warehouse, machine):
    store(warehouse, a_season())
    # One clock that alone counts, as a server's: all that it wrote ahead is there to be mended.
    ledger = Ledger(warehouse.engine, POLICIES, lambda: machine.wall_ms, machine.sleep)
    ledger.settle(ledger.permit(LIVE), 200, 1, 1.0)
    _written_by_a_clock_ahead(warehouse, _now(machine) + YEARS)
    repair = repair_clock(warehouse, ledger)
    now = _now(machine)
    assert {change.table: change.rows for change in repair.changes} == {
        "quota_reservations": 1,
        "quota_closures": 1,
        "upstream_request_hours": 1,
        "extractions": 2,
        "amendments": 1,
        "seasons": 1,
        "session_claims": 1,
    }
    lines = {line.dataset: line for line in warehouse.extractions(KEY)}
    assert (lines["laps"].tried_at, lines["laps"].next_try_at) == (now, now)
    assert (lines["weather"].extracted_at, lines["weather"].rows, lines["weather"].next_try_at) == (now, 1, None)
    with warehouse.engine.connect() as connection:
        assert connection.execute(select(upstream_request_hours.c.requests)).scalars().all() == [3]
        assert connection.execute(select(session_claims.c.expires_at)).scalar() == now + leases.LASTS
        assert connection.execute(select(seasons.c.refreshed_at)).scalar() == now
    assert repair_clock(warehouse, ledger).changes == ()
    assert ledger.stats()[0].closed_until is None


def test_a_jump_is_said_in_health_until_the_clock_is_repaired(sqlite_warehouse, machine, monkeypatch):
    settings = load_settings(home="unused", source="simulator", quota="any=2/1h")
    monkeypatch.setattr("f1_assets.quota.ledger.read_machine_clocks", machine)
    ledger = Ledger(sqlite_warehouse.engine, POLICIES)
    for _ in range(2):
        ledger.settle(ledger.permit(LIVE), 200, 1, 1.0)
    assert clock_part(sqlite_warehouse, settings).condition is Condition.OK
    machine.set_clock(61 * 60)
    part = clock_part(sqlite_warehouse, settings)
    assert (part.condition, "jumped ahead by 1 h 1 min" in part.reason) == (Condition.WARNING, True)
    assert "quota repair-clock" in part.what_to_do
    with pytest.raises(QuotaExhausted):
        ledger.permit(LIVE, wait_seconds=0)
    assert "jumped ahead by 1 h 1 min" in clock_part(sqlite_warehouse, settings).reason
    machine.set_clock(-2 * 3600)
    with pytest.raises(QuotaExhausted):
        ledger.permit(LIVE, wait_seconds=0)
    assert "jumped back by 2 h" in clock_part(sqlite_warehouse, settings).reason
    assert [change.table for change in repair_clock(sqlite_warehouse, ledger).changes] == ["quota_clock"]
    assert clock_part(sqlite_warehouse, settings).condition is Condition.OK
    with pytest.raises(QuotaExhausted):
        ledger.permit(LIVE, wait_seconds=0)


def test_requests_that_a_server_counts_ahead_of_its_clock_are_said_and_moved_back(warehouse, machine):
    settings = load_settings(home="unused", source="simulator", quota="any=2/1h")
    ledger = Ledger(warehouse.engine, POLICIES, lambda: machine.wall_ms, machine.sleep)
    for _ in range(2):
        ledger.settle(ledger.permit(LIVE), 200, 1, 1.0)
    machine.set_clock(-1800)
    assert ledger.clock_state().ahead_ms == 1_800_000
    repair = repair_clock(warehouse, ledger)
    assert [change.table for change in repair.changes] == ["upstream_requests", "quota_clock"]
    with warehouse.engine.connect() as connection:
        assert connection.execute(select(quota_clock.c.latest_ms)).scalar() == machine.wall_ms
        counted = connection.execute(select(upstream_requests.c.counted_at_ms)).scalars().all()
    assert all(abs(at - machine.wall_ms) < 10 for at in counted)
    with pytest.raises(QuotaExhausted):
        ledger.permit(LIVE, wait_seconds=0)
    assert ledger.clock_state().ahead_ms == 0
    assert clock_part(warehouse, settings).name == "clock"


def test_records_of_the_future_are_said_in_health(sqlite_warehouse):
    settings = load_settings(home="unused", source="simulator")
    store(sqlite_warehouse, a_season())
    sqlite_warehouse.note(Extraction(KEY, "laps", Status.FAILED, reason="HTTP 500"))
    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(update(extractions).values(tried_at=datetime(2999, 1, 1, tzinfo=UTC)))
    part = clock_part(sqlite_warehouse, settings)
    assert (part.condition, part.reason.startswith("1 record")) == (Condition.WARNING, True)


def test_a_calendar_that_a_clock_ahead_dated_is_refreshed(sqlite_warehouse):
    store(sqlite_warehouse, a_season(), "live")
    now = datetime(2024, 6, 1, tzinfo=UTC)
    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(update(seasons).values(refreshed_at=now + YEARS))
    assert stale_seasons(sqlite_warehouse, [2024], "live", timedelta(hours=1), now) == [2024]


def test_a_lease_of_the_future_ends_as_soon_as_any_does(warehouse, tmp_path):
    store(warehouse, a_season())
    with warehouse.engine.begin() as connection:
        connection.execute(
            insert(session_claims).values(
                season=2024, round=1, session="R", owner="elsewhere", expires_at=datetime(2999, 1, 1, tzinfo=UTC)
            )
        )
    assert leases.free_leases_of_the_dead(warehouse, tmp_path) == []
    with warehouse.engine.connect() as connection:
        expires_at = connection.execute(select(session_claims.c.expires_at)).scalar_one()
    assert not leases.Leases(warehouse).take(KEY, now=expires_at - timedelta(seconds=1))
    assert leases.Leases(warehouse).take(KEY, now=expires_at + timedelta(seconds=1))


def test_a_session_reserved_by_a_clock_ahead_is_not_reserved_for_ever(sqlite_warehouse, machine):
    ledger = Ledger(sqlite_warehouse.engine, POLICIES, machine, machine.sleep)
    machine.set_clock(YEARS.total_seconds())
    ledger.reserve(Purpose("2024-01-R"), {"any": 2})
    machine.set_clock(-YEARS.total_seconds())
    machine.sleep(601)
    assert ledger.permit(LIVE, wait_seconds=0)
