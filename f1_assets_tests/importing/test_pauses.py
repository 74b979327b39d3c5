from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.context import Context
from f1_assets.errors import QuotaExhausted
from f1_assets.importing.pauses import AskAgain, Pauses
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap


class _Spent:
    """Something that finds the quota spent some times, and then succeeds."""

    def __init__(self, times):
        self.times = times

    def __call__(self):
        if self.times:
            self.times -= 1
            raise QuotaExhausted("the quota is spent", retry_at=datetime.now(UTC) + timedelta(milliseconds=80))
        return "done"


def test_what_finds_the_quota_spent_is_done_when_it_is_back(sqlite_warehouse):
    told = []
    pauses = Pauses(
        Context.open(warehouse=sqlite_warehouse),
        True,
        None,
        lambda what, spent, left: told.append((what, str(spent), left)),
    )
    assert pauses.insist("standings of 2025", _Spent(2)) == "done"
    assert pauses.count == 1
    assert pauses.seconds > 0.1
    assert {entry[:2] for entry in told} == {("standings of 2025", "the quota is spent")}
    assert all(0 < left < 1 for *_, left in told)


def test_an_import_that_may_not_wait_says_so(sqlite_warehouse):
    pauses = Pauses(
        Context.open(warehouse=sqlite_warehouse), False, None, lambda *_: pytest.fail("nothing is waited for")
    )
    with pytest.raises(QuotaExhausted, match="the quota is spent"):
        pauses.insist("2025-01-R", _Spent(1))


def test_nothing_is_begun_that_would_spend_more_than_it_may(sqlite_warehouse):
    pauses = Pauses(Context.open(warehouse=sqlite_warehouse), True, 10, lambda *_: None)
    pauses.spend("2025-01-R", 9)
    with pytest.raises(QuotaExhausted, match="standings of 2025 needs 4 requests, and 1 are left of --max-requests"):
        pauses.spend("standings of 2025", 4)
    pauses.spend("2025-01-Q", 1)


def test_a_session_that_waits_for_the_quota_leaves_time_for_others_and_asks_the_ledger_seldom(
    sqlite_warehouse, monkeypatch
):
    asked, told = [], []

    def spent(_context, gap):
        asked.append(gap)
        if len(asked) == 1:
            raise QuotaExhausted("the quota is spent", retry_at=datetime.now(UTC) + timedelta(hours=1))
        return "reservation"

    monkeypatch.setattr("f1_assets.importing.pauses.reserve_requests", spent)
    pauses = Pauses(
        Context.open(warehouse=sqlite_warehouse), True, None, lambda what, spent, left: told.append((what, left))
    )
    gap = SessionGap(SessionKey(2025, 1, "R"), ("laps",))
    for _ in range(3):
        with pytest.raises(AskAgain) as later:
            pauses.reserve(gap)
        assert 0 < later.value.seconds <= 0.5
    assert (len(asked), len(told), pauses.count) == (1, 3, 0)
    assert {what for what, _ in told} == {"2025-01-R"}
    monkeypatch.setattr("f1_assets.importing.pauses.time.monotonic", lambda: 10.0**9)
    assert pauses.reserve(gap) == "reservation"
    assert (len(asked), pauses.count) == (2, 1)


def test_what_an_import_may_spend_is_counted_once_for_a_session_that_waits(sqlite_warehouse, monkeypatch):
    def spent(_context, gap):
        raise QuotaExhausted("the quota is spent", retry_at=datetime.now(UTC) + timedelta(hours=1))

    monkeypatch.setattr("f1_assets.importing.pauses.reserve_requests", spent)
    monkeypatch.setattr("f1_assets.importing.pauses.expected_requests_of", lambda _context, gap: {"any": 6})
    pauses = Pauses(Context.open(warehouse=sqlite_warehouse), True, 10, lambda *_: None)
    gap = SessionGap(SessionKey(2025, 1, "R"), ("laps",))
    for _ in range(3):
        with pytest.raises(AskAgain):
            pauses.reserve(gap)
