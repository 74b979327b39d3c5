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
        (TransientError(""), 500, timedelta(hours=24)),
        (NotYetPublished(""), 9, timedelta(minutes=30)),
        (ValueError(""), 1, timedelta(hours=24)),
    ],
)
def test_the_wait_grows_by_what_happened_with_some_jitter(error, attempts, wait):
    waits = [next_try_at(error, attempts, NOW) - NOW for _ in range(50)]
    assert all(wait * 0.8 <= w <= wait * 1.2 for w in waits)
    assert len(set(waits)) > 1


def test_what_does_not_depend_on_time_waits_for_no_time():
    assert next_try_at(QuotaExhausted(""), 1, NOW) is None
    assert next_try_at(AuthenticationRequired(""), 1, NOW) is None


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
