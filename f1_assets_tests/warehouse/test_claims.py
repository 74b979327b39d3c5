import threading
from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse.claims import LASTS, Claims, claimed_sessions
from f1_assets_tests.warehouse.seasons import a_season, store

KEY = SessionKey(2024, 1, "R")
OTHER = SessionKey(2024, 1, "Q")


@pytest.fixture
def season(warehouse):
    store(warehouse, a_season())
    return warehouse


def test_a_session_has_one_owner_until_it_is_given_back(season):
    first, second = Claims(season), Claims(season)
    assert first.take(KEY)
    assert first.take(KEY)
    assert not second.take(KEY)
    assert second.take(OTHER)
    assert claimed_sessions(season) == {KEY, OTHER}
    second.release(KEY)
    assert not second.take(KEY)
    first.release(KEY)
    assert second.take(KEY)


def test_an_import_that_died_loses_its_claims_when_they_expire(season):
    now = datetime.now(UTC)
    assert Claims(season).take(KEY, now - LASTS)
    assert claimed_sessions(season) == set()
    assert Claims(season).take(KEY, now)


def test_at_its_end_an_import_gives_back_what_it_holds(season):
    with Claims(season) as claims:
        claims.take(KEY)
    assert claimed_sessions(season) == set()


def test_while_its_process_lives_a_claim_is_renewed(season, monkeypatch):
    monkeypatch.setattr("f1_assets.warehouse.claims.RENEWED_AFTER_SECONDS", 0.01)
    with Claims(season) as claims:
        claims.take(KEY, datetime.now(UTC) - LASTS + timedelta(seconds=0.5))
        far = datetime.now(UTC) + timedelta(seconds=30)
        renewed = threading.Event()
        for _ in range(500):
            if KEY in claimed_sessions(season, far):
                renewed.set()
                break
        assert renewed.is_set()


def test_of_many_that_ask_at_once_one_gets_it(season):
    got = []
    threads = [threading.Thread(target=lambda: got.append(Claims(season).take(KEY))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]


def test_a_session_that_the_calendar_does_not_have_is_refused(season):
    with pytest.raises(UsageError, match="does not have 2024-77-R"):
        Claims(season).take(SessionKey(2024, 77, "R"))
