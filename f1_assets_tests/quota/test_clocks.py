"""The quota under clocks that jump: counted beside a service that counts by itself, in a time that nobody can set."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlalchemy import insert, select, update

from f1_assets.errors import QuotaExhausted
from f1_assets.quota.clocks import LastLook, Reading, look, read_machine_clocks
from f1_assets.quota.ledger import Ledger, Purpose
from f1_assets.quota.policies import policies_of
from f1_assets.simulator import Simulator
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.server import SimulatorServer
from f1_assets.warehouse.models import quota_clock, upstream_requests
from f1_assets_tests.quota.machine import Machine

LIVE = "https://livetiming.formula1.com/static/2024/x"
HOUR, MINUTE, DAY, YEAR = 3600, 60, 86_400, 365 * 86_400
LIMIT = 20


class Service:
    """Lets a ledger ask as often as it may, and counts what arrives."""

    def __init__(self, engine, machine, clock=None):
        self.machine = machine
        self.referee = Referee([("any", LIMIT, HOUR)], clock=lambda: machine.true_ms / 1000)
        policies = policies_of(f"any={LIMIT}/1h;jolpica=1000/1h", reaches_real_services=False)
        self.ledger = Ledger(engine, policies, clock or machine, machine.sleep)

    def ask(self, times=2 * LIMIT):
        """Ask so often, with a moment after each answer; return how often it was permitted."""
        permitted = 0
        for _ in range(times):
            try:
                permit = self.ledger.permit(LIVE, wait_seconds=0)
            except QuotaExhausted:
                break
            self.referee.arrive("livetiming.formula1.com")
            self.ledger.settle(permit, 200, 1, 1.0)
            self.machine.sleep(0.05)
            permitted += 1
        return permitted

    @property
    def peak(self):
        return self.referee.report()["windows"][0]["peak"]


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def service(sqlite_warehouse, machine):
    return Service(sqlite_warehouse.engine, machine)


@pytest.mark.parametrize("jumps", [(-2 * HOUR, 3 * HOUR + MINUTE), (HOUR + MINUTE,), (10 * YEAR,), (-YEAR, 2 * YEAR)])
def test_a_clock_that_jumps_lets_no_request_through(service, machine, jumps):
    assert service.ask() == LIMIT
    for jump in jumps:
        machine.set_clock(jump)
        assert service.ask() == 0
    assert service.ledger.stats()[0].windows[0].remaining == 0
    machine.sleep(HOUR + 1)
    assert service.ask() == LIMIT
    assert service.peak == LIMIT


def test_a_clock_that_jumps_lets_no_request_through_to_a_server_that_counts_by_itself(sqlite_warehouse, machine):
    referee = Referee([("any", LIMIT, HOUR)], clock=lambda: machine.true_ms / 1000)
    server = SimulatorServer(("127.0.0.1", 0), Simulator(), referee)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    policies = policies_of(f"any={LIMIT}/1h;jolpica=1000/1h", reaches_real_services=False)
    ledger = Ledger(sqlite_warehouse.engine, policies, machine, machine.sleep)
    statuses = []
    for jump in (0, -2 * HOUR, 2 * HOUR + 61 * MINUTE, -61 * MINUTE, 10 * YEAR):
        machine.set_clock(jump)
        for _ in range(LIMIT):
            try:
                permit = ledger.permit(LIVE, wait_seconds=0)
            except QuotaExhausted:
                break
            answer = requests.get(f"{server.url}/livetiming.formula1.com/static/x", timeout=5)
            ledger.settle(permit, answer.status_code, len(answer.content), 1.0)
            statuses.append(answer.status_code)
    server.shutdown()
    assert len(statuses) == LIMIT
    assert 429 not in statuses
    assert referee.report()["refused"] == 0


def test_a_clock_that_was_far_ahead_once_stops_nothing_when_it_is_right_again(service, machine):
    machine.set_clock(10 * YEAR)
    assert service.ask() == LIMIT
    machine.set_clock(-10 * YEAR)
    with pytest.raises(QuotaExhausted) as spent:
        service.ledger.permit(LIVE, wait_seconds=0)
    # The next permit is told in terms of the clock as it is now.
    assert spent.value.retry_at - _wall(machine) < timedelta(hours=1)
    machine.sleep(HOUR + 1)
    assert service.ask() == LIMIT
    assert service.peak == LIMIT


def _wall(machine):
    return datetime.fromtimestamp(machine.wall_ms / 1000, UTC)


def test_what_is_shown_before_the_next_permit_is_in_terms_of_the_clock_too(service, machine):
    service.ask()
    machine.set_clock(-3 * HOUR)
    window = service.ledger.stats()[0].windows[0]
    assert window.remaining == 0
    assert timedelta(minutes=59) < window.free_at - _wall(machine) <= timedelta(hours=1)
    fits, free_at = service.ledger.free_for({"any": 1})
    assert (fits, free_at) == (0, window.free_at)
    counted = service.ledger.counted_at("any", HOUR)
    assert len(counted) == LIMIT
    assert all(abs(at - _wall(machine)) < timedelta(minutes=1) for at in counted)


def test_reservations_and_closures_keep_their_length_when_the_clock_jumps(service, machine):
    service.ledger.reserve(Purpose("2024-01-R"), {"any": 5})
    machine.set_clock(11 * MINUTE)
    assert service.ledger.stats()[0].windows[0].reserved == 5
    service.ledger.settle(service.ledger.permit(LIVE), 429, 1, 1.0, "120")
    for jump in (DAY, -YEAR):
        machine.set_clock(jump)
        assert service.ledger.stats()[0].closed_until - _wall(machine) <= timedelta(seconds=120)
        assert service.ask() == 0
    machine.sleep(121)
    assert service.ask(1) == 1


def test_after_a_reboot_at_least_its_uptime_has_passed_whatever_the_clock_says(service, machine):
    assert service.ask() == LIMIT
    machine.reboot(off_seconds=1, clock_set_by_seconds=5 * HOUR)  # another system had left local time behind
    assert service.ask() == 0
    machine.sleep(HOUR)
    assert service.ask() == LIMIT
    machine.reboot(off_seconds=9 * HOUR, clock_set_by_seconds=-YEAR)  # its battery is empty
    assert service.ask() == 0
    machine.sleep(HOUR + 1)
    assert service.ask() == LIMIT
    assert service.peak == LIMIT


def test_a_home_that_was_copied_to_a_machine_that_runs_for_long_opens_no_window(service, machine):
    assert service.ask() == LIMIT
    machine.boots += 1
    machine.booted_at_ms = -400 * DAY * 1000
    assert service.ask() == 0
    machine.sleep(HOUR + 1)
    assert service.ask() == LIMIT


def test_where_the_system_names_no_boot_a_smaller_uptime_tells_another_one():
    last = LastLook(1_000_000, "unknown boot", uptime_ms=900_000, wall_ms=1_000_000)
    assert look(last, Reading(1_060_000, "unknown boot", 960_000), 0).now_ms == 1_060_000
    assert look(last, Reading(9_000_000, "unknown boot", 30_000), 0).now_ms == 1_030_000


@pytest.mark.parametrize("ahead", [10 * YEAR, 0, -30 * DAY])
def test_a_ledger_of_a_version_that_noted_no_clocks_counts_what_it_has_and_waits_one_window(
    service, machine, sqlite_warehouse, ahead
):
    """What was sent before the upgrade may have been sent just now: nothing but the wall clock would tell."""
    latest = machine.wall_ms + ahead * 1000
    row = {
        "policy": "any",
        "permitted_at_ms": latest,
        "counted_at_ms": latest,
        "settled": True,
        "host": "h",
        "path": "p",
    }
    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(update(quota_clock).values(latest_ms=latest))
        connection.execute(insert(upstream_requests), [row] * (LIMIT - 3))
    assert service.ask() == 3
    machine.sleep(HOUR + 1)
    assert service.ask() == LIMIT


def test_history_keeps_its_times_over_a_reboot_and_is_set_right_after_a_jump(service, machine, sqlite_warehouse):
    service.ask(1)
    asked_at = machine.wall_ms
    machine.set_clock(10 * YEAR)
    service.ask(1)
    machine.set_clock(-10 * YEAR)
    service.ask(1)
    machine.reboot(off_seconds=9 * HOUR)
    service.ask(1)
    with sqlite_warehouse.engine.connect() as connection:
        times = connection.execute(select(upstream_requests.c.permitted_at_ms)).scalars().all()
    assert [abs(at - asked_at) < 5_000 for at in times] == [True, True, True, False]
    assert abs(times[3] - machine.wall_ms) < 5_000


def test_a_jump_is_noted_and_a_clock_that_is_adjusted_slowly_is_none(service, machine):
    for _ in range(4):
        service.ask(1)
        machine.set_clock(0.9)
        machine.sleep(HOUR)
    service.ask(1)
    assert service.ledger.clock_state().jump_ms is None
    machine.set_clock(-2 * HOUR)
    assert service.ledger.clock_state().jump_ms == -2 * HOUR * 1000
    service.ask(1)
    machine.sleep(DAY)
    service.ask(1)
    state = service.ledger.clock_state()
    assert state.jump_ms == -2 * HOUR * 1000
    assert abs((_wall(machine) - state.jumped_at) - timedelta(days=1)) < timedelta(minutes=1)


def test_on_one_clock_that_alone_counts_a_set_back_clock_opens_nothing_and_is_waited_for_a_window_at_most(warehouse):
    """PostgreSQL has one clock for all machines, and no monotonic one."""
    machine = Machine()
    service = Service(warehouse.engine, machine, clock=lambda: machine.wall_ms)
    assert service.ask() == LIMIT
    machine.set_clock(-30 * MINUTE)
    assert service.ask() == 0
    assert service.ledger.clock_state().jump_ms == -30 * MINUTE * 1000
    machine.set_clock(-10 * YEAR)
    assert service.ask() == 0
    machine.sleep(HOUR + 1)
    assert service.ask() == LIMIT
    assert service.peak == LIMIT


@pytest.mark.parametrize("warehouse", ["postgresql"], indirect=True)
def test_on_postgresql_the_clock_of_the_machine_that_asks_does_not_count(warehouse, monkeypatch):
    ledger = Ledger(warehouse.engine, policies_of("any=2/1h", reaches_real_services=False))
    monkeypatch.setattr("f1_assets.quota.ledger.read_machine_clocks", lambda: pytest.fail("was read"))
    ledger.permit(LIVE)
    with warehouse.engine.connect() as connection:
        row = connection.execute(select(quota_clock)).one()
    assert (row.boot_id, row.uptime_ms) == (None, None)
    assert row.latest_ms == row.wall_ms


def test_this_machine_has_a_boot_and_an_uptime_that_only_grows():
    first, second = read_machine_clocks(), read_machine_clocks()
    assert first.boot_id == second.boot_id
    assert 0 < first.uptime_ms <= second.uptime_ms
    assert first.uptime_ms % 10 == 0
