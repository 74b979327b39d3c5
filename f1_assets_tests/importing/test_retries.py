from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.datasets import named
from f1_assets.errors import (
    AuthenticationRequired,
    NotYetPublished,
    QuotaExhausted,
    TransientError,
    Unavailable,
    UnreadableData,
)
from f1_assets.importing.failures import failure_of, note_failed
from f1_assets.importing.retries import a_jitter, next_try_at, status_after
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.warehouse.seasons import a_season, store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = SessionKey(2024, 1, "R")


@pytest.mark.parametrize(
    ("error", "attempts", "wait"),
    [
        (TransientError(""), 1, timedelta(minutes=5)),
        (TransientError(""), 4, timedelta(minutes=40)),
        (TransientError(""), 11, timedelta(hours=24)),
        (NotYetPublished("", timedelta(minutes=20)), 500, timedelta(minutes=15)),
        (NotYetPublished("", timedelta(hours=4)), 1, timedelta(hours=2)),
        (NotYetPublished("", timedelta(days=6)), 1, timedelta(hours=6)),
        (Unavailable(""), 500, timedelta(days=30)),
        (ValueError(""), 1, timedelta(hours=24)),
    ],
)
def test_the_wait_grows_by_what_happened_with_some_jitter(error, attempts, wait):
    waits = [next_try_at(error, attempts, NOW) - NOW for _ in range(50)]
    assert all(wait * 0.8 <= w <= wait * 1.2 for w in waits)
    assert len(set(waits)) > 1


@pytest.mark.parametrize("error", [TransientError(""), NotYetPublished("", timedelta(hours=1)), Unavailable("")])
def test_what_shares_a_load_shares_its_next_try(sqlite_warehouse, error):
    store(sqlite_warehouse, a_season())
    lines = note_failed(named(None), KEY, error, sqlite_warehouse)
    assert len({line.next_try_at for line in lines}) == 1
    jitter = a_jitter()
    assert len({next_try_at(error, 1, NOW, jitter=jitter) for _ in range(9)}) == 1
    assert 0.8 <= jitter <= 1.2


def test_a_spent_quota_waits_until_it_is_back_and_a_refused_account_for_half_an_hour():
    assert next_try_at(QuotaExhausted(""), 500, NOW) == NOW
    assert next_try_at(QuotaExhausted("", retry_at=NOW + timedelta(hours=1)), 1, NOW) == NOW + timedelta(hours=1)
    assert next_try_at(AuthenticationRequired(""), 500, NOW) == NOW + timedelta(minutes=30)


@pytest.mark.parametrize(("error", "last"), [(TransientError(""), 12), (ValueError(""), 3)])
def test_after_the_last_try_nothing_is_asked_until_a_person_says_so(error, last):
    assert next_try_at(error, last - 1, NOW) is not None
    assert next_try_at(error, last, NOW) is None


def test_after_faults_that_pass_a_defect_has_another_try_and_no_mixture_is_tried_for_ever():
    assert next_try_at(ValueError(""), 14, NOW, is_repeated=False) is not None
    assert next_try_at(ValueError(""), 15, NOW, is_repeated=False) is None


@pytest.fixture
def fail(sqlite_warehouse):
    """Have a dataset fail so, one error after the other; gives its line."""
    store(sqlite_warehouse, a_season())

    def fail(*errors):
        for error in errors:
            line = Extraction(KEY, "weather", Status.FAILED)
            line = sqlite_warehouse.note(failure_of(line, error, sqlite_warehouse, NOW))
        return line

    return fail


def test_what_says_nothing_of_the_data_is_no_try(fail):
    early, refused, spent = NotYetPublished(""), AuthenticationRequired(""), QuotaExhausted("")
    line = fail(*[early] * 12, *[refused] * 12, *[spent] * 12, TransientError(""))
    assert line.attempts == 1
    assert line.next_try_at < NOW + timedelta(minutes=7)


def test_a_defect_after_other_faults_is_tried_again_and_then_given_up(fail):
    assert fail(TransientError(""), TransientError(""), UnreadableData("")).next_try_at is not None
    assert fail(UnreadableData("")).next_try_at is None


def test_even_after_as_many_faults_as_are_tried_a_defect_is_tried_twice(fail):
    assert fail(*[TransientError("")] * 11, UnreadableData("")).next_try_at is not None
    assert fail(UnreadableData("")).next_try_at is None


def test_whatever_fails_in_turns_is_given_up(fail):
    assert fail(*[TransientError(""), UnreadableData("")] * 6, TransientError("")).next_try_at is None


def test_defects_that_take_turns_are_given_up(fail):
    assert fail(*[ValueError(""), KeyError("")] * 8).next_try_at is None


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
