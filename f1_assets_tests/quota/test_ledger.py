import threading
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select

from f1_assets.connection import connect
from f1_assets.errors import ConfigurationError, QuotaExhausted
from f1_assets.quota.ledger import InFlight, Ledger, Purpose
from f1_assets.quota.policies import policies_of
from f1_assets.quota.rate_limit import ledger_of
from f1_assets.settings import load_settings
from f1_assets.warehouse import migrate
from f1_assets.warehouse.engine import make_engine, writing
from f1_assets.warehouse.models import upstream_request_hours, upstream_requests
from f1_assets_tests.quota.clock import JOLPICA, LIVE, Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make(warehouse, clock):
    """Make a ledger on each kind of database."""
    return lambda quota, **kwargs: Ledger(
        warehouse.engine, policies_of(quota, reaches_real_services=False), clock, clock.sleep, **kwargs
    )


def _request(ledger, url=LIVE, purpose=None, wait_seconds=0.0, status=200, retry_after=None):
    permit = ledger.permit(url, purpose, wait_seconds)
    ledger.settle(permit, status, 100, 5.0, retry_after)


def test_no_more_than_the_number_in_any_window_and_all_of_it(make, clock):
    ledger = make("any=5/10s")
    for _ in range(5):
        _request(ledger)
        clock.sleep(1)
    with pytest.raises(QuotaExhausted, match=r"5/10s of policy any is used") as spent:
        _request(ledger)
    # The first one was answered at second 0: its place is free 10 s after that.
    assert spent.value.retry_at == datetime.fromtimestamp((clock.now_ms + 5001) / 1000, UTC)
    clock.sleep(5.001)
    _request(ledger)
    with pytest.raises(QuotaExhausted):
        _request(ledger)


def test_a_short_wait_is_waited(make, clock):
    ledger = make("any=2/10s")
    before = clock.now_ms
    for _ in range(5):
        _request(ledger, wait_seconds=60)
    assert 20_000 <= clock.now_ms - before < 20_100


def test_every_window_of_a_policy_holds(make, clock):
    ledger = make("any=6/10s,2/1s")
    before = clock.now_ms
    for _ in range(6):
        _request(ledger, wait_seconds=60)
    assert 2_000 <= clock.now_ms - before < 2_100


def test_jolpica_counts_in_any_too(make):
    ledger = make("any=3/10s;jolpica=2/10s")
    _request(ledger, JOLPICA)
    _request(ledger, JOLPICA)
    with pytest.raises(QuotaExhausted, match="policy jolpica"):
        _request(ledger, JOLPICA)
    _request(ledger, LIVE)
    with pytest.raises(QuotaExhausted, match="policy any"):
        _request(ledger, LIVE)


def test_a_request_is_counted_until_a_whole_window_after_its_answer(make, clock):
    ledger = make("any=1/10s")
    permit = ledger.permit(LIVE)
    clock.sleep(9)
    ledger.settle(permit, 200, 1, 9000.0)
    clock.sleep(9)
    with pytest.raises(QuotaExhausted):
        _request(ledger)
    clock.sleep(1.01)
    _request(ledger)


def test_a_request_whose_process_died_is_counted_as_if_it_came_as_late_as_it_can(make, clock):
    ledger = make("any=1/10s", longest_request_ms=20_000)
    ledger.permit(LIVE)  # and never settled
    clock.sleep(29.9)
    with pytest.raises(QuotaExhausted):
        _request(ledger)
    clock.sleep(0.2)
    _request(ledger)


def test_a_clock_that_is_set_back_opens_no_window(make, clock):
    ledger = make("any=2/10s")
    _request(ledger)
    _request(ledger)
    clock.now_ms -= 3_600_000
    with pytest.raises(QuotaExhausted):
        _request(ledger)
    clock.now_ms += 3_600_000 + 10_001
    _request(ledger)


def test_what_is_reserved_is_left_to_its_session(make):
    ledger = make("any=10/1h")
    reservation = ledger.reserve(Purpose("2024-01-R"), {"any": 8})
    _request(ledger)
    _request(ledger)
    with pytest.raises(QuotaExhausted):
        _request(ledger)
    for _ in range(8):
        _request(ledger, purpose=Purpose("2024-01-R", reservation=reservation))
    with pytest.raises(QuotaExhausted):
        _request(ledger, purpose=Purpose("2024-01-R", reservation=reservation))


def test_two_sessions_are_admitted_only_if_both_fit(make, clock):
    ledger = make("any=20/1h")
    first = ledger.reserve(Purpose("2024-01-R"), {"any": 12})
    with pytest.raises(QuotaExhausted, match="sessions that are loading have reserved 12"):
        ledger.reserve(Purpose("2024-02-R"), {"any": 12})
    ledger.release(first)
    ledger.reserve(Purpose("2024-02-R"), {"any": 12})


def test_a_reservation_whose_process_died_expires(make, clock):
    ledger = make("any=10/1h")
    ledger.reserve(Purpose("2024-01-R"), {"any": 10})
    clock.sleep(601)
    _request(ledger)


def test_a_session_that_needs_more_than_the_whole_quota_is_admitted_when_all_is_free(make):
    ledger = make("any=5/1h")
    assert ledger.reserve(Purpose("2024-01-R"), {"any": 12})


def test_a_reservation_says_when_it_will_fit(make, clock):
    ledger = make("any=10/10s")
    for _ in range(8):
        _request(ledger)
        clock.sleep(0.5)
    # 5 fit when 3 of the 8 have left: the third was answered at 1.0 s.
    fits, free_at = ledger.free_for({"any": 5})
    assert fits == 0
    assert free_at == datetime.fromtimestamp((1_700_000_000_000 + 1_000 + 10_001) / 1000, UTC)
    assert ledger.free_for({"any": 1}) == (2, None)


def test_a_policy_that_the_service_closed_is_closed_until_it_says(make, clock):
    ledger = make("any=100/1h;jolpica=100/1h")
    _request(ledger, JOLPICA, status=429, retry_after="120")
    with pytest.raises(QuotaExhausted, match="HTTP 429 with Retry-After 120"):
        _request(ledger, JOLPICA)
    _request(ledger, LIVE)
    assert ledger.stats()[1].closed_until == datetime.fromtimestamp((clock.now_ms + 120_000) / 1000, UTC)
    clock.sleep(120.001)
    _request(ledger, JOLPICA)


@pytest.mark.parametrize(
    ("retry_after", "closed"),
    [
        (None, timedelta(seconds=60)),
        ("nonsense", timedelta(seconds=60)),
        ("Tue, 14 Nov 2023 22:15:20 GMT", timedelta(seconds=120)),
        ("999999999", timedelta(hours=24)),
        ("Tue, 14 Nov 2023 20:00:00 GMT", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_or_assumed(make, clock, retry_after, closed):
    ledger = make("any=100/1h")
    _request(ledger, status=429, retry_after=retry_after)
    until = ledger.stats()[0].closed_until
    expected = None if closed is None else datetime.fromtimestamp(clock.now_ms / 1000, UTC) + closed
    assert until == expected


def test_stats_tell_what_is_used_reserved_and_free(make):
    ledger = make("any=10/1h,4/1s")
    _request(ledger)
    ledger.reserve(Purpose("2024-01-R"), {"any": 6})
    hour, second = ledger.stats()[0].windows
    assert (hour.limit, hour.seconds, hour.used, hour.reserved, hour.remaining) == (10, 3600, 1, 6, 3)
    assert (second.used, second.reserved, second.free_at) == (1, 0, None)


def test_past_loads_are_told_by_session_and_needs(make):
    ledger = make("any=100/1h")
    for load in range(3):
        for _ in range(10 + load):
            _request(ledger, f"{LIVE}-{load}", Purpose("2024-01-R", "laps", f"load-{load}"))
        _request(ledger, f"{JOLPICA}-{load}", Purpose("2024-01-R", "laps", f"load-{load}"))
    _request(ledger, purpose=Purpose("2024-01-Q", "laps", "other"))
    loads = sorted(ledger.past_loads("R", "laps"), key=lambda load: load["any"])
    assert loads == [{"any": 11 + load, "jolpica": 1} for load in range(3)]


def test_old_rows_become_hourly_counts(make, clock, warehouse):
    ledger = make("any=100/1h")
    for _ in range(3):
        _request(ledger)
    _request(ledger, JOLPICA, status=500)
    clock.sleep(3 * 24 * 3600)
    _request(ledger)
    assert ledger.prune() == 4
    assert ledger.prune() == 0
    hours = warehouse.query(select(upstream_request_hours).order_by(upstream_request_hours.c.policy))
    assert hours[["policy", "status", "requests", "bytes"]].to_numpy().tolist() == [
        ["any", 200, 3, 300],
        ["jolpica", 500, 1, 100],
    ]
    assert len(warehouse.query(select(upstream_requests))) == 1


def test_a_database_that_goes_away_is_waited_for_and_nothing_is_sent_without_it(make, monkeypatch):
    ledger = make("any=100/1h")
    attempt, fails = ledger._try_permit, [3]

    def away(*arguments):
        if fails[0]:
            fails[0] -= 1
            raise ConfigurationError("The database cannot be used")
        return attempt(*arguments)

    monkeypatch.setattr(ledger, "_try_permit", away)
    _request(ledger)
    assert fails == [0]
    fails[0] = 10_000
    with pytest.raises(ConfigurationError):
        _request(ledger)


def test_threads_that_ask_in_the_same_moment_never_get_more_than_the_number(warehouse):
    ledger = Ledger(warehouse.engine, policies_of("any=10/1h", reaches_real_services=False))
    got, refused = [], []

    def ask():
        for _ in range(4):
            try:
                got.append(ledger.permit(LIVE, wait_seconds=0))
            except QuotaExhausted:
                refused.append(1)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (10, 10)


def test_a_ledger_of_an_older_version_is_upgraded_by_itself(tmp_path):
    settings = load_settings(home=tmp_path / "old", source="simulator")
    settings.make_home()
    config = Config()
    config.set_main_option("script_location", str(migrate._MIGRATIONS))
    with writing(make_engine(settings.database)) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    assert ledger_of(settings).stats()[0].windows[0].used == 0
    assert connect(settings).check() == []


def test_an_answer_that_hosts_share_is_waited_for_until_it_can_be_in_the_archive(make, clock):
    ledger = make("any=100/1h", kept_within_ms=5_000)
    one, two = Purpose("2024-01-R", "laps", "one"), Purpose("2024-02-R", "laps", "two")
    for status, waited in ((200, 5), (404, 5), (500, 1), (None, 1)):
        _request(ledger, f"{LIVE}/{status}", one, status=status)
        for _ in range(waited):
            with pytest.raises(InFlight):
                ledger.permit(f"{LIVE}/{status}", two)
            clock.sleep(1)
        clock.sleep(0.01)
        ledger.permit(f"{LIVE}/{status}", two)
