from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.errors import AuthenticationRequired, NotYetPublished, QuotaExhausted, TransientError, Unavailable
from f1_assets.importing.retries import next_try_at, status_after
from f1_assets.warehouse import Status

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "attempts", "wait"),
    [
        (TransientError(""), 1, timedelta(minutes=5)),
        (TransientError(""), 4, timedelta(minutes=40)),
        (TransientError(""), 11, timedelta(hours=24)),
        (NotYetPublished(""), 1, timedelta(minutes=15)),
        (NotYetPublished(""), 500, timedelta(hours=6)),
        (ValueError(""), 1, timedelta(hours=24)),
    ],
)
def test_the_wait_grows_by_what_happened_with_some_jitter(error, attempts, wait):
    waits = [next_try_at(error, attempts, NOW) - NOW for _ in range(50)]
    assert all(wait * 0.8 <= w <= wait * 1.2 for w in waits)
    assert len(set(waits)) > 1


def test_a_spent_quota_waits_until_it_is_back_and_a_refused_account_for_half_an_hour():
    assert next_try_at(QuotaExhausted(""), 500, NOW) == NOW
    assert next_try_at(QuotaExhausted("", NOW + timedelta(hours=1)), 1, NOW) == NOW + timedelta(hours=1)
    assert next_try_at(AuthenticationRequired(""), 500, NOW) == NOW + timedelta(minutes=30)


@pytest.mark.parametrize(("error", "last"), [(TransientError(""), 12), (ValueError(""), 3)])
def test_after_the_last_try_nothing_is_asked_until_a_person_says_so(error, last):
    assert next_try_at(error, last - 1, NOW) is not None
    assert next_try_at(error, last, NOW) is None


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable(""), Status.UNAVAILABLE),
        (AuthenticationRequired(""), Status.BLOCKED_AUTH),
        (TransientError(""), Status.FAILED),
        (ValueError(""), Status.FAILED),
    ],
)
def test_the_status_follows_from_the_error(error, status):
    assert status_after(error) is status
